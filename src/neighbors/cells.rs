//! Rows in cells, those of a cell near each other: the inverted file of Jégou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search",
//! IEEE TPAMI 2011, section IV, with k-means (Lloyd, 1982) on a sample as the coarse quantizer, as in Johnson, Douze and Jégou, "Billion-scale similarity
//! search with GPUs", IEEE Transactions on Big Data 2019.

use std::ops::Range;

use rayon::prelude::*;

use super::NeighborError;
use super::stage::Stage;
use crate::matmul::{Operand, multiply};
use crate::seed::SplitMix64;

/// Rows of the sample for each cell.
const SAMPLE_PER_CELL: usize = 32;
/// Rounds of k-means: later ones hardly move the cells.
const ROUNDS: usize = 6;
/// Rows that one task finds the cells of.
const BLOCK_ROWS: usize = 128;
/// Centres that they are compared with at a time.
const BLOCK_CENTRES: usize = 1024;
/// Keys that are compared with the best together.
const LANES: usize = 16;
/// A cell with more rows than this many times the mean is cut into several: among many equal rows, one cell would have them all.
const LARGEST: usize = 4;

/// Every row in one cell.
pub struct Cells {
    dims: usize,
    /// `[cells, dims]`.
    centres: Vec<f32>,
    /// `[cells]`: squared lengths of the centres.
    norms: Vec<f32>,
    /// `[cells + 1]`: where each cell's rows begin in `order`.
    starts: Vec<usize>,
    /// Row numbers, cell by cell, ascending within a cell.
    order: Vec<u32>,
}

impl Cells {
    /// About `count` cells of `rows`, `[rows, dims]`, none of them empty. The same rows make the same cells.
    ///
    /// # Errors
    /// [`NeighborError::Cancelled`].
    pub fn new(rows: &[f32], dims: usize, count: usize, stage: Stage<'_>) -> Result<Self, NeighborError> {
        let number = rows.len() / dims;
        let count = count.clamp(1, number.max(1));
        let sample = gather(rows, dims, &spread(number, (count * SAMPLE_PER_CELL).min(number), 1));
        let mut centres = gather(&sample, dims, &spread(sample.len() / dims, count, 2));
        // A round's work beside that of the last pass over all rows.
        let share = sample.len() as f64 / (sample.len() * ROUNDS + rows.len()).max(1) as f64;
        for round in 0..ROUNDS {
            let within = |fraction: f64| stage.go_on(share * (round as f64 + fraction));
            let cells = nearest_centres(&sample, dims, &centres, within)?;
            move_to_means(&sample, dims, &cells, &mut centres);
        }
        let begun = share * ROUNDS as f64;
        let cells = nearest_centres(rows, dims, &centres, |fraction| stage.go_on(begun + (1.0 - begun) * fraction))?;
        Ok(Self::sorted(dims, &centres, &cells))
    }

    fn sorted(dims: usize, all_centres: &[f32], cells: &[u32]) -> Self {
        let count = all_centres.len() / dims;
        let mut begins = vec![0; count + 1];
        cells.iter().for_each(|&cell| begins[cell as usize + 1] += 1);
        for cell in 0..count {
            begins[cell + 1] += begins[cell];
        }
        let mut next = begins.clone();
        let mut order = vec![0; cells.len()];
        for (row, &cell) in cells.iter().enumerate() {
            order[next[cell as usize]] = row as u32;
            next[cell as usize] += 1;
        }
        let most = LARGEST * cells.len().div_ceil(count).max(1);
        let (mut centres, mut starts) = (Vec::new(), vec![0]);
        for (cell, centre) in all_centres.chunks_exact(dims).enumerate() {
            let (begin, size) = (begins[cell], begins[cell + 1] - begins[cell]);
            let pieces = size.div_ceil(most);
            for piece in 1..=pieces {
                centres.extend_from_slice(centre);
                starts.push(begin + size * piece / pieces);
            }
        }
        let norms = centres.chunks_exact(dims).map(square).collect();
        Self { dims, centres, norms, starts, order }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.norms.len()
    }

    /// A cell's places in [`Cells::order`].
    pub fn places(&self, cell: usize) -> Range<usize> {
        self.starts[cell]..self.starts[cell + 1]
    }

    /// The cell that has a place.
    pub fn at(&self, place: usize) -> usize {
        self.starts.partition_point(|&start| start <= place) - 1
    }

