// The density on the nodes into the corner of the transform's cube. Twin: project::tsne::grid's put.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> density: array<vec2u>;           // [nodes; dims], low and high, in 2^-24
@group(1) @binding(1) var<storage, read_write> field: array<vec2f>;       // [size; dims]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(workgroup, workgroups) * 256u + lane;
    let nodes = plan.nodes;
    let x = at % nodes;
    let y = at / nodes % nodes;
    let z = at / nodes / nodes;
    if z >= select(1u, nodes, params.dims == 3u) {
        return;
    }
    let put = density[at];
    let into = (((z << params.log_size) + y) << params.log_size) + x;
    field[into] = vec2f(f32(put.x) / 16777216.0 + f32(put.y) * 256.0, 0.0);
}
