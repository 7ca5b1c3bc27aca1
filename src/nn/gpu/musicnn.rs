//! MusiCNN on the GPU (`../musicnn.rs` has its papers and shapes).

use super::kernels::Activation;
use super::network::Layers;
use super::plan::{Columns, Images, Padding, Planner};
use crate::nn::error::NnError;
use crate::nn::norm::Norm;
use crate::nn::spec::MusicnnLayer;
use crate::nn::weights::WeightFile;

const FRAMES: usize = 187;
const BANDS: usize = 96;
const FRONTEND: usize = 561;
const MIDEND: usize = 64;
/// Largest value and mean of all features.
const POOLED: usize = 2 * (FRONTEND + 3 * MIDEND);
const PENULTIMATE: usize = 200;
const TAGS: usize = 50;

/// Each front-end's name, and the frames, bands and features of its kernel.
const FRONTENDS: [(&str, [usize; 3]); 5] = [
    ("timbral_7x38", [7, 38, 204]),
    ("timbral_7x67", [7, 67, 204]),
    ("temporal_128", [128, 1, 51]),
    ("temporal_64", [64, 1, 51]),
    ("temporal_32", [32, 1, 51]),
];

/// `[chunk, 187, 96, 1]` to tag activations `[batch, 50]` and embeddings `[batch, 200]`.
pub(super) fn plan(
    planner: &mut Planner<'_>,
    file: &mut WeightFile<'_>,
    layer: MusicnnLayer,
    [chunk, batch]: [usize; 2],
) -> Result<Layers, NnError> {
    let input_norm = Some(Norm::load(file, "input_norm", 1)?);
    let input = planner.images([chunk, FRAMES, BANDS, 1])?;
    let frontend = planner.images([chunk, FRAMES, 1, FRONTEND])?;
    // One buffer for what each front-end gives before its pooling; the first gives the most.
    let mut before_pooling: Option<Images> = None;
    let mut first = 0;
    for (name, [frames, bands, features]) in FRONTENDS {
        let shape = [frames, bands, 1, features];
        let conv = planner.load_conv(file, &format!("frontend.{name}"), &shape, shape, Padding::Time, true)?;
        let width = BANDS + 1 - bands;
        let convolved = match &before_pooling {
            Some(Images { values, .. }) => Images { values: values.clone(), shape: [chunk, FRAMES, width, features] },
            None => planner.images([chunk, FRAMES, width, features])?,
        };
        planner.convolve_into(&input, &conv, None, Columns { images: &convolved, first: 0 })?;
        planner.pool_into(&convolved, [1, width], [1, width], Columns { images: &frontend, first })?;
        before_pooling.get_or_insert(convolved);
        first += features;
    }
    // A kernel in the file is as wide as its input has features, which are the inputs here.
    let mut midend = |name: &str, x: &Images, residual: Option<&Images>| {
        let (stored, shape) = ([7, x.shape[3], 1, MIDEND], [7, 1, x.shape[3], MIDEND]);
        let conv = planner.load_conv(file, &format!("midend.{name}"), &stored, shape, Padding::Time, true)?;
        planner.convolve(x, &conv, residual)
    };
    let conv1 = midend("conv1", &frontend, None)?;
    let conv2 = midend("conv2", &conv1, Some(&conv1))?;
    let conv3 = midend("conv3", &conv2, Some(&conv2))?;
    let norm = Norm::load(file, "backend.pool_norm", POOLED)?;
    let norm = planner.constants(&[norm.scale(), norm.shift()].concat())?;
    let trunk_rows = planner.images([chunk, 1, 1, POOLED])?;
    let mut first = 0;
    for part in [&frontend, &conv1, &conv2, &conv3] {
        planner.pool_time_into(part, &norm, Columns { images: &trunk_rows, first })?;
        first += 2 * part.shape[3];
    }
    let trunk = planner.take();

    let rows = planner.images([batch, 1, 1, POOLED])?;
    let dense = planner.load_dense(file, "backend.dense", [POOLED, PENULTIMATE])?;
    let norm = Norm::load(file, "backend.dense.norm", PENULTIMATE)?;
    let penultimate = planner.dense(&rows, &dense, Activation::Relu, Some(&norm))?;
    let output = planner.load_dense(file, "backend.output", [PENULTIMATE, TAGS])?;
    let tags = Some(planner.dense(&penultimate, &output, Activation::Sigmoid, None)?);
    let embeddings = match layer {
        MusicnnLayer::Penultimate => penultimate,
        MusicnnLayer::Dense => planner.dense(&rows, &dense, Activation::Linear, None)?,
    };
    Ok(Layers { input_norm, input, trunk, trunk_rows, rows, head: planner.take(), tags, embeddings })
}
