//! Picking by all rows on the CPU's threads: for spaces and moving layouts where the adapter is a CPU.

use rayon::prelude::*;

use super::aim::{Aim, NO_KEY, found, packed};
use crate::catalog::SegmentId;

/// Rows of a thread's block.
const BLOCK: usize = 1 << 14;
/// Rows that are compared together before any of them is looked at.
const LANES: usize = 16;

/// The row under the pointer, as [`super::nearest_on_screen`] finds it; the same whatever the number of threads.
#[must_use]
pub fn scan(aim: &Aim, positions: &[[f32; 3]]) -> Option<SegmentId> {
    let blocks = positions.par_chunks(BLOCK).enumerate().map(|(block, rows)| least_of(aim, rows, block * BLOCK));
    found(blocks.min().unwrap_or(u64::MAX))
}

/// The least key of a block, with its row.
fn least_of(aim: &Aim, rows: &[[f32; 3]], first: usize) -> u64 {
    let mut least = packed(NO_KEY, u32::MAX);
    for (group, rows) in rows.chunks(LANES).enumerate() {
        // Without a branch inside, so that it becomes vector instructions. Hardly any row is near.
        if !rows.iter().fold(false, |is_near, &position| is_near | aim.is_near(position)) {
            continue;
        }
        for (row, &position) in (first + group * LANES..).zip(rows) {
            least = least.min(packed(aim.key(position), row as u32));
        }
    }
    least
}
