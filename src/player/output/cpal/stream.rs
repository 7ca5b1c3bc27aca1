//! A stream of the device's own format, whose callback is a [`DeviceWriter`].

use std::sync::Arc;

use cpal::traits::DeviceTrait as _;
use cpal::{FromSample, SampleFormat, SizedSample, StreamConfig};

use super::DeviceError;
use super::error_watch::ErrorWatch;
use crate::player::mixer::Mixer;
use crate::player::output::OnTrouble;
use crate::player::output::device_writer::DeviceWriter;
use crate::player::status::MixerStatus;

/// A stream to be built.
pub(super) struct Stream<'a> {
    pub(super) device: &'a cpal::Device,
    pub(super) config: StreamConfig,
    pub(super) mixer: Mixer,
    pub(super) status: &'a Arc<MixerStatus>,
    pub(super) on_trouble: &'a OnTrouble,
}

impl Stream<'_> {
    /// Builds it; it does not run yet.
    pub(super) fn build(self, format: SampleFormat) -> Result<cpal::Stream, DeviceError> {
        match format {
            SampleFormat::F32 => self.of::<f32>(),
            SampleFormat::F64 => self.of::<f64>(),
            SampleFormat::I8 => self.of::<i8>(),
            SampleFormat::I16 => self.of::<i16>(),
            SampleFormat::I24 => self.of::<cpal::I24>(),
            SampleFormat::I32 => self.of::<i32>(),
            SampleFormat::U8 => self.of::<u8>(),
            SampleFormat::U16 => self.of::<u16>(),
            SampleFormat::U24 => self.of::<cpal::U24>(),
            SampleFormat::U32 => self.of::<u32>(),
            other => Err(DeviceError::UnsupportedFormat(other)),
        }
    }

    fn of<T: SizedSample + FromSample<f32>>(self) -> Result<cpal::Stream, DeviceError> {
        let mut writer = DeviceWriter::new(self.mixer, self.config.channels);
        let mut watch = ErrorWatch::new(&writer.calls(), self.status, self.on_trouble);
        let play = move |data: &mut [T], _: &cpal::OutputCallbackInfo| writer.write(data);
        let complain = move |error: cpal::Error| watch.see(&error);
        self.device.build_output_stream(self.config, play, complain, None).map_err(DeviceError::Open)
    }
}
