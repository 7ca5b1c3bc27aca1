//! 3x3 convolutions, transformed along both sides ([`super::toom_cook`]): a tile of 4x4 outputs takes 36 multiplications a pair of
//! features instead of 144. Bias, ReLU, normalisation and 2x2 pooling follow on the tile before anything is written.
//!
//! [`TILES_AT_ONCE`] tiles, of however many images, are computed together: each point's matrix of the kernel is read once for all of
//! them, one block of features after the other, so that it stays in the first cache. A tile's values do not depend on the others.

use pulp::{Simd, WithSimd};

use super::epilogue::{Epilogue, signs};
use super::norm::Norm;
use super::product::{Packed, ROWS, VECTORS, multiply};
use super::simd::{Cpu, load, store};
use super::toom_cook::ToomCook;

/// Side of the kernel.
const SIDE: usize = 3;
/// Side of a tile of outputs.
const TILE: usize = 4;
/// Side of what a tile reads, and of its points.
const REACH: usize = TILE + SIDE - 1;
const POINTS: usize = REACH * REACH;

/// How many tiles go through the kernel together: a multiple of [`ROWS`].
const TILES_AT_ONCE: usize = 48;

/// A 3x3 convolution with stride 1 and `same` padding, bias, ReLU, and maybe normalisation and 2x2 pooling of whole squares.
pub(super) struct Conv3x3 {
    inputs: usize,
    pooled: bool,
    transform: ToomCook<TILE, SIDE, REACH>,
    kernel: Packed,
    epilogue: Epilogue,
}

impl Conv3x3 {
    /// `kernel` is `[3, 3, inputs, features]`, `bias` and `norm` are of `[features]`.
    pub(super) fn new(cpu: Cpu, kernel: &[f32], bias: Vec<f32>, norm: Option<&Norm>, pooled: bool) -> Self {
        let features = bias.len();
        let inputs = kernel.len() / (SIDE * SIDE * features);
        let (transform, signs) = (ToomCook::<TILE, SIDE, REACH>::new(), signs(norm, features));
        let mut packed = Packed::new(cpu, POINTS, inputs, features);
        let (mut rows, mut values) = (vec![0.0; SIDE * features], vec![0.0; features]);
        for input in 0..inputs {
            let taps = |row: usize, column: usize| &kernel[((row * SIDE + column) * inputs + input) * features..][..features];
            for down in 0..REACH {
                // The kernel's three columns, transformed along the rows.
                for (column, into) in rows.chunks_exact_mut(features).enumerate() {
                    let [a, b, c] = [0, 1, 2].map(|row| (transform.tap(down, row), taps(row, column)));
                    for (feature, value) in into.iter_mut().enumerate() {
                        *value = a.0 * f64::from(a.1[feature]) + b.0 * f64::from(b.1[feature]) + c.0 * f64::from(c.1[feature]);
                    }
                }
                for right in 0..REACH {
                    let [a, b, c] = [0, 1, 2].map(|column| (transform.tap(right, column), &rows[column * features..][..features]));
                    for (feature, value) in values.iter_mut().enumerate() {
                        *value = f64::from(signs[feature]) * (a.0 * a.1[feature] + b.0 * b.1[feature] + c.0 * c.1[feature]);
                    }
                    packed.set_row(down * REACH + right, input, &values);
                }
            }
        }
        let epilogue = Epilogue::new(bias, norm, packed.width());
        Self { inputs, pooled, transform, kernel: packed, epilogue }
    }

    /// Whether it halves both sides.
    pub(super) fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// # Shapes
    /// `x`, any number of images `[height, width, inputs]`, to as many `[height, width, features]`, or with pooling
    /// `[height / 2, width / 2, features]`.
    pub(super) fn forward(&self, x: &[f32], height: usize, width: usize) -> Vec<f32> {
        let images = x.len() / (height * width * self.inputs);
        let pooling = if self.pooled { 2 } else { 1 };
        let (out_height, out_width) = (height / pooling, width / pooling);
        let mut out = vec![0.0; images * out_height * out_width * self.kernel.features()];
        let tiles_across = out_width.div_ceil(TILE / pooling);
        let tiles_down = out_height.div_ceil(TILE / pooling);
        let run = Run { conv: self, x, height, width, out_height, out_width, tiles_across, tiles_down };
        self.kernel.cpu().run(Forward { run, tiles: images * tiles_down * tiles_across, out: &mut out });
        out
    }
}

#[derive(Clone, Copy)]
struct Run<'a> {
    conv: &'a Conv3x3,
    x: &'a [f32],
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
    tiles_across: usize,
    tiles_down: usize,
}

struct Forward<'a> {
    run: Run<'a>,
    tiles: usize,
    out: &'a mut [f32],
}

