// A step of UMAP: each row along its own edges and off rows drawn at random, from where all rows were before. Twin: project::umap::UmapRun::step.

@group(0) @binding(0) var<uniform> params: UmapParams;
@group(1) @binding(0) var<storage, read> before: array<vec4f>;
@group(1) @binding(1) var<storage, read> offsets: array<u32>;             // [rows + 1]: where each row's edges begin
@group(1) @binding(2) var<storage, read> others: array<u32>;              // the other row of each edge
@group(1) @binding(3) var<storage, read> memberships: array<f32>;         // of each edge, 0 to 1
@group(1) @binding(4) var<storage, read_write> after: array<vec4f>;

const NEGATIVES = 5u;
const LONGEST = 4.0;
const SOFTENING = 1e-3;
const SMALLEST_SQUARE = 9.094947e-13;                                    // 2^-40, as on the CPU

fn draw(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// The high half of value * count.
fn below(value: u32, count: u32) -> u32 {
    let low = (value & 0xffffu) * (count & 0xffffu);
    let left = (value >> 16u) * (count & 0xffffu);
    let right = (value & 0xffffu) * (count >> 16u);
    let middle = (low >> 16u) + (left & 0xffffu) + (right & 0xffffu);
    return (value >> 16u) * (count >> 16u) + (left >> 16u) + (right >> 16u) + (middle >> 16u);
}

fn is_taken(membership: f32) -> bool {
    return u32(membership * f32(params.iteration + 1u)) > u32(membership * f32(params.iteration));
}

fn bounded(along: vec3f) -> vec3f {
    return clamp(along, vec3f(-LONGEST), vec3f(LONGEST));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(workgroup, workgroups) * 64u + lane;
    if row >= params.rows {
        return;
    }
    var at = before[row].xyz;
    let drawn = draw(row ^ draw(params.iteration ^ draw(params.seed)));
    var draws = 0u;
    for (var edge = offsets[row]; edge < offsets[row + 1u]; edge++) {
        if !is_taken(memberships[edge]) {
            continue;
        }
        let goal = before[others[edge]].xyz;
        for (var turn = 0u; turn < 2u; turn++) {
            let away = at - goal;
            let square = max(dot(away, away), SMALLEST_SQUARE);
            let power = pow(square, params.b);
            at += params.rate * bounded(-2.0 * params.a * params.b * power / (square * (1.0 + params.a * power)) * away);
        }
        var pushed = vec3f(0.0);
        for (var turn = 0u; turn < NEGATIVES; turn++) {
            let off = below(draw(drawn + draws), params.rows);
            draws++;
            let away = at - before[off].xyz;
            let square = max(dot(away, away), SMALLEST_SQUARE);
            let is_other = f32(off != row);
            pushed += bounded(is_other * 2.0 * params.b / ((SOFTENING + square) * (1.0 + params.a * pow(square, params.b))) * away);
        }
        at += params.rate * pushed;
    }
    after[row] = vec4f(at, 0.0);
}
