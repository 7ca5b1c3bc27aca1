//! What playback knows of tracks beforehand: seek indexes and loudness. Derived from the audio, so that the file can be deleted at any time.
//!
//! One table of a SQLite file of its own, written in transactions: a crash loses the last notes at most. Where the file cannot be written, what it has is
//! still read; where it cannot be read at all, nothing is known, and playback finds it out again. No note is part of the collection's public tables: they
//! hold times of files, and so would differ from run to run.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::database::{check_tables, lift_steps, limit_steps, open_database, path_text};
use super::noted_file::NotedFile;
use super::own_file;
use super::resting_database;

/// The file's name, in a collection and in the user's data folder.
pub const NOTES_FILE: &str = "playback.sqlite";
/// How long a note waits for another process that writes.
const PATIENCE: Duration = Duration::from_millis(200);
const TABLE: &str = "CREATE TABLE IF NOT EXISTS notes(path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, written_ns INTEGER NOT NULL, \
                     seek_index BLOB, loudness_lufs REAL, peak REAL, fingerprint BLOB) STRICT";
/// The first version had no fingerprints: a file was known by its time alone, and still is where none was made.
const HAS_FINGERPRINTS: &str = "SELECT fingerprint FROM notes LIMIT 0";
const ADD_FINGERPRINTS: &str = "ALTER TABLE notes ADD COLUMN fingerprint BLOB";
/// A note is added to what is known of the same file, and takes the place of what is known of another one.
const KEEP: &str = "INSERT INTO notes(path, bytes, written_ns, fingerprint, seek_index, loudness_lufs, peak) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                    ON CONFLICT(path) DO UPDATE SET \
                    seek_index = coalesce(excluded.seek_index, CASE WHEN IS_THE_FILE THEN seek_index END), \
                    loudness_lufs = coalesce(excluded.loudness_lufs, CASE WHEN IS_THE_FILE THEN loudness_lufs END), \
                    peak = coalesce(excluded.peak, CASE WHEN IS_THE_FILE THEN peak END), \
                    bytes = excluded.bytes, written_ns = excluded.written_ns, fingerprint = excluded.fingerprint";
const IS_THE_FILE: &str = "bytes = excluded.bytes AND (written_ns = excluded.written_ns OR fingerprint IS excluded.fingerprint)";
const COLUMNS: &str = "bytes, written_ns, fingerprint, seek_index, loudness_lufs, peak, path";

/// What is known of a track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackNote {
    /// Its seek index, as `audio::SeekIndex::bytes_for` gives it.
    pub seek_index: Option<Vec<u8>>,
    /// Integrated loudness in LUFS (ITU-R BS.1770), minus infinity where it is silent, and the largest sample.
    pub loudness: Option<(f64, f64)>,
}

/// A note of a track, and of which file it is.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNote {
    /// The track: in a collection its path there, in the user's folder its whole path.
    pub path: String,
    /// The file that the note is of.
    pub file: NotedFile,
    /// What is known.
    pub note: TrackNote,
}

impl NewNote {
    /// A row with the columns of [`COLUMNS`].
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (lufs, peak) = (row.get::<_, Option<f64>>(4)?, row.get::<_, Option<f64>>(5)?);
        Ok(Self {
            path: path_text(row, 6)?,
            file: NotedFile {
                bytes: row.get::<_, i64>(0)? as u64,
                written_ns: row.get::<_, i64>(1)? as u64,
                // That of no file: then the time alone counts.
                fingerprint: row.get::<_, Option<[u8; 32]>>(2)?.unwrap_or_default(),
            },
            note: TrackNote { seek_index: row.get(3)?, loudness: lufs.zip(peak) },
        })
    }
}

/// Notes of tracks by their paths.
#[derive(Debug)]
pub struct NotesFile {
    path: PathBuf,
    database: Mutex<Connection>,
}

impl NotesFile {
    /// Opens a file, or makes it where that is possible. `None` where there is none and none can be made.
    #[must_use]
    pub fn open(path: &Path) -> Option<Self> {
        let writable = Self::open_to_write(path).filter(|database| {
            let is_ready = database.pragma_update(None, "synchronous", "NORMAL");
            // Another program may have switched to a log, which leaves files beside it.
            let is_ready = is_ready.and_then(|()| database.pragma_update(None, "journal_mode", "DELETE"));
            is_ready.and_then(|()| database.execute_batch(TABLE)).and_then(|()| add_fingerprints(database)).is_ok()
        });
        let database = writable.or_else(|| Self::open_read_only(path))?;
        Some(Self { path: path.to_owned(), database: Mutex::new(database) })
    }

