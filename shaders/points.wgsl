// A disc for each segment: instance = row, six vertices, no vertex buffer. After shared/frame.wgsl and shared/sums.wgsl.
// Twin of the vertex mathematics: `scene::map::screen_from_clip`, compared by pixels in tests/render.rs.

struct Disc {
    @builtin(position) position: vec4f,
    // In pixels of the whole picture.
    @location(0) @interpolate(flat) middle: vec2f,
    @location(1) @interpolate(flat) radius: f32,
    @location(2) @interpolate(flat) color: vec4f,
    // Its class, where classes are added up.
    @location(3) @interpolate(flat) slot: u32,
}

// All but the track under the pointer, which is drawn over them; of those that a pass adds up.
@vertex
fn vs_others(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Disc {
    let slot = slot_of(row);
    let is_of_pass = (frame.classes == 0u) | is_summed(slot);
    if has_focus(row) | !is_of_pass {
        var none: Disc;
        none.position = NOWHERE;
        return none;
    }
    var disc = disc_of(vertex, row);
    disc.slot = slot;
    return disc;
}

@vertex
fn vs_main(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Disc {
    return disc_of(vertex, row);
}

fn disc_of(vertex: u32, row: u32) -> Disc {
    var disc: Disc;
    let clip = clip_of_row(row);
    if !in_front(clip) {
        disc.position = NOWHERE;
        return disc;
    }
    disc.radius = frame.point_radius * clamp(frame.fitted_w / clip.w, 0.4, 3.0);
    disc.color = color_of_row(row, clip);
    if has_focus(row) {
        disc.radius *= 1.35;
    } else if (frame.has_chosen != 0u) & steps_back(row) {
        // In a space it hides less of what is chosen, too.
        disc.radius *= select(0.8, 0.5, frame.fitted_w != 1.0);
    }
    return placed(disc, vertex, clip);
}

// The same with a corner of the square that it is drawn in.
fn placed(unplaced: Disc, vertex: u32, clip: vec4f) -> Disc {
    var disc = unplaced;
    disc.middle = pixel_of(clip);
    // A pixel more than a disc can touch, so that where its square ends makes no difference.
    disc.position = position_at(disc.middle + corner_of(vertex) * (disc.radius + 2.0), clip.z / clip.w);
    // Too far out to tell.
    if !all(abs(disc.middle) < vec2f(1e6)) {
        disc.position = NOWHERE;
    }
    return disc;
}

// From the disc's middle, in pixels, y down.
fn offset_of(disc: Disc) -> vec2f {
    return pixel_at(disc.position) - disc.middle;
}

// WebGPU's four samples, from a pixel's corner.
const SAMPLES = array(vec2f(0.375, 0.125), vec2f(0.875, 0.375), vec2f(0.125, 0.625), vec2f(0.625, 0.875));

// Of a sample.
fn sample_of(disc: Disc, sample: u32) -> vec2f {
    var samples = SAMPLES;
    return floor(pixel_at(disc.position)) + samples[sample] - disc.middle;
}

// In a plane, of one track: over what is there, premultiplied, with one pixel of soft edge.
@fragment
fn fs_main(disc: Disc) -> @location(0) vec4f {
    let cover = clamp(disc.radius + 0.5 - length(offset_of(disc)), 0.0, 1.0);
    let alpha = cover * disc.color.a * frame.point_opacity;
    return vec4f(disc.color.rgb * alpha, alpha);
}

// In a plane, of all rows: added up.
@fragment
fn fs_sums(disc: Disc) -> Sums {
    let cover = clamp(disc.radius + 0.5 - length(offset_of(disc)), 0.0, 1.0);
    let opacity = cover * disc.color.a * frame.point_opacity;
    if (frame.classes != 0u) & (opacity > 0.0) {
        return class_sums(vec2u(disc.slot), 0.0, opacity);
    }
    return sums_of(disc.color.rgb, opacity, disc.color.a < 1.0);
}

// In a space: opaque, nearer discs hide farther ones. Each sample by itself, so that edges are smooth.
@fragment
fn fs_opaque(disc: Disc, @builtin(sample_index) sample: u32) -> @location(0) vec4f {
    if length(sample_of(disc, sample)) > disc.radius {
        discard;
    }
    return vec4f(disc.color.rgb, 1.0);
}

// Radii of averages in pixels.
@group(2) @binding(0) var<storage, read> radii: array<f32>;

// A disc for each track, of its own size.
@vertex
fn vs_average(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Disc {
    var disc: Disc;
    let clip = clip_of_row(row);
    if !in_front(clip) {
        disc.position = NOWHERE;
        return disc;
    }
    disc.radius = radii[row] * clamp(frame.fitted_w / clip.w, 0.4, 3.0);
    disc.color = color_of_row(row, clip);
    return placed(disc, vertex, clip);
}

// In a plane: glass with a rim, so that what lies under it shows.
@fragment
fn fs_average(disc: Disc) -> @location(0) vec4f {
    let away = length(offset_of(disc));
    let cover = clamp(disc.radius + 0.5 - away, 0.0, 1.0);
    let rim = clamp(away - disc.radius + 1.5 + 0.03 * disc.radius, 0.0, 1.0);
    let alpha = cover * disc.color.a * mix(0.42, 0.95, rim);
    return vec4f(disc.color.rgb * alpha, alpha);
}

// In a space: a ball, lit from above.
@fragment
fn fs_ball(disc: Disc, @builtin(sample_index) sample: u32) -> @location(0) vec4f {
    let offset = sample_of(disc, sample);
    let away = length(offset) / disc.radius;
    if away > 1.0 {
        discard;
    }
    let light = 1.0 - 0.28 * away * away + 0.12 * -offset.y / disc.radius;
    return vec4f(min(disc.color.rgb * light, vec3f(1.0)), 1.0);
}
