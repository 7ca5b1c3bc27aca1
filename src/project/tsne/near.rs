//! The near part of the repulsion: pairs within the reach of a [`Split`], found through cells.

use rayon::prelude::*;

use super::grid::bounds;
use super::split::Split;

/// Cells along the reach: smaller ones fit the ball better, and there are more of them to visit.
pub(super) const CELLS_PER_REACH: i64 = 2;
/// Most cells along an axis, in the plane and in space; beyond, they are larger.
const MOST_CELLS: [f32; 2] = [1024.0, 96.0];
/// Points that one task takes.
const TASK: usize = 256;

/// Points in the order of their cells; within a cell in their own order.
pub(super) struct Cells<const D: usize> {
    low: [f32; D],
    /// Cells per unit of the layout.
    per_unit: f32,
    /// Cells along each axis; the first axis runs fastest.
    counts: [i64; D],
    /// Where each cell begins, and the end.
    starts: Vec<usize>,
    /// The points' numbers.
    order: Vec<u32>,
    /// The points.
    sorted: Vec<[f32; D]>,
}

/// Adds the near part of all forces to `forces`, `[rows, D]`, and returns its part of Z.
pub fn add<const D: usize>(split: &Split, positions: &[[f32; D]], forces: &mut [[f32; D]]) -> f64 {
    if split.reach() <= 0.0 || positions.is_empty() {
        return 0.0;
    }
    let cells = Cells::new(positions, split.reach());
    let mut found = vec![([0.0_f32; D], 0.0_f64); positions.len()];
    found.par_chunks_mut(TASK).enumerate().for_each(|(task, found)| {
        for (step, found) in found.iter_mut().enumerate() {
            *found = cells.around(cells.sorted[task * TASK + step], split);
        }
    });
    let mut total = 0.0;
    for (&row, (force, share)) in cells.order.iter().zip(found) {
        for (sum, part) in forces[row as usize].iter_mut().zip(force) {
            *sum += part;
        }
        total += share;
    }
    // Every point found itself.
    total - f64::from(split.near(0.0)[0]) * positions.len() as f64
}

impl<const D: usize> Cells<D> {
    pub(super) fn new(positions: &[[f32; D]], reach: f32) -> Self {
        let (low, high) = bounds(positions);
        let range = low.iter().zip(&high).map(|(low, high)| high - low).fold(0.0, f32::max);
        let per_unit = (CELLS_PER_REACH as f32 / reach).min(MOST_CELLS[usize::from(D == 3)] / range.max(f32::MIN_POSITIVE));
        let counts = std::array::from_fn(|axis| ((high[axis] - low[axis]) * per_unit) as i64 + 1);
        let mut cells = Self { low, per_unit, counts, starts: Vec::new(), order: Vec::new(), sorted: Vec::new() };
        let homes: Vec<usize> = positions.par_iter().map(|position| cells.number(cells.home(position))).collect();
        let mut starts = vec![0; counts.iter().product::<i64>() as usize + 1];
        homes.iter().for_each(|home| starts[home + 1] += 1);
        for cell in 1..starts.len() {
            starts[cell] += starts[cell - 1];
        }
        let mut next = starts.clone();
        let mut order = vec![0; positions.len()];
        for (row, &home) in homes.iter().enumerate() {
            order[next[home]] = row as u32;
            next[home] += 1;
        }
        cells.sorted = order.iter().map(|&row| positions[row as usize]).collect();
        (cells.starts, cells.order) = (starts, order);
        cells
    }

    fn home(&self, position: &[f32; D]) -> [i64; D] {
        std::array::from_fn(|axis| (((position[axis] - self.low[axis]) * self.per_unit) as i64).min(self.counts[axis] - 1))
    }

    fn number(&self, home: [i64; D]) -> usize {
        home.iter().zip(self.counts).rev().fold(0, |number, (&home, count)| number * count + home) as usize
    }

    /// The near force upon whatever is at `at`, and the sum of the near kernel there, of all points.
    pub(super) fn around(&self, at: [f32; D], split: &Split) -> ([f32; D], f64) {
        let home = self.home(&at);
        // No square beyond the table, whatever rounding does.
        let square_reach = split.reach().powi(2) * 0.999_99;
        let (mut force, mut total) = ([0.0_f32; D], 0.0_f32);
        let side = 2 * CELLS_PER_REACH + 1;
        for line in 0..side.pow(D as u32 - 1) {
            // A run of cells along the first axis.
            let mut first = home;
            for (axis, first) in first.iter_mut().enumerate().skip(1) {
                *first += line / side.pow(axis as u32 - 1) % side - CELLS_PER_REACH;
            }
            if (1..D).any(|axis| first[axis] < 0 || first[axis] >= self.counts[axis]) {
                continue;
            }
            let mut last = first;
            first[0] = (home[0] - CELLS_PER_REACH).max(0);
            last[0] = (home[0] + CELLS_PER_REACH).min(self.counts[0] - 1);
            if last[0] < first[0] {
                continue;
            }
            for other in &self.sorted[self.starts[self.number(first)]..self.starts[self.number(last) + 1]] {
                let away: [f32; D] = std::array::from_fn(|axis| at[axis] - other[axis]);
                let square = away.iter().map(|away| away * away).sum::<f32>();
                if square < square_reach {
                    let [share, push] = split.near(square);
                    total += share;
                    for (sum, away) in force.iter_mut().zip(away) {
                        *sum += push * away;
                    }
                }
            }
        }
        (force, f64::from(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    fn check<const D: usize>(rows: usize, width: f32, spacing: f32) {
        let mut seed = SplitMix64::new(4);
        let positions: Vec<[f32; D]> = (0..rows).map(|_| std::array::from_fn(|_| width * seed.next_normal())).collect();
        let split = Split::new(spacing);
        let mut forces = vec![[0.0; D]; rows];
        let total = add(&split, &positions, &mut forces);
        let (mut should_total, mut pairs) = (0.0, 0);
        for (row, force) in forces.iter().enumerate() {
            let mut should = [0.0_f64; D];
            for (other, position) in positions.iter().enumerate() {
                let away: [f32; D] = std::array::from_fn(|axis| positions[row][axis] - position[axis]);
                let square = away.iter().map(|away| away * away).sum::<f32>();
                if other != row && square < split.reach().powi(2) * 0.999_99 {
                    let [share, push] = split.near(square).map(f64::from);
                    (should_total, pairs) = (should_total + share, pairs + 1);
                    should.iter_mut().zip(away).for_each(|(sum, away)| *sum += push * f64::from(away));
                }
            }
            assert!(should.iter().zip(force).all(|(should, is)| (should - f64::from(*is)).abs() < 1e-4 * (1.0 + should.abs())));
        }
        assert!((total - should_total).abs() < 1e-4 * (1.0 + should_total), "{total}, {should_total}");
        assert!(pairs > rows, "{pairs} near pairs are no test");
    }

    #[test]
    fn cells_find_every_near_pair_once() {
        for (width, spacing) in [(0.5, 0.3), (5.0, 0.6), (40.0, 2.0), (1.0, 5.0), (200.0, 20.0)] {
            check::<2>(600, width, spacing);
            check::<3>(600, width, spacing);
        }
    }
}
