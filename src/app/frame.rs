//! One frame: widgets laid out, wishes carried out, the map drawn, everything painted. A window and a picture file both come here.

use std::sync::Arc;

use super::choosing::WantedRegion;
use super::drawn_map::DrawnMap;
use super::economy::Economy;
use super::notices::Topic;
use super::shell_view::shell_view;
use super::state::{AppState, Effect, Shown};
use super::system_fonts::SystemFonts;
use crate::command::Command;
use crate::gpu::{GpuContext, GpuError, PositionBuffer};
use crate::render::{DrawOptions, MapBuffers, MapRenderer, ViewTarget};
use crate::scene::{Dimensions, MapSize, Srgb, ViewKind};
use crate::ui::input_batches::batches;
use crate::ui::{Chrome, ShellState, ShellView, shell_ui};

/// Passes in which widgets settle after an event, within its frame: as many as egui asks for.
const SETTLING_PASSES: usize = 2;

/// What a frame is made of; nothing inside reads a clock, a size or a seed of its own.
#[derive(Clone, Debug)]
pub struct FrameInput {
    /// The user's input, with time and size.
    pub raw: egui::RawInput,
    /// Width and height of the picture in pixels.
    pub size_pixels: [u32; 2],
    /// What is around the map.
    pub chrome: Chrome,
}

/// What came of it.
pub struct FrameOutput {
    /// What is to be done outside.
    pub effects: Vec<Effect>,
    /// What egui asks of the window: cursor, clipboard.
    pub platform: egui::PlatformOutput,
    /// How long the picture stays true without input.
    pub repaint_after: std::time::Duration,
    /// Where the map is, in UI points.
    pub map: egui::Rect,
    /// Segments drawn.
    pub drawn: usize,
    /// Whether commands changed what is shown, or not all of it is drawn or counted on screen yet, so that another frame is due.
    pub changed: bool,
    /// Whether all segments are in the picture.
    pub is_whole: bool,
}

/// The widgets of a frame, and what came of them.
pub(super) struct LaidOut {
    pub(super) output: egui::FullOutput,
    pub(super) effects: Vec<Effect>,
    /// Where the map is, in UI points.
    pub(super) map: egui::Rect,
    /// Whether there were commands.
    pub(super) changed: bool,
}

/// What is needed to paint: egui's renderer, the map's renderer, and the texture between them.
pub struct FramePainter {
    /// egui's state; a window's events go into it.
    pub egui: egui::Context,
    fonts: Arc<SystemFonts>,
    painter: egui_wgpu::Renderer,
    pub(super) map: MapRenderer,
    target: ViewTarget,
    pub(super) picture: egui::TextureId,
    shell: ShellState,
    shown_serial: Option<(u64, bool)>,
    theme: Option<crate::scene::Theme>,
    /// The widgets' scale at which egui last heard of the pointer.
    pointer_scale: f32,
    drawn: usize,
    /// What the picture that is there was drawn of, if all of it is in.
    drawn_map: Option<DrawnMap>,
    economy: Economy,
    /// The GPU's passes of a frame some frames ago.
    passes: Vec<(&'static str, f64)>,
    // A region whose rows are being found.
    wanted: Option<WantedRegion>,
}

impl FramePainter {
    /// For pictures of this format.
    ///
    /// # Errors
    /// What the device rejects.
    pub fn new(context: &GpuContext, format: wgpu::TextureFormat) -> Result<Self, GpuError> {
        let options = egui_wgpu::RendererOptions { dithering: false, ..Default::default() };
        let mut painter = context.scoped("egui", || egui_wgpu::Renderer::new(&context.device, format, options))?;
        let target = ViewTarget::new(context, [1, 1], Dimensions::Two)?;
        let picture = painter.register_native_texture(&context.device, &target.color_view, wgpu::FilterMode::Linear);
        let map = MapRenderer::new(context)?;
        let (egui, fonts) = (egui::Context::default(), Arc::new(SystemFonts::default()));
        egui.add_font_provider(fonts.clone());
        Ok(Self {
            egui,
            fonts,
            painter,
            map,
            target,
            picture,
            shell: ShellState::default(),
            shown_serial: None,
            theme: None,
            pointer_scale: 1.0,
            drawn: 0,
            drawn_map: None,
            wanted: None,
            economy: Economy::Full,
            passes: Vec::new(),
        })
    }

    /// Takes what the widgets of another painter remember; its textures stay where they are.
    pub fn take_over(&mut self, other: &Self) {
        let memory = other.egui.memory(Clone::clone);
        self.egui.memory_mut(|own| *own = memory);
        self.fonts = other.fonts.clone();
        self.egui.set_font_providers(vec![self.fonts.clone()]);
        self.shell = other.shell.clone();
    }

