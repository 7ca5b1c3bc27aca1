//! Repulsion on the GPU: all pairs, or a potential on a grid and the pairs that are near. Twins: [`super::super::exact`], [`super::super::grid`].

use super::kernels;
use super::params::{FftPass, TsneParams, TsnePlan};
use crate::gpu::dispatch::{Dispatch, bind};
use crate::gpu::{GpuContext, GpuError, Kernel, StorageBuffer, UniformBuffer};
use crate::project::tsne::grid::{FEWEST_NODES, NODES_PER_ROOT};
use crate::project::tsne::near::CELLS_PER_REACH;
use crate::project::tsne::run::EXACT_ROWS as EXACT_ROWS_ON_CPU;
use crate::project::tsne::split::reach_in_nodes;

/// Points up to which all pairs are taken on a real GPU, where pairs are what it is best at, in the plane and in space. Chosen without one at
/// hand. Where the adapter is none but a CPU: [`EXACT_ROWS_ON_CPU`].
const EXACT_ROWS: [usize; 2] = [16_384, 32_768];
/// A line of the transform fits a workgroup's memory, and the cube WebGPU's 128 MiB binding.
const LOG_SIZES: [[u32; 2]; 2] = [[8, 11], [6, 8]];
/// Complex values in a workgroup of the transform.
const FFT_ROOM: u32 = 2048;
/// Workgroups that look for what a point finds of itself.
pub const OWN_PARTS: usize = 256;

/// How large a run's buffers are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// The exponent of the transform's length; 0 where all pairs are taken.
    pub log_size: u32,
    /// Cells along an axis.
    pub most_cells: u32,
    /// 2 or 3.
    pub dims: u32,
}

impl Sizes {
    /// For so many points. `is_cpu`: the adapter is none but a CPU.
    #[must_use]
    pub fn new(rows: usize, dims: usize, is_cpu: bool) -> Self {
        let kind = usize::from(dims == 3);
        let exact = if is_cpu { EXACT_ROWS_ON_CPU } else { EXACT_ROWS }[kind];
        if rows <= exact { Self { log_size: 0, most_cells: 0, dims: dims as u32 } } else { Self::of_grid(rows, dims) }
    }

    /// For so many points on a grid, however few.
    #[must_use]
    pub fn of_grid(rows: usize, dims: usize) -> Self {
        let kind = usize::from(dims == 3);
        let nodes = (NODES_PER_ROOT[kind] * (rows as f32).powf(1.0 / dims as f32)).max(FEWEST_NODES[kind]);
        let [least, most] = LOG_SIZES[kind];
        let log_size = ((2.0 * nodes).log2().round() as u32).clamp(least, most);
        let cells_per_node = CELLS_PER_REACH as f64 / reach_in_nodes();
        let most_cells = (f64::from(1_u32 << (log_size - 1)) * cells_per_node) as u32 + 2;
        Self { log_size, most_cells, dims: dims as u32 }
    }

    /// Values of the transform's cube.
    #[must_use]
    pub fn cube(self) -> usize {
        1 << (self.dims * self.log_size)
    }

    /// Nodes that there is room for.
    #[must_use]
    pub fn nodes(self) -> usize {
        1 << (self.dims * (self.log_size - 1))
    }

    /// Cells that there is room for.
    #[must_use]
    pub fn cells(self) -> usize {
        (self.most_cells as usize).pow(self.dims)
    }
}

/// What all kernels of a run bind.
pub struct Common<'a> {
    /// The device.
    pub context: &'a GpuContext,
    /// Parameters.
    pub params: &'a UniformBuffer<TsneParams>,
    /// The plan.
    pub plan: &'a StorageBuffer<TsnePlan>,
    /// `[rows, 4]`.
    pub positions: &'a StorageBuffer<[f32; 4]>,
    /// `[rows, 4]`.
    pub forces: &'a StorageBuffer<[f32; 4]>,
}

/// The dispatches that write forces and Z, and what must be 0 before.
pub struct Repulsion {
    /// In their order.
    pub dispatches: Vec<Dispatch>,
    /// Buffers of counts.
    pub cleared: Vec<wgpu::Buffer>,
}

