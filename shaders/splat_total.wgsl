// The sum of all cells, those outside of the picture among them: how many rows were splatted. After shared/rows.wgsl and shared/splat.wgsl.
// A workgroup takes 8,192 cells. Never in a frame: the proof that a picture is whole. Twin: a sum.

@group(1) @binding(0) var<storage, read> counts: array<u32>;
@group(1) @binding(1) var<storage, read_write> total: array<atomic<u32>>;

const CELLS_EACH = 32u;
var<workgroup> own: atomic<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    if lane == 0u {
        atomicStore(&own, 0u);
    }
    workgroupBarrier();
    let first = workgroup_number(workgroup, workgroups) * 256u * CELLS_EACH + lane;
    var sum = 0u;
    for (var turn = 0u; turn < CELLS_EACH; turn++) {
        let cell = first + turn * 256u;
        if cell < splat.cells + OUTSIDE_CELLS {
            sum += counts[cell];
        }
    }
    atomicAdd(&own, sum);
    workgroupBarrier();
    if lane == 0u {
        atomicAdd(&total[0], atomicLoad(&own));
    }
}