impl Run<'_> {
    /// A tile's image, row and column.
    #[inline(always)]
    fn place(&self, tile: usize) -> [usize; 3] {
        let in_image = self.tiles_down * self.tiles_across;
        let (image, at) = (tile / in_image, tile % in_image);
        [image, at / self.tiles_across, at % self.tiles_across]
    }

    /// Transforms what a tile reads into the line of `lines`, `[POINTS, TILES_AT_ONCE, inputs]`, that is its own.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, tile: usize, line: usize, lines: &mut [f32]) {
        let Conv3x3 { inputs, transform, .. } = self.conv;
        let [image, down, across] = self.place(tile);
        // What lies under each place of the tile's reach; outside of the image, nothing.
        let mut cells: [[&[f32]; REACH]; REACH] = [[&[]; REACH]; REACH];
        for (row, cells) in cells.iter_mut().enumerate() {
            for (column, cell) in cells.iter_mut().enumerate() {
                let (y, x) = (down * TILE + row, across * TILE + column);
                if (1..=self.height).contains(&y) && (1..=self.width).contains(&x) {
                    *cell = &self.x[((image * self.height + y - 1) * self.width + x - 1) * inputs..][..*inputs];
                }
            }
        }
        for first in (0..*inputs).step_by(S::F32_LANES) {
            let mut values = [[simd.splat_f32s(0.0); REACH]; REACH];
            for row in 0..REACH {
                for column in 0..REACH {
                    if let Some(cell) = cells[row][column].get(first..) {
                        values[row][column] = load(simd, cell);
                    }
                }
                values[row] = transform.input(simd, &values[row]);
            }
            for column in 0..REACH {
                let points = transform.input(simd, &column_of(simd, &values, column));
                for (row, point) in points.into_iter().enumerate() {
                    let start = ((row * REACH + column) * TILES_AT_ONCE + line) * inputs;
                    store(simd, point, &mut lines[start + first..start + inputs]);
                }
            }
        }
    }

    /// One tile's outputs of some features: `[TILE][TILE]`, or pooled in the first quarter of it.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "places of a square, in more than one array")]
    fn outputs<S: Simd>(&self, simd: S, products: &[[S::f32s; REACH]; REACH]) -> [[S::f32s; TILE]; TILE] {
        let Conv3x3 { transform, pooled, .. } = self.conv;
        let mut half = [[simd.splat_f32s(0.0); REACH]; TILE];
        for column in 0..REACH {
            let outputs = transform.output(simd, &column_of(simd, products, column));
            for row in 0..TILE {
                half[row][column] = outputs[row];
            }
        }
        let mut outputs = [[simd.splat_f32s(0.0); TILE]; TILE];
        for row in 0..TILE {
            outputs[row] = transform.output(simd, &half[row]);
        }
        if *pooled {
            for row in 0..TILE / 2 {
                for column in 0..TILE / 2 {
                    let (above, below) = (outputs[2 * row], outputs[2 * row + 1]);
                    let above = simd.max_f32s(above[2 * column], above[2 * column + 1]);
                    let below = simd.max_f32s(below[2 * column], below[2 * column + 1]);
                    outputs[row][column] = simd.max_f32s(above, below);
                }
            }
        }
        outputs
    }

    /// Side of a tile as it is written.
    #[inline(always)]
    fn out_tile(&self) -> usize {
        if self.conv.pooled { TILE / 2 } else { TILE }
    }

    /// Finishes and writes one block's features of a tile.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "places of a square, in more than one array")]
    fn write<S: Simd>(&self, simd: S, tile: usize, block: usize, vectors: &[[[S::f32s; TILE]; TILE]; VECTORS], out: &mut [f32]) {
        let Conv3x3 { kernel, epilogue, .. } = self.conv;
        let [image, down, across] = self.place(tile);
        let side = self.out_tile();
        for row in 0..side.min(self.out_height - down * side) {
            for column in 0..side.min(self.out_width - across * side) {
                let place = (image * self.out_height + down * side + row) * self.out_width + across * side + column;
                let cell = &mut out[place * kernel.features()..][..kernel.features()];
                epilogue.write(simd, block, [vectors[0][row][column], vectors[1][row][column]], cell);
            }
        }
    }
}

