//! The sound outputs as the state has them: which is wanted, which there are, and which it is. Sound itself is the `player`'s.

use super::event_log::Event;
use super::notices::Topic;
use super::state::{AppState, Effect};
use crate::command::Command;
use crate::player::{OutputChoice, OutputDevice, PlayerStatus};
use crate::ui::output_list::OutputsView;

/// What concerns sound outputs.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Which is wanted.
    wanted: OutputChoice,
    /// Those that there were when the system was asked last.
    listed: Vec<OutputDevice>,
    is_listing: bool,
    /// Whether there is a player that can be told.
    is_open: bool,
    /// Whether the player was told of another and has not changed to it yet.
    awaits_change: bool,
    /// Whether the output can be heard.
    is_audible: bool,
    /// Whether another takes the place of the wanted one.
    is_elsewhere: bool,
}

impl Outputs {
    /// Outputs of which this one was wanted before.
    #[must_use]
    pub fn of(wanted: OutputChoice) -> Self {
        Self { wanted, ..Self::default() }
    }
}

impl AppState {
    /// Carries out what concerns outputs.
    pub(super) fn choose_output(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::ListOutputs if !self.outputs.is_listing => {
                self.outputs.is_listing = true;
                vec![Effect::ListOutputs]
            }
            Command::SetOutput(id) if self.outputs.is_open => {
                let choice = id.map_or(OutputChoice::Default, |id| OutputChoice::Device(self.outputs.device(id)));
                if choice == self.outputs.wanted && !self.outputs.is_elsewhere {
                    return Vec::new();
                }
                self.outputs.wanted = choice.clone();
                self.outputs.awaits_change = true;
                vec![Effect::SetOutput(choice)]
            }
            _ => Vec::new(),
        }
    }

    /// Takes what outputs there are.
    pub fn take_outputs(&mut self, listed: Result<Vec<OutputDevice>, String>) -> Vec<Effect> {
        self.outputs.is_listing = false;
        match listed {
            Ok(listed) => {
                self.outputs.listed = listed;
                Vec::new()
            }
            Err(text) => self.notify(Topic::Output, text),
        }
    }

    /// Takes which output it is now; what is to be logged.
    pub fn output_changed(&mut self, status: &PlayerStatus) -> Vec<Effect> {
        let output = if status.is_audible { status.output.clone() } else { "no sound".to_owned() };
        self.outputs.is_open = true;
        self.outputs.is_audible = status.is_audible;
        self.output.clone_from(&output);
        self.outputs.is_elsewhere = status.is_substitute;
        if !status.is_substitute {
            // What was said of an output that was missing is no longer so.
            self.notices.clear(Topic::Output);
        }
        // Where it is another than was asked for, the player tells so itself.
        let is_done = std::mem::take(&mut self.outputs.awaits_change) && !status.is_substitute;
        is_done.then(|| Effect::Log(Event::Notice { text: format!("sound goes to {output}") })).into_iter().collect()
    }

    /// Shows what the player tells of its output.
    pub fn notify_of_output(&mut self, text: String) -> Vec<Effect> {
        self.notify(Topic::Output, text)
    }

    /// What the panel shows of it.
    #[must_use]
    pub fn outputs_view(&self) -> OutputsView<'_> {
        let outputs = &self.outputs;
        let chosen = if let OutputChoice::Device(device) = &outputs.wanted { Some(device) } else { None };
        let gone = chosen.filter(|chosen| outputs.listed.iter().all(|device| device.id != chosen.id));
        OutputsView {
            chosen: chosen.map(|device| device.id.as_str()),
            devices: gone.into_iter().chain(&outputs.listed).map(|device| (device.id.as_str(), device.name.as_str())).collect(),
            is_listing: outputs.is_listing,
            is_open: outputs.is_open,
            is_missing: outputs.is_elsewhere,
            instead: Some(self.output.as_str()).filter(|_| outputs.is_elsewhere && outputs.is_audible),
        }
    }
}

impl Outputs {
    /// The device of this id; one that is not listed has its id as its name.
    fn device(&self, id: String) -> OutputDevice {
        let found = self.listed.iter().find(|device| device.id == id).cloned();
        let wanted = if let OutputChoice::Device(device) = &self.wanted { Some(device.clone()) } else { None };
        found.or(wanted.filter(|device| device.id == id)).unwrap_or_else(|| OutputDevice { name: id.clone(), id })
    }
}
