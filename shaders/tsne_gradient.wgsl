// The gradient of the divergence, [rows, 4], where the repulsion was (van der Maaten and Hinton 2008, equation 5).
// Twin: project::tsne::TsneRun::gradient.
//
// p_ij = (p_j|i + p_i|j) / 2 N: the first is in the row's own list, the second in those of the rows that have it as a neighbour.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read> others: array<u32>;              // [rows, neighbors]
@group(1) @binding(2) var<storage, read> weights: array<f32>;             // [rows, neighbors]: p_j|i / 2 N
@group(1) @binding(3) var<storage, read> starts: array<u32>;              // [rows + 1]: where in `entries` a row's begin
@group(1) @binding(4) var<storage, read> entries: array<u32>;             // numbers of the weights that are of it as a neighbour
@group(1) @binding(5) var<storage, read_write> forces: array<vec4f>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 64u + lane;
    if row >= params.rows {
        return;
    }
    let at = positions[row].xyz;
    var pull = vec3f(0.0);
    let first = row * params.neighbors;
    for (var entry = first; entry < first + params.counted; entry++) {
        pull += weights[entry] * toward(at, others[entry]);
    }
    for (var place = starts[row]; place < starts[row + 1u]; place++) {
        let entry = entries[place];
        pull += weights[entry] * toward(at, entry / params.neighbors);
    }
    forces[row] = vec4f(4.0 * (params.exaggeration * pull - forces[row].xyz / plan.z), 0.0);
}

fn toward(at: vec3f, other: u32) -> vec3f {
    let away = at - positions[other].xyz;
    return away / (1.0 + dot(away, away));
}
