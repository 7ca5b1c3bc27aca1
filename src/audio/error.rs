//! Why a file gave no audio.

use std::path::{Path, PathBuf};

use crate::plain_file::Kind;

/// A file that could not be decoded, and why.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {}", path.display())]
pub struct AudioError {
    /// What is wrong; its text does not name the file.
    pub kind: AudioErrorKind,
    /// The file.
    pub path: PathBuf,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioErrorKind {
    /// The file cannot be opened or read: it is not there, there is no permission, or the disk fails.
    #[error("cannot be read: {0}")]
    Io(#[source] std::io::Error),
    /// The path is a folder, a device or a pipe.
    #[error("{0}")]
    NotAFile(Kind),
    /// The file has no bytes.
    #[error("is empty (0 bytes)")]
    Empty,
    /// No known audio format begins in it; it may be something else under an audio file's name.
    #[error("is not audio that tagscape reads (wav, aiff, caf, flac, alac, mp3, m4a or aac, ogg vorbis, opus, mka or webm)")]
    NotAudio,
    /// An audio format, but a codec or a form of it that is not supported; convert the file.
    #[error("is in a form that tagscape does not read ({0}); convert it to flac or wav")]
    Unsupported(String),
    /// A container without any audio that can be read: other codecs, or pictures alone.
    #[error("has no audio that tagscape reads in it ({0}); convert it to flac or wav")]
    NoKnownAudio(String),
    /// The stream ends before its first sample: a broken download or copy; get the file again.
    #[error("is cut off after {found_secs:.2} s{}", of_promised(*.promised_secs))]
    CutOff {
        /// Seconds that could be decoded.
        found_secs: f64,
        /// Seconds that the container promises, where it says.
        promised_secs: Option<f64>,
    },
    /// The stream is damaged somewhere inside; get the file again.
    #[error("is damaged at {at_secs:.2} s: {reason}")]
    Damaged {
        /// Where, in seconds from the start.
        at_secs: f64,
        /// The decoder's reason.
        reason: String,
    },
    /// A whole stream without a single sample.
    #[error("has no audio in it")]
    NoSamples,
    /// Longer than what is taken as one track; split it.
    #[error("is longer than {0} hours; split it")]
    TooLong(u64),
    /// Too many samples to be held in memory as a whole; ask for a stretch or for mono.
    #[error("is too large to be held in memory as a whole")]
    TooLarge,
    /// A stretch outside of the track was asked for.
    #[error("has nothing from {start_secs:.3} s on: it is {duration_secs:.3} s long")]
    NoSuchSpan {
        /// The asked start in seconds.
        start_secs: f64,
        /// The track's length in seconds.
        duration_secs: f64,
    },
    /// The resampler refused the rates.
    #[error("cannot be resampled from {from_hz} Hz to {to_hz} Hz: {reason}")]
    Resample {
        /// The file's sample rate.
        from_hz: u32,
        /// The wanted sample rate.
        to_hz: u32,
        /// The resampler's reason.
        reason: String,
    },
    /// The decoder itself failed on this file; please report it.
    #[error("made the decoder fail ({0}); please report this file")]
    Decoder(String),
}

fn of_promised(promised_secs: Option<f64>) -> String {
    promised_secs.map_or_else(String::new, |secs| format!(" of {secs:.2} s"))
}

impl AudioErrorKind {
    /// Names the file.
    pub(super) fn at(self, path: &Path) -> AudioError {
        AudioError { kind: self, path: path.to_owned() }
    }

    /// The reason for which a file was not opened.
    pub(super) fn of_file(error: std::io::Error) -> Self {
        Kind::refused(&error).map_or(Self::Io(error), Self::NotAFile)
    }

    /// What a symphonia error before the first packet means.
    pub(super) fn of_opening(error: symphonia::core::errors::Error) -> Self {
        use symphonia::core::errors::Error;
        match error {
            Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::CutOff { found_secs: 0.0, promised_secs: None }
            }
            Error::IoError(error) => Self::Io(error),
            Error::Unsupported(reason) if reason.contains("no suitable format reader") => Self::NotAudio,
            Error::Unsupported(reason) | Error::LimitError(reason) => Self::Unsupported(reason.to_owned()),
            other => Self::Damaged { at_secs: 0.0, reason: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_and_names_the_file_last() {
        let error = AudioErrorKind::Empty.at(Path::new("a/b.flac"));
        assert_eq!(error.to_string(), "is empty (0 bytes): a/b.flac");
    }
}
