//! Small parts that several panels use.

use egui::{Align, Button, Layout, Response, RichText, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo};

use super::theme::color;
use crate::scene::{Srgb, Theme};

/// Between buttons of a row, in UI points.
const GAP: f32 = 4.0;

/// Work that goes on while the window is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// What is worked on, and how many percent of it are done.
    pub line: String,
    /// How much of it is done, 0 to 1.
    pub share: f32,
}

impl Work {
    /// Of what is worked on and how much of it is done, 0 to 1.
    #[must_use]
    pub fn new(what: String, share: f32) -> Self {
        Self { line: format!("{what} … {:.0} %", share * 100.0), share }
    }
}

/// A bar and a line about work, with a button that ends it; whether it was clicked.
pub fn work_ui(ui: &mut Ui, work: &Work, stop_hint: &str) -> bool {
    ui.add_space(4.0);
    ui.add(egui::ProgressBar::new(work.share).desired_height(4.0).corner_radius(2.0));
    ui.label(RichText::new(&work.line).small());
    row_of_buttons(ui, &[("Stop", true, stop_hint)]).is_some()
}

/// The longest line of trouble, in letters; the rest is seen when it is pointed at.
const LONGEST_TROUBLE: usize = 160;

/// What went wrong with the field above.
pub fn trouble_ui(ui: &mut Ui, text: Option<&str>) {
    let Some(text) = text else { return };
    let shown: String = match text.char_indices().nth(LONGEST_TROUBLE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    };
    let words = RichText::new(shown).small().color(ui.visuals().warn_fg_color);
    ui.add(egui::Label::new(words).wrap()).on_hover_text(text);
}

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

/// A folded list: what is chosen in it, as wide as there is room, with a triangle at its right end.
pub fn list_button(ui: &mut Ui, chosen: &str, is_enabled: bool) -> Response {
    let size = Vec2::new(ui.available_width(), ui.spacing().interact_size.y);
    // An empty text on the right keeps the name on the left.
    let button = Button::new(chosen).right_text(" ").truncate().min_size(size);
    let response = ui.add_enabled(is_enabled, button).on_hover_text(chosen);
    // What is chosen is its value; its name is that of whoever labels it.
    let value = Some(chosen.to_owned());
    response.widget_info(|| WidgetInfo { current_text_value: value.clone(), ..WidgetInfo::labeled(Role::ComboBox, is_enabled, chosen) });
    let middle = response.rect.right_center() - Vec2::new(15.0, 0.0);
    let corners = [(-5.0, -3.5), (5.0, -3.5), (0.0, 3.5)].map(|(x, y)| middle + Vec2::new(x, y));
    let fill = ui.style().interact(&response).fg_stroke.color;
    ui.painter().add(Shape::convex_polygon(corners.to_vec(), fill, Stroke::NONE));
    response
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
