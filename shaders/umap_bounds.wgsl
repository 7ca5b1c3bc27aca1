// The bounds of all rows from those of the workgroups of umap_settle.wgsl; one workgroup. Twin: plain loops in tests/gpu_twins/umap.rs.

@group(0) @binding(0) var<uniform> params: UmapParams;
@group(1) @binding(0) var<storage, read> partials: array<Bounds>;
@group(1) @binding(1) var<storage, read_write> bounds: array<Bounds>;     // [1]

const LANES = 256u;
const FAR = 3.0e38;

var<workgroup> parts: array<Bounds, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let count = (params.rows + LANES - 1u) / LANES;
    var part = Bounds(vec4f(FAR), vec4f(-FAR));
    for (var at = lane; at < count; at += LANES) {
        part = Bounds(min(part.low, partials[at].low), max(part.high, partials[at].high));
    }
    parts[lane] = part;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            let other = parts[lane + half];
            parts[lane] = Bounds(min(parts[lane].low, other.low), max(parts[lane].high, other.high));
        }
        workgroupBarrier();
    }
    if lane == 0u {
        bounds[0] = parts[0];
    }
}
