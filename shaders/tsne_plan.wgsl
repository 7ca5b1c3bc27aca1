// From what the workgroups of tsne_move.wgsl know: the mean, the bounds about it, and, where there is a grid, how it and the cells lie in the
// next step.
// Twins: project::tsne::grid's Place, project::tsne::split, project::tsne::near.
//
// One workgroup. Sums go in a fixed order.

@group(0) @binding(0) var<uniform> params: TsneParams;
@group(1) @binding(0) var<storage, read> partials: array<TsnePartial>;    // one for each 64 rows
@group(1) @binding(1) var<storage, read_write> plan: TsnePlan;

const LANES = 256u;
const ROWS_OF_PARTIAL = 64u;
const FINE_SPACING = 0.12;
const SHARPNESS = 0.15;
const CUT = 6.5;
const NEGLIGIBLE = 1e-3;
const WIDEN = 1.1;
const SLACK = 1.3;
// The transform keeps its length, so that a small layout must have nodes as near to each other as it is small, or its forces drown in the
// rounding of what lies far away; but where it comes round must stay far from the points, for there the kernel has an edge.
const MOST_HALVINGS = 18u;
const FIRST_HALVINGS = 2u;
const CELLS_WHEN_SMALL = 16.0;
const CELLS_PER_REACH = 2.0;

var<workgroup> sums: array<vec4f, 256>;
var<workgroup> lows: array<vec4f, 256>;
var<workgroup> highs: array<vec4f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let count = (params.rows + ROWS_OF_PARTIAL - 1u) / ROWS_OF_PARTIAL;
    var sum = vec4f(0.0);
    var low = partials[0].low;
    var high = partials[0].high;
    for (var at = lane; at < count; at += LANES) {
        sum += partials[at].sum;
        low = min(low, partials[at].low);
        high = max(high, partials[at].high);
    }
    sums[lane] = sum;
    lows[lane] = low;
    highs[lane] = high;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
            lows[lane] = min(lows[lane], lows[lane + half]);
            highs[lane] = max(highs[lane], highs[lane + half]);
        }
    }
    workgroupBarrier();
    if lane == 0u {
        let mean = sums[0] / f32(params.rows);
        decide(mean, lows[0] - mean, highs[0] - mean);
    }
}

fn decide(mean: vec4f, low: vec4f, high: vec4f) {
    plan.mean = mean;
    plan.origin = low;
    plan.high = high;
    if params.log_size == 0u {
        return;
    }
    let extent = high.xyz - low.xyz;
    let range = max(extent.x, max(extent.y, extent.z));
    let most = f32(1u << (params.log_size - 1u));
    // A layout of few cells gets nodes nearer to each other: near the start all points are in one cell.
    let fewest = select(32.0, 64.0, params.dims == 2u);
    var spacing = FINE_SPACING;
    for (var step = 0u; step < MOST_HALVINGS; step++) {
        if range / spacing < select(CELLS_WHEN_SMALL, fewest, step < FIRST_HALVINGS) {
            spacing *= 0.5;
        }
    }
    // Bounded, for a range that is no number would go on for ever.
    for (var step = 0u; step < 800u && range / spacing + 4.0 > most; step++) {
        spacing *= WIDEN;
    }
    let kept = plan.spacing;
    if kept >= spacing && kept < SLACK * spacing {
        spacing = kept;
    }
    plan.changed = select(0u, 1u, spacing != kept);
    plan.spacing = spacing;
    plan.nodes = min(u32(range / spacing) + 4u, u32(most));
    plan.base = select(0.0, 1.0, spacing < FINE_SPACING);
    let limit = SHARPNESS / (spacing * spacing);
    plan.limit = limit;
    plan.reach = 0.0;
    plan.per_unit = 0.0;
    var cells = vec3u(0u);
    if (1.0 + limit) * exp(-limit) >= NEGLIGIBLE {
        plan.reach = sqrt(CUT / limit);
        plan.per_unit = CELLS_PER_REACH / plan.reach;
        cells = min(vec3u(extent * plan.per_unit) + 1u, vec3u(params.most_cells));
    }
    plan.cells_x = cells.x;
    plan.cells_y = cells.y;
    plan.cells_z = cells.z;
}
