//! The real-time side: mixes the voices into the output's buffer.
//!
//! RULE: nothing that [`Mixer::process`] reaches allocates, frees, locks, waits, logs or does I/O. It is called from the audio callback,
//! where one page fault or one contended lock is a drop-out. Cues arrive by a ring; what is done with goes back by a second ring, to be
//! freed by the supervisor: the last reference to a buffer never dies here. `output/device_writer.rs`, which calls it for a device, lists what is
//! reached and names the tests.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use super::segment_audio::SegmentAudio;
use super::status::{MixerStatus, NOTHING_PLAYS};
use super::voice::{FadeCurve, Sounding, Voice};

/// Voices at once: one that sounds, and those before it that still fade out. The next one waits for a free place, at most a fade long.
const VOICE_COUNT: usize = 4;
/// Room for commands between two callbacks; more are merged by the dispatcher, the newest wins.
const COMMAND_SLOTS: usize = 64;
/// Room for reports between two looks of the supervisor. The mixer takes no command whose reports might not fit.
const REPORT_SLOTS: usize = 512;
/// How long the volume takes from silence to full.
const VOLUME_SLEW_SECS: f64 = 0.020;

/// A segment that is ready to sound.
#[derive(Clone, Debug)]
pub struct Cue {
    /// The request's number.
    pub serial: u64,
    /// Its audio at the output's rate.
    pub audio: Arc<SegmentAudio>,
    /// When it was asked for.
    pub requested_at: Instant,
    /// The frame that it begins at: 0, unless it goes on where another output left it.
    pub from_frame: usize,
}

/// To the mixer.
#[derive(Debug)]
pub enum MixerCommand {
    /// Cross-fade from what sounds to this.
    Play(Cue),
    /// Fade out.
    Stop,
}

/// From the mixer.
#[derive(Debug)]
pub enum MixerReport {
    /// The first frame was handed over.
    Started {
        /// The request's number.
        serial: u64,
        /// From request to hand-over.
        latency: Duration,
    },
    /// The cue is done with, whether it ever sounded or not. Exactly one for each `Play`.
    Ended {
        /// The cue, to be dropped by the receiver.
        cue: Cue,
        /// Whether a `Started` came before.
        started: bool,
    },
}

/// The control side's ends of the rings.
#[derive(Debug)]
pub struct MixerLink {
    /// Commands to the mixer.
    pub commands: Producer<MixerCommand>,
    /// Reports from it.
    pub reports: Consumer<MixerReport>,
}

/// Mixes the voices. Lives in the audio callback.
pub struct Mixer {
    commands: Consumer<MixerCommand>,
    reports: Producer<MixerReport>,
    status: Arc<MixerStatus>,
    voices: [Option<Voice>; VOICE_COUNT],
    waiting: Option<Cue>,
    curve: FadeCurve,
    volume: f32,
    volume_step: f32,
    /// The last frame that was handed over.
    last: [f32; 2],
}

/// A mixer for an output of this rate, and the other ends of its rings.
#[must_use]
pub fn mixer_link(sample_rate_hz: u32, status: Arc<MixerStatus>) -> (Mixer, MixerLink) {
    let (command_in, command_out) = RingBuffer::new(COMMAND_SLOTS);
    let (report_in, report_out) = RingBuffer::new(REPORT_SLOTS);
    let mixer = Mixer {
        commands: command_out,
        reports: report_in,
        volume: status.volume(),
        status,
        voices: [const { None }; VOICE_COUNT],
        waiting: None,
        curve: FadeCurve::new(sample_rate_hz),
        volume_step: (1.0 / (f64::from(sample_rate_hz) * VOLUME_SLEW_SECS)).min(1.0) as f32,
        last: [0.0; 2],
    };
    (mixer, MixerLink { commands: command_in, reports: report_out })
}

impl Mixer {
    /// Fills `out`, interleaved stereo `[frames, 2]`, with the next frames. Real time: see the rule above.
    pub fn process(&mut self, out: &mut [f32]) {
        if out.is_empty() {
            return;
        }
        out.fill(0.0);
        self.take_commands();
        self.admit_waiting();
        let loops = self.status.is_looping();
        for place in &mut self.voices {
            let Some(voice) = place else { continue };
            if voice.begins() {
                let report = MixerReport::Started { serial: voice.cue.serial, latency: voice.cue.requested_at.elapsed() };
                send(&mut self.reports, report);
            }
            match voice.add_to(out, &self.curve, loops) {
                Sounding::On => {}
                Sounding::Starved => self.status.count_starved(),
                Sounding::Ended => {
                    if let Some(done) = place.take() {
                        send(&mut self.reports, MixerReport::Ended { cue: done.cue, started: true });
                    }
                }
            }
        }
        self.apply_volume(out);
        self.see_steps(out);
        self.publish();
    }

    /// Drains the ring; of several cues that came since the last call only the newest is kept.
    fn take_commands(&mut self) {
        while self.has_room_for_reports() {
            match self.commands.pop() {
                Ok(MixerCommand::Play(cue)) => self.set_waiting(Some(cue)),
                Ok(MixerCommand::Stop) => {
                    self.set_waiting(None);
                    self.voices.iter_mut().flatten().for_each(Voice::release);
                }
                Err(_) => break,
            }
        }
    }

    /// Each voice can still report its end, the waiting cue and one more their start and their end.
    fn has_room_for_reports(&self) -> bool {
        self.reports.slots() >= 2 * (VOICE_COUNT + 2)
    }

    fn set_waiting(&mut self, cue: Option<Cue>) {
        if let Some(unheard) = std::mem::replace(&mut self.waiting, cue) {
            send(&mut self.reports, MixerReport::Ended { cue: unheard, started: false });
        }
    }

    fn admit_waiting(&mut self) {
        if self.waiting.is_none() {
            return;
        }
        // What sounds makes way at once, even while the newcomer still waits for a place: nothing stale sounds on.
        self.voices.iter_mut().flatten().for_each(Voice::release);
        if let Some(place) = self.voices.iter_mut().find(|place| place.is_none()) {
            *place = self.waiting.take().map(Voice::new);
        }
    }

    fn apply_volume(&mut self, out: &mut [f32]) {
        let target = self.status.volume();
        for frame in out.as_chunks_mut::<2>().0 {
            let step = (target - self.volume).clamp(-self.volume_step, self.volume_step);
            self.volume += step;
            frame[0] *= self.volume;
            frame[1] *= self.volume;
        }
    }

    /// The program measures itself: a click is a step that the music does not have.
    fn see_steps(&mut self, out: &[f32]) {
        let mut largest = 0.0_f32;
        for &frame in out.as_chunks::<2>().0 {
            // `max` passes over what is not a number.
            largest = largest.max((frame[0] - self.last[0]).abs()).max((frame[1] - self.last[1]).abs());
            self.last = frame;
        }
        self.status.see_step(largest);
    }

    fn publish(&self) {
        let current = self.voices.iter().flatten().find(|voice| !voice.is_released());
        self.status.playing_serial.store(current.map_or(NOTHING_PLAYS, |voice| voice.cue.serial), Relaxed);
        self.status.position_frames.store(current.map_or(0, |voice| voice.cursor() as u64), Relaxed);
    }
}

/// Room was checked before the command was taken. Should it be missing all the same, leaking is the only thing that is allowed here:
/// it neither frees nor waits.
fn send(reports: &mut Producer<MixerReport>, report: MixerReport) {
    if let Err(rtrb::PushError::Full(report)) = reports.push(report) {
        debug_assert!(false, "the mixer's reports overflowed");
        std::mem::forget(report);
    }
}
