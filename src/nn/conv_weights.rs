//! What a weight file holds of a convolution.

use super::error::NnError;
use super::norm::Norm;
use super::weights::WeightFile;

/// A kernel in its stored order, the features running fastest; bias and normalisation of every feature.
pub(super) struct ConvWeights {
    pub(super) kernel: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) norm: Norm,
}

impl ConvWeights {
    /// Reads `NAME.kernel`, `shape`, whose last number is that of the features, `NAME.bias` and `NAME.norm`.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, shape: [usize; 4]) -> Result<Self, NnError> {
        let kernel = file.values(&format!("{name}.kernel"), &shape)?;
        let bias = file.values(&format!("{name}.bias"), &shape[3..])?;
        Ok(Self { kernel, bias, norm: Norm::load(file, &format!("{name}.norm"), shape[3])? })
    }
}
