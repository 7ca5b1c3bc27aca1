// From how many points each cell has to where each cell begins, [cells + 1]; the counts become the places where the next point goes.
// Twin: project::tsne::near's Cells.
//
// One workgroup: cells are few beside the points.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read_write> counts: array<u32>;
@group(1) @binding(1) var<storage, read_write> starts: array<u32>;

const LANES = 256u;
var<workgroup> sums: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let cells = plan.cells_x * plan.cells_y * plan.cells_z;
    let each = (cells + LANES - 1u) / LANES;
    let first = min(lane * each, cells);
    let end = min(first + each, cells);
    var sum = 0u;
    for (var cell = first; cell < end; cell++) {
        sum += counts[cell];
    }
    sums[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        var before = 0u;
        for (var other = 0u; other < LANES; other++) {
            let own = sums[other];
            sums[other] = before;
            before += own;
        }
    }
    workgroupBarrier();
    var next = sums[lane];
    for (var cell = first; cell < end; cell++) {
        let count = counts[cell];
        starts[cell] = next;
        counts[cell] = next;
        next += count;
    }
    if lane == 0u {
        starts[cells] = params.rows;
    }
}
