// Hands the positions over to the renderer's columns, and finds the bounds of each workgroup's rows. Twin: plain loops in tests/gpu_twins/umap.rs.

@group(0) @binding(0) var<uniform> params: UmapParams;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> column_x: array<f32>;
@group(1) @binding(2) var<storage, read_write> column_y: array<f32>;
@group(1) @binding(3) var<storage, read_write> column_z: array<f32>;
@group(1) @binding(4) var<storage, read_write> partials: array<Bounds>;   // [workgroups]

const LANES = 256u;
const FAR = 3.0e38;

var<workgroup> parts: array<Bounds, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let row = number * LANES + lane;
    parts[lane] = Bounds(vec4f(FAR), vec4f(-FAR));
    if row < params.rows {
        let at = positions[row];
        column_x[row] = at.x;
        column_y[row] = at.y;
        column_z[row] = at.z;
        parts[lane] = Bounds(at, at);
    }
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            let other = parts[lane + half];
            parts[lane] = Bounds(min(parts[lane].low, other.low), max(parts[lane].high, other.high));
        }
        workgroupBarrier();
    }
    if lane == 0u && number * LANES < params.rows {
        partials[number] = parts[0];
    }
}
