//! The one sender into the mixer's command ring: it decides which audition is the newest.

use rtrb::Producer;

use super::mixer::{Cue, MixerCommand};

/// Behind a lock on the control side; held for microseconds, never by the real-time side.
pub(super) struct Dispatcher {
    commands: Option<Producer<MixerCommand>>,
    /// The newest command that found the ring full: the output does not run, or was called long ago.
    pending: Option<MixerCommand>,
    generation: u64,
    cues_in_flight: usize,
    /// The newest cue that was sent and has neither started nor ended: should the output go, the next one plays it.
    unstarted: Option<Cue>,
}

impl Dispatcher {
    pub(super) fn new() -> Self {
        Self { commands: None, pending: None, generation: 0, cues_in_flight: 0, unstarted: None }
    }

    /// The mixer is going: what sounds fades out, and from now on commands wait for the next mixer. The cue that had not sounded yet is returned:
    /// it is the caller's to play again. A `Stop` that had not been sent goes with the mixer.
    pub(super) fn part(&mut self) -> Option<Cue> {
        let unstarted = self.unstarted.take();
        let pending = self.pending.take();
        if let Some(mut commands) = self.commands.take() {
            // Where there is no room it does not listen, and cannot fade either.
            let _ = commands.push(MixerCommand::Stop);
        }
        match pending {
            Some(MixerCommand::Play(cue)) => Some(cue),
            Some(MixerCommand::Stop) => None,
            None => unstarted,
        }
    }

    /// The number of the newest audition or stop.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes what is newest stale, if it still is `generation`.
    pub(super) fn retire(&mut self, generation: u64) {
        if self.is_newest(generation) {
            self.begin();
        }
    }

    /// Whether the mixer still has cues that it has not given back.
    pub(super) fn has_cues(&self) -> bool {
        self.cues_in_flight > 0
    }

    /// A new mixer.
    pub(super) fn connect(&mut self, commands: Producer<MixerCommand>) {
        self.commands = Some(commands);
        self.cues_in_flight = 0;
        self.flush();
    }

    /// A new audition, or a stop: everything before it is stale from now on.
    pub(super) fn begin(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    pub(super) fn is_newest(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// Sends, or keeps as pending in place of an older one, which is returned to be freed outside the lock.
    #[must_use = "what is returned is freed here, under the caller's lock"]
    pub(super) fn send(&mut self, command: MixerCommand) -> Option<MixerCommand> {
        let unsent = self.pending.replace(command);
        self.flush();
        unsent
    }

    /// Sends what is pending, if there is a mixer and its ring has room now.
    pub(super) fn flush(&mut self) {
        let Some(commands) = &mut self.commands else { return };
        let Some(command) = self.pending.take() else { return };
        let cue = if let MixerCommand::Play(cue) = &command { Some(cue.clone()) } else { None };
        match commands.push(command) {
            Ok(()) => {
                self.cues_in_flight += usize::from(cue.is_some());
                self.unstarted = cue;
            }
            Err(rtrb::PushError::Full(command)) => self.pending = Some(command),
        }
    }

    /// The mixer gave a cue back, heard or not.
    pub(super) fn cue_ended(&mut self, serial: u64) {
        self.cues_in_flight = self.cues_in_flight.saturating_sub(1);
        self.cue_started(serial);
    }

    /// A cue sounds.
    pub(super) fn cue_started(&mut self, serial: u64) {
        if self.unstarted.as_ref().is_some_and(|cue| cue.serial == serial) {
            self.unstarted = None;
        }
    }

    /// Whether the mixer has, or will get, anything to do.
    pub(super) fn is_busy(&self) -> bool {
        self.cues_in_flight > 0 || self.pending.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use rtrb::RingBuffer;

    use super::*;
    use crate::player::SegmentAudio;

    fn play(serial: u64) -> MixerCommand {
        let audio = Arc::new(SegmentAudio::from_interleaved(&[0.5; 8], 4, 0));
        MixerCommand::Play(Cue { serial, audio, requested_at: Instant::now(), from_frame: 0 })
    }

    #[test]
    fn of_what_finds_the_ring_full_the_newest_is_kept_and_sent_later() {
        let (commands, mut taken) = RingBuffer::new(2);
        let mut dispatcher = Dispatcher::new();
        dispatcher.connect(commands);
        let unsent = (0..5).filter_map(|serial| dispatcher.send(play(serial))).count();
        assert_eq!(unsent, 2, "2 and 3 gave way to 4");
        assert!(dispatcher.is_busy());
        let mut serials = Vec::new();
        for _ in 0..2 {
            while let Ok(MixerCommand::Play(cue)) = taken.pop() {
                serials.push(cue.serial);
            }
            dispatcher.flush();
        }
        assert_eq!(serials, [0, 1, 4]);
        serials.iter().for_each(|&serial| dispatcher.cue_ended(serial));
        assert!(!dispatcher.is_busy());
    }

    #[test]
    fn a_cue_that_had_not_sounded_when_its_output_went_is_given_back_and_what_comes_meanwhile_waits() {
        for (has_started, expected) in [(false, Some(7)), (true, None)] {
            let (commands, mut old) = RingBuffer::new(4);
            let mut dispatcher = Dispatcher::new();
            dispatcher.connect(commands);
            assert!(dispatcher.send(play(7)).is_none());
            if has_started {
                dispatcher.cue_started(7);
            }
            assert_eq!(dispatcher.part().map(|cue| cue.serial), expected);
            assert!(dispatcher.has_cues(), "the mixer has not given it back");
            assert!(matches!(old.pop(), Ok(MixerCommand::Play(_))) && matches!(old.pop(), Ok(MixerCommand::Stop)), "it fades out");
            assert!(dispatcher.send(play(8)).is_none());
            assert!(old.pop().is_err());
            let (commands, mut new) = RingBuffer::new(4);
            dispatcher.connect(commands);
            let played = new.pop().ok().map(|command| if let MixerCommand::Play(cue) = command { cue.serial } else { 0 });
            assert_eq!(played, Some(8));
        }
    }
}
