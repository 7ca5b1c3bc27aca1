//! The networks a second time, in burn's plain operations over a batch of patches, after the papers
//! and without the fast ones' arrangements.
//!
//! On burn's `flex` device they are slow, and the tests' oracle: other readings of the same papers
//! that have to agree. Where a test wants a GPU that every machine has, they are one.

mod layers;
mod musicnn;
mod vgg;
mod vggish;

use burn::tensor::{Device, Tensor, TensorData};

use super::error::NnError;
use super::infer::SegmentFeatures;
use super::spec::{ModelSpec, MusicnnLayer, spec};
use super::weights::WeightFile;
use crate::catalog::{Architecture, ModelKey};
use crate::matrix::FeatureMatrix;

enum Layers {
    Musicnn(Box<musicnn::Musicnn>),
    Vgg(Box<vgg::Vgg>),
    Vggish(Box<vggish::Vggish>),
}

/// A network with its weights on a device.
pub(super) struct PlainNetwork {
    spec: ModelSpec,
    layers: Layers,
    device: Device,
}

/// Patches that go through the layers together: the largest outputs are MusiCNN's first, 9.0 MB a
/// patch, VGG's first, 9.2 MB, and VGGish's first, 1.6 MB.
fn chunk(architecture: Architecture) -> usize {
    match architecture {
        Architecture::MusiCnn | Architecture::Vgg => 8,
        Architecture::Vggish => 32,
    }
}

impl PlainNetwork {
    /// Reads a network's weights onto burn's CPU device.
    ///
    /// # Errors
    /// As [`super::Tagger::load`].
    pub(super) fn load(key: ModelKey, weights: &[u8], layer: MusicnnLayer) -> Result<Self, NnError> {
        let device = Device::flex();
        let mut file = WeightFile::open(key, weights, &device)?;
        let layers = match key.architecture {
            Architecture::MusiCnn => Layers::Musicnn(Box::new(musicnn::Musicnn::load(&mut file, layer)?)),
            Architecture::Vgg => Layers::Vgg(Box::new(vgg::Vgg::load(&mut file)?)),
            Architecture::Vggish => Layers::Vggish(Box::new(vggish::Vggish::load(&mut file)?)),
        };
        file.finish()?;
        Ok(Self { spec: spec(key), layers, device })
    }

    /// What the network takes and gives.
    pub(super) fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Runs over `patches`, each `[patch_frames * mel_bands]` row-major, and zeros up to `batch` of
    /// them: one row a patch. burn may compute otherwise for another number of patches, and a row's
    /// bits are to depend on its patch alone.
    ///
    /// # Errors
    /// [`NnError::Compute`] if burn gives nothing back.
    pub(super) fn infer(&self, patches: &[f32], batch: usize) -> Result<SegmentFeatures, NnError> {
        let spec = &self.spec;
        let rows = patches.len() / spec.patch_values();
        let batch = batch.max(rows);
        let mut patches = patches.to_vec();
        patches.resize(batch * spec.patch_values(), 0.0);
        let x = Tensor::<4>::from_data(TensorData::new(patches, [batch, 1, spec.patch_frames, spec.mel.mel_bands]), &self.device);
        let (mut tags, mut embeddings) = (Vec::new(), Vec::new());
        let step = chunk(spec.key.architecture);
        for first in (0..batch).step_by(step) {
            let x = x.clone().narrow(0, first, step.min(batch - first));
            let embedded = match &self.layers {
                Layers::Musicnn(network) => {
                    let (tagged, embedded) = network.forward(x);
                    tags.push(tagged);
                    embedded
                }
                Layers::Vgg(network) => {
                    let (tagged, embedded) = network.forward(x);
                    tags.push(tagged);
                    embedded
                }
                Layers::Vggish(network) => network.forward(x),
            };
            embeddings.push(embedded);
        }
        let read = |parts, columns| self.read_back(parts, rows, columns);
        let taggrams = spec.tags.map(|columns| read(tags, columns)).transpose()?;
        Ok(SegmentFeatures { taggrams, embeddings: read(embeddings, spec.embedding_dims)? })
    }

    fn read_back(&self, parts: Vec<Tensor<2>>, rows: usize, columns: usize) -> Result<FeatureMatrix, NnError> {
        let fail = |reason: String| NnError::Compute { model: self.spec.key, reason };
        let mut values: Vec<f32> = Tensor::cat(parts, 0).try_into_vec_as().map_err(|error| fail(error.to_string()))?;
        if values.len() < rows * columns {
            return Err(fail(format!("{} values, not {}", values.len(), rows * columns)));
        }
        values.truncate(rows * columns);
        Ok(FeatureMatrix::new(rows, columns, values))
    }
}
