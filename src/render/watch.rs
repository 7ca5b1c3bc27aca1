//! Passes timed while somebody watches: asked for in one frame, there some frames later, so that no frame waits.

use super::renderer::MapRenderer;
use crate::gpu::{GpuContext, GpuError, PassTimer};

impl MapRenderer {
    /// Times passes from now on, where the device has time stamps, or no longer.
    ///
    /// # Errors
    /// Out of memory.
    pub fn watch(&mut self, context: &GpuContext, is_watched: bool) -> Result<(), GpuError> {
        if is_watched != self.timer.is_some() {
            self.timer = if is_watched { PassTimer::new(context)? } else { None };
        }
        Ok(())
    }

    /// After the last pass of a frame: asks for its times.
    ///
    /// # Errors
    /// Out of memory.
    pub fn ask_passes(&mut self, context: &GpuContext, encoder: &mut wgpu::CommandEncoder) -> Result<(), GpuError> {
        self.timer.as_mut().map_or(Ok(()), |timer| timer.ask(context, encoder))
    }

    /// The frame was submitted.
    pub fn passes_submitted(&mut self) {
        self.splat.submitted();
        if let Some(timer) = &mut self.timer {
            timer.submitted();
        }
    }

    /// Milliseconds of each pass on the GPU, of a frame some frames ago; `None`: no news. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn take_passes(&mut self, context: &GpuContext) -> Result<Option<Vec<(&'static str, f64)>>, GpuError> {
        self.timer.as_mut().map_or(Ok(None), |timer| timer.take(context))
    }

    /// Milliseconds of the newest frame's work on the CPU's threads, where a splat was made there.
    #[must_use]
    pub fn cpu_passes_ms(&self) -> Vec<(&'static str, f64)> {
        if self.is_splat { self.splat.cpu_stages_ms() } else { Vec::new() }
    }
}
