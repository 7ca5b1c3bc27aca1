//! `LAYOUT.rows.npy`: which rows a layout has, where it has not all of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::plain_file;

/// The magic, the version and the header's length; the header; and numbers of so many bytes.
const PREFIX_BYTES: usize = 10;
const NUMBER_BYTES: usize = 8;
/// The largest file that is read: 134 million row numbers.
const MOST_BYTES: u64 = 1 << 30;

/// `layout.npy` to `layout.rows.npy`.
pub fn path_beside(layout: &Path) -> PathBuf {
    layout.with_extension("rows.npy")
}

/// Row numbers, from 0, as int64 `[rows]`.
pub fn write(mut file: impl Write, rows: &[usize]) -> std::io::Result<()> {
    let mut bytes = npy_header(rows.len());
    bytes.extend(rows.iter().flat_map(|&row| (row as i64).to_le_bytes()));
    file.write_all(&bytes)
}

/// Reads what [`write()`] wrote, or numpy's `save` of an int64 vector.
///
/// # Errors
/// In words: a file that cannot be read or is no such vector.
pub fn read(path: &Path) -> Result<Vec<usize>, String> {
    let bytes = plain_file::read(path, MOST_BYTES).map_err(|error| format!("cannot be read ({error})"))?;
    parse(&bytes).ok_or_else(|| "is no int64 vector of row numbers; make the layout anew".to_owned())
}

fn parse(bytes: &[u8]) -> Option<Vec<usize>> {
    let length = bytes.strip_prefix(b"\x93NUMPY\x01\x00")?.first_chunk::<2>()?;
    let (header, data) = bytes[PREFIX_BYTES..].split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let header: String = std::str::from_utf8(header).ok()?.split_whitespace().collect();
    let count = header.split_once("'shape':(")?.1.split_once(",)")?.0.parse::<usize>().ok()?;
    let (numbers, left) = data.as_chunks::<NUMBER_BYTES>();
    if !header.contains("'descr':'<i8'") || !left.is_empty() || numbers.len() != count {
        return None;
    }
    numbers.iter().map(|&number| usize::try_from(i64::from_le_bytes(number)).ok()).collect()
}

/// The header of an int64 vector, version 1.0 of numpy's NEP 1: padded so that the numbers begin at a multiple of 64.
fn npy_header(len: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({len},), }}");
    while !(PREFIX_BYTES + text.len() + 1).is_multiple_of(64) {
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
        assert_eq!(path_beside(Path::new("a/layout.npy")), Path::new("a/layout.rows.npy"));
        assert_eq!(path_beside(Path::new("layout")), Path::new("layout.rows.npy"));
    }

    #[test]
    fn numbers_are_read_back_and_anything_else_is_refused() {
        let mut bytes = npy_header(3);
        bytes.extend([0_i64, 7, 1 << 40].into_iter().flat_map(i64::to_le_bytes));
        assert_eq!(parse(&bytes).unwrap(), [0, 7, 1 << 40]);
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), None, "{end} bytes");
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            let _ = parse(&other);
        }
        let last = bytes.len() - 1;
        bytes[last] = 0x80;
        assert_eq!(parse(&bytes), None, "a negative number");
    }
}
