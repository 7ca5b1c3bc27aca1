// Which row an invocation splats, and into which cell. After shared/frame.wgsl and shared/splat.wgsl. Twin: `render::splat::project`.

// Past the last row: no row at all.
fn row_of(number: u32) -> u32 {
    return (number / RUN * splat.stride + splat.phase) * RUN + number % RUN;
}

fn cell_of(clip: vec4f, row: u32) -> u32 {
    let outside = splat.cells + row % OUTSIDE_CELLS;
    if !in_front(clip) || clip.z < 0.0 || clip.z > clip.w {
        return outside;
    }
    let pixel = (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * frame.viewport;
    let at = pixel / f32(splat.cell) + f32(splat.margin);
    if !(at.x >= 0.0 && at.x < f32(splat.width) && at.y >= 0.0 && at.y < f32(splat.cells / splat.width)) {
        return outside;
    }
    return u32(at.y) * splat.width + u32(at.x);
}
