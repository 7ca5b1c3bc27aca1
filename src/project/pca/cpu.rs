//! The CPU engine of PCA: the twin of `shaders/pca_mean.wgsl`, `shaders/pca_covariance.wgsl` and `shaders/pca_transform.wgsl`.
//!
//! Rows are cut into blocks of a fixed size; each block is one thread's, and blocks are added up in their order, so that the
//! result has the same bits with any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use super::engine::{Centring, ColumnSums, Engine, chunks};
use crate::matmul::{Operand, multiply};
use crate::matrix::{RowError, RowSource};
use crate::project::device::ComputeDevice;
use crate::project::error::ProjectError;

/// Rows of a block: long enough for the matrix product, short enough for `f32` sums within it.
const BLOCK_ROWS: usize = 1024;

/// Bytes of partial scatter matrices that may be held at a time.
const PARTIAL_BYTES: usize = 512 << 20;

/// Runs on all cores.
#[derive(Clone, Copy, Debug)]
pub struct CpuEngine;

impl Engine for CpuEngine {
    fn device(&self) -> ComputeDevice {
        ComputeDevice::Cpu
    }

    fn chunk_rows(&self, _dims: usize) -> usize {
        // A chunk is only the grain of progress and of stopping; memory is bounded by blocks.
        64 * BLOCK_ROWS
    }

    fn column_sums(&mut self, source: &dyn RowSource, rows: Range<usize>) -> Result<ColumnSums, ProjectError> {
        let mut total = ColumnSums::zero(source.dims());
        for sums in map_blocks(source, rows, |block, values| block_sums(values, source.dims(), block.start))? {
            total.add(&sums?);
        }
        Ok(total)
    }

    fn add_scatter(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        scatter: &mut [f64],
    ) -> Result<(), ProjectError> {
        let dims = source.dims();
        let at_once = (PARTIAL_BYTES / (4 * dims * dims)).clamp(1, rayon::current_num_threads());
        for group in chunks(rows.len(), at_once * BLOCK_ROWS) {
            let group = rows.start + group.start..rows.start + group.end;
            let partials = map_blocks(source, group, |_, values| block_scatter(values, dims, centring))?;
            scatter.par_chunks_mut(dims).enumerate().for_each(|(row, sums)| {
                for partial in &partials {
                    for (sum, &part) in sums.iter_mut().zip(&partial[row * dims..]) {
                        *sum += f64::from(part);
                    }
                }
            });
        }
        Ok(())
    }

    fn transform(
        &mut self,
        source: &dyn RowSource,
        rows: Range<usize>,
        centring: &Centring,
        weights: &[f32],
        into: &mut [f32],
    ) -> Result<(), ProjectError> {
        let dims = source.dims();
        let axes = weights.len() / dims;
        into.par_chunks_mut(BLOCK_ROWS * axes).enumerate().try_for_each(|(block, into)| {
            let first = rows.start + block * BLOCK_ROWS;
            let mut values = vec![0.0; into.len() / axes * dims];
            source.read_rows(first..first + into.len() / axes, &mut values)?;
            block_transform(&mut values, centring, weights, into);
            Ok(())
        })
    }
}

/// Reads blocks and maps each on some thread; the results are in the blocks' order.
fn map_blocks<T: Send>(
    source: &dyn RowSource,
    rows: Range<usize>,
    map: impl Fn(Range<usize>, &mut [f32]) -> T + Sync,
) -> Result<Vec<T>, RowError> {
    let blocks: Vec<_> = chunks(rows.len(), BLOCK_ROWS).map(|block| rows.start + block.start..rows.start + block.end).collect();
    blocks
        .into_par_iter()
        .map(|block| {
            let mut values = vec![0.0; block.len() * source.dims()];
            source.read_rows(block.clone(), &mut values)?;
            Ok(map(block, &mut values))
        })
        .collect()
}

/// Column sums in `f64` of `values`, `[rows, dims]`, whose first row is row `first_row` of the source.
///
/// # Errors
/// [`ProjectError::NotFinite`] with the first such row.
pub fn block_sums(values: &[f32], dims: usize, first_row: usize) -> Result<ColumnSums, ProjectError> {
    let largest = largest_finite(values, dims, first_row)?;
    let mut sums = vec![0.0; dims];
    for row in values.chunks_exact(dims) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    Ok(ColumnSums { sums, largest })
}

/// The largest magnitude in `values`, `[rows, dims]`.
///
/// # Errors
/// [`ProjectError::NotFinite`] with the first row that has a value that is no finite number.
pub fn largest_finite(values: &[f32], dims: usize, first_row: usize) -> Result<f32, ProjectError> {
    // A comparison of bits: NaN and infinity are those with all exponent bits set. It vectorises, `f32::max` does not.
    const MAGNITUDE: u32 = 0x7fff_ffff;
    let largest = values.iter().fold(0, |largest: u32, value| largest.max(value.to_bits() & MAGNITUDE));
    let largest = f32::from_bits(largest);
    if largest.is_finite() {
        return Ok(largest);
    }
    let at = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
    Err(ProjectError::NotFinite { row: first_row + at / dims, column: at % dims, value: values[at] })
}

/// The sum of outer products of the centred rows, `[dims, dims]`. Leaves `values` centred.
#[must_use]
pub fn block_scatter(values: &mut [f32], dims: usize, centring: &Centring) -> Vec<f32> {
    center(values, centring);
    let mut scatter = vec![0.0; dims * dims];
    let rows = Operand::new(values, values.len() / dims, dims);
    multiply(rows.transposed(), rows, &mut scatter);
    scatter
}

/// The centred rows times `weights`, `[dims, axes]`, into `into`, `[rows, axes]`. Leaves `values` centred.
pub fn block_transform(values: &mut [f32], centring: &Centring, weights: &[f32], into: &mut [f32]) {
    let dims = centring.center.len();
    center(values, centring);
    let axes = weights.len() / dims;
    multiply(Operand::new(values, values.len() / dims, dims), Operand::new(weights, dims, axes), into);
    for coordinate in into {
        *coordinate *= centring.unscale;
    }
}

fn center(values: &mut [f32], centring: &Centring) {
    for row in values.chunks_exact_mut(centring.center.len()) {
        for (value, center) in row.iter_mut().zip(&centring.center) {
            *value = *value * centring.scale - center;
        }
    }
}
