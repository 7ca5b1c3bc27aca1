//! What is asked of the player, and what it tells.

use std::path::PathBuf;

use crate::catalog::SegmentSpan;

/// "Let this segment sound."
#[derive(Clone, Debug, PartialEq)]
pub struct AuditionRequest {
    /// The caller's number for this request; events carry it.
    pub serial: u64,
    /// The audio file.
    pub path: PathBuf,
    /// The stretch of it that is to sound.
    pub span: SegmentSpan,
}

/// What happened since the last [`Player::poll`](super::Player::poll).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PlayerEvent {
    /// The first frame of this audition was handed to the output.
    Started {
        /// The request's number.
        serial: u64,
        /// Milliseconds from the call of `audition` to that hand-over; the device's own buffer comes after.
        latency_ms: f64,
    },
    /// An audition that had started is silent now: played to its end, faded out by `stop`, or by the one after it. Exactly one for each `Started`.
    Finished {
        /// The request's number.
        serial: u64,
    },
    /// The newest audition cannot sound.
    Failed {
        /// The request's number.
        serial: u64,
        /// Why, naming the file.
        reason: String,
    },
    /// The output is another one now, or the same with another buffer. What sounded goes on.
    OutputChanged {
        /// Its name, for people.
        name: String,
        /// Whether anything can be heard.
        is_audible: bool,
    },
    /// One line for the status bar: the device was lost, or could not be paused.
    Notice {
        /// The line.
        text: String,
    },
}
