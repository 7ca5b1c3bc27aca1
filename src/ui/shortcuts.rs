//! The window's keys: what each stands for, and when it does.

use egui::{Event, Key, Popup, Ui};

use crate::command::{Command, Tool};

/// Who had the keyboard when the last pass was over.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyboardState {
    is_taken: bool,
}

impl KeyboardState {
    /// Remembers, at the end of a pass, whether a widget or an open list has the keyboard.
    pub fn remember(&mut self, ui: &Ui) {
        self.is_taken = ui.ctx().egui_wants_keyboard_input() || Popup::is_any_open(ui.ctx());
    }
}

/// What some keys turn round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toggles {
    /// Whether it is muted.
    pub is_muted: bool,
    /// Whether the figures are shown.
    pub shows_figures: bool,
}

/// The wishes of the keys that were pressed, in order; none of those that were pressed while something had the keyboard.
///
/// What has it now does not count: Escape takes the focus from a field before any widget sees the key, and is the field's all the same.
#[must_use]
pub fn shortcuts(ui: &Ui, keyboard: KeyboardState, toggles: Toggles) -> Vec<Command> {
    if keyboard.is_taken {
        return Vec::new();
    }
    let wish = |event: &Event| match event {
        Event::Key { key, pressed: true, repeat, modifiers, .. } if !modifiers.command && !modifiers.ctrl && !modifiers.alt => {
            wish_of(*key, toggles).filter(|command| !repeat || matches!(command, Command::StepSegment(_)))
        }
        _ => None,
    };
    ui.input(|input| input.events.iter().filter_map(wish).collect())
}

fn wish_of(key: Key, toggles: Toggles) -> Option<Command> {
    Some(match key {
        Key::V | Key::M => Command::SetTool(Tool::Move),
        Key::L => Command::SetTool(Tool::Lasso),
        Key::R => Command::SetTool(Tool::Rectangle),
        Key::I => Command::InvertChosen,
        Key::Escape => Command::ClearChosen,
        Key::Home => Command::Fit,
        Key::Space => Command::PlayOrStop,
        Key::ArrowLeft => Command::StepSegment(-1),
        Key::ArrowRight => Command::StepSegment(1),
        Key::Q => Command::SetMuted(!toggles.is_muted),
        Key::F3 => Command::ShowFigures(!toggles.shows_figures),
        _ => return None,
    })
}
