//! How one output takes another's place: because another is wanted, because it broke, came back, or needs a larger buffer. What sounds fades out, and goes
//! on where it was on the output that follows.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::event::PlayerEvent;
use super::jobs::Job;
use super::output::null::NullOutput;
use super::output::opening::Wanted;
use super::output::{BufferSizes, IdleOutput, OpenOutput, OutputChoice, OutputInfo};
use super::segment_audio::SegmentAudio;
use super::shared::Sent;
use super::status::NOTHING_PLAYS;
use super::supervisor::{LOOK_EVERY, Supervisor};

/// How long a fade-out may take, besides the buffers that the output has taken already.
const LONGEST_FADE: Duration = Duration::from_millis(40);
/// Buffers that an output has handed on and not played yet: ALSA's ring is two, and one is under way.
const BUFFERS_AHEAD: u32 = 3;

/// So many drop-outs, and the device is opened again with a larger buffer, even while it sounds: a gap now is better than more of them, and who sweeps
/// without a rest is never silent. What sounds goes on. One alone says nothing: it may be the system's.
const DROP_OUTS: u64 = 2;

/// An audition that goes on on another output once it is decoded for it.
pub(super) struct Resuming {
    pub(super) serial: u64,
    pub(super) generation: u64,
}

/// What sounds, or was about to, when its output goes.
pub(super) struct Carried {
    job: Job,
    audio: Arc<SegmentAudio>,
    rate_hz: u32,
}

/// An output that was opened, and its number.
struct Opened {
    open: OpenOutput,
    number: u64,
}

impl Supervisor {
    /// Opens the first output; a line where it is another than is wanted.
    pub(super) fn open_first(&mut self) -> Option<String> {
        let (opened, notice) = self.open_best();
        self.take_over(opened, notice.is_some());
        notice
    }

    /// The sound is to go elsewhere from now on.
    pub(super) fn set_output(&mut self, choice: OutputChoice) {
        if choice == self.wanted && self.lacks_output_since.is_none() {
            return;
        }
        self.wanted = choice;
        self.change_over(Self::open_best);
    }

    /// The device drops out: it needs more time between two calls. Known from then on to whoever asks for the status.
    pub(super) fn enlarge_buffer(&mut self) {
        let OutputInfo { name, is_audible, asked_frames, buffer_frames, .. } = self.output.info();
        if !is_audible || self.shared.status.underruns() - self.underruns_before < DROP_OUTS {
            return;
        }
        let Some(frames) = BufferSizes::grown(*asked_frames, *buffer_frames) else { return };
        self.buffers.set(name, frames);
        self.change_over(Self::open_best);
    }

    /// The output broke.
    pub(super) fn lose_output(&mut self, text: &str) {
        let OutputInfo { name, is_audible, sample_rate_hz, .. } = self.output.info().clone();
        if !is_audible {
            return;
        }
        let line = format!("{name} is gone ({text})");
        // What took a lost device's place and is lost itself leaves nothing.
        let tries_default = self.lacks_output_since.is_none();
        self.set_running(false);
        self.change_over(|supervisor| {
            let (opened, notice) = supervisor.open_substitute(&line, tries_default, sample_rate_hz);
            (opened, Some(notice))
        });
    }

    /// A device may have been plugged in, or its server started.
    pub(super) fn look_for_output(&mut self) {
        self.lacks_output_since = Some(Instant::now());
        let wanted = self.wanted.clone();
        let found = self.open(&wanted).ok().map(|opened| (opened, true));
        let is_silent = !self.output.info().is_audible && wanted != OutputChoice::Default;
        let Some((opened, is_wanted)) =
            found.or_else(|| is_silent.then(|| self.open(&OutputChoice::Default).ok())?.map(|opened| (opened, false)))
        else {
            return;
        };
        let text = format!("sound goes to {}", opened.open.output.info().name);
        self.change_over(|_| (opened, (!is_wanted).then(|| text.clone())));
        if is_wanted {
            self.shared.tell(PlayerEvent::Notice { text });
            self.shared.wake();
        }
    }

    /// Lets what sounds fade out, closes the output, opens another, and lets what sounded go on there. `open` gives a line where it is not what is wanted.
    fn change_over(&mut self, open: impl FnOnce(&mut Self) -> (Opened, Option<String>)) {
        let carried = self.part();
        let (opened, notice) = open(self);
        self.take_over(opened, notice.is_some());
        self.carry_on(carried);
        let OutputInfo { name, is_audible, .. } = self.output.info().clone();
        self.shared.tell(PlayerEvent::OutputChanged { name, is_audible });
        if let Some(text) = notice {
            self.shared.tell(PlayerEvent::Notice { text });
        }
        self.shared.wake();
    }

    fn open(&mut self, choice: &OutputChoice) -> Result<Opened, String> {
        self.last_number += 1;
        let number = self.last_number;
        let (status, on_trouble) = (&self.shared.status, &self.shared.on_trouble(number));
        let open = (self.opener)(&Wanted { choice, status, on_trouble, buffers: &self.buffers })?;
        Ok(Opened { open, number })
    }

