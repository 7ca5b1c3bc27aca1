//! Repulsion from all pairs: right to rounding, and as much work as the square of the rows. The reference of [`super::grid`].

use rayon::prelude::*;

/// Others whose shares are added in `f32` before they go into an `f64`.
const BLOCK: usize = 256;

/// Writes, for every point i, the sum over all others j of (y_i - y_j) / (1 + |y_i - y_j|²)² into `forces`, `[rows, D]`, and returns
/// Z, the sum over all ordered pairs of 1 / (1 + |y_i - y_j|²) (van der Maaten and Hinton 2008, equations 4 and 5).
///
/// # Panics
/// If there are not as many forces as positions: a caller's mistake.
pub fn repulsion<const D: usize>(positions: &[[f32; D]], forces: &mut [[f32; D]]) -> f64 {
    assert_eq!(positions.len(), forces.len(), "a force for each position");
    let of_point = |at: &[f32; D], force: &mut [f32; D]| {
        let (sum, total) = upon(at, positions);
        *force = sum;
        // A point's share of itself is 1.
        total - 1.0
    };
    let totals: Vec<f64> = positions.par_iter().zip(forces).map(|(at, force)| of_point(at, force)).collect();
    totals.into_iter().sum()
}

/// The same for whatever is at `at`, of all `positions`: the force, and the sum of 1 / (1 + |at - y_j|²).
#[must_use]
pub fn upon<const D: usize>(at: &[f32; D], positions: &[[f32; D]]) -> ([f32; D], f64) {
    let (mut sum, mut total) = ([0.0_f64; D], 0.0_f64);
    for block in positions.chunks(BLOCK) {
        let (mut block_sum, mut block_total) = ([0.0_f32; D], 0.0_f32);
        for other in block {
            let away: [f32; D] = std::array::from_fn(|axis| at[axis] - other[axis]);
            let share = 1.0 / (1.0 + away.iter().map(|away| away * away).sum::<f32>());
            block_total += share;
            for (sum, away) in block_sum.iter_mut().zip(away) {
                *sum += share * share * away;
            }
        }
        total += f64::from(block_total);
        for (sum, block_sum) in sum.iter_mut().zip(block_sum) {
            *sum += f64::from(block_sum);
        }
    }
    (sum.map(|sum| sum as f32), total)
}
