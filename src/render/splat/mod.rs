//! The splat: a picture of any number of rows in time that hardly depends on how many lie over one another.
//!
//! Every row adds one to the cell of its pixel, and its colour to the pixel's sums or one to the count of its class, in whole numbers: the picture
//! does not depend on the order of rows, and its counts add up to all rows, which can be read back. Then each pixel's tone follows from how its count compares with the
//! others' ([`tone`]). Two engines do the same: compute shaders ([`gpu`]), and the CPU's threads ([`cpu`]) where the adapter is
//! a CPU and would only play a GPU.

mod cells;
pub mod cpu;
pub mod gpu;
mod ink;
pub mod kernels;
mod lines;
mod paint;
pub mod params;
pub mod progress;
pub mod project;
pub mod resolve;
pub mod smooth;
pub mod tone;

pub use params::{EXACT_COLORS, SplatKind, SplatParams, SplatPlan};
pub use tone::Tones;

use super::gpu_data::{FrameUniform, MapBuffers, chosen_of};
use super::target::ViewTarget;
use crate::gpu::{GpuContext, GpuError, PassTimer, UniformBuffer};
use crate::scene::{Camera, DensityScale, Dimensions, HeatMap, Scene, Srgb, Theme, ViewKind};
use cpu::{CpuSplat, Gridded, SplatRows};
use gpu::GpuSplat;
use progress::{Part, Progress, View};

/// What splats are made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SplatEngine {
    /// Compute shaders on a GPU, the CPU's threads where the adapter is a CPU.
    #[default]
    Auto,
    /// The CPU's threads, where the rows are known there.
    Cpu,
    /// Compute shaders.
    Gpu,
}

/// Rows from which segments are splatted on a GPU: discs lie over one another many times by then.
const ROWS_ON_GPU: usize = 1_000_000;
/// And on a CPU adapter, where each pixel of a disc costs as much as several rows of a splat (measured on lavapipe: 187 ms for 100,000 discs).
const ROWS_ON_CPU: usize = 100_000;
/// Rows from which trajectories are splatted there: a line has many pixels (1.9 s for 100,000 long ones).
const LINES_ON_CPU: usize = 30_000;

/// Milliseconds of a row on the CPU's threads before any was measured.
const MS_PER_ROW_ON_CPU: f64 = 5e-6;
/// Of a row in compute shaders on a CPU adapter (measured on lavapipe with two cores).
const MS_PER_ROW_OF_SHADERS_ON_CPU: f64 = 4e-5;
/// And on a GPU, where a row is 12 bytes to read and an addition: a slow one's.
const MS_PER_ROW_ON_GPU: f64 = 1e-6;

/// Rows from which a view is a splat.
fn enough(view: ViewKind, is_cpu_adapter: bool) -> usize {
    match (is_cpu_adapter, view) {
        (false, _) => ROWS_ON_GPU,
        (true, ViewKind::Trajectories) => LINES_ON_CPU,
        (true, _) => ROWS_ON_CPU,
    }
}

/// The most rows that are drawn as marks where they are part of a splat: few enough that a frame of them is no longer than one of the splat.
#[must_use]
pub fn most_marks(view: ViewKind, is_cpu_adapter: bool) -> usize {
    enough(view, is_cpu_adapter) / 4
}

/// The splat of a scene, if it is to be drawn as one.
#[must_use]
pub fn kind_of(view: ViewKind, rows: usize, is_cpu_adapter: bool) -> Option<SplatKind> {
    let enough = enough(view, is_cpu_adapter);
    match view {
        ViewKind::Averages => None,
        ViewKind::Density => Some(SplatKind::Density),
        ViewKind::Segments => (rows >= enough).then_some(SplatKind::Colors),
        ViewKind::Trajectories => (rows >= enough).then_some(SplatKind::Lines),
    }
}

/// Bytes that the counts of classes may take of a GPU. A picture that needs more adds up colours instead.
const MOST_CLASS_BYTES: u64 = 512 << 20;

/// Deviation of a density's smoothing, in mean distances between rows on the map.
const SMOOTHING: f32 = 0.8;
/// The least, in pixels: what is drawn of single rows is softened, and the noise of counts goes down.
const LEAST_SMOOTHING: f32 = 0.9;
/// The largest part of the picture's edge that it may be.
const MOST_SMOOTHING: f32 = 0.03;

