//! Why an extraction could not be done at all.

use std::path::PathBuf;

use crate::app::models;
use crate::catalog::ModelKey;
use crate::nn::NnError;
use crate::store::StoreError;

/// Nothing was extracted, or the collection could not be written any further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// An input is not there, or cannot be looked at.
    #[error("cannot read {}", path.display())]
    Input {
        /// The input.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No file in the inputs is an audio file, by its ending or, without one, by its first bytes.
    #[error("no audio files (wav, aiff, flac, mp3, ogg, opus, m4a, mka, webm, caf) in {}{}", inputs.iter().map(|input| input.display().to_string()).collect::<Vec<_>>().join(", "), of_unread(unread.as_deref()))]
    NoAudio {
        /// The inputs.
        inputs: Vec<PathBuf>,
        /// Which files of other kinds are there, where there are any.
        unread: Option<String>,
    },
    /// The inputs have no folder in common, as on two drives.
    #[error("{} and {} have no folder in common; extract them into two collections", one.display(), other.display())]
    NoCommonFolder {
        /// An input's folder.
        one: PathBuf,
        /// Another's.
        other: PathBuf,
    },
    /// A network was asked for whose weights are not there.
    #[error("the weights are not there: {}", models::how_to_get(*model))]
    NoWeights {
        /// The network.
        model: ModelKey,
    },
    /// A network's weights are damaged.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The collection cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A panic, which is a bug.
    #[error("a mistake in tagscape ended the run; please report it")]
    Mistake,
    /// The threads could not be started.
    #[error("cannot start the worker threads ({reason}); ask for fewer with --jobs")]
    Threads {
        /// The system's reason.
        reason: String,
    },
}

fn of_unread(line: Option<&str>) -> String {
    line.map_or_else(String::new, |line| format!("; {line}"))
}
