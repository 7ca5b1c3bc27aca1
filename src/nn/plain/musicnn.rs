//! MusiCNN over a batch (`../musicnn.rs` has its papers and shapes).

use burn::tensor::{Tensor, activation};

use super::super::error::NnError;
use super::super::spec::MusicnnLayer;
use super::super::weights::WeightFile;
use super::layers::{Conv, Dense, Norm};

/// Features before and after pooling over time.
const FEATURES: usize = 753;
const POOLED: usize = 2 * FEATURES;
const PENULTIMATE: usize = 200;

pub(super) struct Musicnn {
    input_norm: Norm,
    frontend: [Conv; 5],
    midend: [Conv; 3],
    pool_norm: Norm,
    dense: Dense,
    dense_norm: Norm,
    output: Dense,
    layer: MusicnnLayer,
}

impl Musicnn {
    pub(super) fn load(file: &mut WeightFile<'_>, layer: MusicnnLayer) -> Result<Self, NnError> {
        let input_norm = Norm::load(file, "input_norm", 1)?;
        let mut frontend = |name: &str, [frames, bands, features]: [usize; 3]| {
            Conv::load_normed(file, &format!("frontend.{name}"), [frames, bands, 1, features], false)
        };
        let frontend = [
            frontend("timbral_7x38", [7, 38, 204])?,
            frontend("timbral_7x67", [7, 67, 204])?,
            frontend("temporal_128", [128, 1, 51])?,
            frontend("temporal_64", [64, 1, 51])?,
            frontend("temporal_32", [32, 1, 51])?,
        ];
        let mut midend = |name: &str, inputs| Conv::load_over_time(file, &format!("midend.{name}"), [7, inputs, 64]);
        let midend = [midend("conv1", 561)?, midend("conv2", 64)?, midend("conv3", 64)?];
        Ok(Self {
            input_norm,
            frontend,
            midend,
            pool_norm: Norm::load(file, "backend.pool_norm", POOLED)?,
            dense: Dense::load(file, "backend.dense", [POOLED, PENULTIMATE])?,
            dense_norm: Norm::load(file, "backend.dense.norm", PENULTIMATE)?,
            output: Dense::load(file, "backend.output", [PENULTIMATE, 50])?,
            layer,
        })
    }

    /// `[patches, 1, 187, 96]` to tag activations `[patches, 50]` and embeddings `[patches, 200]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let patches = x.dims()[0];
        let x = self.input_norm.forward(x);
        let frontend = self.frontend.iter().map(|conv| {
            let convolved = conv.forward(x.clone());
            let bands = convolved.dims()[3];
            pool(convolved, bands)
        });
        // [patches, features, 187, 1] from here on.
        let frontend = Tensor::cat(frontend.collect(), 1);
        let conv1 = self.midend[0].forward(frontend.clone());
        let conv2 = self.midend[1].forward(conv1.clone()).add(conv1.clone());
        let conv3 = self.midend[2].forward(conv2.clone()).add(conv2.clone());
        let features = Tensor::cat(vec![frontend, conv1, conv2, conv3], 1);
        // [patches, 753, 2, 1]: largest and mean side by side.
        let pooled = Tensor::cat(vec![features.clone().max_dim(2), features.mean_dim(2)], 2);
        let pooled = self.pool_norm.forward(pooled.reshape([patches, POOLED, 1, 1]));
        let dense = self.dense.forward(&pooled.reshape([patches, POOLED]));
        let penultimate = activation::relu(dense.clone()).reshape([patches, PENULTIMATE, 1, 1]);
        let penultimate = self.dense_norm.forward(penultimate).reshape([patches, PENULTIMATE]);
        let tags = activation::sigmoid(self.output.forward(&penultimate));
        let embedding = match self.layer {
            MusicnnLayer::Penultimate => penultimate,
            MusicnnLayer::Dense => dense,
        };
        (tags, embedding)
    }
}

/// The largest over the bands.
fn pool(x: Tensor<4>, bands: usize) -> Tensor<4> {
    super::layers::pool(x, [1, bands], [1, bands])
}
