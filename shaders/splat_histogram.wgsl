// How many cells have a value of each bucket; those that are not lit are left out. After shared/rows.wgsl and shared/splat.wgsl.
// A workgroup takes 8,192 cells. Twin: `render::splat::tone::Histogram`.

@group(1) @binding(0) var<storage, read> values: array<u32>;
@group(1) @binding(1) var<storage, read_write> histogram: array<atomic<u32>>;

const CELLS_EACH = 32u;
var<workgroup> own: array<atomic<u32>, BUCKETS>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    atomicStore(&own[lane], 0u);
    atomicStore(&own[lane + 256u], 0u);
    workgroupBarrier();
    let first = workgroup_number(workgroup, workgroups) * 256u * CELLS_EACH + lane;
    for (var turn = 0u; turn < CELLS_EACH; turn++) {
        let cell = first + turn * 256u;
        if cell < splat.cells {
            let value = values[first_value() + cell];
            let at = vec2u(cell % splat.width, cell / splat.width);
            let is_own = all(at >= splat.own.xy) && all(at < splat.own.zw);
            if is_own && value >= splat.faint {
                atomicAdd(&own[bucket_of(value)], 1u);
            }
        }
    }
    workgroupBarrier();
    for (var bucket = lane; bucket < BUCKETS; bucket += 256u) {
        let cells = atomicLoad(&own[bucket]);
        if cells > 0u {
            atomicAdd(&histogram[bucket], cells);
        }
    }
}
