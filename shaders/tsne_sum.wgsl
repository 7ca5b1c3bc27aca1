// Sums of the points' shares of Z, one for each 256 rows. Twin: the sum in project::tsne::exact::repulsion.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> forces: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> sums: array<f32>;

const LANES = 256u;
var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let row = number * LANES + lane;
    parts[lane] = select(0.0, forces[min(row, params.rows - 1u)].w, row < params.rows);
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u && row < params.rows {
        sums[number] = parts[0];
    }
}
