//! A sound device, by cpal: the system's default, or a certain one.
//!
//! cpal 0.18 on ALSA makes a ring of twice `BufferSize::Fixed` frames (`cpal/src/host/alsa/mod.rs`), so 512 frames are up to 21.3 ms of
//! latency at 48 kHz. What the device does not take is tried again with more, and at last with its own default.

mod devices;
mod error_watch;
mod stream;

use std::sync::Arc;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, DeviceId, SampleFormat, StreamConfig, SupportedBufferSize};

use super::{BufferSizes, LAST_BUFFER_FRAMES, OnTrouble, OpenOutput, Output, OutputDevice, OutputInfo};
use crate::player::mixer::{MixerLink, mixer_link};
use crate::player::status::MixerStatus;
pub use devices::output_devices;
use stream::Stream;

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The system has no output device.
    #[error("there is no sound device")]
    NoDevice,
    /// The device that is wanted is not among those that there are.
    #[error("it is not there")]
    NotThere,
    /// The devices cannot be listed.
    #[error("the system's sound devices cannot be listed: {0}")]
    List(#[source] cpal::Error),
    /// The device cannot be opened: busy, gone, or not permitted.
    #[error("the sound device cannot be opened: {0}")]
    Open(#[source] cpal::Error),
    /// The device offers only sample formats that tagscape does not write (DSD).
    #[error("the sound device takes only {0}, which tagscape cannot give")]
    UnsupportedFormat(SampleFormat),
}

/// A running stream.
pub struct CpalOutput {
    info: OutputInfo,
    stream: cpal::Stream,
}

impl CpalOutput {
    /// Opens a device, or the system's default, with the buffer that `buffers` has for it or a larger one, and starts it. `on_trouble` hears when it
    /// breaks later.
    ///
    /// # Errors
    ///
    /// When there is no such device, or it does not take what we can give.
    pub fn open(
        wanted: Option<&OutputDevice>,
        status: &Arc<MixerStatus>,
        on_trouble: &OnTrouble,
        buffers: &BufferSizes,
    ) -> Result<OpenOutput, DeviceError> {
        keep_alsa_quiet();
        let host = cpal::default_host();
        let device = match wanted {
            None => host.default_output_device().ok_or(DeviceError::NoDevice)?,
            Some(OutputDevice { id, .. }) => {
                let id: DeviceId = id.parse().map_err(|_| DeviceError::NotThere)?;
                host.device_by_id(&id).ok_or(DeviceError::NotThere)?
            }
        };
        let described = || device.description().map_or_else(|_| "sound device".to_owned(), |described| described.name().to_owned());
        let name = wanted.map_or_else(described, |wanted| wanted.name.clone());
        let asked_frames = buffers.of(&name);
        let supported = device.default_output_config().map_err(DeviceError::Open)?;
        let mut last_error = DeviceError::NoDevice;
        for buffer_size in buffer_sizes(supported.buffer_size(), asked_frames) {
            let config = StreamConfig { buffer_size, ..supported.config() };
            let (mixer, link) = mixer_link(config.sample_rate, Arc::clone(status));
            let stream = Stream { device: &device, config, mixer, status, on_trouble };
            let opened =
                stream.build(supported.sample_format()).and_then(|stream| stream.play().map(|()| stream).map_err(DeviceError::Open));
            match opened {
                Ok(stream) => return Ok(Self::describe((name, asked_frames), config, stream, link)),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn describe((name, asked_frames): (String, u32), config: StreamConfig, stream: cpal::Stream, link: MixerLink) -> OpenOutput {
        let asked = if let BufferSize::Fixed(frames) = config.buffer_size { frames } else { 0 };
        let buffer_frames = stream.buffer_size().unwrap_or(asked);
        let info = OutputInfo { name, is_audible: true, sample_rate_hz: config.sample_rate, buffer_frames, asked_frames };
        OpenOutput { output: Box::new(Self { info, stream }), link }
    }
}

/// ALSA's library writes a page of its inner searches to standard error where there is no device. From now on this thread's are kept
/// in a buffer that nobody reads: the error that `cpal` returns says it all.
#[cfg(target_os = "linux")]
fn keep_alsa_quiet() {
    // Where it cannot be had the chatter is heard: nothing to be done about it.
    let _ = alsa::Output::local_error_handler();
}

#[cfg(not(target_os = "linux"))]
fn keep_alsa_quiet() {}

/// What to try, smallest first.
fn buffer_sizes(supported: &SupportedBufferSize, first_frames: u32) -> Vec<BufferSize> {
    let fits = |frames: &u32| match supported {
        SupportedBufferSize::Range { min, max } => (min..=max).contains(&frames),
        SupportedBufferSize::Unknown => true,
    };
    let doubled =
        std::iter::successors(Some(first_frames), |frames| frames.checked_mul(2)).take_while(|&frames| frames <= LAST_BUFFER_FRAMES);
    doubled.filter(fits).map(BufferSize::Fixed).chain([BufferSize::Default]).collect()
}

impl Output for CpalOutput {
    fn info(&self) -> &OutputInfo {
        &self.info
    }

    fn pause(&mut self) -> bool {
        self.stream.pause().is_ok()
    }

    fn resume(&mut self) -> Result<(), String> {
        self.stream.play().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_buffer_that_the_device_takes_is_tried_first_and_its_default_last() {
        let range = |min, max| SupportedBufferSize::Range { min, max };
        assert_eq!(buffer_sizes(&range(300, 1500), 512), [BufferSize::Fixed(512), BufferSize::Fixed(1024), BufferSize::Default]);
        assert_eq!(buffer_sizes(&range(600, 700), 512), [BufferSize::Default]);
        assert_eq!(buffer_sizes(&SupportedBufferSize::Unknown, 2048), [BufferSize::Fixed(2048), BufferSize::Default]);
    }
}
