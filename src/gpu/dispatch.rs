//! Kernels with their buffers in place, and how they are sent off.

use super::context::GpuContext;
use super::error::GpuError;
use super::kernel::{BoundKernel, Kernel};

/// Steps of an iteration that are sent off before the CPU waits for the GPU: a queue without end would take memory, and could not be stopped.
pub const STEPS_IN_FLIGHT: usize = 8;

/// A dispatch: the kernel with its buffers, and how many workgroups.
pub type Dispatch = (BoundKernel, u32);

/// Compiles a kernel and puts its buffers in place.
///
/// # Errors
/// [`GpuError`].
pub fn bind(context: &GpuContext, kernel: &'static Kernel, buffers: &[&wgpu::Buffer], workgroups: usize) -> Result<Dispatch, GpuError> {
    Ok((kernel.pipeline(context)?.bind(context, buffers)?, u32::try_from(workgroups).unwrap_or(u32::MAX)))
}

/// Sends dispatches off under the name `label`, one after the other, after filling `cleared` with zeros. They are on their way when this returns.
///
/// # Errors
/// [`GpuError`].
pub fn submit<'a>(
    context: &GpuContext,
    label: &str,
    dispatches: impl IntoIterator<Item = &'a Dispatch>,
    cleared: &[wgpu::Buffer],
) -> Result<(), GpuError> {
    context.scoped(label, || {
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) });
        for buffer in cleared {
            encoder.clear_buffer(buffer, 0, None);
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for (kernel, workgroups) in dispatches {
            kernel.dispatch(&mut pass, *workgroups);
        }
        drop(pass);
        context.queue.submit([encoder.finish()]);
    })
}
