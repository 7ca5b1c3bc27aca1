//! A loaded network, and running it over patches on the CPU.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::error::NnError;
use super::layers::{LayerTrace, LayerValues};
use super::musicnn::Musicnn;
use super::spec::{ModelSpec, MusicnnLayer, spec};
use super::vgg::Vgg;
use super::vggish::Vggish;
use super::weights::{self, WeightFile};
use crate::catalog::{Architecture, ModelKey};
use crate::matrix::{FeatureMatrix, RowSource};

/// What a network makes of some patches: one row a patch, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentFeatures {
    /// Tag activations in 0..1, `[segments, 50]`; none of a network without tags.
    pub taggrams: Option<FeatureMatrix>,
    /// Embeddings, `[segments, dims]`.
    pub embeddings: FeatureMatrix,
}

impl SegmentFeatures {
    /// Some of the rows.
    pub(super) fn rows(&self, rows: Range<usize>) -> Self {
        let cut = |matrix: &FeatureMatrix| {
            let dims = matrix.dims();
            FeatureMatrix::new(rows.len(), dims, matrix.values()[rows.start * dims..rows.end * dims].to_vec())
        };
        Self { taggrams: self.taggrams.as_ref().map(cut), embeddings: cut(&self.embeddings) }
    }

    /// Adds the rows of the same network's next patches behind these.
    pub fn append(&mut self, more: Self) {
        let join = |matrix: &mut FeatureMatrix, more: FeatureMatrix| {
            let (rows, dims) = (matrix.rows() + more.rows(), matrix.dims());
            let mut values = std::mem::take(matrix).into_values();
            values.extend_from_slice(more.values());
            *matrix = FeatureMatrix::new(rows, dims, values);
        };
        join(&mut self.embeddings, more.embeddings);
        if let (Some(taggrams), Some(more)) = (&mut self.taggrams, more.taggrams) {
            join(taggrams, more);
        }
    }
}

enum Network {
    Musicnn(Box<Musicnn>),
    Vgg(Box<Vgg>),
    Vggish(Box<Vggish>),
}

/// A network with its weights, ready to run on the CPU. It can be shared between threads, which then run side by side.
///
/// VGGish tags nothing, and is one all the same: what is common to them is patches in, rows out.
pub struct Tagger {
    spec: ModelSpec,
    network: Network,
}

impl Tagger {
    /// Reads a network's weights; `layer` is which of MusiCNN's layers is its embedding, and of no account to the others.
    ///
    /// # Errors
    /// If `weights` is not a safetensors file, or not this network's: the error names the first tensor that is missing, of a
    /// wrong shape or type, not finite, or too many.
    pub fn load(key: ModelKey, weights: &[u8], layer: MusicnnLayer) -> Result<Self, NnError> {
        let device = Device::flex();
        let mut file = WeightFile::open(key, weights, &device)?;
        let network = match key.architecture {
            Architecture::MusiCnn => Network::Musicnn(Box::new(Musicnn::load(&mut file, layer)?)),
            Architecture::Vgg => Network::Vgg(Box::new(Vgg::load(&mut file)?)),
            Architecture::Vggish => Network::Vggish(Box::new(Vggish::load(&mut file)?)),
        };
        file.finish()?;
        Ok(Self { spec: spec(key), network })
    }

    /// The network with the weights that the program has inside itself, after comparing their sha256.
    ///
    /// # Errors
    /// [`NnError::NoWeights`] if there are none, [`NnError::Checksum`] if they are damaged, and those of [`Self::load`].
    pub fn embedded(key: ModelKey, layer: MusicnnLayer) -> Result<Self, NnError> {
        let bytes = weights::embedded(key).ok_or(NnError::NoWeights { model: key })?;
        weights::verify(key, bytes)?;
        Self::load(key, bytes, layer)
    }

    /// What this network takes and gives.
    #[must_use]
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Runs over `patches`, each `[patch_frames * mel_bands]` row-major, on the calling thread.
    ///
    /// A row depends on its patch alone, bit for bit, whatever else is in the call and whichever thread calls. To use several
    /// cores for one track, share its patches out among threads, [`Self::patches_at_once`] or a multiple a call.
    ///
    /// # Errors
    /// If a patch has a wrong size, or holds NaN or infinity.
    pub fn infer(&self, patches: &[&[f32]]) -> Result<SegmentFeatures, NnError> {
        self.check(patches)?;
        let (rows, dims) = (patches.len(), self.spec.embedding_dims);
        let tags = self.spec.tags.unwrap_or(0);
        let mut taggrams = Vec::with_capacity(rows * tags);
        let mut embeddings = Vec::with_capacity(rows * dims);
        for run in patches.chunks(self.patches_at_once()) {
            let (tag_rows, embedded) = self.forward(run, &mut LayerTrace::off());
            if let Some(tag_rows) = tag_rows {
                taggrams.extend(self.read_back(tag_rows, run.len() * tags)?);
            }
            embeddings.extend(self.read_back(embedded, run.len() * dims)?);
        }
        let taggrams = self.spec.tags.map(|tags| FeatureMatrix::new(rows, tags, taggrams));
        Ok(SegmentFeatures { taggrams, embeddings: FeatureMatrix::new(rows, dims, embeddings) })
    }

