//! A collection's own files as its writer opens them: plain files in its own folder. No link is followed, since a collection may
//! have been somebody else's, and a link in it may lead to any file; and a file that goes while it is written is noticed.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use crate::plain_file::{self, Kind};

/// Looks whether there is a plain file at `path`; false where nothing is.
///
/// # Errors
/// Something else that is there, a link above all.
pub(super) fn check(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(about) => plain(&about).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a plain file as `options` say; where they create files, there may be none.
///
/// # Errors
/// As [`check`], and what the system refuses.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    check(path)?;
    plain_file::open_unlinked(path, options)
}

fn plain(about: &Metadata) -> io::Result<()> {
    match Kind::of(about.file_type()) {
        None => Ok(()),
        Some(Kind::Link) => {
            let what = "it is a link, and a collection's files are written to only in its own folder";
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        Some(kind) => Err(kind.into()),
    }
}

/// Makes a folder of a collection, or looks whether the one that is there is no link.
///
/// # Errors
/// Something else that is there, and what the system refuses.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let kind = path.symlink_metadata()?.file_type();
            if kind.is_dir() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no folder of the collection's own")) }
        }
        made => made,
    }
}

/// A file as it was when it was opened: by its place on the disk, where the system tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    path: PathBuf,
    place: Option<(u64, u64)>,
}

impl Identity {
    /// Of the file that is at `path` now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), place: place(&path.symlink_metadata()?) })
    }

    /// Looks whether it is still there.
    ///
    /// # Errors
    /// It was deleted, moved or exchanged: what is written now is lost.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let is_there = self.path.symlink_metadata().is_ok_and(|about| place(&about) == self.place);
        if is_there { Ok(()) } else { Err(StoreError::Gone { path: self.path.clone() }) }
    }
}

#[cfg(unix)]
fn place(about: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((about.dev(), about.ino()))
}

/// Elsewhere a file that is open is not deleted so easily.
#[cfg(not(unix))]
fn place(_about: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_opened_and_neither_is_anything_else_but_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "precious").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("new"), at("dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        for name in ["link", "dangling", "fifo", "."] {
            assert!(open(&at(name), File::options().create(true).truncate(true).write(true)).is_err(), "{name}");
        }
        assert_eq!((check(&at("file")).unwrap(), check(&at("none")).unwrap(), at("new").exists()), (true, false, false));
        assert_eq!(std::fs::read_to_string(at("file")).unwrap(), "precious");
        assert!(open(&at("file"), File::options().read(true)).is_ok());
        symlink(folder.path(), at("folder")).unwrap();
        assert!(make_folder(&at("folder")).is_err() && make_folder(&at("file")).is_err());
        assert!(make_folder(&at("made")).is_ok() && make_folder(&at("made")).is_ok());
    }

    #[test]
    fn a_file_that_goes_or_is_exchanged_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let identity = Identity::of(&path).unwrap();
        std::fs::write(&path, "longer").unwrap();
        identity.check().unwrap();
        std::fs::write(folder.path().join("other"), "longer").unwrap();
        std::fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(identity.check().is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(identity.check(), Err(StoreError::Gone { .. })));
    }
}
