//! Names on the map: wished for, asked for when a layout stands still, and shown.

use super::label_job::{LabelOutcome, LabelRequest};
use super::notices::Topic;
use super::state::{AppState, Effect};
use crate::catalog::{Layer, SpaceKey};
use crate::command::MethodKind;
use crate::scene::LabelKind;
use crate::store::Collection;

impl AppState {
    /// Names other things, or nothing.
    pub(super) fn set_labels(&mut self, kind: LabelKind) -> Vec<Effect> {
        if kind == self.choices.labels {
            return Vec::new();
        }
        self.choices.labels = kind;
        self.drop_labels();
        self.ask_for_labels()
    }

    /// Takes names off the map, and wants none of those that are still sought.
    pub(super) fn drop_labels(&mut self) {
        self.newest_labels += 1;
        self.awaits_labels = false;
        if let Some(shown) = &mut self.shown {
            shown.scene.labels = [].into();
        }
    }

    /// Asks for the names of what is shown; those of a layout that moves are asked for when it stands still.
    pub(super) fn ask_for_labels(&mut self) -> Vec<Effect> {
        let kind = self.choices.labels;
        if kind == LabelKind::None || self.is_moving() {
            return Vec::new();
        }
        let Some(shown) = &self.shown else { return Vec::new() };
        self.newest_labels += 1;
        self.awaits_labels = true;
        vec![Effect::Label(Box::new(LabelRequest {
            serial: self.newest_labels,
            collection: self.collection.clone(),
            space: shown.space,
            kind,
            positions: shown.scene.positions.clone(),
            dimensions: shown.scene.camera.dimensions,
            track_rows: shown.scene.track_rows.clone(),
        }))]
    }

    /// Takes what a search for names came to; what is stale is dropped.
    pub fn finish_labels(&mut self, (serial, outcome): LabelOutcome) -> Vec<Effect> {
        if serial != self.newest_labels || !self.awaits_labels {
            return Vec::new();
        }
        self.awaits_labels = false;
        match (outcome, &mut self.shown) {
            (Ok(labels), Some(shown)) => {
                shown.scene.labels = labels.into();
                self.notices.clear(Topic::Labels);
            }
            (Ok(_), None) => {}
            (Err(error), _) => return self.notify(Topic::Labels, error.to_string()),
        }
        Vec::new()
    }

    /// Whether names are being sought.
    #[must_use]
    pub fn awaits_labels(&self) -> bool {
        self.awaits_labels
    }

    /// What can be named of the space that is shown, and what else.
    #[must_use]
    pub fn label_kinds(&self) -> [(LabelKind, bool); 4] {
        LabelKind::ALL.map(|kind| {
            let is_there = match kind {
                LabelKind::None | LabelKind::Tracks => true,
                LabelKind::Tags => self.shown.as_ref().is_some_and(|shown| shown.taggrams.is_some() && shown.tags.is_some()),
                LabelKind::Artists => self.has_artists,
            };
            (kind, is_there)
        })
    }
}

/// What explains a map best: tags, but where they are its axes or there are none, artists; and tracks where fewer than two artists are known.
#[must_use]
pub fn automatic_labels(collection: &Collection, space: SpaceKey, method: MethodKind) -> LabelKind {
    let has_tags = space.taggrams().is_some_and(|key| collection.spaces().iter().any(|there| there.key == key));
    let is_of_tags = method == MethodKind::Original && space.layer == Layer::Taggrams;
    if has_tags && !is_of_tags {
        return LabelKind::Tags;
    }
    let mut artists = collection.tracks().iter().filter_map(|track| track.metadata.artist.as_deref());
    let first = artists.next();
    if first.is_some() && artists.any(|artist| Some(artist) != first) { LabelKind::Artists } else { LabelKind::Tracks }
}
