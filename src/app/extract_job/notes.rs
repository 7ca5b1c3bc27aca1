//! What a run notes down of its tracks for playback, beside the collection.
//!
//! A note is written after its track is committed, a second's notes in one transaction: a kill at any byte loses the last ones, and nothing else. No
//! track is read again for a note: what is missing is found out when the track is listened to. That notes cannot be written ends no run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::store::{NOTES_FILE, NewNote, NotesFile};

/// How long notes wait for others to be written with them.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// The notes of a run.
pub(super) struct RunNotes {
    path: PathBuf,
    /// Opened, and made, with the first note; `Some(None)` where that failed.
    file: Option<Option<NotesFile>>,
    waiting: Vec<NewNote>,
    written_at: Instant,
    tell: fn(&str),
    is_told: bool,
}

impl RunNotes {
    /// For a collection's folder; trouble is told once.
    pub(super) fn new(collection: &Path, tell: fn(&str)) -> Self {
        let path = collection.join(NOTES_FILE);
        Self { path, file: None, waiting: Vec::new(), written_at: Instant::now(), tell, is_told: false }
    }

    /// Takes the note of a track that is committed.
    pub(super) fn add(&mut self, note: NewNote) {
        self.waiting.push(note);
        if self.written_at.elapsed() >= WRITE_EVERY {
            self.write();
        }
    }

    /// Writes what waits.
    pub(super) fn write(&mut self) {
        if !self.waiting.is_empty() {
            let file = self.file.get_or_insert_with(|| NotesFile::open(&self.path));
            let is_written = file.as_ref().is_some_and(|file| file.keep(&self.waiting));
            self.waiting.clear();
            if !is_written && !std::mem::replace(&mut self.is_told, true) {
                let path = self.path.display();
                (self.tell)(&format!(
                    "{path} cannot be written; the collection is whole, and its tracks are indexed when they are listened to"
                ));
            }
        }
        self.written_at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NotedFile, TrackNote};

    #[test]
    fn notes_wait_for_each_other_and_are_all_written_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let track = folder.path().join("a.mp3");
        std::fs::write(&track, "music").unwrap();
        let note = TrackNote { seek_index: None, loudness: Some((-20.0, 0.5)) };
        let new = |path: &str| NewNote { path: path.to_owned(), file: NotedFile::of(&track).unwrap(), note: note.clone() };
        let mut notes = RunNotes::new(folder.path(), |line| panic!("{line}"));
        let found = |path: &str| NotesFile::read(&folder.path().join(NOTES_FILE)).map(|file| file.note(path, &track));
        notes.write();
        notes.add(new("one"));
        assert_eq!(found("one"), None, "nothing was to be written yet, and so nothing is there");
        notes.written_at -= WRITE_EVERY;
        notes.add(new("two"));
        assert_eq!((found("one"), found("two")), (Some(note.clone()), Some(note.clone())));
        notes.add(new("three"));
        assert_eq!(found("three"), Some(TrackNote::default()));
        notes.write();
        assert_eq!(found("three"), Some(note.clone()));
    }
}
