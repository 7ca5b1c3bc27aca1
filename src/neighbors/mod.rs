//! Nearest neighbours of every row of a matrix: what t-SNE and UMAP start from.
//!
//! Of few rows, all pairs are compared (`exact`); of more, rows that lie in cells near each other (`approximate`). The search says how good it was:
//! [`Found::recall_measured`] comes from a sample of rows that are searched once more by plain loops in `f64`, and which the search knows nothing of.

mod among;
mod approximate;
mod cells;
mod distance;
mod exact;
mod kept;
mod metric;
mod reach;
mod recall;
mod stage;
mod table;
mod unit_rows;

pub use among::among;
pub use distance::distance;
pub use metric::Metric;
pub use table::NeighborTable;
pub use unit_rows::UnitRows;

use crate::matrix::{FeatureMatrix, RowSource as _};

/// From so many rows on, the search is by cells: below, comparing all pairs takes no longer.
const APPROXIMATE_FROM: usize = 20_000;
/// The share of true neighbours below which the search by cells is done once more, stricter.
const LEAST_RECALL: f64 = 0.95;

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
    /// What a search of any kind found among the rows of `matrix` by the lengths of differences, measured; the distances become the metric's.
    #[must_use]
    pub fn measured(matrix: &FeatureMatrix, mut table: NeighborTable, metric: Metric) -> Self {
        let recall_measured = recall::measure(matrix, &table);
        table.distances.iter_mut().for_each(|distance| *distance = metric.of_length(*distance));
        Self { recall_measured, table }
    }
}

/// Why there are no neighbours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeighborError {
    /// More rows than numbers of 32 bits.
    #[error("the search for neighbours takes at most {limit} rows, and these are {rows}; show fewer (--tracks, --every)")]
    TooManyRows {
        /// The rows.
        rows: usize,
        /// The most that it takes.
        limit: usize,
    },
    /// The neighbours do not fit the memory.
    #[error(
        "{k} neighbours of each of {rows} rows take {bytes} bytes of memory, which are not to be had; show fewer rows (--tracks, --every), or take fewer neighbours"
    )]
    Memory {
        /// The rows.
        rows: usize,
        /// Neighbours of each.
        k: usize,
        /// Bytes of the table.
        bytes: u128,
    },
    /// The watcher stopped it.
    #[error("stopped")]
    Cancelled,
}

/// The `k` nearest other rows of every row by `metric`, or all others where there are fewer. Values must be finite.
///
/// # Errors
/// [`NeighborError`].
pub fn find(matrix: &FeatureMatrix, k: usize, metric: Metric, watch: &dyn Watch) -> Result<Found, NeighborError> {
    match metric {
        Metric::Euclidean => find_by_length(matrix, k, metric, watch),
        Metric::Cosine => find_by_length(&unit_rows::scaled(matrix.clone()), k, metric, watch),
    }
}

/// As [`find`], where the rows are scaled already as `metric` asks ([`Metric::of_length`]): order and recall are by the lengths of differences, and
/// the distances are the metric's.
///
/// # Errors
/// [`NeighborError`].
pub fn find_by_length(matrix: &FeatureMatrix, k: usize, metric: Metric, watch: &dyn Watch) -> Result<Found, NeighborError> {
    if matrix.rows() < APPROXIMATE_FROM {
        return Ok(Found::measured(matrix, exact::search(matrix, k, watch)?, metric));
    }
    let cut = approximate::Cut::for_rows(matrix.rows());
    let found = Found::measured(matrix, approximate::search(matrix, k, cut, watch)?, metric);
    if found.recall_measured >= LEAST_RECALL {
        return Ok(found);
    }
    // The rows that were tried were easier than most.
    drop(found);
    Ok(Found::measured(matrix, approximate::search(matrix, k, cut.stricter(), watch)?, metric))
}

/// Watches a search, and lets it go on.
#[cfg(test)]
struct Patient;

#[cfg(test)]
impl Watch for Patient {
    fn progress(&self, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn cosine_neighbours_are_those_of_plain_loops_over_the_angles() {
        let (rows, dims, k) = (400, 6, 9);
        let mut seed = SplitMix64::new(4);
        // Far from the mean, and of very unequal lengths.
        let values = (0..rows).flat_map(|row| {
            let length = 10.0_f32.powi(row % 7 - 3);
            (0..dims).map(|_| length * (1.0 + seed.next_normal())).collect::<Vec<_>>()
        });
        let matrix = FeatureMatrix::new(rows as usize, dims, values.collect());
        let found = find(&matrix, k, Metric::Cosine, &Patient).unwrap();
        assert_eq!(found.recall_measured, 1.0);
        let dot = |a: usize, b: usize| matrix.row(a).iter().zip(matrix.row(b)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        for row in 0..rows as usize {
            let others = (0..rows as usize).filter(|&other| other != row);
            let mut should: Vec<(f64, u32)> =
                others.map(|other| (1.0 - dot(row, other) / (dot(row, row) * dot(other, other)).sqrt(), other as u32)).collect();
            should.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(found.table.of(row).iter().zip(&should).all(|(is, (_, should))| is == should), "row {row}");
            for (is, (should, _)) in found.table.distances[row * k..].iter().zip(&should[..k]) {
                assert!((f64::from(*is) - should).abs() < 1e-6, "{is} for {should}");
            }
        }
        assert_ne!(found.table.indices, find(&matrix, k, Metric::Euclidean, &Patient).unwrap().table.indices);
    }

    #[test]
    fn rows_of_zeros_are_half_from_all_that_have_a_direction() {
        let matrix = FeatureMatrix::new(4, 2, vec![0.0, 0.0, 2.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
        let table = find(&matrix, 3, Metric::Cosine, &Patient).unwrap().table;
        assert_eq!((table.of(0), &table.distances[..3]), (&[2, 1, 3][..], &[0.0, 0.5, 0.5][..]));
        assert_eq!((table.of(1), &table.distances[3..6]), (&[0, 2, 3][..], &[0.5, 0.5, 2.0][..]));
    }

    #[test]
    fn both_searches_find_the_neighbours_around_the_number_of_rows_where_they_change() {
        let mut seed = SplitMix64::new(8);
        for rows in [APPROXIMATE_FROM - 1, APPROXIMATE_FROM, APPROXIMATE_FROM + 1] {
            let matrix = FeatureMatrix::new(rows, 4, (0..rows * 4).map(|_| seed.next_normal()).collect());
            let found = find(&matrix, 10, Metric::Euclidean, &Patient).unwrap();
            assert_eq!((found.table.rows(), found.table.k), (rows, 10));
            assert!(found.recall_measured >= if rows < APPROXIMATE_FROM { 1.0 } else { 0.95 }, "{rows} rows: {}", found.recall_measured);
        }
    }
}
