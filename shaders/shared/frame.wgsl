// What every drawing pass knows of the frame. Twin: `render::gpu_data::FrameUniform`.
struct Frame {
    clip_from_anchor: mat4x4f,
    // Where a colour goes that steps back, sRGB.
    background: vec3f,
    // Clip-space w of the layout's middle when all of it is seen: what is there has its nominal size. 1 in a plane.
    fitted_w: f32,
    // Near the middle of the picture, in layout space: a position minus the anchor is exact there, however near the eye is.
    anchor: vec3f,
    // Pixels.
    point_radius: f32,
    // Width and height in pixels.
    viewport: vec2f,
    point_opacity: f32,
    // Pixels.
    line_width: f32,
    line_opacity: f32,
    // Width of a line's piece at its end, as a share of that at its start.
    line_taper: f32,
    // The track that keeps its colour while all others dim; NO_TRACK: none.
    focus_track: u32,
    row_count: u32,
    // 1: rows that are not in `chosen` step back. 0: `chosen` means nothing.
    has_chosen: u32,
    // 1: tracks of chosen rows are curves.
    curves_chosen: u32,
    // Classes whose marks are added up each by itself, the last of rows in none; 0: colours are added up.
    classes: u32,
    // The first of the four classes that a pass adds up.
    first_class: u32,
    // The part of the picture that is drawn: left, top, width and height in pixels. All of it but for tiles.
    tile: vec4f,
}

const NO_TRACK = 0xffffffffu;
// Outside of every picture: a triangle with three such corners is dropped.
const NOWHERE = vec4f(2.0, 2.0, 2.0, 1.0);

@group(0) @binding(0) var<uniform> frame: Frame;

@group(1) @binding(0) var<storage, read> xs: array<f32>;
@group(1) @binding(1) var<storage, read> ys: array<f32>;
@group(1) @binding(2) var<storage, read> zs: array<f32>;
@group(1) @binding(3) var<storage, read> colors: array<u32>;
@group(1) @binding(4) var<storage, read> tracks: array<u32>;
// A bit for each row.
@group(1) @binding(5) var<storage, read> chosen: array<u32>;

fn is_chosen(row: u32) -> bool {
    return ((chosen[row >> 5u] >> (row & 31u)) & 1u) == 1u;
}

// No branch of a drawing shader depends on the frame alone: Mesa's software driver makes such a shader anew for each frame, and keeps all of them.
// No row is of the track NO_TRACK.
fn has_focus(row: u32) -> bool {
    return tracks[row] == frame.focus_track;
}

// Whether a row steps back: it is not chosen where others are, or another track has the focus where none are.
fn steps_back(row: u32) -> bool {
    let is_back = select(frame.focus_track != NO_TRACK, !is_chosen(row), frame.has_chosen != 0u);
    return is_back & !has_focus(row);
}

fn clip_of_row(row: u32) -> vec4f {
    return frame.clip_from_anchor * vec4f(vec3f(xs[row], ys[row], zs[row]) - frame.anchor, 1.0);
}

// A position that is not a number compares false with everything, and so is not in front.
fn in_front(clip: vec4f) -> bool {
    return (clip.w > 1e-5) & (abs(clip.x) < 1e30) & (abs(clip.y) < 1e30);
}

// Where a place in clip space is, in pixels of the whole picture. What a fragment makes of its own pixel and of flat values in these units is
// the same to the bit in whatever tile it is drawn; what a GPU interpolates is not.
fn pixel_of(clip: vec4f) -> vec2f {
    return (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * frame.viewport;
}

// And back, for the tile that is drawn. No perspective is left in it.
fn position_at(pixel: vec2f, depth: f32) -> vec4f {
    let place = (pixel - frame.tile.xy) / frame.tile.zw;
    return vec4f(place * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0), depth, 1.0);
}

// The pixel that a fragment is, in the whole picture.
fn pixel_at(position: vec4f) -> vec2f {
    return position.xy + frame.tile.xy;
}

// The class of a row, one of `classes`: the highest byte of its colour.
fn class_of_row(row: u32, classes: u32) -> u32 {
    return min(colors[row] >> 24u, classes - 1u);
}

// How far a place is on its way into the background: 0 in a plane, and up to the layout's middle when all is seen.
fn haze_at(clip: vec4f) -> f32 {
    return clamp((clip.w / frame.fitted_w - 1.0) / 0.6, 0.0, 1.0);
}

// The part of a colour that the strongest haze takes.
const MOST_HAZE = 0.55;

// A row's colour in sRGB and its share of the pass's opacity: full, or dimmed and greyed where the row steps back.
// What is farther than the layout's middle when all is seen (3-D) goes toward the background.
fn color_of_row(row: u32, clip: vec4f) -> vec4f {
    var color = unpack4x8unorm(colors[row]).rgb;
    var opacity = 1.0;
    if steps_back(row) {
        let grey = vec3f(dot(color, vec3f(0.299, 0.587, 0.114)));
        // While rows are chosen for good, the others lose their colour wholly.
        // In a space discs are opaque, so that the colour alone can step back.
        let is_alone = (frame.has_chosen != 0u) & (frame.fitted_w != 1.0);
        color = mix(mix(color, grey, select(0.7, 1.0, frame.has_chosen != 0u)), frame.background, select(0.55, 0.78, is_alone));
        opacity = select(0.6, 0.3, frame.has_chosen != 0u);
    }
    return vec4f(mix(color, frame.background, haze_at(clip) * MOST_HAZE), opacity);
}

// The two triangles of a quad, corners at -1 and 1.
fn corner_of(vertex: u32) -> vec2f {
    let right = vertex == 1u || vertex == 2u || vertex == 4u;
    let top = vertex == 2u || vertex == 4u || vertex == 5u;
    return vec2f(select(-1.0, 1.0, right), select(-1.0, 1.0, top));
}
