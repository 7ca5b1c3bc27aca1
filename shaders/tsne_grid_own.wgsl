// What a point finds of itself on the grid, on average over its place in a cell, as one partial sum for each workgroup: the kernel's
// spectrum times that of what one axis' two splines give at a distance of m nodes, the spline of degree 7. Twin: project::tsne::grid's own_share.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> turns: array<vec2f>;            // [size / 2]: exp(-2 pi i n / size)
@group(1) @binding(1) var<storage, read> kernel: array<f32>;
@group(1) @binding(2) var<storage, read_write> partials: array<f32>;     // [256]

const LANES = 256u;
var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    if plan.changed == 0u {
        return;
    }
    let values = 1u << (params.dims * params.log_size);
    let each = values / LANES;
    let first = workgroup_number(workgroup, workgroups) * each;
    var sum = 0.0;
    for (var at = first + lane; at < first + each; at += LANES) {
        var weight = 1.0;
        for (var axis = 0u; axis < params.dims; axis++) {
            // Twice 1191, 120 and 1 times the cosines of one, two and three angles.
            let c = cosine(at, axis);
            weight *= (2416.0 + 2382.0 * c + 240.0 * (2.0 * c * c - 1.0) + 2.0 * (4.0 * c * c - 3.0) * c) / 5040.0;
        }
        sum += weight * kernel[at];
    }
    sums[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
        }
    }
    if lane == 0u {
        partials[workgroup_number(workgroup, workgroups)] = sums[0];
    }
}