    /// The system's fonts.
    #[must_use]
    pub fn fonts(&self) -> &Arc<SystemFonts> {
        &self.fonts
    }

    /// How much memory drawing may take now.
    #[must_use]
    pub fn economy(&self) -> Economy {
        self.economy
    }

    /// Lets the rows of a frame take so many milliseconds; see [`MapRenderer::set_budget`].
    pub fn set_budget(&mut self, milliseconds: Option<f64>) {
        self.map.set_budget(milliseconds);
    }

    /// The map's renderer, for picking.
    pub fn map(&mut self) -> &mut MapRenderer {
        &mut self.map
    }

    /// Draws one frame into `view`.
    ///
    /// # Errors
    /// Out of memory, or a device that stopped.
    pub fn frame(
        &mut self,
        context: &GpuContext,
        state: &mut AppState,
        input: FrameInput,
        view: &wgpu::TextureView,
    ) -> Result<FrameOutput, GpuError> {
        self.map.watch(context, state.shows_figures)?;
        if let Some(passes) = self.map.take_passes(context)? {
            self.passes = passes;
        }
        if let Some(time) = input.raw.time {
            state.advance(time);
        }
        let LaidOut { mut output, mut effects, map, mut changed } = self.lay_out(context, state, input.raw, input.chrome)?;
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("frame") });
        let counted = self.drawn;
        match self.draw_map(context, state, map, output.pixels_per_point, &mut encoder) {
            // What is still drawn with less than it should be is still to be told.
            Ok(()) if self.economy == Economy::Full => state.notices.clear(Topic::Drawing),
            Ok(()) => {}
            Err(error) if context.is_lost() || matches!(error, GpuError::Lost { .. }) => return Err(error),
            // Panels and words are painted in any case.
            Err(error) => {
                effects.extend(self.economise(state, &error));
                changed = true;
            }
        }
        let density = self.map.density_scale(context, output.pixels_per_point * self.economy.scale())?;
        if density != state.density.as_ref() {
            state.density = density.cloned();
            changed = true;
        }
        self.map.ask_passes(context, &mut encoder)?;
        let is_whole = self.economy == Economy::NoMap || state.shown.as_ref().is_none_or(|shown| self.drawn >= shown.scene.positions.len());
        changed |= !is_whole || self.drawn != counted || state.is_morphing() || self.map.awaits_density_scale();
        let errors = context.errors.take();
        effects.extend(errors.into_iter().flat_map(|text| state.notify(Topic::Program, text)));
        let repaint_after = root_delay(&output);
        let platform = std::mem::take(&mut output.platform_output);
        // egui's renderer panics where a lost device gives it no buffer.
        if context.is_lost() {
            return Err(GpuError::Lost { what: "painting".to_owned(), message: "the device is gone".to_owned() });
        }
        self.paint(context, output, input.size_pixels, encoder, (view, state.choices.theme.background()));
        self.map.passes_submitted();
        state.stats.passes_ms = if state.shows_figures { self.map.cpu_passes_ms() } else { Vec::new() };
        if state.shows_figures {
            state.stats.passes_ms.extend(&self.passes);
        }
        if state.in_view != self.map.in_view() {
            state.in_view = self.map.in_view();
            changed = true;
        }
        state.stats.drawn = [self.drawn, state.shown.as_ref().map_or(0, |shown| shown.scene.positions.len())];
        Ok(FrameOutput { effects, platform, repaint_after, map, drawn: self.drawn, changed, is_whole })
    }

    /// Lets the widgets lay themselves out, and carries out what they want.
    pub(super) fn lay_out(
        &mut self,
        context: &GpuContext,
        state: &mut AppState,
        raw: egui::RawInput,
        chrome: Chrome,
    ) -> Result<LaidOut, GpuError> {
        if self.theme != Some(state.choices.theme) {
            crate::ui::theme::apply(&self.egui, state.choices.theme);
            self.theme = Some(state.choices.theme);
        }
        let mut effects = Vec::new();
        let mut changed = false;
        let mut carry_out = |state: &mut AppState, commands: Vec<Command>| {
            changed |= !commands.is_empty();
            effects.extend(commands.into_iter().flat_map(|command| state.update(command)));
        };
        let scale = self.egui.zoom_factor();
        let quiet = egui::RawInput { events: Vec::new(), dropped_files: Vec::new(), ..raw.clone() };
        let mut batches = batches(raw).into_iter();
        let mut first = batches.next().unwrap_or_else(|| quiet.clone());
        self.rescale(&mut first, scale);
        let (mut output, commands, mut map) = self.run_widgets(context, state, first, chrome);
        carry_out(state, commands);
        // egui asks for two more passes after each event, for what follows from it a pass later. Laying out is cheap, a frame is not: the
        // passes are run at once, without the events.
        let mut settling = 0..SETTLING_PASSES;
        while let Some(mut input) =
            batches.next().or_else(|| settling.next().filter(|_| root_delay(&output).is_zero()).map(|_| quiet.clone()))
        {
            self.rescale(&mut input, scale);
            let (newer, commands, place) = self.run_widgets(context, state, input, chrome);
            let delay = root_delay(&newer);
            output.append(newer);
            if let Some(root) = output.viewport_output.get_mut(&egui::ViewportId::ROOT) {
                root.repaint_delay = delay;
            }
            map = place;
            carry_out(state, commands);
        }
        changed |= self.egui.zoom_factor() != scale;
        effects.extend(self.fonts.notice().map(|text| state.notify(Topic::Letters, text)).unwrap_or_default());
        changed |= self.find_chosen(context, state, &mut effects)?;
        state.set_map_size(MapSize { width: map.width(), height: map.height() });
        if let Some(shown) = state.shown.as_mut().filter(|shown| shown.scene.view == ViewKind::Averages) {
            shown.scene.refresh_averages();
        }
        Ok(LaidOut { output, effects, map, changed })
    }

    /// Brings input that was measured at a scale of the widgets to the scale that they have now: Ctrl and Plus change it between two
    /// passes. egui knows the pointer's place only as it was at the former one.
    fn rescale(&mut self, input: &mut egui::RawInput, measured_at: f32) {
        let scale = self.egui.zoom_factor();
        let share = measured_at / scale;
        if share != 1.0 {
            input.screen_rect = input.screen_rect.map(|rect| rect * share);
            for event in &mut input.events {
                if let egui::Event::PointerMoved(at) | egui::Event::PointerButton { pos: at, .. } = event {
                    *at = (at.to_vec2() * share).to_pos2();
                }
            }
        }
        let former = std::mem::replace(&mut self.pointer_scale, scale);
        if former != scale
            && let Some(at) = self.egui.input(|input| input.pointer.latest_pos())
        {
            input.events.insert(0, egui::Event::PointerMoved((at.to_vec2() * (former / scale)).to_pos2()));
        }
    }

    /// Runs the widgets once: what they painted, what they want, and where the map is.
    fn run_widgets(
        &mut self,
        context: &GpuContext,
        state: &AppState,
        raw: egui::RawInput,
        chrome: Chrome,
    ) -> (egui::FullOutput, Vec<Command>, egui::Rect) {
        let (mut commands, mut map) = (Vec::new(), egui::Rect::ZERO);
        let egui = self.egui.clone();
        // egui may lay out twice, the second time without the events.
        let output = egui.run_ui(raw, |ui| {
            let view = ShellView { picture: Some(self.picture), ..shell_view(state, &context.caps.name, chrome, self.drawn) };
            let shell = shell_ui(ui, &view, &mut self.shell);
            commands.extend(shell.commands);
            map = shell.map;
        });
        (output, commands, map)
    }

    /// A step down, after the map could not be drawn.
    fn economise(&mut self, state: &mut AppState, error: &GpuError) -> Vec<Effect> {
        self.map.forget();
        self.drawn = 0;
        self.drawn_map = None;
        let Some(next) = self.economy.next() else { return state.notify(Topic::Drawing, error.to_string()) };
        self.economy = next;
        state.notify(Topic::Drawing, next.notice(error))
    }

    /// Has the rows of a region found that was drawn, and hands them over when they are there; whether another frame is due for it.
    fn find_chosen(&mut self, context: &GpuContext, state: &mut AppState, effects: &mut Vec<Effect>) -> Result<bool, GpuError> {
        if let Some(wanted) = state.take_region()
            && let Some(shown) = &state.shown
        {
            self.map.select(context, &shown.scene, &wanted.region)?;
            self.wanted = Some(wanted);
        }
        if self.wanted.is_some()
            && let Some(rows) = self.map.selected(context)?
            && let Some(wanted) = self.wanted.take()
        {
            effects.extend(state.finish_region(&wanted, rows));
            return Ok(true);
        }
        Ok(self.wanted.is_some())
    }

    /// Draws the map's points and lines into the texture that egui shows.
    fn draw_map(
        &mut self,
        context: &GpuContext,
        state: &AppState,
        map: egui::Rect,
        pixels_per_point: f32,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<(), GpuError> {
        let Some(shown) = &state.shown else { return Ok(()) };
        let scene = &shown.scene;
        self.upload(context, shown)?;
        if self.economy == Economy::NoMap {
            return Ok(());
        }
        let pixels_per_point = pixels_per_point * self.economy.scale();
        let size = [map.width(), map.height()].map(|edge| (edge * pixels_per_point).round().max(1.0) as u32);
        if !self.target.fits(size, scene.camera.dimensions) {
            self.target = ViewTarget::new(context, size, scene.camera.dimensions)?;
            self.drawn_map = None;
            let filter = wgpu::FilterMode::Linear;
            self.painter.update_egui_texture_from_wgpu_texture(&context.device, &self.target.color_view, filter, self.picture);
        }
        let drawn_map = DrawnMap::of(state, shown, size, pixels_per_point, self.economy);
        if drawn_map.is_some() && drawn_map == self.drawn_map {
            return Ok(());
        }
        self.drawn_map = None;
        self.drawn = self.map.encode(context, encoder, scene, &self.target, DrawOptions { pixels_per_point })?;
        self.drawn_map = drawn_map.filter(|_| self.drawn >= scene.positions.len());
        Ok(())
    }

    /// The same for a picture, whose rows stay on the CPU where the GPU has no room for them.
    pub(super) fn upload_or_keep(&mut self, context: &GpuContext, shown: &Shown) -> Result<(), GpuError> {
        match self.upload(context, shown) {
            Err(error @ (GpuError::OutOfMemory { .. } | GpuError::TooLarge { .. })) => {
                self.economy = Economy::OnHost;
                log::warn!("{}", self.economy.notice(&error));
                self.map.forget();
                self.upload(context, shown)
            }
            done => done,
        }
    }

    /// Brings a layout to where it is drawn from, if it is another than before.
    pub(super) fn upload(&mut self, context: &GpuContext, shown: &Shown) -> Result<(), GpuError> {
        let scene = &shown.scene;
        if self.shown_serial != Some((shown.serial, shown.is_glance)) {
            // Another layout may fit where the last one did not.
            (self.shown_serial, self.economy) = (Some((shown.serial, shown.is_glance)), Economy::Full);
            self.map.forget();
        }
        if self.economy != Economy::NoMap && !self.map.is_showing() {
            let buffers = match &shown.columns {
                _ if self.economy.is_on_host() => MapBuffers::on_host(context, scene)?,
                Some(columns) => MapBuffers::following(context, scene, columns.clone())?,
                None => MapBuffers::new(context, scene, PositionBuffer::from_positions(context, &scene.positions)?)?,
            };
            self.map.show(context, buffers);
            self.drawn_map = None;
        }
        Ok(())
    }

    /// Paints what egui laid out, the map's texture among it, and submits the frame.
    fn paint(
        &mut self,
        context: &GpuContext,
        output: egui::FullOutput,
        size_in_pixels: [u32; 2],
        mut encoder: wgpu::CommandEncoder,
        (view, ground): (&wgpu::TextureView, Srgb),
    ) {
        let egui::FullOutput { textures_delta: textures, shapes, pixels_per_point, .. } = output;
        let (device, queue) = (&context.device, &context.queue);
        for (id, deltas) in &textures.set {
            for delta in deltas {
                self.painter.update_texture(device, queue, *id, delta);
            }
        }
        let primitives = self.egui.tessellate(shapes, pixels_per_point);
        let screen = egui_wgpu::ScreenDescriptor { size_in_pixels, pixels_per_point };
        let mut buffers = self.painter.update_buffers(device, queue, &mut encoder, &primitives, &screen);
        // The map's ground, so that no layer of its own is painted under it.
        let [r, g, b, _] = ground.to_unit(1.0).map(f64::from);
        let color = wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }), store: wgpu::StoreOp::Store },
        };
        let descriptor = wgpu::RenderPassDescriptor { label: Some("egui"), color_attachments: &[Some(color)], ..Default::default() };
        self.painter.render(&mut encoder.begin_render_pass(&descriptor).forget_lifetime(), &primitives, &screen);
        buffers.push(encoder.finish());
        queue.submit(buffers);
        for id in &textures.free {
            self.painter.free_texture(id);
        }
    }
}

/// How long the widgets of the window stay as they are without input.
fn root_delay(output: &egui::FullOutput) -> std::time::Duration {
    output.viewport_output.get(&egui::ViewportId::ROOT).map_or(std::time::Duration::MAX, |root| root.repaint_delay)
}
