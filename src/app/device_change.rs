//! Another device under the same state: what the old one held is given up, what ran on it begins anew.

use super::notices::Topic;
use super::state::{AppState, Effect};
use crate::project::Compute;

impl AppState {
    /// Goes on with another device after the old one was lost. The layout stays as it was last read from it; a projection that was waited
    /// for, or an embedding that moved on the lost device, begins anew.
    pub fn change_device(&mut self, compute: Compute, adapter: &str) -> Vec<Effect> {
        self.compute = compute;
        let (mut was_on_gpu, mut was_moving) = (false, false);
        if let Some(shown) = &mut self.shown {
            was_on_gpu = shown.columns.take().is_some();
            if let Some(descent) = shown.descent.as_mut().filter(|_| was_on_gpu) {
                was_moving = !descent.is_settled;
                (descent.is_settled, descent.is_over) = (true, true);
            }
            // The columns are uploaded anew in any case; from now on they are the CPU's.
            shown.scene.layout_revision += 1;
        }
        let mut effects = self.notify(Topic::Device, format!("the GPU was lost and is there again ({adapter})"));
        if self.awaited || (was_on_gpu && was_moving) {
            effects.extend(self.project());
        }
        effects
    }
}
