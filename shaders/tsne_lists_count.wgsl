// Of how many rows each row is a neighbour. Twin: project::tsne::affinities' Incoming.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> others: array<u32>;                  // [rows, neighbors]
@group(1) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;    // [rows], 0 before

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let entry = workgroup_number(workgroup, workgroups) * 256u + lane;
    if entry >= params.rows * params.neighbors {
        return;
    }
    atomicAdd(&counts[others[entry]], 1u);
}
