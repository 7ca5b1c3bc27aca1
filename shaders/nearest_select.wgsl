// The nearest rows of each query, [queries, wanted], in no order: those with the smallest keys, of equal ones those with the smaller numbers.
// Twin: a sort of (key, row).
//
// A workgroup has one query. Radix select over the pair (key, row), its largest digits of 8 bits first: the digits so far are a prefix, the counts of the
// next one among the pairs with that prefix say which of them the last wanted pair has. It ends as soon as all pairs with the prefix are wanted; rows' own
// digits are looked at only among equal keys. Rows are fewer than 2^24.

@group(0) @binding(0) var<uniform> params: NearestParams;
@group(1) @binding(0) var<storage, read> keys: array<u32>;              // [queries, rows]
@group(1) @binding(1) var<storage, read_write> nearest: array<u32>;     // [slots, wanted]

const LANES = 256u;
const DIGITS = 7u;          // 4 of the key, 3 of the row
const KEY_DIGITS = 4u;

// Which pairs are below or at the border: key and row under their masks.
var<private> key_mask: u32;
var<private> key_border: u32;
var<private> row_mask: u32;
var<private> row_border: u32;

var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> sums: array<u32, 256>;
var<workgroup> chosen: vec3u;       // a digit, how many pairs have it, how many of those are wanted
var<workgroup> taken: atomic<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let query = workgroup_number(workgroup, workgroups);
    if query >= params.queries {
        return;
    }
    let start = query * params.rows;
    var left = params.wanted;
    for (var digit = 0u; digit < DIGITS; digit++) {
        let is_key = digit < KEY_DIGITS;
        let shift = select(8u * (DIGITS - 1u - min(digit, DIGITS - 1u)), 8u * (KEY_DIGITS - 1u - min(digit, KEY_DIGITS - 1u)), is_key);
        atomicStore(&bins[lane], 0u);
        if lane == 0u {
            chosen = vec3u(0u);
        }
        workgroupBarrier();
        for (var row = lane; row < params.rows; row += LANES) {
            let key = keys[start + row];
            if (key & key_mask) == key_border && (row & row_mask) == row_border {
                atomicAdd(&bins[(select(row, key, is_key) >> shift) & 255u], 1u);
            }
        }
        workgroupBarrier();
        let own = atomicLoad(&bins[lane]);
        sums[lane] = own;
        workgroupBarrier();
        for (var step = 1u; step < LANES; step *= 2u) {
            let below = select(0u, sums[max(lane, step) - step], lane >= step);
            workgroupBarrier();
            sums[lane] += below;
            workgroupBarrier();
        }
        let before = sums[lane] - own;
        if before < left && left <= sums[lane] {
            chosen = vec3u(lane, own, left - before);
        }
        let found = workgroupUniformLoad(&chosen);
        if is_key {
            key_mask |= 255u << shift;
            key_border |= found.x << shift;
        } else {
            row_mask |= 255u << shift;
            row_border |= found.x << shift;
        }
        left = found.z;
        if found.y == found.z {
            break;
        }
    }
    if lane == 0u {
        atomicStore(&taken, 0u);
    }
    workgroupBarrier();
    for (var row = lane; row < params.rows; row += LANES) {
        let key = keys[start + row] & key_mask;
        if key < key_border || (key == key_border && (row & row_mask) <= row_border) {
            let at = atomicAdd(&taken, 1u);
            if at < params.wanted {
                nearest[(params.slot + query) * params.wanted + at] = row;
            }
        }
    }
}
