//! What the fast convolutions are held to in tests: plain loops in f64, and the comparison, which must be able to fail.

use super::norm::Norm;
use crate::seed::SplitMix64;

/// Numbers from -1 to 1, the same ones for the same seed.
pub(super) fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| (random.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// A convolution's weights, made up: every third normalisation falls as its input rises.
pub(super) struct Weights {
    /// Rows, columns, inputs, features.
    pub(super) shape: [usize; 4],
    pub(super) kernel: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) norm: Norm,
}

impl Weights {
    pub(super) fn made_up(shape: [usize; 4]) -> Self {
        let features = shape[3];
        let scale = (0..features).map(|feature| if feature % 3 == 1 { -0.75 } else { 1.25 }).collect();
        let norm = Norm::of(scale, values(features, 3));
        Self { shape, kernel: values(shape.iter().product(), 1), bias: values(features, 2), norm }
    }

    /// Convolution with zeros around, as TensorFlow's `same` puts them, of `[height, width, inputs]`; then bias, ReLU, and
    /// normalisation unless it is not wanted.
    pub(super) fn convolve(&self, x: &[f32], [height, width]: [usize; 2], norm: bool) -> Image {
        let [rows, columns, inputs, features] = self.shape;
        let mut image = Image { shape: [height, width, features], values: Vec::new() };
        for (at, feature) in (0..height * width).flat_map(|at| (0..features).map(move |feature| (at, feature))) {
            let mut sum = f64::from(self.bias[feature]);
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                let (y, z) = ((at / width + row).wrapping_sub((rows - 1) / 2), (at % width + column).wrapping_sub((columns - 1) / 2));
                for input in (0..inputs).filter(|_| y < height && z < width) {
                    let weight = self.kernel[((row * columns + column) * inputs + input) * features + feature];
                    sum += f64::from(x[(y * width + z) * inputs + input]) * f64::from(weight);
                }
            }
            let (scale, shift) = if norm { (self.norm.scale()[feature], self.norm.shift()[feature]) } else { (1.0, 0.0) };
            image.values.push(sum.max(0.0) * f64::from(scale) + f64::from(shift));
        }
        image
    }
}

/// `[height, width, features]`.
pub(super) struct Image {
    pub(super) shape: [usize; 3],
    pub(super) values: Vec<f64>,
}

impl Image {
    /// Only these columns.
    pub(super) fn columns(&self, columns: std::ops::Range<usize>) -> Self {
        let [height, width, features] = self.shape;
        let rows = self.values.chunks_exact(width * features);
        let values = rows.flat_map(|row| row[columns.start * features..columns.end * features].to_vec()).collect();
        Self { shape: [height, columns.len(), features], values }
    }

    /// The largest of each whole window.
    pub(super) fn pooled(&self, window: [usize; 2], stride: [usize; 2]) -> Self {
        let [height, width, features] = self.shape;
        let count = |length: usize, side: usize| if length < window[side] { 0 } else { (length - window[side]) / stride[side] + 1 };
        let shape = [count(height, 0), count(width, 1), features];
        let largest = |at: usize| {
            let (row, column, feature) = (at / features / shape[1] * stride[0], at / features % shape[1] * stride[1], at % features);
            let cells = (0..window[0] * window[1]).map(|cell| (row + cell / window[1], column + cell % window[1]));
            cells.map(|(y, x)| self.values[(y * width + x) * features + feature]).fold(f64::NEG_INFINITY, f64::max)
        };
        Self { shape, values: (0..shape.iter().product()).map(largest).collect() }
    }

    /// Whether `found` is this, each value to within `tolerance` of the largest one.
    pub(super) fn check(&self, found: &[f32], tolerance: f64) -> Result<(), String> {
        if found.len() != self.values.len() {
            return Err(format!("{} values where {} are expected", found.len(), self.values.len()));
        }
        let largest = self.values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
        let wrong = found
            .iter()
            .zip(&self.values)
            .position(|(&found, expected)| found.is_nan() || (f64::from(found) - expected).abs() > tolerance * largest);
        wrong.map_or(Ok(()), |at| Err(format!("value {at} of {}: {} where {} is expected", found.len(), found[at], self.values[at])))
    }
}

#[test]
fn the_comparison_rejects_a_wrong_value_nan_and_a_wrong_number_of_values() {
    let image = Image { shape: [1, 2, 1], values: vec![1.0, 20.0] };
    assert_eq!(image.check(&[1.0001, 20.0], 1e-5), Ok(()));
    for wrong in [&[1.0, 20.001][..], &[f32::NAN, 20.0], &[1.0], &[1.0, 20.0, 0.0]] {
        assert!(image.check(wrong, 1e-5).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_plain_loops_give_what_is_known() {
    // A kernel of ones over a row of ones counts the neighbours that are there; of four taps the second lies on the place itself.
    let weights = Weights { shape: [1, 4, 1, 1], kernel: vec![1.0; 4], bias: vec![0.5], norm: Norm::of(vec![-2.0], vec![1.0]) };
    let image = weights.convolve(&[1.0; 5], [1, 5], true);
    assert_eq!(image.values, [3.5, 4.5, 4.5, 3.5, 2.5].map(|sum| 1.0 - 2.0 * sum));
    assert_eq!(image.columns(1..3).values, [-8.0, -8.0]);
    assert_eq!(image.pooled([1, 2], [1, 2]).values, [-6.0, -6.0]);
}
