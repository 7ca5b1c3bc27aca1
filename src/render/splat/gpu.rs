//! The splat in compute shaders: counts and sums of colours by integer atomics, their histogram and tones, and a pass that colours them.

use super::kernels::{self, CELLS_EACH, WORKGROUP};
use super::params::{OUTSIDE_CELLS, RUN, SplatKind, SplatParams};
use super::resolve::ResolvePass;
use super::tone::BUCKETS;
use crate::gpu::{BoundKernel, GpuContext, GpuError, KernelPipeline, PassTimer, StorageBuffer, UniformBuffer};
use crate::render::gpu_data::{FrameUniform, MapBuffers};
use crate::render::target::ViewTarget;
use crate::scene::{HeatMap, Theme};

/// The pipelines, and the cells of the picture that was drawn last.
#[derive(Debug)]
pub struct GpuSplat {
    count: KernelPipeline,
    color: KernelPipeline,
    histogram: KernelPipeline,
    curve: KernelPipeline,
    total: KernelPipeline,
    resolve: ResolvePass,
    params: UniformBuffer<SplatParams>,
    heat: StorageBuffer<u32>,
    heat_of: Option<Theme>,
    grid: Option<Grid>,
}

/// The cells of a picture of one size and kind, with everything bound that works on them.
#[derive(Debug)]
struct Grid {
    size: [u32; 2],
    kind: SplatKind,
    counts: StorageBuffer<u32>,
    sums: StorageBuffer<u32>,
    histogram: StorageBuffer<u32>,
    total: StorageBuffer<u32>,
    splat: BoundKernel,
    classify: BoundKernel,
    draw_curve: BoundKernel,
    add_up: BoundKernel,
    colored: wgpu::BindGroup,
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
            histogram: kernels::HISTOGRAM.pipeline(context)?,
            curve: kernels::CURVE.pipeline(context)?,
            total: kernels::TOTAL.pipeline(context)?,
            resolve: ResolvePass::new(context, &params)?,
            params,
            heat: StorageBuffer::zeroed(context, "splat.heat", 256)?,
            heat_of: None,
            grid: None,
        })
    }

    /// Forgets what was bound: other rows are shown.
    pub fn rebind(&mut self) {
        self.grid = None;
    }

    /// Splats rows into the target.
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
        kind: SplatKind,
        theme: Theme,
        target: &ViewTarget,
        timer: &mut Option<PassTimer>,
    ) -> Result<(), GpuError> {
        let rows = buffers.positions.len;
        let params = SplatParams::new(target.size, rows, kind);
        if self.grid.as_ref().is_none_or(|grid| grid.size != target.size || grid.kind != kind) {
            // The old cells first, so that both need not be there at once.
            self.grid = None;
            self.grid = Some(self.grid(context, frame, buffers, target.size, kind)?);
        }
        if self.heat_of != Some(theme) {
            self.heat.write(context, 0, &HeatMap::of(theme).premultiplied)?;
            self.heat_of = Some(theme);
        }
        self.params.write(context, &params)?;
        let Some(grid) = &self.grid else { return Ok(()) };
        for buffer in [grid.counts.buffer(), grid.sums.buffer(), grid.histogram.buffer()] {
            encoder.clear_buffer(buffer, 0, None);
        }
        let splats = (params.runs(rows) * RUN).div_ceil(WORKGROUP) as u32;
        let bands = (params.pixels as usize).div_ceil(CELLS_EACH) as u32;
        for (name, kernel, workgroups) in
            [("splat", &grid.splat, splats), ("histogram", &grid.classify, bands), ("curve", &grid.draw_curve, 1)]
        {
            let timestamp_writes = timer.as_mut().and_then(|timer| timer.compute(name));
            let descriptor = wgpu::ComputePassDescriptor { label: Some(name), timestamp_writes };
            kernel.dispatch(&mut encoder.begin_compute_pass(&descriptor), workgroups);
        }
        let stamps = timer.as_mut().and_then(|timer| timer.render("resolve"));
        let mut pass = target.begin_flat(encoder, stamps);
        self.resolve.draw(&mut pass, &grid.colored);
        Ok(())
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
        size: [u32; 2],
        kind: SplatKind,
    ) -> Result<Grid, GpuError> {
        let pixels = size[0] as usize * size[1] as usize;
        let counts = StorageBuffer::zeroed(context, "splat.counts", pixels + OUTSIDE_CELLS)?;
        let sums = StorageBuffer::zeroed(context, "splat.sums", if kind == SplatKind::Colors { 3 * pixels } else { 1 })?;
        let histogram = StorageBuffer::zeroed(context, "splat.histogram", BUCKETS)?;
        let curve = StorageBuffer::<f32>::zeroed(context, "splat.curve", BUCKETS)?;
        let total = StorageBuffer::zeroed(context, "splat.total", 1)?;
        let MapBuffers { positions, colors, tracks, .. } = buffers;
        let params = self.params.buffer();
        let mut columns =
            vec![frame.buffer(), params, &positions.x, &positions.y, &positions.z, colors.buffer(), tracks.buffer(), counts.buffer()];
        let kernel = if kind == SplatKind::Colors {
            columns.push(sums.buffer());
            &self.color
        } else {
            &self.count
        };
        Ok(Grid {
            size,
            kind,
            splat: kernel.bind(context, &columns)?,
            classify: self.histogram.bind(context, &[params, counts.buffer(), histogram.buffer()])?,
            draw_curve: self.curve.bind(context, &[params, histogram.buffer(), curve.buffer()])?,
            add_up: self.total.bind(context, &[params, counts.buffer(), total.buffer()])?,
            colored: self.resolve.bind(context, [counts.buffer(), sums.buffer(), curve.buffer(), self.heat.buffer()]),
            counts,
            sums,
            histogram,
            total,
        })
    }
}
