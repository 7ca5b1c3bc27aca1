//! What t-SNE and UMAP start from: the leading principal components of the rows, and every row's neighbours in them.

use std::time::Instant;

use super::device::Compute;
use super::error::ProjectError;
use super::nearest;
use super::pca;
use super::run::{Observer, Part};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::neighbors::{Found, Metric, UnitRows, Watch};

/// Rows among their neighbours.
#[derive(Clone, Debug)]
pub struct Neighborhood {
    /// The leading components, `[rows, pca_dims]` or fewer, for first positions; for [`Metric::Cosine`], of the rows at length 1.
    pub components: FeatureMatrix,
    /// What neighbours were sought in by the lengths of differences, `[rows, dims]`: the components, or the rows themselves where those have no more
    /// dimensions. For [`Metric::Euclidean`] scaled by a power of two, so that squares neither overflow nor vanish; for [`Metric::Cosine`] at length 1.
    pub features: FeatureMatrix,
    /// By what they were sought.
    pub metric: Metric,
    /// The neighbours, and how many of the true ones are among them.
    pub found: Found,
    /// Wall time of the components, in seconds.
    pub pca_seconds: f64,
    /// Wall time of the search, in seconds.
    pub knn_seconds: f64,
    /// Where they were sought.
    compute: Compute,
}

/// How many times as far from the middle as half of all rows a row may lie: the squares of their distances, scaled by the farthest, still have all their
/// digits in float32.
const REACH: f64 = 1e16;

/// The row that lies so far away that all distances but its own would vanish beside it; `None` where there is none.
fn out_of_reach(features: &FeatureMatrix) -> Option<usize> {
    let (rows, dims) = (features.rows(), features.dims());
    let mut mean = vec![0.0; dims];
    for row in features.values().chunks_exact(dims) {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows as f64);
    }
    let lengths = features.values().chunks_exact(dims).map(|row| {
        let squares = row.iter().zip(&mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2));
        squares.sum::<f64>().sqrt()
    });
    let lengths: Vec<f64> = lengths.collect();
    let farthest = lengths.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // The mean lies towards the farthest row, and so do the others from it: what is compared is how they differ from each other.
    let others = spread_without(features, farthest.0);
    (others > 0.0 && farthest.1 > REACH * others).then_some(farthest.0)
}

/// The median distance from a row to the next one in the matrix, but for those to and from row `left_out`.
fn spread_without(features: &FeatureMatrix, left_out: usize) -> f64 {
    let kept: Vec<usize> = (0..features.rows()).filter(|&row| row != left_out).collect();
    let distance = |pair: &[usize]| {
        let squares = features.row(pair[0]).iter().zip(features.row(pair[1])).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let mut distances: Vec<f64> = kept.windows(2).map(distance).filter(|&distance| distance > 0.0).collect();
    let middle = distances.len() / 2;
    if distances.is_empty() { 0.0 } else { *distances.select_nth_unstable_by(middle, f64::total_cmp).1 }
}

impl Watch for Part<'_> {
    fn progress(&self, fraction: f64) {
        Observer::progress(self, fraction);
    }

    fn cancelled(&self) -> bool {
        Observer::cancelled(self)
    }
}

impl Neighborhood {
    /// The `k` nearest rows of every row of `source`, `[rows, dims]`, in its first `pca_dims` components where it has more dimensions. At least
    /// `dims` components are made, for a layout of so many.
    ///
    /// The angles of [`Metric::Cosine`] are those between the rows of `source` as they are. Components come after that, of the rows at length 1, whose
    /// differences they keep as well as so few dimensions can: so no angle is ever taken in centred scores, where it would mean another thing.
    ///
    /// # Errors
    /// [`ProjectError`]: values that are no finite numbers, too many rows, the observer's wish, the GPU.
    pub fn new(
        source: &dyn RowSource,
        pca_dims: usize,
        dims: usize,
        k: usize,
        metric: Metric,
        compute: &Compute,
        observer: &dyn Observer,
    ) -> Result<Self, ProjectError> {
        let start = Instant::now();
        let unit = UnitRows::new(source);
        let source = if metric == Metric::Cosine { &unit } else { source };
        let kept = pca_dims.max(dims).min(source.dims());
        let components = pca::leading(source, kept, compute, &Part::new(observer, 0.0, 0.25))?;
        let mut features = if source.dims() > kept { components.clone() } else { source.to_matrix()? };
        if metric == Metric::Euclidean {
            if let Some(row) = out_of_reach(&features) {
                return Err(pca::too_far(source, row));
            }
            // Squares must neither overflow nor vanish, and the scale of distances does not matter.
            let largest = features.values().iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let scale = pca::power_of_two_scale(largest);
            features.values_mut().iter_mut().for_each(|value| *value *= scale);
        }
        let pca_seconds = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let found = nearest::find(&features, k, metric, compute, &Part::new(observer, 0.25, 1.0))?;
        let knn_seconds = start.elapsed().as_secs_f64();
        Ok(Self { components, features, metric, found, pca_seconds, knn_seconds, compute: compute.clone() })
    }

    /// Seeks again where rows have fewer than `k` neighbours, of as many others as there are.
    ///
    /// # Errors
    /// As [`Neighborhood::new`].
    pub fn widen(&mut self, k: usize, observer: &dyn Observer) -> Result<(), ProjectError> {
        if self.found.table.k < k.min(self.features.rows().saturating_sub(1)) {
            let start = Instant::now();
            self.found = nearest::find(&self.features, k, self.metric, &self.compute, &Part::new(observer, 0.0, 1.0))?;
            self.knn_seconds += start.elapsed().as_secs_f64();
        }
        Ok(())
    }
}
