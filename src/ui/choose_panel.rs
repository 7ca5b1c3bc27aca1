//! Left, below the view: what dragging on the map chooses, choosing by a text, and what is chosen.

use egui::{Key, RichText, TextEdit, Ui};

use super::lasso::combination;
use super::status_bar::thousands;
use super::widgets::{row_of_buttons, section, segmented, trouble_ui};
use crate::command::{Command, Tool};
use crate::scene::Combine;

/// What the panel shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChooseView<'a> {
    /// What dragging on the map does.
    pub tool: Tool,
    /// Segments that are chosen; `None`: nothing is.
    pub chosen: Option<usize>,
    /// Segments that there are.
    pub total: usize,
    /// Whether a text is still being looked for.
    pub is_searching: bool,
    /// Why the last text chose nothing.
    pub trouble: Option<&'a str>,
}

/// What the panel remembers between frames.
#[derive(Clone, Debug, Default)]
pub struct ChoosePanelState {
    text: String,
}

/// Draws the panel. `how` is what becomes of what was chosen before, for lasso, rectangle and text.
pub fn choose_panel_ui(ui: &mut Ui, view: &ChooseView<'_>, state: &mut ChoosePanelState, how: &mut Combine, commands: &mut Vec<Command>) {
    section(ui, "CHOOSE");
    let tools = [(Tool::Move, "Move", true), (Tool::Lasso, "Lasso", true), (Tool::Rectangle, "Rectangle", true)];
    commands.extend(segmented(ui, "Drag to", view.tool, &tools).map(Command::SetTool));
    let combinations = [(Combine::Replace, "New", true), (Combine::Add, "Add", true), (Combine::Subtract, "Subtract", true)];
    if let Some(other) = segmented(ui, "Combine", *how, &combinations) {
        *how = other;
    }
    let hint = "Artist, title … or tag:rock>0.5";
    let field = ui.add(TextEdit::singleline(&mut state.text).hint_text(hint).desired_width(f32::INFINITY));
    let field = field.on_hover_text(
        "Enter chooses the tracks whose artist, album, genre, title or path contains the text, or the segments of which the tagger says so",
    );
    let is_asked = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if is_asked && !state.text.trim().is_empty() {
        let how = combination(ui).unwrap_or(*how);
        commands.push(Command::ChooseText { text: state.text.clone(), how });
    }
    trouble_ui(ui, view.trouble.filter(|_| !view.is_searching));
    let words = match view.chosen {
        _ if view.is_searching => "Looking …".to_owned(),
        Some(count) => format!("{} of {} chosen", thousands(count), thousands(view.total)),
        None => "Nothing is chosen".to_owned(),
    };
    ui.label(RichText::new(words).small().weak());
    let buttons = [("Invert", true, "Choose what is not chosen (I)"), ("Clear", view.chosen.is_some(), "Choose nothing (Esc)")];
    match row_of_buttons(ui, &buttons) {
        Some(0) => commands.push(Command::InvertChosen),
        Some(_) => commands.push(Command::ClearChosen),
        None => {}
    }
}
