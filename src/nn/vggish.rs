//! VGGish: six 3x3 convolutions with pooling and three dense layers, 72,141,184 parameters.
//!
//! Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017, as AudioSet's embeddings were made with it
//! (Gemmeke et al., ICASSP 2017):
//!
//! ```text
//! patch [96, 64, 1]
//! conv1, pooling 2x2                   [48, 32, 64]
//! conv2, pooling 2x2                   [24, 16, 128]
//! conv3_1, conv3_2, pooling 2x2        [12, 8, 256]
//! conv4_1, conv4_2, pooling 2x2        [6, 4, 512], flattened [12288]
//! fc1_1, fc1_2                         [4096]
//! fc2 without ReLU: the embedding      [128]
//! ```

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::conv3x3::Conv3x3;
use super::dense::{Dense, ROWS};
use super::error::NnError;
use super::layers::LayerTrace;
use super::simd::Cpu;
use super::weights::WeightFile;

/// The tensors of the weight file: names, and shapes in TensorFlow's layout, `[height, width, inputs, features]` of a convolution and
/// `[inputs, features]` of a dense layer.
pub const TENSORS: [(&str, &[usize]); 18] = [
    ("conv1.kernel", &[3, 3, 1, 64]),
    ("conv1.bias", &[64]),
    ("conv2.kernel", &[3, 3, 64, 128]),
    ("conv2.bias", &[128]),
    ("conv3_1.kernel", &[3, 3, 128, 256]),
    ("conv3_1.bias", &[256]),
    ("conv3_2.kernel", &[3, 3, 256, 256]),
    ("conv3_2.bias", &[256]),
    ("conv4_1.kernel", &[3, 3, 256, 512]),
    ("conv4_1.bias", &[512]),
    ("conv4_2.kernel", &[3, 3, 512, 512]),
    ("conv4_2.bias", &[512]),
    ("fc1_1.kernel", &[12_288, 4096]),
    ("fc1_1.bias", &[4096]),
    ("fc1_2.kernel", &[4096, 4096]),
    ("fc1_2.bias", &[4096]),
    ("fc2.kernel", &[4096, 128]),
    ("fc2.bias", &[128]),
];

/// Values of the last convolution's output: `[6, 4, 512]`.
const FLATTENED: usize = 6 * 4 * 512;
const HIDDEN: usize = 4096;
const FRAMES: usize = 96;
const BANDS: usize = 64;
const EMBEDDING: usize = 128;

/// The network with its weights.
pub(super) struct Vggish {
    convs: [(&'static str, Conv3x3); 6],
    fc1: [Dense; 2],
    fc2: Dense,
    device: Device,
}

impl Vggish {
    /// Patches that [`Self::forward`] takes at once.
    pub(super) const PATCHES_AT_ONCE: usize = ROWS;

    pub(super) fn load(file: &mut WeightFile<'_>) -> Result<Self, NnError> {
        let cpu = Cpu::best();
        let mut conv = |name, inputs, features, pooled| {
            let kernel = file.values(&format!("{name}.kernel"), &[3, 3, inputs, features])?;
            let bias = file.values(&format!("{name}.bias"), &[features])?;
            Ok((name, Conv3x3::new(cpu, &kernel, bias, None, pooled)))
        };
        let convs = [
            conv("conv1", 1, 64, true)?,
            conv("conv2", 64, 128, true)?,
            conv("conv3_1", 128, 256, false)?,
            conv("conv3_2", 256, 256, true)?,
            conv("conv4_1", 256, 512, false)?,
            conv("conv4_2", 512, 512, true)?,
        ];
        let fc1 = [Dense::load(file, "fc1_1", [FLATTENED, HIDDEN])?, Dense::load(file, "fc1_2", [HIDDEN, HIDDEN])?];
        let fc2 = Dense::load(file, "fc2", [HIDDEN, EMBEDDING])?;
        Ok(Self { convs, fc1, fc2, device: file.device().clone() })
    }

    /// Over at most [`Self::PATCHES_AT_ONCE`] patches; the trace sees the first.
    ///
    /// # Shapes
    /// Patches of `[96, 64]` to `[patches, 128]`.
    pub(super) fn forward(&self, patches: &[&[f32]], trace: &mut LayerTrace) -> Tensor<2> {
        let (mut height, mut width) = (FRAMES, BANDS);
        let mut x = patches.concat();
        for (name, conv) in &self.convs {
            x = conv.forward(&x, height, width);
            if conv.is_pooled() {
                (height, width) = (height / 2, width / 2);
            }
            trace.note_values(name, &x[..x.len() / patches.len().max(1)]);
        }
        // Zeros for the patches that are missing.
        x.resize(ROWS * FLATTENED, 0.0);
        let mut note = |name, x: &Tensor<2>| trace.note(name, &x.clone().narrow(0, 0, 1));
        let x = Tensor::from_data(TensorData::new(x, [ROWS, FLATTENED]), &self.device);
        let x = activation::relu(self.fc1[0].forward(&x));
        note("fc1_1", &x);
        let x = activation::relu(self.fc1[1].forward(&x));
        note("fc1_2", &x);
        let x = self.fc2.forward(&x);
        note("fc2", &x);
        x.narrow(0, 0, patches.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_72_million_parameters() {
        let parameters: usize = TENSORS.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        assert_eq!(parameters, 72_141_184);
    }
}
