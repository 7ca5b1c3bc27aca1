//! Weights: the embedded files, and reading tensors out of safetensors with nothing missing and nothing left over.
//!
//! The tensors' names and shapes are listed in `models/README.md`; `musicnn.rs`, `vgg.rs` and `vggish.rs` ask for them.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::error::NnError;
use crate::catalog::{Architecture, ModelKey, TrainingDataset};

/// The file of a network that the program has inside itself; `None` for VGGish, which is too large.
#[must_use]
pub fn embedded(key: ModelKey) -> Option<&'static [u8]> {
    match (key.dataset, key.architecture) {
        (TrainingDataset::Mtt, Architecture::MusiCnn) => Some(include_bytes!("../../models/mtt-musicnn.safetensors")),
        (TrainingDataset::Msd, Architecture::MusiCnn) => Some(include_bytes!("../../models/msd-musicnn.safetensors")),
        (TrainingDataset::Mtt, Architecture::Vgg) => Some(include_bytes!("../../models/mtt-vgg.safetensors")),
        (TrainingDataset::Msd, Architecture::Vgg) => Some(include_bytes!("../../models/msd-vgg.safetensors")),
        _ => None,
    }
}

/// The sha256 of an embedded file, in hexadecimal, as `models/README.md` has it.
#[must_use]
pub fn embedded_sha256(key: ModelKey) -> Option<&'static str> {
    match (key.dataset, key.architecture) {
        (TrainingDataset::Mtt, Architecture::MusiCnn) => Some("3e152952395b1f97560048d85108c265c1d21f066696f097b3a8d7d4d4596b98"),
        (TrainingDataset::Msd, Architecture::MusiCnn) => Some("09bfeabd2e4a1969e798f82a0f46b11c4cf9a81fa843f2e0f4357a3ee79ee3f2"),
        (TrainingDataset::Mtt, Architecture::Vgg) => Some("dc0c9283c5edbe9830eaa146ea8ad6e5ed384a7d79553033151e230aa1205862"),
        (TrainingDataset::Msd, Architecture::Vgg) => Some("39a3fcd8daae2422774628f568a141e71a2b04c90e220d0834c9b284470087f5"),
        _ => None,
    }
}

/// Compares the sha256 of `bytes` with that of the embedded file of `key`.
///
/// # Errors
/// [`NnError::Checksum`] if they differ, [`NnError::NoWeights`] if no file is embedded for this network.
pub fn verify(key: ModelKey, bytes: &[u8]) -> Result<(), NnError> {
    let expected = embedded_sha256(key).ok_or(NnError::NoWeights { model: key })?;
    let found: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == expected { Ok(()) } else { Err(NnError::Checksum { model: key, expected, found }) }
}

/// The tensors of a weight file that nobody has asked for yet.
pub(super) struct WeightFile<'a> {
    model: ModelKey,
    tensors: BTreeMap<String, TensorView<'a>>,
    device: Device,
}