/// The grid of a scene's splat. A density of few rows is smoothed, as much as they are apart when all of the layout is seen; coming nearer spreads
/// it along, so that it is the same function of the layout.
#[must_use]
pub fn plan_of(scene: &Scene, kind: SplatKind, size: [u32; 2], rows: usize) -> SplatPlan {
    if kind.has_colors() {
        let mut plan = SplatPlan::new(size, rows, kind);
        // Numbers are read off a scale: their colours must be the scale's.
        if scene.coloring.is_exact() {
            plan.params.mode = EXACT_COLORS;
        }
        return plan;
    }
    let [width, height] = size.map(|edge| edge as f32);
    let edge = (width * height).sqrt();
    let aspect = width / height;
    let fitted = Camera::fit(scene.camera.dimensions, scene.half_extent(aspect), aspect).half_height;
    let apart = edge / (rows.max(1) as f32).sqrt() * fitted / scene.camera.half_height;
    let pixels = (SMOOTHING * apart).min(MOST_SMOOTHING * edge).max(LEAST_SMOOTHING);
    // In steps of an eighth of an octave, so that a zoom does not make a new grid in every frame.
    SplatPlan::smooth(size, rows, ((pixels.log2() * 8.0).round() / 8.0).exp2())
}

/// Both engines, each made when it is first needed.
#[derive(Debug, Default)]
pub struct Splat {
    /// Which is used.
    pub engine: SplatEngine,
    /// Milliseconds that rows may take in a frame; `None`: all are drawn in each.
    pub budget_ms: Option<f64>,
    /// Whose cells say how much a value is.
    pub tones: Tones,
    progress: Progress,
    cpu_ms_per_row: Option<f64>,
    gpu: Option<GpuSplat>,
    cpu: CpuSplat,
    heat: Option<(Theme, HeatMap)>,
    drawn_by: Option<SplatEngine>,
    kind: Option<SplatKind>,
    params: SplatParams,
    scale: Option<DensityScale>,
}

impl Splat {
    /// Forgets what belongs to the rows shown so far.
    pub fn rebind(&mut self) {
        if let Some(gpu) = &mut self.gpu {
            gpu.rebind();
        }
        self.drawn_by = None;
        self.progress.forget();
    }

    /// Gives back what the GPU holds.
    pub fn forget(&mut self) {
        self.rebind();
        self.gpu = None;
    }

    /// Draws rows into the target, and says how many are in it: all of them, or the part that there was time for. Where it
    /// is veiled, colours step back, for a track that is drawn over it: the frame itself has no focus, so that pointing somewhere splats nothing anew.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] for a picture with more pixels than a binding has room for; [`GpuError::OutOfMemory`].
    #[expect(clippy::too_many_arguments, reason = "a frame's parts, each of another owner")]
    pub fn encode(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        kind: SplatKind,
        scene: &Scene,
        frame: (&FrameUniform, &UniformBuffer<FrameUniform>),
        buffers: &MapBuffers,
        is_veiled: bool,
        target: &ViewTarget,
        timer: &mut Option<PassTimer>,
    ) -> Result<usize, GpuError> {
        let rows = buffers.positions.len;
        self.kind = Some(kind);
        let mut plan = plan_of(scene, kind, target.picture, rows);
        let palette = packed(&scene.colors.slots);
        if kind.has_colors() {
            let haze = if scene.camera.dimensions == Dimensions::Three { scene.theme.background().to_packed() } else { 0 };
            let counted = plan.params.with_classes(palette.len(), haze);
            // Tiles are small enough; whether they count must not depend on how a picture is divided.
            let bytes = 4 * counted.sums_each() as u64 * u64::from(target.size[0]) * u64::from(target.size[1]);
            if bytes <= MOST_CLASS_BYTES.min(context.caps.storage_binding_bytes()) {
                plan.params = counted;
            }
        }
        if !target.is_whole() {
            plan = plan.of_tile(target.origin, target.size, target.picture);
        }
        if frame.0.has_chosen != 0 {
            plan.params = plan.params.with_chosen(rows, scene.theme.faint_text().to_packed());
        }
        let wants_cpu = match self.engine {
            _ if buffers.is_on_host() => true,
            SplatEngine::Auto => context.caps.is_cpu(),
            engine => engine == SplatEngine::Cpu,
        };
        // Positions that a kernel writes are not on the CPU.
        let host = if wants_cpu { buffers.host_columns(scene) } else { None };
        let way = scene.morph.as_ref().map_or(0, |morph| u64::from(morph.way().to_bits()));
        let view = View {
            frame: *frame.0,
            params: plan.params,
            theme: scene.theme,
            kind,
            revisions: [scene.revision, scene.layout_revision, scene.chosen_revision, way],
            is_cpu: host.is_some(),
        };
        let part = if buffers.is_written_elsewhere() || self.tones != Tones::Own {
            self.progress.forget();
            Part::WHOLE
        } else {
            let ms_per_row = match (host.is_some(), context.caps.is_cpu()) {
                (true, _) => self.cpu_ms_per_row.unwrap_or(MS_PER_ROW_ON_CPU),
                (false, true) => MS_PER_ROW_OF_SHADERS_ON_CPU,
                (false, false) => MS_PER_ROW_ON_GPU,
            };
            self.progress.next(view, rows, self.budget_ms.map(|budget| budget / ms_per_row))
        };
        plan.params.stride = part.stride;
        plan.params.phase = part.phase.unwrap_or(0);
        if is_veiled && kind.has_colors() {
            plan.params.veil = scene.theme.background().to_packed();
        }
        self.params = plan.params;
        if let Some((colors, tracks)) = host {
            self.drawn_by = Some(SplatEngine::Cpu);
            if self.heat.as_ref().is_none_or(|(theme, _)| *theme != scene.theme) {
                self.heat = Some((scene.theme, HeatMap::of(scene.theme)));
            }
            let Some((_, heat)) = &self.heat else { return Ok(0) };
            let grid = Gridded { plan: &plan, kind, dimensions: target.dimensions, palette: &palette };
            if part.phase.is_some() {
                let splat_rows = SplatRows { positions: &scene.shown_positions(), colors, tracks, chosen: chosen_of(scene) };
                let tile = target.size.map(|edge| edge as usize);
                self.cpu.draw_tile(frame.0, tile, grid, (splat_rows, heat), part.goes_on, self.tones);
                let [(_, ms), ..] = self.cpu.stages_ms();
                self.cpu_ms_per_row = Some(ms / plan.params.rows_of(rows).max(1) as f64);
            } else {
                self.cpu.repaint(grid, target.size, heat);
            }
            target.write(context, self.cpu.picture())?;
        } else {
            self.drawn_by = Some(SplatEngine::Gpu);
            let gpu = match &mut self.gpu {
                Some(gpu) => gpu,
                none => none.insert(GpuSplat::new(context)?),
            };
            gpu.encode(context, encoder, frame.1, buffers, (&plan, kind, &palette), (part, self.tones), scene.theme, target, timer)?;
        }
        if let Tones::Gathered { is_first } = &mut self.tones {
            *is_first = false;
        }
        Ok(part.rows_after(rows))
    }

