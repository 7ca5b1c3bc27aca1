// Forces of all pairs, [rows, 4]: the sum over all others of (a - b) / (1 + |a - b|²)², and last the sum of 1 / (1 + |a - b|²).
// Twin: project::tsne::exact::repulsion.
//
// A workgroup has 256 points; all points come past it in tiles of as many.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> forces: array<vec4f>;

const LANES = 256u;
var<workgroup> tile: array<vec4f, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * LANES + lane;
    let at = positions[min(row, params.rows - 1u)].xyz;
    var sum = vec4f(0.0);
    for (var first = 0u; first < params.rows; first += LANES) {
        tile[lane] = positions[min(first + lane, params.rows - 1u)];
        workgroupBarrier();
        // A tile by itself first: a long sum's roundings grow with its length.
        var part = vec4f(0.0);
        for (var other = 0u; other < min(LANES, params.rows - first); other++) {
            let away = at - tile[other].xyz;
            let share = 1.0 / (1.0 + dot(away, away));
            part += vec4f(share * share * away, share);
        }
        sum += part;
        workgroupBarrier();
    }
    if row < params.rows {
        // A point's share of itself is 1.
        forces[row] = vec4f(sum.xyz, sum.w - 1.0);
    }
}
