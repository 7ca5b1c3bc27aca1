//! A space: training dataset, architecture and layer; named as in music-explore, `mtt-musicnn-taggrams`.

use std::fmt;
use std::str::FromStr;

/// A name that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What kind of name was expected.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
    /// The names that would have done.
    pub known: String,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} named '{}'; there are: {}", self.kind, self.given, self.known)
    }
}

impl std::error::Error for UnknownName {}

/// The shape of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Architecture {
    /// MusiCNN: musically motivated front-end, 6 layers (Pons and Serra, 2019).
    MusiCnn,
    /// VGG: 5 convolutional layers on the same input.
    Vgg,
    /// VGGish (Hershey et al., 2017).
    Vggish,
}

/// What the network was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrainingDataset {
    /// MagnaTagATune.
    Mtt,
    /// Million Song Dataset.
    Msd,
    /// AudioSet.
    AudioSet,
}

/// Which layer of the network a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Tag activations, sigmoid outputs in 0..1.
    Taggrams,
    /// The penultimate layer.
    Embeddings,
}

/// A trained network: dataset and architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelKey {
    /// Training dataset.
    pub dataset: TrainingDataset,
    /// Architecture.
    pub architecture: Architecture,
}

impl ModelKey {
    /// Every network that tagscape knows, in the order in which their spaces are listed.
    pub const ALL: [Self; 5] = [
        Self { dataset: TrainingDataset::Mtt, architecture: Architecture::MusiCnn },
        Self { dataset: TrainingDataset::Msd, architecture: Architecture::MusiCnn },
        Self { dataset: TrainingDataset::Mtt, architecture: Architecture::Vgg },
        Self { dataset: TrainingDataset::Msd, architecture: Architecture::Vgg },
        Self { dataset: TrainingDataset::AudioSet, architecture: Architecture::Vggish },
    ];

    /// The layers that this network gives: VGGish has no tags.
    #[must_use]
    pub fn layers(self) -> &'static [Layer] {
        match self.architecture {
            Architecture::MusiCnn | Architecture::Vgg => &[Layer::Taggrams, Layer::Embeddings],
            Architecture::Vggish => &[Layer::Embeddings],
        }
    }

    /// The space of one of its layers.
    #[must_use]
    pub fn space(self, layer: Layer) -> SpaceKey {
        SpaceKey { model: self, layer }
    }

    /// The space names' first part: `mtt-musicnn`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match (self.dataset, self.architecture) {
            (TrainingDataset::Mtt, Architecture::MusiCnn) => "mtt-musicnn",
            (TrainingDataset::Msd, Architecture::MusiCnn) => "msd-musicnn",
            (TrainingDataset::Mtt, Architecture::Vgg) => "mtt-vgg",
            (TrainingDataset::Msd, Architecture::Vgg) => "msd-vgg",
            (TrainingDataset::AudioSet, Architecture::Vggish) => "audioset-vggish",
            _ => "unknown",
        }
    }
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelKey {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let wanted = if name == "vggish" { "audioset-vggish" } else { name };
        Self::ALL.into_iter().find(|key| key.name() == wanted).ok_or_else(|| UnknownName {
            kind: "model",
            given: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A tag space or a latent space: one layer of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceKey {
    /// The network.
    pub model: ModelKey,
    /// Its layer.
    pub layer: Layer,
}

impl SpaceKey {
    /// All nine spaces.
    pub fn all() -> impl Iterator<Item = Self> {
        ModelKey::ALL.into_iter().flat_map(|model| model.layers().iter().map(move |&layer| model.space(layer)))
    }

    /// Columns of the space's matrix.
    #[must_use]
    pub fn dims(self) -> usize {
        match (self.layer, self.model.architecture) {
            (Layer::Taggrams, _) => 50,
            (Layer::Embeddings, Architecture::MusiCnn) => 200,
            (Layer::Embeddings, Architecture::Vgg) => 256,
            (Layer::Embeddings, Architecture::Vggish) => 128,
        }
    }

    /// The tag space of the same network, if it has one.
    #[must_use]
    pub fn taggrams(self) -> Option<Self> {
        self.model.layers().contains(&Layer::Taggrams).then(|| self.model.space(Layer::Taggrams))
    }
}

impl fmt::Display for SpaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = match self.layer {
            Layer::Taggrams => "taggrams",
            Layer::Embeddings => "embeddings",
        };
        write!(f, "{}-{layer}", self.model.name())
    }
}

impl FromStr for SpaceKey {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::all().find(|key| key.to_string() == name).ok_or_else(|| UnknownName {
            kind: "space",
            given: name.to_owned(),
            known: Self::all().map(|key| key.to_string()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_nine_spaces_and_each_is_found_by_its_own_name() {
        let names: Vec<_> = SpaceKey::all().map(|key| key.to_string()).collect();
        assert_eq!(names.len(), 9);
        for (key, name) in SpaceKey::all().zip(&names) {
            assert_eq!(name.parse(), Ok(key));
        }
        assert!("audioset-vggish-taggrams".parse::<SpaceKey>().is_err());
    }

    #[test]
    fn vggish_is_short_for_audioset_vggish() {
        assert_eq!("vggish".parse::<ModelKey>(), "audioset-vggish".parse());
        let error = "vgg".parse::<ModelKey>().unwrap_err();
        assert!(error.to_string().contains("mtt-musicnn"), "{error}");
    }
}
