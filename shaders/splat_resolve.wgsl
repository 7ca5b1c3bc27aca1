// A splat's cells to premultiplied sRGB. After shared/triangle.wgsl, splat.wgsl and mixture.wgsl. Twin: `render::splat::tone`.

// Counts, or a smoothed density.
@group(1) @binding(0) var<storage, read> values: array<u32>;
@group(1) @binding(1) var<storage, read> sums: array<u32>;
@group(1) @binding(2) var<storage, read> curve: array<f32>;
// Tone to premultiplied colour, 256 of them.
@group(1) @binding(3) var<storage, read> heat: array<u32>;
// How many rows a cell has in all, chosen or not.
@group(1) @binding(4) var<storage, read> counts: array<u32>;
// The colours of classes, packed sRGB.
@group(1) @binding(5) var<storage, read> palette: array<u32>;

// Opacity of a pixel with the least tone: what is alone must still be seen.
const FAINTEST = 0.3;
// The part of a colour that the strongest haze takes.
const MOST_HAZE = 0.55;
// Steps a pixel below which a line fades: on a summit that just reaches a step it would be a speck.
const FLAT = 0.006;
// The share of its opacity that a colour keeps behind the veil.
const VEILED_OPACITY = 0.75;
// Opacity of the grey of rows that are not chosen: of a single one, and of as many as there are.
const LEAST_GREY = 0.2;
const MOST_GREY = 0.6;

// The value at a place in pixels of the whole picture: a cell's own, or, where cells are larger than pixels, between four cells' middles.
fn value_at(pixel: vec2f) -> f32 {
    if splat.cell == 1u {
        let at = vec2u(pixel) + splat.margin - splat.corner;
        return f32(values[first_value() + at.y * splat.width + at.x]);
    }
    let at = pixel / f32(splat.cell) + f32(splat.margin) - 0.5;
    // Cells are large only where they are smoothed.
    let cell = (u32(at.y) - splat.corner.y) * splat.width + u32(at.x) - splat.corner.x;
    let above = mix(f32(values[cell]), f32(values[cell + 1u]), fract(at.x));
    let below = mix(f32(values[cell + splat.width]), f32(values[cell + splat.width + 1u]), fract(at.x));
    return mix(above, below, fract(at.y));
}

// The tone of a value between buckets. Its bucket is its exponent and the four highest bits below it; the other 19 say where in the bucket.
fn tone_of(value: f32) -> f32 {
    let bits = bitcast<u32>(max(value, 1.0));
    let bucket = min((bits >> 19u) - (127u << 4u), BUCKETS - 1u);
    return mix(curve[bucket], curve[min(bucket + 1u, BUCKETS - 1u)], f32(bits & 0x7ffffu) / 524288.0);
}

fn heat_of(tone: f32) -> vec4f {
    return unpack4x8unorm(heat[u32(clamp(tone, 0.0, 1.0) * 255.0 + 0.5)]);
}

// The heat map, with a line wherever the tone passes a step.
fn density_at(pixel: vec2f) -> vec4f {
    let value = value_at(pixel);
    if value < 1.0 {
        return vec4f(0.0);
    }
    let tone = tone_of(value);
    var color = heat_of(tone);
    if splat.lines > 0u {
        let steps = f32(splat.lines);
        let slope = vec2f(tone_of(value_at(pixel + vec2f(1.0, 0.0))), tone_of(value_at(pixel + vec2f(0.0, 1.0)))) - tone;
        let nearest = floor(tone * steps + 0.5);
        let rise = length(slope) * steps;
        let away = abs(tone * steps - nearest) / max(rise, 1e-5);
        if nearest >= 1.0 {
            let across = select(tone - 0.25, tone + 0.25, tone < 0.55);
            color = mix(color, heat_of(across), 0.6 * clamp(1.0 - away, 0.0, 1.0) * min(rise / FLAT, 1.0));
        }
    }
    return color * min(value / f32(splat.faint), 1.0);
}

fn mean_at(cell: u32, count: f32) -> vec3f {
    let first = 3u * cell;
    let mean = vec3f(f32(sums[first]), f32(sums[first + 1u]), f32(sums[first + 2u])) / (count * f32(splat.levels));
    if splat.mode == EXACT_COLORS {
        return mean;
    }
    return color_of_mean(mean);
}

fn mixture_at(cell: u32, count: f32) -> vec3f {
    let first = cell * sums_each();
    var mixture: Mixture;
    for (var slot = 0u; slot < splat.classes; slot++) {
        mixture = with_class(mixture, f32(sums[first + slot]), unpack4x8unorm(palette[slot]).rgb);
    }
    let color = color_of_mixture(mixture);
    if splat.haze == 0u {
        return color;
    }
    let haze = f32(sums[first + splat.classes]) / (count * f32(splat.levels));
    return mix(color, unpack4x8unorm(splat.haze).rgb, haze * MOST_HAZE);
}

fn color_at(cell: u32) -> vec4f {
    let count = values[first_value() + cell];
    if count == 0u {
        return vec4f(0.0);
    }
    var color: vec3f;
    if splat.classes == 0u {
        color = mean_at(cell, f32(count));
    } else {
        color = mixture_at(cell, f32(count));
    }
    let alpha = mix(FAINTEST, 1.0, curve[bucket_of(count)]);
    if splat.veil == 0u {
        return vec4f(color * alpha, alpha);
    }
    let veiled = mix(mix(color, vec3f(luma(color)), 0.7), unpack4x8unorm(splat.veil).rgb, 0.55);
    return vec4f(veiled, 1.0) * alpha * VEILED_OPACITY;
}

// The count of all rows at a place, between cells as `value_at`.
fn count_at(pixel: vec2f) -> f32 {
    if splat.cell == 1u {
        let at = vec2u(pixel) + splat.margin - splat.corner;
        return f32(counts[at.y * splat.width + at.x]);
    }
    let at = pixel / f32(splat.cell) + f32(splat.margin) - 0.5;
    let cell = (u32(at.y) - splat.corner.y) * splat.width + u32(at.x) - splat.corner.x;
    let above = mix(f32(counts[cell]), f32(counts[cell + 1u]), fract(at.x));
    let below = mix(f32(counts[cell + splat.width]), f32(counts[cell + splat.width + 1u]), fract(at.x));
    return mix(above, below, fract(at.y));
}

// All rows in one grey, for the chosen ones to stand out from.
fn grey_at(pixel: vec2f) -> vec4f {
    let count = count_at(pixel);
    let strength = min(log2(1.0 + count) / f32(splat.octaves), 1.0);
    let alpha = mix(LEAST_GREY, MOST_GREY, strength) * min(count, 1.0);
    return vec4f(unpack4x8unorm(splat.grey).rgb, 1.0) * alpha;
}

fn over_grey(color: vec4f, pixel: vec2f) -> vec4f {
    if splat.first == 0u {
        return color;
    }
    return color + grey_at(pixel) * (1.0 - color.a);
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let pixel = position.xy + vec2f(splat.origin);
    if splat.mode == 0u {
        return over_grey(density_at(pixel), pixel);
    }
    // Colours are not smoothed: a cell is a pixel.
    let at = vec2u(pixel) - splat.corner;
    return over_grey(color_at(at.y * splat.width + at.x), pixel);
}
