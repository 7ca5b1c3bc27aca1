//! A file as one channel at a wanted rate, chunk by chunk: a track of any length in the same few megabytes.

use std::path::Path;

use super::decode::guarded;
use super::error::{AudioError, AudioErrorKind};
use super::loudness::{Loudness, LoudnessMeter};
use super::pcm::append_mono;
use super::remark::AudioRemark;
use super::resample::MonoResampler;
use super::stream::AudioStream;
use crate::catalog::TrackMetadata;

/// Samples that a chunk has at least, but for the last: some tenths of a second at the networks' rates.
const CHUNK_SAMPLES: usize = 8192;

/// The mean of a file's channels at a wanted rate, in chunks.
///
/// Chunk by chunk it is to the bit what [`decode_mono_at`](super::decode_mono_at) gives at once, and its end is as well checked: only after
/// [`next_chunk`](Self::next_chunk) has given `false` is it known that nothing was missing.
pub struct MonoStream {
    stream: AudioStream,
    resampler: MonoResampler,
    /// Takes the blocks as they are decoded, where somebody wants to know.
    meter: Option<LoudnessMeter>,
    /// Interleaved frames of a block as the decoder gave them.
    block: Vec<f32>,
    /// The same, one channel.
    mono: Vec<f32>,
    frames: u64,
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Reading,
    Ended,
    Failed,
}

impl MonoStream {
    /// Opens a file at its first sample.
    ///
    /// # Errors
    /// A file that cannot be read or is no audio, and rates that cannot be converted.
    pub fn open(path: &Path, rate_hz: u32) -> Result<Self, AudioError> {
        guarded(path, || {
            let stream = AudioStream::open(path)?;
            let resampler = MonoResampler::try_new(stream.sample_rate_hz, rate_hz).map_err(|kind| kind.at(path))?;
            Ok(Self { stream, resampler, meter: None, block: Vec::new(), mono: Vec::new(), frames: 0, progress: Progress::Reading })
        })
    }

    /// The same, but that the loudness is measured on the way, of all channels at the file's own rate; nothing else changes.
    #[must_use]
    pub fn with_loudness(mut self) -> Self {
        self.meter = LoudnessMeter::new(self.stream.channels, self.stream.sample_rate_hz);
        self
    }

    /// How loud the track is, as [`Loudness::of_file`] finds it; `None` before the checked end, and where it was not to be measured or cannot be.
    #[must_use]
    pub fn loudness(&self) -> Option<Loudness> {
        self.meter.as_ref().filter(|_| self.progress == Progress::Ended).and_then(LoudnessMeter::finish)
    }

    /// What the file's tags say.
    #[must_use]
    pub fn metadata(&self) -> &TrackMetadata {
        &self.stream.metadata
    }

    /// What is odd about the file: complete once [`next_chunk`](Self::next_chunk) has given `false`.
    #[must_use]
    pub fn remarks(&self) -> &[AudioRemark] {
        self.stream.remarks()
    }

    /// Length of what was decoded so far in seconds, at the file's own rate.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        self.frames as f64 / f64::from(self.stream.sample_rate_hz)
    }

    /// Clears `into` and fills it with the next samples; `false`, and none, behind the checked end.
    ///
    /// # Errors
    /// As [`decode_file`](super::decode_file): above all a stream that is damaged. After an error every further call is one.
    pub fn next_chunk(&mut self, into: &mut Vec<f32>) -> Result<bool, AudioError> {
        into.clear();
        let path = self.stream.path().to_owned();
        match self.progress {
            Progress::Ended => return Ok(false),
            Progress::Failed => return Err(AudioErrorKind::Decoder("it had failed before".to_owned()).at(&path)),
            Progress::Reading => {}
        }
        // A decoder that panics is never called again.
        self.progress = Progress::Failed;
        self.progress = guarded(&path, || self.read_chunk(into))?;
        Ok(!into.is_empty())
    }

    fn read_chunk(&mut self, into: &mut Vec<f32>) -> Result<Progress, AudioError> {
        while into.len() < CHUNK_SAMPLES {
            self.block.clear();
            if self.stream.next_block(&mut self.block)?.is_none() {
                self.resampler.finish(into).map_err(|kind| kind.at(self.stream.path()))?;
                return Ok(Progress::Ended);
            }
            if let Some(meter) = &mut self.meter {
                meter.add(&self.block);
            }
            self.mono.clear();
            append_mono(&self.block, self.stream.channels, &mut self.mono);
            self.frames += self.mono.len() as u64;
            self.resampler.push(&self.mono, into).map_err(|kind| kind.at(self.stream.path()))?;
        }
        Ok(Progress::Reading)
    }
}
