//! t-SNE from a matrix to a layout: components, neighbours, affinities, descent on the CPU or the GPU.

use std::time::Instant;

use super::gpu::{self, TsneGpuRun};
use super::run::Pace;
use super::{Affinities, StepSeconds, TsneOptions, TsneRun};
use crate::gpu::PositionBuffer;
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::descent::{Descent, Tuning};
use crate::project::device::Compute;
use crate::project::error::ProjectError;
use crate::project::layout::{EmbeddingReport, EmbeddingSeconds};
use crate::project::neighborhood::Neighborhood;
use crate::project::run::{Observer, Part};
use crate::seed::SplitMix64;

/// Deviation of the first positions along their first axis: small, so that the start is nearly flat in the gradient.
const FIRST_DEVIATION: f64 = 1e-4;
/// Noise in them, as a share of it: rows that are equal must be able to part.
const JITTER: f64 = 0.01;

/// t-SNE of a matrix, under way.
pub struct TsneEmbedding {
    steps: Steps,
    affinities: Option<Affinities>,
    /// Kept where the perplexity may change.
    neighborhood: Option<Neighborhood>,
    perplexity: f64,
    recall: f64,
    rows: usize,
    dims: usize,
    planned: usize,
    iterations: usize,
    seconds: EmbeddingSeconds,
    start: Instant,
}

enum Steps {
    Plane(TsneRun<2>),
    Space(TsneRun<3>),
    Gpu(Box<TsneGpuRun>),
}

/// Prepares the descent for all rows of `source`, `[rows, dims]`, which are held in memory; with `is_tunable`, so is what another perplexity needs.
///
/// # Errors
/// [`ProjectError`]: dimensions other than 2 or 3, a perplexity below 1, values that are no finite numbers, too many rows, the observer's wish.
pub fn prepare(
    source: &dyn RowSource,
    options: &TsneOptions,
    is_tunable: bool,
    compute: &Compute,
    observer: &dyn Observer,
) -> Result<TsneEmbedding, ProjectError> {
    if !(options.perplexity >= 1.0 && options.perplexity.is_finite()) {
        return Err(ProjectError::Perplexity { given: options.perplexity });
    }
    if !(2..=3).contains(&options.dims) {
        return Err(ProjectError::EmbeddingDims { given: options.dims });
    }
    let rows = source.rows();
    let perplexity = within_reach(options.perplexity, rows);
    let k = neighbors_for(perplexity);
    if let Compute::Gpu(context) = compute {
        gpu::check(&context.caps, rows, k)?;
    }
    let neighborhood = Neighborhood::new(source, options.pca_dims, options.dims, k, compute, &Part::new(observer, 0.0, 0.9))?;
    let start = Instant::now();
    let affinities = Affinities::new(rows, &neighborhood.found.table, perplexity);
    let (pca, knn) = (neighborhood.pca_seconds, neighborhood.knn_seconds);
    let seconds = EmbeddingSeconds { pca, knn, affinities: start.elapsed().as_secs_f64(), optimize: 0.0 };
    let recall = neighborhood.found.recall_measured;
    let components = &neighborhood.components;
    let start = Instant::now();
    let (mut kept, exaggeration) = (None, options.exaggeration);
    let steps = match (compute, options.dims) {
        (Compute::Cpu, 2) => Steps::Plane(TsneRun::new(affinities, first_positions(components, options.seed), exaggeration)),
        (Compute::Cpu, _) => Steps::Space(TsneRun::new(affinities, first_positions(components, options.seed), exaggeration)),
        (Compute::Gpu(context), dims) => {
            let run = if dims == 2 {
                TsneGpuRun::new::<2>(context, &affinities, &first_positions(components, options.seed), exaggeration)?
            } else {
                TsneGpuRun::new::<3>(context, &affinities, &first_positions(components, options.seed), exaggeration)?
            };
            kept = Some(affinities);
            Steps::Gpu(Box::new(run))
        }
    };
    Ok(TsneEmbedding {
        steps,
        affinities: kept,
        neighborhood: is_tunable.then_some(neighborhood),
        perplexity,
        recall,
        rows,
        dims: options.dims,
        planned: options.iterations,
        iterations: options.iterations,
        seconds,
        start,
    })
}

/// A perplexity cut to a third of the other rows.
pub(in crate::project) fn within_reach(perplexity: f64, rows: usize) -> f64 {
    perplexity.min((rows.saturating_sub(1) as f64 / 3.0).max(1.0))
}

/// Neighbours that count at a perplexity.
pub(in crate::project) fn neighbors_for(perplexity: f64) -> usize {
    (3.0 * perplexity) as usize
}

impl TsneEmbedding {
    /// Where the time of the steps so far went; a GPU's steps are not told apart.
    #[must_use]
    pub fn step_seconds(&self) -> Option<StepSeconds> {
        match &self.steps {
            Steps::Plane(run) => Some(run.seconds()),
            Steps::Space(run) => Some(run.seconds()),
            Steps::Gpu(_) => None,
        }
    }

    fn pace(&mut self) -> &mut Pace {
        match &mut self.steps {
            Steps::Plane(run) => &mut run.pace,
            Steps::Space(run) => &mut run.pace,
            Steps::Gpu(run) => &mut run.pace,
        }
    }

