//! Files that appear whole or not at all: layouts, pictures, settings, weights.
//!
//! A [`WholeFile`] grows beside its place under a name that nobody can foresee, and is created new: nothing that is
//! there already is opened, no link followed. Once it is whole it is synced and renamed, and its folder is synced.
//! Dropped before that, it is removed; the one that a killed program left is removed by the next that writes to the same
//! place (`leftovers`). Where it may not go, `place` says: over anything but a plain file, into a collection's folder,
//! over an input of the same command.

mod collection_folder;
mod error;
mod leftovers;
mod place;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

pub use collection_folder::{DATABASE, LOCK, SPACES};
pub use error::WriteError;
pub use place::check;

use crate::plain_file;
use leftovers::{RANDOM_CHARS, SUFFIX, prefix_of};

/// Names that are tried until one is this program's alone.
const ATTEMPTS: usize = 16;

/// A file that is being written and gets its name when it is whole.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    temporary: NamedTempFile,
    has_rival: bool,
}

impl WholeFile {
    /// Begins a file that will be `path`, once it is whole. `inputs` are the files that the same command reads.
    ///
    /// # Errors
    /// As [`check`], and what the disk refuses.
    pub fn create(path: &Path, inputs: &[&Path]) -> Result<Self, WriteError> {
        check(path, inputs)?;
        let fail = |source| WriteError::Io { path: path.to_owned(), source };
        let folder = place::folder_of(path);
        let prefix = prefix_of(path);
        let has_rival = leftovers::clear(folder, &prefix);
        for _ in 0..ATTEMPTS {
            let mut builder = Builder::new();
            builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM_CHARS);
            // As any other file of the user's, and not as a secret, which is the library's habit.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let temporary = builder.tempfile_in(folder).map_err(fail)?;
            if leftovers::claim(temporary.as_file(), temporary.path()) {
                return Ok(Self { path: path.to_owned(), temporary, has_rival });
            }
            // Another program took it for a leftover before it was locked.
        }
        Err(fail(io::ErrorKind::ResourceBusy.into()))
    }

    /// Whether another program that is alive was writing to the same place when this file was begun.
    #[must_use]
    pub fn has_rival(&self) -> bool {
        self.has_rival
    }

    /// The place that it gets.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it grows, open for reading and writing.
    #[must_use]
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// The error of something that the disk refused while this file was written.
    #[must_use]
    pub fn failure(&self, source: io::Error) -> WriteError {
        WriteError::Io { path: self.path.clone(), source }
    }

    /// Syncs the file and gives it its name.
    ///
    /// # Errors
    /// What the disk refuses; a place where something else than a plain file has appeared. The place is then as it was.
    pub fn finish(self) -> Result<(), WriteError> {
        self.finish_open().map(drop)
    }

    /// As [`finish`](Self::finish), and the file stays open for what is appended to it later.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_open(self) -> Result<File, WriteError> {
        let Self { path, temporary, .. } = self;
        let fail = |source| WriteError::Io { path: path.clone(), source };
        place::check_kind(&path)?;
        temporary.as_file().sync_all().map_err(fail)?;
        let file = temporary.persist(&path).map_err(|error| fail(error.error))?;
        // The lock said that the temporary file has a living writer. A finished file needs none.
        let _ = file.unlock();
        plain_file::sync_folder(place::folder_of(&path)).map_err(fail)?;
        Ok(file)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

/// Writes `bytes` to `path`, whole or not at all.
///
/// # Errors
/// As [`WholeFile::create`] and [`WholeFile::finish`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut file = WholeFile::create(path, &[])?;
    file.write_all(bytes).map_err(|source| file.failure(source))?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_and_one_that_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.bin");
        for text in ["one", "", "three and more"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names(folder.path())), (text, vec!["map.bin".to_owned()]));
        }
        let mut dropped = WholeFile::create(&path, &[]).unwrap();
        dropped.write_all(b"half").unwrap();
        assert_eq!((names(folder.path()).len(), std::fs::read_to_string(&path).unwrap().as_str()), (2, "three and more"));
        drop(dropped);
        assert_eq!((names(folder.path()).len(), std::fs::read_to_string(&path).unwrap().as_str()), (1, "three and more"));
    }

    #[test]
    fn what_was_there_under_any_other_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let others = ["map.bin.part", "map.bin.partial", ".map.bin.part", ".map.bin.mine.part", ".other.bin.abcdefgh.part", "map.part"];
        for other in others {
            std::fs::write(folder.path().join(other), "mine").unwrap();
        }
        write(&folder.path().join("map.bin"), b"new").unwrap();
        assert_eq!(names(folder.path()).len(), others.len() + 1);
        assert!(others.iter().all(|other| std::fs::read_to_string(folder.path().join(other)).unwrap() == "mine"));
    }

    #[test]
    fn two_writers_of_one_place_do_not_disturb_each_other_and_know_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.bin");
        let mut first = WholeFile::create(&path, &[]).unwrap();
        let mut second = WholeFile::create(&path, &[]).unwrap();
        assert_eq!((first.has_rival(), second.has_rival()), (false, true));
        first.write_all(b"first").unwrap();
        second.write_all(b"second").unwrap();
        second.finish().unwrap();
        first.finish().unwrap();
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("first", 1));
    }

    #[test]
    fn a_finished_file_that_is_kept_open_goes_on_growing_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "an earlier one").unwrap();
        std::fs::hard_link(&path, folder.path().join("kept")).unwrap();
        let mut log = WholeFile::create(&path, &[]).unwrap().finish_open().unwrap();
        log.write_all(b"line").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "line");
        assert_eq!(std::fs::read_to_string(folder.path().join("kept")).unwrap(), "an earlier one");
    }

    #[test]
    #[cfg(unix)]
    fn a_new_file_has_the_rights_that_any_new_file_has() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        std::fs::write(folder.path().join("plain"), "").unwrap();
        write(&folder.path().join("whole"), b"").unwrap();
        assert_eq!(mode("whole"), mode("plain"));
    }

    #[test]
    fn a_name_as_long_as_the_disk_takes_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x".repeat(255), "\u{1f3b5}".repeat(63)] {
            write(&folder.path().join(&name), b"new").unwrap();
            assert!(names(folder.path()).contains(&name));
        }
        assert_eq!(names(folder.path()).len(), 2);
    }
}
