//! How strongly rows belong together: a fuzzy set of edges (McInnes et al. 2018, section 3.1 and algorithms 2 and 3).

use rayon::prelude::*;

use crate::neighbors::NeighborTable;
use crate::project::joined_rows::JoinedRows;

/// Steps of the bisection; each halves what is unknown of a row's scale.
const BISECTIONS: usize = 64;
/// How near the sum of a row's memberships has to come.
const TOLERANCE: f64 = 1e-5;
/// A row's scale is at least so large a share of its neighbours' mean distance: with less, one neighbour would be all.
const SMALLEST_SCALE: f64 = 1e-3;
/// Rows that one task takes.
const TASK: usize = 1024;

/// Edges with their memberships in (0, 1], symmetric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FuzzySet(JoinedRows);

impl FuzzySet {
    /// Of `rows` rows with these neighbours. Each row's memberships sum to log2(k + 1) before they are joined to p + q - p q: umap-learn counts the
    /// row itself among its k + 1 neighbours, and gives it none.
    #[must_use]
    pub fn new(rows: usize, table: &NeighborTable) -> Self {
        let k = table.k.max(1);
        let sums: Vec<f64> = table.distances.par_chunks(TASK * k).map(|part| part.iter().map(|&d| f64::from(d)).sum::<f64>()).collect();
        let mean = sums.into_iter().sum::<f64>() / table.distances.len().max(1) as f64;
        let mut directed = vec![0.0_f32; table.distances.len()];
        directed.par_chunks_mut(k).zip(table.distances.par_chunks(k)).for_each(|(into, distances)| memberships(distances, mean, into));
        let union = |p: f64, q: f64| Some((p + q - p * q) as f32).filter(|&membership| membership > 0.0);
        Self(JoinedRows::new(rows, table, &directed, union))
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Number of entries; an edge has two.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.0.entries()
    }

    /// A row's edges: the other row, ascending, and the membership, in (0, 1].
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (u32, f32)> {
        self.0.of(row)
    }

    /// As a GPU takes it; none where there are more entries than 32 bits count. Offsets are `[rows + 1]`.
    #[must_use]
    pub fn columns(&self) -> Option<(Vec<u32>, &[u32], &[f32])> {
        self.0.columns()
    }
}

/// A row's memberships: exp(-(d - d0) / s), d0 the smallest distance that is not 0, with the s for which they sum to log2(k + 1). `mean`: of
/// all rows' distances.
fn memberships(distances: &[f32], mean: f64, into: &mut [f32]) {
    let nearest = distances.iter().copied().filter(|&distance| distance > 0.0).fold(f32::INFINITY, f32::min);
    let nearest = if nearest.is_finite() { f64::from(nearest) } else { 0.0 };
    let membership = |distance: f32, scale: f64| {
        let beyond = f64::from(distance) - nearest;
        if beyond <= 0.0 { 1.0 } else { (-beyond / scale).exp() }
    };
    let wanted = ((distances.len() + 1) as f64).log2();
    let (mut scale, mut low, mut high) = (1.0, 0.0, f64::INFINITY);
    for _ in 0..BISECTIONS {
        let sum: f64 = distances.iter().map(|&distance| membership(distance, scale)).sum();
        if (sum - wanted).abs() < TOLERANCE {
            break;
        }
        if sum > wanted {
            high = scale;
        } else {
            low = scale;
        }
        scale = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * scale };
    }
    let own_mean = distances.iter().map(|&distance| f64::from(distance)).sum::<f64>() / distances.len() as f64;
    let least = SMALLEST_SCALE * if nearest > 0.0 { own_mean } else { mean };
    let scale = scale.max(least).max(f64::MIN_POSITIVE);
    for (into, &distance) in into.iter_mut().zip(distances) {
        *into = membership(distance, scale) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::joined_rows::BLOCK_ROWS;
    use crate::seed::SplitMix64;

    fn made_up(rows: usize, k: usize) -> NeighborTable {
        let mut seed = SplitMix64::new(3);
        let indices = (0..rows).flat_map(|row| (1..=k).map(move |step| ((row + step * step) % rows) as u32)).collect();
        let mut distances: Vec<f32> = (0..rows * k).map(|_| 0.1 + seed.next_f32()).collect();
        distances.chunks_mut(k).for_each(|row| row.sort_by(f32::total_cmp));
        NeighborTable { k, indices, distances }
    }

    #[test]
    fn each_rows_memberships_sum_to_the_logarithm_of_its_neighbours() {
        let table = made_up(100, 14);
        for distances in table.distances.chunks(14) {
            let mut found = [0.0; 14];
            memberships(distances, 1.0, &mut found);
            assert!((found.iter().sum::<f32>() - 15.0_f32.log2()).abs() < 1e-4 && found[0] == 1.0);
        }
    }

    #[test]
    fn equal_and_extreme_distances_give_memberships() {
        for distances in [[0.0; 3], [5.0; 3], [0.0, 0.0, 1e-30], [1e-20, 1.0, 1e15]] {
            let mut found = [9.0; 3];
            memberships(&distances, 1.0, &mut found);
            assert!(found[0] == 1.0 && found.iter().all(|is| (0.0..=1.0).contains(is)), "{distances:?}: {found:?}");
        }
    }

    #[test]
    fn the_set_is_symmetric_and_joins_both_directions() {
        for rows in [60, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1] {
            let table = made_up(rows, 6);
            let set = FuzzySet::new(rows, &table);
            let mut directed = vec![0.0_f32; rows * 6];
            for (distances, into) in table.distances.chunks(6).zip(directed.chunks_mut(6)) {
                memberships(distances, 0.6, into);
            }
            let of = |from: usize, to: usize| {
                table.of(from).iter().position(|&other| other as usize == to).map_or(0.0, |at| directed[from * 6 + at])
            };
            assert_eq!((set.rows(), set.entries()), (rows, (0..rows).map(|row| set.of(row).count()).sum()));
            for row in 0..rows {
                let mut last = None;
                for (other, value) in set.of(row) {
                    let (p, q) = (of(row, other as usize), of(other as usize, row));
                    assert!(last < Some(other) && value > 0.0 && value <= 1.0 && (value - (p + q - p * q)).abs() < 1e-6);
                    assert!(set.of(other as usize).any(|back| back == (row as u32, value)));
                    last = Some(other);
                }
            }
        }
    }
}
