//! The player in the window: its events, its playhead, clicks on the map, and pictures of what sounds.

use std::time::{Duration, Instant};

use super::Session;
use crate::app::audio_root;
use crate::app::event_log::EventLog;
use crate::app::sound_picture_job::PictureRequest;
use crate::app::state::Effect;
use crate::command::{Command, Listen};
use crate::player::{AuditionRequest, PlayerEvent};

/// Between two frames that only the playhead asks for.
const PLAYHEAD_EVERY: Duration = Duration::from_millis(33);
/// So many times as long as a frame takes is waited until the next one, where that is longer: there must be time for the pointer.
const REST: u32 = 8;
/// Between two looks at the sound's figures, which make a frame only where they have changed.
const FIGURES_EVERY: Duration = Duration::from_millis(250);
/// A press and a release no further apart, in pixels, are a click.
const CLICK: f64 = 4.0;

impl Session {
    /// The primary button went down or up. What is clicked on sounds at once, before anything is drawn.
    pub(super) fn click(&mut self, is_down: bool, log: &mut EventLog) {
        if is_down {
            self.pressed_at = self.pointer.filter(|_| self.is_on_map());
            return;
        }
        let Some((from, to)) = self.pressed_at.take().zip(self.pointer) else { return };
        if (from.x - to.x).hypot(from.y - to.y) <= CLICK && self.state.choices.listen == Listen::OnClick && self.is_on_map() {
            let effects = self.state.update(Command::Play);
            self.carry_out(effects, log);
        }
    }

    /// Takes what the player tells.
    pub(super) fn hear(&mut self, event: PlayerEvent) -> Vec<Effect> {
        match event {
            PlayerEvent::Started { serial, latency_ms } => {
                self.ask_for_picture(serial);
                self.state.audition_started(serial, latency_ms)
            }
            PlayerEvent::Finished { serial } => self.state.audition_finished(serial),
            PlayerEvent::Failed { serial, reason } => self.state.audition_failed(serial, reason),
            PlayerEvent::OutputChanged { .. } => {
                let status = self.player.as_ref().map(crate::player::Player::status);
                status.map(|status| self.state.output_changed(&status)).unwrap_or_default()
            }
            PlayerEvent::Notice { text } => self.state.notify_of_output(text),
        }
    }

    fn ask_for_picture(&mut self, serial: u64) {
        let Some((track, span)) = self.state.wanted_picture(serial) else { return };
        if let Some((audio, sample_rate_hz)) = self.player.as_ref().and_then(|player| player.audio_of(serial)) {
            self.sound_pictures.request(serial, PictureRequest { track, span, audio, sample_rate_hz });
        }
    }

    /// Takes where the playhead is, for the frame that is to be drawn.
    pub(super) fn follow_playhead(&mut self, log: &mut EventLog) {
        let Some((serial, secs)) = self.player.as_ref().and_then(crate::player::Player::playhead) else { return };
        let effects = self.state.follow_playhead(serial, secs);
        self.carry_out(effects, log);
    }

    /// After a frame that took so long: when the next one is due for the playhead's sake.
    pub(super) fn plan_playhead(&mut self, took: Duration) {
        self.playhead_at = self.state.is_sounding().then(|| Instant::now() + PLAYHEAD_EVERY.max(took * REST));
    }

    /// Looks at the sound's figures while they are on screen, and says when to look again: as long as the output runs. Whether they are others now.
    pub(super) fn follow_figures(&mut self) -> bool {
        self.figures_at = None;
        let Some(player) = self.player.as_ref().filter(|_| self.state.shows_figures) else { return false };
        let status = player.status();
        self.figures_at = status.is_running.then(|| Instant::now() + FIGURES_EVERY);
        self.state.sound.follow(status)
    }

    /// Carries out what the state wants of the player.
    pub(super) fn carry_out_sound(&mut self, effect: Effect) {
        let Some(player) = &self.player else { return };
        match effect {
            Effect::Audition { serial, path, span } => player.audition(AuditionRequest { serial, path, span }),
            Effect::Prefetch(near) => {
                let near: Vec<_> = near.into_iter().map(|(path, span)| AuditionRequest { serial: 0, path, span }).collect();
                player.prefetch(&near);
            }
            Effect::StopAudio => player.stop(),
            Effect::SetVolume(volume) => player.set_volume(volume),
            Effect::SetLooping(is_looping) => player.set_looping(is_looping),
            _ => {}
        }
    }

    /// Keeps where the music is, on a thread of its own: a database may be waited for.
    pub(super) fn keep_audio_root(&self, root: std::path::PathBuf) {
        self.notes.set_audio_root(&root);
        let collection = self.state.collection.path().to_owned();
        let keep = move || {
            if let Err(line) = audio_root::keep(&collection, &root) {
                log::warn!("{line}");
            }
        };
        // Without a thread it is asked for once more next time.
        drop(std::thread::Builder::new().name("audio-root".into()).spawn(keep));
    }
}