    /// What is wanted, or what comes nearest, and then a line about it.
    fn open_best(&mut self) -> (Opened, Option<String>) {
        let wanted = self.wanted.clone();
        let rate_hz = self.output.info().sample_rate_hz;
        match self.open(&wanted) {
            Ok(opened) => (opened, None),
            Err(error) => {
                let line = if let OutputChoice::Device(device) = &wanted { format!("{}: {error}", device.name) } else { error };
                let (opened, notice) = self.open_substitute(&line, true, rate_hz);
                (opened, Some(notice))
            }
        }
    }

    /// The system's default in a certain device's place, else the null output, at a given rate, so that what is cached stays good; `line` says why.
    fn open_substitute(&mut self, line: &str, tries_default: bool, rate_hz: u32) -> (Opened, String) {
        if let OutputChoice::Device(_) = &self.wanted
            && tries_default
            && let Ok(opened) = self.open(&OutputChoice::Default)
        {
            let text = format!("{line}; until it can be used, sound goes to {}", opened.open.output.info().name);
            return (opened, text);
        }
        self.last_number += 1;
        let opened = Opened { open: NullOutput::open(rate_hz, &self.shared.status), number: self.last_number };
        (opened, format!("no sound: {line}"))
    }

    /// Lets what sounds fade out, cutting it off clicks, and ends the stream, and with it the mixer. What comes meanwhile waits in the dispatcher.
    pub(super) fn part(&mut self) -> Option<Carried> {
        self.look();
        let carried = self.carried();
        self.parting = carried.as_ref().map(|carried| carried.job.serial);
        let info = self.output.info().clone();
        let ahead = Duration::from_secs_f64(f64::from(BUFFERS_AHEAD * info.buffer_frames) / f64::from(info.sample_rate_hz.max(1)));
        let until = Instant::now() + LONGEST_FADE + ahead;
        let is_heard = self.is_running && self.shared.dispatcher().has_cues();
        while self.is_running && self.shared.dispatcher().has_cues() && Instant::now() < until {
            std::thread::sleep(LOOK_EVERY / 2);
            self.look();
        }
        if is_heard && info.is_audible {
            // It was handed over, and is still to be played.
            std::thread::sleep(ahead);
        }
        // Some devices have room for one stream only: the old one must be gone before the next is opened.
        self.output = Box::new(IdleOutput(info));
        let goes_on = self.parting.take();
        for serial in self.sounding.clone().into_iter().filter(|&serial| goes_on != Some(serial)) {
            self.finish(serial);
        }
        carried
    }

    /// What sounds or is about to, if nothing newer is wanted. It is told to fade out.
    fn carried(&mut self) -> Option<Carried> {
        let status = &self.shared.status;
        let (playing, frame) = (status.playing_serial.load(Relaxed), status.position_frames.load(Relaxed));
        let rate_hz = self.output.info().sample_rate_hz;
        let mut dispatcher = self.shared.dispatcher();
        let waiting = dispatcher.part();
        let generation = dispatcher.generation();
        drop(dispatcher);
        let Sent { job, audio } = self.shared.sent().filter(|sent| sent.job.generation == generation)?;
        let is_waiting = waiting.as_ref().is_some_and(|cue| cue.serial == job.serial);
        drop(waiting);
        if is_waiting {
            return Some(Carried { job, audio, rate_hz });
        }
        let is_playing = playing != NOTHING_PLAYS && playing == job.serial && self.sounding.contains(&playing);
        let from_secs = frame as f64 / f64::from(rate_hz.max(1));
        is_playing.then(|| Carried { job: Job { from_secs, ..job }, audio, rate_hz })
    }

    fn take_over(&mut self, opened: Opened, is_substitute: bool) {
        let Opened { open: OpenOutput { output, link }, number } = opened;
        self.output = output;
        self.number = number;
        self.reports = link.reports;
        self.underruns_before = self.shared.status.underruns();
        self.silent_since = Instant::now();
        self.lacks_output_since = is_substitute.then(Instant::now);
        self.shared.is_substitute.store(is_substitute, Relaxed);
        self.set_running(true);
        self.shared.set_info(self.output.info().clone());
        self.shared.dispatcher().connect(link.commands);
    }

    /// Lets what sounded on the output before go on.
    fn carry_on(&mut self, carried: Option<Carried>) {
        let Some(Carried { job, audio, rate_hz }) = carried else { return };
        if self.output.info().sample_rate_hz != rate_hz {
            // It was decoded for the other rate.
            self.resuming = Some(Resuming { serial: job.serial, generation: job.generation });
            self.shared.jobs.set_unless_newer(job);
        } else if !self.shared.play(&job, &audio, rate_hz) {
            self.finish(job.serial);
        }
    }
}
