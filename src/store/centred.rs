//! A user's matrix as float32 without losing what tells its rows apart.
//!
//! Values around 1.7e9 that differ by 1 are all the same in float32, whose steps are 128 there: the differences have to be
//! taken before. Components, t-SNE and UMAP are the same whatever is subtracted from a column; so its mean is subtracted,
//! in float64, where it would cost digits otherwise. Where values themselves are wanted ([`MatrixFile::check_float32`]) or
//! where they are too small or too large even so, that is an error, and never noise.

use std::ops::Range;

use rayon::prelude::*;

use super::error::StoreError;
use super::matrix_file::MatrixFile;
use crate::matrix::{RowError, RowSource};

/// Rows that are looked at as one.
const BLOCK_ROWS: usize = 4096;
/// A mean of so many deviations is subtracted; a smaller one costs float32 four of its 24 binary digits at most.
const DEVIATIONS: f64 = 16.0;
/// What rounding to float32 may change values by, of their deviation.
const ROUNDING: f64 = 1e-3;
/// The smallest deviation whose values float32 still has with most of their digits.
const SMALLEST: f64 = 1e-36;

/// What is known of a column's finite values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Column {
    count: f64,
    /// The first one; sums are of what differs from it, so that they are exact for a constant.
    first: f64,
    sum: f64,
    squares: f64,
    /// The sum of squares of what rounding to float32 changes.
    rounding: f64,
    /// The largest difference from the first, and its row.
    farthest: (f64, usize),
}

impl Column {
    fn add(&mut self, row: usize, value: f64) {
        if !value.is_finite() {
            return;
        }
        let off = value - self.first;
        self.count += 1.0;
        self.sum += off;
        self.squares += off * off;
        self.rounding += (f64::from(value as f32) - value).powi(2);
        if off.abs() > self.farthest.0.abs() {
            self.farthest = (off, row);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        self.rounding += other.rounding;
        if other.farthest.0.abs() > self.farthest.0.abs() {
            self.farthest = other.farthest;
        }
    }

    fn mean(&self) -> f64 {
        self.first + self.sum / self.count.max(1.0)
    }

    fn deviation(&self) -> f64 {
        let count = self.count.max(1.0);
        (self.squares / count - (self.sum / count).powi(2)).max(0.0).sqrt()
    }

    /// What is subtracted from it.
    fn offset(&self) -> f64 {
        let mean = self.mean();
        if mean.is_finite() && mean.abs() > DEVIATIONS * self.deviation() { mean } else { 0.0 }
    }

    /// Whether rounding to float32 changes more than it may, where nothing is subtracted.
    fn is_lost(&self) -> bool {
        let rounding = (self.rounding / self.count.max(1.0)).sqrt();
        !rounding.is_finite() || (self.deviation() > 0.0 && rounding > ROUNDING * self.deviation())
    }
}

/// A matrix of a user's whose columns are near enough to 0 for float32: `value - offset` of each.
#[derive(Debug)]
pub struct CentredMatrix<'a> {
    file: &'a MatrixFile,
    /// `[dims]`: what is subtracted.
    offsets: Vec<f64>,
    /// Whether anything is.
    is_moved: bool,
}

