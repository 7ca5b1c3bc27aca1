//! Draws a scene: one uniform written, then as many instances as there are rows, or a splat of them. All of them, always;
//! under a budget, as soon as the eye stands still.

use bytemuck::Zeroable;

use super::averages::AverageDiscs;
use super::blend::{BlendParams, MOST_PASSES};
use super::chosen_curves::ChosenCurves;
use super::frames::Frames;
use super::gpu_data::{FrameUniform, MapBuffers, NO_TRACK, chosen_of, colors_of};
use super::marks::{MarkRows, Marks};
use super::morph::MorphColumns;
use super::nearby::{Marked, Nearby};
use super::passes::Layouts;
use super::pick::GpuPick;
use super::select::Selector;
use super::splat::{self, Splat, SplatEngine, SplatKind, Tones};
use super::target::ViewTarget;
use crate::gpu::{GpuContext, GpuError, PassTimer};
use crate::scene::{ChosenRows, DensityScale, MapSize, Region, Scene, Style, ViewKind};

/// What a frame adds to the scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawOptions {
    /// Pixels in a UI point.
    pub pixels_per_point: f32,
}

/// The map's pipelines, and the scene that is on the GPU.
#[derive(Debug)]
pub struct MapRenderer {
    layouts: Layouts,
    marks: Marks,
    frames: Frames,
    focus: Frames,
    over: Frames,
    nearby: Nearby,
    pub(super) shown: Option<(MapBuffers, wgpu::BindGroup)>,
    pub(super) pick: Option<GpuPick>,
    curves: ChosenCurves,
    averages: Option<AverageDiscs>,
    morph: Option<MorphColumns>,
    pub(super) splat: Splat,
    selector: Selector,
    pub(super) timer: Option<PassTimer>,
    pub(super) is_splat: bool,
}

/// Rows as which fewer are drawn, so that a few of many are not larger than those of a small collection.
const FEWEST: usize = 1000;
/// See [`FrameUniform::line_taper`].
const LINE_TAPER: f32 = 0.35;

