//! The result of a search.

/// The nearest other rows of every row, nearest first; of equally near ones the smaller number first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeighborTable {
    /// Neighbours of each row.
    pub k: usize,
    /// Their row numbers, `[rows, k]`.
    pub indices: Vec<u32>,
    /// Their distances, `[rows, k]`.
    pub distances: Vec<f32>,
}

impl NeighborTable {
    /// Number of rows; 0 where rows have no neighbours.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// The neighbours of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn of(&self, row: usize) -> &[u32] {
        &self.indices[row * self.k..(row + 1) * self.k]
    }
}
