// Counts rows a pixel and adds up their colours, or counts their classes, in whole numbers, only the chosen ones' where rows are chosen: one
// invocation a row. After shared/rows.wgsl, frame.wgsl, splat.wgsl, splat_cell.wgsl and splat_ink.wgsl. Twin: `render::splat::cpu`.

@group(1) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = row_of(workgroup_number(workgroup, workgroups) * 256u + lane);
    if row >= frame.row_count {
        return;
    }
    let clip = clip_of_row(row);
    let cell = cell_of(clip, row);
    atomicAdd(&counts[cell], 1u);
    if cell < splat.cells && (frame.has_chosen == 0u || is_chosen(row)) {
        if frame.has_chosen != 0u {
            atomicAdd(&counts[chosen_cell(cell)], 1u);
        }
        add_ink(cell, ink_of(row, clip));
    }
}
