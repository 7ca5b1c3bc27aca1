//! How strongly rows belong together: a fuzzy set of edges (McInnes et al. 2018, section 3.1 and algorithms 2 and 3).

use rayon::prelude::*;

use crate::neighbors::NeighborTable;

/// Steps of the bisection; each halves what is unknown of a row's scale.
const BISECTIONS: usize = 64;
/// How near the sum of a row's memberships has to come.
const TOLERANCE: f64 = 1e-5;
/// A row's scale is at least so large a share of its neighbours' mean distance: with less, one neighbour would be all.
const SMALLEST_SCALE: f64 = 1e-3;
/// Rows that one task takes.
const TASK: usize = 1024;

/// Edges with their memberships, symmetric, without those that are 0: compressed rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FuzzySet {
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl FuzzySet {
    /// Of `rows` rows with these neighbours. Each row's memberships sum to log2(k + 1) before they are joined: umap-learn counts the row itself
    /// among its k + 1 neighbours, and gives it none.
    #[must_use]
    pub fn new(rows: usize, table: &NeighborTable) -> Self {
        let k = table.k;
        if k == 0 {
            return Self { offsets: vec![0; rows + 1], ..Self::default() };
        }
        let mean = table.distances.par_chunks(TASK * k).map(|part| part.iter().map(|&d| f64::from(d)).sum::<f64>()).collect::<Vec<_>>();
        let mean = mean.into_iter().sum::<f64>() / table.distances.len() as f64;
        let mut directed = vec![0.0_f32; table.distances.len()];
        directed.par_chunks_mut(k).zip(table.distances.par_chunks(k)).for_each(|(into, distances)| memberships(distances, mean, into));

        // Who has a row among its neighbours, by counting; rows come in their order, so that each list ascends.
        let mut starts = vec![0_usize; rows + 1];
        for &to in &table.indices {
            starts[to as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut incoming = vec![(0_u32, 0.0_f32); table.indices.len()];
        for (at, (&to, &membership)) in table.indices.iter().zip(&directed).enumerate() {
            let place = &mut next[to as usize];
            incoming[*place] = ((at / k) as u32, membership);
            *place += 1;
        }
        drop(next);

        let joined: Vec<(Vec<u32>, Vec<u32>, Vec<f32>)> = (0..rows.div_ceil(TASK))
            .into_par_iter()
            .map(|task| {
                let (mut ends, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
                let mut outgoing = Vec::with_capacity(k);
                for row in task * TASK..rows.min((task + 1) * TASK) {
                    outgoing.clear();
                    outgoing.extend(table.of(row).iter().copied().zip(directed[row * k..(row + 1) * k].iter().copied()));
                    outgoing.sort_unstable_by_key(|&(other, _)| other);
                    for (other, membership) in union(&outgoing, &incoming[starts[row]..starts[row + 1]]) {
                        columns.push(other);
                        values.push(membership);
                    }
                    ends.push(columns.len() as u32);
                }
                (ends, columns, values)
            })
            .collect();
        let total = joined.iter().map(|(_, columns, _)| columns.len()).sum();
        let mut set = Self { offsets: Vec::with_capacity(rows + 1), columns: Vec::with_capacity(total), values: Vec::with_capacity(total) };
        set.offsets.push(0);
        for (ends, columns, values) in joined {
            let before = set.columns.len();
            set.offsets.extend(ends.into_iter().map(|end| before + end as usize));
            set.columns.extend(columns);
            set.values.extend(values);
        }
        set
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of entries; an edge has two.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is no edge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// A row's edges: the other row, ascending, and the membership, in (0, 1].
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.offsets[row]..self.offsets[row + 1];
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// As a GPU takes it: where each row's entries begin, `[rows + 1]`, the other row of each entry, and its membership. None where there are more
    /// entries than 32 bits count.
    #[must_use]
    pub fn columns(&self) -> Option<(Vec<u32>, &[u32], &[f32])> {
        let offsets = self.offsets.iter().map(|&offset| u32::try_from(offset).ok()).collect::<Option<Vec<u32>>>()?;
        Some((offsets, &self.columns, &self.values))
    }
}

/// p + q - p q of two lists that ascend by row.
fn union<'a>(ours: &'a [(u32, f32)], theirs: &'a [(u32, f32)]) -> impl Iterator<Item = (u32, f32)> + 'a {
    let (mut ours, mut theirs) = (ours.iter().copied().peekable(), theirs.iter().copied().peekable());
    std::iter::from_fn(move || match (ours.peek(), theirs.peek()) {
        (Some(&(a, p)), Some(&(b, q))) if a == b => {
            ours.next();
            theirs.next();
            // Not p + q - p q, which may round to more than 1.
            Some((a, p.max(q) + p.min(q) * (1.0 - p.max(q))))
        }
        (Some(&(a, _)), Some(&(b, _))) if a < b => ours.next(),
        (_, Some(_)) => theirs.next(),
        _ => ours.next(),
    })
    .filter(|&(_, membership)| membership > 0.0)
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
        for rows in [60, TASK - 1, TASK, TASK + 1] {
            let table = made_up(rows, 6);
            let set = FuzzySet::new(rows, &table);
            let mut directed = vec![0.0_f32; rows * 6];
            for (distances, into) in table.distances.chunks(6).zip(directed.chunks_mut(6)) {
                memberships(distances, 0.6, into);
            }
            let of = |from: usize, to: usize| {
                table.of(from).iter().position(|&other| other as usize == to).map_or(0.0, |at| directed[from * 6 + at])
            };
            assert_eq!((set.rows(), set.len()), (rows, (0..rows).map(|row| set.of(row).count()).sum()));
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
