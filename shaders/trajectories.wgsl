// Each track's line: instance i joins rows i and i + 1, and is nothing where they belong to different tracks, so that lines need
// no geometry of their own. A piece is wider at its start than at its end: it points to where the music goes.
// After shared/frame.wgsl and shared/sums.wgsl. Checked by pixels in tests/render.rs.

struct Line {
    @builtin(position) position: vec4f,
    // Across the line, in pixels from its middle.
    @location(0) @interpolate(linear) across: f32,
    // From the middle to the edge, in pixels.
    @location(1) @interpolate(linear) reach: f32,
    @location(2) color: vec4f,
}

// A corner of the stretch from `start` to `finish`, from `shares.x` to `shares.y` of the way from one row to the next.
fn stretch(vertex: u32, row: u32, start: vec4f, finish: vec4f, shares: vec2f) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if !in_front(start) || !in_front(finish) {
        return line;
    }
    let half_viewport = frame.viewport * 0.5;
    let way = (finish.xy / finish.w - start.xy / start.w) * half_viewport;
    // Two equal rows have no direction; any will do for a line without length.
    let along = select(vec2f(1.0, 0.0), normalize(way), dot(way, way) > 1e-12);
    let corner = corner_of(vertex);
    let is_end = corner.x > 0.0;
    let end = select(start, finish, is_end);
    let share = select(shares.x, shares.y, is_end);
    line.reach = frame.line_width * 0.5 * mix(1.0, frame.line_taper, share);
    line.across = corner.y * (line.reach + 1.0);
    let offset = vec2f(-along.y, along.x) * line.across;
    line.position = end + vec4f(offset / half_viewport * end.w, 0.0, 0.0);
    line.color = color_of_row(select(row, row + 1u, is_end), end);
    return line;
}

@vertex
fn vs_main(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if row + 1u >= frame.row_count || tracks[row] != tracks[row + 1u] {
        return line;
    }
    // The track under the pointer is drawn as a curve.
    if has_focus(row) {
        return line;
    }
    return stretch(vertex, row, clip_of_row(row), clip_of_row(row + 1u), vec2f(0.0, 1.0));
}

// Stretches that a curve has from one row to the next. Twin: `render::renderer::CURVE_STRETCHES`.
const STRETCHES = 12u;

// The same row where its neighbour is another track's.
fn neighbour(row: u32, other: u32) -> u32 {
    return select(row, other, other < frame.row_count && tracks[other] == tracks[row]);
}

fn position_of(row: u32) -> vec3f {
    return vec3f(xs[row], ys[row], zs[row]) - frame.anchor;
}

// Few tracks: a curve through their rows, a cubic Hermite spline whose direction at a row is half the way between its neighbours (Catmull and
// Rom, "A class of local interpolating splines", 1974), in layout space. Twin: `scene::curve`.
@vertex
fn vs_curve(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if row + 1u >= frame.row_count || tracks[row] != tracks[row + 1u] {
        return line;
    }
    let before = position_of(neighbour(row, max(row, 1u) - 1u));
    let here = position_of(row);
    let there = position_of(row + 1u);
    let after = position_of(neighbour(row + 1u, row + 2u));
    let step = vertex / 6u;
    let shares = vec2f(f32(step), f32(step + 1u)) / f32(STRETCHES);
    let start = frame.clip_from_anchor * vec4f(on_curve(before, here, there, after, shares.x), 1.0);
    let finish = frame.clip_from_anchor * vec4f(on_curve(before, here, there, after, shares.y), 1.0);
    line = stretch(vertex % 6u, row, start, finish, shares);
    // It stands out whole.
    line.color.a = 1.0 / max(frame.line_opacity, 0.01);
    return line;
}

fn on_curve(before: vec3f, here: vec3f, there: vec3f, after: vec3f, share: f32) -> vec3f {
    let leaving = (there - before) * 0.5;
    let arriving = (after - here) * 0.5;
    let t = share;
    let left = (2.0 * t - 3.0) * t * t + 1.0;
    return left * here + (1.0 - left) * there + ((t - 2.0) * t + 1.0) * t * leaving + (t - 1.0) * t * t * arriving;
}

fn opacity_of(line: Line) -> f32 {
    let cover = clamp(line.reach + 0.5 - abs(line.across), 0.0, 1.0);
    return cover * min(line.color.a * frame.line_opacity, 1.0);
}

// Of all tracks: added up.
@fragment
fn fs_sums(line: Line) -> Sums {
    return sums_of(line.color.rgb, opacity_of(line), line.color.a < 1.0);
}

// Of one track: over what is there.
@fragment
fn fs_main(line: Line) -> @location(0) vec4f {
    let alpha = opacity_of(line);
    return vec4f(line.color.rgb * alpha, alpha);
}

// In a space, what discs hide is left out, sample by sample.
@group(2) @binding(0) var depths: texture_depth_multisampled_2d;

fn seen(line: Line) -> f32 {
    let pixel = vec2i(line.position.xy);
    var seen = 0.0;
    for (var sample = 0; sample < 4; sample++) {
        seen += select(0.0, 0.25, line.position.z <= textureLoad(depths, pixel, sample));
    }
    return seen;
}

@fragment
fn fs_sums_behind(line: Line) -> Sums {
    return sums_of(line.color.rgb, opacity_of(line) * seen(line), line.color.a < 1.0);
}

@fragment
fn fs_main_behind(line: Line) -> @location(0) vec4f {
    let alpha = opacity_of(line) * seen(line);
    return vec4f(line.color.rgb * alpha, alpha);
}
