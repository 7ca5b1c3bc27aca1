// What a mark adds to its pixels, so that the picture does not depend on who comes first. After shared/frame.wgsl.
struct Sums {
    // Colour times opacity, and opacity; or the opacities of four classes.
    @location(0) color: vec4f,
    // The logarithm of what it lets through.
    @location(1) through: f32,
}

// What steps back counts little in the mean: over it, what stands out keeps its colour.
const FAINT_WEIGHT = 0.06;

fn sums_of(color: vec3f, opacity: f32, is_faint: bool) -> Sums {
    // Nothing is quite opaque: its logarithm would have no end.
    let alpha = min(opacity, 0.996);
    let weight = alpha * select(1.0, FAINT_WEIGHT, is_faint);
    return Sums(vec4f(color * weight, weight), log(1.0 - alpha));
}

// The place of a row that steps back among the classes: behind all of them.
fn slot_of(row: u32) -> u32 {
    return select(class_of_row(row, frame.classes), frame.classes, (frame.has_chosen != 0u) & steps_back(row));
}

// True where the pass adds up the class in this place.
fn is_summed(slot: u32) -> bool {
    return (slot >= frame.first_class) & (slot < frame.first_class + 4u);
}

// Of a mark of two classes, a part of it of the second one. What it lets through counts in the pass of the first.
fn class_sums(slots: vec2u, part: f32, opacity: f32) -> Sums {
    let alpha = min(opacity, 0.996);
    let weights = vec2f(1.0 - part, part) * alpha * select(vec2f(1.0), vec2f(FAINT_WEIGHT), slots == vec2u(frame.classes));
    let places = slots - frame.first_class;
    let channels = vec4u(0u, 1u, 2u, 3u);
    let sums = select(vec4f(0.0), vec4f(weights.x), channels == vec4u(places.x)) + select(vec4f(0.0), vec4f(weights.y), channels == vec4u(places.y));
    return Sums(sums, select(0.0, log(1.0 - alpha), is_summed(slots.x)));
}
