//! The program's state: commands go in, effects come out. No GPU, sound, window or clock in here, so that all of it can be tested.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use super::choices::Choices;
use super::choosing::Choosing;
use super::coloring::ColoringState;
use super::coloring_job::ColoringRequest;
use super::descent_job::Steering;
use super::error::AppError;
use super::event_log::Event;
use super::frame_stats::FrameStats;
use super::jobs::Outcome;
use super::label_job::LabelRequest;
use super::listening::Listening;
use super::morphing::MorphClock;
use super::notices::{Notices, Topic};
use super::outputs::Outputs;
use super::pointing::{AskedPick, GpuPicks};
use super::projection_job::{LayoutReady, ProjectionRequest};
use super::search::SearchRequest;
use super::sound_stats::SoundStats;
use super::steering::DescentState;
use crate::catalog::{Layer, SegmentSpan, SpaceKey, TagVocabulary};
use crate::command::{Command, MethodKind, Tuning};
use crate::gpu::PositionBuffer;
use crate::player::OutputChoice;
use crate::project::Compute;
use crate::scene::{Aim, Composition, DensityScale, MapSize, PickTree, Scene, ndc_from_screen};
use crate::store::{Collection, MatrixFile};
use crate::ui::widgets::Work;

/// What the state wants done outside of it.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Compute a layout.
    Project(Box<ProjectionRequest>),
    /// Give up the request of this number.
    Cancel(u64),
    /// Find names for the map.
    Label(Box<LabelRequest>),
    /// Make colours for the rows.
    Color(Box<ColoringRequest>),
    /// Give up the colours that are being made.
    CancelColoring,
    /// Hand the user's wishes to the embedding under way.
    Steer(Steering),
    /// Find the segments that a text means.
    Search(Box<SearchRequest>),
    /// Find on the GPU what is under the pointer, for [`AppState::picked`].
    Pick {
        /// The pick's number.
        number: u64,
        /// Where.
        aim: Aim,
    },
    /// Let a segment sound.
    Audition {
        /// The player's number for it.
        serial: u64,
        /// The file.
        path: PathBuf,
        /// The stretch.
        span: SegmentSpan,
    },
    /// Decode these stretches ahead, the likeliest first.
    Prefetch(Vec<(PathBuf, SegmentSpan)>),
    /// Silence.
    StopAudio,
    /// Another volume.
    SetVolume(f32),
    /// Whether what sounds begins again at its end.
    SetLooping(bool),
    /// Find out what sound outputs there are.
    ListOutputs,
    /// Let the sound go elsewhere, and keep that for the next start.
    SetOutput(OutputChoice),
    /// Keep where the audio files are.
    KeepAudioRoot(PathBuf),
    /// Into the event log.
    Log(Event),
}

/// A layout that is shown, with what belongs to it.
#[derive(Debug)]
pub struct Shown {
    /// The scene.
    pub scene: Scene,
    /// Which layout it is, for the GPU's copies.
    pub serial: u64,
    /// Whether a more exact layout of the same number follows.
    pub is_glance: bool,
    /// The space.
    pub space: SpaceKey,
    /// The projection.
    pub method: MethodKind,
    /// Its name, or `file` for a layout made before.
    pub method_name: &'static str,
    /// Where an embedding on the window's GPU writes its layout.
    pub columns: Option<PositionBuffer>,
    /// How far an embedding is.
    pub descent: Option<DescentState>,
    /// Columns or components on the axes.
    pub axes: [usize; 3],
    /// What an axis can show.
    pub column_names: Vec<String>,
    /// Share of the variance of each component.
    pub explained: Vec<f32>,
    pub(super) tree: Option<PickTree>,
    pub(super) taggrams: Option<MatrixFile>,
    pub(super) tags: Option<TagVocabulary>,
}

