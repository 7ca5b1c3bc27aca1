//! How strongly rows belong together: Gaussians over the neighbours' distances, as wide as the perplexity asks, made symmetric.

use rayon::prelude::*;

use crate::neighbors::NeighborTable;
use crate::project::joined_rows::JoinedRows;

/// Steps of the bisection; each halves what is unknown of a Gaussian's width.
const BISECTIONS: usize = 100;
/// How near the entropy has to come, in nats.
const TOLERANCE: f64 = 1e-7;
/// The matrix P of van der Maaten and Hinton (2008), symmetric; all of it sums to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affinities(JoinedRows);

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
        let scale = 0.5 / rows as f64;
        Self(JoinedRows::new(rows, table, conditional, |there, back| Some(((there + back) * scale) as f32)))
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// A row's entries: the other row, ascending, and p_ij.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> impl Iterator<Item = (usize, f32)> {
        self.0.of(row).map(|(other, p)| (other as usize, p))
    }

    /// Adds up, for every row in order, what `of_row` makes of it, in parts that do not depend on the number of threads.
    pub(super) fn sum_over_rows(&self, of_row: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
        (0..self.rows()).into_par_iter().map(of_row).collect::<Vec<f64>>().into_iter().sum()
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
