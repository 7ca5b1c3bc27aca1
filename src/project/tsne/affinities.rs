//! How strongly rows belong together: Gaussians over the neighbours' distances, as wide as the perplexity asks, made symmetric.

use rayon::prelude::*;

use crate::neighbors::NeighborTable;

/// Steps of the bisection; each halves what is unknown of a Gaussian's width.
const BISECTIONS: usize = 100;
/// How near the entropy has to come, in nats.
const TOLERANCE: f64 = 1e-7;
/// Rows whose entries one task writes.
const BLOCK_ROWS: usize = 1024;

/// The matrix P of van der Maaten and Hinton (2008), symmetric, without its zeros: compressed rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affinities {
    /// `[rows + 1]`: where each row's entries begin.
    offsets: Vec<usize>,
    /// The other row of each entry, ascending within a row.
    columns: Vec<u32>,
    /// p_ij of each entry; all of them sum to 1.
    values: Vec<f32>,
}

impl Affinities {
    /// Of `rows` rows with these neighbours, at `perplexity` (the 2^entropy of a row's conditional probabilities, here e^entropy in nats).
    #[must_use]
    pub fn new(rows: usize, table: &NeighborTable, perplexity: f64) -> Self {
        Self::symmetric(rows, table, &conditional(table, perplexity))
    }

    /// (p_j|i + p_i|j) / 2 N of `rows` rows with these neighbours, whose distances are not looked at, and their conditional probabilities,
    /// `[rows, k]`.
    ///
    /// # Panics
    /// If there are not as many probabilities as neighbours: a caller's mistake.
    #[must_use]
    pub(super) fn symmetric(rows: usize, table: &NeighborTable, conditional: &[f32]) -> Self {
        assert_eq!(table.indices.len(), conditional.len(), "a probability for each neighbour");
        let k = table.k;
        if k == 0 {
            return Self { offsets: vec![0; rows + 1], ..Self::default() };
        }
        let incoming = Incoming::new(rows, table, conditional);
        let scale = 0.5 / rows as f64;
        let of_row = |row: usize, ours: &mut Vec<(u32, f32)>| {
            ours.clear();
            ours.extend(table.of(row).iter().copied().zip(conditional[row * k..(row + 1) * k].iter().copied()));
            ours.sort_unstable_by_key(|&(other, _)| other);
        };
        // Twice over the rows, first counting: lists that grow would take as much memory again.
        let mut offsets = vec![0_usize; rows + 1];
        offsets[1..].par_iter_mut().enumerate().for_each_init(Vec::new, |ours, (row, count)| {
            of_row(row, ours);
            *count = Merged::new(ours, incoming.of(row)).count();
        });
        for row in 0..rows {
            offsets[row + 1] += offsets[row];
        }
        let total = offsets[rows];
        let (mut columns, mut values) = (vec![0; total], vec![0.0; total]);
        let (mut columns_left, mut values_left) = (&mut columns[..], &mut values[..]);
        let mut blocks = Vec::with_capacity(rows.div_ceil(BLOCK_ROWS));
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let end = rows.min(first + BLOCK_ROWS);
            let (columns, values);
            (columns, columns_left) = columns_left.split_at_mut(offsets[end] - offsets[first]);
            (values, values_left) = values_left.split_at_mut(offsets[end] - offsets[first]);
            blocks.push((first..end, columns, values));
        }
        blocks.into_par_iter().for_each_init(Vec::new, |ours, (rows, columns, values)| {
            let mut places = columns.iter_mut().zip(values);
            for row in rows {
                of_row(row, ours);
                for ((other, p), (column, value)) in Merged::new(ours, incoming.of(row)).zip(&mut places) {
                    (*column, *value) = (other, (p * scale) as f32);
                }
            }
        });
        Self { offsets, columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// A row's entries: the other row, and p_ij.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (usize, f32)> {
        let range = self.offsets[row]..self.offsets[row + 1];
        self.columns[range.clone()].iter().map(|&other| other as usize).zip(self.values[range].iter().copied())
    }

    /// Adds up, for every row in order, what `of_row` makes of it, in parts that do not depend on the number of threads.
    pub(super) fn sum_over_rows(&self, of_row: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
        (0..self.rows()).into_par_iter().map(of_row).collect::<Vec<f64>>().into_iter().sum()
    }
}