    /// Opens a file as it is; `None` where there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let database = Self::open_read_only(path)?;
        Some(Self { path: path.to_owned(), database: Mutex::new(database) })
    }

    /// Opens or makes the file itself, and nothing that a link in its place leads to: the collection may have been somebody else's.
    fn open_to_write(path: &Path) -> Option<Connection> {
        own_file::check(path).ok()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::checked(path, open_database(path, flags, path).ok()?)
    }

    fn open_read_only(path: &Path) -> Option<Connection> {
        Self::checked(path, resting_database::open_alone(path)?)
    }

    fn checked(path: &Path, database: Connection) -> Option<Connection> {
        database.busy_timeout(PATIENCE).ok()?;
        check_tables(&database, &["notes"], path).ok()?;
        Some(database)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the track `path`, if `file` is still, or again, the file that was noted down.
    #[must_use]
    pub fn note(&self, path: &str, file: &Path) -> TrackNote {
        let find = || {
            let mut database = self.database();
            limit_steps(&mut database, &self.path)?;
            let mut statement = database.prepare(&format!("SELECT {COLUMNS} FROM notes WHERE path = ?1"))?;
            statement.query_row([path], NewNote::of).optional()
        };
        let found: rusqlite::Result<Option<NewNote>> = find();
        found.ok().flatten().filter(|found| found.file.is(file)).map(|found| found.note).unwrap_or_default()
    }

    /// Notes something down, beside what is known of the same files; what was known of another file of a path is forgotten. All of it or, where it cannot
    /// be written, nothing: then it gives false.
    pub fn keep(&self, notes: &[NewNote]) -> bool {
        let mut database = self.database();
        let mut write = || {
            lift_steps(&mut database)?;
            let transaction = database.transaction()?;
            let mut statement = transaction.prepare(&KEEP.replace("IS_THE_FILE", IS_THE_FILE))?;
            for NewNote { path, file, note } in notes {
                let (lufs, peak) = note.loudness.unzip();
                let (bytes, written_ns) = (file.bytes as i64, file.written_ns as i64);
                statement.execute(params![path, bytes, written_ns, file.fingerprint, note.seek_index, lufs, peak])?;
            }
            drop(statement);
            transaction.commit()
        };
        write().is_ok()
    }

    /// Copies to `other` the notes of the tracks that are wanted, in the order in which they were noted down, but for those that it has.
    ///
    /// False where that was not possible to the end; what was copied is kept. `goes_on` is asked between two notes.
    pub(super) fn copy_to(&self, other: &Self, is_wanted: &dyn Fn(&str) -> bool, goes_on: &dyn Fn() -> bool) -> bool {
        let (mut from, mut to) = (self.database(), other.database());
        let mut copy = || {
            limit_steps(&mut from, &self.path)?;
            lift_steps(&mut to)?;
            let mut read = from.prepare(&format!("SELECT {COLUMNS} FROM notes ORDER BY rowid"))?;
            let mut rows = read.query([])?;
            let transaction = to.transaction()?;
            let mut write = transaction.prepare(&format!("INSERT OR IGNORE INTO notes({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"))?;
            while let Some(row) = rows.next()?.filter(|_| goes_on()) {
                let NewNote { path, file, note } = NewNote::of(row)?;
                if is_wanted(&path) {
                    let (lufs, peak) = note.loudness.unzip();
                    let (bytes, written_ns) = (file.bytes as i64, file.written_ns as i64);
                    write.execute(params![bytes, written_ns, file.fingerprint, note.seek_index, lufs, peak, path])?;
                }
            }
            drop(write);
            transaction.commit()
        };
        let copied: rusqlite::Result<()> = copy();
        copied.is_ok()
    }
}

