//! The window: events in, frames out. It sleeps until something happens.

mod background;
mod display;
mod output;
mod pointer;
mod program;
mod recovery;
mod redraws;
mod sound;
mod surface;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use winit::dpi::{LogicalSize, PhysicalPosition};
use winit::event::{ElementState, MouseButton, WindowEvent};
use winit::event_loop::{ActiveEventLoop, EventLoopProxy};
use winit::window::Window;

use super::audio_root;
use super::coloring_job::{self, ColoringWorker};
use super::error::AppError;
use super::event_log::{Event, EventLog};
use super::frame::{FrameInput, FramePainter};
use super::headless;
use super::jobs::Jobs;
use super::label_job::{self, LabelWorker};
use super::notices::Topic;
use super::outputs::Outputs;
use super::playback_notes::PlaybackNotes;
use super::sound_memory;
use super::sound_picture_job::{self, PictureWorker};
use super::state::{AppState, Choices, Effect};
use super::worker::Waking;
use crate::catalog::plain_text;
use crate::gpu::{GpuContext, new_instance};
use crate::player::{FileSource, OutputDevice, Player, PlayerConfig, TrackNotes, WakeFn};
use crate::project::DeviceChoice;
use crate::store::Collection;
use crate::ui::Chrome;
pub use display::Display;
use pointer::Pointed;
pub use program::run;
use recovery::compute_of;
use redraws::Redraws;
use surface::{Acquired, WindowSurface};

/// What a window is opened with.
pub struct WindowConfig {
    /// What to show.
    pub collection: Collection,
    /// How.
    pub choices: Choices,
    /// Columns or components on the axes.
    pub axes: Option<[usize; 3]>,
    /// Where the audio files are, if not where the collection says.
    pub audio_root: Option<PathBuf>,
    /// What projections run on.
    pub device: DeviceChoice,
    /// Where events are logged.
    pub event_log: Option<PathBuf>,
    /// A picture of the window to write once the map is there, and then to close.
    pub screenshot: Option<PathBuf>,
}

/// What the rows of a large map may take of a frame while it moves, so that 60 come in a second.
const FRAME_BUDGET_MS: f64 = 10.0;

/// Until a frame that could not be painted is tried again.
const AFTER_A_FAILED_FRAME: Duration = Duration::from_secs(1);

/// How long a pointer's pick on a GPU is waited for, so that what it touches sounds before anything is drawn. Later ones are looked for every so often.
const LONGEST_PICK: Duration = Duration::from_millis(4);
const LOOK_FOR_PICK: Duration = Duration::from_millis(2);

/// Something to fetch from another thread.
#[derive(Clone, Copy, Debug)]
struct Woken;

/// Everything that lives as long as the window.
struct Session {
    window: Arc<Window>,
    surface: WindowSurface,
    context: GpuContext,
    device: DeviceChoice,
    /// Attempts to open a device since the last one was lost.
    attempts: u32,
    input: egui_winit::State,
    painter: FramePainter,
    state: AppState,
    jobs: Jobs,
    labels: LabelWorker,
    colorings: ColoringWorker,
    sound_pictures: PictureWorker,
    notes: Arc<PlaybackNotes>,
    player: Option<Player>,
    /// The player, from the thread that opens its output.
    opening_player: Option<Receiver<(Player, Option<String>)>>,
    /// What outputs there are, from the thread that asks.
    listing_outputs: Option<Receiver<Result<Vec<OutputDevice>, String>>>,
    wake: WakeFn,
    map: egui::Rect,
    pointer: Option<PhysicalPosition<f64>>,
    pressed_buttons: usize,
    /// Where on the map the primary button went down.
    pressed_at: Option<PhysicalPosition<f64>>,
    /// When the pointer whose pick is on its way came.
    pointed_at: Option<Instant>,
    /// Where the pointer was on the map when it was last asked what it is on, and how the map lay then.
    pointed: Option<Pointed>,
    redraws: Redraws,
    /// When egui wants to repaint without input (a cursor that blinks).
    repaint_at: Option<Instant>,
    /// When the playhead is to be drawn further on.
    playhead_at: Option<Instant>,
    /// When the figures of the sound are to be looked at.
    figures_at: Option<Instant>,
    is_ready: bool,
    /// How many were presented.
    frames: u64,
    screenshot: Option<PathBuf>,
}

