// Which cell each point is in, and how many points each cell has. Twin: project::tsne::near's Cells.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> homes: array<u32>;                 // [rows]
@group(1) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;        // [cells], 0 before

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 64u + lane;
    if row >= params.rows || plan.reach <= 0.0 {
        return;
    }
    let home = cell_number(cell_of(positions[row].xyz));
    homes[row] = home;
    atomicAdd(&counts[home], 1u);
}
