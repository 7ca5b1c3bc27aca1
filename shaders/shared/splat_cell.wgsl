// Which row an invocation splats, and into which cell. After shared/frame.wgsl and shared/splat.wgsl. Twin: `render::splat::project`.

// Past the last row: no row at all.
fn row_of(number: u32) -> u32 {
    return (number / RUN * splat.stride + splat.phase) * RUN + number % RUN;
}

fn cell_of(clip: vec4f, row: u32) -> u32 {
    let outside = splat.pixels + row % OUTSIDE_CELLS;
    if !in_front(clip) || clip.z < 0.0 || clip.z > clip.w {
        return outside;
    }
    let at = (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * frame.viewport;
    if !(at.x >= 0.0 && at.x < frame.viewport.x && at.y >= 0.0 && at.y < frame.viewport.y) {
        return outside;
    }
    return u32(at.y) * splat.width + u32(at.x);
}
