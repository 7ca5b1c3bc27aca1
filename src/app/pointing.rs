//! What is under the pointer: found, told, and let sound.

use glam::Vec2;

use super::event_log::Event;
use super::state::{AppState, Effect, Shown};
use crate::catalog::{SegmentId, path_from_text};
use crate::command::Listen;
use crate::matrix::RowSource as _;
use crate::scene::Style;
use crate::scene::color::track_color;
use crate::scene::pick::nearest_on_screen;
use crate::ui::TrackView;

/// How far from a disc's edge the pointer still means it, in UI points.
const POINTING_SLACK: f32 = 4.0;
/// Tags listed of the segment under the pointer.
const LISTED_TAGS: usize = 8;

/// An audition that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Auditioned {
    serial: u64,
    segment: u32,
    track: String,
    start_secs: f64,
}

impl AppState {
    pub(super) fn point(&mut self, at: Option<Vec2>, window_pixels: [f32; 2]) -> Vec<Effect> {
        let map = self.map;
        let Some(shown) = &mut self.shown else { return Vec::new() };
        let scene = &shown.scene;
        let style = Style::for_density(scene.positions.len(), map.width * map.height, scene.view.has_lines());
        let radius = style.point_radius.max(3.0) + POINTING_SLACK;
        let found = at.and_then(|cursor| match &shown.grid {
            Some(grid) => grid.nearest(scene, map, cursor, radius),
            None => nearest_on_screen(scene, map, cursor, radius),
        });
        let segment = found.map(|pick| pick.segment);
        if segment == scene.hovered {
            return Vec::new();
        }
        shown.scene.hovered = segment;
        let Some(segment) = segment else { return vec![Effect::StopAudio] };
        let Some((track, span)) = self.collection.span(shown.space, segment.0 as usize) else { return Vec::new() };
        let [x, y] = window_pixels;
        let hover = Event::Hover { segment: segment.0, track: track.path.clone(), start_s: span.start_secs, x, y };
        let mut effects = vec![Effect::Log(hover)];
        if self.choices.listen == Listen::OnHover {
            let serial = self.next_audition;
            self.next_audition += 1;
            // The newest few are enough: an older one can no longer begin to sound.
            self.auditions.truncate(15);
            self.auditions.insert(0, Auditioned { serial, segment: segment.0, track: track.path.clone(), start_secs: span.start_secs });
            let path = self.audio_root.join(path_from_text(&track.path));
            // The sound first: it must not wait for the log's disk.
            effects.insert(0, Effect::Audition { serial, path, span });
        }
        effects
    }

    /// An audition's first frame was handed over.
    pub fn audition_started(&mut self, serial: u64, latency_ms: f64) -> Vec<Effect> {
        self.playing = Some(serial);
        let asked = self.auditions.iter().find(|asked| asked.serial == serial);
        let event = asked.map(|asked| Event::Audition {
            segment: asked.segment,
            track: asked.track.clone(),
            start_s: asked.start_secs,
            latency_ms: (latency_ms * 1e3).round() / 1e3,
        });
        event.map(Effect::Log).into_iter().collect()
    }

    /// An audition is silent again.
    pub fn audition_finished(&mut self, serial: u64) -> Vec<Effect> {
        if self.playing == Some(serial) {
            self.playing = None;
        }
        let asked = self.auditions.iter().find(|asked| asked.serial == serial);
        asked.map(|asked| Effect::Log(Event::Stop { segment: asked.segment })).into_iter().collect()
    }

    /// What the right panel shows of the segment under the pointer.
    #[must_use]
    pub fn track_view(&self) -> Option<TrackView> {
        let shown = self.shown.as_ref()?;
        let segment = shown.scene.hovered?;
        let (track, span) = self.collection.span(shown.space, segment.0 as usize)?;
        let position = shown.scene.track_position(segment).unwrap_or(0);
        let newest = self.auditions.first().filter(|asked| asked.segment == segment.0);
        Some(TrackView {
            title: track.display_title().to_owned(),
            artist: track.metadata.artist.clone(),
            album: track.metadata.album.clone(),
            genre: track.metadata.genre.clone(),
            path: track.path.clone(),
            start_secs: span.start_secs,
            end_secs: span.start_secs + span.duration_secs,
            duration_secs: track.duration_secs,
            tags: shown.strongest_tags(segment),
            tagger: shown.space.taggrams().map(|key| key.model.name().to_owned()).unwrap_or_default(),
            color: track_color(position, self.choices.theme.is_dark()),
            sounds: newest.is_some_and(|asked| self.playing == Some(asked.serial)),
        })
    }
}

impl Shown {
    fn strongest_tags(&self, segment: SegmentId) -> Vec<(String, f32)> {
        let (Some(taggrams), Some(tags)) = (&self.taggrams, &self.tags) else { return Vec::new() };
        let row = segment.0 as usize;
        if row >= taggrams.rows() {
            return Vec::new();
        }
        let mut activations = vec![0.0; taggrams.dims()];
        taggrams.read_rows(row..row + 1, &mut activations);
        tags.strongest(&activations, LISTED_TAGS).into_iter().map(|(tag, activation)| (tag.to_owned(), activation)).collect()
    }
}