impl Session {
    fn open(events: &ActiveEventLoop, config: WindowConfig, proxy: &EventLoopProxy<Woken>) -> Result<(Self, Vec<Effect>), AppError> {
        let title =
            config.collection.path().file_stem().map_or_else(String::new, |name| format!("{} — ", plain_text(&name.to_string_lossy())));
        let attributes = Window::default_attributes()
            .with_title(format!("{title}tagscape"))
            .with_inner_size(LogicalSize::new(1440.0, 900.0))
            .with_min_inner_size(LogicalSize::new(760.0, 480.0));
        let window = events.create_window(attributes).map_err(|error| AppError::Window(error.to_string()))?;
        let window = Arc::new(window);
        let instance = new_instance(Some(Box::new(events.owned_display_handle())));
        let (surface, context) = WindowSurface::open(window.clone(), instance)?;
        let mut painter = FramePainter::new(&context, surface.format())?;
        painter.set_budget(Some(FRAME_BUDGET_MS));
        background::find_fonts(painter.fonts(), config.collection.tracks());
        let input = input_of(&painter, &window, &context);
        let compute = compute_of(config.device, &context);
        let (mut state, effects) = AppState::open(config.collection, config.choices, config.axes, compute)?;
        let is_said = config.audio_root.is_some();
        state.audio_root = audio_root::audio_root_of(&state.collection, config.audio_root);
        state.set_morphing(true);
        state.output = "opening the sound output".to_owned();
        state.gpu_picks = recovery::picks_of(&context);
        let wake: WakeFn = {
            let proxy = proxy.clone();
            // A closed event loop needs no waking.
            Arc::new(move || {
                let _ = proxy.send_event(Woken);
            })
        };
        let chosen = sound_memory::chosen();
        state.outputs = Outputs::of(chosen.clone());
        // A sound server that hangs must not hold up the map.
        let (sender, opening_player) = channel();
        let player_wake = wake.clone();
        let notes = Arc::new(PlaybackNotes::open(state.collection.path(), &state.audio_root));
        let source = Arc::new(FileSource::with_notes(Arc::clone(&notes) as Arc<dyn TrackNotes>));
        let opener = std::thread::Builder::new().name("sound".into()).spawn(move || {
            // In this order: the sender goes before the window is woken.
            let _waking = Waking(player_wake.clone());
            let sender = sender;
            let config = PlayerConfig { buffers: sound_memory::buffers(), ..PlayerConfig::default() };
            drop(sender.send(Player::start_with(chosen, config, source, Some(player_wake))));
        });
        opener.map_err(|error| AppError::Worker(error.to_string()))?;
        let session = Self {
            window,
            surface,
            context,
            device: config.device,
            attempts: 0,
            input,
            painter,
            state,
            jobs: Jobs::start(wake.clone())?,
            labels: label_job::start(wake.clone())?,
            colorings: coloring_job::start(wake.clone())?,
            sound_pictures: sound_picture_job::start(wake.clone())?,
            wake,
            notes,
            player: None,
            opening_player: Some(opening_player),
            listing_outputs: None,
            map: egui::Rect::NOTHING,
            pointer: None,
            pressed_buttons: 0,
            pressed_at: None,
            playhead_at: None,
            figures_at: None,
            pointed_at: None,
            pointed: None,
            redraws: Redraws::default(),
            repaint_at: None,
            is_ready: false,
            frames: 0,
            screenshot: config.screenshot,
        };
        if is_said && session.state.audio_root != session.state.collection.audio_root() {
            session.keep_audio_root(session.state.audio_root.clone());
        }
        Ok((session, effects))
    }

    fn window_event(&mut self, events: &ActiveEventLoop, event: &WindowEvent, log: &mut EventLog) -> Result<(), AppError> {
        // The pointer first: what it touches must sound before anything is drawn.
        let was_on_map = self.is_on_map();
        match event {
            WindowEvent::CursorMoved { position, .. } => {
                self.pointer = Some(*position);
                self.point(log);
            }
            WindowEvent::CursorLeft { .. } => {
                self.pointer = None;
                self.point(log);
            }
            WindowEvent::MouseInput { state, button, .. } => {
                if *button == MouseButton::Left {
                    self.click(*state == ElementState::Pressed, log);
                }
                let change =
                    if *state == ElementState::Pressed { self.pressed_buttons + 1 } else { self.pressed_buttons.saturating_sub(1) };
                self.pressed_buttons = change;
                // The map may lie otherwise than when the button went down.
                if *state == ElementState::Released {
                    self.point(log);
                }
            }
            // A button that goes up elsewhere is not told.
            WindowEvent::Focused(false) | WindowEvent::Occluded(true) => self.release_buttons(),
            _ => {}
        }
        let response = self.input.on_window_event(&self.window, event);
        // A redraw is not a reason for another: an idle window draws nothing.
        // Neither is a pointer that moves over the map and means the same segment as before, or none: what it comes onto asks for itself.
        let is_in_vain = matches!(event, WindowEvent::CursorMoved { .. }) && was_on_map && self.is_on_map() && self.pressed_buttons == 0;
        if response.repaint && !is_in_vain && !matches!(event, WindowEvent::RedrawRequested) {
            self.ask_redraw();
        }
        match event {
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::Resized(size) => {
                self.surface.resize(&self.context, *size);
                self.ask_redraw();
            }
            WindowEvent::Occluded(is_hidden) => {
                self.surface.cover(*is_hidden);
                self.ask_redraw();
            }
            WindowEvent::RedrawRequested if !self.surface.is_hidden() => self.redraw(events, log)?,
            _ => {}
        }
        Ok(())
    }

