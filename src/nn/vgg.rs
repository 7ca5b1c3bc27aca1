//! VGG: five 3x3 convolutions with pooling, and one dense layer.
//!
//! The baseline of Pons and Serra, "musicnn", ISMIR late-breaking 2019, after Choi et al., "Automatic tagging using deep
//! convolutional neural networks", ISMIR 2016. The layers are those of the `musicnn` 0.1.0 package:
//!
//! ```text
//! patch [187, 96, 1] ─ input_norm
//! conv1, pooling 4x1 with stride 2x2   [92, 48, 128]
//! conv2, pooling 2x2                   [46, 24, 128]
//! conv3, pooling 2x2                   [23, 12, 128]
//! conv4, pooling 2x2                   [11, 6, 128]
//! conv5, pooling 4x4                   [2, 1, 128], flattened: the embedding [256]
//! output, sigmoid                      [50]
//! ```
//!
//! A pooling of 4x4 is one of 2x2 after one of 2x2. The first pooling reads every other band only, so that only those are computed.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::conv_weights::ConvWeights;
use super::conv3x3::Conv3x3;
use super::error::NnError;
use super::first_conv::FirstConv;
use super::layers::LayerTrace;
use super::norm::Norm;
use super::simd::Cpu;
use super::weights::WeightFile;

const FEATURES: usize = 128;
const TAGS: usize = 50;
const EMBEDDING: usize = 2 * FEATURES;
const BANDS: usize = 96;

/// The network with its weights.
pub(super) struct Vgg {
    input_norm: Norm,
    conv1: FirstConv,
    convs: [Conv3x3; 4],
    output: Tensor<2>,
    output_bias: Tensor<2>,
    device: Device,
}

impl Vgg {
    pub(super) fn load(file: &mut WeightFile<'_>) -> Result<Self, NnError> {
        let cpu = Cpu::best();
        let input_norm = Norm::load(file, "input_norm", 1)?;
        let first = ConvWeights::load(file, "conv1", [3, 3, 1, FEATURES])?;
        let conv1 = FirstConv::new(cpu, &first.kernel, first.bias, Some(&first.norm));
        let mut conv = |name| {
            let weights = ConvWeights::load(file, name, [3, 3, FEATURES, FEATURES])?;
            Ok(Conv3x3::new(cpu, &weights.kernel, weights.bias, Some(&weights.norm), true))
        };
        let convs = [conv("conv2")?, conv("conv3")?, conv("conv4")?, conv("conv5")?];
        let output = file.matrix("output.kernel", &[EMBEDDING, TAGS], [EMBEDDING, TAGS])?;
        let output_bias = file.matrix("output.bias", &[TAGS], [1, TAGS])?;
        Ok(Self { input_norm, conv1, convs, output, output_bias, device: file.device().clone() })
    }

    /// # Shapes
    /// `[187, 96]` to tag activations `[1, 50]` and embedding `[1, 256]`.
    pub(super) fn forward(&self, patch: &[f32], trace: &mut LayerTrace) -> (Tensor<2>, Tensor<2>) {
        let x = self.input_norm.apply_to_single_feature(patch);
        trace.note_values("input_norm", &x);
        let [mut height, mut width] = FirstConv::pooled(patch.len() / BANDS, BANDS);
        let mut x = self.conv1.forward(&x, BANDS);
        trace.note_values("conv1", &x);
        for (name, conv) in ["conv2", "conv3", "conv4", "conv5"].into_iter().zip(&self.convs) {
            x = conv.forward(&x, height, width);
            (height, width) = (height / 2, width / 2);
            if name == "conv5" {
                x = pool_2x2(&x, width, FEATURES);
            }
            trace.note_values(name, &x);
        }
        let embedding = Tensor::<2>::from_data(TensorData::new(x, [1, EMBEDDING]), &self.device);
        let tags = activation::sigmoid(embedding.clone().matmul(self.output.clone()).add(self.output_bias.clone()));
        trace.note("output", &tags);
        (tags, embedding)
    }
}

/// 2x2 pooling with stride 2 of whole squares, `[height, width, features]` to `[height / 2, width / 2, features]`.
fn pool_2x2(x: &[f32], width: usize, features: usize) -> Vec<f32> {
    let mut pooled = Vec::new();
    for rows in x.chunks_exact(2 * width * features) {
        let (above, below) = rows.split_at(width * features);
        for (above, below) in above.chunks_exact(2 * features).zip(below.chunks_exact(2 * features)) {
            let largest = |at: usize| above[at].max(above[at + features]).max(below[at]).max(below[at + features]);
            pooled.extend((0..features).map(largest));
        }
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_takes_the_largest_of_each_whole_square() {
        let (width, features) = (7, 2);
        let values: Vec<f32> = (0..5 * width * features).map(|i| ((i * 37) % 71) as f32).collect();
        let at = |row: usize, column: usize, feature: usize| values[(row * width + column) * features + feature];
        let expected: Vec<f32> = (0..2 * 3 * features)
            .map(|i| (2 * (i / (3 * features)), 2 * (i / features % 3), i % features))
            .map(|(r, c, f)| at(r, c, f).max(at(r, c + 1, f)).max(at(r + 1, c, f)).max(at(r + 1, c + 1, f)))
            .collect();
        assert_eq!(pool_2x2(&values, width, features), expected);
    }
}
