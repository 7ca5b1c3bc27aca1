//! Picking in compute shaders, for spaces and for layouts that move: a pass over all rows where they are on the GPU, and eight bytes read back.
//!
//! A pick is submitted at once, not with a frame, and fetched when it is done: one is on its way at a time, and of the pointers that came
//! meanwhile the newest is picked next. Rows are compared as [`Aim::key`] says; what shader and CPU round differently is less than a thousandth of a
//! pixel, so that of two rows nearer to each other than that either may be the answer. Of rows whose keys are the same to the last bit the first is.

pub mod kernels;
mod params;

use std::time::Duration;

use kernels::RUN;
pub use params::PickParams;

use super::gpu_data::MapBuffers;
use super::renderer::MapRenderer;
use crate::catalog::SegmentId;
use crate::gpu::{BoundKernel, GpuContext, GpuError, KernelPipeline, LateReadback, PositionBuffer, StorageBuffer, UniformBuffer};
use crate::scene::Aim;
use crate::scene::pick::NO_KEY;

/// A pick that is done: the number that it was asked with, and what is there.
pub type Picked = (u64, Option<SegmentId>);

/// The kernels, and the pick that is on its way.
#[derive(Debug)]
pub struct GpuPick {
    rows: KernelPipeline,
    first: KernelPipeline,
    params: UniformBuffer<PickParams>,
    bound: Option<Bound>,
    readback: LateReadback,
    on_its_way: Option<u64>,
    waiting: Option<(u64, Aim)>,
}

/// Kernels with the columns that are shown.
#[derive(Debug)]
struct Bound {
    rows: BoundKernel,
    first: BoundKernel,
    count: usize,
    found: StorageBuffer<[u32; 2]>,
}

impl GpuPick {
    /// Compiles the kernels.
    ///
    /// # Errors
    /// A shader that the device rejects; [`GpuError::OutOfMemory`].
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        Ok(Self {
            rows: kernels::ROWS.pipeline(context)?,
            first: kernels::FIRST.pipeline(context)?,
            params: UniformBuffer::from_value(context, "pick.params", &PickParams::default())?,
            bound: None,
            readback: LateReadback::new(context, "pick.found", size_of::<[u32; 2]>() as u64)?,
            on_its_way: None,
            waiting: None,
        })
    }

    /// Forgets what was bound: other rows are shown. What is on its way is an answer about the former ones, which its number tells.
    pub fn rebind(&mut self) {
        self.bound = None;
        self.waiting = None;
    }

    /// Picks among these positions, as they are when the GPU comes to it; once the pick before is done, where there is one on its way.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`], [`GpuError::TooLarge`].
    pub fn begin(&mut self, context: &GpuContext, positions: &PositionBuffer, aim: Aim, number: u64) -> Result<(), GpuError> {
        if self.on_its_way.is_some() {
            self.waiting = Some((number, aim));
            return Ok(());
        }
        if self.bound.as_ref().is_none_or(|bound| bound.count != positions.len) {
            self.bound = Some(self.bind(context, positions)?);
        }
        let Some(bound) = &self.bound else { return Ok(()) };
        self.params.write(context, &PickParams::new(&aim, bound.count))?;
        let readback = &mut self.readback;
        context.scoped("picking", || {
            let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pick") });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            bound.rows.dispatch(&mut pass, bound.count.div_ceil(RUN) as u32);
            bound.first.dispatch(&mut pass, 1);
            drop(pass);
            readback.copy(&mut encoder, bound.found.buffer(), size_of::<[u32; 2]>() as u64);
            context.queue.submit([encoder.finish()]);
            readback.submitted();
        })?;
        self.on_its_way = Some(number);
        Ok(())
    }

    /// What the pick on its way came to, if it is done within `longest`; none where there is none. One that waits is begun then.
    ///
    /// # Errors
    /// [`GpuError::Lost`]; nothing is on its way then.
    pub fn take(&mut self, context: &GpuContext, positions: &PositionBuffer, longest: Duration) -> Result<Option<Picked>, GpuError> {
        let Some(number) = self.on_its_way else { return Ok(None) };
        let taken = if longest.is_zero() { self.readback.take(context) } else { self.readback.take_within(context, longest) };
        let bytes = taken.inspect_err(|_| self.on_its_way = None)?;
        let Some(bytes) = bytes else { return Ok(None) };
        self.on_its_way = None;
        if let Some((number, aim)) = self.waiting.take() {
            self.begin(context, positions, aim, number)?;
        }
        let [key, row]: [u32; 2] = bytemuck::pod_read_unaligned(&bytes);
        Ok(Some((number, (key != NO_KEY).then_some(SegmentId(row)))))
    }

    /// Whether an answer is still to come.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.on_its_way.is_some()
    }

    fn bind(&self, context: &GpuContext, positions: &PositionBuffer) -> Result<Bound, GpuError> {
        let candidates = StorageBuffer::<[u32; 2]>::zeroed(context, "pick.candidates", positions.len.div_ceil(RUN))?;
        let found = StorageBuffer::zeroed(context, "pick.found", 1)?;
        let (params, PositionBuffer { x, y, z, .. }) = (self.params.buffer(), positions);
        Ok(Bound {
            rows: self.rows.bind(context, &[params, x, y, z, candidates.buffer()])?,
            first: self.first.bind(context, &[params, candidates.buffer(), found.buffer()])?,
            count: positions.len,
            found,
        })
    }
}

impl MapRenderer {
    /// Begins to pick among the rows shown; see [`GpuPick::begin`]. Nothing before [`MapRenderer::show`].
    ///
    /// # Errors
    /// What the device failed of.
    pub fn begin_pick(&mut self, context: &GpuContext, aim: Aim, number: u64) -> Result<(), GpuError> {
        let Some((MapBuffers { positions, .. }, _)) = &self.shown else { return Ok(()) };
        let pick = match &mut self.pick {
            Some(pick) => pick,
            none => none.insert(GpuPick::new(context)?),
        };
        pick.begin(context, positions, aim, number)
    }

    /// What a pick came to; see [`GpuPick::take`].
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn picked(&mut self, context: &GpuContext, longest: Duration) -> Result<Option<Picked>, GpuError> {
        let (Some((MapBuffers { positions, .. }, _)), Some(pick)) = (&self.shown, &mut self.pick) else { return Ok(None) };
        pick.take(context, positions, longest)
    }

    /// Whether a pick is on its way.
    #[must_use]
    pub fn is_picking(&self) -> bool {
        self.pick.as_ref().is_some_and(GpuPick::is_busy)
    }
}
