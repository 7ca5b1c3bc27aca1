//! VGG over a batch (`../vgg.rs` has its papers and shapes).

use burn::tensor::{Tensor, activation};

use super::super::error::NnError;
use super::super::weights::WeightFile;
use super::layers::{Conv, Dense, Norm, pool};

const FEATURES: usize = 128;

/// Pooling after each convolution: kernel and stride.
const POOLING: [([usize; 2], [usize; 2]); 5] = [([4, 1], [2, 2]), ([2, 2], [2, 2]), ([2, 2], [2, 2]), ([2, 2], [2, 2]), ([4, 4], [4, 4])];

pub(super) struct Vgg {
    input_norm: Norm,
    convs: [Conv; 5],
    output: Dense,
}

impl Vgg {
    pub(super) fn load(file: &mut WeightFile<'_>) -> Result<Self, NnError> {
        let input_norm = Norm::load(file, "input_norm", 1)?;
        let mut conv = |name, inputs| Conv::load_normed(file, name, [3, 3, inputs, FEATURES], true);
        let convs =
            [conv("conv1", 1)?, conv("conv2", FEATURES)?, conv("conv3", FEATURES)?, conv("conv4", FEATURES)?, conv("conv5", FEATURES)?];
        let output = Dense::load(file, "output", [2 * FEATURES, 50])?;
        Ok(Self { input_norm, convs, output })
    }

    /// `[patches, 1, 187, 96]` to tag activations `[patches, 50]` and embeddings `[patches, 256]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let patches = x.dims()[0];
        let layers = self.convs.iter().zip(POOLING);
        let x = layers.fold(self.input_norm.forward(x), |x, (conv, (kernel, stride))| pool(conv.forward(x), kernel, stride));
        // [patches, 128, 2, 1], flattened with the features last.
        let embedding = x.permute([0, 2, 3, 1]).reshape([patches, 2 * FEATURES]);
        let tags = activation::sigmoid(self.output.forward(&embedding));
        (tags, embedding)
    }
}
