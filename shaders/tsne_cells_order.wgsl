// Points in the order of their cells, and within a cell of their numbers, so that sums come out the same every time: position and number,
// [rows, 4], as bits. A point's place is how many in its cell have a smaller number. Twin: project::tsne::near's Cells.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(0) @binding(1) var<uniform> plan: TsnePlan;
@group(1) @binding(0) var<storage, read> positions: array<vec4f>;
@group(1) @binding(1) var<storage, read> homes: array<u32>;
@group(1) @binding(2) var<storage, read> starts: array<u32>;
@group(1) @binding(3) var<storage, read> unordered: array<u32>;
@group(1) @binding(4) var<storage, read_write> sorted: array<vec4u>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(workgroup, workgroups) * 64u + lane;
    if at >= params.rows || plan.reach <= 0.0 {
        return;
    }
    let row = unordered[at];
    let home = homes[row];
    let first = starts[home];
    var place = first;
    for (var other = first; other < starts[home + 1u]; other++) {
        place += select(0u, 1u, unordered[other] < row);
    }
    sorted[place] = vec4u(bitcast<vec3u>(positions[row].xyz), row);
}
