//! New points among those of a layout that is held still (Poličar, Stražar and Zupan, "Embedding to reference t-SNE space addresses batch
//! effects in single-cell classification", Machine Learning 2021; the constants are those of openTSNE's transform).
//!
//! A new point is drawn by its neighbours among the old ones and pushed away by all old ones; new points do not know of each other, so that each
//! goes its own way down its own divergence, and where it ends does not depend on who comes with it.

use rayon::prelude::*;

use super::affinities::calibrate;
use super::still::Still;
use crate::neighbors::NeighborTable;
use crate::project::error::ProjectError;
use crate::project::run::Observer;

/// Neighbours in whose middle a new point begins, at most.
pub const FIRST_NEIGHBORS: usize = 25;
/// What attraction is multiplied by: new points shall lie among their neighbours, not beside them.
const EXAGGERATION: f32 = 1.5;
const RATE: f32 = 0.1;
const MOMENTUM: f32 = 0.8;
const SMALLEST_GAIN: f32 = 0.01;
/// Longest gradient that is followed: a point that begins upon another one would be shot away.
const LONGEST_GRADIENT: f32 = 0.25;
/// New points that one task takes.
const TASK: usize = 32;

/// How to place new points.
#[derive(Clone, Debug, PartialEq)]
pub struct NewcomerOptions {
    /// How many neighbours count, roughly. Cut to a third of the old rows.
    pub perplexity: f64,
    /// Steps.
    pub iterations: usize,
    /// Principal components of the old rows that neighbours are sought in, where the space has more dimensions; best what the layout was made with.
    pub pca_dims: usize,
}

impl Default for NewcomerOptions {
    fn default() -> Self {
        Self { perplexity: 5.0, iterations: 250, pca_dims: 50 }
    }
}

/// Places new points by their neighbours among the old ones, `[new, k]`, nearest first, of which `counted` are drawn to: `[new, D]`.
///
/// # Errors
/// [`ProjectError::Cancelled`].
///
/// # Panics
/// If a neighbour is none of `old`: a caller's mistake.
pub fn settle<const D: usize>(
    old: &[[f32; D]],
    table: &NeighborTable,
    counted: usize,
    options: &NewcomerOptions,
    observer: &dyn Observer,
) -> Result<Vec<[f32; D]>, ProjectError> {
    let still = Still::new(old);
    let mut settled = vec![[0.0; D]; table.rows()];
    // In groups, so that it can be stopped.
    let group = TASK * 16 * rayon::current_num_threads();
    for (number, group_of) in settled.chunks_mut(group).enumerate() {
        observer.progress((number * group) as f64 / table.rows() as f64);
        if observer.cancelled() {
            return Err(ProjectError::Cancelled);
        }
        group_of.par_chunks_mut(TASK).enumerate().for_each(|(task, places)| {
            for (step, place) in places.iter_mut().enumerate() {
                let row = number * group + task * TASK + step;
                *place = settle_one(&still, table, row, counted, options);
            }
        });
    }
    Ok(settled)
}

fn settle_one<const D: usize>(
    still: &Still<'_, D>,
    table: &NeighborTable,
    row: usize,
    counted: usize,
    options: &NewcomerOptions,
) -> [f32; D] {
    let counted = counted.clamp(1, table.k);
    let neighbors: Vec<[f32; D]> = table.of(row).iter().map(|&other| still.points()[other as usize]).collect();
    let mut affinities = vec![0.0; counted];
    calibrate(&table.distances[row * table.k..row * table.k + counted], options.perplexity, &mut affinities);
    let mut position = middle(&neighbors[..neighbors.len().min(FIRST_NEIGHBORS)]);
    let (mut speed, mut gain) = ([0.0_f32; D], [1.0_f32; D]);
    for _ in 0..options.iterations {
        let mut gradient = gradient(still, &neighbors, &affinities, &position);
        let length = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > LONGEST_GRADIENT {
            gradient.iter_mut().for_each(|value| *value *= LONGEST_GRADIENT / length);
        }
        for axis in 0..D {
            let turns = (gradient[axis] > 0.0) == (speed[axis] > 0.0);
            gain[axis] = if turns { gain[axis] * 0.8 + SMALLEST_GAIN } else { gain[axis] + 0.2 };
            speed[axis] = MOMENTUM * speed[axis] - RATE * gain[axis] * gradient[axis];
            position[axis] += speed[axis];
        }
    }
    position
}

/// Σ (exaggerated p_j - q_j) (y - y_j) / (1 + |y - y_j|²), where the p of a new point sum to 1, and so do its q.
fn gradient<const D: usize>(still: &Still<'_, D>, neighbors: &[[f32; D]], affinities: &[f64], at: &[f32; D]) -> [f32; D] {
    let (push, z) = still.upon(at);
    let mut pull = [0.0_f32; D];
    for (other, &p) in neighbors.iter().zip(affinities) {
        let away: [f32; D] = std::array::from_fn(|axis| at[axis] - other[axis]);
        let share = p as f32 / (1.0 + away.iter().map(|away| away * away).sum::<f32>());
        for (pull, away) in pull.iter_mut().zip(away) {
            *pull += share * away;
        }
    }
    std::array::from_fn(|axis| EXAGGERATION * pull[axis] - (f64::from(push[axis]) / z) as f32)
}

/// The median along each axis: a neighbour that lies elsewhere does not draw it into the void between.
fn middle<const D: usize>(points: &[[f32; D]]) -> [f32; D] {
    std::array::from_fn(|axis| {
        let mut along: Vec<f32> = points.iter().map(|point| point[axis]).collect();
        along.sort_unstable_by(f32::total_cmp);
        let half = along.len() / 2;
        if along.len().is_multiple_of(2) { f32::midpoint(along[half - 1], along[half]) } else { along[half] }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn the_middle_of_points_is_their_median() {
        assert_eq!(middle(&[[0.0, 5.0], [1.0, 3.0], [100.0, 4.0]]), [1.0, 4.0]);
        assert_eq!(middle(&[[0.0], [1.0], [3.0], [100.0]]), [2.0]);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_new_points_own_divergence() {
        let mut seed = SplitMix64::new(1);
        let old: Vec<[f32; 2]> = (0..50).map(|_| std::array::from_fn(|_| 3.0 * seed.next_normal())).collect();
        let affinities = [0.5, 0.3, 0.2];
        let still = Still::new(&old);
        // Σ -p ln w + ln Z at exaggeration e: twice the gradient above is its slope.
        let divergence = |at: [f64; 2]| {
            let share = |other: &[f32; 2]| 1.0 / (1.0 + (0..2).map(|axis| (at[axis] - f64::from(other[axis])).powi(2)).sum::<f64>());
            let z: f64 = old.iter().map(share).sum();
            let pull: f64 = old.iter().zip(affinities).map(|(other, p)| -p * share(other).ln()).sum();
            f64::from(EXAGGERATION) * pull + z.ln()
        };
        for at in [[0.3_f32, -0.4], [2.0, 1.0], [-6.0, 3.0]] {
            let found = gradient(&still, &old[..3], &affinities, &at);
            for (axis, found) in found.into_iter().enumerate() {
                let moved = |step: f64| std::array::from_fn(|other| f64::from(at[other]) + if other == axis { step } else { 0.0 });
                let slope = (divergence(moved(1e-4)) - divergence(moved(-1e-4))) / 2e-4;
                assert!((0.5 * slope - f64::from(found)).abs() < 1e-4, "{slope} for {found}");
            }
        }
    }
}