    /// Row numbers, cell by cell.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// All cells, `cell` first, then by the distance of their centres from its own; of equally near ones the smaller number first.
    pub fn near_to_far(&self, cell: usize) -> Vec<u32> {
        let own = &self.centres[cell * self.dims..(cell + 1) * self.dims];
        let mut products = vec![0.0; self.len()];
        multiply(Operand::new(&self.centres, self.len(), self.dims), Operand::new(own, 1, self.dims).transposed(), &mut products);
        let mut keys: Vec<(f32, u32)> =
            products.iter().zip(&self.norms).zip(0..).map(|((product, norm), other)| (norm - 2.0 * product, other)).collect();
        keys[cell].0 = f32::NEG_INFINITY;
        keys.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        keys.into_iter().map(|(_, other)| other).collect()
    }
}

/// `count` different numbers below `rows`, ascending: one at random of each of `count` equal stretches.
pub fn spread(rows: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut seed = SplitMix64::new(seed);
    let begin = |at: usize| (at as u128 * rows as u128 / count as u128) as usize;
    (0..count).map(|at| begin(at) + seed.next_below((begin(at + 1) - begin(at)) as u64) as usize).collect()
}

/// Some of the rows, in the order of `numbers`.
pub fn gather(rows: &[f32], dims: usize, numbers: &[usize]) -> Vec<f32> {
    numbers.iter().flat_map(|&row| &rows[row * dims..(row + 1) * dims]).copied().collect()
}

/// A row's squared length.
pub fn square(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum()
}

/// The nearest centre of every row.
fn nearest_centres(
    rows: &[f32],
    dims: usize,
    centres: &[f32],
    go_on: impl Fn(f64) -> Result<(), NeighborError>,
) -> Result<Vec<u32>, NeighborError> {
    let norms: Vec<f32> = centres.chunks_exact(dims).map(square).collect();
    let mut cells = vec![0; rows.len() / dims];
    let group = BLOCK_ROWS * 16 * rayon::current_num_threads();
    let groups = cells.len().div_ceil(group);
    for (number, (cells, rows)) in cells.chunks_mut(group).zip(rows.chunks(group * dims)).enumerate() {
        go_on(number as f64 / groups as f64)?;
        let blocks = cells.par_chunks_mut(BLOCK_ROWS).zip(rows.par_chunks(BLOCK_ROWS * dims));
        blocks.for_each(|(cells, rows)| nearest_centres_of_block(rows, dims, centres, &norms, cells));
    }
    Ok(cells)
}

fn nearest_centres_of_block(rows: &[f32], dims: usize, centres: &[f32], norms: &[f32], cells: &mut [u32]) {
    let ours = Operand::new(rows, cells.len(), dims);
    let mut best = vec![f32::INFINITY; cells.len()];
    let mut products = vec![0.0; cells.len() * BLOCK_CENTRES.min(norms.len())];
    let blocks = centres.chunks(BLOCK_CENTRES * dims).zip(norms.chunks(BLOCK_CENTRES));
    for (block, (centres, norms)) in blocks.enumerate() {
        let count = norms.len();
        let products = &mut products[..cells.len() * count];
        multiply(ours, Operand::new(centres, count, dims).transposed(), products);
        for ((products, best), cell) in products.chunks_exact(count).zip(&mut best).zip(&mut *cells) {
            for (lane, (products, norms)) in products.chunks(LANES).zip(norms.chunks(LANES)).enumerate() {
                // Few stretches have a nearer one; that is found out without a branch for each.
                let limit = *best;
                if !products.iter().zip(norms).fold(false, |some, (product, norm)| some | (norm - 2.0 * product < limit)) {
                    continue;
                }
                for (at, (product, norm)) in products.iter().zip(norms).enumerate() {
                    let key = norm - 2.0 * product;
                    if key < *best {
                        (*best, *cell) = (key, (block * BLOCK_CENTRES + lane * LANES + at) as u32);
                    }
                }
            }
        }
    }
}

/// Centres go to the means of their rows; those without rows stay.
fn move_to_means(rows: &[f32], dims: usize, cells: &[u32], centres: &mut [f32]) {
    let mut sums = vec![0.0_f64; centres.len()];
    let mut counts = vec![0_usize; centres.len() / dims];
    for (row, &cell) in rows.chunks_exact(dims).zip(cells) {
        counts[cell as usize] += 1;
        let sums = &mut sums[cell as usize * dims..(cell as usize + 1) * dims];
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    for ((centre, sums), count) in centres.chunks_exact_mut(dims).zip(sums.chunks_exact(dims)).zip(counts) {
        if count > 0 {
            centre.iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum / count as f64) as f32);
        }
    }
}
