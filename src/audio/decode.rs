//! From a file to samples: a whole track, a whole track as mono at another rate, or exactly one stretch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::error::{AudioError, AudioErrorKind};
use super::mono_stream::MonoStream;
use super::pcm::Pcm;
use super::remark::AudioRemark;
use super::stream::AudioStream;
use crate::catalog::{SegmentSpan, TrackMetadata};

/// Most samples that are held in memory as one track (2 GiB).
const MAX_SAMPLES: usize = 1 << 29;

/// A whole file, decoded.
#[derive(Clone, Debug)]
pub struct DecodedTrack {
    /// Its samples.
    pub pcm: Pcm,
    /// What its tags say.
    pub metadata: TrackMetadata,
    /// What is odd about it.
    pub remarks: Vec<AudioRemark>,
}

/// A whole file as one channel at a wanted rate.
#[derive(Clone, Debug)]
pub struct MonoTrack {
    /// Mean of the channels, at the wanted rate.
    pub samples: Vec<f32>,
    /// Length of the file's audio in seconds, at its own rate.
    pub duration_secs: f64,
    /// What its tags say.
    pub metadata: TrackMetadata,
    /// What is odd about it.
    pub remarks: Vec<AudioRemark>,
}

/// Decodes a whole file.
///
/// # Errors
/// Whatever [`AudioErrorKind`] names: above all a stream that is damaged. One that is cut off, or of another length than it declares, is read as
/// far as it is sound, with a remark.
pub fn decode_file(path: &Path) -> Result<DecodedTrack, AudioError> {
    guarded(path, || {
        let mut stream = AudioStream::open(path)?;
        let mut samples = Vec::new();
        while stream.next_block(&mut samples)?.is_some() {
            if samples.len() > MAX_SAMPLES {
                return Err(AudioErrorKind::TooLarge.at(path));
            }
        }
        let pcm = Pcm { samples, channels: stream.channels, sample_rate_hz: stream.sample_rate_hz };
        Ok(DecodedTrack { pcm, metadata: std::mem::take(&mut stream.metadata), remarks: stream.remarks().to_vec() })
    })
}

/// Decodes a whole file to the mean of its channels at `rate_hz`, without ever holding it at its own rate: all of
/// [`MonoStream`]'s chunks.
///
/// # Errors
/// As [`decode_file`], and rates that cannot be converted.
pub fn decode_mono_at(path: &Path, rate_hz: u32) -> Result<MonoTrack, AudioError> {
    let mut stream = MonoStream::open(path, rate_hz)?;
    let (mut samples, mut chunk) = (Vec::new(), Vec::new());
    while stream.next_chunk(&mut chunk)? {
        samples.extend_from_slice(&chunk);
        if samples.len() > MAX_SAMPLES {
            return Err(AudioErrorKind::TooLarge.at(path));
        }
    }
    let remarks = stream.remarks().to_vec();
    Ok(MonoTrack { samples, duration_secs: stream.duration_secs(), metadata: stream.metadata().clone(), remarks })
}

/// Decodes exactly one stretch, the same samples that [`decode_file`] has there; less where the track ends before the stretch does.
///
/// # Errors
/// As [`decode_file`] for what has to be decoded, and a stretch that begins behind the track's end.
pub fn decode_span(path: &Path, span: SegmentSpan) -> Result<Pcm, AudioError> {
    guarded(path, || {
        let mut stream = AudioStream::open(path)?;
        let rate = f64::from(stream.sample_rate_hz);
        // Casts of floats saturate: a nonsensical span is an empty one or one behind the end.
        let first = (span.start_secs * rate).round() as u64;
        let end = ((span.start_secs + span.duration_secs) * rate).round() as u64;
        let channels = stream.channels;
        let wanted = (end.saturating_sub(first) as usize).saturating_mul(channels).min(MAX_SAMPLES);
        stream.skip_to(first)?;
        let (mut samples, mut block, mut reached) = (Vec::new(), Vec::new(), 0);
        while samples.len() < wanted {
            block.clear();
            let Some(start) = stream.next_block(&mut block)? else { break };
            reached = start + (block.len() / channels) as u64;
            let skipped = usize::try_from(first.saturating_sub(start)).unwrap_or(usize::MAX).saturating_mul(channels);
            if let Some(heard) = block.get(skipped..) {
                samples.extend_from_slice(&heard[..heard.len().min(wanted - samples.len())]);
            }
        }
        if samples.is_empty() && wanted > 0 {
            return Err(AudioErrorKind::NoSuchSpan { start_secs: span.start_secs, duration_secs: reached as f64 / rate }.at(path));
        }
        Ok(Pcm { samples, channels, sample_rate_hz: stream.sample_rate_hz })
    })
}

/// Turns a panic inside of a decoder, which a hostile file may cause, into an error.
pub(super) fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(AudioErrorKind::Decoder(text.unwrap_or_default()).at(path))
    })
}
