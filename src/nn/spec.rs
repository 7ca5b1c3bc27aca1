//! The table of the networks: what each takes and gives.

use crate::catalog::{Architecture, Layer, ModelKey};
use crate::mel::{MelConfig, patch_count};

/// Which layer MusiCNN's embeddings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MusicnnLayer {
    /// The penultimate layer after batch normalisation, as the `musicnn` package gives it.
    #[default]
    Penultimate,
    /// The same layer before its ReLU and batch normalisation: `dense/BiasAdd`, which Essentia's metadata names.
    Dense,
}

/// What a network takes and gives.
///
/// | network | mel | patch | segment | taggrams | embeddings |
/// |---|---|---|---|---|---|
/// | `mtt-musicnn`, `msd-musicnn` | [`MelConfig::MUSICNN`] | 187 frames | 2.992 s | 50 | 200 |
/// | `mtt-vgg`, `msd-vgg` | [`MelConfig::MUSICNN`] | 187 frames | 2.992 s | 50 | 256 |
/// | `audioset-vggish` | [`MelConfig::VGGISH`] | 96 frames | 0.960 s | none | 128 |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelSpec {
    /// The network.
    pub key: ModelKey,
    /// How its input is made.
    pub mel: &'static MelConfig,
    /// Frames in a patch.
    pub patch_frames: usize,
    /// Length of a segment in seconds, that of its patch's frames.
    pub segment_secs: f64,
    /// Columns of the taggrams, if it has tags.
    pub tags: Option<usize>,
    /// Columns of the embeddings.
    pub embedding_dims: usize,
}

/// The specification of a network.
#[must_use]
pub fn spec(key: ModelKey) -> ModelSpec {
    let (mel, patch_frames) = match key.architecture {
        Architecture::MusiCnn | Architecture::Vgg => (&MelConfig::MUSICNN, 187),
        Architecture::Vggish => (&MelConfig::VGGISH, 96),
    };
    ModelSpec {
        key,
        mel,
        patch_frames,
        segment_secs: patch_frames as f64 * mel.hop_secs(),
        tags: key.layers().contains(&Layer::Taggrams).then(|| key.space(Layer::Taggrams).dims()),
        embedding_dims: key.space(Layer::Embeddings).dims(),
    }
}

impl ModelSpec {
    /// Values in a patch, `patch_frames * mel_bands`.
    #[must_use]
    pub fn patch_values(&self) -> usize {
        self.patch_frames * self.mel.mel_bands
    }

    /// The true step in seconds of a step of `hop_frames` frames.
    #[must_use]
    pub fn hop_secs(&self, hop_frames: usize) -> f64 {
        hop_frames as f64 * self.mel.hop_secs()
    }

    /// The whole number of frames that is nearest to a step in seconds, at least one: 0.5 s is 31 frames of MusiCNN's, 0.496 s.
    #[must_use]
    pub fn hop_frames(&self, hop_secs: f64) -> usize {
        let frames = (hop_secs / self.mel.hop_secs()).round();
        // A cast from f64 saturates, and makes 0 of NaN.
        (frames as usize).max(1)
    }

    /// How many segments a track of `samples` samples at the recipe's rate has.
    #[must_use]
    pub fn segment_count(&self, samples: usize, hop_frames: usize) -> usize {
        patch_count(crate::mel::frame_count(samples, self.mel.hop_samples), self.patch_frames, hop_frames.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_documentation() {
        let rows: Vec<_> = ModelKey::ALL.map(spec).into_iter().map(|s| (s.patch_frames, s.tags, s.embedding_dims)).collect();
        let (musicnn, vgg) = ((187, Some(50), 200), (187, Some(50), 256));
        assert_eq!(rows, [musicnn, musicnn, vgg, vgg, (96, None, 128)]);
        assert!((spec(ModelKey::ALL[0]).segment_secs - 2.992).abs() < 1e-12);
        assert!((spec(ModelKey::ALL[4]).segment_secs - 0.96).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_rounded_to_whole_frames_and_its_true_length_is_given() {
        let spec = spec(ModelKey::ALL[0]);
        assert_eq!(spec.hop_frames(0.5), 31);
        assert!((spec.hop_secs(31) - 0.496).abs() < 1e-12);
        assert_eq!(spec.hop_frames(2.992), 187);
        assert_eq!((spec.hop_frames(0.0), spec.hop_frames(f64::NAN), spec.hop_frames(-1.0)), (1, 1, 1));
    }

    #[test]
    fn twelve_and_a_half_seconds_are_four_segments() {
        assert_eq!(spec(ModelKey::ALL[0]).segment_count(200_000, 187), 4);
        assert_eq!(spec(ModelKey::ALL[4]).segment_count(200_000, 96), 13);
        assert_eq!(spec(ModelKey::ALL[0]).segment_count(0, 187), 0);
    }
}
