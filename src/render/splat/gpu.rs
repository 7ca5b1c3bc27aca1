//! The splat in compute shaders: counts and sums of colours, or counts of classes, by integer atomics, their histogram and tones, and a pass that colours them.

use super::kernels::{self, CELLS_EACH, WORKGROUP};
use super::params::{MOST_REACH, RUN, SplatKind, SplatParams, SplatPlan};
use super::progress::Part;
use super::resolve::ResolvePass;
use super::tone::{BUCKETS, Tones};
use crate::gpu::{BoundKernel, GpuContext, GpuError, KernelPipeline, LateReadback, PassTimer, StorageBuffer, UniformBuffer};
use crate::render::gpu_data::{FrameUniform, MapBuffers};
use crate::render::target::ViewTarget;
use crate::scene::mixture::MOST_CLASSES;
use crate::scene::{HeatMap, Theme};

/// The pipelines, and the cells of the picture that was drawn last.
#[derive(Debug)]
pub struct GpuSplat {
    count: KernelPipeline,
    color: KernelPipeline,
    lines: KernelPipeline,
    smooth_rows: KernelPipeline,
    smooth_columns: KernelPipeline,
    histogram: KernelPipeline,
    curve: KernelPipeline,
    total: KernelPipeline,
    resolve: ResolvePass,
    params: UniformBuffer<SplatParams>,
    weights: StorageBuffer<f32>,
    heat: StorageBuffer<u32>,
    heat_of: Option<Theme>,
    palette: StorageBuffer<u32>,
    histogram_of_cells: StorageBuffer<u32>,
    tones: StorageBuffer<f32>,
    told: LateReadback,
    grid: Option<Grid>,
}

/// The cells of a grid of one size and kind, with everything bound that works on them.
#[derive(Debug)]
struct Grid {
    params: SplatParams,
    kind: SplatKind,
    counts: StorageBuffer<u32>,
    sums: StorageBuffer<u32>,
    total: StorageBuffer<u32>,
    splat: BoundKernel,
    smooth: Option<[BoundKernel; 2]>,
    classify: BoundKernel,
    draw_curve: BoundKernel,
    add_up: BoundKernel,
    colored: wgpu::BindGroup,
}

impl Grid {
    /// Whether it has the buffers and the kernel that a grid of these parameters and this kind takes.
    fn fits(&self, params: &SplatParams, kind: SplatKind) -> bool {
        let shape = |of: &SplatParams| (of.width, of.cells, of.sums_each(), of.reach > 0, of.first > 0);
        self.kind == kind && shape(&self.params) == shape(params)
    }
}

