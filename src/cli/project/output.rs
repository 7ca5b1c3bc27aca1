//! The files that are written: the layout, and the numbers of its rows where some were left out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

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
    let rows = rows_path(out);
    match shown {
        Some(shown) => write_row_numbers(&rows, shown).with_context(|| format!("cannot write {}", rows.display()))?,
        None => match std::fs::remove_file(&rows) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}, which is of an earlier layout", rows.display()));
            }
            _ => {}
        },
    }
    Ok(write_npy_f32(out, &layout.coordinates)?)
}

/// `layout.npy` to `layout.rows.npy`.
fn rows_path(out: &Path) -> PathBuf {
    out.with_extension("rows.npy")
}

/// Row numbers, from 0, as int64 `[rows]`.
fn write_row_numbers(path: &Path, rows: &[usize]) -> std::io::Result<()> {
    let mut bytes = npy_header(rows.len());
    bytes.extend(rows.iter().flat_map(|&row| (row as i64).to_le_bytes()));
    let part = path.with_extension(format!("npy.{}.part", std::process::id()));
    let mut file = std::fs::File::create(&part)?;
    let written = file.write_all(&bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // Only what this call made is removed; that it may not be there is no matter.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// The header of an int64 vector, version 1.0 of numpy's NEP 1: padded so that the numbers begin at a multiple of 64.
fn npy_header(len: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({len},), }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_numpys_and_aligned() {
        let header = npy_header(12);
        assert_eq!(header.len(), 128);
        assert!(header.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i8', 'fortran_order': False, 'shape': (12,), }"));
        assert_eq!(header.last(), Some(&b'\n'));
    }

    #[test]
    fn row_numbers_lie_beside_the_layout() {
        assert_eq!(rows_path(Path::new("a/layout.npy")), Path::new("a/layout.rows.npy"));
        assert_eq!(rows_path(Path::new("layout")), Path::new("layout.rows.npy"));
    }
}