impl<'a> WeightFile<'a> {
    pub(super) fn open(model: ModelKey, bytes: &'a [u8], device: &Device) -> Result<Self, NnError> {
        let file = SafeTensors::deserialize(bytes).map_err(|source| NnError::Unreadable { model, source })?;
        Ok(Self { model, tensors: file.tensors().into_iter().collect(), device: device.clone() })
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// The values of `tensor`, which must be there, in f32, finite, and of this shape.
    pub(super) fn values(&mut self, tensor: &str, expected: &[usize]) -> Result<Vec<f32>, NnError> {
        let view = self.checked(tensor, expected)?;
        Ok(view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// A matrix `[inputs, features]` in strips of `width` columns side by side, each a tensor `[inputs, width]` of its own (the last may be
    /// narrower): without a copy of the whole, which may be 200 MB.
    pub(super) fn strips(&mut self, tensor: &str, shape: [usize; 2], width: usize) -> Result<Vec<Tensor<2>>, NnError> {
        let (inputs, device) = (shape[0], self.device.clone());
        let mut strips = Vec::new();
        self.each_strip(tensor, shape, width, |width, strip| {
            strips.push(Tensor::from_data(TensorData::new(strip, [inputs, width]), &device));
            Ok(())
        })?;
        Ok(strips)
    }

    /// Hands the strips of [`Self::strips`] to `take` one after the other: width, and values row-major.
    pub(super) fn each_strip(
        &mut self,
        tensor: &str,
        [inputs, features]: [usize; 2],
        width: usize,
        mut take: impl FnMut(usize, Vec<f32>) -> Result<(), NnError>,
    ) -> Result<(), NnError> {
        let view = self.checked(tensor, &[inputs, features])?;
        let values = view.data().as_chunks::<4>().0;
        for first in (0..features).step_by(width) {
            let width = width.min(features - first);
            let mut strip = Vec::with_capacity(inputs * width);
            for row in values.chunks_exact(features) {
                strip.extend(row[first..first + width].iter().map(|&bytes| f32::from_le_bytes(bytes)));
            }
            take(width, strip)?;
        }
        Ok(())
    }

    /// Takes `tensor`, which must be there, in f32, finite, and of this shape.
    fn checked(&mut self, tensor: &str, expected: &[usize]) -> Result<TensorView<'a>, NnError> {
        let (model, tensor) = (self.model, tensor.to_owned());
        let Some(view) = self.tensors.remove(&tensor) else {
            return Err(NnError::MissingTensor { model, tensor, expected: expected.to_vec() });
        };
        if view.shape() != expected {
            return Err(NnError::TensorShape { model, tensor, expected: expected.to_vec(), found: view.shape().to_vec() });
        }
        if view.dtype() != Dtype::F32 {
            return Err(NnError::TensorType { model, tensor, found: view.dtype().to_string() });
        }
        let mut values = view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        match values.clone().position(|value| !value.is_finite()) {
            Some(position) => {
                let value = values.nth(position).unwrap_or(f32::NAN);
                Err(NnError::TensorValue { model, tensor, position, value })
            }
            None => Ok(view),
        }
    }

    /// As [`Self::values`], and none may be below zero.
    pub(super) fn variances(&mut self, tensor: &str, expected: &[usize]) -> Result<Vec<f32>, NnError> {
        let values = self.values(tensor, expected)?;
        match values.iter().position(|&value| value < 0.0) {
            Some(position) => Err(NnError::TensorValue { model: self.model, tensor: tensor.to_owned(), position, value: values[position] }),
            None => Ok(values),
        }
    }

    /// A tensor, stored in `expected`, as a matrix `[rows, columns]` of the same values in the same order.
    pub(super) fn matrix(&mut self, tensor: &str, expected: &[usize], [rows, columns]: [usize; 2]) -> Result<Tensor<2>, NnError> {
        let values = self.values(tensor, expected)?;
        Ok(Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device))
    }

    /// Ends the reading: nothing may be left.
    pub(super) fn finish(self) -> Result<(), NnError> {
        match self.tensors.into_keys().next() {
            Some(tensor) => Err(NnError::UnknownTensor { model: self.model, tensor }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_are_those_of_the_readme() {
        let readme = include_str!("../../models/README.md");
        for key in ModelKey::ALL.into_iter().filter(|&key| embedded(key).is_some()) {
            verify(key, embedded(key).unwrap()).unwrap();
            assert!(readme.contains(embedded_sha256(key).unwrap()), "{key}");
        }
        let vggish = "vggish".parse().unwrap();
        assert!(embedded(vggish).is_none());
        assert!(matches!(verify(vggish, &[]), Err(NnError::NoWeights { .. })));
    }

    #[test]
    fn one_changed_bit_in_an_embedded_file_is_noticed() {
        let key = ModelKey::ALL[0];
        let mut bytes = embedded(key).unwrap().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(matches!(verify(key, &bytes), Err(NnError::Checksum { .. })));
    }
}
