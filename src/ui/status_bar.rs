//! Bottom: how much is drawn, on what, where the sound goes, and what went wrong last.

use egui::{RichText, Ui};

use super::widgets::right_aligned;

/// What the bar shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusView {
    /// Segments drawn.
    pub drawn: usize,
    /// Segments that there are.
    pub total: usize,
    /// Segments that are chosen; `None`: nothing is.
    pub chosen: Option<usize>,
    /// Segments in view, where they were counted.
    pub in_view: Option<usize>,
    /// Tracks that there are.
    pub tracks: usize,
    /// The GPU.
    pub adapter: String,
    /// The sound device, or that there is none.
    pub output: String,
    /// The newest line that no panel has a place for.
    pub notice: Option<String>,
}

/// Draws the bar.
pub fn status_bar_ui(ui: &mut Ui, view: &StatusView) {
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new(counts(view)).small());
        if let Some(chosen) = view.chosen {
            ui.label(RichText::new(format!("{} chosen", thousands(chosen))).small().strong());
        }
        let about = format!("{}  ·  {}", view.output, view.adapter);
        let about = RichText::new(about).small().weak();
        if let Some(notice) = &view.notice {
            // Each has half of the room where both are long.
            let wanted = egui::WidgetText::from(about.clone()).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Small).size().x;
            let room = ui.available_width() - ui.spacing().item_spacing.x;
            let width = (room - wanted).max(0.5 * room);
            let words = RichText::new(notice).small().color(ui.visuals().warn_fg_color);
            ui.scope(|ui| {
                ui.set_max_width(width);
                ui.add(egui::Label::new(words).truncate()).on_hover_text(notice);
            });
        }
        right_aligned(ui, |ui| ui.add(egui::Label::new(about).truncate()));
    });
}

/// How much is there, how much of it is drawn, and how much of that is in view.
fn counts(view: &StatusView) -> String {
    let (total, tracks) = (counted(view.total, "segment"), counted(view.tracks, "track"));
    let drawn = format!("{} of {total} drawn", thousands(view.drawn));
    match view.in_view.filter(|&count| count < view.total) {
        Some(count) => format!("{drawn}  ·  {} in view  ·  {tracks}", thousands(count)),
        None => format!("{drawn}  ·  {tracks}"),
    }
}

/// A number with a comma between each three digits.
#[must_use]
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 track`, `4,501,763 tracks`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_view_is_told_where_it_is_not_all() {
        let view = StatusView { drawn: 2000, total: 2000, tracks: 7, ..StatusView::default() };
        assert_eq!(counts(&view), "2,000 of 2,000 segments drawn  ·  7 tracks");
        assert_eq!(counts(&StatusView { in_view: Some(2000), ..view.clone() }), counts(&view));
        let near = StatusView { in_view: Some(31), ..view };
        assert_eq!(counts(&near), "2,000 of 2,000 segments drawn  ·  31 in view  ·  7 tracks");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 4_501_763].map(thousands), ["0", "999", "1,000", "4,501,763"]);
        assert_eq!([0, 1, 4500].map(|number| counted(number, "track")), ["0 tracks", "1 track", "4,500 tracks"]);
    }
}
