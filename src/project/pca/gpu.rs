//! The GPU engine of PCA: `shaders/pca_mean.wgsl`, `shaders/pca_covariance.wgsl` and `shaders/pca_transform.wgsl`.
//!
//! A chunk of rows is uploaded and stays while there is room, so that a matrix of up to [`RESIDENT_BYTES`] goes over the bus once and
//! a larger one three times. Sums come back as one partial for each slab of rows and are added here, in `f64`.

use std::collections::HashMap;
use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

use super::cpu::largest_finite;
use super::engine::{Centring, ColumnSums, Engine, power_of_two_scale};
use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, GpuContext, GpuError, KernelPipeline, ShaderPart, ShaderSource, StorageBuffer, UniformBuffer};
use crate::matrix::RowSource;
use crate::project::device::ComputeDevice;
use crate::project::error::ProjectError;
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const PARAMS: ShaderPart = shader_part!("shared/pca_params.wgsl");

/// Column sums of the differences from a chunk's first row, `[slabs, dims]`.
pub static MEAN: Kernel = Kernel {
    shader: ShaderSource { name: "pca.mean", parts: &[ROWS, PARAMS, shader_part!("pca_mean.wgsl")] },
    workgroup_size: [64, 1, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
};

/// Scatter matrices, `[slabs, dims, dims]`.
pub static COVARIANCE: Kernel = Kernel {
    shader: ShaderSource { name: "pca.covariance", parts: &[ROWS, PARAMS, shader_part!("pca_covariance.wgsl")] },
    workgroup_size: [8, 8, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
};

/// Coordinates, `[rows, axes]`.
pub static TRANSFORM: Kernel = Kernel {
    shader: ShaderSource { name: "pca.transform", parts: &[ROWS, PARAMS, shader_part!("pca_transform.wgsl")] },
    workgroup_size: [4, 64, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::input(2), Binding::output(3)],
};

/// All of them.
pub const KERNELS: &[&Kernel] = &[&MEAN, &COVARIANCE, &TRANSFORM];

/// Side of a tile of `pca_covariance.wgsl`.
const TILE: usize = 32;
/// Rows of a workgroup of `pca_transform.wgsl`.
const TRANSFORM_ROWS: usize = 64;
/// Axes of a workgroup of `pca_transform.wgsl`.
const TRANSFORM_AXES: usize = 16;

/// Bytes of a chunk of rows, and of a chunk's partial sums: well within WebGPU's 128 MiB binding, and a dispatch's work stays under any watchdog.
const CHUNK_BYTES: usize = 32 << 20;
/// Bytes of chunks that stay on the GPU between the passes.
pub const RESIDENT_BYTES: usize = 256 << 20;

/// The parameters of all three kernels, as in `shaders/shared/pca_params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct PcaParams {
    /// Rows in the chunk.
    pub rows: u32,
    /// Columns.
    pub dims: u32,
    /// Columns of the coordinates.
    pub axes: u32,
    /// Rows that one workgroup sums.
    pub slab_rows: u32,
    /// [`Centring::scale`].
    pub scale: f32,
    /// [`Centring::unscale`].
    pub unscale: f32,
    /// Nothing.
    pub unused_a: u32,
    /// Nothing.
    pub unused_b: u32,
}

/// Runs the shaders on a device.
pub struct GpuEngine<'a> {
    context: &'a GpuContext,
    mean: KernelPipeline,
    covariance: KernelPipeline,
    transform: KernelPipeline,
    chunk_bytes: usize,
    /// Chunks that stay, by their first row.
    resident: HashMap<usize, StorageBuffer<f32>>,
    resident_bytes: usize,
    resident_limit: usize,
}

impl<'a> GpuEngine<'a> {
    /// Compiles the shaders.
    ///
    /// # Errors
    /// [`GpuError::Shader`], [`GpuError::Rejected`].
    pub fn new(context: &'a GpuContext) -> Result<Self, GpuError> {
        Ok(Self {
            context,
            mean: MEAN.pipeline(context)?,
            covariance: COVARIANCE.pipeline(context)?,
            transform: TRANSFORM.pipeline(context)?,
            chunk_bytes: CHUNK_BYTES,
            resident: HashMap::new(),
            resident_bytes: 0,
            resident_limit: RESIDENT_BYTES,
        })
    }

    /// The same with chunks of at most `chunk_bytes` (but at least one slab of rows), of which `resident_bytes` stay on the GPU: for
    /// devices with little memory.
    #[must_use]
    pub fn with_memory(self, chunk_bytes: usize, resident_bytes: usize) -> Self {
        Self { chunk_bytes: chunk_bytes.min(CHUNK_BYTES), resident_limit: resident_bytes, ..self }
    }

