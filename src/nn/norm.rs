//! Batch normalisation at inference: a scale and a shift a feature.
//!
//! Ioffe and Szegedy, "Batch normalization", ICML 2015, algorithm 2: `gamma (x - mean) / sqrt(variance + epsilon) + beta`.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::error::NnError;
use super::weights::WeightFile;

/// TensorFlow 1's default, with which all four taggers were trained.
const EPSILON: f64 = 1e-3;

/// Scale and shift of every feature, computed in f64.
pub(super) struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Norm {
    /// Reads `NAME.gamma`, `.beta`, `.mean`, `.variance`, `[features]` each.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, features: usize) -> Result<Self, NnError> {
        let shape = [features];
        let gamma = file.values(&format!("{name}.gamma"), &shape)?;
        let beta = file.values(&format!("{name}.beta"), &shape)?;
        let mean = file.values(&format!("{name}.mean"), &shape)?;
        let variance = file.variances(&format!("{name}.variance"), &shape)?;
        let scales: Vec<f64> = gamma.iter().zip(&variance).map(|(&g, &v)| f64::from(g) / (f64::from(v) + EPSILON).sqrt()).collect();
        let shifts = scales.iter().zip(&mean).zip(&beta).map(|((scale, &m), &b)| f64::from(b) - scale * f64::from(m));
        let shift = shifts.map(|shift| shift as f32).collect();
        Ok(Self { scale: scales.into_iter().map(|scale| scale as f32).collect(), shift })
    }

    /// One made up.
    #[cfg(test)]
    pub(super) fn of(scale: Vec<f32>, shift: Vec<f32>) -> Self {
        Self { scale, shift }
    }

    /// For the input layer, which has one feature: `x * scale + shift`.
    pub(super) fn apply_to_single_feature(&self, x: &[f32]) -> Vec<f32> {
        x.iter().map(|x| x * self.scale[0] + self.shift[0]).collect()
    }

    /// -1 for a feature that falls where its input rises, 1 for the others.
    pub(super) fn signs(&self) -> Vec<f32> {
        self.scale.iter().map(|&scale| if scale < 0.0 { -1.0 } else { 1.0 }).collect()
    }

    /// A factor a feature.
    pub(super) fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// What is added to each feature after its scale.
    pub(super) fn shift(&self) -> &[f32] {
        &self.shift
    }

    /// As tensors `[1, features]`.
    pub(super) fn into_affine(self, device: &Device) -> Affine {
        Affine { scale: row(self.scale, device), shift: row(self.shift, device) }
    }
}

/// A scale and a shift a feature, `[1, features]` each.
pub(super) struct Affine {
    scale: Tensor<2>,
    shift: Tensor<2>,
}

impl Affine {
    /// `x * scale + shift`, `[rows, features]`.
    pub(super) fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        x.mul(self.scale.clone()).add(self.shift.clone())
    }
}

/// What follows a dense layer: bias, ReLU, batch normalisation. After a convolution that is [`super::epilogue`].
pub(super) struct Activation {
    bias: Tensor<2>,
    norm: Affine,
}

impl Activation {
    pub(super) fn new(bias: Vec<f32>, norm: Norm, device: &Device) -> Self {
        Self { bias: row(bias, device), norm: norm.into_affine(device) }
    }

    /// Only the bias: the layer before its ReLU.
    pub(super) fn biased(&self, x: Tensor<2>) -> Tensor<2> {
        x.add(self.bias.clone())
    }

    /// ReLU and normalisation of what [`Self::biased`] gave.
    pub(super) fn after_bias(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.apply(activation::relu(x))
    }
}

fn row(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let features = values.len();
    Tensor::from_data(TensorData::new(values, [1, features]), device)
}
