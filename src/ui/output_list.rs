//! The list of sound outputs: the system's default, and every device by its name.

use egui::{Popup, RichText, ScrollArea, TextWrapMode, Ui};

use super::widgets::list_button;
use crate::command::Command;

/// What the list shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputsView<'a> {
    /// The device that is wanted; `None`: the system's default.
    pub chosen: Option<&'a str>,
    /// Each device's id, and its name.
    pub devices: Vec<(&'a str, &'a str)>,
    /// Whether the system is being asked what devices there are.
    pub is_listing: bool,
    /// Whether there is an output that can be exchanged.
    pub is_open: bool,
    /// Whether the wanted output is not there.
    pub is_missing: bool,
    /// Where the sound goes then; `None`: there is none.
    pub instead: Option<&'a str>,
}

const DEFAULT: &str = "System default";
/// The list's width in UI points, and how many rows it has room for whatever there is, so that it stays where it unfolds.
const LIST_WIDTH: f32 = 300.0;
const LEAST_ROWS: f32 = 5.0;

impl OutputsView<'_> {
    fn name(&self) -> &str {
        let Some(chosen) = self.chosen else { return DEFAULT };
        self.devices.iter().find(|(id, _)| *id == chosen).map_or(chosen, |(_, name)| name)
    }
}

/// Draws it; `was_open` is whether it was unfolded in the frame before. Unfolded, it asks what devices there are.
pub fn output_list_ui(ui: &mut Ui, view: &OutputsView<'_>, was_open: &mut bool, commands: &mut Vec<Command>) {
    let is_open = ui.horizontal(|ui| {
        let label = ui.label("Output");
        let field = list_button(ui, view.name(), view.is_open).labelled_by(label.id);
        // egui's own list box goes by the height that it has at first, before it is known what there is.
        let unfolded = Popup::menu(&field).show(|ui| {
            ui.set_width(LIST_WIDTH);
            ui.set_min_height(LEAST_ROWS * (ui.spacing().interact_size.y + ui.spacing().item_spacing.y));
            ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| entries_ui(ui, view, commands));
        });
        unfolded.is_some()
    });
    let is_open = is_open.inner;
    if is_open && !*was_open {
        commands.push(Command::ListOutputs);
    }
    *was_open = is_open;
    // That there is no device at all is said in the status bar; a line here would move what is below.
    if view.is_missing && view.chosen.is_some() {
        let text = view.instead.map_or("Not available. No sound".to_owned(), |instead| format!("Not available. Sound goes to {instead}"));
        ui.label(RichText::new(text).small().color(ui.visuals().warn_fg_color));
    }
}

fn entries_ui(ui: &mut Ui, view: &OutputsView<'_>, commands: &mut Vec<Command>) {
    let mut wish = None;
    if ui.selectable_label(view.chosen.is_none(), DEFAULT).clicked() {
        wish = Some(None);
    }
    for &(id, name) in &view.devices {
        if ui.selectable_label(view.chosen == Some(id), name).on_hover_text(id).clicked() {
            wish = Some(Some(id.to_owned()));
        }
    }
    if view.is_listing {
        ui.label(RichText::new("Looking for devices …").small().weak());
    } else if view.devices.is_empty() {
        ui.label(RichText::new("No other device").small().weak());
    }
    if let Some(id) = wish {
        commands.push(Command::SetOutput(id));
        ui.close();
    }
}
