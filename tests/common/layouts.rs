//! For judging layouts and what moves them.

use tagscape::matrix::{FeatureMatrix, RowSource};
use tagscape::neighbors::Watch;
use tagscape::project::{Compute, Embedding, EmbeddingReport, Method, NoObserver, ProjectError, Projection};

/// Watches a search, and lets it go on.
pub struct Patient;

impl Watch for Patient {
    fn progress(&self, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Sorted relative errors of forces.
pub fn force_errors<const D: usize>(found: &[[f32; D]], should: &[[f32; D]]) -> Vec<f64> {
    let norm = |force: [f64; D]| force.iter().map(|value| value * value).sum::<f64>().sqrt();
    let mut errors: Vec<f64> = found
        .iter()
        .zip(should)
        .map(|(found, should)| {
            let off = std::array::from_fn(|axis| f64::from(found[axis]) - f64::from(should[axis]));
            norm(off) / norm(should.map(f64::from)).max(1e-12)
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    errors
}

/// A layout by neighbours, `[rows, 2 or 3]`, and how it came about.
pub fn embed(matrix: &dyn RowSource, embedding: Embedding, compute: &Compute) -> Result<(FeatureMatrix, EmbeddingReport), ProjectError> {
    let projection = Projection { space: matrix, fitted_on: None, shown: None, column_names: &[], method: Method::Embedding(embedding) };
    let layout = projection.run(compute, &NoObserver)?;
    Ok((layout.coordinates, layout.embedding.unwrap()))
}