impl MapRenderer {
    /// Compiles what is needed to draw.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let layouts = Layouts::new(context);
        Ok(Self {
            marks: Marks::new(context, &layouts)?,
            frames: Frames::new(context, &layouts, "map.frame", MOST_PASSES)?,
            focus: Frames::new(context, &layouts, "map.focus", 1)?,
            over: Frames::new(context, &layouts, "map.over", MOST_PASSES)?,
            nearby: Nearby::default(),
            layouts,
            shown: None,
            pick: None,
            curves: ChosenCurves::default(),
            averages: None,
            morph: None,
            splat: Splat::default(),
            selector: Selector::default(),
            is_splat: false,
            timer: None,
        })
    }

    /// Takes the columns of the scene to draw from now on.
    pub fn show(&mut self, context: &GpuContext, buffers: MapBuffers) {
        let MapBuffers { positions, colors, tracks, chosen, .. } = &buffers;
        let columns = [&positions.x, &positions.y, &positions.z, colors.buffer(), tracks.buffer(), chosen.buffer()];
        let group = self.layouts.bind(context, "map.columns", &self.layouts.columns, &columns);
        self.shown = Some((buffers, group));
        self.averages = None;
        self.curves = ChosenCurves::default();
        self.morph = None;
        self.nearby.forget();
        self.splat.rebind();
        if let Some(pick) = &mut self.pick {
            pick.rebind();
        }
    }

    /// Gives the columns back.
    pub fn forget(&mut self) {
        self.shown = None;
        self.averages = None;
        self.morph = None;
        self.nearby.forget();
        self.splat.forget();
    }

    /// Whether there are columns to draw.
    #[must_use]
    pub fn is_showing(&self) -> bool {
        self.shown.is_some()
    }

    /// How many segments of the newest picture are in view; `None` where nobody counted them.
    #[must_use]
    pub fn in_view(&self) -> Option<usize> {
        self.nearby.in_view()
    }

    /// Whether a scene is drawn as a splat, whose tones depend on the whole picture. From near it may be marks all the same.
    #[must_use]
    pub fn is_splat_of(&self, context: &GpuContext, scene: &Scene) -> bool {
        self.shown.as_ref().is_some_and(|(buffers, _)| kind_of(context, scene, buffers).is_some())
    }

    /// Whose cells say how much a splat's values are, in the tiles that are drawn from now on.
    pub fn set_tones(&mut self, tones: Tones) {
        self.splat.tones = tones;
    }

    /// Begins to find the rows of a scene that lie inside of a region: in a compute shader, or at once on the CPU's threads where the adapter is a
    /// CPU and the positions are there. See [`Self::selected`].
    ///
    /// # Errors
    /// Out of memory.
    pub fn select(&mut self, context: &GpuContext, scene: &Scene, region: &Region) -> Result<(), GpuError> {
        let wants_cpu = match self.splat.engine {
            SplatEngine::Auto => context.caps.is_cpu(),
            engine => engine == SplatEngine::Cpu,
        };
        let on_gpu = self.shown.as_ref().map(|(buffers, _)| buffers).filter(|buffers| {
            buffers.positions.len == scene.positions.len() && !buffers.is_on_host() && (buffers.is_written_elsewhere() || !wants_cpu)
        });
        let Some(buffers) = on_gpu else {
            self.selector.take(region.rows(scene));
            return Ok(());
        };
        self.selector.begin(context, &region_uniform(scene, region), buffers, region)
    }

    /// The rows of the newest region, once, as soon as they are found. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn selected(&mut self, context: &GpuContext) -> Result<Option<ChosenRows>, GpuError> {
        self.selector.poll(context)
    }

    /// Chooses what splats are made on, and what finds the rows of a region.
    pub fn set_engine(&mut self, engine: SplatEngine) {
        self.splat.engine = engine;
    }

    /// Milliseconds that the rows of a splat may take in a frame from now on: a moving picture is then a fair part of them, and a still one goes on
    /// from frame to frame until all are in. `None`: all are drawn in each frame.
    pub fn set_budget(&mut self, milliseconds: Option<f64>) {
        self.splat.budget_ms = milliseconds;
    }

    /// Times passes from now on, where the device has time stamps.
    ///
    /// # Errors
    /// Out of memory.
    pub fn measure(&mut self, context: &GpuContext) -> Result<(), GpuError> {
        self.timer = PassTimer::new(context)?;
        Ok(())
    }

    /// What the tones of the picture stand for, where it is of a density: the newest one, or one some frames ago. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn density_scale(&mut self, context: &GpuContext, pixels_per_point: f32) -> Result<Option<&DensityScale>, GpuError> {
        if self.is_splat { self.splat.density_scale(context, pixels_per_point) } else { Ok(None) }
    }

    /// Whether newer ones are on their way.
    #[must_use]
    pub fn awaits_density_scale(&self) -> bool {
        self.is_splat && self.splat.awaits_scale()
    }

    /// Milliseconds of the newest frame's passes: the GPU's where it was timed, and the CPU's of a splat that was made there. Waits for the
    /// device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn passes_ms(&self, context: &GpuContext) -> Result<Vec<(&'static str, f64)>, GpuError> {
        let mut passes = if self.is_splat { self.splat.cpu_stages_ms() } else { Vec::new() };
        passes.extend(self.timer.as_ref().map(|timer| timer.read(context)).transpose()?.unwrap_or_default());
        Ok(passes)
    }

    /// Rows in the newest frame's splat, added up from its cells and read back; `None` where rows were drawn one by one. Waits for the device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn splatted(&self, context: &GpuContext) -> Result<Option<usize>, GpuError> {
        if self.is_splat { self.splat.total(context) } else { Ok(None) }
    }

    /// Draws the scene into the target and says how many segments are in it: all of them, the part that a budget allowed, or 0 before
    /// [`Self::show`].
    ///
    /// # Errors
    /// Out of memory.
    pub fn encode(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        scene: &Scene,
        target: &ViewTarget,
        options: DrawOptions,
    ) -> Result<usize, GpuError> {
        let Some((buffers, columns)) = self.shown.as_mut() else {
            drop(target.begin(encoder, None));
            return Ok(0);
        };
        buffers.update(context, scene)?;
        if scene.morph.is_some() && !buffers.is_on_host() && !buffers.is_written_elsewhere() {
            self.morph = match MorphColumns::of(self.morph.take(), context, scene, &buffers.positions) {
                // Without the memory for both ends, points are at the end at once.
                Err(GpuError::OutOfMemory { .. } | GpuError::TooLarge { .. }) => None,
                made => made?,
            };
            if let Some(morph) = &self.morph {
                morph.encode(encoder);
            }
        } else {
            self.morph = None;
        }
        let row_count = buffers.positions.len as u32;
        let mut uniform = frame_uniform(scene, target, options, row_count);
        let kind = kind_of(context, scene, buffers);
        let focus_track = uniform.focus_track;
        let focus = scene.track_rows.get(focus_track as usize).filter(|_| !buffers.is_on_host());
        let focus = focus.map(|track| track.first_row as u32..((track.first_row + track.row_count) as u32).min(row_count));
        if let Some(timer) = &mut self.timer {
            timer.restart();
        }
        let most = splat::most_marks(scene.view, context.caps.is_cpu());
        let marked = self.nearby.look(scene, buffers, &uniform, most, kind.is_some_and(SplatKind::has_colors));
        // A glance at all rows shows none; once few are in view, each of them is a mark.
        let kind = kind.filter(|_| marked != Marked::InView);
        self.is_splat = kind.is_some();
        let has_lines = scene.view.has_lines();
        let curves = if kind.is_none() && marked != Marked::InView && has_lines { self.curves.of(scene) } else { &[] };
        uniform.curves_chosen = u32::from(!curves.is_empty());
        let blend = BlendParams::of(scene, focus_track != NO_TRACK && uniform.has_chosen == 0);
        let mut rows = MarkRows { frames: self.frames.groups(), columns, rows: row_count, has_lines, curves, focus };
        let drawn = match kind {
            None if scene.view == ViewKind::Averages => {
                let picture = (target.picture, options.pixels_per_point);
                let discs = AverageDiscs::of(self.averages.take(), context, &self.layouts, scene, picture, || colors_of(scene))?;
                let discs = self.averages.insert(discs);
                discs.set_frame(context, uniform)?;
                self.marks.draw_averages(encoder, discs, target, &mut self.timer);
                row_count as usize
            }
            None if marked == Marked::InView => {
                let near = self.nearby.gather(context, &self.layouts, scene, marked, focus_track)?;
                let uniform = FrameUniform { row_count: near.rows, ..styled(uniform, options, near.marks, has_lines) };
                self.frames.write(context, uniform, &blend)?;
                let rows = MarkRows { columns: &near.columns, rows: near.rows, focus: near.focus, ..rows };
                self.marks.encode(context, encoder, &rows, &blend, target, &mut self.timer)?;
                row_count as usize
            }
            None => {
                self.frames.write(context, uniform, &blend)?;
                self.marks.encode(context, encoder, &rows, &blend, target, &mut self.timer)?;
                row_count as usize
            }
            Some(kind) => {
                uniform.focus_track = NO_TRACK;
                self.frames.write(context, uniform, &BlendParams::zeroed())?;
                let frame = (&uniform, self.frames.first());
                // Where rows are chosen, the others have stepped back already.
                let is_veiled = focus_track != NO_TRACK && uniform.has_chosen == 0;
                let drawn = self.splat.encode(context, encoder, kind, scene, frame, buffers, is_veiled, target, &mut self.timer)?;
                if marked == Marked::Chosen {
                    let over = self.nearby.gather(context, &self.layouts, scene, marked, NO_TRACK)?;
                    // Whole discs on lines, too: beads would not be found.
                    let frame = FrameUniform { row_count: over.rows, has_chosen: 0, ..styled(uniform, options, over.marks, false) };
                    self.over.write(context, frame, &blend)?;
                    let frames = self.over.groups();
                    let rows = MarkRows { frames, columns: &over.columns, rows: over.rows, has_lines, curves: &[], focus: None };
                    let onto = (target, wgpu::LoadOp::Load);
                    self.marks.encode_flat(context, encoder, &rows, &blend, onto, &mut self.timer)?;
                }
                // The track under the pointer is drawn over it, as if it were alone.
                if let Some(focus) = &rows.focus {
                    let uniform = alone(uniform, focus_track, options, focus.len());
                    self.focus.write(context, uniform, &BlendParams::zeroed())?;
                    rows.frames = self.focus.groups();
                    self.marks.draw_focus(&mut target.begin_flat(encoder, wgpu::LoadOp::Load, None), &rows);
                }
                drawn
            }
        };
        if let Some(timer) = &self.timer {
            timer.finish(encoder);
        }
        Ok(drawn)
    }
}

