//! What playback knows of tracks from earlier: seek indexes and loudness. Derived from the audio, so that the file can be deleted at any time.
//!
//! One table of a SQLite file of its own, written in transactions: a crash loses the last note at most. Where the file cannot be written, what it has is
//! still read; where it cannot be read at all, nothing is known, and playback finds it out again.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// The file's name, in a collection and in the user's data folder.
pub const NOTES_FILE: &str = "playback.sqlite";
/// How long a note waits for another process that writes.
const PATIENCE: Duration = Duration::from_millis(200);
const TABLE: &str = "CREATE TABLE IF NOT EXISTS notes(path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, written_ns INTEGER NOT NULL, \
                     seek_index BLOB, loudness_lufs REAL, peak REAL) STRICT";

/// A file as it was when it was noted down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedFile {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970; 0 where the system does not say.
    pub written_ns: u64,
}

/// What is known of a track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackNote {
    /// Its seek index, as `audio::SeekIndex::to_bytes` writes it.
    pub seek_index: Option<Vec<u8>>,
    /// Integrated loudness in LUFS (ITU-R BS.1770), minus infinity where it is silent, and the largest sample.
    pub loudness: Option<(f64, f64)>,
}

/// Notes of tracks by their paths.
#[derive(Debug)]
pub struct NotesFile {
    database: Mutex<Connection>,
}

impl NotesFile {
    /// Opens a file, or makes it where that is possible. `None` where there is none and none can be made.
    #[must_use]
    pub fn open(path: &Path) -> Option<Self> {
        let open = |flags| Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).ok();
        let writable = open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).filter(|database| {
            let is_ready = database.busy_timeout(PATIENCE).and_then(|()| database.pragma_update(None, "synchronous", "NORMAL"));
            is_ready.and_then(|()| database.execute_batch(TABLE)).is_ok()
        });
        let database = writable.or_else(|| Self::open_read_only(path))?;
        Some(Self { database: Mutex::new(database) })
    }

    /// Opens a file as it is; `None` where there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        Self::open_read_only(path).map(|database| Self { database: Mutex::new(database) })
    }

    fn open_read_only(path: &Path) -> Option<Connection> {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).ok()
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a track, if its file is still the one that was noted down.
    #[must_use]
    pub fn note(&self, path: &str, file: NotedFile) -> TrackNote {
        let sql = "SELECT seek_index, loudness_lufs, peak FROM notes WHERE path = ?1 AND bytes = ?2 AND written_ns = ?3";
        let stamp = params![path, file.bytes as i64, file.written_ns as i64];
        let found = self.database().query_row(sql, stamp, |row| {
            let (lufs, peak) = (row.get::<_, Option<f64>>(1)?, row.get::<_, Option<f64>>(2)?);
            Ok(TrackNote { seek_index: row.get(0)?, loudness: lufs.zip(peak) })
        });
        found.optional().ok().flatten().unwrap_or_default()
    }

    /// Notes down what `note` has, beside what is known of the same file; what was known of another file of that path is forgotten.
    ///
    /// False where it cannot be written.
    pub fn keep(&self, path: &str, file: NotedFile, note: &TrackNote) -> bool {
        let sql = "INSERT INTO notes VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(path) DO UPDATE SET \
                   seek_index = coalesce(excluded.seek_index, CASE WHEN bytes = excluded.bytes AND written_ns = excluded.written_ns THEN seek_index END), \
                   loudness_lufs = coalesce(excluded.loudness_lufs, CASE WHEN bytes = excluded.bytes AND written_ns = excluded.written_ns THEN loudness_lufs END), \
                   peak = coalesce(excluded.peak, CASE WHEN bytes = excluded.bytes AND written_ns = excluded.written_ns THEN peak END), \
                   bytes = excluded.bytes, written_ns = excluded.written_ns";
        let (lufs, peak) = note.loudness.unzip();
        let values = params![path, file.bytes as i64, file.written_ns as i64, note.seek_index, lufs, peak];
        self.database().execute(sql, values).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: NotedFile = NotedFile { bytes: 10, written_ns: u64::MAX };

    #[test]
    fn notes_add_up_survive_and_are_of_one_version_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NOTES_FILE);
        assert!(NotesFile::read(&path).is_none());
        let notes = NotesFile::open(&path).unwrap();
        let index = TrackNote { seek_index: Some(vec![1, 2]), loudness: None };
        let loudness = TrackNote { seek_index: None, loudness: Some((f64::NEG_INFINITY, 0.0)) };
        assert!(notes.keep("a/ü.mp3", FILE, &index) && notes.keep("a/ü.mp3", FILE, &loudness));
        let both = TrackNote { seek_index: Some(vec![1, 2]), loudness: Some((f64::NEG_INFINITY, 0.0)) };
        assert_eq!(notes.note("a/ü.mp3", FILE), both);
        assert_eq!(notes.note("b.mp3", FILE), TrackNote::default());
        drop(notes);
        let read = NotesFile::read(&path).unwrap();
        assert_eq!(read.note("a/ü.mp3", FILE), both);
        assert!(!read.keep("a/ü.mp3", FILE, &index), "opened to be read");
        let other = NotedFile { bytes: 11, ..FILE };
        assert_eq!(read.note("a/ü.mp3", other), TrackNote::default());
        let notes = NotesFile::open(&path).unwrap();
        assert!(notes.keep("a/ü.mp3", other, &index));
        assert_eq!((notes.note("a/ü.mp3", other), notes.note("a/ü.mp3", FILE)), (index, TrackNote::default()));
    }

    #[test]
    fn what_is_no_database_knows_nothing_and_breaks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NOTES_FILE);
        std::fs::write(&path, "something else entirely, and long enough to be looked at as a database by whoever does").unwrap();
        if let Some(notes) = NotesFile::open(&path) {
            assert_eq!(notes.note("a", FILE), TrackNote::default());
            assert!(!notes.keep("a", FILE, &TrackNote::default()));
        }
        assert!(NotesFile::open(&folder.path().join("no/such/folder")).is_none());
    }
}
