//! Left: when segments sound, how far they go on, how loud and where, and where the music is.

use egui::{Key, RichText, Slider, TextEdit, Ui};

use super::output_list::{OutputsView, output_list_ui};
use super::widgets::{row_of_buttons, section, segmented, trouble_ui};
use crate::command::{Command, Course, Listen};

/// What the panel shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenView<'a> {
    /// When segments sound.
    pub listen: Listen,
    /// How far they go on.
    pub course: Course,
    /// How loud, 0..1.
    pub volume: f32,
    /// Whether it is silent all the same.
    pub is_muted: bool,
    /// Where it sounds.
    pub outputs: OutputsView<'a>,
    /// The folder in which files were missed; `None`: none were.
    pub missing_in: Option<&'a str>,
    /// Whether none of the collection's files is there.
    pub has_none: bool,
    /// Why the folder that was given last is not the one.
    pub trouble: Option<&'a str>,
}

/// What the panel remembers between frames.
#[derive(Clone, Debug, Default)]
pub struct ListenPanelState {
    folder: Option<String>,
    has_open_list: bool,
}

/// Draws the panel.
pub fn listen_panel_ui(ui: &mut Ui, view: &ListenView<'_>, state: &mut ListenPanelState, commands: &mut Vec<Command>) {
    section(ui, "LISTEN");
    let times = [(Listen::OnHover, "On hover", true), (Listen::OnClick, "On click", true), (Listen::Off, "Off", true)];
    commands.extend(segmented(ui, "Listen", view.listen, &times).map(Command::SetListen));
    let courses = [(Course::Segment, "Segment", true), (Course::Onward, "Go on", true), (Course::Loop, "Loop", true)];
    commands.extend(segmented(ui, "Play", view.course, &courses).map(Command::SetCourse));
    ui.horizontal(|ui| {
        let label = ui.label("Volume");
        let mute = egui::Button::selectable(view.is_muted, "Mute");
        let muted_width = 52.0;
        ui.spacing_mut().slider_width = (ui.available_width() - muted_width - 16.0).max(20.0);
        let mut volume = view.volume;
        let slider = Slider::new(&mut volume, 0.0..=1.0).show_value(false);
        if ui.add(slider).labelled_by(label.id).changed() {
            commands.push(Command::SetVolume(volume));
        }
        if ui.add(mute.min_size(egui::vec2(muted_width, 25.0))).on_hover_text("Q").clicked() {
            commands.push(Command::SetMuted(!view.is_muted));
        }
    });
    output_list_ui(ui, &view.outputs, &mut state.has_open_list, commands);
    if let Some(root) = view.missing_in {
        folder_ui(ui, root, view.has_none, state, commands);
        trouble_ui(ui, view.trouble);
    }
}

/// Where the music is now.
fn folder_ui(ui: &mut Ui, root: &str, has_none: bool, state: &mut ListenPanelState, commands: &mut Vec<Command>) {
    let text = if has_none { "No sound: none of the audio files is here. The music is in" } else { "Files are missing. The music is in" };
    ui.label(RichText::new(text).small().color(ui.visuals().warn_fg_color));
    let folder = state.folder.get_or_insert_with(|| root.to_owned());
    let field = ui.add(TextEdit::singleline(folder).hint_text("Folder").desired_width(f32::INFINITY));
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let buttons = [("Use this folder", true, "The folder that the collection's paths begin in; it is kept for the next time")];
    if row_of_buttons(ui, &buttons).is_some() || is_entered {
        commands.push(Command::SetAudioRoot(folder.clone()));
    }
}
