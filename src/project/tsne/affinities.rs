//! How strongly rows belong together: Gaussians over the neighbours' distances, as wide as the perplexity asks, made symmetric.

use rayon::prelude::*;

use crate::neighbors::NeighborTable;

/// Steps of the bisection; each halves what is unknown of a Gaussian's width.
const BISECTIONS: usize = 100;
/// How near the entropy has to come, in nats.
const TOLERANCE: f64 = 1e-7;

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
        let k = table.k;
        if k == 0 {
            return Self { offsets: vec![0; rows + 1], ..Self::default() };
        }
        let mut conditional = vec![0.0; table.distances.len()];
        conditional
            .par_chunks_mut(k)
            .zip(table.distances.par_chunks(k))
            .for_each(|(into, distances)| calibrate(distances, perplexity, into));
        // The transpose, by counting: who has row i among its neighbours.
        let mut starts = vec![0_usize; rows + 1];
        for &to in &table.indices {
            starts[to as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut incoming = vec![(0_u32, 0.0_f64); table.indices.len()];
        for (at, (&to, &p)) in table.indices.iter().zip(&conditional).enumerate() {
            incoming[next[to as usize]] = ((at / k) as u32, p);
            next[to as usize] += 1;
        }
        let scale = 0.5 / rows as f64;
        let lists: Vec<Vec<(u32, f64)>> = (0..rows)
            .into_par_iter()
            .map(|row| {
                let outgoing = table.of(row).iter().copied().zip(conditional[row * k..(row + 1) * k].iter().copied());
                let mut list: Vec<(u32, f64)> = outgoing.chain(incoming[starts[row]..starts[row + 1]].iter().copied()).collect();
                list.sort_by_key(|&(other, _)| other);
                list.dedup_by(|later, first| {
                    let is_same = later.0 == first.0;
                    if is_same {
                        first.1 += later.1;
                    }
                    is_same
                });
                list
            })
            .collect();
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let total: usize = lists.iter().map(Vec::len).sum();
        let (mut columns, mut values) = (Vec::with_capacity(total), Vec::with_capacity(total));
        for list in lists {
            for (other, p) in list {
                columns.push(other);
                values.push((p * scale) as f32);
            }
            offsets.push(columns.len());
        }
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

    /// The three columns as a GPU takes them: where each row's entries begin, `[rows + 1]`, the other row of each entry, and p of each.
    #[must_use]
    pub fn columns(&self) -> (Vec<u32>, &[u32], &[f32]) {
        (self.offsets.iter().map(|&offset| u32::try_from(offset).unwrap_or(u32::MAX)).collect(), &self.columns, &self.values)
    }

    /// Adds up, for every row in order, what `of_row` makes of it, in parts that do not depend on the number of threads.
    pub(super) fn sum_over_rows(&self, of_row: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
        (0..self.rows()).into_par_iter().map(of_row).collect::<Vec<f64>>().into_iter().sum()
    }
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
