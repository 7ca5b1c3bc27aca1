//! A network with its weights on the GPU, and a batch going through it.
//!
//! The convolutions run over a few patches at a time: so a layer's output stays far below WebGPU's
//! 128 MiB, and no dispatch takes long. The fully connected layers, whose time goes into reading
//! their weights, run once over all rows.

use super::kernels::GpuDevice;
use super::plan::{Images, Planner, failure};
use super::{musicnn, vgg, vggish};
use crate::catalog::{Architecture, ModelKey};
use crate::gpu::dispatch::{Dispatch, submit};
use crate::gpu::{GpuError, StorageBuffer};
use crate::matrix::FeatureMatrix;
use crate::nn::error::NnError;
use crate::nn::infer::SegmentFeatures;
use crate::nn::norm::Norm;
use crate::nn::spec::{ModelSpec, MusicnnLayer, spec};
use crate::nn::weights::WeightFile;

/// Patches whose convolutions run together. The largest layers are MusiCNN's and VGG's first, 9 MB
/// a patch, and VGGish's first, 1.6 MB; the longest dispatch is MusiCNN's convolution of 7 x 38,
/// 0.6 billion multiplications a patch.
fn chunk(architecture: Architecture) -> usize {
    match architecture {
        Architecture::MusiCnn | Architecture::Vgg => 4,
        Architecture::Vggish => 8,
    }
}

/// What a network's file hands over, as its architecture lays it out.
pub(super) struct Layers {
    /// Of the input, where it is normalised.
    pub(super) input_norm: Option<Norm>,
    /// `[chunk, patch_frames, mel_bands, 1]`.
    pub(super) input: Images,
    /// From the input to the trunk's rows.
    pub(super) trunk: Vec<Dispatch>,
    /// `[chunk, 1, 1, features]`.
    pub(super) trunk_rows: Images,
    /// The same of a whole batch, `[batch, 1, 1, features]`.
    pub(super) rows: Images,
    /// From the rows to tags and embeddings.
    pub(super) head: Vec<Dispatch>,
    /// `[batch, 1, 1, tags]`.
    pub(super) tags: Option<Images>,
    /// `[batch, 1, 1, embedding_dims]`.
    pub(super) embeddings: Images,
}

/// A network on a device.
pub(in super::super) struct GpuNetwork {
    spec: ModelSpec,
    device: GpuDevice,
    batch: usize,
    layers: Layers,
}

impl GpuNetwork {
    /// Reads a network's weights onto `device`, with room for `batch` patches.
    ///
    /// # Errors
    /// As [`crate::nn::Tagger::load`]; [`NnError::Compute`] if the device refuses.
    pub(in super::super) fn load(
        key: ModelKey,
        weights: &[u8],
        layer: MusicnnLayer,
        device: &GpuDevice,
        batch: usize,
    ) -> Result<Self, NnError> {
        let mut file = WeightFile::open(key, weights, &burn::tensor::Device::flex())?;
        let mut planner = Planner::new(device, key)?;
        let chunk = chunk(key.architecture).min(batch);
        let layers = match key.architecture {
            Architecture::MusiCnn => musicnn::plan(&mut planner, &mut file, layer, [chunk, batch])?,
            Architecture::Vgg => vgg::plan(&mut planner, &mut file, [chunk, batch])?,
            Architecture::Vggish => vggish::plan(&mut planner, &mut file, [chunk, batch])?,
        };
        file.finish()?;
        Ok(Self { spec: spec(key), device: device.clone(), batch, layers })
    }

    /// What the network takes and gives.
    pub(in super::super) fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Runs over patches, each `[patch_frames * mel_bands]` row-major, as many as there is room
    /// for: one row a patch.
    ///
    /// # Errors
    /// [`NnError::Compute`] if the device fails.
    pub(in super::super) fn infer(&self, patches: &[f32]) -> Result<SegmentFeatures, NnError> {
        let rows = patches.len() / self.spec.patch_values();
        if rows > self.batch {
            let reason = format!("{rows} patches, where there is room for {}", self.batch);
            return Err(NnError::Compute { model: self.spec.key, reason });
        }
        self.send(patches).map_err(|error| failure(self.spec.key, &error))?;
        let read = |images: &Images| self.read_back(&images.values, rows, images.shape[3]);
        let taggrams = self.layers.tags.as_ref().map(read).transpose()?;
        let features = SegmentFeatures { taggrams, embeddings: read(&self.layers.embeddings)? };
        match self.device.context.errors.take().into_iter().next() {
            Some(reason) => Err(NnError::Compute { model: self.spec.key, reason }),
            None => Ok(features),
        }
    }

    /// Sends a batch off.
    fn send(&self, patches: &[f32]) -> Result<(), GpuError> {
        let (context, layers) = (&self.device.context, &self.layers);
        let [chunk, .., features] = layers.trunk_rows.shape;
        for (number, run) in patches.chunks(chunk * self.spec.patch_values()).enumerate() {
            match &layers.input_norm {
                Some(norm) => layers.input.values.write(context, 0, &norm.apply_to_single_feature(run))?,
                None => layers.input.values.write(context, 0, run)?,
            }
            submit(context, "a network's convolutions", &layers.trunk, &[])?;
            let rows = chunk.min(self.batch - number * chunk);
            layers.rows.values.copy_from(context, number * chunk * features, &layers.trunk_rows.values, rows * features)?;
        }
        submit(context, "a network's last layers", &layers.head, &[])
    }

    fn read_back(&self, values: &StorageBuffer<f32>, rows: usize, columns: usize) -> Result<FeatureMatrix, NnError> {
        let model = self.spec.key;
        let mut values = values.read(&self.device.context).map_err(|error| failure(model, &error))?;
        values.truncate(rows * columns);
        Ok(FeatureMatrix::new(rows, columns, values))
    }
}
