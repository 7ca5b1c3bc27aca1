//! The result of a projection.

use super::device::ComputeDevice;
use super::error::ProjectError;
use crate::matrix::{FeatureMatrix, RowSource as _};

/// What an axis of a layout means.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisLabel {
    /// A tag's name, `dimension 3` or `component 1`.
    pub name: String,
    /// The share of the whole variance that lies along it, 0 to 1; none where the method has no such thing.
    pub explained_variance_ratio: Option<f32>,
}

/// How an embedding (t-SNE, UMAP) came about.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingReport {
    /// Steps done.
    pub iterations: usize,
    /// t-SNE: the divergence KL(P || Q), in nats.
    pub kl: Option<f64>,
    /// t-SNE: the perplexity used: the one asked for, cut to a third of the other rows.
    pub perplexity: Option<f64>,
    /// Of a sample of rows, the share of the true neighbours that was found.
    pub knn_recall_measured: f64,
    /// Where the time went.
    pub seconds: EmbeddingSeconds,
}

/// Wall time of an embedding's parts, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbeddingSeconds {
    /// Principal components.
    pub pca: f64,
    /// Neighbours.
    pub knn: f64,
    /// Affinities.
    pub affinities: f64,
    /// The descent.
    pub optimize: f64,
}

/// Positions of rows in layout space, and what the axes mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The positions, `[rows shown, axes]`.
    pub coordinates: FeatureMatrix,
    /// One label for each column of `coordinates`.
    pub axes: Vec<AxisLabel>,
    /// For PCA: the share of every component, shown or not, largest first. They sum to 1, or are all 0 where nothing varies.
    pub explained_variance_ratio: Vec<f64>,
    /// For t-SNE and UMAP: how it came about.
    pub embedding: Option<EmbeddingReport>,
    /// What ran.
    pub device: ComputeDevice,
    /// Wall time of fitting and transforming, in seconds.
    pub seconds: f64,
}

impl Layout {
    /// Number of rows shown.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.coordinates.rows()
    }

    /// Looks whether every row has a place: no layout leaves this module that has not.
    ///
    /// # Errors
    /// [`ProjectError::NoPlace`] with the first row that has none.
    pub fn check_finite(&self) -> Result<(), ProjectError> {
        match self.coordinates.values().iter().position(|value| !value.is_finite()) {
            Some(at) => Err(ProjectError::NoPlace { row: at / self.coordinates.dims() }),
            None => Ok(()),
        }
    }

    /// The first three coordinates of each row; missing ones are 0.
    #[must_use]
    pub fn positions(&self) -> Vec<[f32; 3]> {
        let dims = self.coordinates.dims();
        let axis = |row: &[f32], axis: usize| row.get(axis).copied().unwrap_or(0.0);
        if dims == 0 {
            return vec![[0.0; 3]; self.coordinates.rows()];
        }
        self.coordinates.values().chunks_exact(dims).map(|row| [axis(row, 0), axis(row, 1), axis(row, 2)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_layouts_lie_at_depth_0_and_deep_ones_show_their_first_three_axes() {
        let layout = |dims: usize, values: Vec<f32>| Layout {
            coordinates: FeatureMatrix::new(values.len() / dims, dims, values),
            axes: Vec::new(),
            explained_variance_ratio: Vec::new(),
            embedding: None,
            device: ComputeDevice::Cpu,
            seconds: 0.0,
        };
        assert_eq!(layout(1, vec![1.0, 2.0]).positions(), [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]);
        assert_eq!(layout(2, vec![1.0, 2.0]).positions(), [[1.0, 2.0, 0.0]]);
        assert_eq!(layout(4, vec![1.0, 2.0, 3.0, 4.0]).positions(), [[1.0, 2.0, 3.0]]);
    }
}