/// The splat of a scene, if it is to be drawn as one.
fn kind_of(context: &GpuContext, scene: &Scene, buffers: &MapBuffers) -> Option<SplatKind> {
    let is_forced = buffers.is_on_host() && scene.view != ViewKind::Averages;
    let rows = if is_forced { usize::MAX } else { buffers.positions.len };
    splat::kind_of(scene.view, rows, context.caps.is_cpu())
}

/// The uniform of a frame.
fn frame_uniform(scene: &Scene, target: &ViewTarget, options: DrawOptions, row_count: u32) -> FrameUniform {
    let [width, height] = target.picture.map(|edge| edge as f32);
    let ([left, top], [across, down]) = (target.origin.map(|at| at as f32), target.size.map(|edge| edge as f32));
    let map = MapSize { width, height };
    let scale = options.pixels_per_point;
    let style = Style::for_density(row_count as usize, width * height / (scale * scale), scene.view.has_lines());
    let focus = scene.hovered.and_then(|segment| scene.track_position(segment));
    let [r, g, b, _] = scene.theme.background().to_unit(1.0);
    let clip_from_layout = scene.clip_from_layout(map.aspect());
    FrameUniform {
        clip_from_anchor: clip_from_layout.matrix.to_cols_array_2d(),
        anchor: clip_from_layout.anchor.to_array(),
        background: [r, g, b],
        fitted_w: scene.fitted_w(map.aspect()),
        viewport: [width, height],
        point_radius: style.point_radius * scale,
        point_opacity: style.point_opacity,
        line_width: style.line_width * scale,
        line_opacity: style.line_opacity,
        line_taper: LINE_TAPER,
        focus_track: focus.map_or(NO_TRACK, |position| position as u32),
        row_count,
        has_chosen: u32::from(chosen_of(scene).is_some()),
        curves_chosen: 0,
        classes: 0,
        first_class: 0,
        tile: [left, top, across, down],
    }
}

