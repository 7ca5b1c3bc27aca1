// Adds the near part of the repulsion: pairs within reach, found through cells. Twins: project::tsne::near, project::tsne::split::Split::near.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> starts: array<u32>;              // [cells + 1]
@group(1) @binding(1) var<storage, read> sorted: array<vec4u>;            // [rows]: position and number, as bits
@group(1) @binding(2) var<storage, read_write> forces: array<vec4f>;      // [rows]

const CELLS_PER_REACH = 2u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let point = workgroup_number(workgroup, workgroups) * 64u + lane;
    if point >= params.rows || plan.reach <= 0.0 {
        return;
    }
    let own = sorted[point];
    let at = bitcast<vec3f>(own.xyz);
    let home = cell_of(at);
    let low = max(home, vec3u(CELLS_PER_REACH)) - CELLS_PER_REACH;
    let high = min(home + CELLS_PER_REACH, cell_counts() - 1u);
    let square_reach = plan.reach * plan.reach;
    var sum = vec4f(0.0);
    for (var z = low.z; z <= high.z; z++) {
        for (var y = low.y; y <= high.y; y++) {
            // A run of cells along the first axis.
            let end = starts[cell_number(vec3u(high.x, y, z)) + 1u];
            for (var other = starts[cell_number(vec3u(low.x, y, z))]; other < end; other++) {
                let away = at - bitcast<vec3f>(sorted[other].xyz);
                let square = dot(away, away);
                if square < square_reach && other != point {
                    let inverse = 1.0 / (1.0 + square);
                    let share = inverse * exp(-plan.limit * (1.0 + square));
                    sum += vec4f(share * (plan.limit + inverse) * away, share);
                }
            }
        }
    }
    forces[own.w] += sum;
}
