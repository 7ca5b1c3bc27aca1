// Half of the divergence KL(P || Q), one partial sum for each 64 rows. Twin: project::tsne::TsneRun::kl.
//
// With a_ij = p_j|i / 2 N, p_ij = a_ij + a_ji, and f_ij = ln(p_ij Z (1 + d_ij²)) is the same both ways, so that
// sum of p_ij f_ij over ordered pairs = sum of (a_ij + a_ji) f_ij = 2 sum of a_ij f_ij: each entry of the rows' own lists counts twice,
// whether the other row has one in return or not; what it has is looked up for p_ij.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read> others: array<u32>;              // [rows, neighbors]
@group(1) @binding(2) var<storage, read> weights: array<f32>;             // [rows, neighbors]
@group(1) @binding(3) var<storage, read_write> sums: array<f32>;          // one for each 64 rows

const LANES = 64u;
// A logarithm of less would be no number where the device takes it for 0.
const SMALLEST = 1e-37;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let row = number * LANES + lane;
    var sum = 0.0;
    if row < params.rows {
        let first = row * params.neighbors;
        for (var entry = first; entry < first + params.counted; entry++) {
            let other = others[entry];
            let away = positions[row].xyz - positions[other].xyz;
            let ratio = (weights[entry] + weight_of(other, row)) * plan.z * (1.0 + dot(away, away));
            sum += weights[entry] * log(max(ratio, SMALLEST));
        }
    }
    parts[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u && row < params.rows {
        sums[number] = parts[0];
    }
}

// a_ij; 0 where the other is none of the row's neighbours.
fn weight_of(row: u32, other: u32) -> f32 {
    let first = row * params.neighbors;
    for (var entry = first; entry < first + params.counted; entry++) {
        if others[entry] == other {
            return weights[entry];
        }
    }
    return 0.0;
}
