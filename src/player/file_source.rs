//! Segments from files, by their tracks' seek indexes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::audio::{Loudness, SeekIndex, StereoStream};
use crate::catalog::SegmentSpan;

use super::error::PlayerError;
use super::notes::{KnownNote, TrackNotes};
use super::segment_audio::{SegmentAudio, SegmentWriter};
use super::source::{GoOn, SegmentSource, TellBegun};
use super::voice::FADE_SECS;

/// No segment is longer; a request for more is a mistake, and would fill the memory.
const LONGEST_SECS: f64 = 600.0;
/// Frames that are there before a segment begins to sound: 43 ms at 48 kHz, in which much more than that is decoded.
const FIRST_FRAMES: usize = 2048;
/// Memory for seek indexes: those of some 300 tracks of four minutes.
const INDEX_BYTES: usize = 64 << 20;

/// Decodes files. With notes, tracks are as loud as each other once their loudness is known.
#[derive(Default)]
pub struct FileSource {
    notes: Option<Arc<dyn TrackNotes>>,
    known: Mutex<KnownTracks>,
}

#[derive(Debug, Default)]
struct KnownTracks {
    entries: HashMap<PathBuf, Entry>,
    byte_count: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    track: KnownTrack,
    used_at: u64,
}

/// Length and time of a file, by which it is seen that it was written again; `None` where it is not there.
type FileState = Option<(u64, Option<SystemTime>)>;

fn state_of(path: &Path) -> FileState {
    std::fs::metadata(path).ok().map(|about| (about.len(), about.modified().ok()))
}

/// What is known of a track.
#[derive(Clone, Debug)]
struct KnownTrack {
    /// The file as it was before any of it was found out.
    state: FileState,
    /// `None` where a file needs none or can have none.
    index: Option<Arc<SeekIndex>>,
    /// Whether the index is not among the notes yet.
    is_new: bool,
    loudness: Option<Loudness>,
}

impl KnownTracks {
    fn find(&mut self, path: &Path) -> Option<KnownTrack> {
        self.clock += 1;
        let entry = self.entries.get_mut(path)?;
        entry.used_at = self.clock;
        Some(entry.track.clone())
    }

    fn keep(&mut self, path: &Path, track: KnownTrack) {
        self.clock += 1;
        self.byte_count += track.index.as_ref().map_or(0, |index| index.byte_count());
        let entry = Entry { track, used_at: self.clock };
        let replaced = self.entries.insert(path.to_owned(), entry);
        self.forget(replaced);
        while self.byte_count > INDEX_BYTES && self.entries.len() > 1 {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.used_at).map(|(path, _)| path.clone()) else { break };
            let gone = self.entries.remove(&oldest);
            self.forget(gone);
        }
    }

    fn forget(&mut self, entry: Option<Entry>) {
        let bytes = entry.and_then(|entry| entry.track.index).map_or(0, |index| index.byte_count());
        self.byte_count = self.byte_count.saturating_sub(bytes);
    }
}

impl FileSource {
    /// Files of whose tracks something is known.
    #[must_use]
    pub fn with_notes(notes: Arc<dyn TrackNotes>) -> Self {
        Self { notes: Some(notes), ..Self::default() }
    }

    fn known(&self) -> MutexGuard<'_, KnownTracks> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a track; its seek index is made now where it is not known yet.
    fn track(&self, path: &Path) -> KnownTrack {
        let state = state_of(path);
        let known = self.known().find(path);
        if let Some(known) = known.filter(|known| known.state == state) {
            return known;
        }
        let note = self.notes.as_ref().map(|notes| notes.note(path)).unwrap_or_default();
        let noted = note.seek_index.as_deref().and_then(|bytes| noted_index(bytes, path));
        let (index, is_new) = match noted {
            Some(index) => (index, false),
            // What is wrong with a file is said by its decoder, where it matters: a stretch before the damage can be heard.
            None => SeekIndex::scan(path).map_or((None, false), |index| (index, true)),
        };
        let track = KnownTrack { state, index: index.map(Arc::new), is_new, loudness: note.loudness };
        self.known().keep(path, track.clone());
        track
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
        let track = self.track(path);
        let gain = track.loudness.map_or(1.0, Loudness::gain);
        let mut stream = StereoStream::open(path, track.index.as_ref(), span.start_secs, sample_rate_hz).map_err(undecodable)?;
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
            if gain != 1.0 {
                frames.as_flattened_mut().iter_mut().for_each(|sample| *sample *= gain);
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

    fn learn(&self, path: &Path, goes_on: GoOn<'_>) {
        let Some(notes) = &self.notes else { return };
        let mut track = self.track(path);
        let keep = |note: KnownNote, state: FileState| {
            // What was found out of a file that is gone is no note of the one that has its place.
            if state_of(path) == state {
                notes.keep(path, note);
            }
        };
        if track.is_new {
            let bytes = track.index.as_ref().map_or_else(|| Some(SeekIndex::NONE.to_vec()), |index| index.to_bytes());
            if bytes.is_some() {
                keep(KnownNote { seek_index: bytes, loudness: None }, track.state);
            }
            track.is_new = false;
            self.known().keep(path, track.clone());
        }
        if track.loudness.is_some() {
            return;
        }
        match Loudness::of_file(path, goes_on) {
            Ok(Some(loudness)) => {
                keep(KnownNote { seek_index: None, loudness: Some(loudness) }, track.state);
                track.loudness = Some(loudness);
            }
            Ok(None) if !goes_on() => return,
            // What cannot be measured, or not be decoded to its end, keeps the level that it has, and is not tried again.
            _ => track.loudness = Some(Loudness { lufs: f64::NEG_INFINITY, peak: 0.0 }),
        }
        self.known().keep(path, track);
    }
}

/// The index that a note holds, or that there is none; nothing where the note is of no use.
fn noted_index(bytes: &[u8], path: &Path) -> Option<Option<SeekIndex>> {
    if bytes == SeekIndex::NONE { Some(None) } else { SeekIndex::from_bytes(bytes, path).map(Some) }
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
