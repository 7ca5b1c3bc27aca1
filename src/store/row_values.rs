//! A number, a class or a place for each row, from a `.npy` file of a user's.

use std::path::Path;

use half::f16;

use super::error::StoreError;
use super::npy::{parse_shape, type_name};
use crate::plain_file;

/// The largest file that is read: 33 million rows of three float64.
const MOST_BYTES: u64 = 1 << 30;

/// What a file has of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowValues {
    /// A floating-point number. `[rows]`
    Numbers(Vec<f32>),
    /// A whole number, as clusterings give. `[rows]`
    Classes(Vec<i64>),
    /// Three numbers, as a layout in 3-D has. `[rows, 3]`
    Places(Vec<[f32; 3]>),
}

impl RowValues {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Classes(values) => values.len(),
            Self::Places(values) => values.len(),
        }
    }
}

/// Reads a `.npy` of the shape `[rows]`, `[rows, 1]` or `[rows, 3]`, of floating-point or whole numbers, little-endian.
///
/// # Errors
/// A file that cannot be read, or is something else; in words that say what to do.
pub fn read_row_values(path: &Path) -> Result<RowValues, StoreError> {
    let file = plain_file::read(path, MOST_BYTES).map_err(StoreError::io("read", path))?;
    parse(&file).map_err(|why| StoreError::matrix(path, why))
}

fn parse(file: &[u8]) -> Result<RowValues, String> {
    let header = parse_shape(file)?;
    let (rows, columns) = match header.sizes[..] {
        [rows] | [rows, 1] => (rows, 1),
        [rows, 3] => (rows, 3),
        _ => return Err(format!("has the shape ({}), and numbers for rows have [rows], [rows, 1] or [rows, 3]", header.shape)),
    };
    if header.is_fortran && columns > 1 && rows > 1 {
        return Err("is in Fortran order; save numpy.ascontiguousarray(x)".to_owned());
    }
    let count = rows.checked_mul(columns).ok_or_else(|| format!("has the shape ({}), which is none", header.shape))?;
    let data = file.get(header.data_offset..).unwrap_or(&[]);
    let floats = |values: Vec<f32>| {
        if columns == 1 {
            return RowValues::Numbers(values);
        }
        let (places, _) = values.as_chunks::<3>();
        RowValues::Places(places.to_vec())
    };
    let name = type_name(header.descr).unwrap_or("a record");
    let whole = |values: Vec<i64>| {
        if columns == 1 { RowValues::Classes(values) } else { floats(values.iter().map(|&value| value as f32).collect()) }
    };
    match name {
        "<f2" => numbers(data, count, |word| f16::from_le_bytes(word).to_f32()).map(floats),
        "<f4" => numbers(data, count, f32::from_le_bytes).map(floats),
        "<f8" => numbers(data, count, |word| f64::from_le_bytes(word) as f32).map(floats),
        "|b1" | "|u1" => numbers(data, count, |[byte]: [u8; 1]| i64::from(byte)).map(whole),
        "|i1" => numbers(data, count, |word| i64::from(i8::from_le_bytes(word))).map(whole),
        "<u2" => numbers(data, count, |word| i64::from(u16::from_le_bytes(word))).map(whole),
        "<i2" => numbers(data, count, |word| i64::from(i16::from_le_bytes(word))).map(whole),
        "<u4" => numbers(data, count, |word| i64::from(u32::from_le_bytes(word))).map(whole),
        "<i4" => numbers(data, count, |word| i64::from(i32::from_le_bytes(word))).map(whole),
        "<i8" => numbers(data, count, i64::from_le_bytes).map(whole),
        "<u8" => numbers(data, count, |word| i64::try_from(u64::from_le_bytes(word)).unwrap_or(i64::MAX)).map(whole),
        other => Err(format!("holds '{other}', and not little-endian whole or floating-point numbers; save x.astype('<f4')")),
    }
}

fn numbers<const N: usize, T>(data: &[u8], count: usize, number: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
    let (words, _) = data.as_chunks::<N>();
    let words = words.get(..count).ok_or_else(|| format!("is cut off: it has {} numbers and says that it has {count}", words.len()))?;
    Ok(words.iter().map(|&word| number(word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn numbers_classes_and_places_are_told_apart() {
        let floats: Vec<u8> = [0.5f32, -1.0, f32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parse(&npy("<f4", "(3,)", &floats)), Ok(RowValues::Numbers(vec![0.5, -1.0, f32::MAX])));
        assert_eq!(parse(&npy("<f4", "(3, 1)", &floats)), Ok(RowValues::Numbers(vec![0.5, -1.0, f32::MAX])));
        assert_eq!(parse(&npy("<f4", "(1, 3)", &floats)), Ok(RowValues::Places(vec![[0.5, -1.0, f32::MAX]])));
        let wide: Vec<u8> = [7i64, -1].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parse(&npy("<i8", "(2,)", &wide)), Ok(RowValues::Classes(vec![7, -1])));
        assert_eq!(parse(&npy("|u1", "(2,)", &[3, 255])), Ok(RowValues::Classes(vec![3, 255])));
        assert_eq!(parse(&npy("<u8", "(1,)", &[255; 8])), Ok(RowValues::Classes(vec![i64::MAX])));
        assert_eq!(parse(&npy("<f8", "(0,)", &[])), Ok(RowValues::Numbers(Vec::new())));
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (descr, shape, word) in [
            ("<f4", "(3, 2)", "[rows, 3]"),
            ("<f4", "(2,)", "cut off"),
            ("<f4", "(9999999999999999999, 3)", "none"),
            (">f4", "(1,)", "'>f4'"),
            ("<U8", "(1,)", "'<U8'"),
            ("<c8", "()", "[rows]"),
        ] {
            let error = parse(&npy(descr, shape, &[0; 4])).unwrap_err();
            assert!(error.contains(word), "{descr} {shape}: {error}");
        }
        assert!(parse(b"").is_err());
    }
}
