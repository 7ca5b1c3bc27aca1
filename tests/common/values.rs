//! Matrices that numerical code gets wrong.

use tagscape::matrix::FeatureMatrix;
use tagscape::seed::SplitMix64;

/// A kind of matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSet {
    /// Normal numbers, columns of different spread.
    Random,
    /// One number everywhere: nothing varies.
    Constant,
    /// Every row three times.
    Duplicated,
    /// A mean a thousand times the spread.
    FarFromZero,
    /// Squares overflow `f32`.
    Huge,
    /// Squares vanish in `f32`.
    Tiny,
}

impl ValueSet {
    pub const ALL: [Self; 6] = [Self::Random, Self::Constant, Self::Duplicated, Self::FarFromZero, Self::Huge, Self::Tiny];

    /// A matrix of this kind, the same every time.
    pub fn matrix(self, rows: usize, dims: usize) -> FeatureMatrix {
        let mut seed = SplitMix64::new((rows * 31 + dims) as u64);
        let spread = |column: usize| 1.0 / (1.0 + column as f32 / 4.0);
        let mut values: Vec<f32> = (0..rows * dims).map(|at| seed.next_normal() * spread(at % dims)).collect();
        match self {
            Self::Random => {}
            Self::Constant => values.fill(0.375),
            Self::Duplicated => {
                for at in 0..values.len() {
                    values[at] = values[at / dims / 3 * 3 * dims + at % dims];
                }
            }
            Self::FarFromZero => values.iter_mut().for_each(|value| *value += 1000.0),
            Self::Huge => values.iter_mut().for_each(|value| *value *= 1e30),
            Self::Tiny => values.iter_mut().for_each(|value| *value *= 1e-30),
        }
        FeatureMatrix::new(rows, dims, values)
    }
}
