// Each track's line: instance i joins rows i and i + 1, and is nothing where they belong to different tracks, so that lines need
// no geometry of their own. A piece is wider at its start than at its end: it points to where the music goes.
// After shared/frame.wgsl and shared/sums.wgsl. Checked by pixels in tests/render.rs.

struct Line {
    @builtin(position) position: vec4f,
    // Start and end, in pixels of the whole picture.
    @location(0) @interpolate(flat) ends: vec4f,
    // There, from the middle to the edge in pixels, and the depths.
    @location(1) @interpolate(flat) reaches: vec2f,
    @location(2) @interpolate(flat) depths: vec2f,
    @location(3) @interpolate(flat) start_color: vec4f,
    @location(4) @interpolate(flat) end_color: vec4f,
    // The classes of both rows, where classes are added up, and the parts of the way between them that the ends are at.
    @location(5) @interpolate(flat) slots: vec2u,
    @location(6) @interpolate(flat) parts: vec2f,
    // The haze at both ends.
    @location(7) @interpolate(flat) hazes: vec2f,
}

// What a pixel sees of a line.
struct Spot {
    // Across the line, in pixels from its middle, and from the middle to the edge.
    across: f32,
    reach: f32,
    color: vec4f,
    depth: f32,
    // The share of the second row's class.
    part: f32,
    haze: f32,
}

fn spot_of(line: Line) -> Spot {
    var spot: Spot;
    let way = line.ends.zw - line.ends.xy;
    let span = length(way);
    let along = way / max(span, 1e-6);
    let from_start = pixel_at(line.position) - line.ends.xy;
    let ahead = dot(from_start, along);
    let share = clamp(ahead / max(span, 1e-6), 0.0, 1.0);
    spot.across = dot(from_start, vec2f(-along.y, along.x));
    spot.reach = mix(line.reaches.x, line.reaches.y, share);
    spot.color = mix(line.start_color, line.end_color, share);
    spot.depth = mix(line.depths.x, line.depths.y, share);
    spot.part = mix(line.parts.x, line.parts.y, share);
    spot.haze = mix(line.hazes.x, line.hazes.y, share);
    // A pixel's middle belongs to one of two pieces that follow one another.
    if !(ahead >= 0.0 && ahead < span) {
        spot.across = 1e9;
    }
    return spot;
}

// The stretch of the way from `near` on, as shares, that is in a rectangle; the first is larger than the second where there is none.
fn inside(near: vec2f, way: vec2f, low: vec2f, high: vec2f) -> vec2f {
    var shares = vec2f(0.0, 1.0);
    for (var axis = 0; axis < 2; axis++) {
        if abs(way[axis]) > 1e-6 {
            let one = (low[axis] - near[axis]) / way[axis];
            let other = (high[axis] - near[axis]) / way[axis];
            shares = vec2f(max(shares.x, min(one, other)), min(shares.y, max(one, other)));
        } else if near[axis] < low[axis] || near[axis] > high[axis] {
            return vec2f(1.0, 0.0);
        }
    }
    return shares;
}

// A corner of the stretch from `start` to `finish`, from `shares.x` to `shares.y` of the way from one row to the next.
fn stretch(vertex: u32, row: u32, start: vec4f, finish: vec4f, shares: vec2f) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if !in_front(start) || !in_front(finish) {
        return line;
    }
    let begin = pixel_of(start);
    let end = pixel_of(finish);
    if !all(abs(begin) < vec2f(1e12)) || !all(abs(end) < vec2f(1e12)) {
        return line;
    }
    // What lies far outside of the picture is left out, seen from the end that is nearer to it, so that an end that is very far costs no bits.
    let centre = frame.viewport * 0.5;
    let is_turned = distance(begin, centre) > distance(end, centre);
    let near = select(begin, end, is_turned);
    let far = select(end, begin, is_turned);
    let kept = inside(near, far - near, -frame.viewport, 2.0 * frame.viewport);
    if kept.x > kept.y {
        return line;
    }
    let cut = near + (far - near) * kept.x;
    let cut_far = select(near + (far - near) * kept.y, far, kept.y == 1.0);
    line.ends = select(vec4f(cut, cut_far), vec4f(cut_far, cut), is_turned);
    // From here on both ends are near enough.
    let parts = select(kept, 1.0 - kept.yx, is_turned);
    let reach = frame.line_width * 0.5 * mix(vec2f(1.0), vec2f(frame.line_taper), mix(shares.xx, shares.yy, parts));
    line.reaches = reach;
    line.depths = mix(vec2f(start.z / start.w), vec2f(finish.z / finish.w), parts);
    let from_color = color_of_row(row, start);
    let to_color = color_of_row(row + 1u, finish);
    line.start_color = mix(from_color, to_color, parts.x);
    line.end_color = mix(from_color, to_color, parts.y);
    line.parts = parts;
    line.hazes = mix(vec2f(haze_at(start)), vec2f(haze_at(finish)), parts);
    // The quad covers what of it can touch the tile, with room to spare: which pixels are lit is the fragment's own matter.
    let way = line.ends.zw - line.ends.xy;
    let along = select(vec2f(1.0, 0.0), normalize(way), dot(way, way) > 1e-12);
    let room = max(reach.x, reach.y) + 3.0;
    let seen = inside(line.ends.xy, way, frame.tile.xy - room, frame.tile.xy + frame.tile.zw + room);
    if seen.x > seen.y {
        return line;
    }
    let corner = corner_of(vertex);
    let is_end = corner.x > 0.0;
    let share = select(seen.x, seen.y, is_end);
    let place = line.ends.xy + way * share + along * select(-2.0, 2.0, is_end) + vec2f(-along.y, along.x) * corner.y * room;
    line.position = position_at(place, mix(line.depths.x, line.depths.y, share));
    return line;
}