    fn calibrate(&mut self, perplexity: f64, observer: &dyn Observer) -> Result<(), ProjectError> {
        let Some(neighborhood) = &mut self.neighborhood else { return Ok(()) };
        let perplexity = within_reach(perplexity, self.rows);
        let k = neighbors_for(perplexity);
        if let Steps::Gpu(run) = &self.steps {
            gpu::check(run.caps(), self.rows, k)?;
        }
        neighborhood.widen(k, observer)?;
        self.recall = neighborhood.found.recall_measured;
        let affinities = Affinities::new(self.rows, &neighborhood.found.table.nearest(k), perplexity);
        match &mut self.steps {
            Steps::Plane(run) => run.set_affinities(affinities),
            Steps::Space(run) => run.set_affinities(affinities),
            Steps::Gpu(run) => {
                run.set_affinities(&affinities)?;
                self.affinities = Some(affinities);
            }
        }
        self.perplexity = perplexity;
        Ok(())
    }
}

impl Descent for TsneEmbedding {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn iteration(&self) -> usize {
        match &self.steps {
            Steps::Plane(run) => run.iteration(),
            Steps::Space(run) => run.iteration(),
            Steps::Gpu(run) => run.iteration(),
        }
    }

    fn planned(&self) -> usize {
        self.planned
    }

    fn step(&mut self) -> Result<(), ProjectError> {
        match &mut self.steps {
            Steps::Plane(run) => run.step(),
            Steps::Space(run) => run.step(),
            Steps::Gpu(run) => run.step()?,
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), ProjectError> {
        match &self.steps {
            Steps::Gpu(run) => Ok(run.wait()?),
            _ => Ok(()),
        }
    }

    fn positions(&mut self) -> Result<Vec<[f32; 3]>, ProjectError> {
        Ok(match &self.steps {
            Steps::Plane(run) => run.positions().iter().map(|&[x, y]| [x, y, 0.0]).collect(),
            Steps::Space(run) => run.positions().to_vec(),
            Steps::Gpu(run) => run.positions::<3>()?,
        })
    }

    fn columns(&self) -> Option<&PositionBuffer> {
        match &self.steps {
            Steps::Gpu(run) => Some(run.columns()),
            _ => None,
        }
    }

    fn exaggeration(&self) -> Option<f32> {
        let pace = match &self.steps {
            Steps::Plane(run) => run.pace,
            Steps::Space(run) => run.pace,
            Steps::Gpu(run) => run.pace,
        };
        Some(pace.at(self.iteration(), self.rows).exaggeration)
    }

    fn divergence(&mut self) -> Result<Option<f64>, ProjectError> {
        let kl = match &mut self.steps {
            Steps::Plane(run) => run.kl(),
            Steps::Space(run) => run.kl(),
            Steps::Gpu(run) => {
                // The CPU has all that it takes, and lends it for the moment.
                let affinities = self.affinities.take().unwrap_or_default();
                let exaggeration = run.pace.exaggeration;
                let (kl, affinities) = if self.dims == 2 {
                    kl_of::<2>(affinities, run.positions()?, exaggeration)
                } else {
                    kl_of::<3>(affinities, run.positions()?, exaggeration)
                };
                self.affinities = Some(affinities);
                kl
            }
        };
        Ok(Some(kl))
    }

    fn tune(&mut self, tuning: &Tuning, observer: &dyn Observer) -> Result<(), ProjectError> {
        if within_reach(tuning.perplexity, self.rows) != self.perplexity {
            self.calibrate(tuning.perplexity.max(1.0), observer)?;
        }
        let pace = self.pace();
        (pace.override_exaggeration, pace.rate_factor) = (tuning.exaggeration, tuning.rate);
        Ok(())
    }

    fn reheat(&mut self) {
        let iteration = self.iteration();
        self.pace().begins_at = iteration;
        self.planned = iteration + self.iterations;
    }

    fn report(&mut self) -> Result<EmbeddingReport, ProjectError> {
        let kl = self.divergence()?;
        Ok(EmbeddingReport {
            iterations: self.iteration(),
            kl,
            perplexity: Some(self.perplexity),
            knn_recall_measured: self.recall,
            seconds: EmbeddingSeconds { optimize: self.start.elapsed().as_secs_f64(), ..self.seconds },
        })
    }
}

fn kl_of<const D: usize>(affinities: Affinities, positions: Vec<[f32; D]>, exaggeration: f32) -> (f64, Affinities) {
    let mut run = TsneRun::new(affinities, positions, exaggeration);
    (run.kl(), run.into_affinities())
}

/// The first components, `[rows, D]`, with a deviation of 1e-4 along the first, and some noise.
fn first_positions<const D: usize>(components: &FeatureMatrix, seed: u64) -> Vec<[f32; D]> {
    let (rows, dims) = (components.rows(), components.dims());
    let square: f64 = components.values().chunks_exact(dims).map(|row| f64::from(row[0]).powi(2)).sum();
    let deviation = (square / rows.max(1) as f64).sqrt();
    let scale = if deviation > 0.0 { FIRST_DEVIATION / deviation } else { 0.0 };
    let mut seed = SplitMix64::new(seed);
    let position = |row: &[f32]| {
        std::array::from_fn(|axis| {
            let noise = FIRST_DEVIATION * JITTER * f64::from(seed.next_normal());
            (f64::from(row.get(axis).copied().unwrap_or(0.0)) * scale + noise) as f32
        })
    };
    components.values().chunks_exact(dims).map(position).collect()
}
