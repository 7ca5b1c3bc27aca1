//! t-SNE on the GPU: [`super::TsneRun`]'s steps in compute shaders. Positions, speeds, gains, affinities, grid and cells stay there; a step
//! reads nothing back, not even the bounds: a kernel of one workgroup decides from them how the grid lies in the next step.
//!
//! Sums go in fixed orders and what is added in any order is whole numbers, so that one device gives the same bits every time.

pub mod kernels;
pub mod params;
pub mod repulsion;

use params::{TsneParams, TsnePartial, TsnePlan};
use repulsion::{Common, Dispatch, Repulsion, Sizes, bind};

use super::affinities::Affinities;
use super::run::{Pace, Schedule};
use crate::gpu::{DeviceCaps, GpuContext, GpuError, PositionBuffer, StorageBuffer, UniformBuffer};
use crate::project::error::ProjectError;

/// Rows of a workgroup of `tsne_move.wgsl`.
const MOVE_ROWS: usize = 64;
/// Steps that are submitted before the CPU waits for the GPU: a queue without end would take memory, and could not be stopped.
const STEPS_IN_FLIGHT: usize = 8;

/// t-SNE under way on a GPU.
pub struct TsneGpuRun {
    context: GpuContext,
    params: TsneParams,
    uniform: UniformBuffer<TsneParams>,
    plan: StorageBuffer<TsnePlan>,
    forces: StorageBuffer<[f32; 4]>,
    columns: PositionBuffer,
    repulsion: Repulsion,
    planning: Dispatch,
    gradient: Dispatch,
    motion: Dispatch,
    centre: Dispatch,
    /// How fast.
    pub pace: Pace,
    positions: StorageBuffer<[f32; 4]>,
    iteration: usize,
}

/// Whether a device takes so many rows with `k` neighbours each: looked at before any work is done.
///
/// # Errors
/// [`ProjectError::TooLargeForGpu`] with the device's limit.
pub fn check(caps: &DeviceCaps, rows: usize, k: usize) -> Result<(), ProjectError> {
    let limit = caps.storage_binding_bytes();
    // A row is its neighbours' neighbour at most as often again; a position has four numbers.
    let bytes = (8 * rows as u64 * k as u64).max(16 * rows as u64);
    if bytes > limit { Err(ProjectError::TooLargeForGpu { rows, bytes, limit }) } else { Ok(()) }
}

impl TsneGpuRun {
    /// As [`super::TsneRun::new`].
    ///
    /// # Errors
    /// [`GpuError`]: a shader that does not compile, too little memory, more rows than the device's limits allow.
    ///
    /// # Panics
    /// If `affinities` has another number of rows: a caller's mistake.
    pub fn new<const D: usize>(
        context: &GpuContext,
        affinities: &Affinities,
        positions: &[[f32; D]],
        exaggeration: f32,
    ) -> Result<Self, GpuError> {
        let sizes = Sizes::new(positions.len(), D, context.caps.is_cpu());
        Self::with_sizes(context, affinities, positions, exaggeration, sizes)
    }

    /// The same with a grid of that size, or all pairs.
    ///
    /// # Errors
    /// As [`TsneGpuRun::new`].
    ///
    /// # Panics
    /// As [`TsneGpuRun::new`].
    pub fn with_sizes<const D: usize>(
        context: &GpuContext,
        affinities: &Affinities,
        positions: &[[f32; D]],
        exaggeration: f32,
        sizes: Sizes,
    ) -> Result<Self, GpuError> {
        let rows = positions.len();
        assert_eq!(affinities.rows(), rows, "affinities of other rows");
        let params = TsneParams {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            dims: D as u32,
            log_size: sizes.log_size,
            most_cells: sizes.most_cells,
            ..TsneParams::default()
        };
        let deep: Vec<[f32; 4]> = positions.iter().map(|at| std::array::from_fn(|axis| at.get(axis).copied().unwrap_or(0.0))).collect();
        let columns: Vec<[f32; 3]> = deep.iter().map(|&[x, y, z, _]| [x, y, z]).collect();
        let columns = PositionBuffer::from_positions(context, &columns)?;
        let uniform = UniformBuffer::from_value(context, "t-SNE's parameters", &params)?;
        let plan = StorageBuffer::also_uniform(context, "t-SNE's plan", &TsnePlan::default())?;
        let partials = StorageBuffer::from_values(context, "t-SNE's bounds", &partials(&deep))?;
        let at = StorageBuffer::from_values(context, "the positions of t-SNE", &deep)?;
        let speeds = StorageBuffer::<[f32; 4]>::zeroed(context, "t-SNE's speeds", rows)?;
        let gains = StorageBuffer::from_values(context, "t-SNE's gains", &vec![[1.0_f32; 4]; rows])?;
        let forces = StorageBuffer::<[f32; 4]>::zeroed(context, "t-SNE's forces", rows)?;
        let common = Common { context, params: &uniform, plan: &plan, positions: &at, forces: &forces };
        let repulsion = Repulsion::new(&common, rows, sizes)?;
        let (told, planned) = (uniform.buffer(), plan.buffer());
        let each = rows.div_ceil(MOVE_ROWS);
        let made = Self {
            planning: bind(context, &kernels::PLANNING, &[told, partials.buffer(), planned], 1)?,
            gradient: gradient(&common, affinities)?,
            motion: bind(
                context,
                &kernels::MOVE,
                &[told, forces.buffer(), at.buffer(), speeds.buffer(), gains.buffer(), partials.buffer()],
                each,
            )?,
            centre: bind(context, &kernels::CENTRE, &[told, planned, at.buffer(), &columns.x, &columns.y, &columns.z], each)?,
            context: context.clone(),
            params,
            uniform,
            forces: forces.clone(),
            repulsion,
            columns,
            pace: Pace::new(exaggeration),
            positions: at.clone(),
            iteration: 0,
            plan: plan.clone(),
        };
        // The plan is for positions about their mean.
        made.submit([&made.planning, &made.centre], &[])?;
        Ok(made)
    }