/// The uniform for the rows of a region: its cells are the pixels.
fn region_uniform(scene: &Scene, region: &Region) -> FrameUniform {
    let clip_from_layout = scene.clip_from_layout(region.map.aspect());
    FrameUniform {
        clip_from_anchor: clip_from_layout.matrix.to_cols_array_2d(),
        anchor: clip_from_layout.anchor.to_array(),
        viewport: region.extent,
        row_count: scene.positions.len() as u32,
        ..FrameUniform::zeroed()
    }
}

/// The uniform with sizes and opacities for so many rows.
fn styled(frame: FrameUniform, options: DrawOptions, rows: usize, has_lines: bool) -> FrameUniform {
    let scale = options.pixels_per_point;
    let [width, height] = frame.viewport;
    let style = Style::for_density(rows.max(FEWEST), width * height / (scale * scale), has_lines);
    FrameUniform {
        point_radius: style.point_radius * scale,
        point_opacity: style.point_opacity,
        line_width: style.line_width * scale,
        line_opacity: style.line_opacity,
        ..frame
    }
}

/// The uniform of a track's own rows over a splat: large and opaque, as few rows are.
fn alone(frame: FrameUniform, track: u32, options: DrawOptions, rows: usize) -> FrameUniform {
    FrameUniform { point_opacity: 1.0, line_opacity: 1.0, focus_track: track, has_chosen: 0, ..styled(frame, options, rows, true) }
}
