//! The window and its threads: what is wanted is handed to them, what they have done is fetched, and the rest of the state's effects is done here.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use super::Session;
use crate::app::event_log::EventLog;
use crate::app::notices::Topic;
use crate::app::state::Effect;
use crate::app::system_fonts::SystemFonts;
use crate::catalog::Track;
use crate::command::Course;
use crate::player::Player;

/// Letters from here on are not in egui's own fonts.
const FIRST_FOREIGN: char = '\u{530}';

/// Finds the system's fonts on a thread of its own, where names of the collection will want them: the first frame need not wait for it.
pub(super) fn find_fonts(fonts: &Arc<SystemFonts>, tracks: &[Track]) {
    let has_foreign = |text: &str| text.chars().any(|letter| letter >= FIRST_FOREIGN);
    let names = |track: &Track| {
        let about = &track.metadata;
        let known = [&about.title, &about.artist, &about.album, &about.genre];
        known.into_iter().flatten().chain([&track.path]).any(|name| has_foreign(name))
    };
    if tracks.iter().any(names) {
        let fonts = Arc::clone(fonts);
        // Without a thread they are found when the first letter is drawn.
        drop(std::thread::Builder::new().name("fonts".into()).spawn(move || fonts.find()));
    }
}

impl Session {
    /// Fetches what other threads have done.
    pub(super) fn fetch(&mut self, log: &mut EventLog) {
        if self.fetch_news(log) {
            self.ask_redraw();
        } else {
            self.follow_progress(Instant::now());
        }
    }

    /// Fetches what is finished, and how far the rest is; whether anything but that has changed.
    fn fetch_news(&mut self, log: &mut EventLog) -> bool {
        let mut is_news = self.take_outputs(log);
        let opened = self.opening_player.as_ref().map(Receiver::try_recv);
        if let Some(Err(TryRecvError::Disconnected)) = opened {
            self.opening_player = None;
            let effects = self.state.notify_of_output("no sound: a mistake in tagscape, please report it".to_owned());
            self.carry_out(effects, log);
            is_news = true;
        }
        if let Some(Ok((player, notice))) = opened {
            self.opening_player = None;
            player.set_volume(self.state.heard_volume());
            player.set_looping(self.state.listening.course == Course::Loop);
            let mut effects = self.state.output_changed(&player.status());
            self.player = Some(player);
            effects.extend(notice.map(|text| self.state.notify_of_output(text)).unwrap_or_default());
            self.carry_out(effects, log);
            is_news = true;
        }
        self.state.progress = self.jobs.progress();
        let outcomes: Vec<_> = self.jobs.finished().collect();
        let events = self.player.as_mut().map(Player::poll).unwrap_or_default();
        if !events.is_empty() {
            self.keep_buffer();
        }
        let found: Vec<_> = self.jobs.found().collect();
        let labels: Vec<_> = self.labels.finished().collect();
        self.state.coloring.progress = self.colorings.progress();
        let colorings: Vec<_> = self.colorings.finished().collect();
        let frame = self.jobs.frame();
        let picture = self.sound_pictures.finished().last();
        is_news |= !outcomes.is_empty() || !found.is_empty() || !labels.is_empty() || !colorings.is_empty();
        is_news |= !events.is_empty() || frame.is_some() || picture.is_some();
        let mut effects: Vec<Effect> = outcomes.into_iter().flat_map(|outcome| self.state.finish(outcome)).collect();
        effects.extend(found.into_iter().flat_map(|outcome| self.state.finish_search(outcome)));
        effects.extend(labels.into_iter().flat_map(|outcome| self.state.finish_labels(outcome)));
        effects.extend(colorings.into_iter().flat_map(|outcome| self.state.finish_coloring(outcome)));
        effects.extend(frame.map(|frame| self.state.follow(frame)).unwrap_or_default());
        for event in events {
            effects.extend(self.hear(event));
        }
        if let Some(picture) = picture {
            self.state.take_picture(picture);
        }
        self.carry_out(effects, log);
        is_news
    }

    /// Does what the state wants done outside of it.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>, log: &mut EventLog) {
        for effect in effects {
            match effect {
                Effect::Project(request) => self.jobs.request(*request),
                Effect::Search(request) => {
                    if let Err(error) = self.jobs.search(*request) {
                        self.state.notices.set(Topic::Program, error.to_string());
                    }
                }
                Effect::Cancel(serial) => self.jobs.cancel(serial),
                Effect::Pick { number, aim } => {
                    if let Err(error) = self.painter.map().begin_pick(&self.context, aim, number) {
                        self.state.notices.set(Topic::Program, error.to_string());
                    }
                }
                Effect::Label(request) => self.labels.request(request.serial, *request),
                Effect::Color(request) => self.colorings.request(request.serial, *request),
                Effect::CancelColoring => self.colorings.cancel_all(),
                Effect::Steer(steering) => self.jobs.steer(steering),
                Effect::Audition { .. } | Effect::StopAudio | Effect::Prefetch(_) | Effect::SetVolume(_) | Effect::SetLooping(_) => {
                    self.carry_out_sound(effect)
                }
                Effect::ListOutputs => self.list_outputs(),
                Effect::SetOutput(choice) => self.set_output(choice),
                Effect::KeepAudioRoot(root) => self.keep_audio_root(root),
                Effect::Log(event) => {
                    if let Some(trouble) = log.write(&event) {
                        self.state.notices.set(Topic::Program, trouble);
                    }
                }
            }
        }
    }
}
