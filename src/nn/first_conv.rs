//! VGG's first convolution, 3x3 of one input feature, with its pooling of 4x1 with stride 2x2.
//!
//! The pooling reads every other band only, so that only those are computed. Three bands of all frames lie side by side; a window is
//! nine values of that, and the next frame's window starts three values on: the rows of one small product, without a copy.

use pulp::{Simd, WithSimd};

use super::epilogue::{Epilogue, signs};
use super::norm::Norm;
use super::product::{Packed, ROWS, VECTORS, multiply};
use super::simd::Cpu;

/// Side of the kernel.
const SIDE: usize = 3;
/// Frames that the pooling takes the largest of, and how far on the next starts.
const POOLED: usize = 4;
const STRIDE: usize = 2;

/// A 3x3 convolution with `same` padding, pooling, bias, ReLU, and normalisation.
pub(super) struct FirstConv {
    kernel: Packed,
    epilogue: Epilogue,
}

impl FirstConv {
    /// `kernel` is `[3, 3, features]`, `bias` and `norm` are of `[features]`.
    pub(super) fn new(cpu: Cpu, kernel: &[f32], bias: Vec<f32>, norm: Option<&Norm>) -> Self {
        let (features, signs) = (bias.len(), signs(norm, bias.len()));
        let mut packed = Packed::new(cpu, 1, SIDE * SIDE, features);
        for (tap, row) in kernel.chunks_exact(features).enumerate() {
            let row: Vec<f64> = row.iter().zip(&signs).map(|(weight, sign)| f64::from(weight * sign)).collect();
            packed.set_row(0, tap, &row);
        }
        let epilogue = Epilogue::new(bias, norm, packed.width());
        Self { kernel: packed, epilogue }
    }

    /// Frames and bands that are left of so many.
    pub(super) fn pooled(height: usize, width: usize) -> [usize; 2] {
        [if height < POOLED { 0 } else { (height - POOLED) / STRIDE + 1 }, width.div_ceil(STRIDE)]
    }

    /// # Shapes
    /// `x`, `[height, width]`, to `[pooled height, pooled width, features]` (see [`Self::pooled`]).
    pub(super) fn forward(&self, x: &[f32], width: usize) -> Vec<f32> {
        let [pooled_height, pooled_width] = Self::pooled(x.len() / width, width);
        let mut out = vec![0.0; pooled_height * pooled_width * self.kernel.features()];
        self.kernel.cpu().run(Run { conv: self, x, width, pooled_width, out: &mut out });
        out
    }
}

struct Run<'a> {
    conv: &'a FirstConv,
    x: &'a [f32],
    width: usize,
    pooled_width: usize,
    out: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { conv: FirstConv { kernel, epilogue }, x, width, pooled_width, out } = self;
        let (height, features) = (x.len() / width, kernel.features());
        // One zero row above; below as many as the last group of windows reaches into.
        let mut strip = vec![[0.0_f32; SIDE]; height.next_multiple_of(ROWS) + SIDE - 1];
        let mut convolved = vec![[simd.splat_f32s(0.0); VECTORS]; height.next_multiple_of(ROWS)];
        for column in 0..pooled_width {
            for (cells, row) in strip[1..].iter_mut().zip(x.chunks_exact(width)) {
                for (side, cell) in cells.iter_mut().enumerate() {
                    *cell = (column * STRIDE + side).checked_sub(1).and_then(|at| row.get(at)).copied().unwrap_or(0.0);
                }
            }
            let strip = strip.as_flattened();
            for block in 0..kernel.blocks() {
                for first in (0..height).step_by(ROWS) {
                    let row = |row: usize| &strip[(first + row) * SIDE..][..SIDE * SIDE];
                    let sums = multiply(simd, [row(0), row(1), row(2), row(3), row(4), row(5)], kernel.at::<S>(block, 0));
                    convolved[first..first + ROWS].copy_from_slice(&sums);
                }
                let windows = convolved[..height].windows(POOLED).step_by(STRIDE);
                for (window, row) in windows.zip(out.chunks_exact_mut(pooled_width * features)) {
                    let mut largest = window[0];
                    for of in &window[1..] {
                        for vector in 0..VECTORS {
                            largest[vector] = simd.max_f32s(largest[vector], of[vector]);
                        }
                    }
                    epilogue.write(simd, block, largest, &mut row[column * features..][..features]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Weights, values};
    use super::*;

    /// Every instruction set against the plain loops: `[height, width, features]`.
    fn compare([height, width, features]: [usize; 3], delay: usize) -> Result<(), String> {
        let weights = Weights::made_up([SIDE, SIDE, 1, features]);
        let x = values(height * width, 4);
        let mut expected = weights.convolve(&x, [height, width], true).pooled([POOLED, 1], [STRIDE, STRIDE]);
        assert_eq!(expected.shape[..2], FirstConv::pooled(height, width));
        // A reference with a mistake in it.
        expected.values.rotate_right(delay * features);
        Cpu::all().into_iter().try_for_each(|cpu| {
            let conv = FirstConv::new(cpu, &weights.kernel, weights.bias.clone(), Some(&weights.norm));
            expected.check(&conv.forward(&x, width), 1e-6).map_err(|error| format!("{cpu:?}: {error}"))
        })
    }

    #[test]
    fn the_convolution_in_small_products_is_the_plain_one_around_every_border() {
        for height in [1, 3, 4, 5, 6, 7, 11, 12, 13, 18, 19] {
            for width in [1, 2, 3, 4, 5, 96] {
                compare([height, width, 2], 0).unwrap_or_else(|error| panic!("{height} x {width}: {error}"));
            }
        }
        for features in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33] {
            compare([7, 4, features], 0).unwrap_or_else(|error| panic!("{features} features: {error}"));
        }
    }

    #[test]
    fn a_reference_that_is_one_band_off_is_told_apart() {
        assert!(compare([12, 6, 3], 1).is_err());
    }
}
