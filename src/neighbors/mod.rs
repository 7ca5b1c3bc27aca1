//! Nearest neighbours of every row of a matrix: what t-SNE and UMAP start from.
//!
//! The search says how good it was: [`Found::recall_measured`] comes from a sample of rows that are searched once more by plain loops in `f64`.

mod among;
mod exact;
mod kept;
mod recall;
mod table;

pub use among::among;
pub use table::NeighborTable;

use crate::matrix::FeatureMatrix;

/// Most rows that an exact search takes: its work grows with their square.
pub const MAX_EXACT_ROWS: usize = 200_000;

/// Someone who watches a search, and may stop it.
pub trait Watch: Sync {
    /// How much is done, 0 to 1.
    fn progress(&self, fraction: f64);

    /// Whether to stop; asked between blocks of rows.
    fn cancelled(&self) -> bool;
}

/// A finished search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The neighbours.
    pub table: NeighborTable,
    /// Of a sample of rows: the share of their true nearest neighbours that the table has, 0 to 1. 1 where there are none to be had.
    pub recall_measured: f64,
}

impl Found {
    /// What a search of any kind found among the rows of `matrix`, measured.
    #[must_use]
    pub fn measured(matrix: &FeatureMatrix, table: NeighborTable) -> Self {
        Self { recall_measured: recall::measure(matrix, &table), table }
    }
}

/// Why there are no neighbours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeighborError {
    /// More rows than an exact search takes.
    #[error("the exact search for neighbours takes at most {limit} rows, and these are {rows}; show fewer (--tracks, --every)")]
    TooManyRows {
        /// The rows.
        rows: usize,
        /// The most that it takes.
        limit: usize,
    },
    /// The watcher stopped it.
    #[error("stopped")]
    Cancelled,
}

/// The `k` nearest other rows of every row by Euclidean distance, or all others where there are fewer. Values must be finite.
///
/// # Errors
/// [`NeighborError`].
pub fn find(matrix: &FeatureMatrix, k: usize, watch: &dyn Watch) -> Result<Found, NeighborError> {
    Ok(Found::measured(matrix, exact::search(matrix, k, watch)?))
}
