//! The user's hand on an embedding under way: paused, reheated, tuned; and the layouts that it comes to.

use glam::Vec3;

use super::descent_job::{DescentFrame, Steering};
use super::notices::Topic;
use super::state::{AppState, Effect};
use crate::command::{Command, Tuning};
use crate::scene::Bounds;
use crate::ui::descent_panel::DescentView;
use crate::ui::widgets::Work;

/// How much of the way to the newest bounds the picture goes at each layout, where they are wider and where they are narrower: all points are to
/// be seen, and one that leaps must not make all the others jump.
const EASES: [f32; 2] = [0.7, 0.2];

/// How far the embedding on the map is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DescentState {
    /// Steps done.
    pub iteration: usize,
    /// The step after which it is done.
    pub planned: usize,
    /// The divergence in nats, as it was last measured.
    pub divergence: Option<f64>,
    /// What attraction is multiplied by.
    pub exaggeration: Option<f32>,
    /// Whether it stands still: paused, done or given up.
    pub is_settled: bool,
    /// Whether its end was logged since it last moved.
    pub is_told: bool,
    /// Whether it failed or its device was lost: it moves again only from its beginning.
    pub is_over: bool,
}

impl DescentState {
    /// Whether it has done all of its steps and stands still.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_settled && !self.is_over && self.iteration >= self.planned
    }
}

impl AppState {
    /// Carries out a wish about the embedding.
    pub(super) fn steer(&mut self, command: &Command) -> Vec<Effect> {
        let before = self.steering;
        match *command {
            Command::SetPaused(is_paused) => self.steering.is_paused = is_paused,
            Command::Reheat => {
                self.steering.reheats += 1;
                self.steering.is_paused = false;
            }
            Command::Tune(tuning) => {
                self.steering.tuning = within_reach(tuning);
                // What is done moves again, so that the change is seen.
                let is_done = self.shown.as_ref().and_then(|shown| shown.descent).is_some_and(|descent| descent.is_done());
                if is_done && self.steering.tuning != before.tuning {
                    self.steering.reheats += 1;
                    self.steering.is_paused = false;
                }
            }
            _ => {}
        }
        let Some(descent) = self.shown.as_mut().and_then(|shown| shown.descent.as_mut()) else { return Vec::new() };
        if self.steering == before {
            return Vec::new();
        }
        if descent.is_over {
            // Nobody listens; what is wanted holds for the one that is begun instead.
            return if matches!(command, Command::Reheat | Command::Tune(_)) { self.project() } else { Vec::new() };
        }
        if !self.steering.is_paused && (before.is_paused || before.reheats != self.steering.reheats) {
            descent.is_settled = false;
        }
        vec![Effect::Steer(self.steering)]
    }

    /// Gives up what was asked for and has not come.
    pub(super) fn stop_projecting(&mut self) -> Vec<Effect> {
        if !self.awaited {
            return Vec::new();
        }
        self.awaited = false;
        let stale = self.newest_request;
        // Nothing that still comes of it is wanted.
        self.newest_request += 1;
        if let Some(shown) = &mut self.shown {
            (self.choices.space, self.choices.method) = (shown.space, shown.method);
            self.choices.dimensions = shown.scene.camera.dimensions;
            if !shown.method.is_embedding() {
                self.choices.log = shown.scene.scalings.iter().any(|scaling| scaling.is_logarithmic());
            }
            // Its embedding, if it had one, ended when another layout was asked for.
            if let Some(descent) = &mut shown.descent {
                descent.planned = descent.iteration;
                descent.is_settled = true;
            }
        }
        vec![Effect::Cancel(stale)]
    }

