//! UMAP from a matrix to a layout: components, neighbours, edges, steps on the CPU or the GPU.

use std::time::Instant;

use super::UmapOptions;
use super::curve::Curve;
use super::fuzzy_set::FuzzySet;
use super::gpu::{self, UmapGpuRun};
use super::run::{Step, UmapRun};
use crate::gpu::PositionBuffer;
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::descent::{Descent, Tuning};
use crate::project::device::Compute;
use crate::project::error::ProjectError;
use crate::project::layout::{EmbeddingReport, EmbeddingSeconds};
use crate::project::neighborhood::Neighborhood;
use crate::project::run::{Observer, Part};
use crate::seed::SplitMix64;

/// Edge of the box that the first positions lie in, as in umap-learn.
const FIRST_EDGE: f32 = 10.0;
/// Noise in them: rows that are equal must be able to part.
const JITTER: f32 = 1e-3;

/// UMAP of a matrix, under way.
pub struct UmapEmbedding {
    steps: Steps,
    curve: Curve,
    min_dist: f32,
    rate_factor: f32,
    seed: u32,
    recall: f64,
    rows: usize,
    dims: usize,
    iteration: usize,
    /// The step at which the schedule began, or began anew.
    begins_at: usize,
    iterations: usize,
    seconds: EmbeddingSeconds,
    start: Instant,
}

enum Steps {
    Plane(UmapRun<2>),
    Space(UmapRun<3>),
    Gpu(Box<UmapGpuRun>),
}

/// Prepares the steps for all rows of `source`, `[rows, dims]`, which are held in memory.
///
/// # Errors
/// [`ProjectError`]: dimensions other than 2 or 3, fewer than 2 neighbours, a `min_dist` outside of 0 to 1, values that are no finite
/// numbers, too many rows, the observer's wish.
pub fn prepare(
    source: &dyn RowSource,
    options: &UmapOptions,
    compute: &Compute,
    observer: &dyn Observer,
) -> Result<UmapEmbedding, ProjectError> {
    if options.neighbors < 2 {
        return Err(ProjectError::TooFewNeighbors { given: options.neighbors });
    }
    if !(0.0..=1.0).contains(&options.min_dist) {
        return Err(ProjectError::MinDist { given: options.min_dist });
    }
    if !(2..=3).contains(&options.dims) {
        return Err(ProjectError::EmbeddingDims { given: options.dims });
    }
    let rows = source.rows();
    check_device(rows, options, compute)?;
    let k = others_for(options, rows);
    let seeking = Part::new(observer, 0.0, 0.9);
    let neighborhood = Neighborhood::new(source, options.pca_dims, options.dims, k, options.metric, compute, &seeking)?;
    let start = Instant::now();
    let set = FuzzySet::new(rows, &neighborhood.found.table);
    let (pca, knn) = (neighborhood.pca_seconds, neighborhood.knn_seconds);
    let seconds = EmbeddingSeconds { pca, knn, affinities: start.elapsed().as_secs_f64(), optimize: 0.0 };
    let start = Instant::now();
    let positions = first_positions(&neighborhood.components, options.dims, options.seed);
    let steps = match (compute, options.dims) {
        (Compute::Cpu, 2) => Steps::Plane(UmapRun::new(set, positions.iter().map(|&[x, y, _]| [x, y]).collect())),
        (Compute::Cpu, _) => Steps::Space(UmapRun::new(set, positions)),
        (Compute::Gpu(context), _) => Steps::Gpu(Box::new(UmapGpuRun::new(context, &set, &positions)?)),
    };
    Ok(UmapEmbedding {
        steps,
        curve: Curve::new(options.min_dist),
        min_dist: options.min_dist,
        rate_factor: 1.0,
        seed: options.seed as u32,
        recall: neighborhood.found.recall_measured,
        rows,
        dims: options.dims,
        iteration: 0,
        begins_at: 0,
        iterations: options.iterations_for(rows),
        seconds,
        start,
    })
}

