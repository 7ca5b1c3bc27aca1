//! The nearest rows of one matrix for the rows of another: all pairs, as in the exact search within one.

use rayon::prelude::*;

use super::kept::{self, Kept};
use super::table::NeighborTable;
use super::{Found, NeighborError, Watch};
use crate::matmul::{Operand, multiply};
use crate::matrix::{FeatureMatrix, RowSource as _};
use crate::seed::SplitMix64;

/// Queries that one task takes.
const QUERIES: usize = 128;
/// References that they are compared with at a time.
const CANDIDATES: usize = 1024;
/// Queries that are sought once more by plain loops.
const SAMPLE: usize = 200;

/// The `k` nearest rows of `references`, `[references, dims]`, for every row of `queries`, `[queries, dims]`, by Euclidean distance, or all where
/// there are fewer: `[queries, k]` numbers of references. Values must be finite. The work is queries times references.
///
/// # Errors
/// [`NeighborError::Cancelled`].
///
/// # Panics
/// If the two have other dims: a caller's mistake.
pub fn among(references: &FeatureMatrix, queries: &FeatureMatrix, k: usize, watch: &dyn Watch) -> Result<Found, NeighborError> {
    assert_eq!(references.dims(), queries.dims(), "queries of other dims than the references");
    let (rows, dims) = (queries.rows(), queries.dims());
    let k = k.min(references.rows());
    if k == 0 || rows == 0 || dims == 0 {
        return Ok(Found { table: NeighborTable::default(), recall_measured: 1.0 });
    }
    let mean = mean(references);
    let (centred, asked) = (less(references, &mean), less(queries, &mean));
    let norms: Vec<f32> = centred.par_chunks(dims).map(square).collect();
    let search = Search { references, queries, centred: &centred, asked: &asked, norms: &norms };
    let (mut indices, mut distances) = (vec![0; rows * k], vec![0.0; rows * k]);
    // In groups, so that a search of minutes can be stopped.
    let group = QUERIES * 4 * rayon::current_num_threads();
    for first in (0..rows).step_by(group) {
        watch.progress(first as f64 / rows as f64);
        if watch.cancelled() {
            return Err(NeighborError::Cancelled);
        }
        let end = rows.min(first + group);
        let blocks = indices[first * k..end * k].par_chunks_mut(QUERIES * k).zip(distances[first * k..end * k].par_chunks_mut(QUERIES * k));
        blocks.enumerate().for_each(|(block, (indices, distances))| search.block(first + block * QUERIES, k, indices, distances));
    }
    let table = NeighborTable { k, indices, distances };
    let recall_measured = recall(references, queries, &table);
    Ok(Found { table, recall_measured })
}

struct Search<'a> {
    references: &'a FeatureMatrix,
    queries: &'a FeatureMatrix,
    /// The references less their mean: large common values would cost the digits of the differences.
    centred: &'a [f32],
    /// The queries less the same.
    asked: &'a [f32],
    /// Squared lengths of the centred references.
    norms: &'a [f32],
}

impl Search<'_> {
    /// The neighbours of the queries from `query` on, `[queries, k]`.
    fn block(&self, query: usize, k: usize, indices: &mut [u32], distances: &mut [f32]) {
        let (rows, dims, queries) = (self.norms.len(), self.queries.dims(), indices.len() / k);
        let ours = &self.asked[query * dims..(query + queries) * dims];
        let wanted = (k + kept::MARGIN).min(rows);
        let mut kept: Vec<Kept> = ours.chunks_exact(dims).map(|row| Kept::new(wanted, square(row), dims)).collect();
        let ours = Operand::new(ours, queries, dims);
        let mut products = vec![0.0; queries * CANDIDATES];
        for first in (0..rows).step_by(CANDIDATES) {
            let count = CANDIDATES.min(rows - first);
            let theirs = Operand::new(&self.centred[first * dims..(first + count) * dims], count, dims);
            let products = &mut products[..queries * count];
            multiply(ours, theirs.transposed(), products);
            for (kept, products) in kept.iter_mut().zip(products.chunks_exact(count)) {
                // No reference is the query itself.
                kept.look_through(products, &self.norms[first..first + count], first, usize::MAX);
            }
        }
        for (number, kept) in kept.into_iter().enumerate() {
            let own = self.queries.row(query + number);
            let mut found: Vec<(f64, u32)> =
                kept.into_candidates().map(|other| (distance(own, self.references.row(other as usize)), other)).collect();
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            for (at, (distance, other)) in found.into_iter().take(k).enumerate() {
                (distances[number * k + at], indices[number * k + at]) = (distance as f32, other);
            }
        }
    }
}