    /// The chunk on the GPU, and in memory too where `look` wants to see it.
    fn chunk(
        &mut self,
        source: &dyn RowSource,
        rows: &Range<usize>,
        look: impl FnOnce(&[f32]) -> Result<(), ProjectError>,
    ) -> Result<StorageBuffer<f32>, ProjectError> {
        if let Some(resident) = self.resident.get(&rows.start).filter(|chunk| chunk.len() == rows.len() * source.dims()) {
            return Ok(resident.clone());
        }
        let mut values = vec![0.0; rows.len() * source.dims()];
        let per_task = rows.len().div_ceil(rayon::current_num_threads()).max(1);
        values.par_chunks_mut(per_task * source.dims()).enumerate().try_for_each(|(task, into)| {
            let first = rows.start + task * per_task;
            source.read_rows(first..first + into.len() / source.dims(), into)
        })?;
        look(&values)?;
        let chunk = StorageBuffer::from_values(self.context, "pca.values", &values)?;
        let bytes = values.len() * 4;
        if self.resident_bytes + bytes <= self.resident_limit {
            self.resident_bytes += bytes;
            self.resident.insert(rows.start, chunk.clone());
        }
        Ok(chunk)
    }

    /// One dispatch; `buffers` in the order of the kernel's bindings after the parameters.
    fn run(&self, kernel: &KernelPipeline, params: &PcaParams, buffers: &[&wgpu::Buffer], workgroups: u32) -> Result<(), GpuError> {
        let params = UniformBuffer::from_value(self.context, "pca.params", params)?;
        let bound = kernel.bind(self.context, &[&[params.buffer()], buffers].concat())?;
        self.context.scoped("a step of PCA", || {
            let mut encoder = self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pca") });
            bound.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), workgroups);
            self.context.queue.submit([encoder.finish()]);
        })
    }

    fn params(&self, rows: &Range<usize>, dims: usize, scale: f32, unscale: f32) -> PcaParams {
        PcaParams { rows: count(rows.len()), dims: count(dims), slab_rows: count(slab_rows(dims)), scale, unscale, ..PcaParams::default() }
    }
}

impl Engine for GpuEngine<'_> {
    fn device(&self) -> ComputeDevice {
        ComputeDevice::Gpu
    }

    fn chunk_rows(&self, dims: usize) -> usize {
        let slab = slab_rows(dims);
        let by_values = self.chunk_bytes / (4 * dims * slab);
        let by_partials = self.chunk_bytes / (4 * dims * dims);
        by_values.min(by_partials).max(1) * slab
    }

    fn column_sums(&mut self, source: &dyn RowSource, rows: Range<usize>) -> Result<ColumnSums, ProjectError> {
        let dims = source.dims();
        let (mut largest, mut first_row) = (0.0, Vec::new());
        let chunk = self.chunk(source, &rows, |values| {
            largest = largest_of(values, dims, rows.start)?;
            first_row = values[..dims].to_vec();
            Ok(())
        })?;
        let scale = power_of_two_scale(largest);
        let params = self.params(&rows, dims, scale, 1.0 / scale);
        let partials = StorageBuffer::zeroed(self.context, "pca.partials", slabs(rows.len(), dims) * dims)?;
        self.run(&self.mean, &params, &[chunk.buffer(), partials.buffer()], mean_workgroups(rows.len(), dims))?;
        let sums = sums_from_differences(&partials.read(self.context)?, &first_row, rows.len(), scale);
        Ok(ColumnSums { sums, largest })
    }

    fn add_scatter(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        scatter: &mut [f64],
    ) -> Result<(), ProjectError> {
        let dims = source.dims();
        let chunk = self.chunk(source, &rows, |_| Ok(()))?;
        let params = self.params(&rows, dims, centring.scale, centring.unscale);
        let center = StorageBuffer::from_values(self.context, "pca.center", &centring.center)?;
        let partials = StorageBuffer::zeroed(self.context, "pca.partials", slabs(rows.len(), dims) * dims * dims)?;
        let buffers = [chunk.buffer(), center.buffer(), partials.buffer()];
        self.run(&self.covariance, &params, &buffers, covariance_workgroups(rows.len(), dims))?;
        add_mirrored(&sum_slabs(&partials.read(self.context)?, dims * dims), dims, scatter);
        Ok(())
    }

    fn transform(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        weights: &[f32],
        into: &mut [f32],
    ) -> Result<(), ProjectError> {
        let dims = source.dims();
        let chunk = self.chunk(source, &rows, |_| Ok(()))?;
        let axes = weights.len() / dims;
        let params = PcaParams { axes: count(axes), ..self.params(&rows, dims, centring.scale, centring.unscale) };
        let center = StorageBuffer::from_values(self.context, "pca.center", &centring.center)?;
        let weights = StorageBuffer::from_values(self.context, "pca.weights", &padded_weights(weights, axes))?;
        let coordinates = StorageBuffer::<f32>::zeroed(self.context, "pca.coordinates", rows.len() * axes)?;
        let buffers = [chunk.buffer(), center.buffer(), weights.buffer(), coordinates.buffer()];
        self.run(&self.transform, &params, &buffers, transform_workgroups(rows.len(), axes))?;
        into.copy_from_slice(&coordinates.read(self.context)?);
        Ok(())
    }

    fn forget(&mut self) {
        self.resident.clear();
        self.resident_bytes = 0;
    }
}

