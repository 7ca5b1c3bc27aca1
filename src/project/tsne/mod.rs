//! t-SNE (van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008), in 2-D and 3-D.
//!
//! Neighbours make [`Affinities`] by perplexity; from the principal components, [`TsneRun`] goes down the gradient of the divergence
//! between them and the layout's own affinities. A point is drawn by its neighbours ([`Affinities`]' rows) and pushed away by all others:
//! by all pairs where there are few ([`exact`]), else by a potential on a grid and, where that is too coarse, by the pairs that are near ([`grid`]).

mod affinities;
mod embedding;
pub mod exact;
pub mod gpu;
pub mod grid;
mod near;
mod newcomers;
mod run;
mod spectrum;
pub mod split;
mod step_seconds;
pub mod still;

pub use affinities::Affinities;
pub use embedding::{TsneEmbedding, check_device, prepare};
pub(super) use embedding::{neighbors_for, within_reach};
pub use newcomers::{FIRST_NEIGHBORS, NewcomerOptions, settle};
pub use run::{Pace, Schedule, TsneRun};
pub use step_seconds::StepSeconds;

use crate::neighbors::Metric;

/// How to embed. The defaults are those of Kobak and Berens, "The art of using t-SNE for single-cell transcriptomics", 2019, and of openTSNE.
#[derive(Clone, Debug, PartialEq)]
pub struct TsneOptions {
    /// Dimensions of the layout, 2 or 3.
    pub dims: usize,
    /// How many neighbours count, roughly. Cut to a third of the other rows.
    pub perplexity: f64,
    /// Steps in all.
    pub iterations: usize,
    /// What attraction is multiplied by in the first 250 steps.
    pub exaggeration: f32,
    /// Principal components that neighbours are sought in, where the space has more dimensions.
    pub pca_dims: usize,
    /// By what neighbours are near.
    pub metric: Metric,
    /// For the jitter of the first positions.
    pub seed: u64,
}

impl Default for TsneOptions {
    fn default() -> Self {
        Self { dims: 2, perplexity: 30.0, iterations: 750, exaggeration: 12.0, pca_dims: 50, metric: Metric::Euclidean, seed: 0 }
    }
}
