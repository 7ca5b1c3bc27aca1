// Points' numbers into their cells, in whatever order they come; tsne_cells_order.wgsl puts each cell in order. Twin: project::tsne::near's Cells.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> homes: array<u32>;
@group(1) @binding(1) var<storage, read_write> next: array<atomic<u32>>;          // [cells]: where the next point goes
@group(1) @binding(2) var<storage, read_write> unordered: array<u32>;             // [rows]

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
    unordered[atomicAdd(&next[homes[row]], 1u)] = row;
}
