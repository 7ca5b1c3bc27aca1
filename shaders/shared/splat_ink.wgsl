// The ink that a row adds to a cell beside its count. After shared/frame.wgsl and shared/splat.wgsl.

// Of each cell: red, green and blue of its rows, `levels` for a full channel; or rows of each class, and their haze.
@group(1) @binding(7) var<storage, read_write> sums: array<atomic<u32>>;

// Red, green and blue; or a class and how far the row is in the haze.
fn ink_of(row: u32, clip: vec4f) -> vec3u {
    if splat.classes == 0u {
        return vec3u(color_of_row(row, clip).rgb * f32(splat.levels) + 0.5);
    }
    return vec3u(class_of_row(row, splat.classes), u32(haze_at(clip) * f32(splat.levels) + 0.5), 0u);
}

fn add_ink(cell: u32, ink: vec3u) {
    let first = cell * sums_each();
    if splat.classes == 0u {
        atomicAdd(&sums[first], ink.r);
        atomicAdd(&sums[first + 1u], ink.g);
        atomicAdd(&sums[first + 2u], ink.b);
        return;
    }
    atomicAdd(&sums[first + ink.x], 1u);
    if splat.haze != 0u {
        atomicAdd(&sums[first + splat.classes], ink.y);
    }
}
