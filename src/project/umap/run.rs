//! The steps: positions, and for each row a way along its edges and off others.
//!
//! umap-learn takes one edge after the other, each as often as its membership says, moves both of its ends together and its first end off five
//! rows drawn at random. Here a step takes all rows at once: each goes through its own edges in order, with its own place up to date and the others' as they
//! were before the step. Both directions of an edge are in the set, so that each of its ends is pulled twice an epoch, once for either
//! direction, as there. The five pushes that follow are all taken from one place, so that none of them waits for another.

use rayon::prelude::*;

use super::curve::Curve;
use super::forces::Forces;
use super::fuzzy_set::FuzzySet;

/// Rows that a row is pushed off for each edge taken.
pub const NEGATIVES: u32 = 5;
/// Longest way along an axis that one pull or push may go.
const LONGEST: f32 = 4.0;
/// Rows that one task takes.
const TASK: usize = 256;

/// What holds for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 0.
    pub iteration: u32,
    /// The learning rate: from 1 down to 0.
    pub rate: f32,
    /// What rows are drawn by.
    pub seed: u32,
    /// The curve.
    pub curve: Curve,
}

/// UMAP under way, in `D` dimensions.
pub struct UmapRun<const D: usize> {
    set: FuzzySet,
    positions: Vec<[f32; D]>,
    before: Vec<[f32; D]>,
    /// Of the curve that it was last made for.
    forces: Option<(Curve, Forces)>,
}

impl<const D: usize> UmapRun<D> {
    /// Starts at `positions`, `[rows, D]`.
    ///
    /// # Panics
    /// If `set` has another number of rows: a caller's mistake.
    #[must_use]
    pub fn new(set: FuzzySet, positions: Vec<[f32; D]>) -> Self {
        assert_eq!(set.rows(), positions.len(), "edges of other rows");
        let before = positions.clone();
        Self { set, positions, before, forces: None }
    }

    /// The layout as it is, `[rows, D]`.
    #[must_use]
    pub fn positions(&self) -> &[[f32; D]] {
        &self.positions
    }

    /// One step of all rows.
    pub fn step(&mut self, step: &Step) {
        if self.positions.len() < 2 {
            return;
        }
        std::mem::swap(&mut self.positions, &mut self.before);
        let kept = self.forces.take().filter(|(curve, _)| *curve == step.curve);
        let (_, forces) = self.forces.insert(kept.unwrap_or_else(|| (step.curve, Forces::new(step.curve))));
        let (set, before, forces) = (&self.set, &self.before, &*forces);
        self.positions.par_chunks_mut(TASK).enumerate().for_each(|(task, positions)| {
            for (at, position) in positions.iter_mut().enumerate() {
                *position = moved(set, before, forces, task * TASK + at, step);
            }
        });
    }
}

/// Where a row goes in a step.
fn moved<const D: usize>(set: &FuzzySet, before: &[[f32; D]], forces: &Forces, row: usize, step: &Step) -> [f32; D] {
    let Step { iteration, rate, seed, .. } = *step;
    let mut at = before[row];
    let drawn = draw(row as u32 ^ draw(iteration ^ draw(seed)));
    let mut draws = 0_u32;
    for (other, membership) in set.of(row) {
        if !is_taken(membership, iteration) {
            continue;
        }
        let goal = before[other as usize];
        for _ in 0..2 {
            let (away, square) = way(&at, &goal);
            let pull = forces.pull(square);
            at = std::array::from_fn(|axis| at[axis] + rate * (pull * away[axis]).clamp(-LONGEST, LONGEST));
        }
        let mut pushed = [0.0; D];
        for _ in 0..NEGATIVES {
            let off = below(draw(drawn.wrapping_add(draws)), before.len());
            draws += 1;
            let (away, square) = way(&at, &before[off]);
            // A row is not pushed off itself; without a branch, since the five go side by side.
            let push = forces.push(square) * f32::from(u8::from(off != row));
            pushed = std::array::from_fn(|axis| pushed[axis] + (push * away[axis]).clamp(-LONGEST, LONGEST));
        }
        at = std::array::from_fn(|axis| at[axis] + rate * pushed[axis]);
    }
    at
}

/// The way from `goal`, and the square of its length.
#[inline(always)]
fn way<const D: usize>(at: &[f32; D], goal: &[f32; D]) -> ([f32; D], f32) {
    let away: [f32; D] = std::array::from_fn(|axis| at[axis] - goal[axis]);
    (away, away.iter().map(|away| away * away).sum())
}

/// Whether an edge is taken in a step: each as often as its membership says, evenly.
fn is_taken(membership: f32, iteration: u32) -> bool {
    // Whole numbers below 2^31 round alike on every device, and faster than with floor.
    (membership * (iteration + 1) as f32) as i32 > (membership * iteration as f32) as i32
}

/// A number that looks like chance (O'Neill's PCG as a hash: Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020).
fn draw(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// One of `count` rows by a drawn number: the high half of their product (Lemire, "Fast Random Integer Generation in an Interval", 2019).
#[inline(always)]
fn below(drawn: u32, count: usize) -> usize {
    ((u64::from(drawn) * count as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_taken_as_often_as_their_membership_says() {
        for membership in [1.0, 0.5, 0.3, 0.01, 1e-4] {
            let taken = (0..500).filter(|&iteration| is_taken(membership, iteration)).count();
            assert!((taken as f32 - 500.0 * membership).abs() <= 1.0, "{membership}: {taken}");
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let mut counts = [0_u32; 16];
        (0..16_000).for_each(|value| counts[draw(value) as usize % 16] += 1);
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        let mut counts = [0_u32; 7];
        (0..7000).for_each(|value| counts[below(draw(value), 7)] += 1);
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