    /// Takes other affinities; positions and speeds stay.
    ///
    /// # Errors
    /// [`GpuError`]; the affinities are the old ones then.
    ///
    /// # Panics
    /// If they have another number of rows: a caller's mistake.
    pub fn set_affinities(&mut self, affinities: &Affinities) -> Result<(), GpuError> {
        assert_eq!(affinities.rows(), self.params.rows as usize, "affinities of other rows");
        let (context, forces) = (&self.context, &self.forces);
        self.gradient =
            gradient(&Common { context, params: &self.uniform, plan: &self.plan, positions: &self.positions, forces }, affinities)?;
        Ok(())
    }

    /// What the device can do.
    #[must_use]
    pub fn caps(&self) -> &DeviceCaps {
        &self.context.caps
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
        self.context.wait("t-SNE")
    }

    /// Steps done, or on their way.
    #[must_use]
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// One step, as [`super::TsneRun::step`]; it is on its way when this returns.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn step(&mut self) -> Result<(), GpuError> {
        let schedule = self.pace.at(self.iteration, self.params.rows as usize);
        self.iteration += 1;
        if self.params.rows < 2 {
            return Ok(());
        }
        let Schedule { exaggeration, momentum, rate } = schedule;
        self.params = TsneParams { exaggeration, momentum, rate, ..self.params };
        self.uniform.write(&self.context, &self.params)?;
        let own = [&self.gradient, &self.motion, &self.planning, &self.centre];
        self.submit(self.repulsion.dispatches.iter().chain(own), &self.repulsion.cleared)?;
        if self.iteration.is_multiple_of(STEPS_IN_FLIGHT) {
            self.context.wait("t-SNE")?;
        }
        Ok(())
    }

    /// The layout as it is, `[rows, D]`, read back.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::OutOfMemory`].
    pub fn positions<const D: usize>(&self) -> Result<Vec<[f32; D]>, GpuError> {
        let deep = self.columns.read(&self.context)?;
        Ok(deep.into_iter().map(|at| std::array::from_fn(|axis| at[axis.min(2)])).collect())
    }

    /// Forces of all upon all at the positions, `[rows, 3]`, and Z, read back: for checking against the CPU.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn repulsion(&self) -> Result<(Vec<[f32; 3]>, f64), GpuError> {
        self.submit(&self.repulsion.dispatches, &self.repulsion.cleared)?;
        let forces = self.forces.read(&self.context)?.into_iter().map(|[x, y, z, _]| [x, y, z]).collect();
        let plan = self.plan.read(&self.context)?;
        Ok((forces, plan.first().map_or(0.0, |plan| f64::from(plan.z))))
    }

    fn submit<'a>(&self, dispatches: impl IntoIterator<Item = &'a Dispatch>, cleared: &[wgpu::Buffer]) -> Result<(), GpuError> {
        self.context.scoped("a step of t-SNE", || {
            let mut encoder = self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("t-SNE") });
            for buffer in cleared {
                encoder.clear_buffer(buffer, 0, None);
            }
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for (kernel, workgroups) in dispatches {
                kernel.dispatch(&mut pass, *workgroups);
            }
            drop(pass);
            self.context.queue.submit([encoder.finish()]);
        })
    }
}

/// The gradient's kernel with these affinities.
fn gradient(common: &Common<'_>, affinities: &Affinities) -> Result<Dispatch, GpuError> {
    let context = common.context;
    let (offsets, others, values) = affinities.columns();
    let offsets = StorageBuffer::from_values(context, "the affinities of t-SNE", &offsets)?;
    let others = StorageBuffer::from_values(context, "the affinities of t-SNE", others)?;
    let values = StorageBuffer::from_values(context, "the affinities of t-SNE", values)?;
    let buffers = [
        common.params.buffer(),
        common.plan.buffer(),
        common.positions.buffer(),
        offsets.buffer(),
        others.buffer(),
        values.buffer(),
        common.forces.buffer(),
    ];
    bind(context, &kernels::GRADIENT, &buffers, common.positions.len().div_ceil(MOVE_ROWS))
}

/// What `tsne_move.wgsl` would know of these positions, `[rows, 4]`.
#[must_use]
pub fn partials(positions: &[[f32; 4]]) -> Vec<TsnePartial> {
    let of = |rows: &[[f32; 4]]| {
        let fold = |start: f32, pick: fn(f32, f32) -> f32| std::array::from_fn(|axis| rows.iter().map(|at| at[axis]).fold(start, pick));
        TsnePartial { sum: fold(0.0, |a, b| a + b), low: fold(f32::INFINITY, f32::min), high: fold(f32::NEG_INFINITY, f32::max) }
    };
    positions.chunks(MOVE_ROWS).map(of).collect()
}