    /// Does what has come due, and says when to wake up again without an event.
    fn wake_up(&mut self, now: Instant, log: &mut EventLog) -> Option<Instant> {
        if self.repaint_at.is_some_and(|time| time <= now) {
            self.repaint_at = None;
            self.ask_redraw();
        }
        if self.playhead_at.is_some_and(|time| time <= now) {
            self.playhead_at = None;
            self.ask_redraw();
        }
        if self.figures_at.is_some_and(|time| time <= now) && self.follow_figures() {
            self.ask_redraw();
        }
        if self.redraws.due_at().is_some_and(|time| time <= now) {
            self.follow_progress(now);
        }
        self.fetch_pick(Duration::ZERO, log);
        let look_again = self.painter.map().is_picking().then(|| now + LOOK_FOR_PICK);
        let times = [self.repaint_at, self.playhead_at, self.figures_at, self.redraws.due_at(), look_again];
        times.into_iter().flatten().min()
    }

    fn redraw(&mut self, events: &ActiveEventLoop, log: &mut EventLog) -> Result<(), AppError> {
        if self.context.is_lost() {
            return self.recover(log);
        }
        let texture = match self.surface.acquire(&self.context) {
            Acquired::Ready(texture) => texture,
            Acquired::Later(pause) => {
                self.repaint_at = Some(Instant::now() + pause);
                return Ok(());
            }
            Acquired::WhenSeen => return Ok(()),
        };
        let began = Instant::now();
        self.redraws.begin_frame(self.state.percentages(), began);
        self.follow_playhead(log);
        self.follow_figures();
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let raw = self.input.take_egui_input(&self.window);
        let size_pixels = self.surface.size();
        let input = FrameInput { raw, size_pixels, chrome: Chrome::Panels };
        let painted = self.painter.frame(&self.context, &mut self.state, input, &view);
        if self.context.is_lost() {
            self.ask_redraw();
            return Ok(());
        }
        let output = match painted {
            Ok(output) => output,
            // Nothing of it is shown; what is wrong may be right again in a moment.
            Err(error) => {
                let effects = self.state.notify(Topic::Drawing, error.to_string());
                self.carry_out(effects, log);
                self.repaint_at = Some(Instant::now() + AFTER_A_FAILED_FRAME);
                return Ok(());
            }
        };
        self.window.pre_present_notify();
        self.context.queue.present(texture);
        self.frames += 1;

        self.input.handle_platform_output(&self.window, output.platform);
        let is_moved = self.map != output.map;
        self.map = output.map;
        self.carry_out(output.effects, log);
        self.renew_hover(log);
        self.repaint_at = None;
        self.plan_playhead(began.elapsed());
        if output.changed || is_moved || output.repaint_after.is_zero() {
            self.ask_redraw();
        } else if output.repaint_after < Duration::from_secs(3600) {
            self.repaint_at = Some(Instant::now() + output.repaint_after);
        } else if self.playhead_at.is_none() && !self.state.is_moving() && self.redraws.come_to_rest() {
            log.write(&Event::Still { frames: self.frames });
        }
        self.state.stats.add(began, began.elapsed());
        if let Some(event) = self.state.stats.event(Instant::now()) {
            self.carry_out(vec![Effect::Log(event)], log);
        }
        if !self.is_ready && output.drawn > 0 && output.is_whole && !is_moved {
            self.is_ready = true;
            self.log_ready(output.drawn, log);
        }
        if self.is_ready
            && !self.state.is_moving()
            && !self.state.is_morphing()
            && !self.state.awaits_labels()
            && !self.state.is_coloring()
            && let Some(path) = self.screenshot.take()
        {
            headless::draw(&self.context, &mut self.state, size_pixels, Chrome::Panels)?.write_png(&path)?;
            events.exit();
        }
        Ok(())
    }

    fn log_ready(&self, drawn: usize, log: &mut EventLog) {
        let scale = self.painter.egui.pixels_per_point();
        let pixel = |value: f32| (value * scale).round().max(0.0) as u32;
        let map = [pixel(self.map.min.x), pixel(self.map.min.y), pixel(self.map.width()), pixel(self.map.height())];
        log.write(&Event::Ready { map, adapter: self.context.caps.name.clone(), segments: drawn });
    }
}

/// The window's events as egui takes them.
fn input_of(painter: &FramePainter, window: &Window, context: &GpuContext) -> egui_winit::State {
    let texture_side = context.device.limits().max_texture_dimension_2d as usize;
    let scale = Some(window.scale_factor() as f32);
    egui_winit::State::new(painter.egui.clone(), egui::ViewportId::ROOT, window, scale, None, Some(texture_side))
}
