//! What is under the pointer: found, told, and let sound.

use glam::Vec2;

use super::event_log::Event;
use super::notices::Topic;
use super::state::{AppState, Effect, Shown};
use crate::catalog::{SegmentId, plain_text};
use crate::matrix::RowSource as _;
use crate::scene::pick::scan;
use crate::scene::{Aim, Composition, Style, ViewKind, averages};
use crate::ui::TrackView;

/// How far from a disc's edge the pointer still means it, in UI points.
pub(super) const POINTING_SLACK: f32 = 4.0;
/// How far around the pointer classes are counted, in UI points.
const AROUND: f32 = 12.0;
/// Tags listed of the segment under the pointer.
const LISTED_TAGS: usize = 8;

/// What is picked on the GPU; the rest is on the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpuPicks {
    /// Nothing: nobody is there who could.
    #[default]
    None,
    /// What is known there alone: layouts that kernels write. For adapters that are CPUs.
    WrittenThere,
    /// All but planes that stand still.
    All,
}

/// The newest pick that was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AskedPick {
    number: u64,
    window_pixels: [f32; 2],
    /// Where on the map, and where before that, in UI points.
    at: Option<Vec2>,
    before: Option<Vec2>,
}

/// How the map lies: as long as it is the same, the same place on it means the same segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    layout: (u64, bool, u64),
    clip: ([f32; 16], [f32; 3]),
    view: ViewKind,
    size: [f32; 2],
}

impl AppState {
    /// How the map lies now; `None` before there is one.
    #[must_use]
    pub fn ground(&self) -> Option<Ground> {
        let shown = self.shown.as_ref()?;
        let clip = shown.scene.clip_from_layout(self.map.aspect());
        Some(Ground {
            layout: (shown.serial, shown.is_glance, shown.scene.layout_revision),
            clip: (clip.matrix.to_cols_array(), clip.anchor.to_array()),
            view: shown.scene.view,
            size: [self.map.width, self.map.height],
        })
    }

    /// Finds what is under the pointer, or asks for it.
    pub(super) fn point(&mut self, at: Option<Vec2>, window_pixels: [f32; 2]) -> Vec<Effect> {
        let map = self.map;
        self.asked_pick = AskedPick { number: self.asked_pick.number + 1, window_pixels, at, before: self.asked_pick.at };
        let Some(shown) = &self.shown else { return Vec::new() };
        let scene = &shown.scene;
        // What is on its way is not to be caught.
        let at = at.filter(|_| scene.morph.is_none());
        let style = Style::for_density(scene.positions.len(), map.width * map.height, scene.view.has_lines());
        let radius = style.point_radius.max(3.0) + POINTING_SLACK;
        if scene.view == ViewKind::Averages {
            let track = at.and_then(|cursor| averages::track_under(scene, map, cursor, POINTING_SLACK));
            let segment = track.and_then(|track| averages::nearest_to_mean(scene, track));
            return self.pointed(segment);
        }
        let Some(aim) = at.map(|cursor| Aim::new(scene, map, cursor, radius)) else { return self.pointed(None) };
        let is_on_gpu = match self.gpu_picks {
            GpuPicks::None => false,
            GpuPicks::WrittenThere => shown.columns.is_some(),
            GpuPicks::All => true,
        };
        let found = match &shown.tree {
            Some(tree) => tree.nearest(&aim, &scene.positions),
            None if is_on_gpu => return vec![Effect::Pick { number: self.asked_pick.number, aim }],
            None => scan(&aim, &scene.positions),
        };
        self.pointed(found)
    }

    /// Takes what a pick on the GPU came to. One that was overtaken is dropped.
    pub fn picked(&mut self, number: u64, found: Option<SegmentId>) -> Vec<Effect> {
        if number == self.asked_pick.number { self.pointed(found) } else { Vec::new() }
    }

    /// Other rows are shown: no answer about the former ones counts.
    pub(super) fn forget_pick(&mut self) {
        self.asked_pick.number += 1;
    }

    /// A segment is under the pointer, or none.
    fn pointed(&mut self, segment: Option<SegmentId>) -> Vec<Effect> {
        let Some(shown) = &mut self.shown else { return Vec::new() };
        if segment == shown.scene.hovered {
            return Vec::new();
        }
        shown.scene.hovered = segment;
        let aim = self.asked_pick.at.filter(|_| segment.is_some()).map(|at| Aim::new(&shown.scene, self.map, at, AROUND));
        self.around = aim.and_then(|aim| Composition::around(&shown.scene, &aim, shown.tree.as_ref()));
        // The sound first: it must not wait for the log's disk.
        let mut effects = self.listen_to_pointed(segment);
        let Some((segment, shown)) = segment.zip(self.shown.as_ref()) else { return effects };
        let Some((track, span)) = self.collection.span(shown.space, segment.0 as usize) else { return effects };
        let [x, y] = self.asked_pick.window_pixels;
        effects.push(Effect::Log(Event::Hover { segment: segment.0, track: track.path.clone(), start_s: span.start_secs, x, y }));
        match shown.unreadable_tags(segment) {
            Some(text) if self.notices.about(Topic::Tags) != Some(&text) => effects.extend(self.notify(Topic::Tags, text)),
            Some(_) => {}
            None => self.notices.clear(Topic::Tags),
        }
        let AskedPick { at, before, .. } = self.asked_pick;
        effects.extend(at.and_then(|at| self.foresee(segment, at, before)));
        effects
    }

