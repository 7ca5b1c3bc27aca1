// A splat's cells to premultiplied sRGB. After shared/splat.wgsl. Twin: `render::splat::tone`.

// Counts, or a smoothed density.
@group(1) @binding(0) var<storage, read> values: array<u32>;
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

// The value at a place in pixels: a cell's own, or, where cells are larger than pixels, between four cells' middles.
fn value_at(pixel: vec2f) -> u32 {
    if splat.cell == 1u {
        return values[(u32(pixel.y) + splat.margin) * splat.width + u32(pixel.x) + splat.margin];
    }
    let at = pixel / f32(splat.cell) + f32(splat.margin) - 0.5;
    let cell = u32(at.y) * splat.width + u32(at.x);
    let above = mix(f32(values[cell]), f32(values[cell + 1u]), fract(at.x));
    let below = mix(f32(values[cell + splat.width]), f32(values[cell + splat.width + 1u]), fract(at.x));
    return u32(mix(above, below, fract(at.y)));
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let value = value_at(position.xy);
    if value == 0u {
        return vec4f(0.0);
    }
    let tone = curve[bucket_of(value)];
    if splat.mode == 0u {
        let fade = min(f32(value) / f32(splat.faint), 1.0);
        return unpack4x8unorm(heat[u32(tone * 255.0 + 0.5)]) * fade;
    }
    // Colours are not smoothed: a cell is a pixel.
    let cell = u32(position.y) * splat.width + u32(position.x);
    let sum = vec3f(f32(sums[3u * cell]), f32(sums[3u * cell + 1u]), f32(sums[3u * cell + 2u]));
    let alpha = mix(FAINTEST, 1.0, tone);
    return vec4f(sum / (f32(value) * f32(splat.levels)) * alpha, alpha);
}
