// Points onto the nodes, in integers of 64 bits as two of 32: what is added in whatever order gives the same. Twin: project::tsne::grid's put.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> density: array<atomic<u32>>;   // [nodes; dims, low and high], in 2^-24; 0 before

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 64u + lane;
    if row >= params.rows {
        return;
    }
    let place = place_of(positions[row].xyz);
    let first = place.first;
    let across = spline(place.within.x);
    let down = spline(place.within.y);
    let is_deep = params.dims == 3u;
    let deep = select(vec4f(1.0, 0.0, 0.0, 0.0), spline(place.within.z), is_deep);
    for (var z = 0u; z < select(1u, SUPPORT, is_deep); z++) {
        for (var y = 0u; y < SUPPORT; y++) {
            let depth = select(0u, first.z + z, is_deep);
            let line = (depth * plan.nodes + first.y + y) * plan.nodes + first.x;
            let weight = down[y] * deep[z];
            for (var x = 0u; x < SUPPORT; x++) {
                add(2u * (line + x), u32(weight * across[x] * 16777216.0 + 0.5));
            }
        }
    }
}

fn add(at: u32, value: u32) {
    let before = atomicAdd(&density[at], value);
    if before + value < before {
        atomicAdd(&density[at + 1u], 1u);
    }
}
