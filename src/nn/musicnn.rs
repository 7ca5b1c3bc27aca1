//! MusiCNN: a musically motivated front-end, a residual mid-end, pooling over time, two dense layers.
//!
//! Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR 2018; Pons and Serra, "musicnn", ISMIR
//! late-breaking 2019. The layers are those of the `musicnn` 0.1.0 package:
//!
//! ```text
//! patch [187, 96] ─ input_norm
//!  ├ frontend.timbral_7x38, 7x67   convolution, largest over the bands   [187, 204] each
//!  ├ frontend.temporal_128, 64, 32 likewise, one band wide               [187, 51] each
//!  └ together                                                            [187, 561]
//! midend.conv1                                                           [187, 64]
//! midend.conv2 + conv1, midend.conv3 + conv2 + conv1                     [187, 64] each
//! together with the front-end                                            [187, 753]
//! backend.pool                 largest and mean over time, interleaved   [1506]
//! backend.pool_norm, backend.dense, ReLU, its norm: the penultimate      [200]
//! backend.output, sigmoid                                                [50]
//! ```

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::conv_weights::ConvWeights;
use super::error::NnError;
use super::layers::LayerTrace;
use super::norm::{Activation, Affine, Norm};
use super::simd::Cpu;
use super::spec::MusicnnLayer;
use super::temporal::Temporal;
use super::timbral::{self, Timbral};
use super::time_conv::{self, TimeConv};
use super::weights::WeightFile;

const TIMBRAL_FEATURES: usize = 204;
const TEMPORAL_FEATURES: usize = 51;
const FRONTEND_FEATURES: usize = 2 * TIMBRAL_FEATURES + 3 * TEMPORAL_FEATURES;
const MIDEND_FEATURES: usize = 64;
const POOLED: usize = 2 * (FRONTEND_FEATURES + 3 * MIDEND_FEATURES);
const PENULTIMATE: usize = 200;
const TAGS: usize = 50;
const BANDS: usize = 96;

