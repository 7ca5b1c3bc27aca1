//! UMAP (McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction", arXiv 1802.03426), in 2-D and 3-D.
//!
//! Neighbours make a [`FuzzySet`]; from the principal components, [`UmapRun`] pulls rows together along its edges and pushes them off others
//! drawn at random. What umap-learn does edge after edge, both ends at a time, is done here row after row (`run.rs`): a row reads where the
//! others were, and writes nothing but its own place, so that threads and GPUs need no lock and give the same bytes every time.

mod curve;
mod embedding;
pub mod forces;
mod fuzzy_set;
pub mod gpu;
mod run;

pub use curve::Curve;
pub use embedding::{UmapEmbedding, check_device, prepare};
pub use fuzzy_set::FuzzySet;
pub use run::{NEGATIVES, Step, UmapRun};

use crate::neighbors::Metric;

/// How to embed. The defaults are umap-learn's.
#[derive(Clone, Debug, PartialEq)]
pub struct UmapOptions {
    /// Dimensions of the layout, 2 or 3.
    pub dims: usize,
    /// How many rows a row's neighbourhood has, itself among them, as umap-learn counts. Cut to the number of rows.
    pub neighbors: usize,
    /// How near rows that belong together may lie, in units of the layout, 0 to 1.
    pub min_dist: f32,
    /// Steps in all; `None`: 500 up to 10,000 rows, 200 above.
    pub iterations: Option<usize>,
    /// Principal components that neighbours are sought in, where the space has more dimensions.
    pub pca_dims: usize,
    /// By what neighbours are near.
    pub metric: Metric,
    /// For the jitter of the first positions, and for the rows that others are pushed off.
    pub seed: u64,
}

impl UmapOptions {
    /// Steps for so many rows.
    #[must_use]
    pub fn iterations_for(&self, rows: usize) -> usize {
        self.iterations.unwrap_or(if rows <= 10_000 { 500 } else { 200 })
    }
}

impl Default for UmapOptions {
    fn default() -> Self {
        Self { dims: 2, neighbors: 15, min_dist: 0.1, iterations: None, pca_dims: 50, metric: Metric::Euclidean, seed: 0 }
    }
}
