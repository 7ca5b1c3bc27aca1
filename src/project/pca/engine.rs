//! What an engine of PCA does, and the numbers that its steps hand on.

use std::ops::Range;

use crate::matrix::RowSource;
use crate::project::device::ComputeDevice;
use crate::project::error::ProjectError;

/// The three steps of PCA that go over all rows, a chunk of rows at a time. The chunks of a pass start at multiples of
/// [`Engine::chunk_rows`].
pub trait Engine {
    /// What it runs on.
    fn device(&self) -> ComputeDevice;

    /// Rows that it takes at a time, at least 1.
    fn chunk_rows(&self, dims: usize) -> usize;

    /// Sums of the columns.
    ///
    /// # Errors
    /// [`ProjectError::NotFinite`] with the first row that has a value that is no finite number; [`ProjectError::Gpu`].
    fn column_sums(&mut self, source: &dyn RowSource, rows: Range<usize>) -> Result<ColumnSums, ProjectError>;

    /// Adds the sum of the centred rows' outer products to `scatter`, `[dims, dims]`, symmetric.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn add_scatter(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        scatter: &mut [f64],
    ) -> Result<(), ProjectError>;

    /// Writes the centred rows times `weights`, `[dims, axes]`, into `into`, `[rows, axes]`, in the units of `source`.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn transform(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        weights: &[f32],
        into: &mut [f32],
    ) -> Result<(), ProjectError>;

    /// Drops what it holds of earlier rows: another source follows.
    fn forget(&mut self) {}
}

/// Sums of columns, and how large the values get.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSums {
    /// `[dims]`.
    pub sums: Vec<f64>,
    /// The largest magnitude of any value.
    pub largest: f32,
}

impl ColumnSums {
    /// Of no rows.
    #[must_use]
    pub fn zero(dims: usize) -> Self {
        Self { sums: vec![0.0; dims], largest: 0.0 }
    }

    /// Adds another chunk's.
    pub fn add(&mut self, other: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum += other;
        }
        self.largest = self.largest.max(other.largest);
    }
}

/// How a value `x` of column `c` is centred: `x * scale - center[c]`.
///
/// `scale` is a power of two that brings the largest value near 1, so that squares neither overflow nor vanish in `f32`, and costs no digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Centring {
    /// The columns' means times `scale`, rounded, `[dims]`.
    pub center: Vec<f32>,
    /// A power of two.
    pub scale: f32,
    /// 1 / `scale`.
    pub unscale: f32,
}

impl Centring {
    /// Around `mean`, for values of magnitude up to `largest`.
    #[must_use]
    pub fn new(mean: &[f64], largest: f32) -> Self {
        let scale = power_of_two_scale(largest);
        let center = mean.iter().map(|mean| (mean * f64::from(scale)) as f32).collect();
        Self { center, scale, unscale: 1.0 / scale }
    }

    /// Takes from `scatter` what it has because `center` is rounded: with d = mean - center, sum (x - center)(x - center)' is
    /// sum (x - mean)(x - mean)' + rows d d'.
    pub(super) fn correct(&self, scatter: &mut [f64], mean: &[f64], rows: usize) {
        let off: Vec<f64> = mean.iter().zip(&self.center).map(|(mean, &center)| mean * f64::from(self.scale) - f64::from(center)).collect();
        for (row, a) in scatter.chunks_exact_mut(off.len()).zip(&off) {
            for (value, b) in row.iter_mut().zip(&off) {
                *value -= rows as f64 * a * b;
            }
        }
    }
}

/// The power of two that brings `largest` into 0.5..=1 (within what `f32` has of powers and of their inverses); 1 for 0.
#[must_use]
pub fn power_of_two_scale(largest: f32) -> f32 {
    if largest == 0.0 {
        return 1.0;
    }
    let exponent = f64::from(largest).log2().ceil().clamp(-126.0, 126.0);
    (-exponent).exp2() as f32
}

/// `0..rows` in pieces of `chunk_rows`.
pub(super) fn chunks(rows: usize, chunk_rows: usize) -> impl Iterator<Item = Range<usize>> {
    let size = chunk_rows.max(1);
    (0..rows).step_by(size).map(move |start| start..rows.min(start.saturating_add(size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows_once() {
        assert_eq!(chunks(7, 3).collect::<Vec<_>>(), [0..3, 3..6, 6..7]);
        assert_eq!(chunks(6, 3).collect::<Vec<_>>(), [0..3, 3..6]);
        assert_eq!(chunks(0, 3).count(), 0);
        assert_eq!(chunks(2, usize::MAX).next(), Some(0..2));
    }

    #[test]
    fn the_scale_is_an_exact_power_of_two_whatever_the_values() {
        assert_eq!([0.0, 1.0, 0.75, 3.0, 65504.0].map(power_of_two_scale), [1.0, 1.0, 1.0, 0.25, 1.0 / 65536.0]);
        for largest in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1)] {
            let scale = power_of_two_scale(largest);
            assert!(scale.is_normal() && (1.0 / scale).is_normal() && largest * scale <= 4.0, "{largest}: {scale}");
        }
    }
}
