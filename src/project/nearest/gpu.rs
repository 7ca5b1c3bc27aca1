//! The exact search in compute shaders: `shaders/nearest_distances.wgsl`, all distances of a block of queries, and `shaders/nearest_select.wgsl`, the
//! nearest of each.
//!
//! Distances are rounded to `f32` there: a few more candidates are kept than wanted, and theirs are computed anew here, in `f64`, as the CPU's search does.
//! Atomics only count, so that who is kept does not depend on who comes first; their order is made here.

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, GpuContext, GpuError, KernelPipeline, ShaderPart, ShaderSource, StorageBuffer, UniformBuffer};
use crate::matrix::{FeatureMatrix, RowSource as _};
use crate::neighbors::{NeighborTable, Watch, distance};
use crate::project::error::ProjectError;
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const PARAMS: ShaderPart = shader_part!("shared/nearest_params.wgsl");

/// Squared distances of a block of queries to all rows, `[queries, rows]`, as bits.
pub static DISTANCES: Kernel = Kernel {
    shader: ShaderSource { name: "nearest.distances", parts: &[ROWS, PARAMS, shader_part!("nearest_distances.wgsl")] },
    workgroup_size: [16, 16, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
};

/// The nearest rows of each query, `[queries, wanted]`, in no order.
pub static SELECT: Kernel = Kernel::linear(
    "nearest.select",
    &[ROWS, PARAMS, shader_part!("nearest_select.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);

/// Both.
pub const KERNELS: &[&Kernel] = &[&DISTANCES, &SELECT];

/// Side of a tile of `nearest_distances.wgsl`.
pub const TILE: usize = 64;
/// Most rows: a tile of queries has its distances in `BLOCK_BYTES` with room to spare, and row numbers fit three digits of `nearest_select.wgsl`.
pub const MOST_ROWS: usize = 131_072;
/// Most neighbours: more are left to the CPU.
pub const MOST_NEIGHBORS: usize = 512;
/// Candidates kept beyond `k`.
const MARGIN: usize = 8;
/// Bytes of a block's distances, at most.
const BLOCK_BYTES: usize = 64 << 20;
/// Products of queries, rows and dims in one block, at most: about a second's work where the adapter is a CPU.
const BLOCK_WORK: usize = 1 << 30;
/// Blocks whose candidates are read back together.
const BLOCKS_READ: usize = 16;

/// The parameters of both kernels, as in `shaders/shared/nearest_params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct NearestParams {
    /// Rows of the matrix.
    pub rows: u32,
    /// Its columns.
    pub dims: u32,
    /// The first query of the block.
    pub first: u32,
    /// Queries in the block.
    pub queries: u32,
    /// Candidates kept of each query.
    pub wanted: u32,
    /// Where the block's first query has its candidates.
    pub slot: u32,
    /// Nothing.
    pub unused_a: u32,
    /// Nothing.
    pub unused_b: u32,
}

/// Whether the shaders take so large a search.
#[must_use]
pub fn takes(context: &GpuContext, matrix: &FeatureMatrix, k: usize) -> bool {
    let bytes = (matrix.values().len() as u64).saturating_mul(4);
    matrix.rows() <= MOST_ROWS && k <= MOST_NEIGHBORS && bytes <= context.caps.storage_binding_bytes()
}

/// The `k` nearest other rows of every row; `k` is cut to the number of other rows. Values are finite, and their squares neither overflow nor vanish.
///
/// # Errors
/// [`ProjectError::Cancelled`]; [`ProjectError::Gpu`], also where [`takes`] said no for the buffers.
pub fn search(context: &GpuContext, matrix: &FeatureMatrix, k: usize, watch: &dyn Watch) -> Result<NeighborTable, ProjectError> {
    let rows = matrix.rows().max(1);
    let by_bytes = BLOCK_BYTES / (4 * rows);
    let by_work = BLOCK_WORK / rows.saturating_mul(matrix.dims().max(1));
    // Whole tiles, but no more than there are queries.
    let block = (by_bytes.min(by_work) / TILE * TILE).max(TILE).min(rows);
    search_in_blocks(context, matrix, k, block, watch)
}

/// The same with `block` queries at a time.
///
/// # Errors
/// As [`search`].
pub fn search_in_blocks(
    context: &GpuContext,
    matrix: &FeatureMatrix,
    k: usize,
    block: usize,
    watch: &dyn Watch,
) -> Result<NeighborTable, ProjectError> {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let k = k.min(rows.saturating_sub(1));
    if k == 0 || dims == 0 {
        return Ok(NeighborTable::default());
    }
    let search = Search::new(context, matrix, (k + MARGIN).min(rows - 1), block)?;
    let (mut indices, mut distances) = (vec![0; rows * k], vec![0.0; rows * k]);
    let group = search.block * BLOCKS_READ;
    for first in (0..rows).step_by(group) {
        watch.progress(first as f64 / rows as f64);
        if watch.cancelled() {
            return Err(ProjectError::Cancelled);
        }
        let queries = group.min(rows - first);
        let candidates = search.candidates(first, queries)?;
        let places = first * k..(first + queries) * k;
        indices[places.clone()]
            .par_chunks_mut(k)
            .zip(distances[places].par_chunks_mut(k))
            .zip(candidates.par_chunks(search.wanted))
            .enumerate()
            .for_each(|(number, ((indices, distances), candidates))| {
                sort(matrix, first + number, candidates, indices, distances);
            });
    }
    Ok(NeighborTable { k, indices, distances })
}

/// The nearest candidates of a row by distances in `f64`, nearest first; of equally near ones the smaller number first.
fn sort(matrix: &FeatureMatrix, row: usize, candidates: &[u32], indices: &mut [u32], distances: &mut [f32]) {
    let own = matrix.row(row);
    let mut found: Vec<(f32, u32)> = candidates.iter().map(|&other| (distance(own, matrix.row(other as usize)) as f32, other)).collect();
    found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for ((index, distance), found) in indices.iter_mut().zip(distances).zip(found) {
        (*distance, *index) = found;
    }
}

struct Search<'a> {
    context: &'a GpuContext,
    distances: KernelPipeline,
    select: KernelPipeline,
    rows: usize,
    dims: usize,
    wanted: usize,
    /// Queries of a block.
    block: usize,
    values: StorageBuffer<f32>,
    keys: StorageBuffer<u32>,
    nearest: StorageBuffer<u32>,
}

impl<'a> Search<'a> {
    fn new(context: &'a GpuContext, matrix: &FeatureMatrix, wanted: usize, block: usize) -> Result<Self, GpuError> {
        let (rows, dims) = (matrix.rows(), matrix.dims());
        Ok(Self {
            context,
            distances: DISTANCES.pipeline(context)?,
            select: SELECT.pipeline(context)?,
            rows,
            dims,
            wanted,
            block,
            values: StorageBuffer::from_values(context, "nearest.values", matrix.values())?,
            keys: StorageBuffer::zeroed(context, "nearest.keys", block * rows)?,
            nearest: StorageBuffer::zeroed(context, "nearest.nearest", (block * BLOCKS_READ).min(rows) * wanted)?,
        })
    }

    /// The candidates of the queries from `first` on, `[queries, wanted]`.
    fn candidates(&self, first: usize, queries: usize) -> Result<Vec<u32>, GpuError> {
        for slot in (0..queries).step_by(self.block) {
            let count = self.block.min(queries - slot);
            let params = NearestParams {
                rows: self.rows as u32,
                dims: self.dims as u32,
                first: (first + slot) as u32,
                queries: count as u32,
                wanted: self.wanted as u32,
                slot: slot as u32,
                ..NearestParams::default()
            };
            let params = UniformBuffer::from_value(self.context, "nearest.params", &params)?;
            let distances = self.distances.bind(self.context, &[params.buffer(), self.values.buffer(), self.keys.buffer()])?;
            let select = self.select.bind(self.context, &[params.buffer(), self.keys.buffer(), self.nearest.buffer()])?;
            let tiles = count.div_ceil(TILE) * self.rows.div_ceil(TILE);
            self.context.scoped("the search for neighbours", || {
                let mut encoder = self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("nearest") });
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                distances.dispatch(&mut pass, tiles as u32);
                select.dispatch(&mut pass, count as u32);
                drop(pass);
                self.context.queue.submit([encoder.finish()]);
            })?;
        }
        let mut candidates = self.nearest.read(self.context)?;
        candidates.truncate(queries * self.wanted);
        Ok(candidates)
    }
}
