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

    /// The `k` nearest of each row's neighbours, or all.
    #[must_use]
    pub fn nearest(&self, k: usize) -> Self {
        let kept = k.min(self.k);
        if kept == 0 {
            return Self::default();
        }
        let indices = self.indices.chunks_exact(self.k).flat_map(|row| &row[..kept]).copied().collect();
        let distances = self.distances.chunks_exact(self.k).flat_map(|row| &row[..kept]).copied().collect();
        Self { k: kept, indices, distances }
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
