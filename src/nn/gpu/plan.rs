//! A network's layers as dispatches over buffers, made once and sent off for every batch.

use super::kernels::{Activation, ConvolveParams, GpuDevice, PoolParams, PoolTimeParams};
use super::kernels::{convolve_workgroups, padded_weights, pool_time_workgroups, pool_workgroups};
use crate::catalog::ModelKey;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::{GpuError, KernelPipeline, StorageBuffer, UniformBuffer};
use crate::nn::error::NnError;
use crate::nn::norm::Norm;
use crate::nn::weights::WeightFile;

/// Columns of a fully connected layer's strips: of VGGish's largest, 48 MiB, where WebGPU allows
/// 128 in one binding.
const STRIP: usize = 1024;

/// Images on the GPU.
#[derive(Clone)]
pub(super) struct Images {
    /// `[count, height, width, features]`.
    pub(super) values: StorageBuffer<f32>,
    /// Those four numbers.
    pub(super) shape: [usize; 4],
}

/// Features of images that may have others beside them: where a layer writes.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) images: &'a Images,
    /// The first feature's position.
    pub(super) first: usize,
}

impl Images {
    /// The same values as one row of features for each image.
    pub(super) fn flattened(&self) -> Self {
        let [count, height, width, features] = self.shape;
        Self { values: self.values.clone(), shape: [count, 1, 1, height * width * features] }
    }

    fn at(&self, first: usize) -> Columns<'_> {
        Columns { images: self, first }
    }
}

/// Where a convolution pads its input with zeros, so that the size stays: of an odd number the
/// extra one comes after, as in TensorFlow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Over time only.
    Time,
    /// Over time and bands.
    Both,
}

/// A convolution's weights on the GPU.
pub(super) struct Conv {
    /// Height, width, inputs, features.
    shape: [usize; 4],
    padding: Padding,
    weights: StorageBuffer<f32>,
    epilogue: StorageBuffer<f32>,
    activation: Activation,
}

