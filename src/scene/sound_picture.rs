//! What a stretch of music looks like: its waveform and its mel spectrogram, in plain numbers.

use crate::catalog::{SegmentSpan, TrackId};

/// The waveform and the spectrogram of a stretch. What was not decoded yet is silence.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundPicture {
    /// Whose.
    pub track: TrackId,
    /// Which stretch of the track.
    pub span: SegmentSpan,
    /// Raised with every picture that is made, for copies of it.
    pub serial: u64,
    /// The least and the largest sample of each part of the stretch, left and right together. `[parts, 2]`
    pub peaks: Vec<[f32; 2]>,
    /// Log-mel energies as tones, the highest band first, times of the stretch from left to right. `[bands, columns]`
    pub tones: Vec<u8>,
    /// Columns of `tones`.
    pub columns: usize,
}

impl SoundPicture {
    /// Bands of the spectrogram.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.tones.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Whether a stretch of a track lies in it, to a millisecond.
    #[must_use]
    pub fn covers(&self, track: TrackId, span: SegmentSpan) -> bool {
        let end = |span: SegmentSpan| span.start_secs + span.duration_secs;
        self.track == track && self.span.start_secs <= span.start_secs + 1e-3 && end(self.span) + 1e-3 >= end(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_covers_its_own_stretch_and_what_is_in_it() {
        let span = |start_secs: f64, duration_secs: f64| SegmentSpan { start_secs, duration_secs };
        let picture = SoundPicture { track: TrackId(2), span: span(3.0, 3.0), serial: 0, peaks: vec![], tones: vec![0; 12], columns: 4 };
        assert_eq!(picture.bands(), 3);
        assert!(picture.covers(TrackId(2), span(3.0, 3.0)) && picture.covers(TrackId(2), span(4.0, 2.0)));
        assert!(!picture.covers(TrackId(1), span(3.0, 3.0)) && !picture.covers(TrackId(2), span(2.9, 1.0)));
        assert!(!picture.covers(TrackId(2), span(4.0, 2.1)));
    }
}
