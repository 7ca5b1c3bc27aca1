//! The search by cells: the rows of a cell are compared with those of the nearest cells alone, as one matrix product for each pair of cells.
//!
//! Queries of a cell share their list of cells to look at (which Jégou et al., 2011, make for every query), so that all work is dense. How far the
//! lists go is chosen by what finds enough neighbours ([`InCells::reach`]); where that is most of the rows, as in many independent dimensions, all pairs
//! are compared.

use rayon::prelude::*;

use super::cells::{Cells, square};
use super::distance::distance;
use super::exact;
use super::kept::{self, Kept};
use super::reach::InCells;
use super::stage::Stage;
use super::table::NeighborTable;
use super::{NeighborError, Watch};
use crate::matmul::{Operand, multiply};
use crate::matrix::{FeatureMatrix, RowSource as _};

/// Queries that one task takes, at most.
const QUERIES: usize = 256;
/// From this share of all rows on, comparing all is no slower.
const MOST_LOOKED_AT: f64 = 0.6;

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Cells, about.
    pub cells: usize,
    /// The share of true neighbours to find, 0 to 1.
    pub target: f64,
    /// The share of all rows from which on all pairs are compared instead.
    pub most_looked_at: f64,
}

impl Cut {
    /// For so many rows: 4 sqrt(rows) cells, so that finding the cells and looking through them cost about the same, and somewhat more neighbours
    /// than the 95 % that layouts need.
    pub fn for_rows(rows: usize) -> Self {
        Self { cells: (4.0 * (rows as f64).sqrt()) as usize, target: 0.98, most_looked_at: MOST_LOOKED_AT }
    }

    /// One that finds more, for where that was not enough.
    #[must_use]
    pub fn stricter(self) -> Self {
        Self { target: 1.0 - 0.25 * (1.0 - self.target), ..self }
    }
}

/// About the `k` nearest other rows of every row, `k` different ones in any case; `k` is cut to the number of other rows.
///
/// # Errors
/// [`NeighborError`].
pub fn search(matrix: &FeatureMatrix, k: usize, cut: Cut, watch: &dyn Watch) -> Result<NeighborTable, NeighborError> {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let k = k.min(rows.saturating_sub(1));
    if k == 0 || dims == 0 {
        return Ok(NeighborTable::default());
    }
    let mut table = NeighborTable::try_new(rows, k)?;
    let in_cells = InCells::new(matrix, cut.cells, Stage::new(watch, 0.0, 0.3))?;
    let reach = in_cells.reach(k, cut.target, Stage::new(watch, 0.3, 0.4))?.max(k + 1);
    log::debug!("{rows} rows in {} cells: neighbours are sought among {reach} rows and more", in_cells.cells.len());
    if reach as f64 >= cut.most_looked_at * rows as f64 {
        drop((table, in_cells));
        return exact::search(matrix, k, watch);
    }
    let tiles: Vec<(usize, usize)> =
        (0..in_cells.cells.len()).flat_map(|cell| in_cells.cells.places(cell).step_by(QUERIES).map(move |first| (cell, first))).collect();
    let stage = Stage::new(watch, 0.4, 1.0);
    let group = 32 * rayon::current_num_threads();
    for (number, group_tiles) in tiles.chunks(group).enumerate() {
        stage.go_on((number * group) as f64 / tiles.len() as f64)?;
        let found: Vec<Vec<(f32, u32)>> =
            group_tiles.par_iter().map(|&(cell, first)| in_cells.nearest_of_tile(cell, first, k, reach)).collect();
        for (&(_, first), found) in group_tiles.iter().zip(found) {
            for (&row, found) in in_cells.cells.order()[first..].iter().zip(found.chunks_exact(k)) {
                for (at, &(distance, other)) in (row as usize * k..).zip(found) {
                    (table.distances[at], table.indices[at]) = (distance, other);
                }
            }
        }
    }
    Ok(table)
}

impl<'a> InCells<'a> {
    fn new(matrix: &'a FeatureMatrix, cells: usize, stage: Stage<'_>) -> Result<Self, NeighborError> {
        let dims = matrix.dims();
        let centred = exact::centred(matrix);
        let cells = Cells::new(&centred, dims, cells, stage)?;
        let mut sorted = vec![0.0; centred.len()];
        sorted.par_chunks_mut(dims).zip(cells.order()).for_each(|(into, &row)| {
            into.copy_from_slice(&centred[row as usize * dims..(row as usize + 1) * dims]);
        });
        let norms = sorted.par_chunks(dims).map(square).collect();
        Ok(Self { matrix, cells, sorted, norms })
    }

