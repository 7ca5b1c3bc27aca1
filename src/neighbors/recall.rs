//! How good a search was: a sample of rows, searched by plain loops.

use rayon::prelude::*;

use super::distance::distance;
use super::table::NeighborTable;
use crate::matrix::{FeatureMatrix, RowSource as _};
use crate::seed::SplitMix64;

/// Rows in the sample.
const SAMPLE: usize = 200;

/// The share of the sample's true neighbours that `table` has. One as near as the farthest of them counts as well as it.
#[must_use]
pub fn measure(matrix: &FeatureMatrix, table: &NeighborTable) -> f64 {
    let (rows, k) = (table.rows(), table.k);
    if rows == 0 {
        return 1.0;
    }
    let mut seed = SplitMix64::new(0);
    let sample: Vec<usize> =
        (0..SAMPLE.min(rows)).map(|at| if rows <= SAMPLE { at } else { seed.next_below(rows as u64) as usize }).collect();
    let found: usize = sample
        .par_iter()
        .map(|&row| {
            let own = matrix.row(row);
            let others = (0..matrix.rows()).filter(|&other| other != row);
            let mut all: Vec<f64> = others.map(|other| distance(own, matrix.row(other))).collect();
            let (_, &mut farthest, _) = all.select_nth_unstable_by(k - 1, f64::total_cmp);
            let farthest = farthest * (1.0 + 1e-6);
            let others = table.of(row);
            let distinct = |at: usize| !others[..at].contains(&others[at]);
            (0..k)
                .filter(|&at| distinct(at) && others[at] as usize != row && distance(own, matrix.row(others[at] as usize)) <= farthest)
                .count()
        })
        .sum();
    found as f64 / (sample.len() * k) as f64
}

#[cfg(test)]
/// The `k` nearest other rows, by all distances in `f64`, nearest first; of equally near ones the smaller number first.
pub fn nearest_by_plain_loops(matrix: &FeatureMatrix, row: usize, k: usize) -> Vec<(f64, u32)> {
    let others = (0..matrix.rows()).filter(|&other| other != row);
    let mut all: Vec<(f64, u32)> = others.map(|other| (plain_distance(matrix.row(row), matrix.row(other)), other as u32)).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.truncate(k);
    all
}

#[cfg(test)]
fn plain_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_wrong_neighbours_has_less_than_full_recall() {
        let matrix = FeatureMatrix::new(6, 1, vec![0.0, 1.0, 3.0, 7.0, 15.0, 31.0]);
        let indices: Vec<u32> =
            (0..6).flat_map(|row| nearest_by_plain_loops(&matrix, row, 2).into_iter().map(|(_, other)| other)).collect();
        let table = NeighborTable { k: 2, indices, distances: vec![0.0; 12] };
        assert_eq!(measure(&matrix, &table), 1.0);
        let mut wrong = table.clone();
        wrong.indices[0] = 5;
        assert_eq!(measure(&matrix, &wrong), 11.0 / 12.0);
        wrong.indices[0] = wrong.indices[1];
        assert_eq!(measure(&matrix, &wrong), 11.0 / 12.0, "one that is there twice counts once");
        wrong.indices[0] = 0;
        assert_eq!(measure(&matrix, &wrong), 11.0 / 12.0, "a row is no neighbour of its own");
    }
}
