//! A number, a class or a place for each row, from a `.npy` file of a user's.

use std::path::Path;

use super::element::Element;
use super::error::StoreError;
use super::npy::{element_of, parse_shape};
use crate::plain_file;

/// The largest file that is read: 33 million rows of three float64.
const MOST_BYTES: u64 = 1 << 30;

/// A mean of so many deviations is told apart from the numbers: see `centred`.
const DEVIATIONS: f64 = 16.0;

/// Numbers, which lie so near to each other that float32 has their differences from one of them, and not themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowNumbers {
    /// The numbers less `offset`, `[rows]`.
    pub values: Vec<f32>,
    /// What all of them have in common; mostly 0.
    pub offset: f64,
}

/// What a file has of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowValues {
    /// A floating-point number. `[rows]`
    Numbers(RowNumbers),
    /// A whole number, as clusterings give. `[rows]`
    Classes(Vec<i64>),
    /// Three numbers, as a layout in 3-D has; of far away ones what they differ by. `[rows, 3]`
    Places(Vec<[f32; 3]>),
}

impl RowValues {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.values.len(),
            Self::Classes(values) => values.len(),
            Self::Places(values) => values.len(),
        }
    }
}

/// Reads a `.npy` of the shape `[rows]`, `[rows, 1]` or `[rows, 3]`, of floating-point or whole numbers.
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
    let count = rows.checked_mul(columns).ok_or_else(|| format!("has the shape ({}), which is none", header.shape))?;
    let (element, is_big_endian) = element_of(header.descr)?;
    let data = file.get(header.data_offset..).unwrap_or(&[]);
    let found = data.len() / element.bytes();
    if found < count {
        return Err(format!("is cut off: it has {found} numbers and says that it has {count}"));
    }
    let data = &data[..count * element.bytes()];
    let is_whole = !matches!(element, Element::F16 | Element::F32 | Element::F64);
    if is_whole && columns == 1 {
        let classes = element.whole(data, is_big_endian);
        return classes.map(RowValues::Classes).ok_or_else(|| "has numbers of classes beyond 9.2e18; give smaller ones".to_owned());
    }
    let mut numbers = Vec::with_capacity(count);
    element.each(data, is_big_endian, |number| numbers.push(number));
    if columns == 1 {
        return near(&numbers).map(RowValues::Numbers);
    }
    // Column by column, as they lie in Fortran order.
    let place = |row: usize, column: usize| if header.is_fortran { column * rows + row } else { row * columns + column };
    let mut places = vec![[0.0; 3]; rows];
    for column in 0..3 {
        let values: Vec<f64> = (0..rows).map(|row| numbers[place(row, column)]).collect();
        for (place, value) in places.iter_mut().zip(near(&values)?.values) {
            place[column] = value;
        }
    }
    Ok(RowValues::Places(places))
}