// Whether a piece of few chosen tracks is drawn as a curve.
fn is_curve(row: u32) -> bool {
    return (frame.curves_chosen != 0u) & is_chosen(row) & is_chosen(row + 1u);
}

@vertex
fn vs_main(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Line {
    var line: Line;
    line.position = NOWHERE;
    if row + 1u >= frame.row_count || tracks[row] != tracks[row + 1u] {
        return line;
    }
    // The track under the pointer is drawn as a curve.
    if has_focus(row) || is_curve(row) {
        return line;
    }
    let slots = vec2u(slot_of(row), slot_of(row + 1u));
    if (frame.classes != 0u) & !is_summed(slots.x) & !is_summed(slots.y) {
        return line;
    }
    line = stretch(vertex, row, clip_of_row(row), clip_of_row(row + 1u), vec2f(0.0, 1.0));
    line.slots = slots;
    return line;
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
    if !has_focus(row) && !is_curve(row) {
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
    line.start_color.a = 1.0 / max(frame.line_opacity, 0.01);
    line.end_color.a = line.start_color.a;
    return line;
}

fn on_curve(before: vec3f, here: vec3f, there: vec3f, after: vec3f, share: f32) -> vec3f {
    let leaving = (there - before) * 0.5;
    let arriving = (after - here) * 0.5;
    let t = share;
    let left = (2.0 * t - 3.0) * t * t + 1.0;
    return left * here + (1.0 - left) * there + ((t - 2.0) * t + 1.0) * t * leaving + (t - 1.0) * t * t * arriving;
}

fn opacity_of(spot: Spot) -> f32 {
    let cover = clamp(spot.reach + 0.5 - abs(spot.across), 0.0, 1.0);
    return cover * min(spot.color.a * frame.line_opacity, 1.0);
}

// Where classes are added up, none has a colour yet that could go into the haze: its opacity does.
fn sums_of_spot(line: Line, spot: Spot, seen: f32) -> Sums {
    let opacity = opacity_of(spot) * seen;
    if (frame.classes != 0u) & (opacity > 0.0) {
        return class_sums(line.slots, spot.part, opacity * (1.0 - spot.haze * MOST_HAZE));
    }
    return sums_of(spot.color.rgb, opacity, spot.color.a < 1.0);
}

// Of all tracks: added up.
@fragment
fn fs_sums(line: Line) -> Sums {
    return sums_of_spot(line, spot_of(line), 1.0);
}

// Of one track: over what is there.
@fragment
fn fs_main(line: Line) -> @location(0) vec4f {
    let spot = spot_of(line);
    let alpha = opacity_of(spot);
    return vec4f(spot.color.rgb * alpha, alpha);
}

// In a space, what discs hide is left out, sample by sample.
@group(2) @binding(0) var depths: texture_depth_multisampled_2d;

fn seen(line: Line, spot: Spot) -> f32 {
    let pixel = vec2i(line.position.xy);
    var seen = 0.0;
    for (var sample = 0; sample < 4; sample++) {
        seen += select(0.0, 0.25, spot.depth <= textureLoad(depths, pixel, sample));
    }
    return seen;
}

@fragment
fn fs_sums_behind(line: Line) -> Sums {
    let spot = spot_of(line);
    return sums_of_spot(line, spot, seen(line, spot));
}

@fragment
fn fs_main_behind(line: Line) -> @location(0) vec4f {
    let spot = spot_of(line);
    let alpha = opacity_of(spot) * seen(line, spot);
    return vec4f(spot.color.rgb * alpha, alpha);
}
