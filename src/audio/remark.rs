//! What is odd about a file that was read all the same.

use std::fmt;

/// A remark on a file: it was read as far as it is sound, and this is what a listener should know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AudioRemark {
    /// The stream ends before its end: a broken download or copy, or a header with a wrong length.
    CutOff {
        /// Seconds that are there.
        found_secs: f64,
        /// Seconds that the file declares, where it does.
        promised_secs: Option<f64>,
    },
    /// The stream runs on behind the length that the file declares; all of it was read.
    RunsOn {
        /// Seconds that are there.
        found_secs: f64,
        /// Seconds that the file declares.
        promised_secs: f64,
    },
    /// An ogg stream has no end mark. One that is cut off between two pages has none either.
    NoEndMark {
        /// Seconds that are there.
        found_secs: f64,
    },
    /// The file holds more audio, of a kind that cannot be joined to what was read.
    GoesOnDifferently {
        /// Seconds that were read.
        found_secs: f64,
    },
    /// Samples are no numbers (NaN, infinite, or beyond any loudness); they were read as silence.
    NotNumbers {
        /// Samples, of all channels.
        count: u64,
        /// When the first one sounds, in seconds.
        first_secs: f64,
    },
}

impl fmt::Display for AudioRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CutOff { found_secs, promised_secs: Some(promised) } => {
                write!(f, "ends after {found_secs:.2} s of the {promised:.2} s that it declares (cut off, or its header is wrong)")
            }
            Self::CutOff { found_secs, promised_secs: None } => write!(f, "is cut off after {found_secs:.2} s"),
            Self::RunsOn { found_secs, promised_secs } => {
                write!(f, "declares {promised_secs:.2} s of audio and has {found_secs:.2} s")
            }
            Self::NoEndMark { found_secs } => {
                write!(f, "has no end mark: it may be cut off after {found_secs:.2} s, where its audio ends")
            }
            Self::GoesOnDifferently { found_secs } => {
                write!(f, "goes on after {found_secs:.2} s with audio of another kind, which was not read")
            }
            Self::NotNumbers { count: 1, first_secs } => {
                write!(f, "holds a sample that is not a number at {first_secs:.3} s; it was read as silence")
            }
            Self::NotNumbers { count, first_secs } => {
                write!(f, "holds {count} samples that are not numbers, the first at {first_secs:.3} s; they were read as silence")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_a_line_that_follows_the_files_name() {
        let cut = AudioRemark::CutOff { found_secs: 4.0, promised_secs: Some(6.1) };
        assert_eq!(cut.to_string(), "ends after 4.00 s of the 6.10 s that it declares (cut off, or its header is wrong)");
        let one = AudioRemark::NotNumbers { count: 1, first_secs: 1.5 };
        assert_eq!(one.to_string(), "holds a sample that is not a number at 1.500 s; it was read as silence");
    }
}
