// Each list in ascending order, so that sums over it come out the same every time; a workgroup for each row.
// Twin: project::tsne::affinities' Incoming.
//
// Batcher's bitonic sort with the first step of each merge mirrored ("Sorting networks and their applications", 1968): every comparison
// puts the larger one behind, so that a list of any length is as good as one filled up with the largest numbers. Lists are short, but
// where many rows are equal, a row may be a neighbour of all of them.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> starts: array<u32>;                  // [rows + 1]
@group(1) @binding(1) var<storage, read_write> entries: array<u32>;           // [rows * neighbors]

const LANES = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups);
    if row >= params.rows {
        return;
    }
    let first = starts[row];
    let count = starts[row + 1u] - first;
    for (var height = 2u; height < 2u * count; height *= 2u) {
        for (var at = lane; at < count; at += LANES) {
            put_in_order(first, at, at ^ (height - 1u), count);
        }
        storageBarrier();
        for (var step = height / 4u; step > 0u; step /= 2u) {
            for (var at = lane; at < count; at += LANES) {
                put_in_order(first, at, at ^ step, count);
            }
            storageBarrier();
        }
    }
}

fn put_in_order(first: u32, at: u32, partner: u32, count: u32) {
    if partner <= at || partner >= count {
        return;
    }
    let a = entries[first + at];
    let b = entries[first + partner];
    if a > b {
        entries[first + at] = b;
        entries[first + partner] = a;
    }
}
