//! The reasons for which a file is not written, each with what to do.

use std::io;
use std::path::PathBuf;

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A path that ends in no name, such as `/` or `..`.
    #[error("{} is a folder; give the name of a file in it", path.display())]
    NoName {
        /// The path that was given.
        path: PathBuf,
    },
    /// The folder is not there, or is no folder.
    #[error("{} is in no folder that exists; make {} first", path.display(), folder.display())]
    NoFolder {
        /// The path that was given.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// Something is there that is not a plain file: only plain files are replaced.
    #[error("{} is {kind}, and only plain files are replaced; give another name", path.display())]
    NotPlain {
        /// The path that was given.
        path: PathBuf,
        /// The kind of what is there, with its article.
        kind: &'static str,
    },
    /// The path lies in a collection's folder, where everything is tagscape's own.
    #[error("{} is inside of the collection {}; give a place outside of it", path.display(), collection.display())]
    InCollection {
        /// The path that was given.
        path: PathBuf,
        /// The collection's folder.
        collection: PathBuf,
    },
    /// The same command reads the file.
    #[error("{} is an input of this command; give another name", path.display())]
    Input {
        /// The path that was given.
        path: PathBuf,
    },
    /// The disk or its permissions refuse.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The path that was given.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io { source, .. } => source,
            other => Self::new(io::ErrorKind::InvalidInput, other),
        }
    }
}