/// Whether the device takes so many rows with these options' neighbours; looked at before any work is done.
///
/// # Errors
/// [`ProjectError::TooLargeForGpu`].
pub fn check_device(rows: usize, options: &UmapOptions, compute: &Compute) -> Result<(), ProjectError> {
    match compute {
        Compute::Cpu => Ok(()),
        Compute::Gpu(context) => gpu::check(&context.caps, rows, others_for(options, rows)),
    }
}

/// Other rows in a row's neighbourhood: the row itself is one of its neighbours.
fn others_for(options: &UmapOptions, rows: usize) -> usize {
    options.neighbors.saturating_sub(1).min(rows.saturating_sub(1))
}

impl Descent for UmapEmbedding {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn iteration(&self) -> usize {
        self.iteration
    }

    fn planned(&self) -> usize {
        self.begins_at + self.iterations
    }

    fn step(&mut self) -> Result<(), ProjectError> {
        let done = (self.iteration - self.begins_at) as f32 / self.iterations.max(1) as f32;
        let rate = (1.0 - done).max(0.0) * self.rate_factor;
        let step = Step { iteration: self.iteration as u32, rate, seed: self.seed, curve: self.curve };
        self.iteration += 1;
        match &mut self.steps {
            Steps::Plane(run) => run.step(&step),
            Steps::Space(run) => run.step(&step),
            Steps::Gpu(run) => run.step(&step)?,
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
            Steps::Gpu(run) => run.positions()?,
        })
    }

    fn columns(&self) -> Option<&PositionBuffer> {
        match &self.steps {
            Steps::Gpu(run) => Some(run.columns()),
            _ => None,
        }
    }

    fn bounds(&mut self) -> Result<[[f32; 3]; 2], ProjectError> {
        match &self.steps {
            Steps::Gpu(run) => Ok(run.bounds()?),
            _ => Ok(crate::project::descent::bounds_of(&self.positions()?)),
        }
    }

    fn divergence(&mut self) -> Result<Option<f64>, ProjectError> {
        Ok(None)
    }

    fn tune(&mut self, tuning: &Tuning, _: &dyn Observer) -> Result<(), ProjectError> {
        let min_dist = tuning.min_dist.clamp(0.0, 1.0);
        if min_dist != self.min_dist {
            (self.min_dist, self.curve) = (min_dist, Curve::new(min_dist));
        }
        self.rate_factor = tuning.rate;
        Ok(())
    }

    fn reheat(&mut self) {
        self.begins_at = self.iteration;
    }

    fn report(&mut self) -> Result<EmbeddingReport, ProjectError> {
        Ok(EmbeddingReport {
            iterations: self.iteration,
            kl: None,
            perplexity: None,
            knn_recall_measured: self.recall,
            seconds: EmbeddingSeconds { optimize: self.start.elapsed().as_secs_f64(), ..self.seconds },
        })
    }
}

/// The first components, `[rows, 3]`, the longest axis over [`FIRST_EDGE`], the third 0 in a plane, with some noise. A start from the
/// components keeps as much of the whole as the spectral one (Kobak and Linderman, "Initialization is critical for preserving global data
/// structure in both t-SNE and UMAP", 2021), and there always is one.
fn first_positions(components: &FeatureMatrix, dims: usize, seed: u64) -> Vec<[f32; 3]> {
    let used = dims.min(components.dims());
    let mut edge = 0.0_f32;
    for axis in 0..used {
        let values = || components.values().chunks_exact(components.dims()).map(|row| row[axis]);
        edge = edge.max(values().fold(f32::NEG_INFINITY, f32::max) - values().fold(f32::INFINITY, f32::min));
    }
    let scale = if edge > 0.0 { FIRST_EDGE / edge } else { 0.0 };
    let mut seed = SplitMix64::new(seed);
    let position = |row: &[f32]| {
        std::array::from_fn(|axis| {
            if axis >= dims {
                return 0.0;
            }
            let noise = JITTER * seed.next_normal();
            row.get(axis).copied().unwrap_or(0.0) * scale + noise
        })
    };
    components.values().chunks_exact(components.dims().max(1)).map(position).collect()
}
