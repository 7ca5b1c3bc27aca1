//! The original dimensions: some columns of the matrix, as they are.

use rayon::prelude::*;

use super::error::ProjectError;
use crate::matrix::{FeatureMatrix, RowSource};

/// Rows that one task reads at a time.
const BLOCK_ROWS: usize = 1024;

/// The columns `axes` of every row, `[rows, axes]`.
///
/// # Errors
/// [`ProjectError::NoSuchAxis`]; [`ProjectError::NotFinite`] where one of these columns has no finite number.
pub fn columns(source: &dyn RowSource, axes: &[usize]) -> Result<FeatureMatrix, ProjectError> {
    let (rows, dims, kept) = (source.rows(), source.dims(), axes.len());
    if let Some(&axis) = axes.iter().find(|&&axis| axis >= dims) {
        return Err(ProjectError::NoSuchAxis { kind: "dimension", number: axis + 1, count: dims });
    }
    let mut coordinates = vec![0.0; rows * kept];
    let blocks: Vec<_> = coordinates
        .par_chunks_mut((BLOCK_ROWS * kept).max(1))
        .enumerate()
        .map(|(block, into)| {
            let first = block * BLOCK_ROWS;
            let count = into.len() / kept;
            let mut read = vec![0.0; count * dims];
            source.read_rows(first..first + count, &mut read)?;
            for (row, (from, into)) in read.chunks_exact(dims).zip(into.chunks_exact_mut(kept)).enumerate() {
                for (&axis, into) in axes.iter().zip(into) {
                    if !from[axis].is_finite() {
                        return Err(ProjectError::NotFinite { row: first + row, column: axis, value: from[axis] });
                    }
                    *into = from[axis];
                }
            }
            Ok(())
        })
        .collect();
    // In order, so that the first bad row is the one that is named.
    blocks.into_iter().collect::<Result<(), _>>()?;
    Ok(FeatureMatrix::new(rows, kept, coordinates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_as_they_are_in_the_order_asked_for() {
        let rows = 3 * BLOCK_ROWS + 5;
        let matrix = FeatureMatrix::new(rows, 3, (0..rows * 3).map(|i| i as f32).collect());
        let taken = columns(&matrix, &[2, 0]).unwrap();
        assert!((0..rows).all(|row| taken.row(row) == [(row * 3 + 2) as f32, (row * 3) as f32]));
        assert!(matches!(columns(&matrix, &[0, 3]), Err(ProjectError::NoSuchAxis { number: 4, count: 3, .. })));
    }

    #[test]
    fn only_the_columns_that_are_shown_must_be_finite_and_the_first_bad_row_is_named() {
        let mut matrix = FeatureMatrix::new(5000, 2, vec![0.0; 10_000]);
        matrix.values_mut()[2 * 4000] = f32::NAN;
        matrix.values_mut()[2 * 1500] = f32::INFINITY;
        assert!(columns(&matrix, &[1]).is_ok());
        assert!(matches!(columns(&matrix, &[1, 0]), Err(ProjectError::NotFinite { row: 1500, column: 0, .. })));
    }
}
