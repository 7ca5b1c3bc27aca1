//! What can go wrong between a request and its sound.

use std::path::PathBuf;

use crate::audio::AudioError;

/// Why something does not sound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayerError {
    /// The segment cannot be decoded: the file is missing, moved, damaged, or shorter than when it was extracted.
    #[error("cannot play '{}': {}", path.display(), source.kind)]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        #[source]
        source: Box<AudioError>,
    },
    /// The request names a stretch that is not one: negative, empty, endless, or not a number.
    #[error("cannot play '{}': {start_secs} s + {duration_secs} s is no stretch of audio", path.display())]
    BadSpan {
        /// The file.
        path: PathBuf,
        /// Start in seconds.
        start_secs: f64,
        /// Length in seconds.
        duration_secs: f64,
    },
    /// Decoding gave no frames: the stretch lies behind the end of the file.
    #[error("cannot play '{}': there is no audio at {start_secs:.3} s; was the file changed since it was extracted?", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// Start in seconds.
        start_secs: f64,
    },
    /// Decoding goes on, and gives no sound.
    #[error("cannot play '{}': {secs:.0} s of decoding gave no sound", path.display())]
    TooSlow {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        secs: f64,
    },
    /// The decoder broke on this file. A bug: the file is named so that it can be reported.
    #[error("cannot play '{}': the decoder broke on it; please report this file", path.display())]
    DecoderBroke {
        /// The file.
        path: PathBuf,
    },
}
