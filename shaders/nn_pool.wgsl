// The largest value in each window of an image, feature by feature; whole windows only. Twin: the
// plain loops of tests/gpu_twins/networks.rs.
//
// An invocation has one feature at one output place.

// Rust: nn::gpu::PoolParams.
struct PoolParams {
    rows: u32,          // output places of all images
    features: u32,
    height: u32,        // of the input
    width: u32,
    out_height: u32,
    out_width: u32,
    window_height: u32,
    window_width: u32,
    step_down: u32,     // from a window to the next
    step_across: u32,
    out_pitch: u32,     // values from an output place to the next
    out_first: u32,     // the first feature's position there
}

@group(0) @binding(0) var<uniform> params: PoolParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [images, height, width, features]
@group(1) @binding(1) var<storage, read_write> pooled: array<f32>;      // [rows, out_pitch]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups) * 256u + lane;
    let row = number / params.features;
    if row >= params.rows {
        return;
    }
    let feature = number % params.features;
    let places = params.out_height * params.out_width;
    let image = row / places;
    let down = row % places / params.out_width * params.step_down;
    let across = row % places % params.out_width * params.step_across;
    let corner = (image * params.height + down) * params.width + across;
    var largest = values[corner * params.features + feature];
    for (var y = 0u; y < params.window_height; y++) {
        for (var x = 0u; x < params.window_width; x++) {
            largest = max(largest, values[(corner + y * params.width + x) * params.features + feature]);
        }
    }
    pooled[row * params.out_pitch + params.out_first + feature] = largest;
}
