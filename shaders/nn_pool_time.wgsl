// The largest value and the mean over time, feature by feature, side by side, each with its
// normalisation. Twin: the plain loops of tests/gpu_twins/networks.rs.
//
// An invocation has one feature of one image.

// Rust: nn::gpu::PoolTimeParams.
struct PoolTimeParams {
    rows: u32,          // images
    frames: u32,
    features: u32,
    out_pitch: u32,     // values from an image's output to the next's
    out_first: u32,     // position of the first feature's largest value there
    unused_a: u32,
    unused_b: u32,
    unused_c: u32,
}

@group(0) @binding(0) var<uniform> params: PoolTimeParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [rows, frames, features]
@group(1) @binding(1) var<storage, read> normalisation: array<f32>;     // [2, out_pitch]: scale, shift
@group(1) @binding(2) var<storage, read_write> pooled: array<f32>;      // [rows, out_pitch]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups) * 64u + lane;
    let row = number / params.features;
    if row >= params.rows {
        return;
    }
    let feature = number % params.features;
    let first = row * params.frames * params.features + feature;
    var largest = values[first];
    var sum = 0.0;
    for (var frame = 0u; frame < params.frames; frame++) {
        let value = values[first + frame * params.features];
        largest = max(largest, value);
        sum += value;
    }
    let column = params.out_first + 2u * feature;
    let scale = vec2f(normalisation[column], normalisation[column + 1u]);
    let shift = vec2f(normalisation[params.out_pitch + column], normalisation[params.out_pitch + column + 1u]);
    let both = vec2f(largest, sum / f32(params.frames)) * scale + shift;
    pooled[row * params.out_pitch + column] = both.x;
    pooled[row * params.out_pitch + column + 1u] = both.y;
}
