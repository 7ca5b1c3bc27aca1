//! Segments from files, by their tracks' seek indexes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audio::{SeekIndex, StereoStream};
use crate::catalog::SegmentSpan;

use super::error::PlayerError;
use super::segment_audio::{SegmentAudio, SegmentWriter};
use super::source::{GoOn, SegmentSource, TellBegun};
use super::voice::FADE_SECS;

/// No segment is longer; a request for more is a mistake, and would fill the memory.
const LONGEST_SECS: f64 = 600.0;
/// Frames that are there before a segment begins to sound: 43 ms at 48 kHz, in which much more than that is decoded.
const FIRST_FRAMES: usize = 2048;
/// Memory for seek indexes: those of some 300 tracks of four minutes.
const INDEX_BYTES: usize = 64 << 20;

/// Decodes files.
#[derive(Debug, Default)]
pub struct FileSource {
    known: Mutex<KnownIndexes>,
}

#[derive(Debug, Default)]
struct KnownIndexes {
    entries: HashMap<PathBuf, Entry>,
    byte_count: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    /// `None` where a file needs none or can have none.
    index: Option<Arc<SeekIndex>>,
    used_at: u64,
}

impl KnownIndexes {
    fn find(&mut self, path: &Path) -> Option<Option<Arc<SeekIndex>>> {
        self.clock += 1;
        let entry = self.entries.get_mut(path)?;
        entry.used_at = self.clock;
        Some(entry.index.clone())
    }

    fn keep(&mut self, path: &Path, index: Option<Arc<SeekIndex>>) {
        self.clock += 1;
        self.byte_count += index.as_ref().map_or(0, |index| index.byte_count());
        let entry = Entry { index, used_at: self.clock };
        let replaced = self.entries.insert(path.to_owned(), entry);
        self.forget(replaced);
        while self.byte_count > INDEX_BYTES && self.entries.len() > 1 {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.used_at).map(|(path, _)| path.clone()) else { break };
            let gone = self.entries.remove(&oldest);
            self.forget(gone);
        }
    }

    fn forget(&mut self, entry: Option<Entry>) {
        let bytes = entry.and_then(|entry| entry.index).map_or(0, |index| index.byte_count());
        self.byte_count = self.byte_count.saturating_sub(bytes);
    }
}

impl FileSource {
    fn known(&self) -> MutexGuard<'_, KnownIndexes> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seek index of a file, made now where it is not known yet; none where it needs none or can have none.
    fn index_of(&self, path: &Path) -> Option<Arc<SeekIndex>> {
        let known = self.known().find(path);
        match known {
            Some(None) => return None,
            Some(Some(index)) if index.is_of(path) => return Some(index),
            _ => {}
        }
        // What is wrong with a file is said by its decoder, where it matters: a stretch before the damage can be heard.
        let index = SeekIndex::scan(path).ok().flatten().map(Arc::new);
        self.known().keep(path, index.clone());
        index
    }
}

impl SegmentSource for FileSource {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        let loaded = self.stream(path, span, sample_rate_hz, &mut |_| {}, &|| true)?;
        loaded.ok_or_else(|| PlayerError::Nothing { path: path.to_owned(), start_secs: span.start_secs })
    }

    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        let frame_count = frame_count(path, span, sample_rate_hz)?;
        let undecodable = |source| PlayerError::Undecodable { path: path.to_owned(), source: Box::new(source) };
        let index = self.index_of(path);
        let mut stream = StereoStream::open(path, index.as_ref(), span.start_secs, sample_rate_hz).map_err(undecodable)?;
        let mut writer = SegmentWriter::new(frame_count, (f64::from(sample_rate_hz) * FADE_SECS).round() as usize);
        let (mut frames, mut has_begun) = (Vec::new(), false);
        while writer.wanted() > 0 {
            if !goes_on() {
                return Ok(None);
            }
            frames.clear();
            if !stream.next_chunk(path, &mut frames).map_err(undecodable)? {
                break;
            }
            writer.push(&frames);
            if !has_begun && writer.audio().progress().0 >= FIRST_FRAMES {
                has_begun = true;
                begun(writer.audio());
            }
        }
        if writer.wanted() >= frame_count {
            return Err(PlayerError::Nothing { path: path.to_owned(), start_secs: span.start_secs });
        }
        let audio = writer.finish();
        if !has_begun {
            begun(&audio);
        }
        Ok(Some(audio))
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
}
