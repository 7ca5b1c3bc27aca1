//! The thread that owns the output: it pauses and resumes it, and does for the real-time side what that must not do itself. How one output takes
//! another's place is `changeover.rs`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use rtrb::Consumer;

use super::changeover::Resuming;
use super::crew::Crew;
use super::event::PlayerEvent;
use super::mixer::MixerReport;
use super::output::opening::Opener;
use super::output::{BufferSizes, IdleOutput, Output, OutputChoice};
use super::shared::Shared;

/// How often the reports are looked at while something plays.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(4);
/// How often it is looked whether the workers get on, while there is something to decode.
const WORKERS_EVERY: Duration = Duration::from_millis(100);
/// How often an output is looked for that is not there.
const OUTPUT_EVERY: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 5000 });

/// Panics after which the sound is given up.
const PANICS: usize = 4;

/// To the supervisor.
pub(super) enum Message {
    /// There is, or will soon be, something to play.
    Nudge,
    /// An output will not sound again.
    Trouble {
        /// Which: outputs are numbered as they are opened.
        number: u64,
        /// Why, in one line.
        text: String,
    },
    /// The sound is to go elsewhere.
    SetOutput(OutputChoice),
    /// The player is being dropped.
    Close,
}

pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    crew: Arc<Crew>,
    pub(super) opener: Opener,
    pub(super) wanted: OutputChoice,
    pub(super) buffers: BufferSizes,
    pub(super) output: Box<dyn Output>,
    /// The output's number, and the last that was given.
    pub(super) number: u64,
    pub(super) last_number: u64,
    pub(super) reports: Consumer<MixerReport>,
    pub(super) underruns_before: u64,
    /// Told as started and not yet as finished.
    pub(super) sounding: Vec<u64>,
    /// What will go on on the next output: its end on this one is not told.
    pub(super) parting: Option<u64>,
    /// What is decoded anew, to go on on this output.
    pub(super) resuming: Option<Resuming>,
    pub(super) is_running: bool,
    pub(super) silent_since: Instant,
    /// When it was last looked whether the workers get on.
    workers_seen: Instant,
    /// When the output that is wanted was looked for last, where it is not there.
    pub(super) lacks_output_since: Option<Instant>,
}

/// What a supervisor begins with.
pub(super) struct Beginning {
    pub(super) shared: Arc<Shared>,
    pub(super) crew: Arc<Crew>,
    pub(super) opener: Opener,
    pub(super) wanted: OutputChoice,
    pub(super) buffers: BufferSizes,
}

impl Supervisor {
    /// Opens the output and serves until the player is dropped. `opened` gets what it is, and a line where it is another than was wanted.
    pub(super) fn run(beginning: Beginning, messages: &Receiver<Message>, opened: &Sender<Option<String>>) {
        let Beginning { shared, crew, opener, wanted, buffers } = beginning;
        let mut supervisor = Self {
            output: Box::new(IdleOutput(shared.info())),
            shared,
            crew,
            opener,
            wanted,
            buffers,
            number: 0,
            last_number: 0,
            reports: rtrb::RingBuffer::new(1).1,
            underruns_before: 0,
            sounding: Vec::new(),
            parting: None,
            resuming: None,
            is_running: false,
            silent_since: Instant::now(),
            workers_seen: Instant::now(),
            lacks_output_since: None,
        };
        let notice = supervisor.open_first();
        if opened.send(notice).is_err() {
            return; // The device took too long; somebody else has taken over.
        }
        // A panic is a bug; most of what can come of it is over with the message that it came with. Without end it goes on nowhere.
        for _ in 0..PANICS {
            if catch_unwind(AssertUnwindSafe(|| supervisor.serve(messages))).is_ok() {
                return;
            }
        }
        let text = "a mistake in tagscape ended the sound; open the window again, and please report it".to_owned();
        supervisor.shared.tell(PlayerEvent::Notice { text });
        supervisor.shared.wake();
    }

