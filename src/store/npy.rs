//! The header of a `.npy` file, read and written.
//!
//! Format: numpy's NEP 1: the magic `\x93NUMPY`, a version, the header's length, and a Python dictionary in ASCII with `descr`,
//! `fortran_order` and `shape`. Ours is padded to [`HEADER_BYTES`] whatever the number of rows, so that it can be rewritten in place.

pub(super) use super::element::Element;

/// Length of the header that we write, magic and all: numpy aligns to 64, and a row count of any length fits.
pub(super) const HEADER_BYTES: usize = 128;
/// Longest foreign header that is looked at.
pub(super) const MAX_HEADER_BYTES: usize = 1 << 20;
const MAGIC: &[u8] = b"\x93NUMPY";

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NpyHeader {
    pub element: Element,
    /// Whether the most significant byte of a number comes first.
    pub is_big_endian: bool,
    /// Whether columns lie together, and not rows.
    pub is_fortran: bool,
    pub rows: usize,
    pub dims: usize,
    /// Where the numbers begin.
    pub data_offset: usize,
}

/// The header of a `[rows, dims]` matrix, [`HEADER_BYTES`] long.
pub(super) fn header_bytes(element: Element, rows: usize, dims: usize) -> [u8; HEADER_BYTES] {
    let text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({rows}, {dims}), }}", element.descr());
    let mut bytes = [b' '; HEADER_BYTES];
    bytes[..6].copy_from_slice(MAGIC);
    bytes[6..8].copy_from_slice(&[1, 0]);
    bytes[8..10].copy_from_slice(&((HEADER_BYTES - 10) as u16).to_le_bytes());
    // Two numbers of 20 digits leave the text at 96 characters at most.
    bytes[10..10 + text.len()].copy_from_slice(text.as_bytes());
    bytes[HEADER_BYTES - 1] = b'\n';
    bytes
}

/// What any header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NpyShape<'a> {
    /// How numbers are stored, quoted, and what follows it.
    pub descr: &'a str,
    /// Whether columns lie together.
    pub is_fortran: bool,
    /// The shape, as it is written.
    pub shape: &'a str,
    /// The sizes of the dimensions.
    pub sizes: Vec<usize>,
    /// Where the numbers begin.
    pub data_offset: usize,
}

/// Reads the header of a matrix at the beginning of a file's bytes.
///
/// # Errors
/// In words, with what to do: not a `.npy`, not two dimensions, not numbers.
pub(super) fn parse_header(file: &[u8]) -> Result<NpyHeader, String> {
    let NpyShape { descr, is_fortran, sizes, data_offset, .. } = parse_shape(file)?;
    let (element, is_big_endian) = element_of(descr)?;
    let &[rows, dims] = &sizes[..] else {
        return Err(format!("has {} dimensions, and a matrix [rows, dims] has 2; reshape it", sizes.len()));
    };
    // A single row or column is the same in either order.
    let is_fortran = is_fortran && rows > 1 && dims > 1;
    Ok(NpyHeader { element, is_big_endian, is_fortran, rows, dims, data_offset })
}

/// Reads the header of any array.
///
/// # Errors
/// In words: not a `.npy`, or one without type or shape.
pub(super) fn parse_shape(file: &[u8]) -> Result<NpyShape<'_>, String> {
    let cut_off = || "is cut off inside of its header".to_owned();
    if file.len() < MAGIC.len() || &file[..MAGIC.len()] != MAGIC {
        return Err("is not a .npy file".to_owned());
    }
    let byte = |at: usize| file.get(at).copied().map(usize::from).ok_or_else(cut_off);
    let (start, len) = match byte(6)? {
        1 => (10, byte(8)? | byte(9)? << 8),
        2 | 3 => (12, byte(8)? | byte(9)? << 8 | byte(10)? << 16 | byte(11)? << 24),
        other => return Err(format!("is a .npy of version {other}, which tagscape does not read; save it with numpy.save")),
    };
    if len > MAX_HEADER_BYTES {
        return Err("has a header that is no matrix's".to_owned());
    }
    let text = file.get(start..start + len).ok_or_else(cut_off)?;
    let text = std::str::from_utf8(text).map_err(|_| "has a header that is no text".to_owned())?;
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'")).or_else(|| text.split_once(&format!("\"{key}\"")))?.1;
        Some(after.trim_start().strip_prefix(':')?.trim_start())
    };
    let missing = |key: &str| format!("has no '{key}' in its header");
    let descr = value("descr").ok_or_else(|| missing("descr"))?;
    let order = value("fortran_order").ok_or_else(|| missing("fortran_order"))?;
    let shape = value("shape").ok_or_else(|| missing("shape"))?;
    let shape = shape.strip_prefix('(').and_then(|shape| shape.split_once(')')).map(|(shape, _)| shape).ok_or_else(|| missing("shape"))?;
    let sizes: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.trim_end_matches('L').parse().map_err(|_| format!("has the shape ({shape}), which is none")))
        .collect::<Result<_, _>>()?;
    Ok(NpyShape { descr, is_fortran: order.starts_with("True"), shape, sizes, data_offset: start + len })
}