/// The transpose: who has a row among its neighbours, and with which probability; ascending.
struct Incoming {
    /// `[rows + 1]`: where each row's entries begin.
    starts: Vec<usize>,
    /// The row whose neighbour it is, and its conditional probability.
    entries: Vec<(u32, f32)>,
}

impl Incoming {
    /// Each task looks at all neighbours and takes those in its own range of rows, so that a row's entries come in the same order whatever
    /// the number of threads.
    fn new(rows: usize, table: &NeighborTable, conditional: &[f32]) -> Self {
        let share = rows.div_ceil(rayon::current_num_threads()).max(1);
        let mut starts = vec![0_usize; rows + 1];
        starts[1..].par_chunks_mut(share).enumerate().for_each(|(task, counts)| {
            let first = task * share;
            for &to in &table.indices {
                if let Some(count) = (to as usize).checked_sub(first).and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        });
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut entries = vec![(0_u32, 0.0_f32); table.indices.len()];
        let mut left = &mut entries[..];
        let mut tasks = Vec::new();
        for first in (0..rows).step_by(share) {
            let end = rows.min(first + share);
            let own;
            (own, left) = left.split_at_mut(starts[end] - starts[first]);
            tasks.push((first, end, own));
        }
        tasks.into_par_iter().for_each(|(first, end, own)| {
            let mut next: Vec<usize> = starts[first..end].iter().map(|start| start - starts[first]).collect();
            for (row, (others, p)) in table.indices.chunks_exact(table.k).zip(conditional.chunks_exact(table.k)).enumerate() {
                for (&to, &p) in others.iter().zip(p) {
                    if let Some(next) = (to as usize).checked_sub(first).and_then(|at| next.get_mut(at)) {
                        own[*next] = (row as u32, p);
                        *next += 1;
                    }
                }
            }
        });
        Self { starts, entries }
    }

    fn of(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }
}

/// Two ascending lists as one; what both have is added.
struct Merged<'a> {
    ours: &'a [(u32, f32)],
    theirs: &'a [(u32, f32)],
}

impl<'a> Merged<'a> {
    fn new(ours: &'a [(u32, f32)], theirs: &'a [(u32, f32)]) -> Self {
        Self { ours, theirs }
    }
}

impl Iterator for Merged<'_> {
    type Item = (u32, f64);

    fn next(&mut self) -> Option<(u32, f64)> {
        let next = self.ours.first().into_iter().chain(self.theirs.first()).map(|&(other, _)| other).min()?;
        let mut sum = 0.0;
        for list in [&mut self.ours, &mut self.theirs] {
            if let Some((&(other, p), rest)) = list.split_first()
                && other == next
            {
                sum += f64::from(p);
                *list = rest;
            }
        }
        Some((next, sum))
    }
}

/// Conditional probabilities of every row, `[rows, k]`.
pub(super) fn conditional(table: &NeighborTable, perplexity: f64) -> Vec<f32> {
    let mut conditional = vec![0.0; table.distances.len()];
    let rows = conditional.par_chunks_mut(table.k.max(1)).zip(table.distances.par_chunks(table.k.max(1)));
    rows.for_each_init(Vec::new, |p, (into, distances)| {
        p.resize(distances.len(), 0.0);
        calibrate(distances, perplexity, p);
        into.iter_mut().zip(&*p).for_each(|(into, &p)| *into = p as f32);
    });
    conditional
}

