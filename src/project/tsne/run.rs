//! The descent: positions, their speed, and a step at a time.

use rayon::prelude::*;

use super::affinities::Affinities;
use super::exact;
use super::grid::Grid;
use super::step_seconds::{Lap, StepSeconds};

/// Steps in which attraction is exaggerated.
pub const EXAGGERATED_STEPS: usize = 250;
/// Rows up to which all pairs are about as fast as the grid, in the plane and in space.
pub(super) const EXACT_ROWS: [usize; 2] = [2000, 8000];
/// How much of a step is kept for the next, while attraction is exaggerated and after.
const MOMENTUM: [f32; 2] = [0.5, 0.8];
/// Longest way of a point in one step, in units of the layout.
const LONGEST_STEP: f32 = 5.0;
const SMALLEST_GAIN: f32 = 0.01;
const SLOWEST_RATE: f32 = 200.0;

/// What holds for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// What attraction is multiplied by.
    pub exaggeration: f32,
    /// How much of a step is kept for the next.
    pub momentum: f32,
    /// The learning rate.
    pub rate: f32,
}

/// How a run's steps change over time, and what a user has changed of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// What attraction is multiplied by in the first 250 steps.
    pub exaggeration: f32,
    /// What it is multiplied by instead, at any time.
    pub override_exaggeration: Option<f32>,
    /// What the learning rate is multiplied by.
    pub rate_factor: f32,
    /// The step at which the schedule began, or began anew.
    pub begins_at: usize,
}

impl Pace {
    /// As planned.
    #[must_use]
    pub fn new(exaggeration: f32) -> Self {
        Self { exaggeration, override_exaggeration: None, rate_factor: 1.0, begins_at: 0 }
    }

    /// What holds for step number `iteration` of so many rows. The rate is the rows over the exaggeration (Belkina et al.,
    /// "Automated optimized parameters for t-distributed stochastic neighbor embedding", 2019).
    #[must_use]
    pub fn at(&self, iteration: usize, rows: usize) -> Schedule {
        let is_exaggerated = iteration.saturating_sub(self.begins_at) < EXAGGERATED_STEPS;
        let planned = if is_exaggerated { self.exaggeration } else { 1.0 };
        let exaggeration = self.override_exaggeration.unwrap_or(planned);
        let rate = (rows as f32 / exaggeration).max(SLOWEST_RATE) * self.rate_factor;
        Schedule { exaggeration, momentum: MOMENTUM[usize::from(!is_exaggerated)], rate }
    }
}

/// t-SNE under way, in `D` dimensions.
pub struct TsneRun<const D: usize> {
    affinities: Affinities,
    positions: Vec<[f32; D]>,
    speeds: Vec<[f32; D]>,
    gains: Vec<[f32; D]>,
    repulsion: Vec<[f32; D]>,
    grid: Grid<D>,
    /// How fast.
    pub pace: Pace,
    iteration: usize,
    seconds: StepSeconds,
}

impl<const D: usize> TsneRun<D> {
    /// Starts at `positions`, `[rows, D]`; attraction is multiplied by `exaggeration` in the first 250 steps.
    ///
    /// # Panics
    /// If `affinities` has another number of rows: a caller's mistake.
    #[must_use]
    pub fn new(affinities: Affinities, positions: Vec<[f32; D]>, exaggeration: f32) -> Self {
        let rows = positions.len();
        assert_eq!(affinities.rows(), rows, "affinities of other rows");
        let zeros = vec![[0.0; D]; rows];
        let gains = vec![[1.0; D]; rows];
        Self {
            affinities,
            positions,
            speeds: zeros.clone(),
            gains,
            repulsion: zeros,
            grid: Grid::default(),
            pace: Pace::new(exaggeration),
            iteration: 0,
            seconds: StepSeconds::default(),
        }
    }

    /// Takes other affinities; positions and speeds stay.
    ///
    /// # Panics
    /// If they have another number of rows: a caller's mistake.
    pub fn set_affinities(&mut self, affinities: Affinities) {
        assert_eq!(affinities.rows(), self.positions.len(), "affinities of other rows");
        self.affinities = affinities;
    }

    /// Steps done.
    #[must_use]
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// Where the time of the steps so far went.
    #[must_use]
    pub fn seconds(&self) -> StepSeconds {
        self.seconds
    }

