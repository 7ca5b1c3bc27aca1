//! A part of a search, to whoever watches the whole.

use super::{NeighborError, Watch};

/// The part from `from` to `to`, 0 to 1, of what is watched.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    watch: &'a dyn Watch,
    from: f64,
    to: f64,
}

impl<'a> Stage<'a> {
    /// The part from `from` to `to`.
    pub fn new(watch: &'a dyn Watch, from: f64, to: f64) -> Self {
        Self { watch, from, to }
    }

    /// Tells that `fraction` of this part is done, 0 to 1.
    ///
    /// # Errors
    /// [`NeighborError::Cancelled`] where the watcher wishes to stop.
    pub fn go_on(&self, fraction: f64) -> Result<(), NeighborError> {
        self.watch.progress(self.from + (self.to - self.from) * fraction);
        if self.watch.cancelled() { Err(NeighborError::Cancelled) } else { Ok(()) }
    }
}
