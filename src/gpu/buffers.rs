//! Buffers that know what they hold.

use std::marker::PhantomData;

use bytemuck::Pod;

use super::context::GpuContext;
use super::error::GpuError;
use super::readback;

/// WebGPU binds no empty buffer; shaders take lengths from their parameters, never from `arrayLength`.
const SMALLEST_BUFFER_BYTES: u64 = 16;

/// A storage buffer of `len` values of `T`. It can be written, copied from and copied to.
#[derive(Clone, Debug)]
pub struct StorageBuffer<T> {
    buffer: wgpu::Buffer,
    len: usize,
    holds: PhantomData<T>,
}

impl<T: Pod> StorageBuffer<T> {
    /// Room for `len` values, all zero.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] past what one binding takes; [`GpuError::OutOfMemory`].
    pub fn zeroed(context: &GpuContext, label: &str, len: usize) -> Result<Self, GpuError> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer = create(context, label, bytes_of::<T>(len), context.caps.storage_binding_bytes(), usage)?;
        Ok(Self { buffer, len, holds: PhantomData })
    }

    /// A buffer that holds `values`.
    ///
    /// # Errors
    /// As [`StorageBuffer::zeroed`].
    pub fn from_values(context: &GpuContext, label: &str, values: &[T]) -> Result<Self, GpuError> {
        let made = Self::zeroed(context, label, values.len())?;
        made.write(context, 0, values)?;
        Ok(made)
    }

    /// One value that a kernel writes and others read as parameters.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn also_uniform(context: &GpuContext, label: &str, value: &T) -> Result<Self, GpuError> {
        let copies = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM | copies;
        let limit = context.caps.limits.max_uniform_buffer_binding_size;
        let made = Self { buffer: create(context, label, bytes_of::<T>(1), limit, usage)?, len: 1, holds: PhantomData };
        made.write(context, 0, std::slice::from_ref(value))?;
        Ok(made)
    }

    /// Writes `values` from value `first` on, before anything that is submitted later.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] past the end; [`GpuError::Rejected`] where bytes are not a multiple of 4; [`GpuError::OutOfMemory`].
    pub fn write(&self, context: &GpuContext, first: usize, values: &[T]) -> Result<(), GpuError> {
        // wgpu's own check is against the buffer, which may be longer than what it holds.
        let end = first.saturating_add(values.len());
        if end > self.len {
            let (bytes, limit) = (bytes_of::<T>(end), bytes_of::<T>(self.len));
            return Err(GpuError::TooLarge { what: "writing a buffer".to_owned(), bytes, limit });
        }
        if values.is_empty() {
            return Ok(());
        }
        context.scoped("writing a buffer", || context.queue.write_buffer(&self.buffer, bytes_of::<T>(first), bytemuck::cast_slice(values)))
    }

    /// Copies the first `len` values of `from` to value `first` on, after everything that was submitted before.
    ///
    /// # Errors
    /// [`GpuError::Rejected`] past the end of either.
    pub fn copy_from(&self, context: &GpuContext, first: usize, from: &Self, len: usize) -> Result<(), GpuError> {
        context.scoped("copying a buffer", || {
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("copy") });
            encoder.copy_buffer_to_buffer(&from.buffer, 0, &self.buffer, bytes_of::<T>(first), bytes_of::<T>(len));
            context.queue.submit([encoder.finish()]);
        })
    }

    /// The values, read back. Waits for all that was submitted.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::OutOfMemory`].
    pub fn read(&self, context: &GpuContext) -> Result<Vec<T>, GpuError> {
        let bytes = readback::read_range(context, &self.buffer, 0..bytes_of::<T>(self.len))?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }
}

