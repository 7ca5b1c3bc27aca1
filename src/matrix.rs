//! Feature matrices: row-major `f32`, `[rows, dims]`, and whatever can be read as one.
//!
//! A whole dataset's matrix does not fit in memory, so that everything that projects reads from a [`RowSource`] in runs of
//! rows: a [`FeatureMatrix`] in memory, or a file of the store. A file can be cut off or exchanged while it is open, and a disk
//! can fail, so that every run of rows may be an error.

use std::ops::Range;
use std::path::PathBuf;

/// Rows that cannot be read any more, of a file that could be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {}: {why}", path.display())]
pub struct RowError {
    /// The file.
    pub path: PathBuf,
    /// The reason, in words.
    pub why: String,
}

/// Rows that can be read, all of the same length.
pub trait RowSource: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Values in a row.
    fn dims(&self) -> usize;

    /// Copies `rows` into `into`, row-major, `rows.len() * dims()` values.
    ///
    /// # Errors
    /// [`RowError`] where a file no longer has them; `into` is of no use then.
    ///
    /// # Panics
    /// If the range passes the end or `into` is of another length: a caller's mistake, never a file's.
    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError>;

    /// About `wanted` rows in memory, in runs of 64 that lie equally far apart: a sample that touches few pages of a file.
    ///
    /// # Errors
    /// As [`read_rows`](Self::read_rows).
    fn sample(&self, wanted: usize) -> Result<FeatureMatrix, RowError> {
        let (rows, dims) = (self.rows(), self.dims());
        let step = (rows / wanted.div_ceil(SAMPLED_RUN).max(1)).max(SAMPLED_RUN);
        let mut values = Vec::new();
        for first in (0..rows).step_by(step) {
            let run = first..(first + SAMPLED_RUN).min(rows);
            let begin = values.len();
            values.resize(begin + run.len() * dims, 0.0);
            self.read_rows(run, &mut values[begin..])?;
        }
        Ok(FeatureMatrix { rows: values.len() / dims.max(1), dims, values })
    }

    /// All rows, in memory.
    ///
    /// # Errors
    /// As [`read_rows`](Self::read_rows).
    fn to_matrix(&self) -> Result<FeatureMatrix, RowError> {
        let mut values = vec![0.0; self.rows() * self.dims()];
        self.read_rows(0..self.rows(), &mut values)?;
        Ok(FeatureMatrix { rows: self.rows(), dims: self.dims(), values })
    }
}

impl<T: RowSource + ?Sized> RowSource for &T {
    fn rows(&self) -> usize {
        (**self).rows()
    }

    fn dims(&self) -> usize {
        (**self).dims()
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        (**self).read_rows(rows, into)
    }
}

/// Rows that follow one another in a sample: most of a track of a few minutes.
const SAMPLED_RUN: usize = 64;

/// A matrix in memory, row-major, `[rows, dims]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureMatrix {
    rows: usize,
    dims: usize,
    values: Vec<f32>,
}

impl FeatureMatrix {
    /// Takes `values` as `[rows, dims]`.
    ///
    /// # Panics
    /// If `values` has another length than `rows * dims`.
    #[must_use]
    pub fn new(rows: usize, dims: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), rows * dims, "a [{rows}, {dims}] matrix has {} values, not {}", rows * dims, values.len());
        Self { rows, dims, values }
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..(row + 1) * self.dims]
    }

    /// All values, row-major.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, row-major, for writing.
    #[must_use]
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Gives the values away.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

impl RowSource for FeatureMatrix {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        into.copy_from_slice(&self.values[rows.start * self.dims..rows.end * self.dims]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_in_runs() {
        let matrix = FeatureMatrix::new(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut run = [0.0; 4];
        matrix.read_rows(1..3, &mut run).unwrap();
        assert_eq!(run, [3.0, 4.0, 5.0, 6.0]);
        assert_eq!(matrix.row(0), [1.0, 2.0]);
        assert_eq!(matrix.to_matrix().unwrap(), matrix);
        assert_eq!(matrix.sample(1).unwrap(), matrix);
        let long = FeatureMatrix::new(1000, 1, (0..1000).map(|row| row as f32).collect());
        let sample = long.sample(200).unwrap();
        assert!((192..=256).contains(&sample.rows()), "{}", sample.rows());
        assert_eq!((sample.row(0), sample.row(63), sample.row(64)), (&[0.0][..], &[63.0][..], &[250.0][..]));
    }
}
