//! MusiCNN's long kernels, one band wide: transformed in time in groups of [`TAPS`] frames ([`super::toom_cook`]), their largest over the
//! bands taken while the products are in the first cache.
//!
//! A group's tile of outputs reads [`POINTS`] frames of a band, and the next group's the same number [`TAPS`] frames on. So the pieces
//! of a band are transformed once, one every [`TAPS`] frames; a tile's groups are a run of them, and the sum over groups a small product of
//! as many steps. Six bands are its rows.

use pulp::{Simd, WithSimd};

use super::epilogue::{Epilogue, signs};
use super::norm::Norm;
use super::product::{Packed, ROWS, Sums, VECTORS, multiply};
use super::simd::{Cpu, store};
use super::toom_cook::ToomCook;

/// Frames of a group.
const TAPS: usize = 4;
/// Frames that are computed together, a multiple of [`TAPS`].
const OUTPUTS: usize = 8;
const POINTS: usize = OUTPUTS + TAPS - 1;
/// How many pieces further on the next tile begins.
const TILE_STEP: usize = OUTPUTS / TAPS;

/// A kernel of some frames and one band.
pub(super) struct Temporal {
    frames: usize,
    transform: ToomCook<OUTPUTS, TAPS, POINTS>,
    kernel: Packed,
    epilogue: Epilogue,
}

impl Temporal {
    /// `kernel` is `[frames, features]`, `bias` and `norm` are of `[features]`.
    pub(super) fn new(cpu: Cpu, kernel: &[f32], bias: Vec<f32>, norm: Option<&Norm>) -> Self {
        let features = bias.len();
        let frames = kernel.len() / features;
        let (transform, signs) = (ToomCook::new(), signs(norm, features));
        // Of a group that is not full, the taps that are not there are zeros.
        let packed = Packed::transformed(cpu, &transform, [frames.div_ceil(TAPS), features], |tap, group, feature| {
            signs[feature] * kernel.get((group * TAPS + tap) * features + feature).copied().unwrap_or(0.0)
        });
        let epilogue = Epilogue::new(bias, norm, packed.width());
        Self { frames, transform, kernel: packed, epilogue }
    }

    /// Convolution with `same` padding in time, the largest over the bands, bias, ReLU, normalisation. Of an odd number of
    /// zeros the extra one comes after, as in TensorFlow.
    ///
    /// # Shapes
    /// `x`, `[time, bands]`, to `[time, features]`.
    pub(super) fn forward(&self, x: &[f32], bands: usize) -> Vec<f32> {
        let time = x.len() / bands;
        let (tiles, groups) = (time.div_ceil(OUTPUTS), self.frames.div_ceil(TAPS));
        let pieces = tiles.saturating_sub(1) * TILE_STEP + groups;
        let mut out = vec![0.0; time * self.kernel.features()];
        self.kernel.cpu().run(Run { conv: self, x, bands, tiles, groups, pieces, out: &mut out });
        out
    }
}

struct Run<'a> {
    conv: &'a Temporal,
    x: &'a [f32],
    bands: usize,
    tiles: usize,
    groups: usize,
    pieces: usize,
    out: &'a mut [f32],
}

impl Run<'_> {
    /// The transformed pieces, `[POINTS, bands, pieces]`.
    #[inline(always)]
    fn transformed<S: Simd>(&self, simd: S) -> Vec<f32> {
        let (bands, pieces, before) = (self.bands, self.pieces, (self.conv.frames as isize - 1) / 2);
        let mut all = vec![0.0; POINTS * bands * pieces];
        let mut lines = vec![0.0; POINTS * bands];
        for piece in 0..pieces {
            for band in (0..bands).step_by(S::F32_LANES) {
                let points = self.conv.transform.input_at(simd, self.x, bands, (piece * TAPS) as isize - before, band);
                for (line, point) in lines.chunks_exact_mut(bands).zip(points) {
                    store(simd, point, &mut line[band..]);
                }
            }
            all.chunks_exact_mut(pieces).zip(&lines).for_each(|(run, &value)| run[piece] = value);
        }
        all
    }

    /// The largest values over all bands of one tile and block.
    #[inline(always)]
    fn largest<S: Simd>(&self, simd: S, pieces: &[f32], tile: usize, block: usize) -> [[S::f32s; VECTORS]; OUTPUTS] {
        let Temporal { transform, kernel, .. } = self.conv;
        let first_piece = tile * TILE_STEP;
        let mut largest = [[simd.splat_f32s(f32::NEG_INFINITY); VECTORS]; OUTPUTS];
        let mut products: [Sums<S>; POINTS] = [[[simd.splat_f32s(0.0); VECTORS]; ROWS]; POINTS];
        for first in (0..self.bands).step_by(ROWS) {
            for (point, product) in products.iter_mut().enumerate() {
                // Of a group that is not full, the last band stands for those that are not there.
                let row = |row: usize| {
                    let line = point * self.bands + (first + row).min(self.bands - 1);
                    &pieces[line * self.pieces + first_piece..][..self.groups]
                };
                let rows = [row(0), row(1), row(2), row(3), row(4), row(5)];
                *product = multiply(simd, rows, kernel.at::<S>(block, point));
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
        let pieces = self.transformed(simd);
        let Temporal { kernel, epilogue, .. } = self.conv;
        for block in 0..kernel.blocks() {
            for tile in 0..self.tiles {
                let largest = self.largest(simd, &pieces, tile, block);
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

    /// Every instruction set against the plain loops: `[time, bands, frames of the kernel, features]`.
    fn compare([time, bands, frames, features]: [usize; 4], delay: usize) -> Result<(), String> {
        let weights = Weights::made_up([frames, 1, 1, features]);
        let x = values(time * bands, 4);
        let mut expected = weights.convolve(&x, [time, bands], true).pooled([1, bands], [1, 1]);
        // A reference with a mistake in it.
        expected.values.rotate_right(delay * features);
        Cpu::all().into_iter().try_for_each(|cpu| {
            let conv = Temporal::new(cpu, &weights.kernel, weights.bias.clone(), Some(&weights.norm));
            expected.check(&conv.forward(&x, bands), 2e-5).map_err(|error| format!("{cpu:?}: {error}"))
        })
    }

    #[test]
    fn the_transformed_convolution_is_the_plain_one_around_every_border() {
        for time in [1, 7, 8, 9, 15, 16, 17, 33] {
            for frames in [1, 2, 3, 4, 5, 8, 31, 32, 33] {
                compare([time, 7, frames, 3], 0).unwrap_or_else(|error| panic!("{time} {frames}: {error}"));
            }
        }
        for bands in [1, 5, 6, 7, 8, 9, 12, 13, 96] {
            compare([9, bands, 8, 2], 0).unwrap_or_else(|error| panic!("{bands} bands: {error}"));
        }
        for features in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 51] {
            compare([9, 6, 8, features], 0).unwrap_or_else(|error| panic!("{features} features: {error}"));
        }
    }

    #[test]
    fn a_reference_that_is_one_frame_late_is_told_apart() {
        assert!(compare([12, 6, 8, 3], 1).is_err());
    }
}
