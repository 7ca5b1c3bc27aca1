//! t-SNE on the GPU: [`super::TsneRun`]'s steps in compute shaders. Affinities are made there from the neighbours ([`lists`]), and positions,
//! speeds, gains, grid and cells stay there; a step reads nothing back, not even the bounds: a kernel of one workgroup decides from them how
//! the grid lies in the next step.
//!
//! Sums go in fixed orders and what is added in any order is whole numbers, so that one device gives the same bits every time.

pub mod kernels;
pub mod lists;
pub mod params;
pub mod repulsion;

use crate::gpu::dispatch::{Dispatch, STEPS_IN_FLIGHT, bind, submit};
use lists::Lists;
use params::{TsneParams, TsnePartial, TsnePlan};
use repulsion::{Common, Repulsion, Sizes};

use super::run::{Pace, Schedule};
use crate::gpu::{DeviceCaps, GpuContext, GpuError, PositionBuffer, StorageBuffer, UniformBuffer};
use crate::neighbors::NeighborTable;
use crate::project::error::ProjectError;

/// Rows of a workgroup of `tsne_move.wgsl`.
const MOVE_ROWS: usize = 64;
/// Shaders count neighbours in 32 bits, rounded up to whole workgroups.
const MOST_ENTRIES: u64 = 1 << 31;

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
    lists: Lists,
    gradient: Dispatch,
    divergence: Dispatch,
    /// Half of the divergence, one for each 64 rows.
    divergences: StorageBuffer<f32>,
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
    let entries = (rows as u64).saturating_mul(k as u64);
    // A neighbour has a number and a weight, in columns of their own; a position has four numbers.
    let bytes = entries.saturating_mul(4).max((rows as u64).saturating_mul(16));
    let limit = caps.storage_binding_bytes().min(MOST_ENTRIES * 4);
    if bytes > limit { Err(ProjectError::TooLargeForGpu { method: "t-SNE", rows, bytes, limit }) } else { Ok(()) }
}

impl TsneGpuRun {
    /// As [`super::TsneRun::new`].
    ///
    /// # Errors
    /// [`GpuError`]: a shader that does not compile, too little memory, more rows than the device's limits allow.
    ///
    /// # Panics
    /// If `lists` has another number of rows: a caller's mistake.
    pub fn new<const D: usize>(context: &GpuContext, lists: Lists, positions: &[[f32; D]], exaggeration: f32) -> Result<Self, GpuError> {
        let sizes = Sizes::new(positions.len(), D, context.caps.is_cpu());
        Self::with_sizes(context, lists, positions, exaggeration, sizes)
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
        lists: Lists,
        positions: &[[f32; D]],
        exaggeration: f32,
        sizes: Sizes,
    ) -> Result<Self, GpuError> {
        let rows = positions.len();
        assert_eq!(lists.rows(), rows, "neighbours of other rows");
        let params = lists.told(TsneParams {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            dims: D as u32,
            log_size: sizes.log_size,
            most_cells: sizes.most_cells,
            ..TsneParams::default()
        });
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
        let divergences = StorageBuffer::<f32>::zeroed(context, "t-SNE's divergence", rows.div_ceil(MOVE_ROWS))?;
        let (told, planned) = (uniform.buffer(), plan.buffer());
        let each = rows.div_ceil(MOVE_ROWS);
        let made = Self {
            planning: bind(context, &kernels::PLANNING, &[told, partials.buffer(), planned], 1)?,
            gradient: gradient(&common, &lists)?,
            divergence: divergence(&common, &lists, &divergences)?,
            divergences,
            lists,
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
        submit(context, "a step of t-SNE", [&made.planning, &made.centre], &[])?;
        Ok(made)
    }

    /// Takes other neighbours; positions and speeds stay.
    ///
    /// # Errors
    /// [`GpuError`]; the neighbours are the old ones then.
    ///
    /// # Panics
    /// If they are of another number of rows: a caller's mistake.
    pub fn set_lists(&mut self, lists: Lists) -> Result<(), GpuError> {
        assert_eq!(lists.rows(), self.params.rows as usize, "neighbours of other rows");
        let (context, params, plan, positions, forces) = (&self.context, &self.uniform, &self.plan, &self.positions, &self.forces);
        let common = Common { context, params, plan, positions, forces };
        let (gradient, divergence) = (gradient(&common, &lists)?, divergence(&common, &lists, &self.divergences)?);
        (self.gradient, self.divergence) = (gradient, divergence);
        self.lists = lists;
        self.tell()
    }

    /// Takes another table of neighbours, all of which count at `perplexity`; positions and speeds stay.
    ///
    /// # Errors
    /// As [`TsneGpuRun::set_lists`].
    ///
    /// # Panics
    /// As [`TsneGpuRun::set_lists`].
    pub fn set_neighbors(&mut self, table: &NeighborTable, perplexity: f64) -> Result<(), GpuError> {
        self.set_lists(Lists::new(&self.context, self.params.rows as usize, table, perplexity)?)
    }

    /// Takes another perplexity, at which the nearest `counted` neighbours count, or all; positions and speeds stay.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn calibrate(&mut self, perplexity: f64, counted: usize) -> Result<(), GpuError> {
        self.lists.calibrate(perplexity, counted)?;
        self.tell()
    }

