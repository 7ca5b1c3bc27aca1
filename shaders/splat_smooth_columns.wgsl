// What is spread along rows spread along columns, in whole numbers: one invocation a cell. After shared/rows.wgsl and shared/splat.wgsl.
// Twin: `render::splat::smooth`.

@group(1) @binding(0) var<storage, read> spread: array<f32>;
@group(1) @binding(1) var<storage, read> weights: array<f32>;
@group(1) @binding(2) var<storage, read_write> values: array<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let cell = workgroup_number(workgroup, workgroups) * 256u + lane;
    if cell >= splat.cells {
        return;
    }
    var sum = weights[0] * spread[cell];
    for (var away = 1u; away <= splat.reach; away++) {
        let step = away * splat.width;
        if cell >= step {
            sum += weights[away] * spread[cell - step];
        }
        if cell + step < splat.cells {
            sum += weights[away] * spread[cell + step];
        }
    }
    // Far below what an u32 holds: smoothing is for few rows.
    values[cell] = u32(min(sum * UNIT, 4.0e9));
}
