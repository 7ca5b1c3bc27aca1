//! What can be wrong with a collection or a matrix on disk, and what to do about it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::whole_file::WriteError;

/// Why something could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or its permissions refuse.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The disk, a quota or a limit of the system leaves no more room.
    #[error("no space is left on the disk of {} ({source}); what was stored before is safe: make room, and run the same command again", folder.display())]
    Full {
        /// The folder that was written to.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The disk for temporary files leaves no more room.
    #[error("no space is left on the disk of {} ({source}), for temporary files: make room, or name another folder with TMPDIR", folder.display())]
    TemporaryFull {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing is there.
    #[error("there is no such collection; `tagscape extract FOLDER --out {}` makes one", path.display())]
    NoSuchCollection {
        /// The path that was given.
        path: PathBuf,
    },
    /// Something else is there: a file, or a folder without `collection.sqlite`.
    #[error("is not a collection: {why}: {}", path.display())]
    NotACollection {
        /// What it is.
        why: &'static str,
        /// The path that was given.
        path: PathBuf,
    },
    /// Made by a later tagscape.
    #[error("was made by a newer tagscape (format {found}, this one knows {known}); install the newer one: {}", path.display())]
    Newer {
        /// The collection's format version.
        found: u64,
        /// The format version of this program.
        known: u64,
        /// The collection.
        path: PathBuf,
    },
    /// A part is missing, too short or contradicts another: half deleted, half copied or edited.
    #[error("collection is damaged: {why}; restore it from a copy, or delete it and extract again: {}", path.display())]
    Damaged {
        /// Which part.
        why: String,
        /// The collection.
        path: PathBuf,
    },
    /// A file of the collection was taken away while it was written.
    #[error("{} was deleted, moved or replaced by another program while tagscape wrote to it; put it back, or delete the collection and extract again", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refuses: a full disk, a file that is no database.
    #[error("cannot use the database of {}: {source}", path.display())]
    Database {
        /// SQLite's reason.
        source: rusqlite::Error,
        /// The collection.
        path: PathBuf,
    },
    /// Another process is writing to it.
    #[error("another tagscape is writing to this collection; wait for it, or stop it: {}", path.display())]
    Locked {
        /// The collection.
        path: PathBuf,
    },
    /// Another program keeps writing to the database.
    #[error("another program keeps writing to the database of this collection; wait for it, or stop it: {}", path.display())]
    Busy {
        /// The collection.
        path: PathBuf,
    },
    /// What was asked for differs from what the collection holds.
    #[error("the collection was made with {has}, and now {wants} is asked for; ask for the same again, or give another --out: {}", path.display())]
    OtherSettings {
        /// What the collection holds.
        has: String,
        /// What was asked for.
        wants: String,
        /// The collection.
        path: PathBuf,
    },
    /// Collections that do not go together.
    #[error("{} and {} cannot be merged: {why}", one.display(), two.display())]
    CannotMerge {
        /// In what they differ, and what to do.
        why: String,
        /// A collection.
        one: PathBuf,
        /// Another.
        two: PathBuf,
    },
    /// Something is in the place of a collection that is to be made.
    #[error("there is something in the place of the merged collection; give another --out, or delete it: {}", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// It was asked for that the work ends.
    #[error("stopped; nothing was made; run the same command again")]
    Cancelled,
    /// The collection has no such space.
    #[error("no space '{space}' in the collection; it has: {known}: {}", path.display())]
    NoSuchSpace {
        /// The space that was asked for.
        space: String,
        /// The spaces that there are.
        known: String,
        /// The collection.
        path: PathBuf,
    },
    /// A place where nothing may be written.
    #[error(transparent)]
    Place(WriteError),
    /// A `.npy` file that is no matrix of ours to read.
    #[error("{why}: {}", path.display())]
    Matrix {
        /// What is wrong and what to do.
        why: String,
        /// The file.
        path: PathBuf,
    },
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io { path, source } => Self::io("write", &path)(source),
            other => Self::Place(other),
        }
    }
}

impl StoreError {
    /// For `map_err` on I/O.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
                Self::Full { folder: folder.to_owned(), source }
            }
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }

    /// For `map_err` on the database.
    pub(super) fn database(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full { folder: path.to_owned(), source: ErrorKind::StorageFull.into() },
            _ => Self::Database { source, path: path.to_owned() },
        }
    }

    pub(super) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { why: why.into(), path: path.to_owned() }
    }

    pub(super) fn matrix(path: &Path, why: impl Into<String>) -> Self {
        Self::Matrix { why: why.into(), path: path.to_owned() }
    }
}