/// The network with its weights.
pub(super) struct Musicnn {
    input_norm: Norm,
    timbral_7x38: Timbral,
    timbral_7x67: Timbral,
    temporal: [(&'static str, Temporal); 3],
    midend: [TimeConv; 3],
    pool_norm: Affine,
    dense: Tensor<2>,
    dense_activation: Activation,
    output: Tensor<2>,
    output_bias: Tensor<2>,
    layer: MusicnnLayer,
    device: Device,
}

impl Musicnn {
    pub(super) fn load(file: &mut WeightFile<'_>, layer: MusicnnLayer) -> Result<Self, NnError> {
        let (cpu, device) = (Cpu::best(), file.device().clone());
        let input_norm = Norm::load(file, "input_norm", 1)?;
        let mut timbral = |name, bands| {
            let weights = ConvWeights::load(file, name, [timbral::FRAMES, bands, 1, TIMBRAL_FEATURES])?;
            Ok(Timbral::new(cpu, bands, &weights.kernel, weights.bias, Some(&weights.norm)))
        };
        let (timbral_7x38, timbral_7x67) = (timbral("frontend.timbral_7x38", 38)?, timbral("frontend.timbral_7x67", 67)?);
        let mut temporal = |name, frames| {
            let weights = ConvWeights::load(file, name, [frames, 1, 1, TEMPORAL_FEATURES])?;
            Ok((name, Temporal::new(cpu, &weights.kernel, weights.bias, Some(&weights.norm))))
        };
        let temporal =
            [temporal("frontend.temporal_128", 128)?, temporal("frontend.temporal_64", 64)?, temporal("frontend.temporal_32", 32)?];
        let mut midend = |name, inputs| {
            let weights = ConvWeights::load(file, name, [time_conv::FRAMES, inputs, 1, MIDEND_FEATURES])?;
            Ok(TimeConv::new(cpu, &weights.kernel, weights.bias, Some(&weights.norm)))
        };
        let midend = [
            midend("midend.conv1", FRONTEND_FEATURES)?,
            midend("midend.conv2", MIDEND_FEATURES)?,
            midend("midend.conv3", MIDEND_FEATURES)?,
        ];
        let pool_norm = Norm::load(file, "backend.pool_norm", POOLED)?.into_affine(&device);
        let dense = file.matrix("backend.dense.kernel", &[POOLED, PENULTIMATE], [POOLED, PENULTIMATE])?;
        let dense_bias = file.values("backend.dense.bias", &[PENULTIMATE])?;
        let dense_norm = Norm::load(file, "backend.dense.norm", PENULTIMATE)?;
        let output = file.matrix("backend.output.kernel", &[PENULTIMATE, TAGS], [PENULTIMATE, TAGS])?;
        let output_bias = file.matrix("backend.output.bias", &[TAGS], [1, TAGS])?;
        let dense_activation = Activation::new(dense_bias, dense_norm, &device);
        Ok(Self {
            input_norm,
            timbral_7x38,
            timbral_7x67,
            temporal,
            midend,
            pool_norm,
            dense,
            dense_activation,
            output,
            output_bias,
            layer,
            device,
        })
    }

    /// # Shapes
    /// `[187, 96]` to tag activations `[1, 50]` and embedding `[1, 200]`.
    pub(super) fn forward(&self, patch: &[f32], trace: &mut LayerTrace) -> (Tensor<2>, Tensor<2>) {
        let frontend = self.frontend(patch, trace);
        let conv1 = self.midend[0].forward(&frontend);
        trace.note_values("midend.conv1", &conv1);
        let conv2 = sum(self.midend[1].forward(&conv1), &conv1);
        trace.note_values("midend.conv2", &conv2);
        let conv3 = sum(self.midend[2].forward(&conv2), &conv2);
        trace.note_values("midend.conv3", &conv3);
        let midend = [&conv1, &conv2, &conv3].map(|conv| (conv.as_slice(), MIDEND_FEATURES));
        let parts = [(frontend.as_slice(), FRONTEND_FEATURES), midend[0], midend[1], midend[2]];
        self.backend(pooled_over_time(&parts), trace)
    }

    /// `[187, 96]` to `[187, 561]`.
    fn frontend(&self, patch: &[f32], trace: &mut LayerTrace) -> Vec<f32> {
        let x = self.input_norm.apply_to_single_feature(patch);
        trace.note_values("input_norm", &x);
        let timbral_7x38 = self.timbral_7x38.forward(&x, BANDS);
        trace.note_values("frontend.timbral_7x38", &timbral_7x38);
        let timbral_7x67 = self.timbral_7x67.forward(&x, BANDS);
        trace.note_values("frontend.timbral_7x67", &timbral_7x67);
        let temporal = self.temporal.each_ref().map(|(name, conv)| {
            let temporal = conv.forward(&x, BANDS);
            trace.note_values(name, &temporal);
            temporal
        });
        let mut together = Vec::with_capacity(x.len() / BANDS * FRONTEND_FEATURES);
        for frame in 0..x.len() / BANDS {
            for timbral in [&timbral_7x38, &timbral_7x67] {
                together.extend_from_slice(&timbral[frame * TIMBRAL_FEATURES..][..TIMBRAL_FEATURES]);
            }
            for temporal in &temporal {
                together.extend_from_slice(&temporal[frame * TEMPORAL_FEATURES..][..TEMPORAL_FEATURES]);
            }
        }
        together
    }

    /// `[1506]` to tag activations and embedding.
    fn backend(&self, pooled: Vec<f32>, trace: &mut LayerTrace) -> (Tensor<2>, Tensor<2>) {
        let pooled = Tensor::from_data(TensorData::new(pooled, [1, POOLED]), &self.device);
        trace.note("backend.pool", &pooled);
        let dense = self.dense_activation.biased(self.pool_norm.apply(pooled).matmul(self.dense.clone()));
        trace.note("backend.dense", &dense);
        let penultimate = self.dense_activation.after_bias(dense.clone());
        trace.note("backend.dense.norm", &penultimate);
        let tags = activation::sigmoid(penultimate.clone().matmul(self.output.clone()).add(self.output_bias.clone()));
        trace.note("backend.output", &tags);
        let embedding = match self.layer {
            MusicnnLayer::Penultimate => penultimate,
            MusicnnLayer::Dense => dense,
        };
        (tags, embedding)
    }
}

/// `a + b`.
fn sum(mut a: Vec<f32>, b: &[f32]) -> Vec<f32> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// The largest value and the mean over time of every column, interleaved. Each part is `[time, columns]`.
fn pooled_over_time(parts: &[(&[f32], usize)]) -> Vec<f32> {
    let mut pooled = Vec::new();
    for &(values, columns) in parts {
        let (mut largest, mut total) = (vec![f32::NEG_INFINITY; columns], vec![0.0_f32; columns]);
        for row in values.chunks_exact(columns) {
            largest.iter_mut().zip(row).for_each(|(largest, &value)| *largest = largest.max(value));
            total.iter_mut().zip(row).for_each(|(total, value)| *total += value);
        }
        let time = (values.len() / columns) as f32;
        pooled.extend(largest.iter().zip(&total).flat_map(|(&largest, total)| [largest, total / time]));
    }
    pooled
}

// The bands of the input are a fact of the recipe, and the kernels are as wide as they are because of it.
const _: () = assert!(BANDS * 4 / 10 == 38 && BANDS * 7 / 10 == 67, "kernels cover 0.4 and 0.7 of the bands");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_gives_the_largest_and_the_mean_of_every_column_in_turn() {
        let (left, right) = ([1.0, -5.0, 3.0, -7.0], [2.0, 2.5]);
        assert_eq!(pooled_over_time(&[(&left, 2), (&right, 1)]), [3.0, 2.0, -5.0, -6.0, 2.5, 2.25]);
    }
}
