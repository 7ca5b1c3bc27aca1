// Sums of marks to premultiplied sRGB: one colour for all of them, and all that they hide together. After shared/triangle.wgsl and
// shared/mixture.wgsl. Checked by numbers in tests/render.rs and tests/mixtures.rs.

// Twin: `render::blend::BlendParams`.
struct BlendParams {
    // Classes that were added up, the last of rows in none; behind them lies what steps back. 0: colours were added up.
    classes: u32,
    // 1: the mean of colours is a colour that says something. 0: it is one of many classes.
    is_exact: u32,
    // 1: all step back, for a track that stands out.
    is_dimmed: u32,
    unused: u32,
    background: vec4f,
    // The colour of what steps back while rows are chosen.
    back: vec4f,
    // Packed sRGB.
    palette: array<vec4u, 5>,
}

@group(0) @binding(0) var<uniform> blend: BlendParams;
@group(0) @binding(1) var throughs: texture_2d<f32>;
// Colours and opacity; or the opacities of classes, four in each.
@group(0) @binding(2) var sums_0: texture_2d<f32>;
@group(0) @binding(3) var sums_1: texture_2d<f32>;
@group(0) @binding(4) var sums_2: texture_2d<f32>;
@group(0) @binding(5) var sums_3: texture_2d<f32>;
@group(0) @binding(6) var sums_4: texture_2d<f32>;

fn sums_at(four: u32, pixel: vec2i) -> vec4f {
    switch four {
        case 0u: { return textureLoad(sums_0, pixel, 0); }
        case 1u: { return textureLoad(sums_1, pixel, 0); }
        case 2u: { return textureLoad(sums_2, pixel, 0); }
        case 3u: { return textureLoad(sums_3, pixel, 0); }
        default: { return textureLoad(sums_4, pixel, 0); }
    }
}

fn mixture_at(pixel: vec2i) -> vec3f {
    var mixture: Mixture;
    var back = 0.0;
    for (var four = 0u; four < 5u; four++) {
        let sums = sums_at(four, pixel);
        for (var at = 0u; at < 4u; at++) {
            // The last texture stands in for each that is not there.
            let slot = four * 4u + at;
            let amount = select(0.0, sums[at], slot < blend.classes);
            mixture = with_class(mixture, amount, unpack4x8unorm(blend.palette[four][at]).rgb);
            back += select(0.0, sums[at], slot == blend.classes);
        }
    }
    let color = color_of_mixture(mixture);
    let dimmed = mix(mix(color, vec3f(luma(color)), 0.7), blend.background.rgb, 0.55);
    return mix(select(color, dimmed, blend.is_dimmed != 0u), blend.back.rgb, back / max(mixture.total + back, 1e-6));
}

@fragment
fn fs_main(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let pixel = vec2i(at.xy);
    let opacity = 1.0 - exp(textureLoad(throughs, pixel, 0).r);
    // See `has_focus` in shared/frame.wgsl for why this asks for the opacity too.
    if (blend.classes != 0u) & (opacity > 0.0) {
        return vec4f(mixture_at(pixel), 1.0) * opacity;
    }
    let sum = textureLoad(sums_0, pixel, 0);
    let mean = sum.rgb / max(sum.a, 1e-6);
    return vec4f(select(color_of_mean(mean), mean, blend.is_exact != 0u), 1.0) * opacity;
}
