// Takes the mean off the positions, and hands them over to the renderer's columns. Twin: project::tsne::TsneRun's centre.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read_write> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> column_x: array<f32>;
@group(1) @binding(2) var<storage, read_write> column_y: array<f32>;
@group(1) @binding(3) var<storage, read_write> column_z: array<f32>;

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
    let at = positions[row] - plan.mean;
    positions[row] = at;
    column_x[row] = at.x;
    column_y[row] = at.y;
    column_z[row] = at.z;
}