/// Rows that one workgroup sums in `f32`. More for wide matrices, whose partial scatter matrices are large beside the rows.
#[must_use]
pub fn slab_rows(dims: usize) -> usize {
    (8 * dims).clamp(512, 2048)
}

fn slabs(rows: usize, dims: usize) -> usize {
    rows.div_ceil(slab_rows(dims))
}

/// Workgroups of [`MEAN`].
#[must_use]
pub fn mean_workgroups(rows: usize, dims: usize) -> u32 {
    count(slabs(rows, dims))
}

/// Workgroups of [`COVARIANCE`].
#[must_use]
pub fn covariance_workgroups(rows: usize, dims: usize) -> u32 {
    let tiles = dims.div_ceil(TILE);
    count(slabs(rows, dims) * tiles * (tiles + 1) / 2)
}

/// Workgroups of [`TRANSFORM`].
#[must_use]
pub fn transform_workgroups(rows: usize, axes: usize) -> u32 {
    count(rows.div_ceil(TRANSFORM_ROWS) * axes.div_ceil(TRANSFORM_AXES))
}

/// `weights`, `[dims, axes]`, as `pca_transform.wgsl` reads them: every row padded with zeros to a multiple of 16 axes.
#[must_use]
pub fn padded_weights(weights: &[f32], axes: usize) -> Vec<f32> {
    let padded = axes.next_multiple_of(TRANSFORM_AXES);
    weights.chunks_exact(axes).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, padded - axes))).collect()
}

/// `partials`, `[slabs, len]`, summed over slabs in `f64`.
#[must_use]
pub fn sum_slabs(partials: &[f32], len: usize) -> Vec<f64> {
    let mut sums = vec![0.0; len];
    for slab in partials.chunks_exact(len) {
        for (sum, &partial) in sums.iter_mut().zip(slab) {
            *sum += f64::from(partial);
        }
    }
    sums
}

/// Column sums, `[dims]`, of a chunk of `rows` rows from what [`MEAN`] wrote, `[slabs, dims]`, times `scale`, and the chunk's first row.
#[must_use]
pub fn sums_from_differences(partials: &[f32], first_row: &[f32], rows: usize, scale: f32) -> Vec<f64> {
    let differences = sum_slabs(partials, first_row.len());
    differences.iter().zip(first_row).map(|(sum, &first)| sum / f64::from(scale) + rows as f64 * f64::from(first)).collect()
}

/// Adds `upper`, `[dims, dims]`, of which only elements (i, j) with i <= j count, to the symmetric `scatter`.
pub fn add_mirrored(upper: &[f64], dims: usize, scatter: &mut [f64]) {
    for i in 0..dims {
        for j in i..dims {
            scatter[i * dims + j] += upper[i * dims + j];
            if i != j {
                scatter[j * dims + i] += upper[i * dims + j];
            }
        }
    }
}

/// The largest magnitude of all values, on all cores.
fn largest_of(values: &[f32], dims: usize, first_row: usize) -> Result<f32, ProjectError> {
    let per_task = values.len().div_ceil(dims).div_ceil(rayon::current_num_threads()).max(1);
    let found: Vec<_> = values
        .par_chunks(per_task * dims)
        .enumerate()
        .map(|(task, values)| largest_finite(values, dims, first_row + task * per_task))
        .collect();
    found.into_iter().try_fold(0.0, |largest: f32, found| Ok(largest.max(found?)))
}

/// A number for the GPU. A chunk's rows, dims and workgroups are far below 2^32: see [`CHUNK_BYTES`].
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