/// A column of a square, from above.
#[inline(always)]
fn column_of<S: Simd>(simd: S, square: &[[S::f32s; REACH]; REACH], column: usize) -> [S::f32s; REACH] {
    let mut values = [simd.splat_f32s(0.0); REACH];
    for row in 0..REACH {
        values[row] = square[row][column];
    }
    values
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { run, tiles, out } = self;
        let Conv3x3 { inputs, kernel, .. } = run.conv;
        let inputs = *inputs;
        let mut lines = vec![0.0_f32; POINTS * TILES_AT_ONCE * inputs];
        // [TILES_AT_ONCE, VECTORS, POINTS] of one block.
        let mut products = vec![[[[simd.splat_f32s(0.0); REACH]; REACH]; VECTORS]; TILES_AT_ONCE.min(tiles.next_multiple_of(ROWS))];
        for first in (0..tiles).step_by(TILES_AT_ONCE) {
            let count = TILES_AT_ONCE.min(tiles - first);
            for line in 0..count {
                run.transform(simd, first + line, line, &mut lines);
            }
            for block in 0..kernel.blocks() {
                for (point, lines) in lines.chunks_exact(TILES_AT_ONCE * inputs).enumerate() {
                    let (down, right) = (point / REACH, point % REACH);
                    for group in (0..count).step_by(ROWS) {
                        // Lines after the last tile hold what was there before; their products are not looked at.
                        let row = |row: usize| &lines[(group + row) * inputs..][..inputs];
                        let sums = multiply(simd, [row(0), row(1), row(2), row(3), row(4), row(5)], kernel.at::<S>(block, point));
                        for (tile, sums) in products[group..].iter_mut().zip(sums) {
                            tile[0][down][right] = sums[0];
                            tile[1][down][right] = sums[1];
                        }
                    }
                }
                for (line, products) in products.iter().enumerate().take(count) {
                    let vectors = [run.outputs(simd, &products[0]), run.outputs(simd, &products[1])];
                    run.write(simd, first + line, block, &vectors, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::{Weights, values};
    use super::*;

    /// Every instruction set against the plain loops: `[height, width, inputs, features]`; pooled with normalisation, or plain without.
    fn compare([height, width, inputs, features]: [usize; 4], pooled: bool, delay: usize) -> Result<(), String> {
        let weights = Weights::made_up([SIDE, SIDE, inputs, features]);
        let x = values(height * width * inputs, 4);
        let mut expected = weights.convolve(&x, [height, width], pooled);
        if pooled {
            expected = expected.pooled([2, 2], [2, 2]);
        }
        // A reference with a mistake in it.
        expected.values.rotate_right(delay * features);
        Cpu::all().into_iter().try_for_each(|cpu| {
            let conv = Conv3x3::new(cpu, &weights.kernel, weights.bias.clone(), pooled.then_some(&weights.norm), pooled);
            expected.check(&conv.forward(&x, height, width), 2e-5).map_err(|error| format!("{cpu:?}: {error}"))
        })
    }

    #[test]
    fn the_transformed_convolution_is_the_plain_one_around_every_border() {
        for pooled in [true, false] {
            for (height, width) in [1, 2, 3, 4, 5, 7, 8, 9, 11].into_iter().flat_map(|h| [1, 2, 3, 4, 5, 6, 12].map(|w| (h, w))) {
                compare([height, width, 3, 2], pooled, 0).unwrap_or_else(|error| panic!("{height} x {width}: {error}"));
            }
            for inputs in [1, 4, 7, 8, 9, 15, 16, 17, 128] {
                compare([6, 5, inputs, 2], pooled, 0).unwrap_or_else(|error| panic!("{inputs} inputs: {error}"));
            }
            for features in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64] {
                compare([6, 5, 2, features], pooled, 0).unwrap_or_else(|error| panic!("{features} features: {error}"));
            }
            // One tile fewer and more than go through the kernel together.
            for tiles in [TILES_AT_ONCE - 1, TILES_AT_ONCE, TILES_AT_ONCE + 1, 2 * TILES_AT_ONCE + 1] {
                compare([TILE, TILE * tiles, 2, 2], pooled, 0).unwrap_or_else(|error| panic!("{tiles} tiles: {error}"));
            }
        }
    }

    #[test]
    fn a_reference_that_is_one_place_off_is_told_apart() {
        assert!(compare([8, 8, 2, 3], true, 1).is_err());
        assert!(compare([8, 8, 2, 3], false, 1).is_err());
    }

    #[test]
    fn an_image_gives_the_same_bits_whichever_others_are_with_it() {
        let (inputs, features, [height, width]) = (5, 19, [11, 6]);
        let weights = Weights::made_up([SIDE, SIDE, inputs, features]);
        let images = values(11 * height * width * inputs, 5);
        for cpu in Cpu::all() {
            let conv = Conv3x3::new(cpu, &weights.kernel, weights.bias.clone(), Some(&weights.norm), true);
            let alone: Vec<f32> = images.chunks(height * width * inputs).flat_map(|image| conv.forward(image, height, width)).collect();
            // 66 tiles, so that images lie across the border of what is computed together.
            assert_eq!(conv.forward(&images, height, width), alone, "{cpu:?}");
            assert_ne!(alone[..alone.len() / 11], alone[alone.len() / 11..2 * alone.len() / 11]);
        }
    }
}
