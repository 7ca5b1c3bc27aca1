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
    /// Tracks that there are.
    pub tracks: usize,
    /// The GPU.
    pub adapter: String,
    /// The sound device, or that there is none.
    pub output: String,
    /// What is being worked on.
    pub busy: Option<String>,
    /// The newest notice.
    pub notice: Option<String>,
}

/// Draws the bar.
pub fn status_bar_ui(ui: &mut Ui, view: &StatusView) {
    ui.horizontal_centered(|ui| {
        let (total, tracks) = (counted(view.total, "segment"), counted(view.tracks, "track"));
        let counts = format!("{} of {total} drawn  ·  {tracks}", thousands(view.drawn));
        ui.label(RichText::new(counts).small());
        if let Some(chosen) = view.chosen {
            ui.label(RichText::new(format!("{} chosen", thousands(chosen))).small().strong());
        }
        if let Some(busy) = &view.busy {
            ui.label(RichText::new(busy).small().strong());
        }
        if let Some(notice) = &view.notice {
            ui.label(RichText::new(notice).small().color(ui.visuals().warn_fg_color)).on_hover_text(notice);
        }
        right_aligned(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(format!("{}  ·  {}", view.output, view.adapter)).small().weak()).truncate());
        });
    });
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
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 4_501_763].map(thousands), ["0", "999", "1,000", "4,501,763"]);
        assert_eq!([0, 1, 4500].map(|number| counted(number, "track")), ["0 tracks", "1 track", "4,500 tracks"]);
    }
}
