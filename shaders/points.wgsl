// A disc for each segment: instance = row, six vertices, no vertex buffer. Where rows are chosen, all rows come twice: first those that
// step back, then the others, over them. After shared/frame.wgsl.
// Twin of the vertex mathematics: `scene::scene::screen_from_clip`, compared by pixels in tests/render.rs.

struct Disc {
    @builtin(position) position: vec4f,
    // From the disc's middle, in pixels. Per sample, so that the opaque discs of 3-D have smooth edges too.
    @location(0) @interpolate(linear, sample) offset: vec2f,
    @location(1) @interpolate(flat) radius: f32,
    @location(2) @interpolate(flat) color: vec4f,
}

@vertex
fn vs_main(@builtin(vertex_index) vertex: u32, @builtin(instance_index) instance: u32) -> Disc {
    var disc: Disc;
    let row = instance % frame.row_count;
    let clip = clip_of_row(row);
    let is_others_turn = frame.has_chosen != 0u && steps_back(row) != (instance < frame.row_count);
    if is_others_turn || !in_front(clip) {
        disc.position = NOWHERE;
        return disc;
    }
    disc.radius = frame.point_radius * clamp(frame.fitted_w / clip.w, 0.4, 3.0);
    disc.color = color_of_row(row, clip);
    if has_focus(row) {
        disc.radius *= 1.35;
    }
    disc.offset = corner_of(vertex) * (disc.radius + 1.0);
    disc.position = clip + vec4f(disc.offset * 2.0 / frame.viewport * clip.w, 0.0, 0.0);
    return disc;
}

// In a plane: blended, premultiplied, with one pixel of soft edge.
@fragment
fn fs_main(disc: Disc) -> @location(0) vec4f {
    let cover = clamp(disc.radius + 0.5 - length(disc.offset), 0.0, 1.0);
    let alpha = cover * disc.color.a * frame.point_opacity;
    return vec4f(disc.color.rgb * alpha, alpha);
}

// In a space: opaque, nearer discs hide farther ones.
@fragment
fn fs_opaque(disc: Disc) -> @location(0) vec4f {
    if length(disc.offset) > disc.radius {
        discard;
    }
    return vec4f(disc.color.rgb, 1.0);
}
