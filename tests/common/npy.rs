//! Reading the fixtures' `.npy` files: little-endian float32 in C order, what numpy's `save` writes of such an array.

use std::path::Path;

/// An array: its shape, and its values row-major.
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Reads a fixture; a test cannot go on without it.
pub fn read(path: &Path) -> Array {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&bytes).unwrap_or_else(|| panic!("{}: not a little-endian float32 .npy in C order", path.display()))
}

fn parse(bytes: &[u8]) -> Option<Array> {
    let rest = bytes.strip_prefix(b"\x93NUMPY\x01\x00")?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (header, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let header = std::str::from_utf8(header).ok()?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return None;
    }
    let (_, shape) = header.split_once("'shape': (")?;
    let (shape, _) = shape.split_once(')')?;
    let shape: Vec<usize> =
        shape.split(',').map(str::trim).filter(|side| !side.is_empty()).map(|side| side.parse().ok()).collect::<Option<_>>()?;
    let (chunks, left) = data.as_chunks::<4>();
    let values: Vec<f32> = chunks.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
    (left.is_empty() && values.len() == shape.iter().product::<usize>()).then_some(Array { shape, values })
}

#[test]
fn an_npy_file_that_is_cut_off_or_of_another_type_is_not_read() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
    let file = |header: &str, data: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        parse(&bytes)
    };
    let whole = file(header, &[0, 0, 128, 63, 0, 0, 0, 64]).unwrap();
    assert_eq!((whole.shape, whole.values), (vec![1, 2], vec![1.0, 2.0]));
    assert!(file(header, &[0, 0, 128, 63, 0, 0, 0]).is_none());
    assert!(file(&header.replace("<f4", "<f8"), &[0; 8]).is_none());
    assert!(file(&header.replace("False", "True"), &[0; 8]).is_none());
}
