//! Opens the output that is wanted, and no other: what to take in its place is the supervisor's business.

use std::sync::Arc;

use super::cpal::CpalOutput;
use super::null::{NULL_RATE_HZ, NullOutput};
use super::{BufferSizes, OnTrouble, OpenOutput, OutputChoice};
use crate::player::status::MixerStatus;

/// An output to be opened.
pub(in crate::player) struct Wanted<'a> {
    /// Which.
    pub(in crate::player) choice: &'a OutputChoice,
    /// What its mixer publishes to.
    pub(in crate::player) status: &'a Arc<MixerStatus>,
    /// Hears when it breaks later.
    pub(in crate::player) on_trouble: &'a OnTrouble,
    /// Frames to ask of it.
    pub(in crate::player) buffers: &'a BufferSizes,
}

/// Opens an output, in the supervisor's own thread: on Windows, cpal must not share a thread with the window's COM. An error is one line for people.
pub(in crate::player) type Opener = Box<dyn FnMut(&Wanted<'_>) -> Result<OpenOutput, String> + Send>;

/// Opens an output of this machine.
pub(in crate::player) fn open_output(wanted: &Wanted<'_>) -> Result<OpenOutput, String> {
    let device = match wanted.choice {
        OutputChoice::Null => return Ok(NullOutput::open(NULL_RATE_HZ, wanted.status)),
        OutputChoice::Default => None,
        OutputChoice::Device(device) => Some(device),
    };
    CpalOutput::open(device, wanted.status, wanted.on_trouble, wanted.buffers).map_err(|error| error.to_string())
}