/// Gives a file of the first version the column that it lacks.
fn add_fingerprints(database: &Connection) -> rusqlite::Result<()> {
    if database.prepare(HAS_FINGERPRINTS).is_err() {
        database.execute_batch(ADD_FINGERPRINTS)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(path: &str, file: NotedFile, note: &TrackNote) -> [NewNote; 1] {
        [NewNote { path: path.to_owned(), file, note: note.clone() }]
    }

    fn file_of(path: &Path, text: &str) -> NotedFile {
        std::fs::write(path, text).unwrap();
        NotedFile::of(path).unwrap()
    }

    fn index() -> TrackNote {
        TrackNote { seek_index: Some(vec![1, 2]), loudness: None }
    }

    fn both() -> TrackNote {
        TrackNote { seek_index: Some(vec![1, 2]), loudness: Some((f64::NEG_INFINITY, 0.0)) }
    }

    #[test]
    fn notes_add_up_survive_and_are_of_one_version_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, track) = (folder.path().join(NOTES_FILE), folder.path().join("ü.mp3"));
        assert!(NotesFile::read(&path).is_none());
        let notes = NotesFile::open(&path).unwrap();
        let file = file_of(&track, "music");
        let loudness = TrackNote { seek_index: None, ..both() };
        assert!(notes.keep(&new("a/ü.mp3", file, &index())));
        // The same file, copied: it adds up.
        assert!(notes.keep(&new("a/ü.mp3", NotedFile { written_ns: 1, ..file }, &loudness)));
        assert_eq!(notes.note("a/ü.mp3", &track), both());
        assert_eq!(notes.note("b.mp3", &track), TrackNote::default());
        drop(notes);
        let read = NotesFile::read(&path).unwrap();
        assert_eq!(read.note("a/ü.mp3", &track), both());
        assert!(!read.keep(&new("a/ü.mp3", file, &index())), "opened to be read");
        let other = file_of(&track, "muzak");
        assert_eq!(read.note("a/ü.mp3", &track), TrackNote::default());
        let notes = NotesFile::open(&path).unwrap();
        assert!(notes.keep(&new("a/ü.mp3", other, &index())));
        assert_eq!(notes.note("a/ü.mp3", &track), index());
        file_of(&track, "music");
        assert_eq!(notes.note("a/ü.mp3", &track), TrackNote::default());
    }

    #[test]
    fn notes_of_the_first_version_are_read_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let (path, track) = (folder.path().join(NOTES_FILE), folder.path().join("a.mp3"));
        let file = file_of(&track, "music");
        let database = Connection::open(&path).unwrap();
        database.execute_batch(&TABLE.replace(", fingerprint BLOB", "")).unwrap();
        let row = params![file.bytes as i64, file.written_ns as i64];
        database.execute("INSERT INTO notes VALUES ('a', ?1, ?2, NULL, -20.5, 0.5), ('b', ?1, 7, NULL, -20.5, 0.5)", row).unwrap();
        drop(database);
        let of_old = NotesFile::read(&path).unwrap();
        assert_eq!(of_old.note("a", &track), TrackNote::default(), "no fingerprint to be read, and nothing breaks");
        let notes = NotesFile::open(&path).unwrap();
        assert_eq!(notes.note("a", &track), TrackNote { seek_index: None, loudness: Some((-20.5, 0.5)) });
        assert_eq!(notes.note("b", &track), TrackNote::default(), "another time, and no fingerprint");
        assert!(notes.keep(&new("a", file, &index())));
        assert_eq!(notes.note("a", &track), TrackNote { seek_index: Some(vec![1, 2]), loudness: Some((-20.5, 0.5)) });
    }

    #[test]
    fn copies_are_of_the_wanted_tracks_and_replace_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let track = folder.path().join("a.mp3");
        let file = file_of(&track, "music");
        let [one, two] = ["1", "2"].map(|name| NotesFile::open(&folder.path().join(name)).unwrap());
        assert!(one.keep(&["a", "b", "c"].map(|path| NewNote { path: path.to_owned(), file, note: both() })));
        assert!(two.keep(&new("c", file, &index())));
        assert!(one.copy_to(&two, &|path| path != "a", &|| true));
        let found = ["a", "b", "c"].map(|path| two.note(path, &track));
        assert_eq!(found, [TrackNote::default(), both(), index()]);
        let read = NotesFile::read(&folder.path().join("2")).unwrap();
        assert!(!one.copy_to(&read, &|_| true, &|| true), "opened to be read");
        let stopped = NotesFile::open(&folder.path().join("3")).unwrap();
        assert!(one.copy_to(&stopped, &|_| true, &|| false));
        assert_eq!(stopped.note("a", &track), TrackNote::default());
    }

    #[test]
    fn what_is_no_database_knows_nothing_and_breaks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, track) = (folder.path().join(NOTES_FILE), folder.path().join("a.mp3"));
        let file = file_of(&track, "music");
        std::fs::write(&path, "something else entirely, and long enough to be looked at as a database by whoever does").unwrap();
        if let Some(notes) = NotesFile::open(&path) {
            assert_eq!(notes.note("a", &track), TrackNote::default());
            assert!(!notes.keep(&new("a", file, &both())));
        }
        assert!(NotesFile::open(&folder.path().join("no/such/folder")).is_none());
    }
}
