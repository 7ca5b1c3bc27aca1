// A convolution as a product of matrices, with bias, activation, normalisation and a residual. A
// row is an output place of an image, a column a feature, the depth runs over the kernel's places
// and the input's features. A fully connected layer is a 1 x 1 convolution. Twin: the plain loops
// of tests/gpu_twins/networks.rs, and whole networks in tests/networks.rs.
//
// A workgroup has a tile of 64 places x 64 features, an invocation 4 x 4 of it. 16 values of the
// depth at a time are staged in workgroup memory. A sum runs over the depth in one order whatever
// the other rows are.

// Rust: nn::gpu::ConvolveParams.
struct ConvolveParams {
    rows: u32,          // output places of all images
    features: u32,      // output features
    depth: u32,         // kernel height * kernel width * inputs
    inputs: u32,        // input features
    height: u32,        // of the input
    width: u32,
    pitch: u32,         // values from an input place to the next
    kernel_width: u32,
    out_height: u32,
    out_width: u32,
    pad_top: u32,       // rows of zeros above the input
    pad_left: u32,      // columns of zeros before it
    out_pitch: u32,     // values from an output place to the next
    out_first: u32,     // the first feature's position there
    activation: u32,    // 0: none, 1: ReLU, 2: sigmoid
    has_residual: u32,  // whether the residual is added at the end
}

@group(0) @binding(0) var<uniform> params: ConvolveParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;                // [images, height, width, pitch]
@group(1) @binding(1) var<storage, read> weights: array<vec4f>;             // [depth, quads], quads: features in fours
@group(1) @binding(2) var<storage, read> epilogue: array<vec4f>;            // [3, quads]: bias, scale, shift
@group(1) @binding(3) var<storage, read> residual: array<f32>;              // [rows, features]
@group(1) @binding(4) var<storage, read_write> convolved: array<f32>;       // [rows, out_pitch]

const TILE = 64u;
const DEPTH = 16u;
const QUADS = 16u;      // TILE / 4
const PITCH = 17u;      // one more, so that lanes that write a column use different banks
const OUTSIDE = -0x40000000;

var<workgroup> left: array<vec4f, 272>;     // [DEPTH, PITCH]: places in fours
var<workgroup> right: array<vec4f, 256>;    // [DEPTH, QUADS]: features in fours

// The place of the kernel's first value in the input, and its number among all places.
struct Place {
    down: i32,
    across: i32,
    number: i32,
}

fn place_of(row: u32) -> Place {
    if row >= params.rows {
        return Place(OUTSIDE, OUTSIDE, 0);
    }
    let places = params.out_height * params.out_width;
    let image = row / places;
    let inside = row % places;
    let down = i32(inside / params.out_width) - i32(params.pad_top);
    let across = i32(inside % params.out_width) - i32(params.pad_left);
    return Place(down, across, (i32(image * params.height) + down) * i32(params.width) + across);
}

// The input's value under a place of the kernel; zero in the padding.
fn value_under(place: Place, down: u32, across: u32, input: u32) -> f32 {
    let y = place.down + i32(down);
    let x = place.across + i32(across);
    if y < 0 || y >= i32(params.height) || x < 0 || x >= i32(params.width) {
        return 0.0;
    }
    let number = place.number + i32(down * params.width + across);
    return values[u32(number) * params.pitch + input];
}

fn store(row: u32, quad: u32, sums: vec4f) {
    let quads = (params.features + 3u) / 4u;
    if row >= params.rows || quad >= quads {
        return;
    }
    var four = sums + epilogue[quad];
    if params.activation == 1u {
        four = max(four, vec4f());
    } else if params.activation == 2u {
        // Past 80 the sigmoid is 0 or 1, and the exponential near the end of f32.
        four = 1.0 / (1.0 + exp(-clamp(four, vec4f(-80.0), vec4f(80.0))));
    }
    four = four * epilogue[quads + quad] + epilogue[2u * quads + quad];
    for (var i = 0u; i < 4u; i++) {
        let feature = quad * 4u + i;
        if feature < params.features {
            var value = four[i];
            if params.has_residual == 1u {
                value += residual[row * params.features + feature];
            }
            convolved[row * params.out_pitch + params.out_first + feature] = value;
        }
    }
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let quads = (params.features + 3u) / 4u;
    let tiles_across = (quads + QUADS - 1u) / QUADS;
    let number = workgroup_number(workgroup, workgroups);
    let first_row = number / tiles_across * TILE;
    if first_row >= params.rows {
        return;
    }
    let first_quad = number % tiles_across * QUADS;
    let x = lane % QUADS;
    let y = lane / QUADS;
    // This lane stages four places at depth x and four features at depth y.
    let staged = first_row + y * 4u;
    let place_0 = place_of(staged);
    let place_1 = place_of(staged + 1u);
    let place_2 = place_of(staged + 2u);
    let place_3 = place_of(staged + 3u);
    let quad = first_quad + x;
    let line = params.kernel_width * params.inputs;

    var sums_0 = vec4f();
    var sums_1 = vec4f();
    var sums_2 = vec4f();
    var sums_3 = vec4f();
    for (var first = 0u; first < params.depth; first += DEPTH) {
        let depth = first + x;
        var four = vec4f();
        if depth < params.depth {
            let down = depth / line;
            let rest = depth - down * line;
            let across = rest / params.inputs;
            let input = rest - across * params.inputs;
            four = vec4f(
                value_under(place_0, down, across, input),
                value_under(place_1, down, across, input),
                value_under(place_2, down, across, input),
                value_under(place_3, down, across, input),
            );
        }
        left[x * PITCH + y] = four;
        var weight = vec4f();
        if first + y < params.depth && quad < quads {
            weight = weights[(first + y) * quads + quad];
        }
        right[lane] = weight;
        workgroupBarrier();
        for (var i = 0u; i < DEPTH; i++) {
            let l = left[i * PITCH + y];
            let r = right[i * QUADS + x];
            sums_0 += l.x * r;
            sums_1 += l.y * r;
            sums_2 += l.z * r;
            sums_3 += l.w * r;
        }
        workgroupBarrier();
    }
    store(staged, quad, sums_0);
    store(staged + 1u, quad, sums_1);
    store(staged + 2u, quad, sums_2);
    store(staged + 3u, quad, sums_3);
}
