// The kernel's spectrum over the splines' symbols and the transform's factor, [size; dims]. Twin: project::tsne::grid's Transform.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> turns: array<vec2f>;             // [size / 2]: exp(-2 pi i n / size)
@group(1) @binding(1) var<storage, read> field: array<vec2f>;
@group(1) @binding(2) var<storage, read_write> kernel: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(workgroup, workgroups) * 256u + lane;
    let bits = params.dims * params.log_size;
    if plan.changed == 0u || at >= 1u << bits {
        return;
    }
    var symbol = 1.0;
    for (var axis = 0u; axis < params.dims; axis++) {
        symbol *= (2.0 + cosine(at, axis)) / 3.0;
    }
    kernel[at] = field[at].x / (symbol * symbol * f32(1u << bits));
}
