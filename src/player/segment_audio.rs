//! A segment's audio, decoded and at the output's rate: what a voice plays, and what the cache holds.

use std::path::Path;

use crate::audio;
use crate::catalog::SegmentSpan;

use super::error::PlayerError;
use super::voice::FADE_SECS;

/// No segment is longer; a request for more is a mistake, and would fill the memory.
const LONGEST_SECS: f64 = 600.0;

/// Stereo frames at the output's rate.
#[derive(Debug)]
pub struct SegmentAudio {
    frames: Box<[[f32; 2]]>,
}

impl SegmentAudio {
    /// From interleaved stereo, `[frames, 2]`, brought to exactly `frame_count` frames: cut off, or faded out and filled up with silence
    /// (the last segment of a track may reach a few milliseconds past its end, because the network's frames are centred).
    #[must_use]
    pub fn from_interleaved(stereo: &[f32], frame_count: usize, sample_rate_hz: u32) -> Self {
        let mut frames: Vec<[f32; 2]> = stereo.as_chunks::<2>().0.iter().take(frame_count).copied().collect();
        if frames.len() < frame_count {
            let fade_frames = (f64::from(sample_rate_hz) * FADE_SECS).round() as usize;
            for (index, frame) in frames.iter_mut().rev().take(fade_frames).enumerate() {
                let gain = (index + 1) as f32 / (fade_frames + 1) as f32;
                frame[0] *= gain;
                frame[1] *= gain;
            }
            frames.resize(frame_count, [0.0; 2]);
        }
        Self { frames: frames.into_boxed_slice() }
    }

    /// The frames: left and right.
    #[must_use]
    pub fn frames(&self) -> &[[f32; 2]] {
        &self.frames
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        std::mem::size_of_val(&*self.frames)
    }
}

/// Where segments come from: files, and in tests whatever is needed.
pub trait SegmentSource: Send + Sync {
    /// The segment's audio at `sample_rate_hz`, exactly `round(duration * rate)` frames.
    ///
    /// # Errors
    ///
    /// When the segment cannot be had; the message names the file.
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<SegmentAudio, PlayerError>;
}

/// Decodes files.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSource;

impl SegmentSource for FileSource {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<SegmentAudio, PlayerError> {
        let frame_count = frame_count(path, span, sample_rate_hz)?;
        let undecodable = |source| PlayerError::Undecodable { path: path.to_owned(), source: Box::new(source) };
        let pcm = audio::decode_span(path, span).map_err(undecodable)?;
        let stereo = audio::to_stereo_at(&pcm, sample_rate_hz).map_err(undecodable)?;
        if stereo.len() < 2 {
            return Err(PlayerError::Nothing { path: path.to_owned(), start_secs: span.start_secs });
        }
        Ok(SegmentAudio::from_interleaved(&stereo, frame_count, sample_rate_hz))
    }
}

fn frame_count(path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<usize, PlayerError> {
    let SegmentSpan { start_secs, duration_secs } = span;
    let frames = (duration_secs * f64::from(sample_rate_hz)).round();
    let is_stretch = start_secs.is_finite() && start_secs >= 0.0 && frames >= 1.0 && duration_secs <= LONGEST_SECS;
    if is_stretch { Ok(frames as usize) } else { Err(PlayerError::BadSpan { path: path.to_owned(), start_secs, duration_secs }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_has_exactly_the_frames_that_its_span_says() {
        let path = Path::new("x.ogg");
        let span = SegmentSpan { start_secs: 0.0, duration_secs: 2.992 };
        assert_eq!(frame_count(path, span, 48_000).unwrap(), 143_616);
        assert_eq!(frame_count(path, span, 44_100).unwrap(), 131_947);
        for (start_secs, duration_secs) in [(-1.0, 1.0), (0.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (0.0, f64::NAN), (0.0, 1e9)] {
            let error = frame_count(path, SegmentSpan { start_secs, duration_secs }, 48_000).unwrap_err();
            assert!(error.to_string().contains("x.ogg"), "{error}");
        }
    }

    #[test]
    fn what_is_too_short_fades_out_and_is_filled_with_silence() {
        let audio = SegmentAudio::from_interleaved(&[1.0; 2000], 1200, 1000);
        assert_eq!(audio.frames().len(), 1200);
        assert_eq!(audio.frames()[989], [1.0; 2]);
        assert!(audio.frames()[999][0] < 0.1 && audio.frames()[999][0] > 0.0);
        assert_eq!(audio.frames()[1000], [0.0; 2]);
        assert_eq!(SegmentAudio::from_interleaved(&[1.0; 2000], 10, 1000).frames().len(), 10);
    }
}
