//! How a `.npy` file stores a number, and numbers out of its bytes.

use half::f16;

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// `f2`
    F16,
    /// `f4`
    F32,
    /// `f8`
    F64,
    /// `i1`
    I8,
    /// `i2`
    I16,
    /// `i4`
    I32,
    /// `i8`
    I64,
    /// `u1`
    U8,
    /// `u2`
    U16,
    /// `u4`
    U32,
    /// `u8`
    U64,
    /// `b1`: 0 is false, and anything else true.
    Bool,
}

/// The elements and their names in a header, without the order of bytes.
const NAMES: [(&str, Element); 12] = [
    ("f2", Element::F16),
    ("f4", Element::F32),
    ("f8", Element::F64),
    ("i1", Element::I8),
    ("i2", Element::I16),
    ("i4", Element::I32),
    ("i8", Element::I64),
    ("u1", Element::U8),
    ("u2", Element::U16),
    ("u4", Element::U32),
    ("u8", Element::U64),
    ("b1", Element::Bool),
];

impl Element {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// What a header calls it where it is stored little-endian.
    pub(super) fn descr(self) -> String {
        let name = NAMES.iter().find(|(_, element)| *element == self).map_or("f4", |(name, _)| name);
        format!("{}{name}", if self.bytes() == 1 { '|' } else { '<' })
    }

    /// The element of a header's name, and whether it is stored big-endian; `None` for what is no number.
    pub(super) fn of(name: &str) -> Option<(Self, bool)> {
        let (order, name) = name.split_at_checked(1)?;
        let (_, element) = NAMES.iter().find(|(known, _)| *known == name)?;
        match order {
            "<" | "|" => Some((*element, false)),
            ">" => Some((*element, true)),
            "=" => Some((*element, cfg!(target_endian = "big"))),
            _ => None,
        }
    }

    /// Whether float32 has each of its numbers exactly.
    pub(super) fn fits_float32(self) -> bool {
        !matches!(self, Self::F64 | Self::I32 | Self::I64 | Self::U32 | Self::U64)
    }

    /// Gives the numbers in some bytes to `take`, in their order. Whole numbers beyond 2^53 are rounded, as numpy does it.
    pub(super) fn each(self, bytes: &[u8], is_big_endian: bool, take: impl FnMut(f64)) {
        match self {
            Self::F16 => each(bytes, is_big_endian, |word| f16::from_le_bytes(word).to_f64(), take),
            Self::F32 => each(bytes, is_big_endian, |word| f64::from(f32::from_le_bytes(word)), take),
            Self::F64 => each(bytes, is_big_endian, f64::from_le_bytes, take),
            Self::I8 => each(bytes, is_big_endian, |word| f64::from(i8::from_le_bytes(word)), take),
            Self::I16 => each(bytes, is_big_endian, |word| f64::from(i16::from_le_bytes(word)), take),
            Self::I32 => each(bytes, is_big_endian, |word| f64::from(i32::from_le_bytes(word)), take),
            Self::I64 => each(bytes, is_big_endian, |word| i64::from_le_bytes(word) as f64, take),
            Self::U8 => each(bytes, is_big_endian, |[byte]: [u8; 1]| f64::from(byte), take),
            Self::U16 => each(bytes, is_big_endian, |word| f64::from(u16::from_le_bytes(word)), take),
            Self::U32 => each(bytes, is_big_endian, |word| f64::from(u32::from_le_bytes(word)), take),
            Self::U64 => each(bytes, is_big_endian, |word| u64::from_le_bytes(word) as f64, take),
            Self::Bool => each(bytes, is_big_endian, |[byte]: [u8; 1]| f64::from(u8::from(byte != 0)), take),
        }
    }

    /// The same of whole numbers, exactly; `None` where a number is beyond an `i64`, or this is no whole number.
    pub(super) fn whole(self, bytes: &[u8], is_big_endian: bool) -> Option<Vec<i64>> {
        let mut found = Vec::with_capacity(bytes.len() / self.bytes());
        match self {
            Self::I64 => each(bytes, is_big_endian, i64::from_le_bytes, |number| found.push(number)),
            Self::U64 => {
                let mut is_whole = true;
                each(bytes, is_big_endian, u64::from_le_bytes, |number| match i64::try_from(number) {
                    Ok(number) => found.push(number),
                    Err(_) => is_whole = false,
                });
                if !is_whole {
                    return None;
                }
            }
            Self::F16 | Self::F32 | Self::F64 => return None,
            // All others are exact as f64.
            _ => self.each(bytes, is_big_endian, |number| found.push(number as i64)),
        }
        Some(found)
    }
}

fn each<const N: usize, T>(bytes: &[u8], is_big_endian: bool, number: impl Fn([u8; N]) -> T, mut take: impl FnMut(T)) {
    let (words, _) = bytes.as_chunks::<N>();
    for &word in words {
        let mut word = word;
        if is_big_endian {
            word.reverse();
        }
        take(number(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(element: Element, bytes: &[u8], is_big_endian: bool) -> Vec<f64> {
        let mut found = Vec::new();
        element.each(bytes, is_big_endian, |number| found.push(number));
        found
    }

    #[test]
    fn every_element_is_read_in_either_order_of_bytes() {
        let [wide, large] = [-2_i64.pow(40) - 1, i64::MAX];
        for (element, little, expected) in [
            (Element::F16, f16::from_f32(-0.375).to_le_bytes().to_vec(), -0.375),
            (Element::F32, f32::MAX.to_le_bytes().to_vec(), f64::from(f32::MAX)),
            (Element::F64, 1.7e9_f64.next_up().to_le_bytes().to_vec(), 1.7e9_f64.next_up()),
            (Element::I8, vec![0x80], -128.0),
            (Element::I16, (-300_i16).to_le_bytes().to_vec(), -300.0),
            (Element::I32, 16_777_217_i32.to_le_bytes().to_vec(), 16_777_217.0),
            (Element::I64, wide.to_le_bytes().to_vec(), wide as f64),
            (Element::U8, vec![200], 200.0),
            (Element::U16, 65_535_u16.to_le_bytes().to_vec(), 65_535.0),
            (Element::U32, u32::MAX.to_le_bytes().to_vec(), 4_294_967_295.0),
            (Element::U64, u64::MAX.to_le_bytes().to_vec(), 18_446_744_073_709_551_615.0),
            (Element::Bool, vec![7], 1.0),
        ] {
            let big: Vec<u8> = little.iter().rev().copied().collect();
            assert_eq!(little.len(), element.bytes());
            assert_eq!((numbers(element, &little, false), numbers(element, &big, true)), (vec![expected], vec![expected]), "{element:?}");
            assert_eq!(Element::of(&element.descr()), Some((element, false)));
            assert_eq!(Element::of(&element.descr().replace(['<', '|'], ">")), Some((element, true)));
        }
        assert_eq!(Element::I64.whole(&large.to_le_bytes(), false), Some(vec![large]));
        assert_eq!(Element::U64.whole(&u64::MAX.to_le_bytes(), false), None);
        assert_eq!(Element::U16.whole(&[1, 0], true), Some(vec![256]));
        for name in ["<U8", "<c8", "<f16", "|O", "", "f4", "é4", "<M8[s]", "|V8"] {
            assert_eq!(Element::of(name), None, "{name}");
        }
    }
}
