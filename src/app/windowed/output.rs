//! The sound outputs in the window: asking what there are, changing to another, and keeping what was chosen. All of it on threads of its own.

use std::sync::mpsc::{TryRecvError, channel};

use super::Session;
use crate::app::event_log::EventLog;
use crate::app::sound_memory;
use crate::app::worker::Waking;
use crate::player::OutputChoice;
use crate::player::output::cpal::output_devices;

impl Session {
    /// Asks the system what outputs there are. A sound server may be waited for, and ALSA looks at every card.
    pub(super) fn list_outputs(&mut self) {
        let (sender, receiver) = channel();
        self.listing_outputs = Some(receiver);
        let wake = self.wake.clone();
        let list = move || {
            // In this order: the sender goes before the window is woken.
            let _waking = Waking(wake);
            let sender = sender;
            // Nobody listens once the window is closed.
            let _ = sender.send(output_devices().map_err(|error| error.to_string()));
        };
        // Without a thread the sender goes, and what was listed before stays.
        drop(std::thread::Builder::new().name("outputs".into()).spawn(list));
    }

    /// Takes what outputs there are, once that is known; whether it is.
    pub(super) fn take_outputs(&mut self, log: &mut EventLog) -> bool {
        let listed = match self.listing_outputs.as_ref().map(std::sync::mpsc::Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return false,
            Some(Ok(listed)) => listed,
            Some(Err(TryRecvError::Disconnected)) => Err("the system's sound devices cannot be listed: no thread for it".to_owned()),
        };
        self.listing_outputs = None;
        let effects = self.state.take_outputs(listed);
        self.carry_out(effects, log);
        true
    }

    /// Lets the sound go elsewhere, and keeps that for the next start.
    pub(super) fn set_output(&mut self, choice: OutputChoice) {
        if let Some(player) = &self.player {
            player.set_output(choice.clone());
        }
        let keep = move || sound_memory::keep_chosen(&choice);
        // Without a thread it is chosen again next time.
        drop(std::thread::Builder::new().name("sound-memory".into()).spawn(keep));
    }

    /// Keeps the buffer that the output needs, where that is news.
    pub(super) fn keep_buffer(&self) {
        let Some(status) = self.player.as_ref().map(crate::player::Player::status).filter(|status| status.asked_frames > 0) else { return };
        if !sound_memory::is_kept(&status.output, status.asked_frames) {
            let keep = move || sound_memory::keep_buffer(&status.output, status.asked_frames);
            drop(std::thread::Builder::new().name("sound-memory".into()).spawn(keep));
        }
    }
}
