// Column sums of what a chunk's rows differ from its first row, one partial sum for each slab of rows; the CPU adds the slabs and the first row
// in f64. Differences, because a sum of many like numbers in f32 drifts from what it should be: a column that does not vary has sums of 0.
// Twin: project::pca::cpu::block_sums.
//
// A workgroup has one slab; its invocations go side by side along the columns, so that a row is read in one stroke.

@group(0) @binding(0) var<uniform> params: PcaParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [rows, dims]
@group(1) @binding(1) var<storage, read_write> partials: array<f32>;    // [slabs, dims]

const LANES = 64u;
// Rows that are summed by themselves first: a long sum's roundings grow with its length.
const BLOCK = 32u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let slab = workgroup_number(workgroup, workgroups);
    let first = slab * params.slab_rows;
    if first >= params.rows {
        return;
    }
    let end = min(first + params.slab_rows, params.rows);
    for (var column = lane; column < params.dims; column += LANES) {
        let pivot = values[column] * params.scale;
        var sum = 0.0;
        for (var block = first; block < end; block += BLOCK) {
            var part = 0.0;
            for (var row = block; row < min(block + BLOCK, end); row++) {
                part += values[row * params.dims + column] * params.scale - pivot;
            }
            sum += part;
        }
        partials[slab * params.dims + column] = sum;
    }
}
