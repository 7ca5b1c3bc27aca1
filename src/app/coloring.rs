//! What rows are coloured by, as the user wishes: chosen, made, put on the map.

use std::sync::Arc;

use super::coloring_job::{ColoringRequest, check, of_tracks, says};
use super::error::AppError;
use super::notices::Topic;
use super::state::{AppState, Effect, Shown};
use crate::catalog::SpaceKey;
use crate::scene::coloring::Values;
use crate::scene::{ChosenRows, ColorBy, Coloring, Combine};
use crate::ui::color_panel::{ColorOption, ColorView};
use crate::ui::widgets::Work;

/// What came of a request: its number, and the coloring or what went wrong.
pub type ColoringOutcome = (u64, Result<Coloring, AppError>);

/// Where the making of colours stands.
#[derive(Clone, Debug)]
pub struct ColoringState {
    /// What there is to colour by.
    pub options: Arc<[ColorOption]>,
    /// How much of the colours under way is done, 0 to 1.
    pub progress: f32,
    /// What the colours on the map are by.
    shown: ColorBy,
    /// Whether they stand in for what is chosen, of which the space that is shown has nothing.
    is_instead: bool,
    /// What was chosen before the colours that the user asked for and that are being made.
    before: Option<ColorBy>,
    newest: u64,
    awaited: bool,
}

impl Default for ColoringState {
    fn default() -> Self {
        Self { options: Arc::new([]), progress: 0.0, shown: ColorBy::Track, is_instead: false, before: None, newest: 0, awaited: false }
    }
}

impl AppState {
    /// Whether colours are being made.
    #[must_use]
    pub fn is_coloring(&self) -> bool {
        self.coloring.awaited
    }

    pub(super) fn coloring_work(&self) -> Option<Work> {
        let work = || Work::new(format!("Colouring by {}", self.choices.color_by), self.coloring.progress);
        self.coloring.awaited.then(work)
    }

