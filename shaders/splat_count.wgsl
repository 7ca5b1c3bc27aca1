// Counts rows a pixel, and those that are chosen a second time: one invocation a row. After shared/rows.wgsl, frame.wgsl, splat.wgsl and splat_cell.wgsl.
// Whole numbers do not care in which order they are added, so the picture does not depend on the order of rows.
// Twin: `render::splat::cpu`.

@group(1) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = row_of(workgroup_number(workgroup, workgroups) * 256u + lane);
    if row < frame.row_count {
        let cell = cell_of(clip_of_row(row), row);
        atomicAdd(&counts[cell], 1u);
        if frame.has_chosen != 0u && cell < splat.cells && is_chosen(row) {
            atomicAdd(&counts[chosen_cell(cell)], 1u);
        }
    }
}
