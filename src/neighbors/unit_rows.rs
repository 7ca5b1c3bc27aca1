//! A matrix whose rows are scaled to length 1, so that the lengths of their differences order them by the angles between them.

use std::ops::Range;

use crate::matrix::{FeatureMatrix, RowError, RowSource};

/// The rows of a matrix at length 1; rows of zeros stay zeros, and those with a value that is no finite number stay as they are.
pub struct UnitRows<'a> {
    source: &'a dyn RowSource,
}

impl<'a> UnitRows<'a> {
    /// The rows of `source`, `[rows, dims]`, scaled as they are read.
    #[must_use]
    pub fn new(source: &'a dyn RowSource) -> Self {
        Self { source }
    }
}

impl RowSource for UnitRows<'_> {
    fn rows(&self) -> usize {
        self.source.rows()
    }

    fn dims(&self) -> usize {
        self.source.dims()
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        self.source.read_rows(rows, into)?;
        scale(into, self.dims());
        Ok(())
    }
}

/// The rows of a matrix in memory at length 1.
#[must_use]
pub(super) fn scaled(mut matrix: FeatureMatrix) -> FeatureMatrix {
    let dims = matrix.dims();
    scale(matrix.values_mut(), dims);
    matrix
}

/// Scales rows to length 1.
fn scale(rows: &mut [f32], dims: usize) {
    for row in rows.chunks_exact_mut(dims.max(1)) {
        // In f64 no square of an f32 overflows or vanishes.
        let length = row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 && length.is_finite() {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_length_1_whatever_their_size_and_zeros_stay() {
        let large = 2.0_f32.powi(120);
        let matrix = FeatureMatrix::new(4, 2, vec![3.0 * large, -4.0 * large, 0.0, 0.0, 3.0 / large, 4.0 / large, f32::NAN, 1.0]);
        let unit = UnitRows::new(&matrix).to_matrix().unwrap();
        let bits = |matrix: &FeatureMatrix| matrix.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&scaled(matrix.clone())), bits(&unit));
        assert_eq!(unit.values()[..6], [0.6, -0.8, 0.0, 0.0, 0.6, 0.8]);
        assert!(unit.row(3)[0].is_nan() && unit.row(3)[1] == 1.0);
    }
}
