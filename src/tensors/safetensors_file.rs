//! Safetensors: a JSON header, then the tensors' bytes.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::Metadata};

use super::error::TensorErrorKind;
use super::{TensorInfo, pick, values_of};

/// Bytes of the header's length.
const LENGTH_BYTES: usize = 8;
/// Longest header that is looked at: VGGish's has 2 kB.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// The bytes of a file, and what its header says of them.
pub(super) struct SafetensorsFile {
    bytes: Vec<u8>,
    metadata: Metadata,
    data_start: usize,
}

impl SafetensorsFile {
    /// Whether a file that begins so may be one: a length, then JSON.
    pub(super) fn begins_with(head: &[u8]) -> bool {
        // A length of less than 2^32 leaves zeros.
        head.get(4..=LENGTH_BYTES) == Some(b"\0\0\0\0{")
    }

    /// Takes the bytes of a file and holds its header against them.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, TensorErrorKind> {
        let (header_bytes, metadata) = read_header(&bytes)?;
        Ok(Self { data_start: LENGTH_BYTES + header_bytes, bytes, metadata })
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<TensorInfo>, TensorErrorKind> {
        let tensors = self.metadata.tensors();
        let found = pick(tensors.keys().map(String::as_str), name)?;
        let shape_of = |name: &str| tensors.get(name).map(|info| info.shape.clone()).unwrap_or_default();
        Ok(found.map(|name| TensorInfo { name: name.to_owned(), shape: shape_of(name) }))
    }

    pub(super) fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorErrorKind> {
        let found = self.find(name)?.ok_or_else(|| TensorErrorKind::missing(name, expected))?;
        let tensors = self.metadata.tensors();
        let info = tensors.get(&found.name).ok_or_else(|| TensorErrorKind::missing(name, expected))?;
        if info.shape != expected {
            return Err(TensorErrorKind::shape(&found.name, expected, &info.shape));
        }
        if info.dtype != Dtype::F32 {
            return Err(TensorErrorKind::Type { tensor: found.name, found: info.dtype.to_string() });
        }
        let (start, end) = info.data_offsets;
        let data = self.bytes.get(self.data_start.saturating_add(start)..self.data_start.saturating_add(end));
        let data = data.filter(|data| data.len() == expected.iter().product::<usize>() * size_of::<f32>());
        data.map(values_of).ok_or_else(|| TensorErrorKind::Damaged(format!("'{}' lies outside of it", found.name)))
    }
}

/// The notes that a safetensors file carries in its header, and the bytes of its tensors.
///
/// # Errors
/// A header that is none, or that does not fit the bytes.
pub fn split(bytes: &[u8]) -> Result<(HashMap<String, String>, &[u8]), TensorErrorKind> {
    let (header_bytes, metadata) = read_header(bytes)?;
    let data = bytes.get(LENGTH_BYTES + header_bytes..).unwrap_or_default();
    Ok((metadata.metadata().clone().unwrap_or_default(), data))
}

fn read_header(bytes: &[u8]) -> Result<(usize, Metadata), TensorErrorKind> {
    let length = bytes.first_chunk().map_or(0, |&length| u64::from_le_bytes(length));
    if length > MAX_HEADER_BYTES {
        return Err(TensorErrorKind::Damaged(format!("its header would have {length} bytes")));
    }
    SafeTensors::read_metadata(bytes).map_err(|error| TensorErrorKind::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn a_tensor_is_read_and_another_shape_or_type_is_told() {
        let header = r#"{"a.b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"c":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}"#;
        let bytes = file(header, &[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0, 0]);
        assert!(SafetensorsFile::begins_with(&bytes));
        let file = SafetensorsFile::parse(bytes).unwrap();
        assert_eq!(file.read("b", &[2]).unwrap(), [1.0, 2.0]);
        assert_eq!(file.read("b", &[1, 2]).unwrap_err().to_string(), "its tensor 'a.b' has the shape [2], not [1, 2]");
        assert_eq!(file.read("c", &[2]).unwrap_err().to_string(), "its tensor 'c' has the type F16, not 32-bit floating point");
        assert_eq!(file.read("d", &[2]).unwrap_err().to_string(), "lacks the tensor 'd', [2]");
    }

    #[test]
    fn a_header_that_lies_is_refused_before_anything_is_allocated_for_it() {
        let bad = |bytes: Vec<u8>| assert!(matches!(SafetensorsFile::parse(bytes), Err(TensorErrorKind::Damaged(_))));
        bad(u64::MAX.to_le_bytes().to_vec());
        bad(file(r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#, &[0; 8]));
        bad(file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 7]));
        bad(file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, &[0; 8]));
        bad(file("{", &[]));
    }
}