    /// The rows' neighbours.
    #[must_use]
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    fn tell(&mut self) -> Result<(), GpuError> {
        self.params = self.lists.told(self.params);
        self.uniform.write(&self.context, &self.params)
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
        submit(&self.context, "a step of t-SNE", self.repulsion.dispatches.iter().chain(own), &self.repulsion.cleared)?;
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

    /// The lowest and the highest coordinates: a few bytes are read back.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::OutOfMemory`].
    pub fn bounds(&self) -> Result<[[f32; 3]; 2], GpuError> {
        let plan = self.plan.read(&self.context)?;
        let three = |[x, y, z, _]: [f32; 4]| [x, y, z];
        Ok(plan.first().map_or([[0.0; 3]; 2], |plan| [three(plan.origin), three(plan.high)]))
    }

    /// The divergence KL(P || Q), as [`super::TsneRun::kl`]: partial sums are read back.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn divergence(&self) -> Result<f64, GpuError> {
        if self.params.rows < 2 {
            return Ok(0.0);
        }
        let dispatches = self.repulsion.dispatches.iter().chain([&self.divergence]);
        submit(&self.context, "a step of t-SNE", dispatches, &self.repulsion.cleared)?;
        Ok(2.0 * self.divergences.read(&self.context)?.into_iter().map(f64::from).sum::<f64>())
    }

    /// Forces of all upon all at the positions, `[rows, 3]`, and Z, read back: for checking against the CPU.
    ///
    /// # Errors
    /// [`GpuError`].
    pub fn repulsion(&self) -> Result<(Vec<[f32; 3]>, f64), GpuError> {
        submit(&self.context, "a step of t-SNE", &self.repulsion.dispatches, &self.repulsion.cleared)?;
        let forces = self.forces.read(&self.context)?.into_iter().map(|[x, y, z, _]| [x, y, z]).collect();
        let plan = self.plan.read(&self.context)?;
        Ok((forces, plan.first().map_or(0.0, |plan| f64::from(plan.z))))
    }
}

/// The gradient's kernel with these lists.
fn gradient(common: &Common<'_>, lists: &Lists) -> Result<Dispatch, GpuError> {
    let buffers = [
        common.params.buffer(),
        common.plan.buffer(),
        common.positions.buffer(),
        lists.others.buffer(),
        lists.weights.buffer(),
        lists.starts.buffer(),
        lists.entries.buffer(),
        common.forces.buffer(),
    ];
    bind(common.context, &kernels::GRADIENT, &buffers, lists.rows().div_ceil(MOVE_ROWS))
}

/// The divergence's kernel with these lists.
fn divergence(common: &Common<'_>, lists: &Lists, sums: &StorageBuffer<f32>) -> Result<Dispatch, GpuError> {
    let buffers = [
        common.params.buffer(),
        common.plan.buffer(),
        common.positions.buffer(),
        lists.others.buffer(),
        lists.weights.buffer(),
        sums.buffer(),
    ];
    bind(common.context, &kernels::DIVERGENCE, &buffers, lists.rows().div_ceil(MOVE_ROWS))
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
