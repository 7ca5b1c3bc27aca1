//! Right: the track under the pointer, its time, and its strongest tags.

use egui::{RichText, Ui};

use super::reading_order::as_seen;
use super::widgets::{bar_row, dot, section};
use crate::scene::{Srgb, Theme};

/// What is known of the segment under the pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackView {
    /// Title, or the file's name.
    pub title: String,
    /// Artist, where known.
    pub artist: Option<String>,
    /// Album, where known.
    pub album: Option<String>,
    /// Genre, where known.
    pub genre: Option<String>,
    /// Path in the collection.
    pub path: String,
    /// Start of the segment in seconds.
    pub start_secs: f64,
    /// End of the segment in seconds.
    pub end_secs: f64,
    /// Length of the track in seconds.
    pub duration_secs: f64,
    /// Its strongest tags with their activations, strongest first; empty where the network has no tags.
    pub tags: Vec<(String, f32)>,
    /// Which network the tags are from.
    pub tagger: String,
    /// The track's colour on the map.
    pub color: Srgb,
    /// Whether it sounds now.
    pub sounds: bool,
}

/// Draws the panel; without a segment, how to get one.
pub fn track_panel_ui(ui: &mut Ui, theme: Theme, view: Option<&TrackView>) {
    ui.add_space(8.0);
    let Some(view) = view else {
        ui.label(RichText::new("Point at a segment to hear it.").weak());
        ui.add_space(6.0);
        ui.label(
            RichText::new("Drag to move, scroll to zoom, double-click to see all. In 3-D, drag turns and right drag moves.").small().weak(),
        );
        return;
    };
    ui.horizontal_wrapped(|ui| {
        dot(ui, view.color);
        ui.label(RichText::new(as_seen(&view.title)).size(17.0).strong());
    });
    for line in [&view.artist, &view.album, &view.genre].into_iter().flatten() {
        ui.label(as_seen(line).into_owned());
    }
    ui.label(RichText::new(as_seen(&view.path)).small().weak());
    ui.add_space(6.0);
    let state = if view.sounds { "  ▶" } else { "" };
    ui.label(RichText::new(format!("{} – {}{state}", time(view.start_secs), time(view.end_secs))).monospace());
    time_bar(ui, theme, view);
    if !view.tags.is_empty() {
        section(ui, "STRONGEST TAGS");
        for (name, activation) in &view.tags {
            bar_row(ui, theme, name, *activation, 1.0, &format!("{activation:.2}"));
        }
        ui.label(RichText::new(&view.tagger).small().weak());
    }
}

/// Where in its track the segment lies.
fn time_bar(ui: &mut Ui, theme: Theme, view: &TrackView) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 8.0), egui::Sense::hover());
    let color = super::theme::color;
    ui.painter().rect_filled(rect, 2.0, color(theme.panel().mix(theme.text(), 0.09)));
    if view.duration_secs > 0.0 {
        let at = |secs: f64| rect.left() + rect.width() * (secs / view.duration_secs).clamp(0.0, 1.0) as f32;
        let part = egui::Rect::from_min_max(egui::pos2(at(view.start_secs), rect.top()), egui::pos2(at(view.end_secs), rect.bottom()));
        ui.painter().rect_filled(part, 2.0, color(view.color));
    }
}

/// Minutes, seconds and tenths.
#[must_use]
pub fn time(secs: f64) -> String {
    let tenths = (secs * 10.0).round().max(0.0) as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_on_a_player() {
        assert_eq!(
            (time(0.0), time(2.992), time(59.96), time(754.21)),
            ("0:00.0".into(), "0:03.0".into(), "1:00.0".into(), "12:34.2".into())
        );
    }
}
