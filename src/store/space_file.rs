//! A space's matrix as its writer sees it: rows are appended, the header follows.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::half_rows::HalfRows;
use super::npy::{Element, HEADER_BYTES, header_bytes, parse_header};
use crate::catalog::SpaceKey;
use crate::plain_file;

/// An open float16 `.npy` that grows.
#[derive(Debug)]
pub(super) struct SpaceFile {
    pub key: SpaceKey,
    /// Rows that are in the file and in its header.
    pub rows: usize,
    path: PathBuf,
    file: File,
}

impl SpaceFile {
    /// Where a space's matrix lies in a collection.
    pub(super) fn path_in(spaces: &Path, key: SpaceKey) -> PathBuf {
        spaces.join(format!("{key}.npy"))
    }

    /// Makes an empty matrix; an uncommitted one that is there is emptied.
    pub(super) fn create(spaces: &Path, key: SpaceKey) -> io::Result<Self> {
        let path = Self::path_in(spaces, key);
        let file = plain_file::open_with(&path, File::options().read(true).write(true).create(true).truncate(true))?;
        let mut space = Self { key, rows: 0, path, file };
        space.write_header(0)?;
        space.file.sync_all()?;
        Ok(space)
    }

    /// Opens a matrix for its `rows` committed rows and cuts off what is behind them.
    ///
    /// # Errors
    /// In words: missing, too short, or no such matrix.
    pub(super) fn open(spaces: &Path, key: SpaceKey, rows: usize) -> Result<Self, String> {
        let path = Self::path_in(spaces, key);
        let refuse = |what: &str| format!("{} {what}", path.display());
        let mut file = match plain_file::open_with(&path, File::options().read(true).write(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(refuse("is missing")),
            Err(error) => return Err(refuse(&format!("cannot be opened ({error})"))),
        };
        let mut head = [0; HEADER_BYTES];
        io::Read::read_exact(&mut file, &mut head).map_err(|_| refuse("is cut off"))?;
        let header = parse_header(&head).map_err(|why| refuse(&why))?;
        if (header.element, header.dims, header.data_offset) != (Element::F16, key.dims(), HEADER_BYTES) {
            return Err(refuse("is not the matrix that tagscape wrote"));
        }
        let wanted = Self::bytes_for(key, rows);
        let found = file.metadata().map_err(|error| refuse(&error.to_string()))?.len();
        if found < wanted {
            return Err(refuse(&format!("has {} rows of {rows}", (found as usize - HEADER_BYTES) / (2 * key.dims()))));
        }
        let mut space = Self { key, rows, path: path.clone(), file };
        if found > wanted || header.rows != rows {
            space.cut_to(rows).map_err(|error| refuse(&format!("cannot be written ({error})")))?;
        }
        Ok(space)
    }

    /// Appends rows behind the committed ones, and then has the header tell of them; synced when this returns.
    pub(super) fn append(&mut self, rows: &HalfRows) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(Self::bytes_for(self.key, self.rows)))?;
        rows.write_to(&mut self.file)?;
        self.file.sync_data()?;
        let rows = self.rows + rows.rows();
        self.write_header(rows)?;
        self.file.sync_data()?;
        self.rows = rows;
        Ok(())
    }

    /// Drops all rows from `rows` on.
    pub(super) fn cut_to(&mut self, rows: usize) -> io::Result<()> {
        self.write_header(rows)?;
        self.file.set_len(Self::bytes_for(self.key, rows))?;
        self.file.sync_all()?;
        self.rows = rows;
        Ok(())
    }

    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Length of a file of so many rows.
    pub(super) fn bytes_for(key: SpaceKey, rows: usize) -> u64 {
        (HEADER_BYTES + rows * key.dims() * Element::F16.bytes()) as u64
    }

    fn write_header(&mut self, rows: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header_bytes(Element::F16, rows, self.key.dims()))
    }
}
