// Conditional probabilities of each row's neighbours over 2 N, [rows, neighbors]: Gaussians over their distances, as wide as the perplexity
// asks, found by bisection. Twin: project::tsne::affinities' calibrate.
//
// What counts is how much farther than the nearest a neighbour is, in squares, over their mean: so that neither the scale of the distances
// nor their being nearly equal costs digits.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> distances: array<f32>;               // [rows, neighbors]
@group(1) @binding(1) var<storage, read_write> weights: array<f32>;           // [rows, neighbors]

const BISECTIONS = 100u;
const TOLERANCE = 1e-6;                                                       // nats
// Smaller ones may be 0 to the device, and are no distances.
const SMALLEST = 1e-37;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 64u + lane;
    if row >= params.rows || params.counted == 0u {
        return;
    }
    let first = row * params.neighbors;
    let end = first + params.counted;
    var nearest = distances[first];
    var farthest = nearest;
    for (var at = first + 1u; at < end; at++) {
        nearest = min(nearest, distances[at]);
        farthest = max(farthest, distances[at]);
    }
    let unit = max(farthest, SMALLEST);
    // The weights hold the exponents meanwhile.
    var mean = 0.0;
    for (var at = first; at < end; at++) {
        let beyond = ((distances[at] - nearest) / unit) * ((distances[at] + nearest) / unit);
        weights[at] = beyond;
        mean += beyond;
    }
    mean /= f32(params.counted);
    // Equal distances count the same.
    let is_flat = farthest < SMALLEST || mean <= 0.0;
    let scale = select(1.0 / max(mean, SMALLEST), 0.0, is_flat);
    for (var at = first; at < end; at++) {
        weights[at] = weights[at] * scale;
    }
    var beta = 1.0;
    var low = 0.0;
    var high = 0.0;                                                           // 0: none yet
    var sum = f32(params.counted);
    for (var step = 0u; step < BISECTIONS; step++) {
        sum = 0.0;
        var moment = 0.0;
        for (var at = first; at < end; at++) {
            let share = exp(-beta * weights[at]);
            sum += share;
            moment += share * weights[at];
        }
        let off = log(sum) + beta * moment / sum - params.entropy;
        if abs(off) < TOLERANCE || is_flat || step + 1u == BISECTIONS {
            break;
        }
        if off > 0.0 {
            low = beta;
        } else {
            high = beta;
        }
        beta = select(2.0 * beta, 0.5 * (low + high), high > 0.0);
    }
    let whole = sum * 2.0 * f32(params.rows);
    for (var at = first; at < end; at++) {
        weights[at] = exp(-beta * weights[at]) / whole;
    }
    for (var at = end; at < first + params.neighbors; at++) {
        weights[at] = 0.0;
    }
}