    /// What the panel shows of it.
    #[must_use]
    pub fn color_view(&self) -> ColorView<'_> {
        ColorView {
            by: &self.choices.color_by,
            options: &self.coloring.options,
            work: self.coloring_work(),
            instead: self.coloring.is_instead.then_some(&self.coloring.shown),
            trouble: self.notices.about(Topic::Colours),
        }
    }

    /// Colours by something else. What the space that is shown has nothing of is told, and changes nothing.
    pub(super) fn set_color_by(&mut self, by: ColorBy) -> Vec<Effect> {
        if by == self.choices.color_by && (self.coloring.awaited || by == self.coloring.shown) {
            return Vec::new();
        }
        let space = self.shown.as_ref().map_or(self.choices.space, |shown| shown.space);
        if let Err(error) = self.check_colors(space, &by) {
            return self.notify(Topic::Colours, error.to_string());
        }
        let before = std::mem::replace(&mut self.choices.color_by, by);
        let before = self.coloring.before.take().unwrap_or(before);
        let effects = self.color();
        self.coloring.before = self.coloring.awaited.then_some(before);
        effects
    }

    /// Colours a layout that has just come; `before`: the space and the coloring of the one that was there.
    pub(super) fn color_layout(&mut self, before: Option<(SpaceKey, Arc<Coloring>)>) -> Vec<Effect> {
        let Some(shown) = &self.shown else { return Vec::new() };
        self.coloring.options = options(shown, &self.collection, self.space_keys()).into();
        let Some(shown) = &mut self.shown else { return Vec::new() };
        let by = &self.choices.color_by;
        match before {
            // Rows have the colours that they had: another projection of them changes nothing.
            Some((space, coloring)) if space == shown.space && self.coloring.shown == *by && !by.follows_layout() => {
                shown.scene.color_by(coloring);
                self.forget_coloring()
            }
            _ => {
                if !by.is_of_tracks() {
                    // Calm until the colours are there.
                    shown.scene.color_by(Arc::new(Coloring::none()));
                    self.coloring.shown = ColorBy::None;
                }
                self.color()
            }
        }
    }

    /// An embedding has come to rest: what follows its layout follows now.
    pub(super) fn recolor_settled(&mut self) -> Vec<Effect> {
        if self.choices.color_by.follows_layout() { self.color() } else { Vec::new() }
    }

    fn color(&mut self) -> Vec<Effect> {
        let mut effects = self.forget_coloring();
        let by = self.choices.color_by.clone();
        let space = self.shown.as_ref().map(|shown| shown.space);
        if space.is_some_and(|space| self.check_colors(space, &by).is_err()) {
            self.color_instead();
            return effects;
        }
        let Some(shown) = &mut self.shown else { return effects };
        if by.is_of_tracks() {
            shown.scene.color_by(Arc::new(of_tracks(&by, &self.collection, &shown.scene.track_rows)));
            self.colors_are_shown(by);
            return effects;
        }
        self.coloring.newest += 1;
        self.coloring.awaited = true;
        self.coloring.progress = 0.0;
        effects.push(Effect::Color(Box::new(ColoringRequest {
            serial: self.coloring.newest,
            collection: self.collection.clone(),
            space: shown.space,
            by,
            positions: shown.scene.positions.clone(),
            dimensions: shown.scene.camera.dimensions,
            compute: self.compute.clone(),
        })));
        effects
    }

    /// Whether a space has what rows are to be coloured by. What tracks say is of no space: rows of tracks that say nothing are grey.
    fn check_colors(&self, space: SpaceKey, by: &ColorBy) -> Result<(), AppError> {
        if by.is_of_tracks() { Ok(()) } else { check(&self.collection, space, by) }
    }

    /// Colours by what there always is, as long as the space that is shown has nothing of what is chosen. That stays chosen, for the next space.
    fn color_instead(&mut self) {
        let by = if says(&self.collection, &ColorBy::Genre) { ColorBy::Genre } else { ColorBy::Track };
        if let Some(shown) = &mut self.shown {
            shown.scene.color_by(Arc::new(of_tracks(&by, &self.collection, &shown.scene.track_rows)));
        }
        self.coloring.shown = by;
        self.coloring.is_instead = true;
    }

    /// The colours that are chosen are on the map.
    fn colors_are_shown(&mut self, by: ColorBy) {
        self.coloring.shown = by;
        self.coloring.is_instead = false;
        self.coloring.before = None;
        self.notices.clear(Topic::Colours);
    }

    /// What is being made is no longer wanted.
    fn forget_coloring(&mut self) -> Vec<Effect> {
        self.coloring.newest += 1;
        if std::mem::take(&mut self.coloring.awaited) { vec![Effect::CancelColoring] } else { Vec::new() }
    }

    /// Gives up the colours that are being made; those that are shown stay.
    pub(super) fn stop_coloring(&mut self) -> Vec<Effect> {
        if self.coloring.awaited {
            self.choices.color_by = self.coloring.before.take().unwrap_or_else(|| self.coloring.shown.clone());
        }
        self.forget_coloring()
    }

    /// Takes finished colours; what is stale is dropped.
    pub fn finish_coloring(&mut self, (serial, outcome): ColoringOutcome) -> Vec<Effect> {
        if serial != self.coloring.newest || !self.coloring.awaited {
            return Vec::new();
        }
        self.coloring.awaited = false;
        match outcome {
            Ok(coloring) => {
                if let Some(shown) = &mut self.shown {
                    shown.scene.color_by(Arc::new(coloring));
                }
                self.colors_are_shown(self.choices.color_by.clone());
                Vec::new()
            }
            Err(error) => {
                let mut effects = self.notify(Topic::Colours, error.to_string());
                match self.coloring.before.take() {
                    // What the user asked for just now: what was there before stays.
                    Some(before) => {
                        self.choices.color_by = before;
                        // Unless another layout came in between, and its colours are still to be made.
                        if self.coloring.shown != self.choices.color_by && !self.coloring.is_instead {
                            effects.extend(self.color());
                        }
                    }
                    // What was there before does not fit what is shown now.
                    None => self.color_instead(),
                }
                effects
            }
        }
    }

    /// Chooses the rows of a class, or, once more, all rows again.
    pub(super) fn choose_class(&mut self, class: u32, how: Combine) -> Vec<Effect> {
        let Some(shown) = &self.shown else { return Vec::new() };
        let scene = &shown.scene;
        let rows = scene.positions.len();
        let is_again = how == Combine::Replace && scene.chosen_class == Some(class);
        let chosen = match &scene.coloring.values {
            Values::Classes(classes) if !is_again && (class as usize) < classes.classes.len() => {
                classes.rows_of(class, &scene.track_rows, rows)
            }
            Values::Classes(_) if is_again => ChosenRows::from_words(Vec::new(), rows),
            _ => return Vec::new(),
        };
        let effects = self.choose_rows(chosen, how, "legend");
        if let Some(shown) = &mut self.shown {
            shown.scene.chosen_class = (how == Combine::Replace && !is_again).then_some(class);
        }
        effects
    }
}

/// What a layout can be coloured by: what is in every collection, what this one's tracks say, other maps, tags, dimensions.
fn options(shown: &Shown, collection: &crate::store::Collection, spaces: &[SpaceKey]) -> Vec<ColorOption> {
    let of_tracks = [
        ColorBy::None,
        ColorBy::Track,
        ColorBy::Artist,
        ColorBy::Album,
        ColorBy::Genre,
        ColorBy::Year,
        ColorBy::Duration,
        ColorBy::Density,
        ColorBy::Projection(None),
    ];
    let rows = shown.scene.positions.len();
    let has_as_many_rows = |key: &&SpaceKey| **key != shown.space && collection.space(**key).is_ok_and(|space| space.segments == rows);
    let others = spaces.iter().filter(has_as_many_rows).map(|&key| ColorBy::Projection(Some(key)));
    let tags = shown.tags.iter().flat_map(|tags| tags.names()).map(|name| ColorBy::Tag(name.clone()));
    // The dimensions of a tag space are its tags.
    let dims = if shown.space.taggrams() == Some(shown.space) { 0 } else { shown.space.dims() };
    let columns = (0..dims).map(ColorBy::Dim);
    let all = of_tracks.into_iter().chain(others).chain(tags).chain(columns);
    all.map(|by| ColorOption { label: by.label(), is_enabled: says(collection, &by), by }).collect()
}
