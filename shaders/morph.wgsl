// One axis of all rows on their way from one layout to another. After shared/rows.wgsl. Twin: `scene::morph::mixed`.

struct MorphParams {
    rows: u32,
    // 0..1.
    way: f32,
}

@group(0) @binding(0) var<uniform> params: MorphParams;
@group(1) @binding(0) var<storage, read> starts: array<f32>;
@group(1) @binding(1) var<storage, read> ends: array<f32>;
@group(1) @binding(2) var<storage, read_write> places: array<f32>;

const LARGEST = 3.4028234e38;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 256u + lane;
    if row >= params.rows {
        return;
    }
    let start = starts[row];
    let end = ends[row];
    // What is not a number compares false.
    places[row] = select(end, start * (1.0 - params.way) + end * params.way, abs(start) < LARGEST);
}