/// The name of a type, where it is no record.
fn type_name(descr: &str) -> Option<&str> {
    descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split_once(['\'', '"'])).map(|(name, _)| name)
}

/// The element, and whether it is stored big-endian.
pub(super) fn element_of(descr: &str) -> Result<(Element, bool), String> {
    let name = type_name(descr).ok_or("holds records, and not numbers; save a matrix of float32")?;
    Element::of(name).ok_or_else(|| {
        format!("holds values of type '{name}', and not whole or floating-point numbers of up to 64 bits; save x.astype('<f4')")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(dict: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        bytes
    }

    #[test]
    fn our_header_is_read_back_for_any_size() {
        for (rows, dims) in [(0, 50), (1, 1), (14_089_712, 128), (usize::MAX, usize::MAX)] {
            let bytes = header_bytes(Element::F16, rows, dims);
            let header = parse_header(&bytes).unwrap();
            let (is_big_endian, is_fortran) = (false, false);
            assert_eq!(header, NpyHeader { element: Element::F16, is_big_endian, is_fortran, rows, dims, data_offset: HEADER_BYTES });
            assert_eq!(bytes[HEADER_BYTES - 1], b'\n');
        }
    }

    #[test]
    fn numpys_own_spellings_are_understood() {
        for (dict, element, rows, dims) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n", Element::F32, 3, 4),
            ("{\"descr\":\"<f8\",\"fortran_order\":False,\"shape\":(3,4)}", Element::F64, 3, 4),
            ("{'shape': (3L, 1L), 'fortran_order': True, 'descr': '<f2'}", Element::F16, 3, 1),
            ("{'descr': '>u8', 'fortran_order': True, 'shape': (3, 4)}", Element::U64, 3, 4),
            ("{'descr': '|b1', 'fortran_order': False, 'shape': (3, 4)}", Element::Bool, 3, 4),
        ] {
            let header = parse_header(&npy(dict)).unwrap();
            assert_eq!((header.element, header.rows, header.dims), (element, rows, dims), "{dict}");
        }
    }

    #[test]
    fn what_is_no_matrix_says_why() {
        for (dict, word) in [
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (3, 4)}", "'<c8'"),
            ("{'descr': '<f16', 'fortran_order': False, 'shape': (3, 4)}", "'<f16'"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (3, 4)}", "'|O'"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 4)}", "records"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "1 dimensions"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "0 dimensions"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}", "none"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 4)}", "none"),
            ("{'descr': '<f4', 'fortran_order': False}", "shape"),
            ("", "descr"),
        ] {
            let error = parse_header(&npy(dict)).unwrap_err();
            assert!(error.contains(word), "{dict}: {error}");
        }
        let whole = header_bytes(Element::F32, 3, 4);
        for len in 0..HEADER_BYTES {
            assert!(parse_header(&whole[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn any_single_wrong_byte_is_survived() {
        let whole = header_bytes(Element::F32, 3, 4);
        for (position, value) in (0..HEADER_BYTES).flat_map(|position| (0..=255).map(move |value| (position, value))) {
            let mut bytes = whole;
            bytes[position] = value;
            let _ = parse_header(&bytes);
        }
    }
}
