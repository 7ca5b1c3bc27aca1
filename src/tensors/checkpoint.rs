//! PyTorch's checkpoints: a zip archive since 1.6, pickles one after the other before.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader};
use zip::{CompressionMethod, ZipArchive};

use super::error::TensorErrorKind;
use super::pickle_length::pickle_length;
use super::{TensorInfo, pick};
use crate::plain_file;

/// How a legacy file begins, behind at most a few bytes of pickle: `0x1950a86a20f9469cfc6c`, little-endian.
const LEGACY_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// The most bytes that pickles have in all: those of a network of a thousand tensors have 150 kB. Each becomes up to seventy in memory.
const MAX_PICKLE_BYTES: u64 = 1 << 20;
/// The pickles of a legacy file: magic number, protocol, system, tensors, storages' names.
const LEGACY_PICKLES: usize = 5;
/// The most that a compressed tensor may say that it has; VGGish's largest has 201 MB.
const MAX_COMPRESSED_BYTES: u64 = 256 << 20;
/// Where a tar archive says that it is one.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

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
        let file = plain_file::open(path)?;
        let mut head = Vec::new();
        (&file).take(MAX_PICKLE_BYTES).read_to_end(&mut head)?;
        if head.starts_with(b"PK") {
            check_archive(&file)?
        } else {
            check_legacy(&head)?
        }
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

/// Holds what an archive says of its entries against its own size, before anything of it is unpacked.
fn check_archive(file: &File) -> Result<(), TensorErrorKind> {
    let damaged = TensorErrorKind::Damaged;
    let length = file.metadata()?.len();
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(error.to_string()))?;
    for entry in 0..archive.len() {
        let entry = archive.by_index_raw(entry).map_err(|error| damaged(error.to_string()))?;
        let (name, bytes) = (entry.name().map_err(|error| damaged(error.to_string()))?, entry.size());
        let (most, what) = match entry.compression() {
            _ if name.ends_with(".pkl") => (MAX_PICKLE_BYTES, "no network's pickle has more than"),
            CompressionMethod::Stored => (length, "the file itself has"),
            _ => (MAX_COMPRESSED_BYTES, "no tensor has more than"),
        };
        if bytes > most {
            return Err(damaged(format!("its entry '{}' would have {bytes} bytes, and {what} {most}", super::short(&name))));
        }
    }
    Ok(())
}

/// Looks whether the pickles that a legacy file begins with have their end within what pickles have; `head` is so much of it.
fn check_legacy(head: &[u8]) -> Result<(), TensorErrorKind> {
    // The reader would take it for an archive, and unpack it whole.
    if head.get(TAR_MAGIC) == Some(b"ustar") {
        return Err(TensorErrorKind::NotWeights("it is a tar archive".to_owned()));
    }
    let mut rest = head;
    for _ in 0..LEGACY_PICKLES {
        let length = pickle_length(rest).ok_or_else(|| {
            TensorErrorKind::Damaged(format!("its pickles have no end within the {MAX_PICKLE_BYTES} bytes that a network's have at most"))
        })?;
        rest = &rest[length..];
    }
    Ok(())
}

/// Whether the system refuses, and not the file's content.
fn is_systems(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::Other)
}

/// A panic of the reader's is damage of the file.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, TensorErrorKind> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| TensorErrorKind::Damaged("its pickle cannot be read".to_owned()))
}
