//! Small parts that several panels use.

use egui::{Align, Layout, RichText, Sense, Ui, Vec2};

use super::theme::color;
use crate::scene::{Srgb, Theme};

/// Between buttons of a row, in UI points.
const GAP: f32 = 4.0;

/// A panel section's caption.
pub fn section(ui: &mut Ui, title: &str) {
    ui.add_space(10.0);
    ui.label(RichText::new(title).small().strong().weak());
}

/// A row of choices, of equal width where their words allow it, one of which is chosen; returns the one that was clicked. What is not `enabled` is greyed.
pub fn segmented<T: Copy + PartialEq>(ui: &mut Ui, label: &str, chosen: T, options: &[(T, &str, bool)]) -> Option<T> {
    let mut clicked = None;
    let (widths, padding) = widths(ui, options.iter().map(|&(_, text, _)| text));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        ui.spacing_mut().button_padding.x = padding;
        for (&(value, text, enabled), width) in options.iter().zip(widths) {
            let button = egui::Button::selectable(value == chosen, text).min_size(Vec2::new(width, 25.0));
            let response = ui.add_enabled(enabled, button).on_disabled_hover_text("Not in this collection");
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::RadioButton, enabled, format!("{label}: {text}")));
            if response.clicked() && value != chosen {
                clicked = Some(value);
            }
        }
    });
    clicked
}

/// Buttons of equal width beside each other, each with its hint; returns the place of the one that was clicked.
pub fn row_of_buttons(ui: &mut Ui, buttons: &[(&str, bool, &str)]) -> Option<usize> {
    let mut clicked = None;
    let (widths, padding) = widths(ui, buttons.iter().map(|&(text, _, _)| text));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        ui.spacing_mut().button_padding.x = padding;
        for ((place, &(text, is_enabled, hint)), width) in buttons.iter().enumerate().zip(widths) {
            let button = egui::Button::new(text).min_size(Vec2::new(width, 25.0));
            if ui.add_enabled(is_enabled, button).on_hover_text(hint).clicked() {
                clicked = Some(place);
            }
        }
    });
    clicked
}

/// Widths of buttons that fill a row, and the room beside their words: equal where the longest word allows it, else each as its word asks.
fn widths<'a>(ui: &Ui, texts: impl Iterator<Item = &'a str>) -> (Vec<f32>, f32) {
    let words: Vec<f32> =
        texts.map(|text| egui::WidgetText::from(text).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Button).size().x).collect();
    let count = words.len().max(1) as f32;
    let room = ui.available_width() - GAP * (count - 1.0);
    let (padding, longest) = (ui.spacing().button_padding.x, words.iter().copied().fold(0.0, f32::max));
    if longest + 2.0 * padding <= room / count {
        return (vec![room / count; words.len()], padding);
    }
    let spare = ((room - words.iter().sum::<f32>()) / count).max(0.0);
    (words.into_iter().map(|word| word + spare).collect(), padding.min(0.5 * spare))
}

/// A name, a bar and a number: an activation or a share, 0..1, of a bar that is full at `full`.
pub fn bar_row(ui: &mut Ui, theme: Theme, name: &str, value: f32, full: f32, number: &str) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 22.0), Sense::hover());
    let painter = ui.painter();
    let font = egui::TextStyle::Body.resolve(ui.style());
    let base = egui::Rect::from_min_max(egui::pos2(rect.left(), rect.bottom() - 4.0), egui::pos2(rect.right(), rect.bottom() - 1.0));
    painter.rect_filled(base, 1.5, color(theme.panel().mix(theme.text(), 0.09)));
    let share = if full > 0.0 { (value / full).clamp(0.0, 1.0) } else { 0.0 };
    let mut filled = base;
    filled.set_width(base.width() * share);
    painter.rect_filled(filled, 1.5, color(theme.accent()));
    painter.text(rect.left_top(), egui::Align2::LEFT_TOP, name, font.clone(), color(theme.text()));
    painter.text(rect.right_top(), egui::Align2::RIGHT_TOP, number, font, color(theme.faint_text()));
}

/// A coloured dot before a heading.
pub fn dot(ui: &mut Ui, dot: Srgb) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 5.0, color(dot));
}

/// Lays out from right to left in a row of its own.
pub fn right_aligned<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.with_layout(Layout::right_to_left(Align::Center), add).inner
}