    /// How many patches the network takes at once. A call with fewer takes as long as one with so many.
    #[must_use]
    pub fn patches_at_once(&self) -> usize {
        match &self.network {
            Network::Musicnn(_) | Network::Vgg(_) => 1,
            Network::Vggish(_) => Vggish::PATCHES_AT_ONCE,
        }
    }

    /// The values of every layer for one patch, in the order of the forward pass: for comparing with the original.
    ///
    /// # Errors
    /// Those of [`Self::infer`].
    pub fn layers(&self, patch: &[f32]) -> Result<Vec<LayerValues>, NnError> {
        self.check(&[patch])?;
        let mut trace = LayerTrace::on();
        self.forward(&[patch], &mut trace);
        Ok(trace.into_layers())
    }

    /// Refuses patches of a wrong size, or with values that are no numbers.
    pub(super) fn check(&self, patches: &[&[f32]]) -> Result<(), NnError> {
        let (model, expected) = (self.spec.key, self.spec.patch_values());
        for (segment, patch) in patches.iter().enumerate() {
            if patch.len() != expected {
                return Err(NnError::PatchSize { model, segment, expected, found: patch.len() });
            }
            if patch.iter().any(|value| !value.is_finite()) {
                return Err(NnError::PatchValue { segment });
            }
        }
        Ok(())
    }

    /// Tag activations and embeddings, a row a patch, of at most [`Self::patches_at_once`].
    fn forward(&self, patches: &[&[f32]], trace: &mut LayerTrace) -> (Option<Tensor<2>>, Tensor<2>) {
        let each = |forward: &mut dyn FnMut(&[f32]) -> (Tensor<2>, Tensor<2>)| {
            let (tags, embeddings): (Vec<_>, Vec<_>) = patches.iter().map(|patch| forward(patch)).unzip();
            (Some(Tensor::cat(tags, 0)), Tensor::cat(embeddings, 0))
        };
        match &self.network {
            Network::Musicnn(network) => each(&mut |patch| network.forward(patch, trace)),
            Network::Vgg(network) => each(&mut |patch| network.forward(patch, trace)),
            Network::Vggish(network) => (None, network.forward(patches, trace)),
        }
    }

    /// Rows of `expected` values in all.
    fn read_back(&self, rows: Tensor<2>, expected: usize) -> Result<Vec<f32>, NnError> {
        let model = self.spec.key;
        let values = rows.try_into_vec_as::<f32>().map_err(|error| NnError::Compute { model, reason: format!("{error:?}") })?;
        if values.len() == expected {
            Ok(values)
        } else {
            Err(NnError::Compute { model, reason: format!("{} values, not {expected}", values.len()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Vec<f32> {
        (0..187 * 96).map(|i| ((i * 31) % 97) as f32 / 40.0).collect()
    }

    #[test]
    fn a_tagger_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Tagger>();
    }

    #[test]
    fn a_patch_of_another_size_or_without_numbers_is_an_error_that_says_which() {
        let tagger = Tagger::embedded("mtt-vgg".parse().unwrap(), MusicnnLayer::default()).unwrap();
        let (good, short) = (ramp(), vec![0.0; 5]);
        let error = tagger.infer(&[&good, &short]).unwrap_err();
        assert_eq!(error.to_string(), "patch 1 has 5 values, where mtt-vgg takes 17952");
        let mut bad = ramp();
        bad[17_000] = f32::NAN;
        assert!(matches!(tagger.infer(&[&good, &bad]), Err(NnError::PatchValue { segment: 1 })));
    }

    #[test]
    fn no_patches_give_no_rows() {
        let tagger = Tagger::embedded("mtt-vgg".parse().unwrap(), MusicnnLayer::default()).unwrap();
        let features = tagger.infer(&[]).unwrap();
        assert_eq!(features.embeddings, FeatureMatrix::new(0, 256, Vec::new()));
        assert_eq!(features.taggrams, Some(FeatureMatrix::new(0, 50, Vec::new())));
    }

    #[test]
    fn vggish_is_not_embedded_and_the_error_says_how_to_add_it() {
        let vggish: ModelKey = "vggish".parse().unwrap();
        let error = Tagger::embedded(vggish, MusicnnLayer::default()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the weights of audioset-vggish are not part of tagscape; `tagscape models add audioset-vggish FILE` adds them"
        );
        assert!(Tagger::load(vggish, &[], MusicnnLayer::default()).is_err());
    }
}
