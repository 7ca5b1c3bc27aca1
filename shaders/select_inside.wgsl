// Which rows lie inside of a region of the map, a bit for each: one invocation a row. After shared/rows.wgsl and shared/frame.wgsl, whose
// viewport is the region's extent in cells. A workgroup makes whole words, so that no two write the same. Twin: `scene::region`.

struct SelectParams {
    // Cells across.
    width: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

@group(0) @binding(1) var<uniform> region: SelectParams;
// The region: a bit for each cell.
@group(1) @binding(6) var<storage, read> mask: array<u32>;
@group(1) @binding(7) var<storage, read_write> inside: array<u32>;

var<workgroup> own: array<atomic<u32>, 8>;

fn is_inside(row: u32) -> bool {
    let clip = clip_of_row(row);
    if !(in_front(clip) && clip.z >= 0.0 && clip.z <= clip.w) {
        return false;
    }
    let at = (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * frame.viewport;
    if !(at.x >= 0.0 && at.x < frame.viewport.x && at.y >= 0.0 && at.y < frame.viewport.y) {
        return false;
    }
    let cell = u32(at.y) * region.width + u32(at.x);
    return ((mask[cell >> 5u] >> (cell & 31u)) & 1u) == 1u;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    if lane < 8u {
        atomicStore(&own[lane], 0u);
    }
    workgroupBarrier();
    let number = workgroup_number(workgroup, workgroups);
    let row = number * 256u + lane;
    if row < frame.row_count && is_inside(row) {
        atomicOr(&own[lane >> 5u], 1u << (lane & 31u));
    }
    workgroupBarrier();
    let word = number * 8u + lane;
    if lane < 8u && word * 32u < frame.row_count {
        inside[word] = atomicLoad(&own[lane]);
    }
}
