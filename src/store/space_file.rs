//! A space's matrix as its writer sees it: rows are appended, the header follows.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::half_rows::HalfRows;
use super::npy::{Element, HEADER_BYTES, header_bytes, parse_header};
use super::own_file::{self, Identity};
use crate::catalog::SpaceKey;

/// An open float16 `.npy` that grows.
#[derive(Debug)]
pub(super) struct SpaceFile {
    pub key: SpaceKey,
    /// Rows that are in the file and in its header.
    pub rows: usize,
    path: PathBuf,
    file: File,
    identity: Identity,
}

/// Why a matrix cannot be opened for writing.
#[derive(Debug)]
pub(super) enum SpaceTrouble {
    /// The disk, its permissions, or a link in the file's place.
    Io(io::Error),
    /// In words: missing, too short, or no such matrix.
    Damage(String),
}

impl SpaceTrouble {
    /// The error of a matrix at `path` in a collection.
    pub(super) fn in_collection(self, collection: &Path, path: &Path) -> StoreError {
        match self {
            Self::Io(source) => StoreError::io("write to", path)(source),
            Self::Damage(why) => StoreError::damaged(collection, format!("{} {why}", path.display())),
        }
    }
}

impl From<io::Error> for SpaceTrouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl SpaceFile {
    /// Where a space's matrix lies in a collection.
    pub(super) fn path_in(spaces: &Path, key: SpaceKey) -> PathBuf {
        spaces.join(format!("{key}.npy"))
    }

    /// Makes an empty matrix. An uncommitted one that is there makes room: what is in it is no data.
    pub(super) fn create(spaces: &Path, key: SpaceKey) -> io::Result<Self> {
        let path = Self::path_in(spaces, key);
        if own_file::check(&path)? {
            std::fs::remove_file(&path)?;
        }
        let file = own_file::open(&path, File::options().read(true).write(true).create_new(true))?;
        let identity = Identity::of(&path)?;
        let mut space = Self { key, rows: 0, path, file, identity };
        space.write_header(0)?;
        space.file.sync_all()?;
        Ok(space)
    }

    /// Opens a matrix for its `rows` committed rows and cuts off what is behind them.
    ///
    /// # Errors
    /// Missing, too short, or no such matrix; what the disk refuses.
    pub(super) fn open(spaces: &Path, key: SpaceKey, rows: usize) -> Result<Self, SpaceTrouble> {
        let path = Self::path_in(spaces, key);
        let damage = |what: &str| SpaceTrouble::Damage(what.to_owned());
        let mut file = match own_file::open(&path, File::options().read(true).write(true)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(damage("is missing")),
            opened => opened?,
        };
        let mut head = [0; HEADER_BYTES];
        match file.read_exact(&mut head) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(damage("is cut off")),
            read => read?,
        }
        let header = parse_header(&head).map_err(SpaceTrouble::Damage)?;
        let is_ours = !header.is_big_endian && !header.is_fortran && header.data_offset == HEADER_BYTES;
        if !is_ours || (header.element, header.dims) != (Element::F16, key.dims()) {
            return Err(damage("is not the matrix that tagscape wrote"));
        }
        let wanted = Self::bytes_for(key, rows);
        let found = file.metadata()?.len();
        if found < wanted {
            return Err(damage(&format!("has {} rows of {rows}", (found as usize - HEADER_BYTES) / (2 * key.dims()))));
        }
        let identity = Identity::of(&path)?;
        let mut space = Self { key, rows, path, file, identity };
        if found > wanted || header.rows != rows {
            space.cut_to(rows)?;
        }
        Ok(space)
    }

    /// Appends rows behind the committed ones, and then has the header tell of them; synced when this returns.
    ///
    /// # Errors
    /// What the disk refuses; a file that is no longer under its name.
    pub(super) fn append(&mut self, rows: &HalfRows) -> Result<(), StoreError> {
        let count = self.rows + rows.rows();
        let mut write = || {
            self.file.seek(SeekFrom::Start(Self::bytes_for(self.key, self.rows)))?;
            rows.write_to(&mut self.file)?;
            self.file.sync_data()?;
            self.write_header(count)?;
            self.file.sync_data()
        };
        write().map_err(StoreError::io("write", &self.path))?;
        self.check()?;
        self.rows = count;
        Ok(())
    }

    /// Looks whether the file is still there under its name.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.identity.check()
    }

    /// Drops all rows from `rows` on.
    pub(super) fn cut_to(&mut self, rows: usize) -> io::Result<()> {
        self.write_header(rows)?;
        self.file.set_len(Self::bytes_for(self.key, rows))?;
        self.file.sync_all()?;
        self.rows = rows;
        Ok(())
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
