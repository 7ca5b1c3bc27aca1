//! The rows inside of a region of the map: a kernel over all rows, whose answer is fetched when it is there, so that no frame waits for it.
//! Where the adapter is a CPU and knows the positions, its threads do the same (`scene::Region::rows`).

pub mod kernels;

use super::gpu_data::{FrameUniform, MapBuffers};
use crate::gpu::readback::PendingRead;
use crate::gpu::{GpuContext, GpuError, KernelPipeline, StorageBuffer, UniformBuffer};
use crate::scene::{ChosenRows, Region};
use kernels::{INSIDE, SelectParams, WORKGROUP};

/// The pipeline, made when it is first needed, and the answer that is under way.
#[derive(Debug, Default)]
pub struct Selector {
    kernel: Option<KernelPipeline>,
    pending: Option<(PendingRead, usize)>,
    found: Option<ChosenRows>,
}

impl Selector {
    /// Takes rows that were found already.
    pub fn take(&mut self, rows: ChosenRows) {
        self.pending = None;
        self.found = Some(rows);
    }

    /// Sends the kernel off; an earlier question is given up. `frame` has the region's extent as its viewport.
    ///
    /// # Errors
    /// What the device rejects; [`GpuError::OutOfMemory`].
    pub fn begin(&mut self, context: &GpuContext, frame: &FrameUniform, buffers: &MapBuffers, region: &Region) -> Result<(), GpuError> {
        self.found = None;
        let kernel = match &self.kernel {
            Some(kernel) => kernel,
            None => self.kernel.insert(INSIDE.pipeline(context)?),
        };
        let rows = buffers.positions.len;
        let frame = UniformBuffer::from_value(context, "select.frame", frame)?;
        let params = SelectParams { width: region.size[0], ..SelectParams::default() };
        let params = UniformBuffer::from_value(context, "select.params", &params)?;
        let mask = StorageBuffer::from_values(context, "select.mask", &region.words)?;
        let inside = StorageBuffer::<u32>::zeroed(context, "select.inside", rows.div_ceil(32))?;
        let MapBuffers { positions, colors, tracks, chosen, .. } = buffers;
        let columns = [&positions.x, &positions.y, &positions.z, colors.buffer(), tracks.buffer(), chosen.buffer()];
        let mut bound = vec![frame.buffer(), params.buffer()];
        bound.extend(columns);
        bound.extend([mask.buffer(), inside.buffer()]);
        let bound = kernel.bind(context, &bound)?;
        context.scoped("choosing", || {
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("select") });
            bound.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), rows.div_ceil(WORKGROUP) as u32);
            context.queue.submit([encoder.finish()]);
        })?;
        self.pending = Some((PendingRead::begin(context, inside.buffer())?, rows));
        Ok(())
    }

    /// The rows, once, as soon as they are there. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn poll(&mut self, context: &GpuContext) -> Result<Option<ChosenRows>, GpuError> {
        let Some((read, rows)) = &self.pending else { return Ok(self.found.take()) };
        let read = read.poll(context);
        let rows = *rows;
        if !matches!(read, Ok(None)) {
            self.pending = None;
        }
        Ok(read?.map(|bytes| ChosenRows::from_words(bytemuck::pod_collect_to_vec(&bytes), rows)))
    }
}