impl Repulsion {
    /// Compiles the kernels and makes the buffers.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn new(common: &Common<'_>, rows: usize, sizes: Sizes) -> Result<Self, GpuError> {
        let mut made = Self { dispatches: Vec::new(), cleared: Vec::new() };
        let own = StorageBuffer::<f32>::zeroed(common.context, "t-SNE's own shares", OWN_PARTS)?;
        if sizes.log_size == 0 {
            let buffers = [common.params.buffer(), common.positions.buffer(), common.forces.buffer()];
            made.add(common, &kernels::REPULSION, &buffers, rows.div_ceil(256))?;
        } else {
            made.add_grid(common, rows, sizes, &own)?;
            made.add_near(common, rows, sizes)?;
        }
        let sums = StorageBuffer::<f32>::zeroed(common.context, "t-SNE's sums", rows.div_ceil(256))?;
        let (params, plan) = (common.params.buffer(), common.plan.buffer());
        made.add(common, &kernels::SUM, &[params, common.forces.buffer(), sums.buffer()], rows.div_ceil(256))?;
        made.add(common, &kernels::TOTAL, &[params, sums.buffer(), own.buffer(), plan], 1)?;
        Ok(made)
    }

    fn add(&mut self, common: &Common<'_>, kernel: &'static Kernel, buffers: &[&wgpu::Buffer], workgroups: usize) -> Result<(), GpuError> {
        self.dispatches.push(bind(common.context, kernel, buffers, workgroups)?);
        Ok(())
    }

    fn add_grid(&mut self, common: &Common<'_>, rows: usize, sizes: Sizes, own: &StorageBuffer<f32>) -> Result<(), GpuError> {
        let context = common.context;
        let (params, plan) = (common.params.buffer(), common.plan.buffer());
        let (positions, forces) = (common.positions.buffer(), common.forces.buffer());
        let field = StorageBuffer::<[f32; 2]>::zeroed(context, "t-SNE's grid", sizes.cube())?;
        let kernel = StorageBuffer::<f32>::zeroed(context, "t-SNE's kernel", sizes.cube())?;
        let density = StorageBuffer::<[u32; 2]>::zeroed(context, "t-SNE's density", sizes.nodes())?;
        let turns = StorageBuffer::from_values(context, "t-SNE's turns", &turns(1 << sizes.log_size))?;
        let (field, kernel) = (field.buffer(), kernel.buffer());
        let cube = sizes.cube().div_ceil(256);
        let fft = kernels::FFT.pipeline(context)?;
        let lines = sizes.cube() / FFT_ROOM as usize;
        let transform = |axis: u32, mode: u32, whole: u32| {
            let pass = UniformBuffer::from_value(context, "t-SNE's pass", &FftPass { axis, mode, whole, unused: 0 })?;
            let bound = fft.bind(context, &[params, plan, pass.buffer(), turns.buffer(), kernel, field])?;
            Ok::<Dispatch, GpuError>((bound, u32::try_from(lines.max(1)).unwrap_or(u32::MAX)))
        };
        // Only where the spacing has changed: the kernel's spectrum.
        self.add(common, &kernels::GRID_KERNEL, &[params, plan, field], cube)?;
        for axis in 0..sizes.dims {
            self.dispatches.push(transform(axis, 0, 1)?);
        }
        self.add(common, &kernels::GRID_SPECTRUM, &[params, plan, turns.buffer(), field, kernel], cube)?;
        self.add(common, &kernels::GRID_OWN, &[params, plan, turns.buffer(), kernel, own.buffer()], OWN_PARTS)?;
        self.add(common, &kernels::GRID_PUT, &[params, plan, positions, density.buffer()], rows.div_ceil(64))?;
        self.add(common, &kernels::GRID_LOAD, &[params, plan, density.buffer(), field], sizes.nodes().div_ceil(256))?;
        let last = sizes.dims - 1;
        for axis in 0..last {
            self.dispatches.push(transform(axis, 0, 0)?);
        }
        self.dispatches.push(transform(last, 2, 0)?);
        for axis in (0..last).rev() {
            self.dispatches.push(transform(axis, 1, 0)?);
        }
        self.add(common, &kernels::GRID_READ, &[params, plan, positions, field, forces], rows.div_ceil(64))?;
        self.cleared.push(density.buffer().clone());
        Ok(())
    }

    fn add_near(&mut self, common: &Common<'_>, rows: usize, sizes: Sizes) -> Result<(), GpuError> {
        let context = common.context;
        let (params, plan) = (common.params.buffer(), common.plan.buffer());
        let positions = common.positions.buffer();
        let homes = StorageBuffer::<u32>::zeroed(context, "t-SNE's homes", rows)?;
        let counts = StorageBuffer::<u32>::zeroed(context, "t-SNE's cells", sizes.cells())?;
        let starts = StorageBuffer::<u32>::zeroed(context, "t-SNE's cells", sizes.cells() + 1)?;
        let unordered = StorageBuffer::<u32>::zeroed(context, "t-SNE's order", rows)?;
        let sorted = StorageBuffer::<[u32; 4]>::zeroed(context, "t-SNE's order", rows)?;
        let (homes, counts, starts) = (homes.buffer(), counts.buffer(), starts.buffer());
        let (unordered, sorted) = (unordered.buffer(), sorted.buffer());
        let each = rows.div_ceil(64);
        self.add(common, &kernels::CELLS_COUNT, &[params, plan, positions, homes, counts], each)?;
        self.add(common, &kernels::CELLS_SCAN, &[params, plan, counts, starts], 1)?;
        self.add(common, &kernels::CELLS_SCATTER, &[params, plan, homes, counts, unordered], each)?;
        self.add(common, &kernels::CELLS_ORDER, &[params, plan, positions, homes, starts, unordered, sorted], each)?;
        self.add(common, &kernels::NEAR, &[params, plan, starts, sorted, common.forces.buffer()], each)?;
        self.cleared.push(counts.clone());
        Ok(())
    }
}

/// exp(-2 pi i n / size) for n up to half of `size`, as `[re, im]`.
#[must_use]
pub fn turns(size: usize) -> Vec<[f32; 2]> {
    let angle = |n: usize| -std::f64::consts::TAU * n as f64 / size as f64;
    (0..size / 2).map(|n| [angle(n).cos() as f32, angle(n).sin() as f32]).collect()
}
