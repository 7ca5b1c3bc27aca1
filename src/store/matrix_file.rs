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
    header: NpyHeader,
    /// Those of the header, or fewer: a collection's committed ones.
    rows: usize,
}

impl MatrixFile {
    /// Opens a `.npy` file of two dimensions, of floating-point or whole numbers of up to 64 bits, in either order of bytes and
    /// of dimensions.
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
        let header = header.map_err(|why| StoreError::matrix(path, why))?;
        let NpyHeader { element, rows, dims, data_offset, .. } = header;
        if dims == 0 {
            return Err(StoreError::matrix(path, "has rows without a single number"));
        }
        let row_bytes = (dims as u64).saturating_mul(element.bytes() as u64);
        let found = about.len().saturating_sub(data_offset as u64) / row_bytes;
        if found < rows as u64 {
            return Err(StoreError::matrix(path, format!("is cut off: it has {found} whole rows and says that it has {rows}")));
        }
        Ok(Self { path: path.to_owned(), file, header, rows })
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
        let NpyHeader { element, is_big_endian, is_fortran, dims: found, .. } = matrix.header;
        if (element, is_big_endian, is_fortran, found) != (Element::F16, false, false, dims) {
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
        self.header.element == Element::F32
    }

    /// Whether float32 has each of its numbers exactly.
    pub(super) fn fits_float32(&self) -> bool {
        self.header.element.fits_float32()
    }

    /// Whether it is float16, as a collection's spaces are.
    pub(super) fn is_float16(&self) -> bool {
        self.header.element == Element::F16
    }

    /// Gives the numbers of some rows to `take`, each with its place in `[rows, dims]`; in their order in the file.
    ///
    /// # Errors
    /// A file that no longer has them.
    pub(super) fn each(&self, rows: Range<usize>, mut take: impl FnMut(usize, f64)) -> Result<(), RowError> {
        let NpyHeader { is_fortran, dims, rows: stored, .. } = self.header;
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let mut read = || -> io::Result<()> {
            if !is_fortran {
                let mut at = 0;
                return self.numbers(rows.start * dims, rows.len() * dims, |number| {
                    take(at, number);
                    at += 1;
                });
            }
            for column in 0..dims {
                let mut at = column;
                self.numbers(column * stored + rows.start, rows.len(), |number| {
                    take(at, number);
                    at += dims;
                })?;
            }
            Ok(())
        };
        read().map_err(|error| self.row_error(&error))
    }

    /// Gives so many numbers from number `first` on to `take`.
    fn numbers(&self, first: usize, count: usize, mut take: impl FnMut(f64)) -> io::Result<()> {
        let NpyHeader { element, is_big_endian, .. } = self.header;
        self.parts(first, count, |words, numbers| {
            let bytes: &[u8] = bytemuck::cast_slice(words);
            element.each(&bytes[..numbers * element.bytes()], is_big_endian, &mut take);
        })
    }

    /// Reads so many numbers from number `first` on in pieces that stay in the processor's cache: `take` gets their bytes, in words, and
    /// how many numbers they are.
    fn parts(&self, first: usize, count: usize, mut take: impl FnMut(&[u16], usize)) -> io::Result<()> {
        let element_bytes = self.header.element.bytes();
        let at_once = BUFFER_WORDS * size_of::<u16>() / element_bytes;
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(BUFFER_WORDS, 0);
            let mut at = self.header.data_offset as u64 + first as u64 * element_bytes as u64;
            for begin in (0..count).step_by(at_once) {
                let numbers = at_once.min(count - begin);
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(buffer.as_mut_slice());
                read_at(&self.file, at, &mut bytes[..numbers * element_bytes])?;
                at += (numbers * element_bytes) as u64;
                take(buffer, numbers);
            }
            Ok(())
        })
    }

    fn row_error(&self, error: &io::Error) -> RowError {
        let why = match error.kind() {
            ErrorKind::UnexpectedEof => "another program has cut it off while it was open; restore it, and open it again".to_owned(),
            _ => error.to_string(),
        };
        RowError { path: self.path.clone(), why }
    }
}

impl RowSource for MatrixFile {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.header.dims
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), RowError> {
        let NpyHeader { element, is_big_endian, is_fortran, dims, .. } = self.header;
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        assert_eq!(into.len(), rows.len() * dims, "a run of {} rows of {dims} values", rows.len());
        if (element, is_big_endian, is_fortran) != (Element::F16, false, false) || cfg!(target_endian = "big") {
            return self.each(rows, |at, number| into[at] = number as f32);
        }
        let mut rest = into;
        let read = self.parts(rows.start * dims, rows.len() * dims, |words, numbers| {
            let (part, later) = std::mem::take(&mut rest).split_at_mut(numbers);
            half::slice::HalfBitsSliceExt::reinterpret_cast::<f16>(&words[..numbers]).convert_to_f32_slice(part);
            rest = later;
        });
        read.map_err(|error| self.row_error(&error))
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
