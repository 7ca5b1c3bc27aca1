// Counts spread along their rows: one invocation a cell. After shared/rows.wgsl and shared/splat.wgsl. Twin: `render::splat::smooth`.

@group(1) @binding(0) var<storage, read> counts: array<u32>;
// The share of a row that a cell gets, by its distance.
@group(1) @binding(1) var<storage, read> weights: array<f32>;
@group(1) @binding(2) var<storage, read_write> spread: array<f32>;

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
    let x = cell % splat.width;
    var sum = weights[0] * f32(counts[splat.first + cell]);
    for (var away = 1u; away <= splat.reach; away++) {
        var both = 0u;
        if x >= away {
            both += counts[splat.first + cell - away];
        }
        if x + away < splat.width {
            both += counts[splat.first + cell + away];
        }
        sum += weights[away] * f32(both);
    }
    spread[cell] = sum;
}
