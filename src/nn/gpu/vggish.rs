//! VGGish on the GPU (`../vggish.rs` has its papers and shapes).

use super::kernels::Activation;
use super::network::Layers;
use super::plan::{Padding, Planner};
use crate::nn::error::NnError;
use crate::nn::weights::WeightFile;

const FLATTENED: usize = 6 * 4 * 512;
const HIDDEN: usize = 4096;
const EMBEDDING: usize = 128;

/// Each convolution's name, its features, and whether pooling of 2 x 2 follows.
const CONVS: [(&str, usize, bool); 6] = [
    ("conv1", 64, true),
    ("conv2", 128, true),
    ("conv3_1", 256, false),
    ("conv3_2", 256, true),
    ("conv4_1", 512, false),
    ("conv4_2", 512, true),
];

/// `[chunk, 96, 64, 1]` to embeddings `[batch, 128]`.
pub(super) fn plan(planner: &mut Planner<'_>, file: &mut WeightFile<'_>, [chunk, batch]: [usize; 2]) -> Result<Layers, NnError> {
    let input = planner.images([chunk, 96, 64, 1])?;
    let mut x = input.clone();
    for (name, features, is_pooled) in CONVS {
        let shape = [3, 3, x.shape[3], features];
        let conv = planner.load_conv(file, name, &shape, shape, Padding::Both, false)?;
        x = planner.convolve(&x, &conv, None)?;
        if is_pooled {
            x = planner.pool(&x, [2, 2], [2, 2])?;
        }
    }
    let trunk = planner.take();
    let rows = planner.images([batch, 1, 1, FLATTENED])?;
    let mut hidden = rows.clone();
    for (name, inputs) in [("fc1_1", FLATTENED), ("fc1_2", HIDDEN)] {
        let dense = planner.load_dense(file, name, [inputs, HIDDEN])?;
        hidden = planner.dense(&hidden, &dense, Activation::Relu, None)?;
    }
    let last = planner.load_dense(file, "fc2", [HIDDEN, EMBEDDING])?;
    let embeddings = planner.dense(&hidden, &last, Activation::Linear, None)?;
    Ok(Layers { input_norm: None, input, trunk, trunk_rows: x.flattened(), rows, head: planner.take(), tags: None, embeddings })
}
