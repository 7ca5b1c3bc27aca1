// The scatter matrix of the centred rows, one partial matrix for each slab of rows; the CPU adds the slabs in f64.
// Twin: project::pca::cpu::block_scatter.
//
// A workgroup has one tile of 32 x 32 elements of one slab's matrix, an invocation 4 x 4 of it. 16 rows at a time are staged,
// centred, in workgroup memory. The matrix is symmetric: only tiles on and above the diagonal are computed, and only elements
// (i, j) with i <= j are read.

@group(0) @binding(0) var<uniform> params: PcaParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;            // [rows, dims]
@group(1) @binding(1) var<storage, read> center: array<f32>;            // [dims]
@group(1) @binding(2) var<storage, read_write> partials: array<f32>;    // [slabs, dims, dims]

const TILE = 32u;
const DEPTH = 16u;
const QUADS = 8u;       // TILE / 4
const LANES = 64u;

var<workgroup> left: array<vec4f, 128>;     // [DEPTH, TILE / 4]
var<workgroup> right: array<vec4f, 128>;

fn centred(row: u32, end: u32, column: u32) -> f32 {
    if row >= end || column >= params.dims {
        return 0.0;
    }
    return values[row * params.dims + column] * params.scale - center[column];
}

fn centred_4(row: u32, end: u32, column: u32) -> vec4f {
    return vec4f(
        centred(row, end, column),
        centred(row, end, column + 1u),
        centred(row, end, column + 2u),
        centred(row, end, column + 3u),
    );
}

fn store(slab: u32, row: u32, first_column: u32, sums: vec4f) {
    if row >= params.dims {
        return;
    }
    let start = (slab * params.dims + row) * params.dims;
    for (var i = 0u; i < 4u; i++) {
        if first_column + i < params.dims {
            partials[start + first_column + i] = sums[i];
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_id) cell: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let tiles = (params.dims + TILE - 1u) / TILE;
    let pairs = tiles * (tiles + 1u) / 2u;
    let slab = number / pairs;
    let first = slab * params.slab_rows;
    if first >= params.rows {
        return;
    }
    let end = min(first + params.slab_rows, params.rows);
    // The number of the pair, row by row of the upper triangle, as a row and a column of tiles.
    var across = number % pairs;
    var down = 0u;
    while across >= tiles - down {
        across -= tiles - down;
        down++;
    }
    let left_column = down * TILE;
    let right_column = (down + across) * TILE;

    var sums_0 = vec4f();
    var sums_1 = vec4f();
    var sums_2 = vec4f();
    var sums_3 = vec4f();
    for (var row = first; row < end; row += DEPTH) {
        for (var i = lane; i < DEPTH * QUADS; i += LANES) {
            left[i] = centred_4(row + i / QUADS, end, left_column + i % QUADS * 4u);
            right[i] = centred_4(row + i / QUADS, end, right_column + i % QUADS * 4u);
        }
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth++) {
            let l = left[depth * QUADS + cell.y];
            let r = right[depth * QUADS + cell.x];
            sums_0 += l.x * r;
            sums_1 += l.y * r;
            sums_2 += l.z * r;
            sums_3 += l.w * r;
        }
        workgroupBarrier();
    }
    let row = left_column + cell.y * 4u;
    let column = right_column + cell.x * 4u;
    store(slab, row, column, sums_0);
    store(slab, row + 1u, column, sums_1);
    store(slab, row + 2u, column, sums_2);
    store(slab, row + 3u, column, sums_3);
}
