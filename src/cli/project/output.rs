//! The files that are written: the layout, and the numbers of its rows where some were left out.
//!
//! Both appear together or not at all. Both are written and synced under other names first. Then, where there are or were
//! numbers, the former layout goes, the numbers come or go, and the layout comes. So a kill at any point leaves the former pair, or
//! the new one, or in between numbers alone, which say nothing wrong of any layout; the same command again makes them whole.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::row_numbers;
use crate::project::Layout;
use crate::store::npy_f32_into;
use crate::whole_file::{self, WholeFile};

/// Where a layout goes, and what the same command reads.
pub struct Output {
    layout: PathBuf,
    rows: PathBuf,
    inputs: Vec<PathBuf>,
}

impl Output {
    /// Refuses what could not be written, before the work and not after it. `leaves_out` says whether rows may be left out, and
    /// `inputs` what the command reads.
    pub fn check(layout: &Path, leaves_out: bool, inputs: Vec<PathBuf>) -> anyhow::Result<Self> {
        let out = Self { layout: layout.to_owned(), rows: row_numbers::path_beside(layout), inputs };
        whole_file::check(&out.layout, &out.inputs()).context("--out")?;
        if out.rows.symlink_metadata().is_ok() {
            let what = || format!("--out {} goes with {}", out.layout.display(), out.rows.display());
            whole_file::check(&out.rows, &out.inputs()).with_context(what)?;
            if leaves_out && row_numbers::read(&out.rows).is_err() {
                bail!("{}, and that is no file of row numbers; move it, or give another name", what());
            }
        }
        Ok(out)
    }

    fn inputs(&self) -> Vec<&Path> {
        self.inputs.iter().map(PathBuf::as_path).collect()
    }

    /// Writes both. A file of row numbers that an earlier run left goes when all rows are there: it would be taken for this
    /// layout's. What else has that name stays, and so does what is no file of row numbers.
    pub fn write(&self, layout: &Layout, shown: Option<&[usize]>) -> anyhow::Result<()> {
        let new = WholeFile::create(&self.layout, &self.inputs())?;
        npy_f32_into(new.file(), &layout.coordinates).map_err(|source| new.failure(source))?;
        let Some(shown) = shown else {
            if row_numbers::read(&self.rows).is_err() {
                return Ok(new.finish()?);
            }
            new.file().sync_all().map_err(|source| new.failure(source))?;
            self.drop_former_layout()?;
            std::fs::remove_file(&self.rows)
                .with_context(|| format!("cannot remove {}, which is of an earlier layout", self.rows.display()))?;
            return Ok(new.finish()?);
        };
        let rows = WholeFile::create(&self.rows, &self.inputs())?;
        row_numbers::write(rows.file(), shown).map_err(|source| rows.failure(source))?;
        new.file().sync_all().map_err(|source| new.failure(source))?;
        rows.file().sync_all().map_err(|source| rows.failure(source))?;
        self.drop_former_layout()?;
        rows.finish()?;
        new.finish().inspect_err(|_| {
            // Row numbers of a layout that there is not.
            let _ = std::fs::remove_file(&self.rows);
        })?;
        Ok(())
    }

    /// Removes the layout that was there, so that it is never beside numbers that are not its own.
    fn drop_former_layout(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.layout) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot replace {}", self.layout.display()))
            }
            _ => Ok(()),
        }
    }
}
