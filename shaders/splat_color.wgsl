// Counts rows a pixel and adds up their colours in whole numbers, only the chosen ones' where rows are chosen: one invocation a row. After shared/rows.wgsl, frame.wgsl, splat.wgsl and
// splat_cell.wgsl. Twin: `render::splat::cpu`.

@group(1) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;
// Red, green and blue of each pixel's rows, `levels` for a full channel.
@group(1) @binding(7) var<storage, read_write> sums: array<atomic<u32>>;

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
        let ink = vec3u(color_of_row(row, clip).rgb * f32(splat.levels) + 0.5);
        atomicAdd(&sums[3u * cell], ink.r);
        atomicAdd(&sums[3u * cell + 1u], ink.g);
        atomicAdd(&sums[3u * cell + 2u], ink.b);
    }
}
