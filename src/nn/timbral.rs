//! MusiCNN's wide kernels, 7 frames of 0.4 or 0.7 of the bands: transformed in time ([`super::toom_cook`]), their largest over the
//! places along the bands taken while the products are in the first cache.
//!
//! The input has one feature, so that transforming it costs next to nothing: for each tile of [`OUTPUTS`] frames, [`POINTS`] lines of
//! transformed bands. A kernel's place is a window of such a line, and six places at one point are the rows of one small product.

use pulp::{Simd, WithSimd};

use super::epilogue::{Epilogue, signs};
use super::norm::Norm;
use super::product::{Packed, ROWS, Sums, VECTORS, multiply};
use super::simd::{Cpu, store};
use super::toom_cook::ToomCook;

/// Frames of the kernels.
pub(super) const FRAMES: usize = 7;
/// Frames that are computed together.
const OUTPUTS: usize = 6;
const POINTS: usize = OUTPUTS + FRAMES - 1;

/// A kernel of [`FRAMES`] frames and some bands.
pub(super) struct Timbral {
    bands: usize,
    transform: ToomCook<OUTPUTS, FRAMES, POINTS>,
    kernel: Packed,
    epilogue: Epilogue,
}

impl Timbral {
    /// `kernel` is `[FRAMES, bands, features]`, `bias` and `norm` are of `[features]`.
    pub(super) fn new(cpu: Cpu, bands: usize, kernel: &[f32], bias: Vec<f32>, norm: Option<&Norm>) -> Self {
        let features = bias.len();
        let (transform, signs) = (ToomCook::new(), signs(norm, features));
        let packed = Packed::transformed(cpu, &transform, [bands, features], |tap, band, feature| {
            signs[feature] * kernel[(tap * bands + band) * features + feature]
        });
        let epilogue = Epilogue::new(bias, norm, packed.width());
        Self { bands, transform, kernel: packed, epilogue }
    }

    /// Convolution with `same` padding in time, the largest over the bands, bias, ReLU, normalisation.
    ///
    /// # Shapes
    /// `x`, `[time, input_bands]`, to `[time, features]`.
    pub(super) fn forward(&self, x: &[f32], input_bands: usize) -> Vec<f32> {
        let time = x.len() / input_bands;
        let mut out = vec![0.0; time * self.kernel.features()];
        self.kernel.cpu().run(Run { conv: self, x, input_bands, out: &mut out });
        out
    }
}

struct Run<'a> {
    conv: &'a Timbral,
    x: &'a [f32],
    input_bands: usize,
    out: &'a mut [f32],
}

impl Run<'_> {
    /// The transformed bands, `[tiles, POINTS, input_bands]`.
    #[inline(always)]
    fn transformed<S: Simd>(&self, simd: S) -> Vec<f32> {
        let (bands, before) = (self.input_bands, (FRAMES as isize - 1) / 2);
        let tiles = (self.x.len() / bands).div_ceil(OUTPUTS);
        let mut lines = vec![0.0; tiles * POINTS * bands];
        for (tile, into) in lines.chunks_exact_mut(POINTS * bands).enumerate() {
            for band in (0..bands).step_by(S::F32_LANES) {
                let points = self.conv.transform.input_at(simd, self.x, bands, (tile * OUTPUTS) as isize - before, band);
                for (line, point) in into.chunks_exact_mut(bands).zip(points) {
                    store(simd, point, &mut line[band..]);
                }
            }
        }
        lines
    }

    /// The largest values over all places of one tile and block.
    #[inline(always)]
    fn largest<S: Simd>(&self, simd: S, lines: &[f32], block: usize) -> [[S::f32s; VECTORS]; OUTPUTS] {
        let Timbral { bands, transform, kernel, .. } = self.conv;
        let places = self.input_bands - bands + 1;
        let mut largest = [[simd.splat_f32s(f32::NEG_INFINITY); VECTORS]; OUTPUTS];
        let mut products: [Sums<S>; POINTS] = [[[simd.splat_f32s(0.0); VECTORS]; ROWS]; POINTS];
        for first in (0..places).step_by(ROWS) {
            for (point, line) in lines.chunks_exact(self.input_bands).enumerate().take(POINTS) {
                // Of a group that is not full, the last place stands for those that are not there.
                let row = |row: usize| &line[(first + row).min(places - 1)..];
                let rows = [row(0), row(1), row(2), row(3), row(4), row(5)];
                products[point] = multiply(simd, rows, kernel.at::<S>(block, point));
            }
            transform.take_larger(simd, &products, &mut largest);
        }
        largest
    }
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lines = self.transformed(simd);
        let Timbral { kernel, epilogue, .. } = self.conv;
        for block in 0..kernel.blocks() {
            for (tile, lines) in lines.chunks_exact(POINTS * self.input_bands).enumerate() {
                let largest = self.largest(simd, lines, block);
                let rows = self.out.chunks_exact_mut(kernel.features()).skip(tile * OUTPUTS);
                for (row, values) in rows.zip(largest) {
                    epilogue.write(simd, block, values, row);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Weights, values};
    use super::*;

    /// Every instruction set against the plain loops: `[frames, bands of the input, bands of the kernel, features]`.
    fn compare([time, input_bands, bands, features]: [usize; 4], delay: usize) -> Result<(), String> {
        let weights = Weights::made_up([FRAMES, bands, 1, features]);
        let (x, first) = (values(time * input_bands, 4), (bands - 1) / 2);
        let places = input_bands - bands + 1;
        let mut expected = weights.convolve(&x, [time, input_bands], true).columns(first..first + places).pooled([1, places], [1, 1]);
        // A reference with a mistake in it.
        expected.values.rotate_right(delay * features);
        Cpu::all().into_iter().try_for_each(|cpu| {
            let conv = Timbral::new(cpu, bands, &weights.kernel, weights.bias.clone(), Some(&weights.norm));
            expected.check(&conv.forward(&x, input_bands), 2e-5).map_err(|error| format!("{cpu:?}: {error}"))
        })
    }

    #[test]
    fn the_transformed_convolution_is_the_plain_one_around_every_border() {
        for time in [1, 2, 5, 6, 7, 11, 12, 13] {
            for (input_bands, bands) in [(5, 5), (9, 5), (10, 5), (11, 5), (12, 1), (17, 11)] {
                compare([time, input_bands, bands, 3], 0).unwrap_or_else(|error| panic!("{time} {input_bands} {bands}: {error}"));
            }
        }
        for features in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33] {
            compare([8, 9, 4, features], 0).unwrap_or_else(|error| panic!("{features} features: {error}"));
        }
        compare([37, 96, 67, 5], 0).unwrap();
    }

    #[test]
    fn a_reference_that_is_one_frame_late_is_told_apart() {
        assert!(compare([12, 9, 4, 3], 1).is_err());
    }
}
