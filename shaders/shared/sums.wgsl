// What a mark adds to its pixels, so that the picture does not depend on who comes first. After shared/frame.wgsl.
struct Sums {
    // Colour times opacity, and opacity.
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
