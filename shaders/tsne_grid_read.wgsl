// From the potential on the nodes to each point's: minus half its slope, and last its value, [rows, 4]. Twin: project::tsne::grid's read.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read> field: array<vec2f>;
@group(1) @binding(2) var<storage, read_write> forces: array<vec4f>;

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
    let across_slope = spline_slope(place.within.x);
    let down = spline(place.within.y);
    let down_slope = spline_slope(place.within.y);
    let is_deep = params.dims == 3u;
    let deep = select(vec4f(1.0, 0.0, 0.0, 0.0), spline(place.within.z), is_deep);
    let deep_slope = select(vec4f(0.0), spline_slope(place.within.z), is_deep);
    var sum = vec4f(0.0);
    for (var z = 0u; z < select(1u, SUPPORT, is_deep); z++) {
        for (var y = 0u; y < SUPPORT; y++) {
            let depth = select(0u, first.z + z, is_deep);
            let line = (((depth << params.log_size) + first.y + y) << params.log_size) + first.x;
            let values = vec4f(field[line].x, field[line + 1u].x, field[line + 2u].x, field[line + 3u].x);
            let value = dot(values, across);
            let slope = dot(values, across_slope);
            sum += vec4f(slope * down[y] * deep[z], value * down_slope[y] * deep[z], value * down[y] * deep_slope[z], value * down[y] * deep[z]);
        }
    }
    forces[row] = vec4f(-0.5 * sum.xyz / plan.spacing, sum.w);
}
