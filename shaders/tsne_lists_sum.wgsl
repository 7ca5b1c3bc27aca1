// Sums of the counts of 256 rows each, for tsne_lists_scan.wgsl. Twin: project::tsne::affinities' Incoming.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> counts: array<u32>;                  // [rows]
@group(1) @binding(1) var<storage, read_write> sums: array<u32>;              // one for each 256 rows

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
    parts[lane] = select(0u, counts[min(row, params.rows - 1u)], row < params.rows);
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
