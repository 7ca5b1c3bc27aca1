//! The files that are written: the layout, and the numbers of its rows where some were left out.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::row_numbers;
use crate::project::Layout;
use crate::store::write_npy_f32;

/// Refuses a path that could not be written, before the work and not after it.
pub fn check(out: &Path) -> anyhow::Result<()> {
    if out.is_dir() || out.file_name().is_none() {
        bail!("--out {} is a folder; give the name of a file in it", out.display());
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("--out {} is in no folder that exists; make {} first", out.display(), folder.display());
    }
    Ok(())
}

/// Writes both, each whole or not at all. A file of row numbers that an earlier run left goes when all rows are there: it would be
/// taken for this layout's.
pub fn write(out: &Path, layout: &Layout, shown: Option<&[usize]>) -> anyhow::Result<()> {
    let rows = row_numbers::path_beside(out);
    match shown {
        Some(shown) => row_numbers::write(&rows, shown).with_context(|| format!("cannot write {}", rows.display()))?,
        None => match std::fs::remove_file(&rows) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}, which is of an earlier layout", rows.display()));
            }
            _ => {}
        },
    }
    Ok(write_npy_f32(out, &layout.coordinates)?)
}
