//! Rows as a collection stores them, in memory: float16.

use std::io::{self, Write};

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::matrix::{FeatureMatrix, RowSource};

/// A growing float16 matrix, `[rows, dims]`: what a track has in one space, at half the size of its f32 values.
#[derive(Clone, Debug, PartialEq)]
pub struct HalfRows {
    dims: usize,
    values: Vec<f16>,
}

impl HalfRows {
    /// No rows yet, of `dims` columns.
    #[must_use]
    pub fn new(dims: usize) -> Self {
        Self { dims, values: Vec::new() }
    }

    /// Rounds rows to float16 and appends them.
    ///
    /// # Panics
    /// If the matrix has another number of columns.
    pub fn append(&mut self, rows: &FeatureMatrix) {
        assert_eq!(rows.dims(), self.dims, "columns");
        let start = self.values.len();
        self.values.resize(start + rows.values().len(), f16::ZERO);
        self.values[start..].convert_from_f32_slice(rows.values());
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.dims).unwrap_or(0)
    }

    /// Number of columns.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The values' bytes, little-endian, row after row.
    pub(super) fn write_to(&self, file: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(1 << 16);
        for values in self.values.chunks(1 << 15) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}

impl From<&FeatureMatrix> for HalfRows {
    fn from(matrix: &FeatureMatrix) -> Self {
        let mut rows = Self::new(matrix.dims());
        rows.append(matrix);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_come_in_pieces_are_those_that_come_at_once() {
        let matrix = |rows: std::ops::Range<usize>| FeatureMatrix::new(rows.len(), 3, rows.flat_map(|row| [row as f32 / 3.0; 3]).collect());
        let mut pieces = HalfRows::new(3);
        for rows in [0..1, 1..1, 1..20_000, 20_000..20_007] {
            pieces.append(&matrix(rows));
        }
        assert_eq!(pieces, HalfRows::from(&matrix(0..20_007)));
        let mut bytes = Vec::new();
        pieces.write_to(&mut bytes).unwrap();
        assert_eq!((pieces.rows(), bytes.len()), (20_007, 20_007 * 6));
        assert_eq!(bytes[6 * 2..6 * 2 + 2], f16::from_f32(2.0 / 3.0).to_le_bytes());
    }
}
