//! The thread that owns the output: it opens, pauses and resumes it, and does for the real-time side what that must not do itself.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use rtrb::Consumer;

use super::control::Shared;
use super::event::PlayerEvent;
use super::mixer::{MixerCommand, MixerReport};
use super::output::null::NullOutput;
use super::output::{LAST_BUFFER_FRAMES, OnTrouble, OpenOutput, Output, OutputInfo};

/// How often the reports are looked at while something plays.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// How long a fade-out at the end of the program may take.
const LAST_FADE: Duration = Duration::from_millis(40);
/// So many drop-outs, and the device is opened again with a larger buffer, when it is silent for a while.
const UNDERRUN_LIMIT: u64 = 2;
/// So many, and it is opened again even while it sounds.
const STUTTER_LIMIT: u64 = 8;
/// How often a device is looked for that is not there.
const DEVICE_EVERY: Duration = Duration::from_secs(5);
/// For so long.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// To the supervisor.
pub(super) enum Message {
    /// There is, or will soon be, something to play.
    Nudge,
    /// The output will not sound again, and why.
    Trouble(String),
    /// The player is being dropped.
    Close,
}

/// Opens an output with a buffer of so many frames or more, in the supervisor's own thread: on Windows, cpal must not share a thread with the
/// window's COM. The second value is the notice, where it had to be another output than was asked for.
pub(super) type Opener = Box<dyn FnMut(&Shared, &OnTrouble, u32) -> (OpenOutput, Option<String>) + Send>;

pub(super) struct Supervisor {
    shared: Arc<Shared>,
    opener: Opener,
    on_trouble: OnTrouble,
    output: Box<dyn Output>,
    reports: Consumer<MixerReport>,
    underruns_before: u64,
    /// Started and not yet finished.
    sounding: Vec<u64>,
    is_running: bool,
    silent_since: Instant,
    /// When a device was looked for last, where one is wanted and none is there.
    lacks_device_since: Option<Instant>,
}

