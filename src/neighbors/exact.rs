//! The exact search: all pairs of rows, a block of queries against a block of candidates at a time, as one matrix product.
//!
//! With rows centred at their mean, |a - b|² = |a|² + |b|² - 2 a·b. Its rounding in `f32` may swap near ties, and far from the mean more than
//! those: all are kept that rounding may have put behind the `k`th, and their distances are computed anew from the differences.

use rayon::prelude::*;

use super::distance::distance;
use super::kept::{self, Kept};
use super::table::NeighborTable;
use super::{NeighborError, Watch};
use crate::matmul::{Operand, multiply};
use crate::matrix::{FeatureMatrix, RowSource as _};

/// Rows whose neighbours one task seeks.
const QUERIES: usize = 128;
/// Rows that they are compared with at a time.
const CANDIDATES: usize = 1024;

/// The `k` nearest other rows of every row; `k` is cut to the number of other rows.
///
/// # Errors
/// [`NeighborError`].
pub fn search(matrix: &FeatureMatrix, k: usize, watch: &dyn Watch) -> Result<NeighborTable, NeighborError> {
    let rows = matrix.rows();
    let k = k.min(rows.saturating_sub(1));
    if k == 0 || matrix.dims() == 0 {
        return Ok(NeighborTable::default());
    }
    let centred = centred(matrix);
    let norms: Vec<f32> = centred.par_chunks(matrix.dims()).map(|row| row.iter().map(|value| value * value).sum()).collect();
    let NeighborTable { mut indices, mut distances, .. } = NeighborTable::try_new(rows, k)?;
    // In groups, so that a search of minutes can be stopped.
    let group = QUERIES * 4 * rayon::current_num_threads();
    for first in (0..rows).step_by(group) {
        watch.progress(first as f64 / rows as f64);
        if watch.cancelled() {
            return Err(NeighborError::Cancelled);
        }
        let end = rows.min(first + group);
        let blocks = indices[first * k..end * k].par_chunks_mut(QUERIES * k).zip(distances[first * k..end * k].par_chunks_mut(QUERIES * k));
        blocks.enumerate().for_each(|(block, (indices, distances))| {
            let query = first + block * QUERIES;
            nearest_of_block(matrix, &centred, &norms, query, k, indices, distances);
        });
    }
    Ok(NeighborTable { k, indices, distances })
}

/// The rows minus their mean: large common values would cost the digits of the differences.
pub fn centred(matrix: &FeatureMatrix) -> Vec<f32> {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let mut mean = vec![0.0_f64; dims];
    for row in matrix.values().chunks_exact(dims) {
        for (sum, &value) in mean.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    let mean: Vec<f64> = mean.iter().map(|sum| sum / rows as f64).collect();
    matrix.values().par_iter().enumerate().map(|(at, &value)| (f64::from(value) - mean[at % dims]) as f32).collect()
}

fn nearest_of_block(
    matrix: &FeatureMatrix,
    centred: &[f32],
    norms: &[f32],
    query: usize,
    k: usize,
    indices: &mut [u32],
    distances: &mut [f32],
) {
    let dims = matrix.dims();
    let (rows, queries) = (norms.len(), indices.len() / k);
    let mut kept: Vec<Kept> = (query..query + queries).map(|row| Kept::new((k + kept::MARGIN).min(rows - 1), norms[row], dims)).collect();
    let ours = Operand::new(&centred[query * dims..(query + queries) * dims], queries, dims);
    let mut products = vec![0.0; queries * CANDIDATES];
    for first in (0..rows).step_by(CANDIDATES) {
        let count = CANDIDATES.min(rows - first);
        let theirs = Operand::new(&centred[first * dims..(first + count) * dims], count, dims);
        let products = &mut products[..queries * count];
        multiply(ours, theirs.transposed(), products);
        for (number, (kept, products)) in kept.iter_mut().zip(products.chunks_exact(count)).enumerate() {
            kept.look_through(products, &norms[first..first + count], first, query + number);
        }
    }
    for (number, kept) in kept.into_iter().enumerate() {
        let row = query + number;
        let mut found: Vec<(f32, u32)> =
            kept.into_candidates().map(|other| (distance(matrix.row(row), matrix.row(other as usize)) as f32, other)).collect();
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (at, (distance, other)) in found.into_iter().take(k).enumerate() {
            (distances[number * k + at], indices[number * k + at]) = (distance, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbors::Patient;
    use crate::neighbors::recall::nearest_by_plain_loops;
    use crate::seed::SplitMix64;

    fn random(rows: usize, dims: usize, mean: f32) -> FeatureMatrix {
        let mut seed = SplitMix64::new((rows * 7 + dims) as u64);
        FeatureMatrix::new(rows, dims, (0..rows * dims).map(|_| mean + seed.next_normal()).collect())
    }

    #[test]
    fn neighbours_are_those_of_plain_loops_at_every_block_border() {
        for (rows, dims, k) in
            [(2, 1, 5), (3, 2, 1), (16, 3, 15), (127, 4, 9), (128, 4, 9), (129, 4, 9), (1023, 8, 30), (1024, 8, 30), (1025, 8, 30)]
        {
            let matrix = random(rows, dims, 100.0);
            let table = search(&matrix, k, &Patient).unwrap();
            assert_eq!((table.k, table.rows()), (k.min(rows - 1), rows));
            for row in 0..rows {
                let should = nearest_by_plain_loops(&matrix, row, table.k);
                assert!(table.of(row).iter().zip(&should).all(|(is, (_, should))| is == should), "row {row} of {rows}");
                for (is, (should, _)) in table.distances[row * table.k..].iter().zip(&should) {
                    assert!((f64::from(*is) - should).abs() < 1e-4 * (1.0 + should), "{is} for {should}");
                }
            }
        }
    }

    #[test]
    fn equal_rows_are_each_others_neighbours_and_never_their_own() {
        let table = search(&FeatureMatrix::new(300, 3, vec![0.7; 900]), 4, &Patient).unwrap();
        assert_eq!((table.of(0), table.of(2), table.of(299)), (&[1, 2, 3, 4][..], &[0, 1, 3, 4][..], &[0, 1, 2, 3][..]));
        assert!(table.distances.iter().all(|&distance| distance == 0.0));
    }

    #[test]
    fn tight_clusters_far_from_the_mean_lose_no_neighbours() {
        let mut seed = SplitMix64::new(3);
        let centres: Vec<f32> = (0..20 * 12).map(|_| 10.0 * seed.next_normal()).collect();
        for spread in [1e-1, 1e-2, 1e-3] {
            let values = (0..1500 * 12).map(|at| centres[(at / 12) % 20 * 12 + at % 12] + spread * seed.next_normal()).collect();
            let matrix = FeatureMatrix::new(1500, 12, values);
            let table = search(&matrix, 20, &Patient).unwrap();
            assert!(crate::neighbors::recall::measure(&matrix, &table) > 0.999, "spread {spread}");
        }
    }

    #[test]
    fn too_few_rows_have_no_neighbours() {
        assert_eq!(search(&random(1, 3, 0.0), 5, &Patient).unwrap(), NeighborTable::default());
        assert_eq!(search(&FeatureMatrix::new(0, 3, Vec::new()), 5, &Patient).unwrap().rows(), 0);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let matrix = random(3000, 10, 0.0);
        let with = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| search(&matrix, 20, &Patient).unwrap())
        };
        assert_eq!(with(1), with(3));
    }
}
