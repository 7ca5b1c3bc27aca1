//! The table of the networks' compute shaders, and what each is told.

use bytemuck::{Pod, Zeroable};

use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, GpuContext, GpuError, KernelPipeline, ShaderPart};
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");

/// Convolutions and fully connected layers.
pub static CONVOLVE: Kernel = Kernel::linear(
    "nn.convolve",
    &[ROWS, shader_part!("nn_convolve.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::input(2), Binding::input(3), Binding::output(4)],
);
/// The largest value of each window.
pub static POOL: Kernel =
    Kernel::linear("nn.pool", &[ROWS, shader_part!("nn_pool.wgsl")], 256, &[Binding::PARAMS, Binding::input(0), Binding::output(1)]);
/// The largest value and the mean over time.
pub static POOL_TIME: Kernel = Kernel::linear(
    "nn.pool_time",
    &[ROWS, shader_part!("nn_pool_time.wgsl")],
    64,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
);

/// All of them.
pub const KERNELS: &[&Kernel] = &[&CONVOLVE, &POOL, &POOL_TIME];

/// Side of a tile of `nn_convolve.wgsl`.
const TILE: usize = 64;

/// Features that a vector of `nn_convolve.wgsl` holds.
pub const QUAD: usize = 4;

/// The parameters of [`CONVOLVE`], as in `shaders/nn_convolve.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct ConvolveParams {
    /// Output places of all images.
    pub rows: u32,
    /// Output features.
    pub features: u32,
    /// Kernel height times kernel width times inputs.
    pub depth: u32,
    /// Input features.
    pub inputs: u32,
    /// Height of the input.
    pub height: u32,
    /// Width of the input.
    pub width: u32,
    /// Values from an input place to the next.
    pub pitch: u32,
    /// Width of the kernel.
    pub kernel_width: u32,
    /// Height of the output.
    pub out_height: u32,
    /// Width of the output.
    pub out_width: u32,
    /// Rows of zeros above the input.
    pub pad_top: u32,
    /// Columns of zeros before the input.
    pub pad_left: u32,
    /// Values from an output place to the next.
    pub out_pitch: u32,
    /// The first feature's position at an output place.
    pub out_first: u32,
    /// [`Activation`] as a number.
    pub activation: u32,
    /// 1 if a residual is added at the end.
    pub has_residual: u32,
}

/// The parameters of [`POOL`], as in `shaders/nn_pool.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct PoolParams {
    /// Output places of all images.
    pub rows: u32,
    /// Features.
    pub features: u32,
    /// Height of the input.
    pub height: u32,
    /// Width of the input.
    pub width: u32,
    /// Height of the output.
    pub out_height: u32,
    /// Width of the output.
    pub out_width: u32,
    /// Height of a window.
    pub window_height: u32,
    /// Width of a window.
    pub window_width: u32,
    /// Rows from a window to the next.
    pub step_down: u32,
    /// Columns from a window to the next.
    pub step_across: u32,
    /// Values from an output place to the next.
    pub out_pitch: u32,
    /// The first feature's position at an output place.
    pub out_first: u32,
}

/// The parameters of [`POOL_TIME`], as in `shaders/nn_pool_time.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct PoolTimeParams {
    /// Images.
    pub rows: u32,
    /// Frames of an image.
    pub frames: u32,
    /// Features.
    pub features: u32,
    /// Values from an image's output to the next's.
    pub out_pitch: u32,
    /// Position of the first feature's largest value there.
    pub out_first: u32,
    /// Nothing.
    pub unused_a: u32,
    /// Nothing.
    pub unused_b: u32,
    /// Nothing.
    pub unused_c: u32,
}

/// The function that follows a layer's bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Activation {
    /// None.
    #[default]
    Linear = 0,
    /// The value, or zero where it is negative.
    Relu = 1,
    /// `1 / (1 + exp(-x))`.
    Sigmoid = 2,
}

/// Workgroups of [`CONVOLVE`].
#[must_use]
pub fn convolve_workgroups(rows: usize, features: usize) -> usize {
    rows.div_ceil(TILE) * features.div_ceil(TILE)
}

/// Workgroups of [`POOL`].
#[must_use]
pub fn pool_workgroups(rows: usize, features: usize) -> usize {
    (rows * features).div_ceil(256)
}

/// Workgroups of [`POOL_TIME`].
#[must_use]
pub fn pool_time_workgroups(rows: usize, features: usize) -> usize {
    (rows * features).div_ceil(64)
}

/// `weights`, `[depth, features]`, as `nn_convolve.wgsl` reads them: every row padded with zeros to
/// whole vectors.
#[must_use]
pub fn padded_weights(weights: &[f32], features: usize) -> Vec<f32> {
    let padding = features.next_multiple_of(QUAD) - features;
    weights.chunks_exact(features).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, padding))).collect()
}

/// A device with the kernels compiled for it. Clones share them.
#[derive(Clone)]
pub(in super::super) struct GpuDevice {
    pub(super) context: GpuContext,
    pub(super) convolve: KernelPipeline,
    pub(super) pool: KernelPipeline,
    pub(super) pool_time: KernelPipeline,
}

impl GpuDevice {
    /// Compiles the kernels.
    ///
    /// # Errors
    /// [`GpuError::Shader`], [`GpuError::Rejected`].
    pub(in super::super) fn new(context: GpuContext) -> Result<Self, GpuError> {
        let (convolve, pool, pool_time) = (CONVOLVE.pipeline(&context)?, POOL.pipeline(&context)?, POOL_TIME.pipeline(&context)?);
        Ok(Self { context, convolve, pool, pool_time })
    }

    /// The adapter's name, as its driver gives it.
    pub(in super::super) fn name(&self) -> &str {
        &self.context.caps.name
    }

    /// Takes the device away, as a driver's reset would.
    pub(in super::super) fn lose_for_test(&self) {
        self.context.device.destroy();
    }
}