/// Makes a network's buffers and dispatches.
pub(super) struct Planner<'a> {
    device: &'a GpuDevice,
    model: ModelKey,
    /// Bound where there is no residual.
    nothing: StorageBuffer<f32>,
    dispatches: Vec<Dispatch>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(device: &'a GpuDevice, model: ModelKey) -> Result<Self, NnError> {
        let nothing = StorageBuffer::zeroed(&device.context, "nn.nothing", 1).map_err(|error| failure(model, &error))?;
        Ok(Self { device, model, nothing, dispatches: Vec::new() })
    }

    /// The dispatches since the last call.
    pub(super) fn take(&mut self) -> Vec<Dispatch> {
        std::mem::take(&mut self.dispatches)
    }

    /// Room for images.
    pub(super) fn images(&self, shape: [usize; 4]) -> Result<Images, NnError> {
        let values = self.told(StorageBuffer::zeroed(&self.device.context, "nn.images", shape.iter().product()))?;
        Ok(Images { values, shape })
    }

    /// A buffer of constants.
    pub(super) fn constants(&self, values: &[f32]) -> Result<StorageBuffer<f32>, NnError> {
        self.told(StorageBuffer::from_values(&self.device.context, "nn.weights", values))
    }

    /// Reads `NAME.kernel`, `stored` in the file, `NAME.bias` and, where there is one, `NAME.norm`.
    /// `shape` is the same kernel as `[height, width, inputs, features]`. A ReLU follows the bias.
    pub(super) fn load_conv(
        &self,
        file: &mut WeightFile<'_>,
        name: &str,
        stored: &[usize],
        shape: [usize; 4],
        padding: Padding,
        is_normed: bool,
    ) -> Result<Conv, NnError> {
        let features = shape[3];
        let kernel = file.values(&format!("{name}.kernel"), stored)?;
        let bias = file.values(&format!("{name}.bias"), &[features])?;
        let norm = if is_normed { Some(Norm::load(file, &format!("{name}.norm"), features)?) } else { None };
        self.conv(shape, padding, &kernel, &bias, norm.as_ref(), Activation::Relu)
    }

    fn conv(
        &self,
        shape: [usize; 4],
        padding: Padding,
        kernel: &[f32],
        bias: &[f32],
        norm: Option<&Norm>,
        activation: Activation,
    ) -> Result<Conv, NnError> {
        let features = shape[3];
        let (scale, shift) =
            norm.map_or_else(|| (vec![1.0; features], vec![0.0; features]), |norm| (norm.scale().to_vec(), norm.shift().to_vec()));
        let epilogue = [bias, &scale, &shift].concat();
        Ok(Conv {
            shape,
            padding,
            weights: self.constants(&padded_weights(kernel, features))?,
            epilogue: self.constants(&padded_weights(&epilogue, features))?,
            activation,
        })
    }

    /// Convolves, with room for the result.
    pub(super) fn convolve(&mut self, x: &Images, conv: &Conv, residual: Option<&Images>) -> Result<Images, NnError> {
        let out = self.images(convolved_shape(x, conv))?;
        self.convolve_into(x, conv, residual, out.at(0))?;
        Ok(out)
    }

    /// Convolves into columns of images of the right height and width.
    pub(super) fn convolve_into(&mut self, x: &Images, conv: &Conv, residual: Option<&Images>, out: Columns<'_>) -> Result<(), NnError> {
        let [images, height, width, pitch] = x.shape;
        let [kernel_height, kernel_width, inputs, features] = conv.shape;
        let [_, out_height, out_width, _] = convolved_shape(x, conv);
        let rows = images * out_height * out_width;
        let params = ConvolveParams {
            rows: count(rows),
            features: count(features),
            depth: count(kernel_height * kernel_width * inputs),
            inputs: count(inputs),
            height: count(height),
            width: count(width),
            pitch: count(pitch),
            kernel_width: count(kernel_width),
            out_height: count(out_height),
            out_width: count(out_width),
            pad_top: count((kernel_height - 1) / 2),
            pad_left: if conv.padding == Padding::Both { count((kernel_width - 1) / 2) } else { 0 },
            out_pitch: count(out.images.shape[3]),
            out_first: count(out.first),
            activation: conv.activation as u32,
            has_residual: u32::from(residual.is_some()),
        };
        let residual = residual.map_or(&self.nothing, |residual| &residual.values);
        let buffers = [x.values.buffer(), conv.weights.buffer(), conv.epilogue.buffer(), residual.buffer(), out.images.values.buffer()];
        let dispatch = self.bound(&self.device.convolve, &params, &buffers, convolve_workgroups(rows, features));
        self.dispatches.push(self.told(dispatch)?);
        Ok(())
    }

    /// The largest of each window, whole windows only.
    pub(super) fn pool(&mut self, x: &Images, window: [usize; 2], step: [usize; 2]) -> Result<Images, NnError> {
        let [images, height, width, features] = x.shape;
        let out = self.images([images, (height - window[0]) / step[0] + 1, (width - window[1]) / step[1] + 1, features])?;
        self.pool_into(x, window, step, out.at(0))?;
        Ok(out)
    }

    /// Pools into columns of images of the right height and width.
    pub(super) fn pool_into(&mut self, x: &Images, window: [usize; 2], step: [usize; 2], out: Columns<'_>) -> Result<(), NnError> {
        let [images, height, width, features] = x.shape;
        let [_, out_height, out_width, out_pitch] = out.images.shape;
        let rows = images * out_height * out_width;
        let params = PoolParams {
            rows: count(rows),
            features: count(features),
            height: count(height),
            width: count(width),
            out_height: count(out_height),
            out_width: count(out_width),
            window_height: count(window[0]),
            window_width: count(window[1]),
            step_down: count(step[0]),
            step_across: count(step[1]),
            out_pitch: count(out_pitch),
            out_first: count(out.first),
        };
        let buffers = [x.values.buffer(), out.images.values.buffer()];
        let dispatch = self.bound(&self.device.pool, &params, &buffers, pool_workgroups(rows, features));
        self.dispatches.push(self.told(dispatch)?);
        Ok(())
    }

    /// Largest value and mean over time, side by side, into columns of rows; `norm` is `[2, columns
    /// of the rows]`: scale and shift.
    pub(super) fn pool_time_into(&mut self, x: &Images, norm: &StorageBuffer<f32>, out: Columns<'_>) -> Result<(), NnError> {
        let [images, frames, _, features] = x.shape;
        let params = PoolTimeParams {
            rows: count(images),
            frames: count(frames),
            features: count(features),
            out_pitch: count(out.images.shape[3]),
            out_first: count(out.first),
            ..PoolTimeParams::default()
        };
        let buffers = [x.values.buffer(), norm.buffer(), out.images.values.buffer()];
        let dispatch = self.bound(&self.device.pool_time, &params, &buffers, pool_time_workgroups(images, features));
        self.dispatches.push(self.told(dispatch)?);
        Ok(())
    }

    /// Reads a fully connected layer, `NAME.kernel`, `[inputs, features]`, and `NAME.bias`, in
    /// strips of columns.
    pub(super) fn load_dense(&self, file: &mut WeightFile<'_>, name: &str, shape: [usize; 2]) -> Result<Dense, NnError> {
        let [inputs, features] = shape;
        let mut strips = Vec::new();
        file.each_strip(&format!("{name}.kernel"), shape, STRIP, |width, strip| {
            strips.push((width, self.constants(&padded_weights(&strip, width))?));
            Ok(())
        })?;
        let bias = file.values(&format!("{name}.bias"), &[features])?;
        Ok(Dense { inputs, strips, bias })
    }

    /// A fully connected layer over rows `[count, 1, 1, inputs]`, with room for the result `[count,
    /// 1, 1, features]`.
    pub(super) fn dense(&mut self, x: &Images, dense: &Dense, activation: Activation, norm: Option<&Norm>) -> Result<Images, NnError> {
        let features = dense.bias.len();
        let out = self.images([x.shape[0], 1, 1, features])?;
        let mut first = 0;
        for (width, weights) in &dense.strips {
            let strip = first..first + width;
            let of_strip = |values: &[f32]| values[strip.clone()].to_vec();
            let (scale, shift) =
                norm.map_or_else(|| (vec![1.0; *width], vec![0.0; *width]), |norm| (of_strip(norm.scale()), of_strip(norm.shift())));
            let epilogue = [of_strip(&dense.bias), scale, shift].concat();
            let conv = Conv {
                shape: [1, 1, dense.inputs, *width],
                padding: Padding::Time,
                weights: weights.clone(),
                epilogue: self.constants(&padded_weights(&epilogue, *width))?,
                activation,
            };
            self.convolve_into(x, &conv, None, out.at(first))?;
            first = strip.end;
        }
        Ok(out)
    }

    fn bound<P: bytemuck::Pod>(
        &self,
        kernel: &KernelPipeline,
        params: &P,
        buffers: &[&wgpu::Buffer],
        workgroups: usize,
    ) -> Result<Dispatch, GpuError> {
        let params = UniformBuffer::from_value(&self.device.context, "nn.params", params)?;
        let bound = kernel.bind(&self.device.context, &[&[params.buffer()], buffers].concat())?;
        Ok((bound, count(workgroups)))
    }

    fn told<T>(&self, done: Result<T, GpuError>) -> Result<T, NnError> {
        done.map_err(|error| failure(self.model, &error))
    }
}

/// A fully connected layer's weights on the GPU.
pub(super) struct Dense {
    inputs: usize,
    /// Width and `[inputs, width]` of each strip.
    strips: Vec<(usize, StorageBuffer<f32>)>,
    bias: Vec<f32>,
}

/// `[count, height, width, features]` of what a convolution gives.
fn convolved_shape(x: &Images, conv: &Conv) -> [usize; 4] {
    let [images, height, width, _] = x.shape;
    let [_, kernel_width, _, features] = conv.shape;
    let out_width = if conv.padding == Padding::Both { width } else { width + 1 - kernel_width };
    [images, height, out_width, features]
}

/// What the device said, with the network's name.
pub(super) fn failure(model: ModelKey, error: &GpuError) -> NnError {
    NnError::Compute { model, reason: error.to_string() }
}

/// A number for the GPU. A binding's 128 MiB keep all of them far below 2^32.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
