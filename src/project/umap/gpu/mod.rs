//! UMAP's steps on the GPU: [`super::UmapRun`]'s in compute shaders. Positions and edges stay there; a step reads nothing back.

pub mod kernels;

use bytemuck::{Pod, Zeroable};

use super::fuzzy_set::FuzzySet;
use super::run::Step;
use crate::gpu::dispatch::{Dispatch, STEPS_IN_FLIGHT, bind, submit};
use crate::gpu::{DeviceCaps, GpuContext, GpuError, PositionBuffer, StorageBuffer, UniformBuffer};
use crate::project::error::ProjectError;

/// What the kernels are told: as in `shaders/shared/umap_params.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct UmapParams {
    /// Rows.
    pub rows: u32,
    /// The step's number, from 0.
    pub iteration: u32,
    /// What rows are drawn by.
    pub seed: u32,
    /// The learning rate.
    pub rate: f32,
    /// Of the curve.
    pub a: f32,
    /// Of the curve.
    pub b: f32,
    /// Nothing.
    pub unused0: u32,
    /// Nothing.
    pub unused1: u32,
}

/// The lowest and the highest coordinates.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Bounds {
    /// The lowest.
    pub low: [f32; 4],
    /// The highest.
    pub high: [f32; 4],
}

/// What failures are called by.
const LABEL: &str = "a step of UMAP";

/// UMAP under way on a GPU.
pub struct UmapGpuRun {
    context: GpuContext,
    rows: usize,
    uniform: UniformBuffer<UmapParams>,
    /// From the first buffer of positions into the second, and back.
    steps: [[Dispatch; 2]; 2],
    bounds: Dispatch,
    found: StorageBuffer<Bounds>,
    columns: PositionBuffer,
    steps_done: usize,
}

/// Whether a device takes so many rows with `k` neighbours each: looked at before any work is done.
///
/// # Errors
/// [`ProjectError::TooLargeForGpu`] with the device's limit.
pub fn check(caps: &DeviceCaps, rows: usize, k: usize) -> Result<(), ProjectError> {
    let limit = caps.storage_binding_bytes();
    // A row is its neighbours' neighbour at most as often again; a position has four numbers.
    let bytes = (8 * rows as u64 * k as u64).max(16 * rows as u64);
    if bytes > limit { Err(ProjectError::TooLargeForGpu { method: "UMAP", rows, bytes, limit }) } else { Ok(()) }
}

