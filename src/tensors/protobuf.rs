//! The wire format of Protocol Buffers, read without copying: a message is an iterator over its fields.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>. A library that builds a value for every message of the file would need
//! up to a hundred times the file's size for one that is made to hurt; this needs nothing.

/// One field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An integer, bool or enumeration.
    Varint(u64),
    /// A 64-bit number.
    Fixed64([u8; 8]),
    /// A string, bytes, a message, or numbers one after the other.
    Bytes(&'a [u8]),
    /// A 32-bit number.
    Fixed32([u8; 4]),
}

impl<'a> Value<'a> {
    /// The bytes of a string or message; those of any other field are none.
    pub(super) fn bytes(self) -> &'a [u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }
}

/// The bytes are no message, or are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// How many bytes were left where it was noticed.
    pub left: usize,
}

/// The fields of a message, in the order in which they were written. Nothing follows an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// A number of 7 bits a byte, least significant first.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let key = u32::try_from(self.varint()?).ok()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.take_array()?),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(self.take_array()?),
            // Groups went out of use before TensorFlow was written.
            _ => return None,
        };
        (key >> 3 != 0).then_some((key >> 3, value))
    }

    fn take_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let left = self.rest.len();
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Malformed { left }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Vec<Result<(u32, Value<'_>), Malformed>> {
        Fields::of(bytes).collect()
    }

    #[test]
    fn the_documentations_examples_are_read() {
        assert_eq!(fields(&[0x08, 0x96, 0x01]), [Ok((1, Value::Varint(150)))]);
        assert_eq!(fields(b"\x12\x07testing"), [Ok((2, Value::Bytes(b"testing")))]);
        let both = fields(&[0x0D, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(both, [Ok((1, Value::Fixed32([1, 2, 3, 4]))), Ok((2, Value::Fixed64([1, 2, 3, 4, 5, 6, 7, 8])))]);
    }

    #[test]
    fn a_length_behind_the_end_is_an_error_and_the_last_thing_said() {
        assert_eq!(fields(b"\x12\x08testing"), [Err(Malformed { left: 9 })]);
        assert_eq!(
            fields(b"\x08\x01\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
            [Ok((1, Value::Varint(1))), Err(Malformed { left: 11 })]
        );
        for bad in [&b"\x08"[..], b"\x00\x01", b"\x0B", b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", b"\x0D\x01"] {
            assert_eq!(fields(bad), [Err(Malformed { left: bad.len() })]);
        }
    }
}
