// The nearest of each run of rows: a workgroup a run, sixteen rows an invocation. After shared/rows.wgsl and shared/pick.wgsl.
// A row is looked at once and nothing is added up: the answer is the same in whatever order workgroups run. Twin: `scene::pick::scan`.

@group(1) @binding(0) var<storage, read> xs: array<f32>;
@group(1) @binding(1) var<storage, read> ys: array<f32>;
@group(1) @binding(2) var<storage, read> zs: array<f32>;
@group(1) @binding(3) var<storage, read_write> candidates: array<vec2u>;

const ROWS_EACH = 16u;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let run = workgroup_number(workgroup, workgroups);
    var mine = vec2u(NO_KEY, NO_ROW);
    for (var turn = 0u; turn < ROWS_EACH; turn++) {
        let row = (run * ROWS_EACH + turn) * 256u + lane;
        if row < pick.row_count {
            let key = key_of(vec3f(xs[row], ys[row], zs[row]));
            if key != NO_KEY {
                mine = lesser(mine, vec2u(key, row));
            }
        }
    }
    gather(lane, mine);
    if lane == 0u && run < pick.candidates {
        candidates[run] = nearest[0];
    }
}
