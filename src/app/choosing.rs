//! Which segments are chosen: by a region of the map, by a text, by turning the choice round.

use std::sync::Arc;

use super::event_log::Event;
use super::notices::Topic;
use super::search::{SearchOutcome, SearchRequest};
use super::state::{AppState, Effect};
use crate::catalog::TrackRows;
use crate::command::{Command, Tool};
use crate::scene::{ChosenRows, Combine, Region};

/// What the state remembers of choosing, beside the chosen rows, which are the scene's.
#[derive(Debug, Default)]
pub(super) struct Choosing {
    tool: Tool,
    wanted: Option<WantedRegion>,
    newest_search: u64,
    is_searching: bool,
}

/// A region whose rows are to be found. The one who draws does it, since the newest positions may be on the GPU alone.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedRegion {
    /// The region.
    pub region: Region,
    /// The layout that it was drawn on.
    pub layout: u64,
    tool: Tool,
    how: Combine,
}

impl AppState {
    /// Carries out a wish about what is chosen.
    pub(super) fn choose(&mut self, command: Command) -> Vec<Effect> {
        let map = self.map;
        let Some(shown) = &self.shown else { return Vec::new() };
        let rows = shown.scene.positions.len();
        match command {
            Command::SetTool(tool) => self.choosing.tool = tool,
            Command::ChooseInside { outline, tool, how } => {
                self.choosing.wanted = Some(WantedRegion { region: Region::inside(&outline, map), layout: shown.serial, tool, how });
            }
            Command::ChooseText { text, how } => {
                self.choosing.newest_search += 1;
                self.choosing.is_searching = true;
                return vec![Effect::Search(Box::new(SearchRequest {
                    serial: self.choosing.newest_search,
                    collection: self.collection.clone(),
                    space: shown.space,
                    track_rows: shown.scene.track_rows.clone(),
                    rows,
                    text,
                    how,
                }))];
            }
            Command::InvertChosen => {
                let inverted = ChosenRows::inverted(shown.scene.chosen.as_deref(), rows);
                return self.choose_rows(inverted, Combine::Replace, "invert");
            }
            Command::ClearChosen => {
                // What is still sought is not wanted either.
                self.choosing.wanted = None;
                self.notices.clear(Topic::Choice);
                self.stop_searching();
                if self.chosen_count().is_some() {
                    return self.choose_rows(ChosenRows::from_words(Vec::new(), rows), Combine::Replace, "clear");
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// The region whose rows are to be found, once.
    pub fn take_region(&mut self) -> Option<WantedRegion> {
        self.choosing.wanted.take()
    }

    /// Takes the rows of a region; those of another layout are dropped.
    pub fn finish_region(&mut self, wanted: &WantedRegion, rows: ChosenRows) -> Vec<Effect> {
        if self.shown.as_ref().is_none_or(|shown| shown.serial != wanted.layout) {
            return Vec::new();
        }
        self.choose_rows(rows, wanted.how, wanted.tool.name())
    }

    /// Takes what a search came to; what is stale is dropped.
    pub fn finish_search(&mut self, outcome: SearchOutcome) -> Vec<Effect> {
        if outcome.serial != self.choosing.newest_search || !self.choosing.is_searching {
            return Vec::new();
        }
        self.choosing.is_searching = false;
        match outcome.found {
            Ok(rows) => {
                self.notices.clear(Topic::Choice);
                self.choose_rows(rows, outcome.how, "text")
            }
            Err(why) => self.notify(Topic::Choice, why),
        }
    }

    pub(super) fn choose_rows(&mut self, rows: ChosenRows, how: Combine, tool: &'static str) -> Vec<Effect> {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.scene.positions.len() == rows.rows()) else { return Vec::new() };
        let chosen = rows.after(shown.scene.chosen.as_deref(), how).map(Arc::new);
        let count = chosen.as_ref().map_or(0, |chosen| chosen.count());
        shown.scene.choose(chosen);
        vec![Effect::Log(Event::Select { count, tool })]
    }

    /// What stays chosen when another layout is shown: everything, where it has the same rows of the same tracks.
    pub(super) fn kept_chosen(&mut self, track_rows: &[TrackRows]) -> Option<Arc<ChosenRows>> {
        let is_same = self.shown.as_ref().is_some_and(|shown| *shown.scene.track_rows == *track_rows);
        if !is_same {
            self.stop_searching();
        }
        self.shown.as_ref().filter(|_| is_same).and_then(|shown| shown.scene.chosen.clone())
    }

    fn stop_searching(&mut self) {
        self.choosing.is_searching = false;
    }

    /// What dragging on the map does.
    #[must_use]
    pub fn tool(&self) -> Tool {
        self.choosing.tool
    }

    /// Whether a text is still being looked for.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.choosing.is_searching
    }

    /// How many segments are chosen; `None`: nothing is.
    #[must_use]
    pub fn chosen_count(&self) -> Option<usize> {
        self.shown.as_ref()?.scene.chosen.as_ref().map(|chosen| chosen.count())
    }
}