fn mean(matrix: &FeatureMatrix) -> Vec<f64> {
    let mut sums = vec![0.0_f64; matrix.dims()];
    for row in matrix.values().chunks_exact(matrix.dims()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    sums.iter().map(|sum| sum / matrix.rows() as f64).collect()
}

fn less(matrix: &FeatureMatrix, mean: &[f64]) -> Vec<f32> {
    matrix.values().par_iter().enumerate().map(|(at, &value)| (f64::from(value) - mean[at % mean.len()]) as f32).collect()
}

fn square(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

/// Of a sample of queries: the share of their true nearest references that the table has. One as near as the farthest of them counts as well as it.
fn recall(references: &FeatureMatrix, queries: &FeatureMatrix, table: &NeighborTable) -> f64 {
    let (rows, k) = (table.rows(), table.k);
    let mut seed = SplitMix64::new(0);
    let sample: Vec<usize> =
        (0..SAMPLE.min(rows)).map(|at| if rows <= SAMPLE { at } else { seed.next_below(rows as u64) as usize }).collect();
    let found: usize = sample
        .par_iter()
        .map(|&row| {
            let to = |other: usize| distance(queries.row(row), references.row(other));
            let mut all: Vec<f64> = (0..references.rows()).map(to).collect();
            let (_, farthest, _) = all.select_nth_unstable_by(k - 1, f64::total_cmp);
            let farthest = *farthest * (1.0 + 1e-6);
            let others = table.of(row);
            (0..k).filter(|&at| !others[..at].contains(&others[at]) && to(others[at] as usize) <= farthest).count()
        })
        .sum();
    found as f64 / (sample.len() * k) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbors::Patient;

    fn random(rows: usize, dims: usize, seed: u64) -> FeatureMatrix {
        let mut seed = SplitMix64::new(seed);
        FeatureMatrix::new(rows, dims, (0..rows * dims).map(|_| 100.0 + seed.next_normal()).collect())
    }

    #[test]
    fn neighbours_among_others_are_those_of_plain_loops_at_every_block_border() {
        for (references, queries, dims, k) in
            [(1, 3, 2, 4), (5, 1, 1, 5), (1023, 127, 4, 9), (1024, 128, 4, 9), (1025, 129, 4, 30), (40, 700, 8, 40)]
        {
            let (references, queries) = (random(references, dims, 1), random(queries, dims, 2));
            let found = among(&references, &queries, k, &Patient).unwrap();
            assert_eq!((found.table.k, found.table.rows(), found.recall_measured), (k.min(references.rows()), queries.rows(), 1.0));
            for row in 0..queries.rows() {
                let mut should: Vec<(f64, u32)> =
                    (0..references.rows()).map(|other| (distance(queries.row(row), references.row(other)), other as u32)).collect();
                should.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                assert!(found.table.of(row).iter().zip(&should).all(|(is, (_, should))| is == should), "query {row}");
            }
        }
    }

    #[test]
    fn an_equal_row_is_a_neighbour_at_no_distance_and_wrong_ones_are_noticed() {
        let matrix = random(300, 3, 1);
        let found = among(&matrix, &matrix, 5, &Patient).unwrap();
        assert!((0..300).all(|row| found.table.of(row)[0] as usize == row && found.table.distances[row * 5] == 0.0));
        let mut wrong = found.table.clone();
        wrong.indices.iter_mut().for_each(|index| *index = (*index + 150) % 300);
        assert!(recall(&matrix, &matrix, &wrong) < 0.3);
        assert_eq!(among(&matrix, &FeatureMatrix::new(0, 3, Vec::new()), 5, &Patient).unwrap().table.rows(), 0);
    }
}
