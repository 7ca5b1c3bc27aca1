// Splats the line from each row to the next of its track: one invocation a line. After shared/rows.wgsl, frame.wgsl, splat.wgsl,
// splat_cell.wgsl and splat_ink.wgsl. A line adds itself once to every column of cells that it crosses, or to every row of cells where it is steeper, so that
// lines of all directions are as dense. Where rows are chosen, a line is as the row that it begins at, and only chosen ones add colours. What of it lies outside of the grid is not gone over. Twin: `render::splat::lines`.

@group(1) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = row_of(workgroup_number(workgroup, workgroups) * 256u + lane);
    if row >= frame.row_count || row + 1u >= frame.row_count || tracks[row] != tracks[row + 1u] {
        return;
    }
    let from_clip = clip_of_row(row);
    let to_clip = clip_of_row(row + 1u);
    if !is_placed(from_clip) || !is_placed(to_clip) {
        return;
    }
    let ink = ink_of(row, from_clip);
    let is_bright = is_chosen(row);
    var begin = place_of(from_clip);
    var end = place_of(to_clip);
    var first = grid_first();
    var size = grid_size();
    // Steep lines are gone over with the axes changed.
    let is_steep = abs(end.y - begin.y) > abs(end.x - begin.x);
    if is_steep {
        begin = begin.yx;
        end = end.yx;
        first = first.yx;
        size = size.yx;
    }
    let end_of_grid = first + size;
    let low = floor(min(begin.x, end.x));
    let high = floor(max(begin.x, end.x));
    if !(high >= first.x && low < end_of_grid.x) {
        return;
    }
    let last = u32(min(high, end_of_grid.x - 1.0));
    let way = end - begin;
    for (var column = u32(max(low, first.x)); column <= last; column++) {
        // Where the line is in the column's middle, or at its own end before that.
        var along = 0.0;
        if abs(way.x) > 1e-6 {
            along = clamp((f32(column) + 0.5 - begin.x) / way.x, 0.0, 1.0);
        }
        let across = begin.y + along * way.y;
        if across >= first.y && across < end_of_grid.y {
            let place = select(vec2u(column, u32(across)), vec2u(u32(across), column), is_steep) - splat.corner;
            let cell = place.y * splat.width + place.x;
            atomicAdd(&counts[cell], 1u);
            if frame.has_chosen != 0u {
                if !is_bright {
                    continue;
                }
                atomicAdd(&counts[chosen_cell(cell)], 1u);
            }
            add_ink(cell, ink);
        }
    }
}