/// All of the program that is not hardware.
#[derive(Debug)]
pub struct AppState {
    /// The collection.
    pub collection: Arc<Collection>,
    /// What the user chose.
    pub choices: Choices,
    /// What is on the map.
    pub shown: Option<Shown>,
    /// What the sound output is, for the status bar.
    pub output: String,
    /// Lines for the user.
    pub notices: Notices,
    /// How much of the work in the background is done, 0 to 1.
    pub progress: f32,
    /// What concerns colours.
    pub coloring: ColoringState,
    /// What concerns listening.
    pub listening: Listening,
    /// What concerns sound outputs.
    pub outputs: Outputs,
    /// How fast frames come.
    pub stats: FrameStats,
    /// How sound comes.
    pub sound: SoundStats,
    /// Whether that is on screen.
    pub shows_figures: bool,
    /// What is picked on the GPU.
    pub gpu_picks: GpuPicks,
    pub(super) asked_pick: AskedPick,
    /// The classes around the pointer.
    pub(super) around: Option<Composition>,
    /// Segments in view, where they were counted.
    pub(super) in_view: Option<usize>,
    /// What the tones of the picture stand for, where it is of a density.
    pub(super) density: Option<DensityScale>,
    /// Where the tracks' paths begin.
    pub audio_root: PathBuf,
    pub(super) compute: Compute,
    pub(super) map: MapSize,
    axes: HashMap<(SpaceKey, MethodKind), [usize; 3]>,
    // The camera follows the map's size until the user moves it.
    pub(super) is_fitted: bool,
    pub(super) newest_request: u64,
    pub(super) awaited: bool,
    pub(super) newest_labels: u64,
    pub(super) awaits_labels: bool,
    pub(super) has_artists: bool,
    pub(super) steering: Steering,
    /// Parameters that the embedding could not take.
    pub(super) refused_tuning: Option<Tuning>,
    pub(super) choosing: Choosing,
    space_keys: Vec<SpaceKey>,
    pub(super) morph_clock: MorphClock,
}

impl AppState {
    /// The state of a collection just opened, and its first effect: to project it.
    ///
    /// # Errors
    /// [`AppError::Empty`] for a collection without segments.
    pub fn open(
        collection: Collection,
        choices: Choices,
        axes: Option<[usize; 3]>,
        compute: Compute,
    ) -> Result<(Self, Vec<Effect>), AppError> {
        let mut state = Self {
            space_keys: collection.spaces().iter().filter(|space| space.segments > 0).map(|space| space.key).collect(),
            audio_root: collection.audio_root(),
            has_artists: collection.tracks().iter().any(|track| track.metadata.artist.is_some()),
            collection: Arc::new(collection),
            choices,
            shown: None,
            output: String::new(),
            notices: Notices::default(),
            coloring: ColoringState::default(),
            listening: Listening::default(),
            outputs: Outputs::default(),
            stats: FrameStats::default(),
            sound: SoundStats::default(),
            shows_figures: false,
            gpu_picks: GpuPicks::default(),
            asked_pick: AskedPick::default(),
            around: None,
            in_view: None,
            density: None,
            compute,
            map: MapSize { width: 0.0, height: 0.0 },
            axes: HashMap::new(),
            is_fitted: true,
            newest_request: 0,
            awaited: false,
            newest_labels: 0,
            awaits_labels: false,
            steering: Steering::default(),
            refused_tuning: None,
            progress: 1.0,
            choosing: Choosing::default(),
            morph_clock: MorphClock::default(),
        };
        if let Some(axes) = axes {
            state.axes.insert((state.choices.space, state.choices.method), axes);
        }
        let effects = state.project();
        Ok((state, effects))
    }

    /// The space to begin with: MSD-MusiCNN's embeddings, or else the first that is there.
    ///
    /// # Errors
    /// [`AppError::Empty`], or [`AppError::NoSuchSpace`] where `wanted` is not there.
    pub fn first_space(collection: &Collection, wanted: Option<SpaceKey>) -> Result<SpaceKey, AppError> {
        let there: Vec<SpaceKey> = collection.spaces().iter().filter(|space| space.segments > 0).map(|space| space.key).collect();
        let name = || collection.path().display().to_string();
        if let Some(wanted) = wanted {
            let names = || there.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return if there.contains(&wanted) {
                Ok(wanted)
            } else {
                Err(AppError::NoSuchSpace { collection: name(), wanted: wanted.to_string(), there: names() })
            };
        }
        let preferred = there.iter().find(|key| key.layer == Layer::Embeddings && key.model.name() == "msd-musicnn");
        preferred.or(there.first()).copied().ok_or_else(|| AppError::Empty(name()))
    }

    /// The collection's name: its folder's, without `.tagscape`.
    #[must_use]
    pub fn collection_name(&self) -> &str {
        let name = self.collection.path().file_name().and_then(|name| name.to_str()).unwrap_or("collection");
        name.strip_suffix(".tagscape").unwrap_or(name)
    }

    /// The spaces that can be shown.
    #[must_use]
    pub fn space_keys(&self) -> &[SpaceKey] {
        &self.space_keys
    }

