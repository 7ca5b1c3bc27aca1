// The smooth part of the kernel on all nodes of the transform, [size; dims], complex, distances wrapped round.
// Twin: project::tsne::split::Split::far.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read_write> field: array<vec2f>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(workgroup, workgroups) * 256u + lane;
    if plan.changed == 0u || at >= 1u << (params.dims * params.log_size) {
        return;
    }
    let size = 1u << params.log_size;
    var square = 0.0;
    for (var axis = 0u; axis < params.dims; axis++) {
        let node = (at >> (axis * params.log_size)) & (size - 1u);
        let distance = f32(min(node, size - node)) * plan.spacing;
        square += distance * distance;
    }
    let gaussian = exp(-plan.limit * (1.0 + square));
    // Less the base in one go: near the start the difference is what counts.
    let over = select(1.0 - gaussian, -(square + gaussian), plan.base > 0.0);
    field[at] = vec2f(over / (1.0 + square), 0.0);
}
