//! Logarithmic axes: wished for, and whether what is shown has values to take logarithms of.

use super::state::{AppState, Effect};

impl AppState {
    /// Shows the same layout along logarithmic axes, or along axes as they are.
    pub(super) fn set_log(&mut self, log: bool) -> Vec<Effect> {
        if log == self.choices.log {
            return Vec::new();
        }
        self.choices.log = log;
        if self.has_valued_axes() { self.project() } else { Vec::new() }
    }

    /// Whether the axes are columns or components, which have values, and not directions of an embedding.
    #[must_use]
    pub fn has_valued_axes(&self) -> bool {
        self.choices.layout_file.is_some() || !self.choices.method.is_embedding()
    }
}
