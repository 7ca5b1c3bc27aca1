//! How long a pickle is, found without building anything of it.
//!
//! A byte of a pickle may become an object of some seventy, so that a file of pickles takes far more memory than it has bytes.
//! Codes: Python's `pickletools.py`, protocols 0 to 5, those that a checkpoint may have.

/// The bytes of the pickle that `bytes` begins with, its stop among them; `None` where it has no end there, or is none.
pub(super) fn pickle_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let code = *bytes.get(at)?;
        at += 1;
        let rest = bytes.get(at..)?;
        let skipped = match code {
            b'.' => return Some(at),
            // Lines of text: numbers, names, memo places.
            b'I' | b'L' | b'F' | b'V' | b'g' | b'p' | b'P' => line(rest)?,
            b'c' => {
                let module = line(rest)?;
                module + line(rest.get(module..)?)?
            }
            // Nothing follows.
            b'(' | b'0' | b'1' | b'2' | b'N' | b'R' | b'b' | b'd' | b'l' | b't' | b's' | b'a' | b')' | b']' | b'}' | b'e' | b'u' | b'Q' => {
                0
            }
            0x81 | 0x85..=0x89 | 0x8f..=0x94 => 0,
            // A number of a fixed size.
            b'K' | b'h' | b'q' | 0x80 => 1,
            b'M' => 2,
            b'J' | b'j' | b'r' => 4,
            b'G' | 0x95 => 8,
            // A length, and as many bytes.
            b'U' | b'C' | 0x8a | 0x8c => counted(rest, 1)?,
            b'T' | b'X' | b'B' | 0x8b => counted(rest, 4)?,
            0x8d | 0x8e | 0x96 => counted(rest, 8)?,
            _ => return None,
        };
        at = at.checked_add(skipped)?;
    }
}

fn line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1)
}

/// A little-endian length of `width` bytes, and what it counts.
fn counted(bytes: &[u8], width: usize) -> Option<usize> {
    let mut length = [0; 8];
    length.get_mut(..width)?.copy_from_slice(bytes.get(..width)?);
    usize::try_from(u64::from_le_bytes(length)).ok()?.checked_add(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_ends_at_its_stop_whatever_lies_in_its_texts() {
        for pickle in [
            &b"."[..],
            b"\x80\x02K\x01.",
            b"\x80\x02M\xe9\x03.",
            b"\x80\x02}(X\x02\x00\x00\x00..\x88u.",
            b"ccollections\nOrderedDict\n)R.",
            b"I12\n.",
            b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01.\x94.",
            b"\x80\x02\x8a\x0a..........\x2e",
        ] {
            assert_eq!(pickle_length(&[pickle, b"rest."].concat()), Some(pickle.len()), "{pickle:?}");
            for end in 0..pickle.len() {
                assert_eq!(pickle_length(&pickle[..end]), None, "{pickle:?} to {end}");
            }
        }
        for none in [&b"\xff."[..], b"X\xff\xff\xff\xff.", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", b"i..", b""] {
            assert_eq!(pickle_length(none), None);
        }
    }
}
