// Each track's line: instance i joins rows i and i + 1, and is nothing where they belong to different tracks, so that lines need
// no geometry of their own. After shared/frame.wgsl. Checked by pixels in tests/render.rs.

struct Line {
    @builtin(position) position: vec4f,
    // Across the line, in pixels from its middle.
    @location(0) @interpolate(linear) across: f32,
    @location(1) color: vec4f,
}

@vertex
fn vs_main(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if row + 1u >= frame.row_count || tracks[row] != tracks[row + 1u] {
        return line;
    }
    let start = clip_of_row(row);
    let finish = clip_of_row(row + 1u);
    if !in_front(start) || !in_front(finish) {
        return line;
    }
    let half_viewport = frame.viewport * 0.5;
    let way = (finish.xy / finish.w - start.xy / start.w) * half_viewport;
    // Two equal rows have no direction; any will do for a line without length.
    let along = select(vec2f(1.0, 0.0), normalize(way), dot(way, way) > 1e-12);
    let corner = corner_of(vertex);
    let end = select(start, finish, corner.x > 0.0);
    line.across = corner.y * (frame.line_width * 0.5 + 1.0);
    let offset = vec2f(-along.y, along.x) * line.across;
    line.position = end + vec4f(offset / half_viewport * end.w, 0.0, 0.0);
    line.color = color_of_row(select(row, row + 1u, corner.x > 0.0), end);
    // The track under the pointer stands out whole.
    if frame.focus_track != NO_TRACK && tracks[row] == frame.focus_track {
        line.color.a = 1.0 / max(frame.line_opacity, 0.01);
    }
    return line;
}

@fragment
fn fs_main(line: Line) -> @location(0) vec4f {
    let cover = clamp(frame.line_width * 0.5 + 0.5 - abs(line.across), 0.0, 1.0);
    let alpha = cover * min(line.color.a * frame.line_opacity, 1.0);
    return vec4f(line.color.rgb * alpha, alpha);
}
