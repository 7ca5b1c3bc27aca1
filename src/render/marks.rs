//! Rows drawn one by one: discs and lines.

use std::ops::Range;

use super::averages::AverageDiscs;
use super::blend::{Blend, BlendParams};
use super::passes::{Layouts, Passes};
use super::target::ViewTarget;
use crate::gpu::{GpuContext, GpuError, PassTimer};
use crate::scene::Dimensions;

/// Stretches that a curve has from one row to the next. Twin of `STRETCHES` in `shaders/trajectories.wgsl`.
pub const CURVE_STRETCHES: u32 = 12;

/// What is drawn.
#[derive(Clone, Debug)]
pub struct MarkRows<'a> {
    /// The frame's uniform, once for each pass that adds marks up.
    pub frames: &'a [wgpu::BindGroup],
    /// The columns of the rows.
    pub columns: &'a wgpu::BindGroup,
    /// How many there are.
    pub rows: u32,
    /// Whether tracks are lines.
    pub has_lines: bool,
    /// The rows of few chosen tracks, whose lines are curves.
    pub curves: &'a [Range<u32>],
    /// The rows of the track that stands out.
    pub focus: Option<Range<u32>>,
}

/// The pipelines, and what adds marks up.
#[derive(Debug)]
pub struct Marks {
    passes: Passes,
    blend: Blend,
    depth_layout: wgpu::BindGroupLayout,
}

impl Marks {
    /// Compiles them.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext, layouts: &Layouts) -> Result<Self, GpuError> {
        Ok(Self { passes: Passes::new(context, layouts)?, blend: Blend::new(context)?, depth_layout: layouts.depth.clone() })
    }

    /// Draws all rows into the target: in a plane added up, so that their order does not show; in a space nearer discs hide what is
    /// farther, and lines between them are added up. The track that stands out comes last.
    ///
    /// # Errors
    /// Out of memory.
    pub fn encode(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        rows: &MarkRows<'_>,
        params: &BlendParams,
        target: &ViewTarget,
        timer: &mut Option<PassTimer>,
    ) -> Result<(), GpuError> {
        if target.dimensions == Dimensions::Two {
            let load = wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT);
            return self.encode_flat(context, encoder, rows, params, (target, load), timer);
        }
        let mut pass = target.begin(encoder, stamps(timer, "marks"));
        rows.bind(&mut pass);
        draw(&mut pass, &self.passes.discs_opaque, 6, 0..rows.rows);
        drop(pass);
        let Some(depth) = target.depth().filter(|_| rows.has_lines) else { return Ok(()) };
        let depth = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("map.depth"),
            layout: &self.depth_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(depth) }],
        });
        self.blend.prepare(context, target.size, params)?;
        for (number, frame) in rows.frames.iter().enumerate().take(params.passes()) {
            let stamps = if number == 0 { stamps(timer, "lines") } else { None };
            let Some(mut pass) = self.blend.begin(encoder, number, stamps) else { break };
            rows.bind_with(frame, &mut pass);
            pass.set_bind_group(2, &depth, &[]);
            draw(&mut pass, &self.passes.lines_summed_behind, 6, 0..rows.pieces());
        }
        let mut pass = target.begin_flat(encoder, wgpu::LoadOp::Load, stamps(timer, "blend"));
        self.blend.resolve(&mut pass);
        rows.bind(&mut pass);
        pass.set_bind_group(2, &depth, &[]);
        for focus in rows.curves.iter().chain(&rows.focus) {
            draw(&mut pass, &self.passes.curves_over_behind, 6 * CURVE_STRETCHES, focus.clone());
        }
        Ok(())
    }

    /// Draws all rows as in a plane, added up, on what `load` leaves of the target; nothing of it hides them.
    ///
    /// # Errors
    /// Out of memory.
    pub fn encode_flat(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        rows: &MarkRows<'_>,
        params: &BlendParams,
        (target, load): (&ViewTarget, wgpu::LoadOp<wgpu::Color>),
        timer: &mut Option<PassTimer>,
    ) -> Result<(), GpuError> {
        self.blend.prepare(context, target.size, params)?;
        for (number, frame) in rows.frames.iter().enumerate().take(params.passes()) {
            let stamps = if number == 0 { stamps(timer, "marks") } else { None };
            let Some(mut pass) = self.blend.begin(encoder, number, stamps) else { break };
            rows.bind_with(frame, &mut pass);
            draw(&mut pass, &self.passes.lines_summed, 6, 0..rows.pieces());
            draw(&mut pass, &self.passes.discs_summed, 6, 0..rows.rows);
        }
        let mut pass = target.begin_flat(encoder, load, stamps(timer, "blend"));
        self.blend.resolve(&mut pass);
        rows.bind(&mut pass);
        for curve in rows.curves {
            draw(&mut pass, &self.passes.curves_over, 6 * CURVE_STRETCHES, curve.clone());
        }
        self.draw_focus(&mut pass, rows);
        Ok(())
    }

    /// Draws the discs of all tracks into the target.
    pub fn draw_averages(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        discs: &AverageDiscs,
        target: &ViewTarget,
        timer: &mut Option<PassTimer>,
    ) {
        let stamps = stamps(timer, "averages");
        match target.dimensions {
            Dimensions::Two => {
                let mut pass = target.begin_flat(encoder, wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT), stamps);
                discs.draw(&mut pass, &self.passes.averages_over);
            }
            Dimensions::Three => discs.draw(&mut target.begin(encoder, stamps), &self.passes.averages_opaque),
        }
    }

    /// Draws the track that stands out over what is there, not hidden by anything.
    pub fn draw_focus(&self, pass: &mut wgpu::RenderPass<'_>, rows: &MarkRows<'_>) {
        let Some(focus) = &rows.focus else { return };
        rows.bind(pass);
        if rows.has_lines {
            draw(pass, &self.passes.curves_over, 6 * CURVE_STRETCHES, focus.clone());
        }
        draw(pass, &self.passes.discs_over, 6, focus.clone());
    }
}

impl MarkRows<'_> {
    /// Lines between rows.
    fn pieces(&self) -> u32 {
        if self.has_lines { self.rows.saturating_sub(1) } else { 0 }
    }

    fn bind(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(frame) = self.frames.first() {
            self.bind_with(frame, pass);
        }
    }

    fn bind_with(&self, frame: &wgpu::BindGroup, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_bind_group(0, frame, &[]);
        pass.set_bind_group(1, self.columns, &[]);
    }
}

fn stamps<'t>(timer: &'t mut Option<PassTimer>, name: &'static str) -> Option<wgpu::RenderPassTimestampWrites<'t>> {
    timer.as_mut().and_then(|timer| timer.render(name))
}

fn draw(pass: &mut wgpu::RenderPass<'_>, pipeline: &wgpu::RenderPipeline, vertices: u32, rows: Range<u32>) {
    if !rows.is_empty() {
        pass.set_pipeline(pipeline);
        pass.draw(0..vertices, rows);
    }
}
