//! Affinities on the GPU: every row's neighbours with their share of p, and, transposed, who has the row among theirs. Twin:
//! [`super::super::Affinities`], which adds up the two lists; forces and the divergence are sums over both, so that here nothing needs to.

use super::kernels;
use super::params::TsneParams;
use crate::gpu::dispatch::{Dispatch, bind, submit};
use crate::gpu::{GpuContext, GpuError, StorageBuffer, UniformBuffer};
use crate::neighbors::NeighborTable;

/// What buffers and failures are called by.
const LABEL: &str = "the affinities of t-SNE";
/// Rows whose counts are added up together.
const SCAN_ROWS: usize = 256;
/// Entries of a workgroup.
const ENTRIES: usize = 256;

/// Rows' neighbours on a device, calibrated to a perplexity.
pub struct Lists {
    context: GpuContext,
    params: TsneParams,
    uniform: UniformBuffer<TsneParams>,
    /// Absent where the distances are forgotten.
    calibration: Option<Dispatch>,
    /// The neighbours, `[rows, k]`.
    pub others: StorageBuffer<u32>,
    /// p_j|i / 2 N of each, `[rows, k]`; 0 of those that do not count.
    pub weights: StorageBuffer<f32>,
    /// Where in `entries` each row's begin, `[rows + 1]`.
    pub starts: StorageBuffer<u32>,
    /// For each row, in ascending order, the numbers of the weights that are of it as a neighbour, `[rows * k]`.
    pub entries: StorageBuffer<u32>,
}

impl Lists {
    /// Of `rows` rows with these neighbours, at `perplexity`.
    ///
    /// # Errors
    /// [`GpuError`]: a shader that does not compile, too little memory, more neighbours than a binding takes.
    ///
    /// # Panics
    /// If the table has another number of rows, and is not empty: a caller's mistake.
    pub fn new(context: &GpuContext, rows: usize, table: &NeighborTable, perplexity: f64) -> Result<Self, GpuError> {
        assert!(table.k == 0 || table.rows() == rows, "neighbours of other rows");
        let params = TsneParams {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            neighbors: u32::try_from(table.k).unwrap_or(u32::MAX),
            ..TsneParams::default()
        };
        let uniform = UniformBuffer::from_value(context, "t-SNE's parameters", &params)?;
        let others = StorageBuffer::from_values(context, LABEL, &table.indices)?;
        let distances = StorageBuffer::from_values(context, LABEL, &table.distances)?;
        let weights = StorageBuffer::<f32>::zeroed(context, LABEL, others.len())?;
        let starts = StorageBuffer::<u32>::zeroed(context, LABEL, rows + 1)?;
        let entries = StorageBuffer::<u32>::zeroed(context, LABEL, others.len())?;
        let calibration = bind(context, &kernels::CALIBRATE, &[uniform.buffer(), distances.buffer(), weights.buffer()], rows.div_ceil(64))?;
        let mut made = Self { context: context.clone(), params, uniform, calibration: Some(calibration), others, weights, starts, entries };
        if table.k > 0 {
            made.transpose()?;
            made.calibrate(perplexity, table.k)?;
        }
        Ok(made)
    }

    /// Makes `starts` and `entries` from `others`.
    fn transpose(&self) -> Result<(), GpuError> {
        let context = &self.context;
        let rows = self.rows();
        let counts = StorageBuffer::<u32>::zeroed(context, "t-SNE's counts", rows)?;
        let sums = StorageBuffer::<u32>::zeroed(context, "t-SNE's counts", rows.div_ceil(SCAN_ROWS))?;
        let (told, others, entries) = (self.uniform.buffer(), self.others.buffer(), self.entries.buffer());
        let (counts, sums, starts) = (counts.buffer(), sums.buffer(), self.starts.buffer());
        let (blocks, each) = (rows.div_ceil(SCAN_ROWS), self.others.len().div_ceil(ENTRIES));
        let dispatches = [
            bind(context, &kernels::LISTS_COUNT, &[told, others, counts], each)?,
            bind(context, &kernels::LISTS_SUM, &[told, counts, sums], blocks)?,
            bind(context, &kernels::LISTS_SCAN, &[told, sums], 1)?,
            bind(context, &kernels::LISTS_STARTS, &[told, sums, counts, starts], blocks)?,
            bind(context, &kernels::LISTS_SCATTER, &[told, others, counts, entries], each)?,
            bind(context, &kernels::LISTS_ORDER, &[told, starts, entries], rows)?,
        ];
        submit(context, LABEL, &dispatches, &[])
    }

    /// Takes another perplexity, at which the nearest `counted` neighbours count, or all. False where the distances are forgotten: then
    /// nothing is done.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn calibrate(&mut self, perplexity: f64, counted: usize) -> Result<bool, GpuError> {
        let Some(calibration) = &self.calibration else { return Ok(false) };
        self.params.counted = u32::try_from(counted).unwrap_or(u32::MAX).min(self.params.neighbors);
        self.params.entropy = perplexity.max(1.0).ln() as f32;
        self.uniform.write(&self.context, &self.params)?;
        submit(&self.context, LABEL, [calibration], &[])?;
        Ok(true)
    }

    /// Gives the distances' memory back; the perplexity stays what it is.
    pub fn forget_distances(&mut self) {
        self.calibration = None;
    }

    /// Waits until all is made.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn wait(&self) -> Result<(), GpuError> {
        self.context.wait(LABEL)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.params.rows as usize
    }

    /// Neighbours of each row.
    #[must_use]
    pub fn neighbors(&self) -> usize {
        self.params.neighbors as usize
    }

    /// What a run's kernels are told of the lists.
    #[must_use]
    pub fn told(&self, params: TsneParams) -> TsneParams {
        let TsneParams { neighbors, counted, entropy, .. } = self.params;
        TsneParams { neighbors, counted, entropy, ..params }
    }
}
