// Z from the sums of the points' shares; on the grid each point is in the potential itself. Twin: project::tsne::grid::Grid::repulsion.
//
// One workgroup.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> sums: array<f32>;                // one for each 256 rows
@group(1) @binding(1) var<storage, read> own_parts: array<f32>;           // [256]; all 0 where there is no grid
@group(1) @binding(2) var<storage, read_write> plan: TsnePlan;

const LANES = 256u;
var<workgroup> parts: array<vec2f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let count = (params.rows + LANES - 1u) / LANES;
    var sum = 0.0;
    for (var at = lane; at < count; at += LANES) {
        sum += sums[at];
    }
    parts[lane] = vec2f(sum, own_parts[lane]);
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        let rows = f32(params.rows);
        plan.own = parts[0].y;
        plan.z = max(parts[0].x + rows * ((rows - 1.0) * plan.base - plan.own), 1e-30);
    }
}
