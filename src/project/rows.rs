//! A matrix with rows left out.

use std::ops::Range;

use super::error::ProjectError;
use crate::matrix::{RowError, RowSource};

/// Some rows of a matrix, as a matrix.
pub struct SelectedRows<'a> {
    source: &'a dyn RowSource,
    rows: &'a [usize],
}

impl<'a> SelectedRows<'a> {
    /// The rows `rows` of `source`, in that order.
    ///
    /// # Errors
    /// [`ProjectError::NoSuchRow`] past the end of `source`.
    pub fn try_new(source: &'a dyn RowSource, rows: &'a [usize]) -> Result<Self, ProjectError> {
        match rows.iter().find(|&&row| row >= source.rows()) {
            Some(&row) => Err(ProjectError::NoSuchRow { row, rows: source.rows() }),
            None => Ok(Self { source, rows }),
        }
    }
}

impl RowSource for SelectedRows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dims(&self) -> usize {
        self.source.dims()
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        let dims = self.dims();
        let mut wanted = &self.rows[rows];
        let mut left = into;
        // Neighbouring rows are read in one go: whole tracks lie together.
        while let Some(&first) = wanted.first() {
            let run = wanted.iter().zip(first..).take_while(|&(&row, expected)| row == expected).count();
            let (now, later) = left.split_at_mut(run * dims);
            self.source.read_rows(first..first + run, now)?;
            (wanted, left) = (&wanted[run..], later);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::FeatureMatrix;

    #[test]
    fn selected_rows_come_in_the_order_asked_for() {
        let matrix = FeatureMatrix::new(5, 2, (0..10u8).map(f32::from).collect());
        let selected = SelectedRows::try_new(&matrix, &[3, 4, 0, 0, 2]).unwrap();
        assert_eq!(selected.to_matrix().unwrap().values(), [6.0, 7.0, 8.0, 9.0, 0.0, 1.0, 0.0, 1.0, 4.0, 5.0]);
        assert!(matches!(SelectedRows::try_new(&matrix, &[5]), Err(ProjectError::NoSuchRow { row: 5, rows: 5 })));
    }
}
