//! Where segments come from: files, and in tests whatever is needed.

use std::path::Path;
use std::sync::Arc;

use crate::catalog::SegmentSpan;

use super::error::PlayerError;
use super::segment_audio::SegmentAudio;

/// Called when so much of a segment is there that it can begin to sound.
pub type TellBegun<'f> = &'f mut dyn FnMut(&Arc<SegmentAudio>);
/// Asked between two blocks whether the rest is still wanted.
pub type GoOn<'f> = &'f dyn Fn() -> bool;

/// Gives segments their sound.
pub trait SegmentSource: Send + Sync {
    /// The segment's audio at `sample_rate_hz`, exactly `round(duration * rate)` frames.
    ///
    /// # Errors
    ///
    /// When the segment cannot be had; the message names the file.
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError>;

    /// The same, but that `begun` is given the segment, once, as soon as it can begin to sound. `None` where `goes_on` said no.
    ///
    /// # Errors
    ///
    /// As [`SegmentSource::load`], maybe after `begun` was called: the segment then ends where the trouble is.
    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        _goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        let audio = self.load(path, span, sample_rate_hz)?;
        begun(&audio);
        Ok(Some(audio))
    }

    /// Finds out about a track, while it sounds, what makes the next segment of it better. For as long as `goes_on` says so.
    fn learn(&self, _path: &Path, _goes_on: GoOn<'_>) {}
}