    /// The frame was submitted.
    pub fn submitted(&mut self) {
        if let Some(gpu) = &mut self.gpu {
            gpu.submitted();
        }
    }

    /// Whether the scale of a density is on its way.
    #[must_use]
    pub fn awaits_scale(&self) -> bool {
        self.drawn_by == Some(SplatEngine::Gpu) && self.gpu.as_ref().is_some_and(GpuSplat::awaits_tones)
    }

    /// What the tones of a density stand for, of the newest picture or one some frames ago. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn density_scale(&mut self, context: &GpuContext, pixels_per_point: f32) -> Result<Option<&DensityScale>, GpuError> {
        let tones = match (self.drawn_by, &mut self.gpu) {
            _ if self.kind != Some(SplatKind::Density) => return Ok(None),
            (Some(SplatEngine::Cpu), _) => self.cpu.tones().copied(),
            (Some(_), Some(gpu)) => gpu.take_tones(context)?,
            _ => None,
        };
        if let Some(tones) = tones {
            self.scale = Some(tone::density_scale(&tones, &self.params, pixels_per_point));
        }
        Ok(self.scale.as_ref())
    }

    /// How many rows are in the newest splat, read back from its cells; `None` where none was drawn, or lines, which are in many cells each. Waits for the device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn total(&self, context: &GpuContext) -> Result<Option<usize>, GpuError> {
        if self.kind == Some(SplatKind::Lines) {
            return Ok(None);
        }
        match (self.drawn_by, &self.gpu) {
            (Some(SplatEngine::Cpu), _) => Ok(Some(self.cpu.total())),
            (Some(_), Some(gpu)) => gpu.total(context).map(Some),
            _ => Ok(None),
        }
    }

    /// Milliseconds of the newest splat's stages on the CPU; none where a GPU drew it.
    #[must_use]
    pub fn cpu_stages_ms(&self) -> Vec<(&'static str, f64)> {
        if self.drawn_by == Some(SplatEngine::Cpu) { self.cpu.stages_ms().to_vec() } else { Vec::new() }
    }
}

/// Colours as shaders read them.
fn packed(colors: &[Srgb]) -> Vec<u32> {
    colors.iter().map(|color| color.to_packed()).collect()
}