impl<T> StorageBuffer<T> {
    /// The buffer to bind. Where `len` is 0 it has a few bytes that mean nothing.
    #[must_use]
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A uniform buffer with one `T`, whose layout `tests/shader_layout.rs` compares with the WGSL.
#[derive(Clone, Debug)]
pub struct UniformBuffer<T> {
    buffer: wgpu::Buffer,
    holds: PhantomData<T>,
}

impl<T: Pod> UniformBuffer<T> {
    /// A buffer that holds `value`.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn from_value(context: &GpuContext, label: &str, value: &T) -> Result<Self, GpuError> {
        let limit = context.caps.limits.max_uniform_buffer_binding_size;
        let buffer = create(context, label, bytes_of::<T>(1), limit, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)?;
        let made = Self { buffer, holds: PhantomData };
        made.write(context, value)?;
        Ok(made)
    }

    /// Replaces the value, before anything that is submitted later.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn write(&self, context: &GpuContext, value: &T) -> Result<(), GpuError> {
        context.scoped("writing parameters", || context.queue.write_buffer(&self.buffer, 0, bytemuck::bytes_of(value)))
    }
}

impl<T> UniformBuffer<T> {
    /// The buffer to bind.
    #[must_use]
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

/// The positions of all segments in layout space, one column an axis: what a projection writes and the renderer reads.
///
/// Three columns of `f32`, because one column of `vec4f` would pass WebGPU's 128 MiB binding at 8 million segments.
#[derive(Clone, Debug)]
pub struct PositionBuffer {
    /// First coordinates, `len` values of `f32`.
    pub x: wgpu::Buffer,
    /// Second coordinates.
    pub y: wgpu::Buffer,
    /// Third coordinates; 0 in a flat layout.
    pub z: wgpu::Buffer,
    /// Number of positions.
    pub len: usize,
}

impl PositionBuffer {
    /// Uploads positions.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] past what one binding takes (33 million at WebGPU's default); [`GpuError::OutOfMemory`].
    pub fn from_positions(context: &GpuContext, positions: &[[f32; 3]]) -> Result<Self, GpuError> {
        let column = |axis: usize, label: &str| {
            let values: Vec<f32> = positions.iter().map(|position| position[axis]).collect();
            StorageBuffer::from_values(context, label, &values).map(|column| column.buffer)
        };
        Ok(Self { x: column(0, "positions.x")?, y: column(1, "positions.y")?, z: column(2, "positions.z")?, len: positions.len() })
    }

    /// Replaces all positions, without new buffers: bind groups stay as they are.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] where there are more positions than before.
    pub fn write(&self, context: &GpuContext, positions: &[[f32; 3]]) -> Result<(), GpuError> {
        for (axis, buffer) in [&self.x, &self.y, &self.z].into_iter().enumerate() {
            let column = StorageBuffer::<f32> { buffer: buffer.clone(), len: self.len, holds: PhantomData };
            column.write(context, 0, &positions.iter().map(|position| position[axis]).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The positions, read back.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::OutOfMemory`].
    pub fn read(&self, context: &GpuContext) -> Result<Vec<[f32; 3]>, GpuError> {
        let read = |buffer: &wgpu::Buffer| {
            let bytes = readback::read_range(context, buffer, 0..bytes_of::<f32>(self.len))?;
            Ok::<Vec<f32>, GpuError>(bytemuck::pod_collect_to_vec(&bytes))
        };
        let (x, y, z) = (read(&self.x)?, read(&self.y)?, read(&self.z)?);
        Ok(x.into_iter().zip(y).zip(z).map(|((x, y), z)| [x, y, z]).collect())
    }
}

fn bytes_of<T>(len: usize) -> u64 {
    (len as u64).saturating_mul(size_of::<T>() as u64)
}

fn create(context: &GpuContext, label: &str, bytes: u64, limit: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, GpuError> {
    if bytes > limit {
        return Err(GpuError::TooLarge { what: label.to_owned(), bytes, limit });
    }
    let size = bytes.max(SMALLEST_BUFFER_BYTES).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
    let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
    context.scoped(label, || context.device.create_buffer(&descriptor))
}
