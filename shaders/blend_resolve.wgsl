// Sums of marks to premultiplied sRGB: the mean of their colours, and all that they hide together. After shared/triangle.wgsl. Checked by numbers in
// tests/render.rs.

@group(0) @binding(0) var sums: texture_2d<f32>;
@group(0) @binding(1) var throughs: texture_2d<f32>;

@fragment
fn fs_main(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let sum = textureLoad(sums, vec2i(at.xy), 0);
    let opacity = 1.0 - exp(textureLoad(throughs, vec2i(at.xy), 0).r);
    return vec4f(sum.rgb / max(sum.a, 1e-6), 1.0) * opacity;
}
