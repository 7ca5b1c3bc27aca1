//! A matrix on disk, memory-mapped: a space of a collection, or any `.npy` of a user's.
//!
//! Mapping is unsafe: a file that is made shorter by another process while it is mapped ends the program
//! by a signal; tagscape itself never shortens a file that it has mapped (a writer cuts off only what is behind the committed rows,
//! where no reader looks).
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt;
use memmap2::Mmap;

use super::error::StoreError;
use super::npy::{Element, header_bytes, parse_header};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::whole_file::WholeFile;

/// A `[rows, dims]` matrix in a file.
#[derive(Debug)]
pub struct MatrixFile {
    path: PathBuf,
    map: Mmap,
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
        let file = File::open(path).map_err(StoreError::io("read", path))?;
        let about = file.metadata().map_err(StoreError::io("read", path))?;
        if !about.is_file() {
            return Err(StoreError::matrix(path, "is not a file"));
        }
        if about.len() == 0 {
            return Err(StoreError::matrix(path, "is empty (0 bytes)"));
        }
        // SAFETY: the mapping is read-only, and its bytes are only ever read as plain numbers, for which every pattern of bits is valid.
        let map = unsafe { Mmap::map(&file) }.map_err(StoreError::io("map", path))?;
        let header = parse_header(&map).map_err(|why| StoreError::matrix(path, why))?;
        let mut matrix = Self {
            path: path.to_owned(),
            map,
            element: header.element,
            rows: header.rows,
            dims: header.dims,
            data_offset: header.data_offset,
        };
        if header.dims == 0 {
            return Err(StoreError::matrix(path, "has rows without a single number"));
        }
        let found = matrix.rows_present();
        if found < header.rows {
            let why = format!("is cut off: it has {found} whole rows and says that it has {}", header.rows);
            return Err(StoreError::matrix(path, why));
        }
        matrix.rows = header.rows;
        Ok(matrix)
    }

    /// Opens a space's matrix for its committed rows.
    pub(super) fn open_space(path: &Path, rows: usize, dims: usize) -> Result<Self, StoreError> {
        let mut matrix = Self::open(path)?;
        if (matrix.element, matrix.dims) != (Element::F16, dims) {
            return Err(StoreError::matrix(path, format!("is not float16 with {dims} columns")));
        }
        if matrix.rows < rows {
            return Err(StoreError::matrix(path, format!("has {} rows of {rows}", matrix.rows)));
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

    fn rows_present(&self) -> usize {
        let row_bytes = self.dims.saturating_mul(self.element.bytes()).max(1);
        self.map.len().saturating_sub(self.data_offset) / row_bytes
    }

    fn bytes_of(&self, rows: Range<usize>) -> &[u8] {
        let row_bytes = self.dims * self.element.bytes();
        &self.map[self.data_offset + rows.start * row_bytes..self.data_offset + rows.end * row_bytes]
    }
}

impl RowSource for MatrixFile {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn read_rows(&self, rows: Range<usize>, into: &mut [f32]) {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        assert_eq!(into.len(), rows.len() * self.dims, "a run of {} rows of {} values", rows.len(), self.dims);
        let bytes = self.bytes_of(rows);
        match self.element {
            Element::F16 => match bytemuck::try_cast_slice::<u8, u16>(bytes) {
                Ok(bits) if cfg!(target_endian = "little") => {
                    half::slice::HalfBitsSliceExt::reinterpret_cast::<f16>(bits).convert_to_f32_slice(into);
                }
                _ => copy(bytes, into, |word: [u8; 2]| f16::from_le_bytes(word).to_f32()),
            },
            Element::F32 => copy(bytes, into, f32::from_le_bytes),
            Element::F64 => copy(bytes, into, |word: [u8; 8]| f64::from_le_bytes(word) as f32),
        }
    }
}

fn copy<const N: usize>(bytes: &[u8], into: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    let (words, _) = bytes.as_chunks::<N>();
    for (value, word) in into.iter_mut().zip(words) {
        *value = number(*word);
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
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