    /// Takes an embedding's newest layout; a stale one is dropped.
    pub fn follow(&mut self, frame: DescentFrame) -> Vec<Effect> {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.serial == frame.serial) else { return Vec::new() };
        // One that stood still before it was let go or reheated is about to move.
        let is_overtaken = (frame.obeyed.is_paused, frame.obeyed.reheats) != (self.steering.is_paused, self.steering.reheats);
        let is_settled = frame.is_over || (frame.is_settled && !is_overtaken);
        let scene = &mut shown.scene;
        if !frame.is_over {
            scene.bounds = if is_settled { frame.bounds } else { eased(scene.bounds, frame.bounds) };
        }
        if let Some(positions) = frame.positions {
            scene.positions = positions;
            scene.layout_revision += 1;
        }
        if !frame.is_over {
            shown.tree = frame.tree;
        }
        if self.is_fitted {
            scene.fit(self.map.aspect());
        }
        let was_told = shown.descent.is_some_and(|descent| descent.is_told);
        let is_done = is_settled && !frame.is_over && frame.iteration >= frame.planned;
        shown.descent = Some(DescentState {
            iteration: frame.iteration,
            planned: frame.planned,
            divergence: frame.divergence,
            exaggeration: frame.exaggeration,
            is_settled,
            is_told: is_done,
            is_over: frame.is_over,
        });
        let mut effects = Vec::new();
        if is_done && !was_told {
            effects.push(Effect::Log(shown.event(frame.seconds)));
            effects.extend(self.recolor_settled());
        }
        // Names would stay behind the points that they belong to.
        self.drop_labels();
        effects.extend(self.ask_for_labels());
        if let Some(text) = frame.trouble {
            self.refused_tuning = Some(frame.obeyed.tuning);
            effects.extend(self.notify(Topic::Projection, text));
        } else if self.refused_tuning.is_some_and(|refused| refused != frame.obeyed.tuning) {
            self.refused_tuning = None;
            self.notices.clear(Topic::Projection);
        }
        effects
    }

    /// The parameters for which neighbours are weighed anew, and how much of that is done.
    pub(super) fn calibrating(&self) -> Option<Work> {
        (self.progress < 1.0 && self.is_moving() && !self.is_busy()).then(|| Work::new("Calibrating".to_owned(), self.progress))
    }

    /// Whether what is shown moves by itself.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.shown.as_ref().and_then(|shown| shown.descent).is_some_and(|descent| !descent.is_settled)
    }

    /// What the panel shows of the embedding.
    #[must_use]
    pub fn descent_view(&self) -> Option<DescentView> {
        let shown = self.shown.as_ref()?;
        let descent = shown.descent.filter(|_| !self.is_busy())?;
        Some(DescentView {
            method: shown.method,
            rows: shown.scene.positions.len(),
            iteration: descent.iteration,
            planned: descent.planned,
            divergence: descent.divergence,
            exaggeration: descent.exaggeration,
            is_paused: self.steering.is_paused,
            is_settled: descent.is_settled,
            tuning: self.steering.tuning,
            calibrating: self.calibrating(),
        })
    }

    /// The steering of a new embedding: the parameters stay, the rest begins anew.
    pub(super) fn steer_anew(&mut self) {
        self.steering = Steering { tuning: self.steering.tuning, ..Steering::default() };
    }
}

/// Parameters that every method takes.
fn within_reach(tuning: Tuning) -> Tuning {
    Tuning {
        exaggeration: tuning.exaggeration.map(|factor| factor.clamp(1.0, 100.0)),
        rate: tuning.rate.clamp(0.01, 100.0),
        perplexity: tuning.perplexity.clamp(1.0, 1000.0),
        min_dist: tuning.min_dist.clamp(0.0, 1.0),
    }
}

fn eased(from: Bounds, to: Bounds) -> Bounds {
    let [wider, narrower] = EASES.map(Vec3::splat);
    let low = Vec3::select(to.min.cmplt(from.min), wider, narrower);
    let high = Vec3::select(to.max.cmpgt(from.max), wider, narrower);
    Bounds { min: from.min + (to.min - from.min) * low, max: from.max + (to.max - from.max) * high }
}