/// Conditional probabilities of one row: exp(-beta d²), scaled to sum to 1, with the beta whose entropy is the perplexity's logarithm.
pub(super) fn calibrate(distances: &[f32], perplexity: f64, into: &mut [f64]) {
    let square = |distance: f32| f64::from(distance).powi(2);
    let nearest = distances.iter().map(|&distance| square(distance)).fold(f64::INFINITY, f64::min);
    let mean = distances.iter().map(|&distance| square(distance) - nearest).sum::<f64>() / distances.len() as f64;
    let wanted = perplexity.max(1.0).ln();
    let (mut beta, mut low, mut high) = (if mean > 0.0 { 1.0 / mean } else { 1.0 }, 0.0, f64::INFINITY);
    for _ in 0..BISECTIONS {
        let (mut sum, mut moment) = (0.0, 0.0);
        for (p, &distance) in into.iter_mut().zip(distances) {
            let beyond = square(distance) - nearest;
            *p = (-beta * beyond).exp();
            sum += *p;
            moment += *p * beyond;
        }
        let entropy = sum.ln() + beta * moment / sum;
        into.iter_mut().for_each(|p| *p /= sum);
        if (entropy - wanted).abs() < TOLERANCE {
            return;
        }
        // A flatter Gaussian has more entropy. Where all distances are equal none helps, and all count the same.
        if entropy > wanted {
            low = beta
        } else {
            high = beta
        }
        beta = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * beta };
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
    fn each_row_has_the_perplexity_asked_for() {
        let table = made_up(200, 12);
        for perplexity in [2.0, 4.0, 11.0] {
            for distances in table.distances.chunks(12) {
                let mut p = [0.0; 12];
                calibrate(distances, perplexity, &mut p);
                let entropy: f64 = p.iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 }).sum();
                assert!((entropy.exp() - perplexity).abs() < 1e-4 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn equal_distances_count_the_same_and_a_perplexity_beyond_reach_is_the_nearest_there_is() {
        for (distances, perplexity) in [([0.0; 3], 2.0), ([5.0; 3], 2.0), ([1.0, 2.0, 3.0], 30.0), ([1.0, 1e-20, 1e15], 1.0)] {
            let mut p = [0.0; 3];
            calibrate(&distances, perplexity, &mut p);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p.iter().all(|p| p.is_finite()), "{p:?}");
            if distances[0] == distances[1] || perplexity > 3.0 {
                assert!(p.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-3), "{p:?}");
            }
        }
    }

    /// The same by dense loops in `f64`.
    fn dense(rows: usize, table: &NeighborTable, perplexity: f64) -> Vec<f64> {
        let mut dense = vec![0.0; rows * rows];
        let mut p = vec![0.0; table.k];
        for (row, distances) in table.distances.chunks(table.k.max(1)).enumerate() {
            calibrate(distances, perplexity, &mut p);
            for (&other, p) in table.of(row).iter().zip(&p) {
                dense[row * rows + other as usize] += p / (2 * rows) as f64;
                dense[other as usize * rows + row] += p / (2 * rows) as f64;
            }
        }
        dense
    }

    #[test]
    fn entries_are_those_of_plain_loops_at_block_borders_and_on_any_number_of_threads() {
        for (rows, k) in [(2, 1), (63, 3), (1023, 12), (1024, 12), (1025, 12), (2049, 30)] {
            let table = made_up(rows, k);
            let should = dense(rows, &table, 3.0);
            let with = |threads| {
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| Affinities::new(rows, &table, 3.0))
            };
            let found = with(1);
            assert_eq!(found, with(3));
            let mut pairs: Vec<(usize, usize)> =
                (0..rows).flat_map(|row| table.of(row).iter().map(move |&other| (row, other as usize))).collect();
            pairs.extend(pairs.clone().into_iter().map(|(row, other)| (other, row)));
            pairs.sort_unstable();
            pairs.dedup();
            let mut entries = Vec::new();
            for row in 0..rows {
                for (other, p) in found.of(row) {
                    let should = should[row * rows + other];
                    assert!((f64::from(p) - should).abs() <= 1e-6 * should + 1e-37, "{p} for {should}");
                    entries.push((row, other));
                }
            }
            assert!(entries == pairs, "{rows} rows");
        }
        assert_eq!(Affinities::new(3, &NeighborTable::default(), 2.0).of(2).count(), 0);
    }

    #[test]
    fn p_is_symmetric_and_sums_to_1() {
        let p = Affinities::new(200, &made_up(200, 12), 4.0);
        let mut dense = vec![0.0_f64; 200 * 200];
        for row in 0..200 {
            let mut last = None;
            for (other, value) in p.of(row) {
                assert!(last < Some(other) && value >= 0.0);
                last = Some(other);
                dense[row * 200 + other] = f64::from(value);
            }
        }
        assert!((dense.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert!((0..200).all(|i| dense[i * 200 + i] == 0.0 && (0..200).all(|j| dense[i * 200 + j] == dense[j * 200 + i])));
    }
}
