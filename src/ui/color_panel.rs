//! What rows are coloured by: a list with a search field.

use std::path::Path;

use egui::{ComboBox, RichText, ScrollArea, TextEdit, Ui};

use super::widgets::{row_of_buttons, section};
use crate::command::Command;
use crate::scene::ColorBy;

/// One of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColorOption {
    /// What it is.
    pub by: ColorBy,
    /// Its name.
    pub label: String,
    /// Whether the collection says anything of it.
    pub is_enabled: bool,
}

/// What the section shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorView<'a> {
    /// What is chosen.
    pub by: &'a ColorBy,
    /// What there is.
    pub options: &'a [ColorOption],
    /// Whether colours are being made.
    pub is_busy: bool,
}

/// Draws the section; `search` is what was typed.
pub fn color_panel_ui(ui: &mut Ui, view: &ColorView<'_>, search: &mut String, commands: &mut Vec<Command>) {
    section(ui, "COLOUR");
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("By").weak());
        let combo = ComboBox::from_id_salt("colour").selected_text(view.by.label()).width(ui.available_width()).height(360.0);
        let response = combo.show_ui(ui, |ui| {
            let field = ui.add(TextEdit::singleline(search).hint_text("Search, or a file's path").desired_width(f32::INFINITY));
            if field.gained_focus() {
                search.clear();
            }
            if let Some(by) = list_ui(ui, view, search) {
                commands.push(Command::SetColorBy(by));
                search.clear();
                ui.close();
            }
        });
        response.response.labelled_by(label.id);
    });
    if view.is_busy && row_of_buttons(ui, &[("Stop", true, "Keep the colours that are shown")]).is_some() {
        commands.push(Command::StopColoring);
    }
}

fn list_ui(ui: &mut Ui, view: &ColorView<'_>, search: &str) -> Option<ColorBy> {
    let wanted = search.trim().to_lowercase();
    let mut chosen = None;
    if Path::new(search.trim()).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")) {
        let hint = "A number, a class or three numbers for each segment, as numpy.save writes them";
        if ui.selectable_label(false, format!("Numbers of {}", search.trim())).on_hover_text(hint).clicked() {
            chosen = Some(ColorBy::File(search.trim().into()));
        }
    }
    let found: Vec<&ColorOption> = view.options.iter().filter(|option| option.label.to_lowercase().contains(&wanted)).collect();
    let height = ui.spacing().interact_size.y;
    // Only what is in sight is laid out: a space may have hundreds of dimensions.
    ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show_rows(ui, height, found.len(), |ui, rows| {
        for option in found.get(rows).unwrap_or(&[]) {
            let button = egui::Button::selectable(option.by == *view.by, &option.label).min_size(egui::vec2(ui.available_width(), height));
            if ui.add_enabled(option.is_enabled, button).on_disabled_hover_text("Not in this collection").clicked() {
                chosen = Some(option.by.clone());
            }
        }
    });
    chosen
}
