//! The layers of the plain networks: burn's own operations on `[patches, features, time, bands]`, as plain as the definitions.

use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData, activation};

use super::super::error::NnError;
use super::super::weights::WeightFile;

/// TensorFlow 1's default, with which the taggers were trained.
const EPSILON: f64 = 1e-3;

/// Columns of a fully connected layer's strips: so VGGish's 200 MB are not in memory once more while they are read.
const STRIP: usize = 1024;

/// Batch normalisation at inference: `x * scale + shift` a feature, both `[1, features, 1, 1]`.
pub(super) struct Norm {
    scale: Tensor<4>,
    shift: Tensor<4>,
}

impl Norm {
    /// Reads `NAME.gamma`, `.beta`, `.mean`, `.variance`, `[features]` each.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, features: usize) -> Result<Self, NnError> {
        let mut part = |part: &str| file.values(&format!("{name}.{part}"), &[features]);
        let (gamma, beta, mean) = (part("gamma")?, part("beta")?, part("mean")?);
        let variance = file.variances(&format!("{name}.variance"), &[features])?;
        let (mut scale, mut shift) = (Vec::with_capacity(features), Vec::with_capacity(features));
        for feature in 0..features {
            let factor = f64::from(gamma[feature]) / (f64::from(variance[feature]) + EPSILON).sqrt();
            scale.push(factor as f32);
            shift.push((f64::from(beta[feature]) - factor * f64::from(mean[feature])) as f32);
        }
        let tensor = |values| Tensor::from_data(TensorData::new(values, [1, features, 1, 1]), file.device());
        Ok(Self { scale: tensor(scale), shift: tensor(shift) })
    }

    /// `[patches, features, time, bands]` to the same.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        x.mul(self.scale.clone()).add(self.shift.clone())
    }
}

/// A convolution with bias, ReLU and, of a tagger, batch normalisation.
pub(super) struct Conv {
    kernel: Tensor<4>,
    bias: Tensor<1>,
    norm: Option<Norm>,
    padding: [(usize, usize); 2],
}

impl Conv {
    /// Reads `NAME.kernel` and `NAME.bias`, padded in time so that the length stays (of an odd number of zeros the extra one comes after, as
    /// in TensorFlow) and, if `pad_bands`, likewise over the bands. `shape` is TensorFlow's, `[height, width, inputs, features]`.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, shape: [usize; 4], pad_bands: bool) -> Result<Self, NnError> {
        let kernel = file.values(&format!("{name}.kernel"), &shape)?;
        let bias = file.values(&format!("{name}.bias"), &[shape[3]])?;
        let bias = Tensor::from_data(TensorData::new(bias, [shape[3]]), file.device());
        Ok(Self::of(file, &kernel, shape, bias, pad_bands))
    }

    /// As [`Self::load`], and `NAME.norm`.
    pub(super) fn load_normed(file: &mut WeightFile<'_>, name: &str, shape: [usize; 4], pad_bands: bool) -> Result<Self, NnError> {
        let conv = Self::load(file, name, shape, pad_bands)?;
        let norm = Norm::load(file, &format!("{name}.norm"), shape[3])?;
        Ok(Self { norm: Some(norm), ..conv })
    }

    /// Reads a convolution over time whose kernel TensorFlow has as wide as its input has features, `[frames, inputs, 1, features]`: the
    /// inputs are features here. With `NAME.norm`.
    pub(super) fn load_over_time(file: &mut WeightFile<'_>, name: &str, shape: [usize; 3]) -> Result<Self, NnError> {
        let [frames, inputs, features] = shape;
        let kernel = file.values(&format!("{name}.kernel"), &[frames, inputs, 1, features])?;
        let bias = file.values(&format!("{name}.bias"), &[features])?;
        let bias = Tensor::from_data(TensorData::new(bias, [features]), file.device());
        let norm = Norm::load(file, &format!("{name}.norm"), features)?;
        Ok(Self { norm: Some(norm), ..Self::of(file, &kernel, [frames, 1, inputs, features], bias, false) })
    }

    fn of(file: &WeightFile<'_>, kernel: &[f32], shape: [usize; 4], bias: Tensor<1>, pad_bands: bool) -> Self {
        let [height, width, inputs, features] = shape;
        let places = height * width;
        // burn's order: [features, inputs, height, width].
        let turned = (0..kernel.len()).map(|i| {
            let (feature, input, place) = (i / (inputs * places), i / places % inputs, i % places);
            kernel[(place * inputs + input) * features + feature]
        });
        let data = TensorData::new(turned.collect::<Vec<f32>>(), [features, inputs, height, width]);
        let same = |side: usize| ((side - 1) / 2, side / 2);
        let padding = [same(height), if pad_bands { same(width) } else { (0, 0) }];
        Self { kernel: Tensor::from_data(data, file.device()), bias, norm: None, padding }
    }

    /// `[patches, inputs, time, bands]` to `[patches, features, time, bands]`, fewer bands if they are not padded.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new_with_padding([1, 1], self.padding, [1, 1], 1);
        let x = activation::relu(conv2d(x, self.kernel.clone(), Some(self.bias.clone()), options));
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}

/// Takes the largest of `kernel`, whole ones only.
pub(super) fn pool(x: Tensor<4>, kernel: [usize; 2], stride: [usize; 2]) -> Tensor<4> {
    let options = MaxPoolOptions { kernel_size: kernel, stride, padding: [(0, 0); 2], dilation: [1, 1], ceil_mode: false };
    max_pool2d(x, options)
}

/// A fully connected layer.
pub(super) struct Dense {
    strips: Vec<Tensor<2>>,
    bias: Tensor<2>,
}

impl Dense {
    /// Reads `NAME.kernel`, `[inputs, features]`, and `NAME.bias`.
    pub(super) fn load(file: &mut WeightFile<'_>, name: &str, [inputs, features]: [usize; 2]) -> Result<Self, NnError> {
        let strips = file.strips(&format!("{name}.kernel"), [inputs, features], STRIP)?;
        let bias = file.matrix(&format!("{name}.bias"), &[features], [1, features])?;
        Ok(Self { strips, bias })
    }

    /// `[patches, inputs]` to `[patches, features]`, without an activation.
    pub(super) fn forward(&self, x: &Tensor<2>) -> Tensor<2> {
        let strips = self.strips.iter().map(|strip| x.clone().matmul(strip.clone()));
        Tensor::cat(strips.collect(), 1).add(self.bias.clone())
    }
}
