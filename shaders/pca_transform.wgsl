// The centred rows times the loadings of the components that are wanted.
// Twin: project::pca::cpu::block_transform.
//
// A workgroup has 64 rows and 16 axes: an invocation one row and 4 axes. 32 columns at a time are staged, centred, in workgroup
// memory, because rows read one by an invocation would not be read in strokes.

@group(0) @binding(0) var<uniform> params: PcaParams;
@group(1) @binding(0) var<storage, read> values: array<f32>;                // [rows, dims]
@group(1) @binding(1) var<storage, read> center: array<f32>;                // [dims]
@group(1) @binding(2) var<storage, read> weights: array<vec4f>;             // [dims, axes / 16, rounded up, times 4]
@group(1) @binding(3) var<storage, read_write> coordinates: array<f32>;     // [rows, axes]

const ROWS = 64u;
const COLUMNS = 32u;
const PITCH = 33u;      // odd, so that the rows of a column lie in different banks
const LANES = 256u;

var<workgroup> staged: array<f32, 2112>;    // [ROWS, PITCH]

@compute @workgroup_size(4, 64)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_id) cell: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(workgroup, workgroups);
    let blocks = (params.axes + 15u) / 16u;
    let first_row = number / blocks * ROWS;
    if first_row >= params.rows {
        return;
    }
    let quad = number % blocks * 4u + cell.x;
    var sums = vec4f();
    for (var first = 0u; first < params.dims; first += COLUMNS) {
        for (var i = lane; i < ROWS * COLUMNS; i += LANES) {
            let row = first_row + i / COLUMNS;
            let column = first + i % COLUMNS;
            var value = 0.0;
            if row < params.rows && column < params.dims {
                value = values[row * params.dims + column] * params.scale - center[column];
            }
            staged[i / COLUMNS * PITCH + i % COLUMNS] = value;
        }
        workgroupBarrier();
        for (var i = 0u; i < min(COLUMNS, params.dims - first); i++) {
            sums += staged[cell.y * PITCH + i] * weights[(first + i) * blocks * 4u + quad];
        }
        workgroupBarrier();
    }
    let row = first_row + cell.y;
    if row >= params.rows {
        return;
    }
    for (var i = 0u; i < 4u; i++) {
        let axis = quad * 4u + i;
        if axis < params.axes {
            coordinates[row * params.axes + axis] = sums[i] * params.unscale;
        }
    }
}
