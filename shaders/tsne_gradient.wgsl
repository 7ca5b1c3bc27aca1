// The gradient of the divergence, [rows, 4], where the repulsion was (van der Maaten and Hinton 2008, equation 5).
// Twin: project::tsne::TsneRun::gradient.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read> offsets: array<u32>;             // [rows + 1]: where each row's entries begin
@group(1) @binding(2) var<storage, read> columns: array<u32>;             // the other row of each entry
@group(1) @binding(3) var<storage, read> values: array<f32>;              // p of each entry
@group(1) @binding(4) var<storage, read_write> forces: array<vec4f>;

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
    for (var entry = offsets[row]; entry < offsets[row + 1u]; entry++) {
        let away = at - positions[columns[entry]].xyz;
        pull += values[entry] / (1.0 + dot(away, away)) * away;
    }
    forces[row] = vec4f(4.0 * (params.exaggeration * pull - forces[row].xyz / plan.z), 0.0);
}
