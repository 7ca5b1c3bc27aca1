//! What can be wrong with a weight file.

use std::path::{Path, PathBuf};

/// Why a weight file, or a tensor of it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct TensorError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: TensorErrorKind,
}

/// What is wrong with a weight file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorErrorKind {
    /// The disk or its permissions refuse.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Another kind of file.
    #[error("is no weight file ({0}); tagscape reads TensorFlow's frozen graph (.pb), PyTorch's checkpoint (.pth) and safetensors")]
    NotWeights(String),
    /// Far larger than any network.
    #[error("has {bytes} bytes, and no network of tagscape's has more than {max}", max = super::MAX_FILE_BYTES)]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// Cut off or changed.
    #[error("is cut off or damaged ({0}); get it again")]
    Damaged(String),
    /// A tensor is not there: another network's weights.
    #[error("lacks the tensor '{tensor}', {expected:?}")]
    Missing {
        /// Its name in files of this kind.
        tensor: String,
        /// Its shape in files of this kind.
        expected: Vec<usize>,
    },
    /// Two tensors could be meant.
    #[error("has several tensors that may be '{tensor}': '{one}' and '{other}'")]
    Ambiguous {
        /// What was looked for.
        tensor: String,
        /// One that would do.
        one: String,
        /// Another.
        other: String,
    },
    /// A tensor has another shape.
    #[error("its tensor '{tensor}' has the shape {found:?}, not {expected:?}")]
    Shape {
        /// The tensor.
        tensor: String,
        /// The shape that belongs there.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor of another type than 32-bit floating point.
    #[error("its tensor '{tensor}' has the type {found}, not 32-bit floating point")]
    Type {
        /// The tensor.
        tensor: String,
        /// The type in the file.
        found: String,
    },
    /// NaN or infinity.
    #[error("its tensor '{tensor}' holds {value} at position {position}")]
    Value {
        /// The tensor.
        tensor: String,
        /// The first such position, row-major from 0.
        position: usize,
        /// What is there.
        value: f32,
    },
}

impl TensorErrorKind {
    pub(super) fn at(self, path: &Path) -> TensorError {
        TensorError { path: path.to_owned(), kind: self }
    }

    pub(super) fn missing(tensor: &str, expected: &[usize]) -> Self {
        Self::Missing { tensor: tensor.to_owned(), expected: expected.to_vec() }
    }

    pub(super) fn shape(tensor: &str, expected: &[usize], found: &[usize]) -> Self {
        Self::Shape { tensor: tensor.to_owned(), expected: expected.to_vec(), found: found.to_vec() }
    }
}
