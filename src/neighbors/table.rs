//! The result of a search.

use super::NeighborError;

/// Rows have numbers of 32 bits.
const MOST_ROWS: usize = u32::MAX as usize;

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
    /// Room for `k` neighbours of each of `rows` rows.
    ///
    /// # Errors
    /// [`NeighborError::TooManyRows`], [`NeighborError::Memory`].
    pub(super) fn try_new(rows: usize, k: usize) -> Result<Self, NeighborError> {
        if rows > MOST_ROWS {
            return Err(NeighborError::TooManyRows { rows, limit: MOST_ROWS });
        }
        let too_much = || NeighborError::Memory { rows, k, bytes: 8 * rows as u128 * k as u128 };
        let len = rows.checked_mul(k).ok_or_else(too_much)?;
        let (mut indices, mut distances) = (Vec::new(), Vec::new());
        indices.try_reserve_exact(len).map_err(|_| too_much())?;
        distances.try_reserve_exact(len).map_err(|_| too_much())?;
        indices.resize(len, 0);
        distances.resize(len, 0.0);
        Ok(Self { k, indices, distances })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_its_size() {
        assert!(matches!(NeighborTable::try_new(MOST_ROWS + 1, 1), Err(NeighborError::TooManyRows { .. })));
        let error = NeighborTable::try_new(MOST_ROWS, usize::MAX / 2).unwrap_err().to_string();
        assert!(error.contains("bytes of memory") && error.contains("--every"), "{error}");
        assert_eq!(NeighborTable::try_new(3, 2).unwrap().rows(), 3);
    }
}
