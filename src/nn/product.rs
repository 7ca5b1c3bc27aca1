//! Small matrix products with kernels that were packed once: the innermost loop of every fast convolution.
//!
//! A product takes [`ROWS`] rows of inputs and [`VECTORS`] vectors of features: twelve sums and what they are made of fit the sixteen
//! registers of AVX2, and each step does two multiplications and additions for each value loaded. Inputs are read where they lie:
//! a row is any run of `depth` values, so that the windows of a convolution need no copy (im2col).
//!
//! Every sum adds its products in the order of `depth`, whichever row of the six it is: a row's result does not depend on its
//! neighbours, bit for bit.

use pulp::Simd;

use super::simd::{Cpu, fma};
use super::toom_cook::ToomCook;

/// Rows of inputs that are multiplied at once.
pub(super) const ROWS: usize = 6;

/// Vectors of features that are computed at once.
pub(super) const VECTORS: usize = 2;

/// The sums of [`multiply`].
pub(super) type Sums<S> = [[<S as Simd>::f32s; VECTORS]; ROWS];

/// Matrices `[depth, features]`, one a point of a transform, in the order in which [`multiply`] reads them:
/// `[block, point, depth, width]`, `width` being [`VECTORS`] vectors, the last block filled up with zeros.
pub(super) struct Packed {
    cpu: Cpu,
    points: usize,
    depth: usize,
    features: usize,
    values: Vec<f32>,
}

impl Packed {
    /// Zeros, to be filled by [`Self::set_row`].
    pub(super) fn new(cpu: Cpu, points: usize, depth: usize, features: usize) -> Self {
        let width = VECTORS * cpu.lanes();
        Self { cpu, points, depth, features, values: vec![0.0; features.div_ceil(width) * points * depth * width] }
    }

    /// A kernel at every point of a transform in time: `weight` is that of a tap, an input and a feature.
    pub(super) fn transformed<const OUTPUTS: usize, const TAPS: usize, const POINTS: usize>(
        cpu: Cpu,
        transform: &ToomCook<OUTPUTS, TAPS, POINTS>,
        [inputs, features]: [usize; 2],
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let mut packed = Self::new(cpu, POINTS, inputs, features);
        for input in 0..inputs {
            for point in 0..POINTS {
                let sum = |feature| (0..TAPS).map(|tap| transform.tap(point, tap) * f64::from(weight(tap, input, feature))).sum();
                packed.set_row(point, input, &(0..features).map(sum).collect::<Vec<f64>>());
            }
        }
        packed
    }

    /// Sets the features at one point and place along the depth, `row` being `[features]`.
    pub(super) fn set_row(&mut self, point: usize, at: usize, row: &[f64]) {
        let width = self.width();
        for (block, part) in row.chunks(width).enumerate() {
            let start = ((block * self.points + point) * self.depth + at) * width;
            self.values[start..start + part.len()].iter_mut().zip(part).for_each(|(value, &of)| *value = of as f32);
        }
    }

    /// The instructions that the layout is for.
    pub(super) fn cpu(&self) -> Cpu {
        self.cpu
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Features in a block.
    pub(super) fn width(&self) -> usize {
        VECTORS * self.cpu.lanes()
    }

    pub(super) fn blocks(&self) -> usize {
        self.features.div_ceil(self.width())
    }

    /// One block's matrix at one point, `[depth]` steps.
    #[inline(always)]
    pub(super) fn at<S: Simd>(&self, block: usize, point: usize) -> &[[S::f32s; VECTORS]] {
        let length = self.depth * VECTORS * S::F32_LANES;
        let values = &self.values[(block * self.points + point) * length..][..length];
        S::as_simd_f32s(values).0.as_chunks().0
    }
}

/// `sums[row] = sum over k of rows[row][k] * kernel[k]`; every row is at least as long as the kernel is deep.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, rows: [&[f32]; ROWS], kernel: &[[S::f32s; VECTORS]]) -> Sums<S> {
    let depth = kernel.len();
    // Cut to one length, so that the loop needs no checks.
    let [a, b, c, d, e, f] = rows;
    let rows = [&a[..depth], &b[..depth], &c[..depth], &d[..depth], &e[..depth], &f[..depth]];
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for k in 0..depth {
        let features = kernel[k];
        for row in 0..ROWS {
            let input = simd.splat_f32s(rows[row][k]);
            for vector in 0..VECTORS {
                sums[row][vector] = fma(simd, input, features[vector], sums[row][vector]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::super::oracle::values;
    use super::*;

    /// One product of the matrix at a point; the rows start one value apart, as a convolution's windows do.
    struct Product<'a> {
        packed: &'a Packed,
        x: &'a [f32],
        point: usize,
    }

    impl WithSimd for Product<'_> {
        /// `[block, row, width]`.
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let rows = [0, 1, 2, 3, 4, 5].map(|row| &self.x[row..]);
            let mut found = Vec::new();
            for block in 0..self.packed.blocks() {
                for vector in multiply(simd, rows, self.packed.at::<S>(block, self.point)).as_flattened() {
                    let mut lanes = vec![0.0; S::F32_LANES];
                    super::super::simd::store(simd, *vector, &mut lanes);
                    found.extend(lanes);
                }
            }
            found
        }
    }

    #[test]
    fn a_product_is_that_of_plain_loops_for_every_point_block_and_row() {
        for (depth, features) in [(1, 1), (2, 16), (9, 17), (38, 51), (128, 64)] {
            let (kernel, x) = (values(2 * depth * features, 1), values(depth + ROWS, 2));
            for cpu in Cpu::all() {
                let mut packed = Packed::new(cpu, 2, depth, features);
                for (at, row) in kernel.chunks_exact(features).enumerate() {
                    packed.set_row(at / depth, at % depth, &row.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
                }
                for point in 0..2 {
                    let found = cpu.run(Product { packed: &packed, x: &x, point });
                    assert_eq!(found.len(), packed.blocks() * ROWS * packed.width());
                    for (at, &found) in found.iter().enumerate() {
                        let (block, row, feature) = (at / (ROWS * packed.width()), at / packed.width() % ROWS, at % packed.width());
                        let feature = block * packed.width() + feature;
                        let term = |k: usize| f64::from(x[row + k]) * f64::from(kernel[(point * depth + k) * features + feature]);
                        // After the last feature lie zeros.
                        let expected = if feature < features { (0..depth).map(term).sum::<f64>() } else { 0.0 };
                        assert!((f64::from(found) - expected).abs() < 1e-5, "{cpu:?} {depth} {feature}: {found}, not {expected}");
                    }
                }
            }
        }
    }
}