    /// What the right panel shows of the segment under the pointer.
    #[must_use]
    pub fn track_view(&self) -> Option<TrackView> {
        let shown = self.shown.as_ref()?;
        let segment = shown.scene.hovered?;
        let (track, span) = self.collection.span(shown.space, segment.0 as usize)?;
        Some(TrackView {
            title: plain_text(track.display_title()).into_owned(),
            artist: track.metadata.artist.as_deref().map(|artist| plain_text(artist).into_owned()),
            album: track.metadata.album.as_deref().map(|album| plain_text(album).into_owned()),
            genre: track.metadata.genre.as_deref().map(|genre| plain_text(genre).into_owned()),
            path: plain_text(&track.path).into_owned(),
            start_secs: span.start_secs,
            end_secs: span.start_secs + span.duration_secs,
            duration_secs: track.duration_secs,
            tags: shown.strongest_tags(segment),
            tagger: shown.space.taggrams().map(|key| key.model.name().to_owned()).unwrap_or_default(),
            color: shown.scene.color_of(segment),
            sounds: self.sounds(segment),
        })
    }
}

impl Shown {
    /// What keeps a segment's tags from being read, where something does.
    fn unreadable_tags(&self, segment: SegmentId) -> Option<String> {
        let (taggrams, row) = (self.taggrams.as_ref()?, segment.0 as usize);
        if row >= taggrams.rows() {
            return None;
        }
        let read = taggrams.read_rows(row..row + 1, &mut vec![0.0; taggrams.dims()]);
        read.err().map(|error| plain_text(&error.to_string()).into_owned())
    }

    fn strongest_tags(&self, segment: SegmentId) -> Vec<(String, f32)> {
        let (Some(taggrams), Some(tags)) = (&self.taggrams, &self.tags) else { return Vec::new() };
        let row = segment.0 as usize;
        if row >= taggrams.rows() {
            return Vec::new();
        }
        let mut activations = vec![0.0; taggrams.dims()];
        // That it cannot be read was told when the segment was pointed at.
        if taggrams.read_rows(row..row + 1, &mut activations).is_err() {
            return Vec::new();
        }
        tags.strongest(&activations, LISTED_TAGS).into_iter().map(|(tag, activation)| (tag.to_owned(), activation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::resources::demo_collection;
    use crate::app::state::Choices;
    use crate::command::Command;
    use crate::project::Compute;
    use crate::scene::{Dimensions, MapSize};
    use crate::store::Collection;

    #[test]
    fn an_answer_from_the_gpu_counts_while_nothing_newer_was_asked() {
        let collection = Collection::open(&demo_collection().unwrap()).unwrap();
        let choices = Choices { dimensions: Dimensions::Three, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
        let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
        state.set_map_size(MapSize { width: 800.0, height: 600.0 });
        crate::app::headless::settle(&mut state, effects).unwrap();
        let scene = &state.shown.as_ref().unwrap().scene;
        let at = scene.screen_of(SegmentId(7), MapSize { width: 800.0, height: 600.0 });
        let point = |state: &mut AppState, at| state.update(Command::Point { at, window_pixels: [5.0, 6.0] });
        let on_cpu = point(&mut state, at);
        let hovered = state.shown.as_ref().unwrap().scene.hovered;
        assert!(hovered.is_some() && matches!(on_cpu[..2], [Effect::Audition { .. }, Effect::Log(Event::Hover { .. })]));
        point(&mut state, None);
        state.gpu_picks = GpuPicks::All;
        let ask = |state: &mut AppState| match point(state, at)[..] {
            [Effect::Pick { number, .. }] => number,
            ref other => panic!("{other:?}"),
        };
        let (first, second) = (ask(&mut state), ask(&mut state));
        assert!(state.picked(first, hovered).is_empty());
        let told = state.picked(second, hovered);
        assert!(told.iter().any(|effect| matches!(effect, Effect::Log(Event::Hover { x: 5.0, y: 6.0, .. }))), "{told:?}");
        assert_eq!(state.shown.as_ref().unwrap().scene.hovered, hovered);
        let third = ask(&mut state);
        point(&mut state, None);
        assert!(state.picked(third, hovered).is_empty());
        assert_eq!(state.shown.as_ref().unwrap().scene.hovered, None);
    }
}
