//! Networks that take their patches in batches: on a GPU, and on what stands in for one in tests.

pub(super) mod accelerator;
pub(super) mod service;

use super::error::NnError;
use super::gpu::network::GpuNetwork;
use super::infer::SegmentFeatures;
use super::plain::PlainNetwork;
use super::spec::{ModelSpec, MusicnnLayer};
use crate::catalog::ModelKey;
use accelerator::BatchDevice;

/// A network with its weights on a device.
pub(super) enum BatchNetwork {
    Gpu(Box<GpuNetwork>),
    Plain(Box<PlainNetwork>),
}

impl BatchNetwork {
    /// Reads a network's weights onto `device`, with room for `batch` patches.
    ///
    /// # Errors
    /// As [`super::Tagger::load`]; [`NnError::Compute`] if the device refuses.
    pub(super) fn load(key: ModelKey, weights: &[u8], layer: MusicnnLayer, device: &BatchDevice, batch: usize) -> Result<Self, NnError> {
        Ok(match device {
            BatchDevice::Gpu(device) => Self::Gpu(Box::new(GpuNetwork::load(key, weights, layer, device, batch)?)),
            BatchDevice::Plain => Self::Plain(Box::new(PlainNetwork::load(key, weights, layer)?)),
        })
    }

    /// What the network takes and gives.
    pub(super) fn spec(&self) -> &ModelSpec {
        match self {
            Self::Gpu(network) => network.spec(),
            Self::Plain(network) => network.spec(),
        }
    }

    /// Runs over patches, each `[patch_frames * mel_bands]` row-major, at most `batch`: one row a
    /// patch.
    ///
    /// # Errors
    /// [`NnError::Compute`] if the device gives nothing back, or what is no number.
    pub(super) fn infer(&self, patches: &[f32], batch: usize) -> Result<SegmentFeatures, NnError> {
        let features = match self {
            Self::Gpu(network) => network.infer(patches)?,
            Self::Plain(network) => network.infer(patches, batch)?,
        };
        finite(self.spec().key, features)
    }
}

/// Refuses what is no number: a device that is going down may give back anything.
fn finite(model: ModelKey, features: SegmentFeatures) -> Result<SegmentFeatures, NnError> {
    let matrices = features.taggrams.iter().chain([&features.embeddings]);
    let odd = matrices.flat_map(|matrix| matrix.values()).copied().find(|value| !value.is_finite());
    match odd {
        Some(value) => Err(NnError::Compute { model, reason: format!("it gave {value}") }),
        None => Ok(features),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::FeatureMatrix;

    #[test]
    fn an_answer_that_is_no_number_is_refused_whichever_matrix_has_it() {
        let key = ModelKey::ALL[0];
        let features = |tag: f32, last: f32| SegmentFeatures {
            taggrams: Some(FeatureMatrix::new(1, 2, vec![0.5, tag])),
            embeddings: FeatureMatrix::new(1, 3, vec![0.0, -1.0, last]),
        };
        assert_eq!(finite(key, features(0.25, 2.0)).unwrap(), features(0.25, 2.0));
        for (tag, last, told) in [(f32::NAN, 2.0, "NaN"), (0.25, f32::INFINITY, "inf"), (0.25, f32::NAN, "NaN")] {
            let error = finite(key, features(tag, last)).unwrap_err();
            assert_eq!(error.to_string(), format!("{key} could not be run: it gave {told}"));
        }
    }
}