/// Numbers as float32, less their mean where float32 would lose what tells them apart. What is not finite is unknown.
fn near(numbers: &[f64]) -> Result<RowNumbers, String> {
    let finite = || numbers.iter().copied().filter(|number| number.is_finite());
    let first = finite().next().unwrap_or(0.0);
    let (count, sum, squares) = finite()
        .map(|number| number - first)
        .fold((0.0, 0.0, 0.0), |(count, sum, squares), off| (count + 1.0, sum + off, squares + off * off));
    let off: f64 = sum / f64::max(count, 1.0);
    let deviation = (squares / f64::max(count, 1.0) - off * off).max(0.0).sqrt();
    let mean = first + off;
    // A whole number, so that what is read on a scale stays a round one.
    let offset = if mean.is_finite() && mean.abs() > DEVIATIONS * deviation && deviation > 0.0 { mean.round() } else { 0.0 };
    let values: Vec<f32> = numbers.iter().map(|number| (number - offset) as f32).collect();
    match numbers.iter().zip(&values).position(|(number, value)| number.is_finite() && !value.is_finite()) {
        Some(row) => Err(format!("has {:e} for row {row} (from 0), and float32 ends at 3.4e38; scale the numbers", numbers[row])),
        None if deviation > 0.0 && values.iter().all(|&value| value == 0.0 || value.is_nan()) => {
            Err(format!("has numbers that differ by {deviation:.0e}, which float32 cannot hold; scale them"))
        }
        None => Ok(RowNumbers { values, offset }),
    }
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

    fn plain(values: &[f32]) -> RowValues {
        RowValues::Numbers(RowNumbers { values: values.to_vec(), offset: 0.0 })
    }

    #[test]
    fn numbers_that_lie_close_together_far_from_zero_keep_what_tells_them_apart() {
        let bytes = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let far = bytes(&[1.7e9 + 0.25, f64::NAN, 1.7e9 - 0.25]);
        let Ok(RowValues::Numbers(found)) = parse(&npy("<f8", "(3,)", &far)) else { panic!("numbers") };
        assert_eq!((found.offset, found.values[0], found.values[2]), (1.7e9, 0.25, -0.25));
        assert!(found.values[1].is_nan());
        let Ok(RowValues::Places(places)) = parse(&npy("<f8", "(1, 3)", &bytes(&[1.0, 2.0, 3.0]))) else { panic!("places") };
        assert_eq!(places, [[1.0, 2.0, 3.0]], "a constant stays");
        let columns = bytes(&[1e12, 1e12 + 1.0, 5.0, 6.0, 0.0, 1.0]);
        let header = npy("<f8", "(2, 3)", &columns);
        let fortran = String::from_utf8_lossy(&header[..80]).contains("False");
        assert!(fortran);
        let text: Vec<u8> =
            header.windows(5).position(|word| word == b"False").map(|at| [&header[..at], b"True ", &header[at + 5..]].concat()).unwrap();
        let Ok(RowValues::Places(places)) = parse(&text) else { panic!("places") };
        assert_eq!(places[1][0] - places[0][0], 1.0);
        assert_eq!((places[0][1], places[1][2]), (5.0, 1.0));
        assert!(parse(&npy("<f8", "(2,)", &bytes(&[1e300, 0.0]))).unwrap_err().contains("1e300"));
        assert!(parse(&npy("<f8", "(2,)", &bytes(&[1e-60, 2e-60]))).unwrap_err().contains("float32"));
    }

    #[test]
    fn numbers_classes_and_places_are_told_apart() {
        let floats: Vec<u8> = [0.5f32, -1.0, f32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parse(&npy("<f4", "(3,)", &floats)), Ok(plain(&[0.5, -1.0, f32::MAX])));
        assert_eq!(parse(&npy("<f4", "(3, 1)", &floats)), Ok(plain(&[0.5, -1.0, f32::MAX])));
        assert_eq!(parse(&npy("<f4", "(1, 3)", &floats)), Ok(RowValues::Places(vec![[0.5, -1.0, f32::MAX]])));
        let wide: Vec<u8> = [7i64, -1].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parse(&npy("<i8", "(2,)", &wide)), Ok(RowValues::Classes(vec![7, -1])));
        assert_eq!(parse(&npy("|u1", "(2,)", &[3, 255])), Ok(RowValues::Classes(vec![3, 255])));
        assert!(parse(&npy("<u8", "(1,)", &[255; 8])).unwrap_err().contains("beyond"), "not one class with all others beyond");
        assert_eq!(parse(&npy("<f8", "(0,)", &[])), Ok(plain(&[])));
        assert_eq!(parse(&npy(">i2", "(2,)", &[1, 0, 0xff, 0xff])), Ok(RowValues::Classes(vec![256, -1])));
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (descr, shape, word) in [
            ("<f4", "(3, 2)", "[rows, 3]"),
            ("<f4", "(2,)", "cut off"),
            ("<f4", "(9999999999999999999, 3)", "none"),
            ("<c8", "(1,)", "'<c8'"),
            ("<U8", "(1,)", "'<U8'"),
            ("<c8", "()", "[rows]"),
        ] {
            let error = parse(&npy(descr, shape, &[0; 4])).unwrap_err();
            assert!(error.contains(word), "{descr} {shape}: {error}");
        }
        assert!(parse(b"").is_err());
    }
}
