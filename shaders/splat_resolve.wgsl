// A splat's cells to premultiplied sRGB. After shared/splat.wgsl. Twin: `render::splat::tone`.

@group(1) @binding(0) var<storage, read> counts: array<u32>;
@group(1) @binding(1) var<storage, read> sums: array<u32>;
@group(1) @binding(2) var<storage, read> curve: array<f32>;
// Tone to premultiplied colour, 256 of them.
@group(1) @binding(3) var<storage, read> heat: array<u32>;

// Opacity of a pixel with the least tone: what is alone must still be seen.
const FAINTEST = 0.3;

// A triangle that covers the picture.
@vertex
fn vs_main(@builtin(vertex_index) vertex: u32) -> @builtin(position) vec4f {
    return vec4f(select(-1.0, 3.0, vertex == 1u), select(-1.0, 3.0, vertex == 2u), 0.0, 1.0);
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let cell = u32(position.y) * splat.width + u32(position.x);
    let count = counts[cell];
    if count == 0u {
        return vec4f(0.0);
    }
    let tone = curve[bucket_of(count)];
    if splat.mode == 0u {
        return unpack4x8unorm(heat[u32(tone * 255.0 + 0.5)]);
    }
    let sum = vec3f(f32(sums[3u * cell]), f32(sums[3u * cell + 1u]), f32(sums[3u * cell + 2u]));
    let alpha = mix(FAINTEST, 1.0, tone);
    return vec4f(sum / (f32(count) * f32(splat.levels)) * alpha, alpha);
}
