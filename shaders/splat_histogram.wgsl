// How many pixels have a count of each bucket; empty ones are left out. After shared/rows.wgsl and shared/splat.wgsl.
// A workgroup takes 8,192 pixels. Twin: `render::splat::tone::Histogram`.

@group(1) @binding(0) var<storage, read> counts: array<u32>;
@group(1) @binding(1) var<storage, read_write> histogram: array<atomic<u32>>;

const PIXELS_EACH = 32u;
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
    let first = workgroup_number(workgroup, workgroups) * 256u * PIXELS_EACH + lane;
    for (var turn = 0u; turn < PIXELS_EACH; turn++) {
        let pixel = first + turn * 256u;
        if pixel < splat.pixels {
            let count = counts[pixel];
            if count > 0u {
                atomicAdd(&own[bucket_of(count)], 1u);
            }
        }
    }
    workgroupBarrier();
    for (var bucket = lane; bucket < BUCKETS; bucket += 256u) {
        let pixels = atomicLoad(&own[bucket]);
        if pixels > 0u {
            atomicAdd(&histogram[bucket], pixels);
        }
    }
}
