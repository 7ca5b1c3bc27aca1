// Where each row's list begins, [rows + 1]; the counts become the places where the next entry goes. Twin: project::tsne::affinities' Incoming.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> sums: array<u32>;                    // entries before each 256 rows
@group(1) @binding(1) var<storage, read_write> counts: array<u32>;            // [rows]
@group(1) @binding(2) var<storage, read_write> starts: array<u32>;            // [rows + 1]

const LANES = 256u;
var<workgroup> parts: array<u32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let row = number * LANES + lane;
    let own = select(0u, counts[min(row, params.rows - 1u)], row < params.rows);
    parts[lane] = own;
    // Each adds what is 1, 2, 4, ... places before it (Hillis and Steele, "Data parallel algorithms", 1986).
    for (var step = 1u; step < LANES; step *= 2u) {
        workgroupBarrier();
        let before = select(0u, parts[max(lane, step) - step], lane >= step);
        workgroupBarrier();
        parts[lane] += before;
    }
    if row < params.rows {
        let end = sums[number] + parts[lane];
        starts[row] = end - own;
        counts[row] = end - own;
        if row + 1u == params.rows {
            starts[params.rows] = end;
        }
    }
}