    fn serve(&mut self, messages: &Receiver<Message>) {
        loop {
            match self.wait(messages) {
                Some(Message::Close) => break,
                Some(Message::Nudge) => {
                    self.shared.is_nudged.store(false, SeqCst);
                    self.silent_since = Instant::now();
                    self.resume();
                }
                // Late news of an output that has been given up is none.
                Some(Message::Trouble { number, text }) if number == self.number => self.lose_output(&text),
                Some(Message::Trouble { .. }) => {}
                Some(Message::SetOutput(choice)) => self.set_output(choice),
                None => {}
            }
            self.look();
            self.replace_lost_workers();
            if self.lacks_output_since.is_some_and(|since| since.elapsed() >= OUTPUT_EVERY) && !self.is_busy() {
                self.look_for_output();
            }
            if self.is_running && !self.is_busy() && self.silent_since.elapsed() >= self.shared.pause_after {
                self.pause();
            } else if self.is_running {
                self.enlarge_buffer();
            }
        }
        drop(self.part());
    }

    /// The next message; none after a while, so that reports, troubles and silence are seen.
    fn wait(&self, messages: &Receiver<Message>) -> Option<Message> {
        let limit = match (self.is_busy(), self.is_running) {
            (true, _) => LOOK_EVERY,
            (false, true) => {
                let until_pause = self.shared.pause_after.saturating_sub(self.silent_since.elapsed()) + LOOK_EVERY;
                if self.crew.is_at_work() { until_pause.min(WORKERS_EVERY) } else { until_pause }
            }
            (false, false) if self.crew.is_at_work() => WORKERS_EVERY,
            (false, false) if self.lacks_output_since.is_some() => OUTPUT_EVERY,
            (false, false) => return messages.recv().ok().or(Some(Message::Close)),
        };
        match messages.recv_timeout(limit) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Close),
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.shared.dispatcher().is_busy()
    }

    pub(super) fn look(&mut self) {
        self.shared.dispatcher().flush();
        let mut has_events = false;
        while let Ok(report) = self.reports.pop() {
            self.silent_since = Instant::now();
            match report {
                MixerReport::Started { serial, latency } => {
                    self.shared.dispatcher().cue_started(serial);
                    self.resuming.take_if(|resuming| resuming.serial == serial);
                    // What goes on on another output was told when it began.
                    if !self.sounding.contains(&serial) {
                        self.sounding.push(serial);
                        self.shared.tell(PlayerEvent::Started { serial, latency_ms: latency.as_secs_f64() * 1e3 });
                        has_events = true;
                    }
                }
                MixerReport::Ended { cue, .. } => {
                    self.shared.dispatcher().cue_ended(cue.serial);
                    has_events |= self.parting != Some(cue.serial) && self.finish(cue.serial);
                }
            }
        }
        // Something newer came before it could go on.
        if let Some(stale) = self.resuming.take_if(|resuming| !self.shared.dispatcher().is_newest(resuming.generation)) {
            has_events |= self.finish(stale.serial);
        }
        if has_events {
            self.shared.wake();
        }
    }

    /// Nobody is left to decode where files hang; so others take over, and the user hears of it.
    fn replace_lost_workers(&mut self) {
        if self.workers_seen.elapsed() < WORKERS_EVERY {
            return;
        }
        self.workers_seen = Instant::now();
        let lines = self.crew.replace_lost(&self.shared);
        if !lines.is_empty() {
            lines.into_iter().for_each(|text| self.shared.tell(PlayerEvent::Notice { text }));
            self.shared.wake();
        }
    }

    /// Tells that an audition that had been told as started is silent; whether it had been.
    pub(super) fn finish(&mut self, serial: u64) -> bool {
        let Some(place) = self.sounding.iter().position(|&sounding| sounding == serial) else { return false };
        self.sounding.swap_remove(place);
        self.shared.tell(PlayerEvent::Finished { serial });
        true
    }

    fn resume(&mut self) {
        if self.is_running {
            return;
        }
        self.set_running(true);
        if let Err(text) = self.output.resume() {
            self.lose_output(&text);
        }
    }

    fn pause(&mut self) {
        if self.output.pause() {
            self.set_running(false);
        } else {
            // It cannot: let it run, and do not ask again at once.
            self.silent_since = Instant::now();
        }
    }

    pub(super) fn set_running(&mut self, is_running: bool) {
        self.is_running = is_running;
        self.shared.output_runs.store(is_running, Relaxed);
    }
}