    /// Whether a layout is being made.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.awaited
    }

    /// The layout that is being made, and how much of it is done.
    #[must_use]
    pub fn projecting(&self) -> Option<Work> {
        self.awaited.then(|| Work::new(format!("Projecting {}", self.choices.space), self.progress))
    }

    /// All that goes up by itself on screen while something is worked on.
    #[must_use]
    pub fn percentages(&self) -> String {
        let work = [self.projecting(), self.coloring_work(), self.calibrating()];
        work.into_iter().flatten().map(|work| work.line).collect::<Vec<_>>().join("\n")
    }

    /// Does what a command asks for.
    pub fn update(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::SetSpace(space) if space != self.choices.space => {
                self.choices.space = space;
                self.project_anew()
            }
            Command::SetMethod(method) if method != self.choices.method || self.choices.layout_file.is_some() => {
                self.choices.method = method;
                self.project_anew()
            }
            Command::StopProjecting => self.stop_projecting(),
            Command::SetPaused(_) | Command::Reheat | Command::Tune(_) => self.steer(&command),
            Command::SetAxis { axis, column } => self.set_axis(axis, column),
            Command::SetDimensions(dimensions) if dimensions != self.choices.dimensions => {
                self.choices.dimensions = dimensions;
                self.project_anew()
            }
            Command::SetLog(log) => self.set_log(log),
            Command::SetView(view) => {
                self.choices.view = view;
                if let Some(shown) = &mut self.shown {
                    shown.scene.view = view;
                }
                vec![Effect::Log(Event::View { view: view.name().to_owned() })]
            }
            Command::SetLabels(kind) => self.set_labels(kind),
            Command::SetColorBy(by) => self.set_color_by(by),
            Command::StopColoring => self.stop_coloring(),
            Command::ChooseClass { class, how } => self.choose_class(class, how),
            Command::SetTheme(theme) => {
                self.choices.theme = theme;
                if let Some(shown) = &mut self.shown {
                    shown.scene.set_theme(theme);
                }
                Vec::new()
            }
            Command::ShowFigures(shows) => {
                self.shows_figures = shows;
                Vec::new()
            }
            Command::SetListen(_)
            | Command::SetVolume(_)
            | Command::SetMuted(_)
            | Command::SetCourse(_)
            | Command::Play
            | Command::PlayOrStop
            | Command::StepSegment(_)
            | Command::Seek(_)
            | Command::SetAudioRoot(_) => self.listen(command),
            Command::ListOutputs | Command::SetOutput(_) => self.choose_output(command),
            Command::SetTool(_)
            | Command::ChooseInside { .. }
            | Command::ChooseText { .. }
            | Command::InvertChosen
            | Command::ClearChosen => self.choose(command),
            Command::Point { at, window_pixels } => self.point(at, window_pixels),
            Command::SetSpace(_) | Command::SetMethod(_) | Command::SetDimensions(_) => Vec::new(),
            Command::Fit | Command::Pan(_) | Command::Orbit(_) | Command::Zoom { .. } => {
                self.move_camera(&command);
                Vec::new()
            }
        }
    }

    fn move_camera(&mut self, command: &Command) {
        let map = self.map;
        let Some(shown) = &mut self.shown else { return };
        let camera = &mut shown.scene.camera;
        match *command {
            Command::Pan(delta) => camera.pan(delta, map.height),
            Command::Orbit(delta) => camera.orbit(delta, map.height),
            Command::Zoom { factor, at } => camera.zoom(factor, ndc_from_screen(at, map), map.aspect()),
            _ => shown.scene.fit(map.aspect()),
        }
        self.is_fitted = matches!(command, Command::Fit);
    }

    /// Turns the eye to given angles in radians (3-D), for pictures.
    pub fn set_angles(&mut self, azimuth: f32, elevation: f32) {
        if let Some(shown) = &mut self.shown {
            shown.scene.camera.azimuth = azimuth;
            shown.scene.camera.elevation = elevation;
        }
    }

    /// Tells how large the map is, in UI points.
    pub fn set_map_size(&mut self, map: MapSize) {
        if map != self.map {
            self.map = map;
            if self.is_fitted {
                self.move_camera(&Command::Fit);
            }
        }
    }

    fn set_axis(&mut self, axis: usize, column: usize) -> Vec<Effect> {
        let key = (self.choices.space, self.choices.method);
        let mut axes = self.axes.get(&key).copied().or_else(|| self.shown.as_ref().map(|shown| shown.axes)).unwrap_or([0, 1, 2]);
        match axes.get_mut(axis) {
            Some(place) => *place = column,
            None => return Vec::new(),
        }
        self.axes.insert(key, axes);
        self.project_anew()
    }

    fn project_anew(&mut self) -> Vec<Effect> {
        self.choices.layout_file = None;
        self.project()
    }

    pub(super) fn project(&mut self) -> Vec<Effect> {
        self.newest_request += 1;
        self.awaited = true;
        self.progress = 0.0;
        self.steer_anew();
        let Choices { space, method, dimensions, .. } = self.choices;
        vec![Effect::Project(Box::new(ProjectionRequest {
            serial: self.newest_request,
            collection: self.collection.clone(),
            space,
            method,
            axes: self.axes.get(&(space, method)).copied(),
            dimensions,
            log: self.choices.log,
            compute: self.compute.clone(),
            tuning: self.steering.tuning,
            layout_file: self.choices.layout_file.clone(),
        }))]
    }

    /// Takes what a projection came to; what is stale is dropped.
    pub fn finish(&mut self, (serial, outcome): Outcome) -> Vec<Effect> {
        if serial != self.newest_request {
            return Vec::new();
        }
        self.awaited = outcome.as_ref().is_ok_and(|ready| ready.is_glance);
        match outcome {
            Ok(ready) => self.show(ready),
            Err(error) => self.notify(Topic::Projection, error.to_string()),
        }
    }

    fn show(&mut self, ready: LayoutReady) -> Vec<Effect> {
        let aspect = self.map.aspect();
        let mut scene = Scene::uncolored(ready.positions, ready.track_rows, ready.axis_names, ready.scale, ready.dimensions, aspect);
        scene.scalings = ready.scalings;
        scene.view = self.choices.view;
        scene.theme = self.choices.theme;
        scene.choose(self.kept_chosen(&scene.track_rows));
        self.choices.dimensions = ready.dimensions;
        // What a glance was seen like stays as it is seen.
        let follows_glance = self.shown.as_ref().is_some_and(|shown| shown.serial == ready.serial);
        if follows_glance && !self.is_fitted {
            scene.camera = self.shown.as_ref().map_or(scene.camera, |shown| shown.scene.camera);
        } else {
            self.is_fitted = true;
        }
        self.forget_pick();
        let colored = self.shown.as_ref().map(|shown| (shown.space, shown.scene.coloring.clone()));
        let tags = ready.space.taggrams().and_then(|key| self.collection.tags(key).ok().flatten());
        let is_moved_elsewhere = ready.columns.is_some();
        let before = self.shown.replace(Shown {
            scene,
            serial: ready.serial,
            is_glance: ready.is_glance,
            space: ready.space,
            axes: ready.axes,
            method: ready.method,
            columns: ready.columns,
            descent: ready.descent,
            column_names: ready.column_names,
            explained: ready.explained,
            tree: ready.tree,
            taggrams: ready.taggrams,
            tags,
            method_name: ready.method_name,
        });
        // What a glance showed hardly moves.
        if let Some(before) = before.filter(|_| !follows_glance) {
            self.begin_morph(&before.scene, is_moved_elsewhere);
        }
        let mut effects: Vec<_> = self.shown.iter().map(|shown| Effect::Log(shown.event(ready.seconds))).collect();
        self.drop_labels();
        effects.extend(self.ask_for_labels());
        // What was said of the layout before, or of the device that it was on, is over.
        self.notices.clear(Topic::Projection);
        self.notices.clear(Topic::Device);
        effects.extend(ready.remark.map(|text| self.notify(Topic::Projection, text)).unwrap_or_default());
        effects.extend(self.color_layout(colored));
        effects
    }

    /// Whether every row of the map that is shown has a place on it; a layout of a user's may have rows that have none.
    #[must_use]
    pub fn is_every_row_placed(&self) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown.scene.positions.iter().flatten().all(|value| value.is_finite()))
    }

    /// Shows a line, and logs it.
    pub fn notify(&mut self, topic: Topic, text: String) -> Vec<Effect> {
        self.notices.set(topic, text.clone());
        vec![Effect::Log(Event::Notice { text })]
    }
}

impl Shown {
    /// The layout as the event log has it, `seconds` after it was asked for.
    pub(super) fn event(&self, seconds: f64) -> Event {
        Event::Projection {
            space: self.space.to_string(),
            method: self.method_name.to_owned(),
            dims: self.scene.camera.dimensions.count(),
            rows: self.scene.positions.len(),
            axes: self.scene.axis_names.clone(),
            seconds,
            iterations: self.descent.map(|descent| descent.iteration),
            kl: self.descent.and_then(|descent| descent.divergence),
        }
    }
}
