//! How far a search by cells must look: found out on some rows whose true neighbours are sought among all.

use rayon::prelude::*;

use super::NeighborError;
use super::cells::{Cells, spread};
use super::distance::distance;
use super::kept::Kept;
use super::stage::Stage;
use crate::matmul::{Operand, multiply};
use crate::matrix::{FeatureMatrix, RowSource as _};

/// Rows that are tried. The share of neighbours found is known to about half a percent from so many.
const TRIED: usize = 800;
/// Of those, the ones that one task takes.
const BLOCK: usize = 8;
/// Rows that they are compared with at a time.
const CANDIDATES: usize = 4096;

/// Rows in the order of their cells.
pub struct InCells<'a> {
    /// As they came, `[rows, dims]`.
    pub matrix: &'a FeatureMatrix,
    /// Their cells.
    pub cells: Cells,
    /// Less their mean, cell by cell, `[rows, dims]`.
    pub sorted: Vec<f32>,
    /// Squared lengths of those, `[rows]`.
    pub norms: Vec<f32>,
}

impl InCells<'_> {
    /// How many rows must have been looked at, cell by cell from near to far, before a further cell can be left out, so that `target` (0 to 1) of
    /// the `k` true neighbours are found: the same share of the tried rows' neighbours lie in cells that come before that.
    ///
    /// # Errors
    /// [`NeighborError::Cancelled`].
    pub fn reach(&self, k: usize, target: f64, stage: Stage<'_>) -> Result<usize, NeighborError> {
        let rows = self.norms.len();
        let tried = spread(rows, TRIED.min(rows), 3);
        let group = BLOCK * 2 * rayon::current_num_threads();
        let mut before = Vec::with_capacity(tried.len() * k);
        for (number, places) in tried.chunks(group).enumerate() {
            stage.go_on((number * group) as f64 / tried.len() as f64)?;
            let found: Vec<Vec<usize>> = places.par_chunks(BLOCK).map(|places| self.rows_before_neighbors(places, k)).collect();
            before.extend(found.into_iter().flatten());
        }
        before.sort_unstable();
        let last = ((target * before.len() as f64).ceil() as usize).clamp(1, before.len().max(1)) - 1;
        // A cell is looked at if fewer rows came before it.
        Ok(before.get(last).map_or(0, |&rows| rows + 1))
    }

    /// For each true neighbour of the rows at `places`: how many rows come before its cell.
    fn rows_before_neighbors(&self, places: &[usize], k: usize) -> Vec<usize> {
        let (rows, dims) = (self.norms.len(), self.matrix.dims());
        let ours = super::cells::gather(&self.sorted, dims, places);
        let ours = Operand::new(&ours, places.len(), dims);
        let mut keys = vec![0.0_f32; places.len() * rows];
        let mut products = vec![0.0; places.len() * CANDIDATES];
        for first in (0..rows).step_by(CANDIDATES) {
            let count = CANDIDATES.min(rows - first);
            let products = &mut products[..places.len() * count];
            multiply(ours, Operand::new(&self.sorted[first * dims..(first + count) * dims], count, dims).transposed(), products);
            for (keys, products) in keys.chunks_exact_mut(rows).zip(products.chunks_exact(count)) {
                let norms = &self.norms[first..first + count];
                keys[first..first + count].iter_mut().zip(products.iter().zip(norms)).for_each(|(key, (product, norm))| {
                    *key = norm - 2.0 * product;
                });
            }
        }
        let mut before = Vec::with_capacity(places.len() * k);
        for (&place, keys) in places.iter().zip(keys.chunks_exact_mut(rows)) {
            keys[place] = f32::INFINITY;
            let mut ordered = keys.to_vec();
            let (_, last, _) = ordered.select_nth_unstable_by(k - 1, f32::total_cmp);
            let limit = Kept::new(k, self.norms[place], dims).surely_behind(*last);
            let own = self.row_at(place);
            let candidates = (0..rows).filter(|&other| other != place && keys[other] <= limit);
            let candidates: Vec<(f64, usize)> = candidates.map(|other| (distance(own, self.row_at(other)), other)).collect();
            let mut ordered: Vec<f64> = candidates.iter().map(|&(distance, _)| distance).collect();
            let (_, &mut farthest, _) = ordered.select_nth_unstable_by(k - 1, f64::total_cmp);
            // Of equally near rows, those count that are come upon first.
            let starts = self.rows_before_cells(self.cells.at(place));
            let near = candidates.iter().filter(|(distance, _)| *distance <= farthest);
            let mut near: Vec<usize> = near.map(|&(_, other)| starts[self.cells.at(other)]).collect();
            near.sort_unstable();
            before.extend(&near[..k]);
        }
        before
    }

    fn row_at(&self, place: usize) -> &[f32] {
        self.matrix.row(self.cells.order()[place] as usize)
    }

    /// `[cells]`: how many rows come before each, from `cell` on.
    fn rows_before_cells(&self, cell: usize) -> Vec<usize> {
        let mut starts = vec![0; self.cells.len()];
        let mut rows = 0;
        for other in self.cells.near_to_far(cell) {
            starts[other as usize] = rows;
            rows += self.cells.places(other as usize).len();
        }
        starts
    }
}
