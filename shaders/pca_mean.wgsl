// Column sums, one partial sum for each slab of rows; the CPU adds the slabs in f64.
// Twin: project::pca::cpu::block_sums.
//
// A workgroup has one slab; its invocations go side by side along the columns, so that a row is read in one stroke.

@group(0) @binding(0) var<uniform> params: PcaParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [rows, dims]
@group(1) @binding(1) var<storage, read_write> partials: array<f32>;    // [slabs, dims]

const LANES = 64u;

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
        var sum = 0.0;
        for (var row = first; row < end; row++) {
            sum += values[row * params.dims + column] * params.scale;
        }
        partials[slab * params.dims + column] = sum;
    }
}
