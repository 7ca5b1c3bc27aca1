// Where a pointer aims, and what rows are ordered by. Twin: `scene::pick::Aim`.
struct PickParams {
    // The way from the pointer to the right and down, in pixels or UI points times clip-space w, and that w, as linear forms of a position
    // relative to the anchor.
    across: vec4f,
    down: vec4f,
    depth: vec4f,
    anchor: vec3f,
    row_count: u32,
    // The least and the largest w that is drawn.
    seen: vec2f,
    // Square of the radius around the pointer.
    radius2: f32,
    // Radius of a disc at the w `fitted`; 0 in a plane.
    disc: f32,
    fitted: f32,
    // Workgroups of the first pass: candidates for the second.
    candidates: u32,
    unused_a: u32,
    unused_b: u32,
}

@group(0) @binding(0) var<uniform> pick: PickParams;

const NO_KEY = 0xffffffffu;
const NO_ROW = 0xffffffffu;
const BESIDE = 0x80000000u;

// Key and row of a workgroup's invocations.
var<workgroup> nearest: array<vec2u, 256>;

// Bits of floats that are not negative are ordered as the floats are.
fn key_of(position: vec3f) -> u32 {
    let way = vec4f(position - pick.anchor, 1.0);
    let offset = vec2f(dot(pick.across, way), dot(pick.down, way));
    let depth = dot(pick.depth, way);
    let way2 = dot(offset, offset);
    // What is no number compares false.
    if !(depth >= pick.seen.x && depth <= pick.seen.y && way2 <= pick.radius2 * (depth * depth)) {
        return NO_KEY;
    }
    let distance2 = way2 / (depth * depth);
    let disc = pick.disc * clamp(pick.fitted / depth, 0.4, 3.0);
    if pick.disc > 0.0 && distance2 <= disc * disc {
        return bitcast<u32>(depth);
    }
    return bitcast<u32>(distance2) | BESIDE;
}

// The lesser key; of equal ones the first row.
fn lesser(one: vec2u, other: vec2u) -> vec2u {
    let is_other = other.x < one.x || (other.x == one.x && other.y < one.y);
    return select(one, other, is_other);
}

// The least of a workgroup, in `nearest[0]`.
fn gather(lane: u32, mine: vec2u) {
    nearest[lane] = mine;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            nearest[lane] = lesser(nearest[lane], nearest[lane + half]);
        }
    }
    workgroupBarrier();
}
