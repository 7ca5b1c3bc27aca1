// The tone of each bucket, 0 to 1, from the histogram: one workgroup. After shared/splat.wgsl.
// Half the value's logarithm, from the least to the largest one's, half the share of lit cells with a smaller value (histogram equalisation).
// Twin: `render::splat::tone::curve`.

@group(1) @binding(0) var<storage, read> histogram: array<u32>;
@group(1) @binding(1) var<storage, read_write> curve: array<f32>;

var<workgroup> own: array<u32, BUCKETS>;
// Cells below each bucket; last, all of them. Then the highest bucket that has any.
var<workgroup> below: array<u32, BUCKETS>;
var<workgroup> lit: u32;
var<workgroup> highest: u32;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    own[lane] = histogram[lane];
    own[lane + 256u] = histogram[lane + 256u];
    workgroupBarrier();
    if lane == 0u {
        var sum = 0u;
        var top = 0u;
        for (var bucket = 0u; bucket < BUCKETS; bucket++) {
            below[bucket] = sum;
            sum += own[bucket];
            if own[bucket] > 0u {
                top = bucket;
            }
        }
        lit = sum;
        highest = top;
    }
    workgroupBarrier();
    for (var bucket = lane; bucket < BUCKETS; bucket += 256u) {
        let share = (f32(below[bucket]) + 0.5 * f32(own[bucket])) / f32(max(lit, 1u));
        // The least has an octave below it.
        let least = bucket_of(splat.faint);
        let octaves = f32(max(bucket + 16u, least) - least) / f32(max(highest, least) - least + 16u);
        curve[bucket] = 0.5 * (share + min(octaves, 1.0));
    }
}