impl GpuSplat {
    /// Compiles them.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let params = UniformBuffer::from_value(context, "splat.params", &SplatParams::default())?;
        Ok(Self {
            count: kernels::COUNT.pipeline(context)?,
            color: kernels::COLOR.pipeline(context)?,
            lines: kernels::LINES.pipeline(context)?,
            smooth_rows: kernels::SMOOTH_ROWS.pipeline(context)?,
            smooth_columns: kernels::SMOOTH_COLUMNS.pipeline(context)?,
            histogram: kernels::HISTOGRAM.pipeline(context)?,
            curve: kernels::CURVE.pipeline(context)?,
            total: kernels::TOTAL.pipeline(context)?,
            resolve: ResolvePass::new(context, &params)?,
            params,
            weights: StorageBuffer::zeroed(context, "splat.weights", MOST_REACH + 1)?,
            heat: StorageBuffer::zeroed(context, "splat.heat", 256)?,
            heat_of: None,
            palette: StorageBuffer::zeroed(context, "splat.palette", MOST_CLASSES + 1)?,
            histogram_of_cells: StorageBuffer::zeroed(context, "splat.histogram", BUCKETS)?,
            tones: StorageBuffer::zeroed(context, "splat.curve", BUCKETS)?,
            told: LateReadback::new(context, "splat.tones", 4 * BUCKETS as u64)?,
            grid: None,
        })
    }

    /// Forgets what was bound: other rows are shown.
    pub fn rebind(&mut self) {
        self.grid = None;
    }

    /// Splats a part of the rows into the target.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] for a picture with more pixels than a binding has room for; [`GpuError::OutOfMemory`].
    #[expect(clippy::too_many_arguments, reason = "a frame's parts, each of another owner")]
    pub fn encode(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        frame: &UniformBuffer<FrameUniform>,
        buffers: &MapBuffers,
        (plan, kind, palette): (&SplatPlan, SplatKind, &[u32]),
        (part, tones): (Part, Tones),
        theme: Theme,
        target: &ViewTarget,
        timer: &mut Option<PassTimer>,
    ) -> Result<(), GpuError> {
        let rows = buffers.positions.len;
        let params = plan.params;
        if self.grid.as_ref().is_none_or(|grid| !grid.fits(&params, kind)) {
            // The old cells first, so that both need not be there at once.
            self.grid = None;
            self.grid = Some(self.grid(context, frame, buffers, params, kind)?);
        }
        if self.heat_of != Some(theme) {
            self.heat.write(context, 0, &HeatMap::of(theme).premultiplied)?;
            self.heat_of = Some(theme);
        }
        self.params.write(context, &params)?;
        self.palette.write(context, 0, palette)?;
        self.weights.write(context, 0, &plan.weights)?;
        let Some(grid) = &self.grid else { return Ok(()) };
        if !part.goes_on {
            encoder.clear_buffer(grid.counts.buffer(), 0, None);
            encoder.clear_buffer(grid.sums.buffer(), 0, None);
        }
        let splats = (params.runs(rows) * RUN).div_ceil(WORKGROUP) as u32;
        let cells = (params.cells as usize).div_ceil(WORKGROUP) as u32;
        let bands = (params.cells as usize).div_ceil(CELLS_EACH) as u32;
        let mut passes = Vec::new();
        if part.phase.is_some() {
            if matches!(tones, Tones::Own | Tones::Gathered { is_first: true }) {
                encoder.clear_buffer(self.histogram_of_cells.buffer(), 0, None);
            }
            passes.push(("splat", &grid.splat, splats));
            if let Some([rows, columns]) = &grid.smooth {
                passes.extend([("smooth rows", rows, cells), ("smooth columns", columns, cells)]);
            }
            if tones != Tones::Kept {
                passes.push(("histogram", &grid.classify, bands));
            }
            passes.push(("curve", &grid.draw_curve, 1));
        }
        for (name, kernel, workgroups) in passes {
            let timestamp_writes = timer.as_mut().and_then(|timer| timer.compute(name));
            let descriptor = wgpu::ComputePassDescriptor { label: Some(name), timestamp_writes };
            kernel.dispatch(&mut encoder.begin_compute_pass(&descriptor), workgroups);
        }
        if kind == SplatKind::Density {
            self.told.copy(encoder, self.tones.buffer(), 4 * BUCKETS as u64);
        }
        let stamps = timer.as_mut().and_then(|timer| timer.render("resolve"));
        let mut pass = target.begin_flat(encoder, wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT), stamps);
        self.resolve.draw(&mut pass, &grid.colored);
        Ok(())
    }

    /// The frame was submitted: the tones of a density come back some frames later.
    pub fn submitted(&mut self) {
        self.told.submitted();
    }

    /// Whether tones are on their way.
    #[must_use]
    pub fn awaits_tones(&self) -> bool {
        !self.told.is_free()
    }

    /// The tones of a density some frames ago; `None`: no news. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn take_tones(&mut self, context: &GpuContext) -> Result<Option<[f32; BUCKETS]>, GpuError> {
        let bytes = self.told.take(context)?;
        Ok(bytes.and_then(|bytes| bytemuck::pod_collect_to_vec::<u8, f32>(&bytes).try_into().ok()))
    }

    /// Rows in the cells of the newest picture, those outside among them; 0 where there is none. Waits for the device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn total(&self, context: &GpuContext) -> Result<usize, GpuError> {
        let Some(grid) = &self.grid else { return Ok(0) };
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("splat.total") });
        encoder.clear_buffer(grid.total.buffer(), 0, None);
        let bands = grid.counts.len().div_ceil(CELLS_EACH) as u32;
        grid.add_up.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), bands);
        context.queue.submit([encoder.finish()]);
        Ok(grid.total.read(context)?.first().map_or(0, |&total| total as usize))
    }

    fn grid(
        &self,
        context: &GpuContext,
        frame: &UniformBuffer<FrameUniform>,
        buffers: &MapBuffers,
        grid: SplatParams,
        kind: SplatKind,
    ) -> Result<Grid, GpuError> {
        let cells = grid.cells as usize;
        let has_colors = kind.has_colors();
        let counts = StorageBuffer::zeroed(context, "splat.counts", grid.counts())?;
        let sums = StorageBuffer::zeroed(context, "splat.sums", if has_colors { grid.sums_each() * cells } else { 1 })?;
        let smoothed = if grid.reach > 0 { cells } else { 1 };
        let spread = StorageBuffer::<f32>::zeroed(context, "splat.spread", smoothed)?;
        let smooth = StorageBuffer::<u32>::zeroed(context, "splat.smooth", smoothed)?;
        let (histogram, curve) = (&self.histogram_of_cells, &self.tones);
        let total = StorageBuffer::zeroed(context, "splat.total", 1)?;
        let MapBuffers { positions, colors, tracks, chosen, .. } = buffers;
        let params = self.params.buffer();
        let mut columns =
            vec![frame.buffer(), params, &positions.x, &positions.y, &positions.z, colors.buffer(), tracks.buffer(), chosen.buffer()];
        columns.push(counts.buffer());
        if has_colors {
            columns.push(sums.buffer());
        }
        let kernel = match kind {
            SplatKind::Density => &self.count,
            SplatKind::Colors => &self.color,
            SplatKind::Lines => &self.lines,
        };
        let values = if grid.reach > 0 { smooth.buffer() } else { counts.buffer() };
        let weights = self.weights.buffer();
        let smoothing = [
            self.smooth_rows.bind(context, &[params, counts.buffer(), weights, spread.buffer()])?,
            self.smooth_columns.bind(context, &[params, spread.buffer(), weights, smooth.buffer()])?,
        ];
        Ok(Grid {
            params: grid,
            kind,
            splat: kernel.bind(context, &columns)?,
            smooth: (grid.reach > 0).then_some(smoothing),
            classify: self.histogram.bind(context, &[params, values, histogram.buffer()])?,
            draw_curve: self.curve.bind(context, &[params, histogram.buffer(), curve.buffer()])?,
            add_up: self.total.bind(context, &[params, counts.buffer(), total.buffer()])?,
            colored: self
                .resolve
                .bind(context, [values, sums.buffer(), curve.buffer(), self.heat.buffer(), counts.buffer(), self.palette.buffer()]),
            counts,
            sums,
            total,
        })
    }
}