impl Supervisor {
    /// Opens the output and serves until the player is dropped. `opened` gets what it is, and the notice.
    pub(super) fn run(
        shared: Arc<Shared>,
        mut opener: Opener,
        messages: &Receiver<Message>,
        opened: &Sender<(OutputInfo, Option<String>)>,
    ) {
        let on_trouble = shared.on_trouble();
        let asked = shared.asked_frames.load(Relaxed);
        let (open, notice) = opener(&shared, &on_trouble, asked);
        shared.dispatcher().connect(open.link.commands);
        shared.output_runs.store(true, Relaxed);
        let lacks_device_since = notice.is_some().then(Instant::now);
        if opened.send((open.output.info().clone(), notice)).is_err() {
            return; // The device took too long; somebody else has taken over.
        }
        let mut supervisor = Self {
            underruns_before: shared.status.underruns(),
            shared,
            opener,
            on_trouble,
            output: open.output,
            reports: open.link.reports,
            sounding: Vec::new(),
            is_running: true,
            silent_since: Instant::now(),
            lacks_device_since,
        };
        supervisor.serve(messages);
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
                Some(Message::Trouble(text)) => self.go_silent(&text),
                None => {}
            }
            self.look();
            if self.lacks_device_since.is_some_and(|since| since.elapsed() >= DEVICE_EVERY) && !self.is_busy() {
                self.look_for_device();
            }
            if self.is_running && !self.is_busy() {
                if self.silent_since.elapsed() >= self.shared.pause_after {
                    self.pause();
                } else if self.silent_since.elapsed() >= REOPEN_AFTER {
                    self.enlarge_buffer(UNDERRUN_LIMIT);
                }
            } else if self.is_running {
                // It stutters while it sounds: a gap now is better than more of them.
                self.enlarge_buffer(STUTTER_LIMIT);
            }
        }
        self.fade_out_and_go();
    }

    /// The next message; none after a while, so that reports, troubles and silence are seen.
    fn wait(&self, messages: &Receiver<Message>) -> Option<Message> {
        let limit = match (self.is_busy(), self.is_running) {
            (true, _) => LOOK_EVERY,
            (false, true) => {
                let silent = self.silent_since.elapsed();
                let next = if silent < REOPEN_AFTER { REOPEN_AFTER.min(self.shared.pause_after) } else { self.shared.pause_after };
                next.saturating_sub(silent) + LOOK_EVERY
            }
            (false, false) if self.lacks_device_since.is_some() => DEVICE_EVERY,
            (false, false) => return messages.recv().ok().or(Some(Message::Close)),
        };
        match messages.recv_timeout(limit) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Close),
        }
    }

    fn is_busy(&self) -> bool {
        self.shared.dispatcher().is_busy()
    }

    fn look(&mut self) {
        self.shared.dispatcher().flush();
        let mut has_events = false;
        while let Ok(report) = self.reports.pop() {
            self.silent_since = Instant::now();
            match report {
                MixerReport::Started { serial, latency } => {
                    self.sounding.push(serial);
                    self.shared.dispatcher().cue_started(serial);
                    self.shared.tell(PlayerEvent::Started { serial, latency_ms: latency.as_secs_f64() * 1e3 });
                    has_events = true;
                }
                MixerReport::Ended { cue, started } => {
                    self.shared.dispatcher().cue_ended(cue.serial);
                    if started {
                        self.finish(cue.serial);
                        has_events = true;
                    }
                }
            }
        }
        if has_events {
            self.shared.wake();
        }
    }

    fn finish(&mut self, serial: u64) {
        if let Some(place) = self.sounding.iter().position(|&sounding| sounding == serial) {
            self.sounding.swap_remove(place);
        }
        self.shared.tell(PlayerEvent::Finished { serial });
    }

    fn resume(&mut self) {
        if self.is_running {
            return;
        }
        self.set_running(true);
        if let Err(text) = self.output.resume() {
            self.go_silent(&text);
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

    fn set_running(&mut self, is_running: bool) {
        self.is_running = is_running;
        self.shared.output_runs.store(is_running, Relaxed);
    }

    /// The device drops out: it needs more time between two calls. Remembered from then on by whoever asks for the status.
    fn enlarge_buffer(&mut self, limit: u64) {
        let asked = self.shared.asked_frames.load(Relaxed);
        let dropped_out = self.shared.status.underruns() - self.underruns_before >= limit;
        if !dropped_out || !self.output.info().is_audible || asked >= LAST_BUFFER_FRAMES {
            return;
        }
        // At least double of what it took, which may be more than was asked for.
        let frames = (asked.max(self.output.info().buffer_frames / 2) * 2).next_power_of_two().min(LAST_BUFFER_FRAMES);
        self.shared.asked_frames.store(frames, Relaxed);
        self.close_output();
        let (open, notice) = (self.opener)(&self.shared, &self.on_trouble, frames);
        self.take_over(open);
        self.lacks_device_since = notice.is_some().then(Instant::now);
        if let Some(text) = notice {
            self.shared.tell(PlayerEvent::Notice { text });
            self.shared.wake();
        }
    }

    /// The device is gone: the null output takes its place, at the same rate, so that what is cached stays good.
    fn go_silent(&mut self, text: &str) {
        if !self.output.info().is_audible {
            return; // Late news of a device that has been given up.
        }
        let rate = self.output.info().sample_rate_hz;
        self.close_output();
        self.take_over(NullOutput::open(rate, &self.shared.status));
        self.lacks_device_since = Some(Instant::now());
        self.shared.tell(PlayerEvent::Notice { text: format!("the sound device is gone ({text}); tagscape goes on without sound") });
        self.shared.wake();
    }

    /// A device may have been plugged in, or its server started.
    fn look_for_device(&mut self) {
        self.lacks_device_since = Some(Instant::now());
        let asked = self.shared.asked_frames.load(Relaxed);
        let (open, notice) = (self.opener)(&self.shared, &self.on_trouble, asked);
        if notice.is_some() {
            return; // Still none: what was opened in its place goes again.
        }
        self.lacks_device_since = None;
        let text = format!("sound goes to {}", open.output.info().name);
        self.close_output();
        self.take_over(open);
        self.shared.tell(PlayerEvent::Notice { text });
        self.shared.wake();
    }

    /// Ends the stream, and with it the mixer. What comes meanwhile waits in the dispatcher.
    fn close_output(&mut self) {
        self.look();
        self.shared.dispatcher().disconnect();
        // Some devices have room for one stream only: the old one must be gone before the next is opened.
        self.output = Box::new(ClosedOutput(self.output.info().clone()));
        for serial in std::mem::take(&mut self.sounding) {
            self.shared.tell(PlayerEvent::Finished { serial });
        }
    }

    fn take_over(&mut self, open: OpenOutput) {
        if self.output.info().sample_rate_hz != open.output.info().sample_rate_hz {
            // What waits was made for the other rate.
            let gone = self.shared.dispatcher().take_pending();
            drop(gone);
        }
        self.output = open.output;
        self.reports = open.link.reports;
        self.underruns_before = self.shared.status.underruns();
        self.silent_since = Instant::now();
        self.set_running(true);
        self.shared.set_info(self.output.info().clone());
        self.shared.dispatcher().connect(open.link.commands);
    }

    /// Cutting a sound off clicks.
    fn fade_out_and_go(&mut self) {
        let unsent = self.shared.dispatcher().send(MixerCommand::Stop);
        drop(unsent);
        let until = Instant::now() + LAST_FADE;
        while self.is_running && self.is_busy() && Instant::now() < until {
            std::thread::sleep(LOOK_EVERY / 2);
            self.look();
        }
    }
}

/// Between two outputs.
struct ClosedOutput(OutputInfo);

impl Output for ClosedOutput {
    fn info(&self) -> &OutputInfo {
        &self.0
    }

    fn pause(&mut self) -> bool {
        true
    }

    fn resume(&mut self) -> Result<(), String> {
        Ok(())
    }
}
