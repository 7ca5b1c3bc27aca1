//! t-SNE from a matrix to a layout: components, neighbours, affinities, descent on the CPU or the GPU.

use std::time::{Duration, Instant};

use super::affinities::{Affinities, conditional};
use super::gpu::lists::Lists;
use super::gpu::{self, TsneGpuRun};
use super::run::Pace;
use super::{StepSeconds, TsneOptions, TsneRun};
use crate::gpu::PositionBuffer;
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::descent::{Descent, Tuning, bounds_of};
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
    check_device(rows, options, compute)?;
    let perplexity = within_reach(options.perplexity, rows);
    let k = neighbors_for(perplexity);
    let seeking = Part::new(observer, 0.0, 0.9);
    let neighborhood = Neighborhood::new(source, options.pca_dims, options.dims, k, options.metric, compute, &seeking)?;
    let begin = Begin { perplexity, is_tunable, options, compute };
    if options.dims == 2 { begin.run::<2>(neighborhood, Steps::Plane) } else { begin.run::<3>(neighborhood, Steps::Space) }
}

/// Whether the device takes so many rows at these options' perplexity; looked at before any work is done.
///
/// # Errors
/// [`ProjectError::TooLargeForGpu`].
pub fn check_device(rows: usize, options: &TsneOptions, compute: &Compute) -> Result<(), ProjectError> {
    let k = neighbors_for(within_reach(options.perplexity, rows)).min(rows.saturating_sub(1));
    match compute {
        Compute::Cpu => Ok(()),
        Compute::Gpu(context) => gpu::check(&context.caps, rows, k),
    }
}

/// What a run begins with, beside the neighbours.
struct Begin<'a> {
    perplexity: f64,
    is_tunable: bool,
    options: &'a TsneOptions,
    compute: &'a Compute,
}

impl Begin<'_> {
    /// From neighbours to the first step. Of many rows each column is large: what is not needed any more is let go on the way.
    fn run<const D: usize>(self, mut neighborhood: Neighborhood, on_cpu: fn(TsneRun<D>) -> Steps) -> Result<TsneEmbedding, ProjectError> {
        let Self { perplexity, is_tunable, options, compute } = self;
        let (rows, exaggeration) = (neighborhood.components.rows(), options.exaggeration);
        let recall = neighborhood.found.recall_measured;
        let (pca, knn) = (neighborhood.pca_seconds, neighborhood.knn_seconds);
        let positions = first_positions::<D>(&neighborhood.components, options.seed);
        if !is_tunable {
            (neighborhood.components, neighborhood.features) = (FeatureMatrix::new(0, 0, Vec::new()), FeatureMatrix::new(0, 0, Vec::new()));
        }
        let start = Instant::now();
        let table = &mut neighborhood.found.table;
        let (affinities, steps);
        match compute {
            Compute::Cpu => {
                let conditional = conditional(table, perplexity);
                if !is_tunable {
                    table.distances = Vec::new();
                }
                let made = Affinities::symmetric(rows, table, &conditional);
                affinities = start.elapsed().as_secs_f64();
                steps = on_cpu(TsneRun::new(made, positions, exaggeration));
            }
            Compute::Gpu(context) => {
                let mut lists = Lists::new(context, rows, table, perplexity)?;
                lists.wait()?;
                if !is_tunable {
                    lists.forget_distances();
                }
                affinities = start.elapsed().as_secs_f64();
                steps = Steps::Gpu(Box::new(TsneGpuRun::new(context, lists, &positions, exaggeration)?));
            }
        }
        Ok(TsneEmbedding {
            steps,
            neighborhood: is_tunable.then_some(neighborhood),
            perplexity,
            recall,
            rows,
            dims: D,
            planned: options.iterations,
            iterations: options.iterations,
            seconds: EmbeddingSeconds { pca, knn, affinities, optimize: 0.0 },
            start: start + Duration::from_secs_f64(affinities),
        })
    }
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
        let table = &neighborhood.found.table;
        match &mut self.steps {
            Steps::Plane(run) => run.set_affinities(Affinities::new(self.rows, &table.nearest(k), perplexity)),
            Steps::Space(run) => run.set_affinities(Affinities::new(self.rows, &table.nearest(k), perplexity)),
            // The lists are still those of the table where it has not become wider.
            Steps::Gpu(run) if run.lists().neighbors() == table.k => run.calibrate(perplexity, k)?,
            Steps::Gpu(run) => run.set_neighbors(table, perplexity)?,
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

    fn bounds(&mut self) -> Result<[[f32; 3]; 2], ProjectError> {
        Ok(match &self.steps {
            Steps::Plane(_) | Steps::Space(_) => bounds_of(&self.positions()?),
            Steps::Gpu(run) => run.bounds()?,
        })
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
            Steps::Gpu(run) => run.divergence()?,
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
