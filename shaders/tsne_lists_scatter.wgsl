// Entries' numbers into the lists of those whom they name, in whatever order they come; tsne_lists_order.wgsl puts each list in order.
// Twin: project::tsne::affinities' Incoming.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> others: array<u32>;                  // [rows, neighbors]
@group(1) @binding(1) var<storage, read_write> next: array<atomic<u32>>;      // [rows]: where the next entry goes
@group(1) @binding(2) var<storage, read_write> entries: array<u32>;           // [rows * neighbors]

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
    entries[atomicAdd(&next[others[entry]], 1u)] = entry;
}
