//! VGGish over a batch (`../vggish.rs` has its papers and shapes).

use burn::tensor::{Tensor, activation};

use super::super::error::NnError;
use super::super::weights::WeightFile;
use super::layers::{Conv, Dense, pool};

const FLATTENED: usize = 6 * 4 * 512;
const HIDDEN: usize = 4096;

pub(super) struct Vggish {
    convs: [(Conv, bool); 6],
    fc1: [Dense; 2],
    fc2: Dense,
}

impl Vggish {
    pub(super) fn load(file: &mut WeightFile<'_>) -> Result<Self, NnError> {
        let mut conv = |name, inputs, features, pooled| Ok((Conv::load(file, name, [3, 3, inputs, features], true)?, pooled));
        let convs = [
            conv("conv1", 1, 64, true)?,
            conv("conv2", 64, 128, true)?,
            conv("conv3_1", 128, 256, false)?,
            conv("conv3_2", 256, 256, true)?,
            conv("conv4_1", 256, 512, false)?,
            conv("conv4_2", 512, 512, true)?,
        ];
        let fc1 = [Dense::load(file, "fc1_1", [FLATTENED, HIDDEN])?, Dense::load(file, "fc1_2", [HIDDEN, HIDDEN])?];
        let fc2 = Dense::load(file, "fc2", [HIDDEN, 128])?;
        Ok(Self { convs, fc1, fc2 })
    }

    /// `[patches, 1, 96, 64]` to embeddings `[patches, 128]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let patches = x.dims()[0];
        let x = self.convs.iter().fold(x, |x, (conv, pooled)| {
            let x = conv.forward(x);
            if *pooled { pool(x, [2, 2], [2, 2]) } else { x }
        });
        // [patches, 512, 6, 4], flattened with the features last.
        let x = x.permute([0, 2, 3, 1]).reshape([patches, FLATTENED]);
        let x = activation::relu(self.fc1[0].forward(&x));
        let x = activation::relu(self.fc1[1].forward(&x));
        self.fc2.forward(&x)
    }
}
