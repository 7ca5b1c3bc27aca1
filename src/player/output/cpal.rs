//! The system's default sound device, by cpal.
//!
//! cpal 0.18 on ALSA makes a ring of twice `BufferSize::Fixed` frames (`cpal/src/host/alsa/mod.rs`), so 512 frames are up to 21.3 ms of
//! latency at 48 kHz. What the device does not take is tried again with more, and at last with its own default.
//!
//! After a drop-out, cpal prepares the stream again, and ALSA's pulse plug-in answers every poll with an I/O error until it is
//! connected: some 1300 errors within 9 ms. So an error counts only when a second has gone by with nothing but errors.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

use super::device_writer::DeviceWriter;
use super::{LAST_BUFFER_FRAMES, OnTrouble, OpenOutput, Output, OutputInfo};
use crate::player::mixer::{Mixer, MixerLink, mixer_link};
use crate::player::status::MixerStatus;

/// So long nothing but errors, and the device is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long cpal's thread is held at each error, so that a burst of them does not eat a core.
const ERROR_PAUSE: Duration = Duration::from_millis(1);

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The system has no output device.
    #[error("there is no sound device")]
    NoDevice,
    /// The device cannot be opened: busy, gone, or not permitted.
    #[error("the sound device cannot be opened: {0}")]
    Open(#[source] cpal::Error),
    /// The device offers only sample formats that tagscape does not write (DSD).
    #[error("the sound device takes only {0}, which tagscape cannot give")]
    UnsupportedFormat(SampleFormat),
}

/// A running stream of the default device.
pub struct CpalOutput {
    info: OutputInfo,
    stream: cpal::Stream,
}

impl CpalOutput {
    /// Opens the default device with a buffer of `first_frames` or more, and starts it. `on_trouble` hears when it breaks later.
    ///
    /// # Errors
    ///
    /// When there is no device, or none that takes what we can give.
    pub fn open(status: &Arc<MixerStatus>, on_trouble: &OnTrouble, first_frames: u32) -> Result<OpenOutput, DeviceError> {
        keep_alsa_quiet();
        let device = cpal::default_host().default_output_device().ok_or(DeviceError::NoDevice)?;
        let supported = device.default_output_config().map_err(DeviceError::Open)?;
        let mut last_error = DeviceError::NoDevice;
        for buffer_size in buffer_sizes(supported.buffer_size(), first_frames) {
            let config = StreamConfig { buffer_size, ..supported.config() };
            let (mixer, link) = mixer_link(config.sample_rate, Arc::clone(status));
            let opened = build(&device, &supported, config, mixer, status, on_trouble)
                .and_then(|stream| stream.play().map(|()| stream).map_err(DeviceError::Open));
            match opened {
                Ok(stream) => return Ok(Self::describe(&device, config, stream, link)),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn describe(device: &cpal::Device, config: StreamConfig, stream: cpal::Stream, link: MixerLink) -> OpenOutput {
        let asked = if let BufferSize::Fixed(frames) = config.buffer_size { frames } else { 0 };
        let info = OutputInfo {
            name: device.description().map_or_else(|_| "sound device".to_owned(), |described| described.name().to_owned()),
            is_audible: true,
            sample_rate_hz: config.sample_rate,
            buffer_frames: stream.buffer_size().unwrap_or(asked),
        };
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

fn build(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    config: StreamConfig,
    mixer: Mixer,
    status: &Arc<MixerStatus>,
    on_trouble: &OnTrouble,
) -> Result<cpal::Stream, DeviceError> {
    let make = Stream { device, config, mixer, status, on_trouble };
    match supported.sample_format() {
        SampleFormat::F32 => make.build::<f32>(),
        SampleFormat::F64 => make.build::<f64>(),
        SampleFormat::I8 => make.build::<i8>(),
        SampleFormat::I16 => make.build::<i16>(),
        SampleFormat::I24 => make.build::<cpal::I24>(),
        SampleFormat::I32 => make.build::<i32>(),
        SampleFormat::U8 => make.build::<u8>(),
        SampleFormat::U16 => make.build::<u16>(),
        SampleFormat::U24 => make.build::<cpal::U24>(),
        SampleFormat::U32 => make.build::<u32>(),
        other => Err(DeviceError::UnsupportedFormat(other)),
    }
}

struct Stream<'a> {
    device: &'a cpal::Device,
    config: StreamConfig,
    mixer: Mixer,
    status: &'a Arc<MixerStatus>,
    on_trouble: &'a OnTrouble,
}

impl Stream<'_> {
    fn build<T: SizedSample + FromSample<f32>>(self) -> Result<cpal::Stream, DeviceError> {
        let mut writer = DeviceWriter::new(self.mixer, self.config.channels);
        let mut watch = ErrorWatch::new(&writer.calls(), self.status, self.on_trouble);
        let play = move |data: &mut [T], _: &cpal::OutputCallbackInfo| writer.write(data);
        let complain = move |error: cpal::Error| watch.see(&error);
        self.device.build_output_stream(self.config, play, complain, None).map_err(DeviceError::Open)
    }
}

/// Tells a device that is gone from one that stumbles. Lives in cpal's error callback.
struct ErrorWatch {
    calls: Arc<AtomicU64>,
    status: Arc<MixerStatus>,
    on_trouble: OnTrouble,
    /// When the errors began, and how often the data callback had been called then.
    burst: Option<(Instant, u64)>,
    is_told: bool,
}

impl ErrorWatch {
    fn new(calls: &Arc<AtomicU64>, status: &Arc<MixerStatus>, on_trouble: &OnTrouble) -> Self {
        Self { calls: Arc::clone(calls), status: Arc::clone(status), on_trouble: Arc::clone(on_trouble), burst: None, is_told: false }
    }

    fn see(&mut self, error: &cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => self.status.count_underrun(),
            // The sound goes on, maybe on another device: nothing to tell.
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated | ErrorKind::HostUnavailable => self.tell(error),
            _ => {
                let calls = self.calls.load(Relaxed);
                match self.burst {
                    Some((since, calls_then)) if calls_then == calls => {
                        if since.elapsed() > PATIENCE {
                            self.tell(error);
                        }
                    }
                    _ => self.burst = Some((Instant::now(), calls)),
                }
                std::thread::sleep(ERROR_PAUSE);
            }
        }
    }

    fn tell(&mut self, error: &cpal::Error) {
        if !std::mem::replace(&mut self.is_told, true) {
            (self.on_trouble)(error.to_string());
        }
    }
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

    #[test]
    fn a_burst_of_errors_is_no_end_and_a_second_of_nothing_else_is() {
        let told = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&told);
        let on_trouble: OnTrouble = Arc::new(move |_| {
            counted.fetch_add(1, Relaxed);
        });
        let calls = Arc::new(AtomicU64::new(0));
        let mut watch = ErrorWatch::new(&calls, &Arc::default(), &on_trouble);
        let error = cpal::Error::new(ErrorKind::BackendError);
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 0);
        // It recovered, and stumbles again much later.
        calls.fetch_add(1, Relaxed);
        watch.burst = watch.burst.map(|(since, calls)| (since.checked_sub(2 * PATIENCE).unwrap(), calls));
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 0);
        watch.burst = watch.burst.map(|(since, calls)| (since.checked_sub(2 * PATIENCE).unwrap(), calls));
        (0..20).for_each(|_| watch.see(&error));
        assert_eq!(told.load(Relaxed), 1, "and it is told once");
        watch.see(&cpal::Error::new(ErrorKind::Xrun));
        assert_eq!(watch.status.underruns(), 1);
    }
}
