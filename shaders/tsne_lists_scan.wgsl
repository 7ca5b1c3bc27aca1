// From the sums of 256 rows each to how many entries are before them, in place. Twin: project::tsne::affinities' Incoming.
//
// One workgroup: at a million rows a lane has 16 of them.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read_write> sums: array<u32>;              // one for each 256 rows

const LANES = 256u;
var<workgroup> parts: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let count = (params.rows + 255u) / 256u;
    let each = (count + LANES - 1u) / LANES;
    let first = min(lane * each, count);
    let end = min(first + each, count);
    var sum = 0u;
    for (var at = first; at < end; at++) {
        sum += sums[at];
    }
    parts[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        var before = 0u;
        for (var other = 0u; other < LANES; other++) {
            let own = parts[other];
            parts[other] = before;
            before += own;
        }
    }
    workgroupBarrier();
    var next = parts[lane];
    for (var at = first; at < end; at++) {
        let own = sums[at];
        sums[at] = next;
        next += own;
    }
}
