//! What can go wrong with the networks' files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::catalog::ModelKey;
use crate::nn::NnError;
use crate::tensors::TensorError;
use crate::whole_file::WriteError;

/// Why a network's weights cannot be had, or cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The network needs no file.
    #[error("{model} is inside the program already; only audioset-vggish (vggish for short) is added from a file")]
    Inside {
        /// The network.
        model: ModelKey,
    },
    /// The file is not the network's weights.
    #[error("{0} (`tagscape models list` says where a user gets the weights)")]
    File(#[from] TensorError),
    /// A file whose name tells another checksum.
    #[error("{}: its name says that its sha256 begins with {expected}, and it begins with {found}; download it again", path.display())]
    HubHash {
        /// The file.
        path: PathBuf,
        /// What the name says.
        expected: String,
        /// As many digits of what it is.
        found: String,
    },
    /// Weights that look right and do not work.
    #[error("{}: {model} does not run with these weights: {why}; get the file again", path.display())]
    DoesNotRun {
        /// The network.
        model: ModelKey,
        /// The file.
        path: PathBuf,
        /// What happens.
        why: String,
    },
    /// An added file is not as it was written.
    #[error("the weights of {model} are damaged ({why}): {}; add them again with `tagscape models add {model} FILE`", path.display())]
    Damaged {
        /// The network.
        model: ModelKey,
        /// The file in the user's data folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The built-in weights are damaged, or do not fit the network.
    #[error("{0}; install tagscape again")]
    Embedded(#[from] NnError),
    /// The disk refuses.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something in the place of the weights that is not a file.
    #[error(transparent)]
    Place(WriteError),
    /// Another process adds the same network.
    #[error("another tagscape is adding this network; wait for it: {}", path.display())]
    Busy {
        /// The file that it writes.
        path: PathBuf,
    },
    /// The system knows no home of the user.
    #[error("there is no home folder to keep the weights in; name a folder with TAGSCAPE_USER_DATA")]
    NoDataFolder,
}

impl From<WriteError> for ModelError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io { path, source } => Self::io("write", &path)(source),
            other => Self::Place(other),
        }
    }
}

impl ModelError {
    /// For `map_err` on I/O.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; 289 MB are needed there, or in another folder that TAGSCAPE_USER_DATA names"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_is_needed() {
        let error = ModelError::io("write", Path::new("x.safetensors"))(ErrorKind::StorageFull.into()).to_string();
        assert!(error.starts_with("cannot write x.safetensors: ") && error.contains("289 MB"), "{error}");
        let other = ModelError::io("write", Path::new("x"))(ErrorKind::PermissionDenied.into()).to_string();
        assert!(!other.contains("289"), "{other}");
    }
}
