//! A matrix on disk, read in runs of rows: a space of a collection, or any `.npy` of a user's.
//!
//! The file is read and not mapped: another program may cut it off while it is open, and a mapped file that becomes shorter ends a
//! program by a signal, where a read is an error. tagscape itself never shortens a file that a reader may have open (a writer cuts
//! off only what is behind the committed rows, where no reader looks).

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::error::StoreError;
use super::npy::{Element, MAX_HEADER_BYTES, NpyHeader, header_bytes, parse_header};
use crate::matrix::{FeatureMatrix, RowError, RowSource};
use crate::plain_file;
use crate::whole_file::WholeFile;

/// Bytes that are looked at for a header before all of a long one is.
const FIRST_BYTES: usize = 4096;
/// Words of the buffer that a thread reads through: it stays in the processor's second cache.
const BUFFER_WORDS: usize = 1 << 16;

thread_local! {
    /// Of 16 bits, since most matrices are of float16.
    static BUFFER: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// A `[rows, dims]` matrix in a file.
#[derive(Debug)]
pub struct MatrixFile {
    path: PathBuf,
    file: File,
    element: Element,
    rows: usize,
    dims: usize,
    data_offset: usize,
}

impl MatrixFile {
    /// Opens a `.npy` file of two dimensions, float16, float32 or float64, little-endian, in C order.
    ///
    /// # Errors
    /// A file that cannot be read, is no such matrix, or is shorter than its header says; each with what to do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = plain_file::open(path).map_err(StoreError::io("read", path))?;
        let about = file.metadata().map_err(StoreError::io("read", path))?;
        if about.len() == 0 {
            return Err(StoreError::matrix(path, "is empty (0 bytes)"));
        }
        let header = Self::read_header(&file, about.len()).map_err(StoreError::io("read", path))?;
        let NpyHeader { element, rows, dims, data_offset } = header.map_err(|why| StoreError::matrix(path, why))?;
        if dims == 0 {
            return Err(StoreError::matrix(path, "has rows without a single number"));
        }
        let row_bytes = (dims as u64).saturating_mul(element.bytes() as u64);
        let found = about.len().saturating_sub(data_offset as u64) / row_bytes;
        if found < rows as u64 {
            return Err(StoreError::matrix(path, format!("is cut off: it has {found} whole rows and says that it has {rows}")));
        }
        Ok(Self { path: path.to_owned(), file, element, rows, dims, data_offset })
    }

    /// The header, or in words why it is none.
    fn read_header(file: &File, bytes: u64) -> io::Result<Result<NpyHeader, String>> {
        let at_most = |most: usize| usize::try_from(bytes).unwrap_or(usize::MAX).min(most);
        let mut first = vec![0; at_most(FIRST_BYTES)];
        read_at(file, 0, &mut first)?;
        match parse_header(&first) {
            Err(_) if first.len() < at_most(usize::MAX) => {
                first.resize(at_most(MAX_HEADER_BYTES + FIRST_BYTES), 0);
                read_at(file, 0, &mut first)?;
                Ok(parse_header(&first))
            }
            parsed => Ok(parsed),
        }
    }

    /// Opens a space's matrix for its committed rows.
    pub(super) fn open_space(collection: &Path, path: &Path, rows: usize, dims: usize) -> Result<Self, StoreError> {
        // The collection may be a stranger's, whose links are not followed out of it.
        let path = plain_file::inside(collection, path).map_err(StoreError::io("read", path))?;
        let mut matrix = Self::open(&path)?;
        if (matrix.element, matrix.dims) != (Element::F16, dims) {
            return Err(StoreError::matrix(&path, format!("is not float16 with {dims} columns")));
        }
        if matrix.rows < rows {
            return Err(StoreError::matrix(&path, format!("has {} rows of {rows}", matrix.rows)));
        }
        matrix.rows = rows;
        Ok(matrix)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its numbers are float32, as those of layouts are.
    #[must_use]
    pub fn is_float32(&self) -> bool {
        self.element == Element::F32
    }

    /// Reads the numbers from number `first` on.
    fn read_numbers(&self, first: usize, into: &mut [f32]) -> io::Result<()> {
        BUFFER.with_borrow_mut(|buffer| {
            let element_words = self.element.bytes() / size_of::<u16>();
            buffer.resize(BUFFER_WORDS, 0);
            let mut at = self.data_offset as u64 + first as u64 * self.element.bytes() as u64;
            for part in into.chunks_mut(BUFFER_WORDS / element_words) {
                let words = &mut buffer[..part.len() * element_words];
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
                read_at(&self.file, at, bytes)?;
                at += bytes.len() as u64;
                match self.element {
                    Element::F16 if cfg!(target_endian = "little") => {
                        half::slice::HalfBitsSliceExt::reinterpret_cast::<f16>(&*words).convert_to_f32_slice(part);
                    }
                    Element::F16 => copy(bytes, part, |word: [u8; 2]| f16::from_le_bytes(word).to_f32()),
                    Element::F32 => copy(bytes, part, f32::from_le_bytes),
                    Element::F64 => copy(bytes, part, |word: [u8; 8]| f64::from_le_bytes(word) as f32),
                }
            }
            Ok(())
        })
    }
}

impl RowSource for MatrixFile {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        assert_eq!(into.len(), rows.len() * self.dims, "a run of {} rows of {} values", rows.len(), self.dims);
        self.read_numbers(rows.start * self.dims, into).map_err(|error| {
            let why = match error.kind() {
                ErrorKind::UnexpectedEof => "another program has cut it off while it was open; restore it, and open it again".to_owned(),
                _ => error.to_string(),
            };
            RowError { path: self.path.clone(), why }
        })
    }
}

fn copy<const N: usize>(bytes: &[u8], into: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    let (words, _) = bytes.as_chunks::<N>();
    for (value, word) in into.iter_mut().zip(words) {
        *value = number(*word);
    }
}

/// Reads bytes at a place, whatever else is read of the file at the same time.
fn read_at(file: &File, at: u64, into: &mut [u8]) -> io::Result<()> {
    #[cfg(unix)]
    {
        std::os::unix::fs::FileExt::read_exact_at(file, into, at)
    }
    #[cfg(windows)]
    {
        let (mut at, mut into) = (at, into);
        while !into.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(file, into, at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => (at, into) = (at + read as u64, &mut into[read..]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Writes a matrix as float32 `.npy`, whole or not at all.
///
/// # Errors
/// A place where nothing may be written (see [`whole_file::check`](crate::whole_file::check)), and what the disk refuses.
pub fn write_npy_f32(path: &Path, matrix: &FeatureMatrix) -> Result<(), StoreError> {
    let file = WholeFile::create(path, &[])?;
    npy_f32_into(file.file(), matrix).map_err(|source| file.failure(source))?;
    Ok(file.finish()?)
}

/// Writes the bytes of a float32 `.npy` file.
///
/// # Errors
/// Those of `file`.
pub fn npy_f32_into(file: impl Write, matrix: &FeatureMatrix) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(&header_bytes(Element::F32, matrix.rows(), matrix.dims()))?;
    for value in matrix.values() {
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush()
}

/// Makes a new or renamed file's name last through a power failure, where the system has a call for it.
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        plain_file::sync_folder(folder)?;
    }
    Ok(())
}
