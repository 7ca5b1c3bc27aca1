//! PyTorch's checkpoints: a zip archive since 1.6, pickles one after the other before.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader};

use super::error::TensorErrorKind;
use super::{TensorInfo, pick};

/// How a legacy file begins, behind at most a few bytes of pickle: `0x1950a86a20f9469cfc6c`, little-endian.
const LEGACY_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// A checkpoint whose pickle has been read; the tensors' bytes are still in the file.
pub(super) struct Checkpoint {
    reader: PytorchReader,
}

impl Checkpoint {
    /// Whether a file that begins so may be one. The tar archives of before 2017 are none: no network of tagscape's was ever in one.
    pub(super) fn begins_with(head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.windows(LEGACY_MAGIC.len()).take(32).any(|window| window == LEGACY_MAGIC)
    }

    pub(super) fn open(path: &Path) -> Result<Self, TensorErrorKind> {
        let reader = guarded(|| PytorchReader::new(path))?.map_err(|error| match error {
            PytorchError::Io(error) if is_systems(error.kind()) => TensorErrorKind::Io(error),
            other => TensorErrorKind::Damaged(other.to_string()),
        })?;
        Ok(Self { reader })
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<TensorInfo>, TensorErrorKind> {
        let tensors = self.reader.tensors();
        let found = pick(tensors.keys().map(String::as_str), name)?;
        Ok(found.and_then(|name| tensors.get(name)).map(|tensor| TensorInfo { name: tensor.name.clone(), shape: tensor.shape().to_vec() }))
    }

    pub(super) fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorErrorKind> {
        let found = self.find(name)?.ok_or_else(|| TensorErrorKind::missing(name, expected))?;
        let tensor = self.reader.get(&found.name).ok_or_else(|| TensorErrorKind::missing(name, expected))?;
        // A view may say that it is far larger than its file: the shape is looked at before anything is read.
        if tensor.shape() != expected {
            return Err(TensorErrorKind::shape(&found.name, expected, tensor.shape()));
        }
        if tensor.dtype() != DType::F32 {
            return Err(TensorErrorKind::Type { tensor: found.name, found: format!("{:?}", tensor.dtype()) });
        }
        let bytes = guarded(|| tensor.read())?.map_err(|error| {
            if is_systems(error.kind()) { TensorErrorKind::Io(error) } else { TensorErrorKind::Damaged(error.to_string()) }
        })?;
        if bytes.len() != expected.iter().product::<usize>() * size_of::<f32>() {
            return Err(TensorErrorKind::Damaged(format!("'{}' has {} bytes", found.name, bytes.len())));
        }
        // The reader gives the machine's own order of bytes.
        Ok(bytes.as_chunks::<4>().0.iter().map(|&word| f32::from_ne_bytes(word)).collect())
    }
}

/// Whether the system refuses, and not the file's content.
fn is_systems(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::Other)
}

/// A panic of the reader's is damage of the file.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, TensorErrorKind> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| TensorErrorKind::Damaged("its pickle cannot be read".to_owned()))
}
