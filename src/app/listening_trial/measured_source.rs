//! Files, and the largest step in what came from them: what a click would have to be larger than.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::TrialMusic;
use crate::catalog::SegmentSpan;
use crate::player::{FileSource, GoOn, PlayerError, SegmentAudio, SegmentSource, TellBegun};

/// Decodes files, and measures.
pub(super) struct MeasuredSource {
    files: FileSource,
    step_bits: AtomicU32,
}

impl MeasuredSource {
    pub(super) fn new(music: &TrialMusic) -> Self {
        Self { files: FileSource::with_notes(Arc::clone(&music.notes)), step_bits: AtomicU32::new(0) }
    }

    /// The largest step from a sample to the next of its channel in what was decoded so far.
    pub(super) fn music_step(&self) -> f32 {
        f32::from_bits(self.step_bits.load(Relaxed))
    }
}

impl SegmentSource for MeasuredSource {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        self.files.load(path, span, sample_rate_hz)
    }

    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        let audio = self.files.stream(path, span, sample_rate_hz, begun, goes_on)?;
        if let Some(audio) = &audio {
            let step = |pair: &[[f32; 2]]| (pair[1][0] - pair[0][0]).abs().max((pair[1][1] - pair[0][1]).abs());
            let largest = audio.frames().windows(2).map(step).fold(0.0_f32, f32::max);
            // Bits of floats that are not negative are ordered as the floats are.
            self.step_bits.fetch_max(largest.to_bits(), Relaxed);
        }
        Ok(audio)
    }
}
