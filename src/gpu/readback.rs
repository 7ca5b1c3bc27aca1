//! Reading back from the GPU. It waits for the device: never once a frame, but for results, pictures and tests.

use std::ops::Range;
use std::sync::mpsc;
use std::time::Duration;

use super::context::GpuContext;
use super::error::GpuError;

/// A buffer on its way back, that nobody waits for.
#[derive(Debug)]
pub struct PendingRead {
    staging: wgpu::Buffer,
    told: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl PendingRead {
    /// Asks for all bytes of a buffer with the usage `COPY_SRC`, as they are after what was submitted so far.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`], [`GpuError::Rejected`] without that usage.
    pub fn begin(context: &GpuContext, buffer: &wgpu::Buffer) -> Result<Self, GpuError> {
        let staging = staging_buffer(context, buffer.size())?;
        context.scoped("reading a buffer back", || {
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("readback") });
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
            context.queue.submit([encoder.finish()])
        })?;
        let (tell, told) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |mapped| {
            // Nobody listens any more where the answer is no longer wanted.
            let _ = tell.send(mapped);
        });
        Ok(Self { staging, told })
    }

    /// The bytes, once they are there. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn poll(&self, context: &GpuContext) -> Result<Option<Vec<u8>>, GpuError> {
        let lost = |message: String| GpuError::Lost { what: "reading back".to_owned(), message };
        context.device.poll(wgpu::PollType::Poll).map_err(|error| lost(error.to_string()))?;
        match self.told.try_recv() {
            Err(mpsc::TryRecvError::Empty) => Ok(None),
            Ok(Ok(())) => {
                let bytes = self.staging.get_mapped_range(..).map_err(|error| lost(error.to_string()))?.to_vec();
                self.staging.unmap();
                Ok(Some(bytes))
            }
            Ok(Err(error)) => Err(lost(error.to_string())),
            Err(mpsc::TryRecvError::Disconnected) => Err(lost("the buffer was never mapped".to_owned())),
        }
    }
}

/// Bytes of a picture that are copied at a time; a 16K picture has more than one buffer may hold.
const BAND_BYTES: u64 = 64 << 20;

/// How long a callback may be late once its work is done.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

/// All bytes of a buffer with the usage `COPY_SRC`.
///
/// # Errors
/// [`GpuError::Lost`], [`GpuError::OutOfMemory`], [`GpuError::Rejected`] without that usage.
pub fn read_buffer(context: &GpuContext, buffer: &wgpu::Buffer) -> Result<Vec<u8>, GpuError> {
    read_range(context, buffer, 0..buffer.size())
}

/// Some bytes of a buffer with the usage `COPY_SRC`; start and end are multiples of 4.
///
/// # Errors
/// As [`read_buffer`].
pub fn read_range(context: &GpuContext, buffer: &wgpu::Buffer, bytes: Range<u64>) -> Result<Vec<u8>, GpuError> {
    let size = bytes.end.saturating_sub(bytes.start);
    if size == 0 {
        return Ok(Vec::new());
    }
    let staging = staging_buffer(context, size)?;
    context.scoped("reading a buffer back", || {
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("readback") });
        encoder.copy_buffer_to_buffer(buffer, bytes.start, &staging, 0, size);
        context.queue.submit([encoder.finish()])
    })?;
    map_and_copy(context, &staging, <[u8]>::to_vec)
}

/// The pixels of an RGBA8 texture (level 0, layer 0), `[height, width, 4]`, rows without gaps.
///
/// # Errors
/// As [`read_buffer`]; [`GpuError::Rejected`] for another format or without the usage `COPY_SRC`.
pub fn read_texture(context: &GpuContext, texture: &wgpu::Texture) -> Result<Vec<u8>, GpuError> {
    let what = "reading a picture back";
    if !matches!(texture.format(), wgpu::TextureFormat::Rgba8Unorm | wgpu::TextureFormat::Rgba8UnormSrgb) {
        let message = format!("the texture is {:?}, not RGBA8", texture.format());
        return Err(GpuError::Rejected { what: what.to_owned(), message });
    }
    let (width, height) = (texture.width(), texture.height());
    let row_bytes = width * 4;
    let pitch = row_bytes.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let band_rows = u32::try_from(BAND_BYTES / u64::from(pitch)).unwrap_or(u32::MAX).clamp(1, height);
    let staging = staging_buffer(context, u64::from(pitch) * u64::from(band_rows))?;
    let mut pixels = Vec::with_capacity(row_bytes as usize * height as usize);
    for y in (0..height).step_by(band_rows as usize) {
        let rows = band_rows.min(height - y);
        context.scoped(what, || {
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("readback") });
            let origin = wgpu::Origin3d { x: 0, y, z: 0 };
            let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(pitch), rows_per_image: None };
            encoder.copy_texture_to_buffer(
                wgpu::TexelCopyTextureInfo { texture, mip_level: 0, origin, aspect: wgpu::TextureAspect::All },
                wgpu::TexelCopyBufferInfo { buffer: &staging, layout },
                wgpu::Extent3d { width, height: rows, depth_or_array_layers: 1 },
            );
            context.queue.submit([encoder.finish()])
        })?;
        map_and_copy(context, &staging, |bytes| {
            for row in bytes.chunks_exact(pitch as usize).take(rows as usize) {
                pixels.extend_from_slice(&row[..row_bytes as usize]);
            }
        })?;
    }
    Ok(pixels)
}

fn staging_buffer(context: &GpuContext, size: u64) -> Result<wgpu::Buffer, GpuError> {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: Some("readback"), size, usage, mapped_at_creation: false };
    context.scoped("reading back", || context.device.create_buffer(&descriptor))
}

/// Waits for the device, then shows the buffer's bytes to `take`.
fn map_and_copy<T>(context: &GpuContext, staging: &wgpu::Buffer, take: impl FnOnce(&[u8]) -> T) -> Result<T, GpuError> {
    let what = "reading back";
    let lost = |message: String| GpuError::Lost { what: what.to_owned(), message };
    let (tell, told) = mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |mapped| {
        // The receiver is gone only if this function has already returned an error.
        let _ = tell.send(mapped);
    });
    context.wait(what)?;
    // Another thread that waits for the same device may have been given this buffer's callback, and be about to call it.
    match told.recv_timeout(CALLBACK_TIMEOUT) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(lost(error.to_string())),
        Err(_) => return Err(lost("the buffer was never mapped".to_owned())),
    }
    let taken = take(&staging.get_mapped_range(..).map_err(|error| lost(error.to_string()))?);
    staging.unmap();
    Ok(taken)
}