impl UmapGpuRun {
    /// As [`super::UmapRun::new`], positions `[rows, 3]`, the third 0 in a plane.
    ///
    /// # Errors
    /// [`GpuError`]: a shader that does not compile, too little memory, more rows than the device's limits allow.
    ///
    /// # Panics
    /// If `set` has another number of rows: a caller's mistake.
    pub fn new(context: &GpuContext, set: &FuzzySet, positions: &[[f32; 3]]) -> Result<Self, GpuError> {
        let rows = positions.len();
        assert_eq!(set.rows(), rows, "edges of other rows");
        let limit = context.caps.storage_binding_bytes();
        let too_large = || GpuError::TooLarge { what: "the edges of UMAP".to_owned(), bytes: 4 * set.entries() as u64, limit };
        let (offsets, others, memberships) = set.columns().ok_or_else(too_large)?;
        let offsets = StorageBuffer::from_values(context, "the edges of UMAP", &offsets)?;
        let others = StorageBuffer::from_values(context, "the edges of UMAP", others)?;
        let memberships = StorageBuffer::from_values(context, "the edges of UMAP", memberships)?;
        let deep: Vec<[f32; 4]> = positions.iter().map(|&[x, y, z]| [x, y, z, 0.0]).collect();
        let first = StorageBuffer::from_values(context, "the positions of UMAP", &deep)?;
        let second = StorageBuffer::<[f32; 4]>::zeroed(context, "the positions of UMAP", rows)?;
        let columns = PositionBuffer::from_positions(context, positions)?;
        let groups = rows.div_ceil(kernels::SETTLE.workgroup_size[0] as usize);
        let partials = StorageBuffer::<Bounds>::zeroed(context, "the bounds of UMAP", groups)?;
        let found = StorageBuffer::<Bounds>::zeroed(context, "the bounds of UMAP", 1)?;
        let params = UmapParams { rows: u32::try_from(rows).unwrap_or(u32::MAX), ..UmapParams::default() };
        let uniform = UniformBuffer::from_value(context, "UMAP's parameters", &params)?;
        let told = &uniform.buffer().clone();
        let step = |from: &StorageBuffer<[f32; 4]>, to: &StorageBuffer<[f32; 4]>| -> Result<[Dispatch; 2], GpuError> {
            let edges = [told, from.buffer(), offsets.buffer(), others.buffer(), memberships.buffer(), to.buffer()];
            Ok([
                bind(context, &kernels::STEP, &edges, rows.div_ceil(kernels::STEP.workgroup_size[0] as usize))?,
                settle(context, told, to, &columns, &partials, groups)?,
            ])
        };
        let made = Self {
            steps: [step(&first, &second)?, step(&second, &first)?],
            bounds: bind(context, &kernels::BOUNDS, &[told, partials.buffer(), found.buffer()], 1)?,
            context: context.clone(),
            rows,
            uniform,
            found,
            columns: columns.clone(),
            steps_done: 0,
        };
        // The bounds of the first positions.
        submit(context, LABEL, [&settle(context, told, &first, &columns, &partials, groups)?], &[])?;
        Ok(made)
    }

    /// Where the layout is written, for a renderer on the same device.
    #[must_use]
    pub fn columns(&self) -> &PositionBuffer {
        &self.columns
    }

    /// Waits until all steps are done.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn wait(&self) -> Result<(), GpuError> {
        self.context.wait("UMAP")
    }

    /// One step, as [`super::UmapRun::step`]; it is on its way when this returns.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn step(&mut self, step: &Step) -> Result<(), GpuError> {
        if self.rows < 2 {
            return Ok(());
        }
        let params = UmapParams {
            rows: u32::try_from(self.rows).unwrap_or(u32::MAX),
            iteration: step.iteration,
            seed: step.seed,
            rate: step.rate,
            a: step.curve.a,
            b: step.curve.b,
            ..UmapParams::default()
        };
        self.uniform.write(&self.context, &params)?;
        submit(&self.context, LABEL, &self.steps[self.steps_done % 2], &[])?;
        self.steps_done += 1;
        if self.steps_done.is_multiple_of(STEPS_IN_FLIGHT) {
            self.wait()?;
        }
        Ok(())
    }

    /// The layout as it is, `[rows, 3]`, read back.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::OutOfMemory`].
    pub fn positions(&self) -> Result<Vec<[f32; 3]>, GpuError> {
        self.columns.read(&self.context)
    }

    /// The lowest and the highest coordinates, of which alone are read back; `[0; 3]` twice where there are no rows.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn bounds(&self) -> Result<[[f32; 3]; 2], GpuError> {
        if self.rows == 0 {
            return Ok([[0.0; 3]; 2]);
        }
        submit(&self.context, LABEL, [&self.bounds], &[])?;
        let found = self.found.read(&self.context)?.first().copied().unwrap_or_default();
        Ok([found.low, found.high].map(|[x, y, z, _]| [x, y, z]))
    }
}

fn settle(
    context: &GpuContext,
    told: &wgpu::Buffer,
    positions: &StorageBuffer<[f32; 4]>,
    columns: &PositionBuffer,
    partials: &StorageBuffer<Bounds>,
    workgroups: usize,
) -> Result<Dispatch, GpuError> {
    bind(context, &kernels::SETTLE, &[told, positions.buffer(), &columns.x, &columns.y, &columns.z, partials.buffer()], workgroups)
}
