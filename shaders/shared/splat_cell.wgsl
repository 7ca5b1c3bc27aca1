// Which row an invocation splats, and into which cell. After shared/frame.wgsl and shared/splat.wgsl. Twin: `render::splat::project`.

// Past the last row: no row at all.
fn row_of(number: u32) -> u32 {
    return (number / RUN * splat.stride + splat.phase) * RUN + number % RUN;
}

// Whether a place can be told: in front of the eye, and not past what it sees of the depth.
fn is_placed(clip: vec4f) -> bool {
    return in_front(clip) && clip.z >= 0.0 && clip.z <= clip.w;
}

// In cells from the corner of the whole picture's grid; anywhere. Tiles have the same places, to the bit.
fn place_of(clip: vec4f) -> vec2f {
    let pixel = (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * frame.viewport;
    return pixel / f32(splat.cell) + f32(splat.margin);
}

// The first cell that this grid has.
fn grid_first() -> vec2f {
    return vec2f(splat.corner);
}

fn grid_size() -> vec2f {
    return vec2f(f32(splat.width), f32(splat.cells / splat.width));
}

fn cell_of(clip: vec4f, row: u32) -> u32 {
    let outside = splat.cells + row % OUTSIDE_CELLS;
    if !is_placed(clip) {
        return outside;
    }
    let at = place_of(clip);
    let first = grid_first();
    let end = first + grid_size();
    if !(at.x >= first.x && at.x < end.x && at.y >= first.y && at.y < end.y) {
        return outside;
    }
    return (u32(at.y) - splat.corner.y) * splat.width + u32(at.x) - splat.corner.x;
}

// Where the chosen rows of a cell are counted a second time, behind all cells.
fn chosen_cell(cell: u32) -> u32 {
    return splat.cells + OUTSIDE_CELLS + cell;
}
