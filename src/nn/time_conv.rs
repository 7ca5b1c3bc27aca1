//! A convolution over time that takes all features of a frame: MusiCNN's mid-end. Transformed in time ([`super::toom_cook`]), one matrix
//! product a point, six tiles of frames being its rows.

use pulp::{Simd, WithSimd};

use super::epilogue::{Epilogue, signs};
use super::norm::Norm;
use super::product::{Packed, ROWS, VECTORS, multiply};
use super::simd::{Cpu, store};
use super::toom_cook::ToomCook;

/// Frames of the kernels.
pub(super) const FRAMES: usize = 7;
/// Frames that are computed together. With six the products would be a tenth fewer, and rounding twice as large.
const OUTPUTS: usize = 4;
const POINTS: usize = OUTPUTS + FRAMES - 1;

/// A convolution with `same` padding, bias, ReLU, and normalisation.
pub(super) struct TimeConv {
    inputs: usize,
    transform: ToomCook<OUTPUTS, FRAMES, POINTS>,
    kernel: Packed,
    epilogue: Epilogue,
}

impl TimeConv {
    /// `kernel` is `[FRAMES, inputs, features]`, `bias` and `norm` are of `[features]`.
    pub(super) fn new(cpu: Cpu, kernel: &[f32], bias: Vec<f32>, norm: Option<&Norm>) -> Self {
        let features = bias.len();
        let inputs = kernel.len() / (FRAMES * features);
        let (transform, signs) = (ToomCook::new(), signs(norm, features));
        let packed = Packed::transformed(cpu, &transform, [inputs, features], |tap, input, feature| {
            signs[feature] * kernel[(tap * inputs + input) * features + feature]
        });
        let epilogue = Epilogue::new(bias, norm, packed.width());
        Self { inputs, transform, kernel: packed, epilogue }
    }

    /// # Shapes
    /// `x`, `[time, inputs]`, to `[time, features]`.
    pub(super) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let time = x.len() / self.inputs;
        let mut out = vec![0.0; time * self.kernel.features()];
        self.kernel.cpu().run(Run { conv: self, x, tiles: time.div_ceil(OUTPUTS), out: &mut out });
        out
    }
}

struct Run<'a> {
    conv: &'a TimeConv,
    x: &'a [f32],
    tiles: usize,
    out: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv, x, tiles, out } = self;
        let TimeConv { inputs, transform, kernel, epilogue } = conv;
        let (inputs, lines_of_point) = (*inputs, tiles.next_multiple_of(ROWS));
        // [POINTS, tiles, inputs], each point's tiles filled up to whole groups of rows.
        let mut lines = vec![0.0_f32; POINTS * lines_of_point * inputs];
        for tile in 0..tiles {
            let frame = (tile * OUTPUTS) as isize - (FRAMES as isize - 1) / 2;
            for first in (0..inputs).step_by(S::F32_LANES) {
                let points = transform.input_at(simd, x, inputs, frame, first);
                for (point, value) in points.into_iter().enumerate() {
                    let start = (point * lines_of_point + tile) * inputs;
                    store(simd, value, &mut lines[start + first..start + inputs]);
                }
            }
        }
        // [tiles, VECTORS, POINTS] of one block.
        let mut products = vec![[[simd.splat_f32s(0.0); POINTS]; VECTORS]; lines_of_point];
        for block in 0..kernel.blocks() {
            for (point, lines) in lines.chunks_exact(lines_of_point * inputs).enumerate() {
                for group in (0..lines_of_point).step_by(ROWS) {
                    let row = |row: usize| &lines[(group + row) * inputs..][..inputs];
                    let sums = multiply(simd, [row(0), row(1), row(2), row(3), row(4), row(5)], kernel.at::<S>(block, point));
                    for (tile, sums) in products[group..].iter_mut().zip(sums) {
                        tile[0][point] = sums[0];
                        tile[1][point] = sums[1];
                    }
                }
            }
            for (products, rows) in products.iter().zip(out.chunks_mut(OUTPUTS * kernel.features())) {
                let (left, right) = (transform.output(simd, &products[0]), transform.output(simd, &products[1]));
                for (output, row) in rows.chunks_exact_mut(kernel.features()).enumerate() {
                    epilogue.write(simd, block, [left[output], right[output]], row);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Weights, values};
    use super::*;

    /// Every instruction set against the plain loops: `[time, inputs, features]`.
    fn compare([time, inputs, features]: [usize; 3], delay: usize) -> Result<(), String> {
        let weights = Weights::made_up([FRAMES, 1, inputs, features]);
        let x = values(time * inputs, 4);
        let mut expected = weights.convolve(&x, [time, 1], true);
        // A reference with a mistake in it.
        expected.values.rotate_right(delay * features);
        Cpu::all().into_iter().try_for_each(|cpu| {
            let conv = TimeConv::new(cpu, &weights.kernel, weights.bias.clone(), Some(&weights.norm));
            expected.check(&conv.forward(&x), 2e-5).map_err(|error| format!("{cpu:?}: {error}"))
        })
    }

    #[test]
    fn the_transformed_convolution_is_the_plain_one_around_every_border() {
        for time in [1, 3, 4, 5, 20, 23, 24, 25, 47, 48, 49] {
            compare([time, 5, 3], 0).unwrap_or_else(|error| panic!("{time} frames: {error}"));
        }
        for inputs in [1, 4, 7, 8, 9, 15, 16, 17, 561] {
            compare([9, inputs, 2], 0).unwrap_or_else(|error| panic!("{inputs} inputs: {error}"));
        }
        for features in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64] {
            compare([9, 3, features], 0).unwrap_or_else(|error| panic!("{features} features: {error}"));
        }
    }

    #[test]
    fn a_reference_that_is_one_frame_late_is_told_apart() {
        assert!(compare([12, 5, 3], 1).is_err());
    }
}