    /// The layout as it is, `[rows, D]`.
    #[must_use]
    pub fn positions(&self) -> &[[f32; D]] {
        &self.positions
    }

    /// One step down the gradient 4 Σ (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|²) (van der Maaten and Hinton 2008, equation 5), with
    /// momentum and with gains that grow where a coordinate turns round (Jacobs 1988).
    pub fn step(&mut self) {
        if self.positions.len() < 2 {
            self.iteration += 1;
            return;
        }
        let Schedule { exaggeration, momentum, rate } = self.pace.at(self.iteration, self.positions.len());
        let gradient = self.gradient(exaggeration);
        let mut lap = Lap::begin();
        let moved = self.positions.par_iter_mut().zip(&mut self.speeds).zip(&mut self.gains).zip(gradient);
        moved.for_each(|(((position, speed), gain), gradient)| {
            for axis in 0..D {
                let turns = (gradient[axis] > 0.0) == (speed[axis] > 0.0);
                gain[axis] = if turns { (gain[axis] * 0.8).max(SMALLEST_GAIN) } else { gain[axis] + 0.2 };
                speed[axis] = momentum * speed[axis] - rate * gain[axis] * gradient[axis];
            }
            let length = speed.iter().map(|speed| speed * speed).sum::<f32>().sqrt();
            let shorten = if length > LONGEST_STEP { LONGEST_STEP / length } else { 1.0 };
            for (position, speed) in position.iter_mut().zip(speed) {
                *speed *= shorten;
                *position += *speed;
            }
        });
        self.centre();
        lap.end(&mut self.seconds.motion);
        self.iteration += 1;
    }

    /// The gradient at the positions, `[rows, D]`.
    #[must_use]
    pub fn gradient(&mut self, exaggeration: f32) -> Vec<[f32; D]> {
        let z = self.repel();
        let mut lap = Lap::begin();
        let push = (1.0 / z) as f32;
        let (positions, affinities) = (&self.positions, &self.affinities);
        let of_row = |(row, repulsion): (usize, &[f32; D])| {
            let mut pull = [0.0; D];
            for (other, p) in affinities.of(row) {
                let away: [f32; D] = std::array::from_fn(|axis| positions[row][axis] - positions[other][axis]);
                let share = p / (1.0 + away.iter().map(|away| away * away).sum::<f32>());
                for (pull, away) in pull.iter_mut().zip(away) {
                    *pull += share * away;
                }
            }
            std::array::from_fn(|axis| 4.0 * (exaggeration * pull[axis] - push * repulsion[axis]))
        };
        let gradient = self.repulsion.par_iter().enumerate().map(of_row).collect();
        lap.end(&mut self.seconds.attraction);
        gradient
    }

    /// The divergence KL(P || Q) of the layout from the affinities, in nats; 0 without neighbours.
    #[must_use]
    pub fn kl(&mut self) -> f64 {
        if self.positions.len() < 2 {
            return 0.0;
        }
        let z = self.repel();
        let positions = &self.positions;
        self.affinities.sum_over_rows(|row| {
            let of_entry = |(other, p): (usize, f32)| {
                let square: f64 = (0..D).map(|axis| f64::from(positions[row][axis] - positions[other][axis]).powi(2)).sum();
                if p > 0.0 { f64::from(p) * (f64::from(p) * z * (1.0 + square)).ln() } else { 0.0 }
            };
            self.affinities.of(row).map(of_entry).sum()
        })
    }

    /// Forces of all upon all; returns Z.
    fn repel(&mut self) -> f64 {
        if self.positions.len() <= EXACT_ROWS[usize::from(D == 3)] {
            let mut lap = Lap::begin();
            let z = exact::repulsion(&self.positions, &mut self.repulsion);
            lap.end(&mut self.seconds.all_pairs);
            z
        } else {
            self.grid.timed_repulsion(&self.positions, &mut self.repulsion, &mut self.seconds)
        }
    }

    /// Forces sum to 0 but for rounding; what is left must not carry the layout away.
    fn centre(&mut self) {
        let mut mean = [0.0_f64; D];
        for position in &self.positions {
            for (mean, value) in mean.iter_mut().zip(position) {
                *mean += f64::from(*value);
            }
        }
        let mean = mean.map(|mean| (mean / self.positions.len() as f64) as f32);
        self.positions.par_iter_mut().for_each(|position| position.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean));
    }
}
