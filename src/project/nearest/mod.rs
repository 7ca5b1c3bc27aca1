//! The search for neighbours on whatever is there: `neighbors`' own on the CPU, compute shaders where a GPU was given and the matrix suits it.

pub mod gpu;

use super::device::Compute;
use super::error::ProjectError;
use crate::matrix::FeatureMatrix;
use crate::neighbors::{self, Found, Metric, Watch};

/// The `k` nearest other rows of every row of `features`, `[rows, dims]`, or all others where there are fewer; the rows are scaled already as the metric
/// asks ([`Metric::of_length`]). The GPU's are those of the exact search on the CPU.
///
/// # Errors
/// [`ProjectError`]: too many rows, the watcher's wish, a failing GPU.
pub fn find(features: &FeatureMatrix, k: usize, metric: Metric, compute: &Compute, watch: &dyn Watch) -> Result<Found, ProjectError> {
    match compute {
        Compute::Gpu(context) if gpu::takes(context, features, k) => {
            Ok(Found::measured(features, gpu::search(context, features, k, watch)?, metric))
        }
        _ => Ok(neighbors::find_by_length(features, k, metric, watch)?),
    }
}
