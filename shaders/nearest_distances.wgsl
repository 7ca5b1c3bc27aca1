// Squared distances of a block of queries to all rows, [queries, rows], as bits: they are not negative, so that bits have the numbers' order.
// A query's own row is farther than any other. Twin: neighbors::exact.
//
// A workgroup has a tile of 64 queries by 64 rows, an invocation 4 x 4 of it; 16 columns at a time are staged in workgroup memory. Sums are of squared
// differences, not |a|² + |b|² - 2 a·b: one more operation for each, and the rounding is of the distance, not of the lengths.

@group(0) @binding(0) var<uniform> params: NearestParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [rows, dims]
@group(1) @binding(1) var<storage, read_write> keys: array<u32>;        // [queries, rows]

const TILE = 64u;
const DEPTH = 16u;
const QUADS = 16u;      // TILE / 4
const OWN = 0xffffffffu;

var<workgroup> left: array<vec4f, 256>;     // [DEPTH, QUADS]
var<workgroup> right: array<vec4f, 256>;

fn value(row: u32, column: u32) -> f32 {
    if row >= params.rows || column >= params.dims {
        return 0.0;
    }
    return values[row * params.dims + column];
}

fn value_of_4(row: u32, column: u32) -> vec4f {
    return vec4f(value(row, column), value(row + 1u, column), value(row + 2u, column), value(row + 3u, column));
}

fn store(query: u32, first_row: u32, sums: vec4f) {
    if query >= params.queries {
        return;
    }
    for (var i = 0u; i < 4u; i++) {
        let row = first_row + i;
        if row < params.rows {
            keys[query * params.rows + row] = select(bitcast<u32>(sums[i]), OWN, row == params.first + query);
        }
    }
}

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_id) cell: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let tiles = (params.rows + TILE - 1u) / TILE;
    let query = number / tiles * TILE;
    let row = number % tiles * TILE;
    if query >= params.queries {
        return;
    }
    var sums_0 = vec4f();
    var sums_1 = vec4f();
    var sums_2 = vec4f();
    var sums_3 = vec4f();
    for (var column = 0u; column < params.dims; column += DEPTH) {
        // Neighbouring lanes have neighbouring columns.
        let depth = lane % DEPTH;
        let quad = lane / DEPTH;
        left[depth * QUADS + quad] = value_of_4(params.first + query + quad * 4u, column + depth);
        right[depth * QUADS + quad] = value_of_4(row + quad * 4u, column + depth);
        workgroupBarrier();
        for (var at = 0u; at < DEPTH; at++) {
            let l = left[at * QUADS + cell.y];
            let r = right[at * QUADS + cell.x];
            let away_0 = l.x - r;
            let away_1 = l.y - r;
            let away_2 = l.z - r;
            let away_3 = l.w - r;
            sums_0 += away_0 * away_0;
            sums_1 += away_1 * away_1;
            sums_2 += away_2 * away_2;
            sums_3 += away_3 * away_3;
        }
        workgroupBarrier();
    }
    let own_query = query + cell.y * 4u;
    let own_row = row + cell.x * 4u;
    store(own_query, own_row, sums_0);
    store(own_query + 1u, own_row, sums_1);
    store(own_query + 2u, own_row, sums_2);
    store(own_query + 3u, own_row, sums_3);
}
