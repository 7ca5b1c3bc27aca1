//! Reading a database without a trace, in whatever state its last writer left it: no file of it is changed, and none is made beside it.
//!
//! | state | is read |
//! |---|---|
//! | no journal | as it is |
//! | a rollback journal of a writer that was killed | as a copy, with its journal, in the system's temporary folder, where SQLite may write |
//! | write-ahead logging, no log | as it is, and as a file that does not change: SQLite would make a log and an index otherwise |
//! | write-ahead logging, and a log | as a copy, with its log |
//!
//! tagscape itself never uses write-ahead logging; other programs that open a collection may switch it on.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::TempDir;

use super::database::open_database;
use super::error::StoreError;
use super::schema::DATABASE;
use crate::plain_file;

/// The file names of a database's journals, after its own.
const JOURNAL: &str = "-journal";
const LOG: &str = "-wal";
/// Where the header says which journal is used, and what it says of write-ahead logging (SQLite's file format, 1.3).
const HEADER_BYTES: usize = 20;
const VERSIONS: std::ops::Range<usize> = 18..20;
const WITH_LOG: [u8; 2] = [2, 2];
/// How often a database that changes while it is read is read again, and after how long.
const ATTEMPTS: usize = 20;
const PATIENCE: Duration = Duration::from_millis(50);

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Reads the database of a collection's folder by `read`.
///
/// # Errors
/// A file that cannot be read; no room for a copy; a database that another program keeps writing to; those of `read`.
pub(super) fn read<T>(path: &Path, read: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let file = path.join(DATABASE);
    if has_log_mode(&file).map_err(StoreError::io("read", &file))? {
        for _ in 0..ATTEMPTS {
            let before = stamps(&file);
            let found = if is_empty(&beside(&file, LOG)) {
                open_database(&file, READ_ONLY | OpenFlags::SQLITE_OPEN_URI, path).and_then(|database| read(&database))
            } else {
                read_copy(path, LOG, &read)
            };
            if stamps(&file) == before {
                return found;
            }
            std::thread::sleep(PATIENCE);
        }
        return Err(StoreError::Busy { path: path.to_owned() });
    }
    match open_database(&file, READ_ONLY, path).and_then(|database| read(&database)) {
        Err(StoreError::Database { source, .. }) if needs_rollback(&source) && !is_empty(&beside(&file, JOURNAL)) => {
            read_copy(path, JOURNAL, &read)
        }
        found => found,
    }
}

/// Opens a database of one file to read it; `None` where it has a log of its own, or cannot be opened.
pub(super) fn open_alone(file: &Path) -> Option<Connection> {
    if !has_log_mode(file).ok()? {
        return open_database(file, READ_ONLY, file).ok();
    }
    let is_alone = is_empty(&beside(file, LOG));
    is_alone.then(|| open_database(file, READ_ONLY | OpenFlags::SQLITE_OPEN_URI, file).ok())?
}

/// Whether a database uses write-ahead logging.
///
/// Not for one that this process has open to write to: on Unix, to close any handle of a file is to drop its locks.
fn has_log_mode(file: &Path) -> io::Result<bool> {
    let mut header = [0; HEADER_BYTES];
    match plain_file::open(file)?.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| header[VERSIONS] == WITH_LOG),
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a file is empty or not there.
fn is_empty(file: &Path) -> bool {
    std::fs::metadata(file).map_or(true, |about| about.len() == 0)
}

/// Lengths and times of a database and its log.
fn stamps(file: &Path) -> [Option<(u64, SystemTime)>; 2] {
    [file.to_owned(), beside(file, LOG)].map(|file| {
        let about = std::fs::metadata(file).ok()?;
        Some((about.len(), about.modified().ok()?))
    })
}

/// A file's name as SQLite opens it without looking for other writers.
pub(super) fn unchanging(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut name = String::from(if cfg!(windows) { "file:/" } else { "file:" });
    for &byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => name.push('/'),
            b'/' | b':' | b'-' | b'.' | b'_' => name.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

/// Whether SQLite has to write before anyone can read.
fn needs_rollback(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

/// Reads a copy of the database with its journal or log, where SQLite may write.
fn read_copy<T>(path: &Path, ending: &str, read: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    copied(path, ending, read).map_err(|error| match error {
        // Nothing else was written to.
        StoreError::Full { source, .. } => StoreError::TemporaryFull { folder: std::env::temp_dir(), source },
        other => other,
    })
}

fn copied<T>(path: &Path, ending: &str, read: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let temporary = std::env::temp_dir();
    let folder = TempDir::with_prefix("tagscape-").map_err(StoreError::io("write to", &temporary))?;
    for ending in ["", ending] {
        let name = format!("{DATABASE}{ending}");
        let (from, to) = (path.join(&name), folder.path().join(&name));
        // Not by a call that copies rights as well: the copy is written to.
        let inside = plain_file::inside(path, &from).map_err(StoreError::io("read", &from))?;
        let mut from_file = plain_file::open(&inside).map_err(StoreError::io("read", &from))?;
        let mut to_file = File::create_new(&to).map_err(StoreError::io("write to", folder.path()))?;
        io::copy(&mut from_file, &mut to_file).map_err(StoreError::io("read", &from))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    read(&open_database(&folder.path().join(DATABASE), flags, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_sqlite_has_nothing_in_it_that_it_takes_for_its_own() {
        let name = unchanging(Path::new("/a b/100%/what?/no#1/ü.sqlite"));
        if cfg!(unix) {
            assert_eq!(name, Path::new("file:/a%20b/100%25/what%3F/no%231/%C3%BC.sqlite?immutable=1"));
        }
    }

    #[test]
    fn a_log_is_known_by_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.sqlite");
        std::fs::write(&file, "short").unwrap();
        assert!(!has_log_mode(&file).unwrap());
        for mode in ["DELETE", "WAL", "DELETE"] {
            std::fs::remove_file(&file).unwrap();
            let database = Connection::open(&file).unwrap();
            database.pragma_update(None, "journal_mode", mode).unwrap();
            database.execute_batch("CREATE TABLE a(x)").unwrap();
            drop(database);
            assert_eq!(has_log_mode(&file).unwrap(), mode == "WAL");
            assert!(open_alone(&file).unwrap().prepare("SELECT x FROM a").is_ok());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        assert!(has_log_mode(&folder.path().join("none")).is_err());
    }
}
