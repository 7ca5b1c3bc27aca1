// The nearest of all runs: one workgroup. After shared/pick.wgsl. Twin: `scene::pick::scan`.

@group(1) @binding(0) var<storage, read> candidates: array<vec2u>;
@group(1) @binding(1) var<storage, read_write> found: array<vec2u>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    var mine = vec2u(NO_KEY, NO_ROW);
    for (var at = lane; at < pick.candidates; at += 256u) {
        mine = lesser(mine, candidates[at]);
    }
    gather(lane, mine);
    if lane == 0u {
        found[0] = nearest[0];
    }
}