    /// The neighbours of the rows of `cell` from the place `first` on, [`QUERIES`] at most, `[queries, k]`.
    fn nearest_of_tile(&self, cell: usize, first: usize, k: usize, reach: usize) -> Vec<(f32, u32)> {
        let (rows, dims, order) = (self.norms.len(), self.matrix.dims(), self.cells.order());
        let queries = QUERIES.min(self.cells.places(cell).end - first);
        let wanted = (k + kept::MARGIN).min(rows - 1);
        let mut kept: Vec<Kept> = (first..first + queries).map(|place| Kept::new(wanted, self.norms[place], dims)).collect();
        let ours = Operand::new(&self.sorted[first * dims..(first + queries) * dims], queries, dims);
        let mut products = Vec::new();
        let mut looked_at = 0;
        for other in self.cells.near_to_far(cell) {
            if looked_at >= reach {
                break;
            }
            let places = self.cells.places(other as usize);
            looked_at += places.len();
            let theirs = Operand::new(&self.sorted[places.start * dims..places.end * dims], places.len(), dims);
            products.resize(queries * places.len(), 0.0);
            multiply(ours, theirs.transposed(), &mut products);
            for (number, (kept, products)) in kept.iter_mut().zip(products.chunks_exact(places.len())).enumerate() {
                kept.look_through(products, &self.norms[places.clone()], places.start, first + number);
            }
        }
        let mut nearest = Vec::with_capacity(queries * k);
        for (place, kept) in (first..).zip(kept) {
            let own = self.matrix.row(order[place] as usize);
            let others = kept.into_candidates().map(|place| order[place as usize]);
            let mut found: Vec<(f32, u32)> = others.map(|other| (distance(own, self.matrix.row(other as usize)) as f32, other)).collect();
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(k);
            nearest.append(&mut found);
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::neighbors::{Patient, recall};
    use crate::seed::SplitMix64;

    /// By cells whatever it costs.
    fn forced(cells: usize) -> Cut {
        Cut { cells, target: 0.975, most_looked_at: 2.0 }
    }

    fn normal(rows: usize, dims: usize) -> FeatureMatrix {
        let mut seed = SplitMix64::new((rows * 7 + dims) as u64);
        FeatureMatrix::new(rows, dims, (0..rows * dims).map(|_| 30.0 + seed.next_normal()).collect())
    }

    /// Clusters of very unequal size: each has twice the rows of the next.
    fn clustered(rows: usize, dims: usize) -> FeatureMatrix {
        let mut seed = SplitMix64::new(rows as u64);
        let centres: Vec<f32> = (0..12 * dims).map(|_| 6.0 * seed.next_normal()).collect();
        let values = (0..rows).flat_map(|row| {
            let cluster = ((row + 1).trailing_zeros() as usize).min(11);
            (0..dims).map(|dim| centres[cluster * dims + dim] + seed.next_normal()).collect::<Vec<_>>()
        });
        FeatureMatrix::new(rows, dims, values.collect())
    }

    /// `k` different others for every row, nearest first, with their true distances.
    fn assert_sound(matrix: &FeatureMatrix, table: &NeighborTable, k: usize) {
        assert_eq!((table.rows(), table.k), (matrix.rows(), k.min(matrix.rows() - 1)));
        for row in 0..matrix.rows() {
            let (others, distances) = (table.of(row), &table.distances[row * table.k..(row + 1) * table.k]);
            let mut different = others.to_vec();
            different.sort_unstable();
            different.dedup();
            assert!(different.len() == table.k && !different.contains(&(row as u32)), "row {row}: {others:?}");
            assert!(distances.is_sorted(), "row {row}: {distances:?}");
            for (&other, &is) in others.iter().zip(distances) {
                assert_eq!(is, distance(matrix.row(row), matrix.row(other as usize)) as f32, "row {row}, {other}");
            }
        }
    }

    #[test]
    fn most_neighbours_are_those_of_the_exact_search_at_every_size() {
        for (rows, dims, k, cells) in [
            (2, 1, 5, 1),
            (3, 2, 1, 3),
            (40, 3, 39, 8),
            (127, 4, 9, 11),
            (128, 4, 9, 11),
            (129, 4, 9, 11),
            (255, 2, 9, 1),
            (256, 2, 9, 1),
            (257, 2, 9, 1),
            (1023, 8, 30, 100),
            (1025, 8, 30, 1025),
            (4097, 20, 15, 200),
        ] {
            for matrix in [clustered(rows, dims), normal(rows, dims)] {
                let table = search(&matrix, k, forced(cells), &Patient).unwrap();
                assert_sound(&matrix, &table, k);
                let exact = exact::search(&matrix, k, &Patient).unwrap();
                let same = (0..rows).map(|row| table.of(row).iter().filter(|other| exact.of(row).contains(other)).count()).sum::<usize>();
                let share = same as f64 / table.indices.len() as f64;
                assert!(share > 0.955, "{rows} x {dims}, {cells} cells: {share}");
                assert!((recall::measure(&matrix, &table) - share).abs() < 0.02);
            }
        }
    }

    #[test]
    fn a_table_that_was_spoilt_and_a_search_that_looks_too_near_have_less_recall() {
        let matrix = normal(3000, 12);
        let table = search(&matrix, 10, forced(200), &Patient).unwrap();
        let whole = recall::measure(&matrix, &table);
        let mut spoilt = table.clone();
        spoilt.indices.iter_mut().step_by(5).for_each(|other| *other = (*other + 1500) % 3000);
        assert!(recall::measure(&matrix, &spoilt) < whole - 0.15);
        let hasty = search(&matrix, 10, Cut { target: 0.5, ..forced(200) }, &Patient).unwrap();
        let found = recall::measure(&matrix, &hasty);
        assert!((0.45..0.75).contains(&found), "{found}");
    }

    #[test]
    fn where_cells_do_not_help_all_pairs_are_compared() {
        let matrix = normal(2000, 50);
        let table = search(&matrix, 10, Cut { most_looked_at: 0.0, ..forced(180) }, &Patient).unwrap();
        assert_eq!(table, exact::search(&matrix, 10, &Patient).unwrap());
    }

    #[test]
    fn degenerate_rows_have_neighbours_too() {
        let rows = 3000;
        let equal = FeatureMatrix::new(rows, 3, vec![0.7; 3 * rows]);
        let few = FeatureMatrix::new(rows, 2, (0..rows).flat_map(|row| [(row % 7) as f32, 5.0]).collect());
        let line = FeatureMatrix::new(rows, 1, (0..rows).map(|row| (row as f32).sqrt()).collect());
        let one_far = FeatureMatrix::new(rows, 1, (0..rows).map(|row| if row == 5 { 1e3 } else { row as f32 * 1e-3 }).collect());
        for (name, matrix) in [("equal", equal), ("few", few), ("line", line), ("one far", one_far)] {
            for k in [1, 15, 90] {
                let table = search(&matrix, k, Cut { most_looked_at: 2.0, ..Cut::for_rows(rows) }, &Patient).unwrap();
                assert_sound(&matrix, &table, k);
                let recall = recall::measure(&matrix, &table);
                assert!(recall > 0.95, "{name}, k {k}: {recall}");
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let matrix = clustered(3000, 10);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| search(&matrix, 20, forced(200), &Patient).unwrap())
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(5));
    }

    /// Stops a search when it has asked so many times.
    struct Impatient(AtomicUsize);

    impl Watch for Impatient {
        fn progress(&self, fraction: f64) {
            assert!((0.0..=1.0).contains(&fraction));
        }

        fn cancelled(&self) -> bool {
            self.0.fetch_sub(1, Ordering::Relaxed) == 1
        }
    }

    #[test]
    fn a_search_stops_wherever_it_is() {
        let matrix = clustered(2000, 4);
        let mut stopped = 0;
        for asked in 1.. {
            match search(&matrix, 5, forced(150), &Impatient(AtomicUsize::new(asked))) {
                Err(NeighborError::Cancelled) => stopped += 1,
                other => {
                    assert!(other.is_ok());
                    break;
                }
            }
        }
        // Rounds of k-means, all rows' cells, the rows that are tried, the tiles.
        assert!(stopped >= 9, "{stopped}");
    }

    #[test]
    fn a_stricter_cut_finds_more() {
        let matrix = normal(4000, 8);
        let cut = Cut { target: 0.6, ..forced(200) };
        let recall_of = |cut| recall::measure(&matrix, &search(&matrix, 10, cut, &Patient).unwrap());
        let (few, more) = (recall_of(cut), recall_of(cut.stricter()));
        assert!(more > few + 0.02 && more > 0.8, "{few}, then {more}");
    }
}
