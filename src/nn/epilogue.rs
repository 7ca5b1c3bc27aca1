//! What follows a convolution on the CPU: bias, ReLU and normalisation, on vectors of features as [`super::product`] makes them.
//!
//! Where the largest of a neighbourhood is taken, it is taken first, of the bare convolution; what follows is monotonic in it. Where
//! the normalisation falls as its input rises, the largest output comes of the smallest input: such a feature's kernel is packed
//! with its sign turned round, and turned back here. Turning a sign is exact.

use pulp::Simd;

use super::norm::Norm;
use super::product::VECTORS;
use super::simd::{fma, load, store};

/// `relu(x * sign + bias) * scale + shift` of every feature, filled up with zeros to whole blocks.
pub(super) struct Epilogue {
    signs: Vec<f32>,
    bias: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Epilogue {
    /// For features in blocks of `width`. Without `norm`, scale and shift are 1 and 0, which change no value.
    pub(super) fn new(bias: Vec<f32>, norm: Option<&Norm>, width: usize) -> Self {
        let features = bias.len();
        let fill = |mut values: Vec<f32>| {
            values.resize(features.next_multiple_of(width), 0.0);
            values
        };
        let signs = fill(signs(norm, features));
        let (scale, shift) = match norm {
            Some(norm) => (norm.scale().to_vec(), norm.shift().to_vec()),
            None => (vec![1.0; features], vec![0.0; features]),
        };
        Self { signs, bias: fill(bias), scale: fill(scale), shift: fill(shift) }
    }

    /// Finishes one block's vectors of one place, and writes them into its `row`, `[features]`.
    #[inline(always)]
    pub(super) fn write<S: Simd>(&self, simd: S, block: usize, values: [S::f32s; VECTORS], row: &mut [f32]) {
        for (vector, &value) in values.iter().enumerate() {
            let first = (block * VECTORS + vector) * S::F32_LANES;
            if first < row.len() {
                let biased = fma(simd, value, load(simd, &self.signs[first..]), load(simd, &self.bias[first..]));
                let rectified = simd.max_f32s(biased, simd.splat_f32s(0.0));
                let finished = fma(simd, rectified, load(simd, &self.scale[first..]), load(simd, &self.shift[first..]));
                store(simd, finished, &mut row[first..]);
            }
        }
    }
}

/// What a feature's kernel is multiplied with before it is packed: -1 where the normalisation falls as its input rises, else 1.
pub(super) fn signs(norm: Option<&Norm>, features: usize) -> Vec<f32> {
    norm.map_or_else(|| vec![1.0; features], Norm::signs)
}
