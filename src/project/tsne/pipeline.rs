//! From a matrix to a layout: components, neighbours, affinities, descent.

use std::time::Instant;

use super::gpu::{self, TsneGpuRun};
use super::{Affinities, TsneOptions, TsneRun};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::neighbors::{self, Watch};
use crate::project::device::Compute;
use crate::project::error::ProjectError;
use crate::project::layout::{EmbeddingReport, EmbeddingSeconds};
use crate::project::pca;
use crate::project::run::Observer;
use crate::seed::SplitMix64;

/// Deviation of the first positions along their first axis: small, so that the start is nearly flat in the gradient.
const FIRST_DEVIATION: f64 = 1e-4;
/// Noise in them, as a share of it: rows that are equal must be able to part.
const JITTER: f64 = 0.01;

/// A part of an observer's progress.
struct Part<'a> {
    observer: &'a dyn Observer,
    from: f64,
    to: f64,
}

impl Observer for Part<'_> {
    fn progress(&self, fraction: f64) {
        self.observer.progress(self.from + (self.to - self.from) * fraction);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}

impl Watch for Part<'_> {
    fn progress(&self, fraction: f64) {
        Observer::progress(self, fraction);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}

/// Embeds all rows of `source`, `[rows, dims]`, which are held in memory; returns positions `[rows, options.dims]` and what is to be told.
///
/// # Errors
/// [`ProjectError`]: dimensions other than 2 or 3, a perplexity below 1, values that are no finite numbers, too many rows, the observer's wish.
pub fn embed(
    source: &dyn RowSource,
    options: &TsneOptions,
    compute: &Compute,
    observer: &dyn Observer,
) -> Result<(FeatureMatrix, EmbeddingReport), ProjectError> {
    if !(options.perplexity >= 1.0 && options.perplexity.is_finite()) {
        return Err(ProjectError::Perplexity { given: options.perplexity });
    }
    match options.dims {
        2 => embed_in::<2>(source, options, compute, observer),
        3 => embed_in::<3>(source, options, compute, observer),
        given => Err(ProjectError::EmbeddingDims { given }),
    }
}

fn embed_in<const D: usize>(
    source: &dyn RowSource,
    options: &TsneOptions,
    compute: &Compute,
    observer: &dyn Observer,
) -> Result<(FeatureMatrix, EmbeddingReport), ProjectError> {
    let rows = source.rows();
    let perplexity = options.perplexity.min((rows.saturating_sub(1) as f64 / 3.0).max(1.0));
    let k = (3.0 * perplexity) as usize;
    if let Compute::Gpu(context) = compute {
        gpu::check(&context.caps, rows, k)?;
    }
    let part = |from: f64, to: f64| Part { observer, from, to };
    let start = Instant::now();
    let kept = options.pca_dims.max(D).min(source.dims());
    let components = pca::leading(source, kept, compute, &part(0.0, 0.08))?;
    let mut features = if source.dims() > kept { components.clone() } else { source.to_matrix() };
    // Squares must neither overflow nor vanish, and the scale of distances does not matter.
    let largest = features.values().iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = pca::power_of_two_scale(largest);
    features.values_mut().iter_mut().for_each(|value| *value *= scale);
    let pca_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let found = neighbors::find(&features, k, &part(0.08, 0.3))?;
    let knn_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let affinities = Affinities::new(rows, &found.table, perplexity);
    drop(found.table);
    let affinities_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let first = first_positions(&components, options.seed);
    let (positions, kl) = descend::<D>(affinities, first, options, compute, &part(0.32, 1.0))?;
    let seconds =
        EmbeddingSeconds { pca: pca_seconds, knn: knn_seconds, affinities: affinities_seconds, optimize: start.elapsed().as_secs_f64() };
    let report = EmbeddingReport { iterations: options.iterations, kl, perplexity, knn_recall_measured: found.recall_measured, seconds };
    Ok((FeatureMatrix::new(rows, D, positions.into_flattened()), report))
}

/// All steps, and the divergence at their end.
fn descend<const D: usize>(
    affinities: Affinities,
    first: Vec<[f32; D]>,
    options: &TsneOptions,
    compute: &Compute,
    observer: &Part<'_>,
) -> Result<(Vec<[f32; D]>, f64), ProjectError> {
    let after = |step: usize| {
        Observer::progress(observer, step as f64 / options.iterations as f64);
        if Observer::cancelled(observer) { Err(ProjectError::Cancelled) } else { Ok(()) }
    };
    let mut run = match compute {
        Compute::Cpu => {
            let mut run = TsneRun::<D>::new(affinities, first, options.exaggeration);
            while run.iteration() < options.iterations {
                run.step();
                after(run.iteration())?;
            }
            run
        }
        Compute::Gpu(context) => {
            let mut run = TsneGpuRun::new(context, &affinities, &first, options.exaggeration)?;
            while run.iteration() < options.iterations {
                run.step()?;
                after(run.iteration())?;
            }
            // The divergence is asked for once: the CPU has all that it takes.
            TsneRun::new(affinities, run.positions()?, options.exaggeration)
        }
    };
    let kl = run.kl();
    Ok((run.positions().to_vec(), kl))
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
