//! VGG on the GPU (`../vgg.rs` has its papers and shapes).

use super::kernels::Activation;
use super::network::Layers;
use super::plan::{Padding, Planner};
use crate::nn::error::NnError;
use crate::nn::norm::Norm;
use crate::nn::weights::WeightFile;

const FEATURES: usize = 128;
const EMBEDDING: usize = 2 * FEATURES;
const TAGS: usize = 50;

/// Each convolution's name, and its pooling: window and step.
const CONVS: [(&str, [usize; 2], [usize; 2]); 5] =
    [("conv1", [4, 1], [2, 2]), ("conv2", [2, 2], [2, 2]), ("conv3", [2, 2], [2, 2]), ("conv4", [2, 2], [2, 2]), ("conv5", [4, 4], [4, 4])];

/// `[chunk, 187, 96, 1]` to embeddings `[batch, 256]` and tag activations `[batch, 50]`.
pub(super) fn plan(planner: &mut Planner<'_>, file: &mut WeightFile<'_>, [chunk, batch]: [usize; 2]) -> Result<Layers, NnError> {
    let input_norm = Some(Norm::load(file, "input_norm", 1)?);
    let input = planner.images([chunk, 187, 96, 1])?;
    let mut x = input.clone();
    for (name, window, step) in CONVS {
        let shape = [3, 3, x.shape[3], FEATURES];
        let conv = planner.load_conv(file, name, &shape, shape, Padding::Both, true)?;
        x = planner.convolve(&x, &conv, None)?;
        x = planner.pool(&x, window, step)?;
    }
    let trunk = planner.take();
    let rows = planner.images([batch, 1, 1, EMBEDDING])?;
    let output = planner.load_dense(file, "output", [EMBEDDING, TAGS])?;
    let tags = planner.dense(&rows, &output, Activation::Sigmoid, None)?;
    let (trunk_rows, embeddings) = (x.flattened(), rows.clone());
    Ok(Layers { input_norm, input, trunk, trunk_rows, rows, head: planner.take(), tags: Some(tags), embeddings })
}
