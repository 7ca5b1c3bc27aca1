//! Where the mixer's frames go: a sound device, or nowhere.

mod buffer_sizes;
mod choice;
pub mod cpal;
pub mod device_writer;
pub mod null;
pub(super) mod opening;

use std::sync::Arc;

use super::mixer::MixerLink;

pub use buffer_sizes::BufferSizes;
pub use choice::{OutputChoice, OutputDevice};

/// Frames that are asked of a device at first: 10.7 ms at 48 kHz. Measured on two loaded cores by ALSA's pulse plug-in, 256 frames gave 26 to
/// 101 drop-outs in 10 s, 512 gave 1 to 19, 1024 gave 1 or 2; a device that drops out is opened again with twice as many.
pub const FIRST_BUFFER_FRAMES: u32 = 512;
/// Where the doubling ends.
pub const LAST_BUFFER_FRAMES: u32 = 2048;

/// What an output turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputInfo {
    /// Name, for people.
    pub name: String,
    /// Whether anything can be heard.
    pub is_audible: bool,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// Frames that it asks for at a time.
    pub buffer_frames: u32,
    /// Frames that were asked of it; 0 where it was not asked.
    pub asked_frames: u32,
}

/// An output that runs by itself: it owns the mixer and calls it. Lives in the supervisor's thread; dropping it stops it.
pub trait Output {
    /// What it is.
    fn info(&self) -> &OutputInfo;
    /// Stops calling the mixer, until [`Output::resume`]. False where the output cannot: it then runs on.
    fn pause(&mut self) -> bool;
    /// Calls the mixer again.
    ///
    /// # Errors
    ///
    /// One line for people, when the device does not come back.
    fn resume(&mut self) -> Result<(), String>;
}

/// The supervisor's side of an output that it does not run: there is none between two outputs, and in tests somebody else drives it.
pub(super) struct IdleOutput(pub(super) OutputInfo);

impl Output for IdleOutput {
    fn info(&self) -> &OutputInfo {
        &self.0
    }

    fn pause(&mut self) -> bool {
        true
    }

    fn resume(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// An output that was opened, and the ends of its mixer's rings.
pub struct OpenOutput {
    /// The output.
    pub output: Box<dyn Output>,
    /// The rings.
    pub link: MixerLink,
}

/// Called by a running output, once, when it will not sound again: one line for people. Never from the audio callback.
pub type OnTrouble = Arc<dyn Fn(String) + Send + Sync>;
