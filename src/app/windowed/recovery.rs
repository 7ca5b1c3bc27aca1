//! A window whose device is gone (a driver that was reset, a GPU that was unplugged, a computer that slept) opens another and goes on.

use std::time::{Duration, Instant};

use super::{FRAME_BUDGET_MS, Session};
use crate::app::error::AppError;
use crate::app::event_log::EventLog;
use crate::app::frame::FramePainter;
use crate::app::pointing::GpuPicks;
use crate::gpu::GpuContext;
use crate::project::{Compute, DeviceChoice};

/// Between two attempts to open a device: a driver that was reset takes its time.
const PAUSE: Duration = Duration::from_millis(500);
/// Attempts until the window gives up.
const ATTEMPTS: u32 = 60;

/// What projections run on, where a window has this device.
pub(super) fn compute_of(choice: DeviceChoice, context: &GpuContext) -> Compute {
    match choice {
        DeviceChoice::Auto => Compute::automatic(context.clone()),
        DeviceChoice::Gpu => Compute::Gpu(context.clone()),
        DeviceChoice::Cpu => Compute::Cpu,
    }
}

/// What is picked on this device.
pub(super) fn picks_of(context: &GpuContext) -> GpuPicks {
    if context.caps.is_cpu() { GpuPicks::WrittenThere } else { GpuPicks::All }
}

impl Session {
    /// Opens a device anew, with everything that was on the old one; the state stays as it is.
    ///
    /// # Errors
    /// What the last of many attempts came to.
    pub(super) fn recover(&mut self, log: &mut EventLog) -> Result<(), AppError> {
        match self.reopen() {
            Ok(()) => {
                self.attempts = 0;
                let compute = compute_of(self.device, &self.context);
                let effects = self.state.change_device(compute, &self.context.caps.name);
                self.state.gpu_picks = picks_of(&self.context);
                self.carry_out(effects, log);
                self.ask_redraw();
                Ok(())
            }
            Err(error) if self.attempts < ATTEMPTS => {
                log::warn!("the device is lost: {error}");
                self.attempts += 1;
                self.repaint_at = Some(Instant::now() + PAUSE);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn reopen(&mut self) -> Result<(), AppError> {
        let context = self.surface.reopen(self.context.instance.clone())?;
        let mut painter = FramePainter::new(&context, self.surface.format())?;
        painter.take_over(&self.painter);
        painter.set_budget(Some(FRAME_BUDGET_MS));
        self.input = super::input_of(&painter, &self.window, &context);
        (self.context, self.painter) = (context, painter);
        Ok(())
    }
}