impl MatrixFile {
    /// The matrix with each column's mean subtracted where that saves digits; float16 stays as it is.
    ///
    /// # Errors
    /// Values that float32 cannot have even so, with the row or the column.
    pub fn centred(&self) -> Result<CentredMatrix<'_>, StoreError> {
        if self.is_float16() {
            return Ok(CentredMatrix { file: self, offsets: vec![0.0; self.dims()], is_moved: false });
        }
        let columns = self.columns()?;
        for (at, column) in columns.iter().enumerate() {
            let (off, row) = column.farthest;
            let value = column.first + off;
            if (value - column.offset()).abs() > f64::from(f32::MAX) {
                let why = format!(
                    "row {row} has {value:e} in column {at} (both counted from 0), and float32 ends at 3.4e38; leave it out, or scale the matrix"
                );
                return Err(StoreError::matrix(self.path(), why));
            }
        }
        let largest = columns.iter().map(Column::deviation).fold(0.0, f64::max);
        if largest > 0.0 && largest < SMALLEST {
            let why = format!(
                "its values differ by {largest:.0e} at most, which float32 cannot hold; multiply the matrix by {:.0e}",
                1.0 / largest
            );
            return Err(StoreError::matrix(self.path(), why));
        }
        let offsets: Vec<f64> = columns.iter().map(Column::offset).collect();
        let is_moved = offsets.iter().any(|&offset| offset != 0.0);
        Ok(CentredMatrix { file: self, offsets, is_moved })
    }

    /// Looks whether float32 tells the values of some columns apart as they are, for where values are shown and not differences.
    ///
    /// # Errors
    /// The first column that it does not, and what to do.
    pub fn check_float32(&self, wanted: &[usize]) -> Result<(), StoreError> {
        if self.fits_float32() {
            return Ok(());
        }
        let columns = self.columns()?;
        let lost = wanted.iter().filter_map(|&at| Some((at, columns.get(at)?))).find(|(_, column)| column.is_lost());
        match lost {
            None => Ok(()),
            Some((at, column)) => {
                let why = format!(
                    "float32 cannot tell the values of column {at} (from 0) apart: they lie around {:e} and differ by {:.1e}; subtract the column's mean, or \
                     scale it",
                    column.mean(),
                    column.deviation()
                );
                Err(StoreError::matrix(self.path(), why))
            }
        }
    }

    /// Every column, in one pass over the file.
    fn columns(&self) -> Result<Vec<Column>, StoreError> {
        let (rows, dims) = (self.rows(), self.dims());
        if rows == 0 {
            return Ok(Vec::new());
        }
        let mut begun = vec![Column::default(); dims];
        let failed = |error: RowError| StoreError::matrix(self.path(), error.why);
        self.each(0..1, |at, value| begun[at].first = if value.is_finite() { value } else { 0.0 }).map_err(failed)?;
        let blocks: Result<Vec<Vec<Column>>, RowError> = (0..rows.div_ceil(BLOCK_ROWS))
            .into_par_iter()
            .map(|block| {
                let mut columns = begun.clone();
                let first = block * BLOCK_ROWS;
                self.each(first..rows.min(first + BLOCK_ROWS), |at, value| columns[at % dims].add(first + at / dims, value))?;
                Ok(columns)
            })
            .collect();
        // In their order, so that the sums are the same with any number of threads.
        let mut columns = begun;
        for block in &blocks.map_err(failed)? {
            columns.iter_mut().zip(block).for_each(|(column, block)| column.merge(block));
        }
        Ok(columns)
    }
}

impl CentredMatrix<'_> {
    /// What is subtracted from each column, `[dims]`.
    #[must_use]
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }
}

impl RowSource for CentredMatrix<'_> {
    fn rows(&self) -> usize {
        self.file.rows()
    }

    fn dims(&self) -> usize {
        self.file.dims()
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        if !self.is_moved {
            return self.file.read_rows(rows, into);
        }
        let dims = self.offsets.len();
        assert_eq!(into.len(), rows.len() * dims, "a run of {} rows of {dims} values", rows.len());
        self.file.each(rows, |at, value| into[at] = (value - self.offsets[at % dims]) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64]) -> Column {
        let mut column = Column { first: values[0], ..Column::default() };
        values.iter().enumerate().for_each(|(row, &value)| column.add(row, value));
        column
    }

    #[test]
    fn a_mean_is_subtracted_where_it_is_large_beside_what_varies_and_of_a_constant_nothing_is_left() {
        let moved = column(&[1.7e9 - 1.0, 1.7e9 + 1.0]);
        assert_eq!((moved.offset(), moved.deviation(), moved.is_lost()), (1.7e9, 1.0, true));
        let constant = column(&[0.1; 1000]);
        assert_eq!((constant.offset(), constant.deviation(), constant.is_lost()), (0.1, 0.0, false));
        let plain = column(&[-1.0, 0.5, f64::NAN, 3.0]);
        assert_eq!((plain.offset(), plain.count, plain.is_lost()), (0.0, 3.0, false));
        assert!(column(&[1e-50, 2e-50]).is_lost() && column(&[1e300, -1e300]).is_lost());
    }

    #[test]
    fn blocks_add_up_to_the_whole() {
        let values: Vec<f64> = (0..1000).map(|row| 5e8 + f64::from(row % 17)).collect();
        let mut merged = Column { first: values[0], ..Column::default() };
        for (block, run) in values.chunks(300).enumerate() {
            let mut part = Column { first: values[0], ..Column::default() };
            run.iter().enumerate().for_each(|(row, &value)| part.add(block * 300 + row, value));
            merged.merge(&part);
        }
        assert_eq!(merged, column(&values));
    }
}
