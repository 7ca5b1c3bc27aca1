//! Hours of listening in minutes: the trial's pointer over a player whose output is driven by hand, as fast as the machine can.
//!
//! Player, supervisor, decode threads, mixer, rings and cache are the program's own; the sound device and time are simulated. The simulated clock goes on by a
//! buffer of 256 frames at a time, and stands still before each one until
//!
//! * the newest audition has its first frames, or has failed, and as much more is decoded of it as the buffer takes;
//! * when the pointer rests: the supervisor has told that its segment sounds, and in the time that a rest is in life, the segment is decoded whole
//!   and the one after it decoded ahead.
//!
//! So this shows what does not depend on time: that memory stays flat, that no thread, cue, report or buffer is lost, that the cache keeps to its limit, that
//! nothing clicks. It hides all that comes from being late: drop-outs of a device by scheduling, decoding that is too slow, and latencies;
//! `tagscape bench audio` measures those in real time. It is harder than life in one thing: in a sweep a segment sounds in each buffer, whatever its
//! decoding took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::measured_source::MeasuredSource;
use super::record::{ListeningMark, ListeningRecord};
use super::step_watch::StepWatch;
use super::trial_pointer::{Touch, TrialPointer};
use super::{PATIENCE, TrialMusic};
use crate::app::process_figures::ProcessFigures;
use crate::player::output::null::NULL_RATE_HZ;
use crate::player::{AuditionRequest, NullOutput, Player, PlayerConfig, PlayerEvent, SegmentAudio, SegmentSource};

/// Frames of a buffer.
const BUFFER_FRAMES: usize = 256;
/// Decoded frames that the newest audition has ahead of a buffer: the buffer and a fade, and some.
const AHEAD_FRAMES: usize = 2 * BUFFER_FRAMES + 480;
/// Buffers within which what is rested on begins: a fade, in which all voices may be taken.
const BEGINS_WITHIN: usize = 8;
/// Segments that are to be decoded ahead at each rest; one of them is waited for, for as long as the pointer rests in life.
const NEAR: u32 = 6;
/// Between two looks while the clock stands still.
const LOOK_EVERY: Duration = Duration::from_micros(100);
/// The last fade, and what may wait before it, in buffers.
const LAST_BUFFERS: usize = 16;

/// What is listened to, and for how long.
#[derive(Clone)]
pub struct SimulatedListening {
    /// The tracks, and what is known of them.
    pub music: TrialMusic,
    /// Simulated time.
    pub duration: Duration,
    /// Simulated time from a mark to the next.
    pub mark_every: Duration,
    /// The player's.
    pub config: PlayerConfig,
}

struct Run {
    player: Player,
    output: NullOutput,
    source: Arc<MeasuredSource>,
    pointer: TrialPointer,
    steps: StepWatch,
    serial: u64,
    /// Whether the newest audition failed.
    has_failed: bool,
    /// The newest that began to sound.
    last_started: u64,
    /// Simulated time that is not handed over yet.
    owed: Duration,
    frames: u64,
    mark: ListeningMark,
    failures: Vec<String>,
}

impl SimulatedListening {
    /// Sweeps and rests. `tell` gets each mark as it is made.
    #[must_use]
    pub fn run(&self, mut tell: impl FnMut(&ListeningMark)) -> ListeningRecord {
        let mut run = Run::start(self);
        let mut record = ListeningRecord { cache_bytes: self.config.cache_bytes, ..ListeningRecord::default() };
        let mut due = self.mark_every;
        while run.time() < self.duration && run.failures.is_empty() {
            let Some(touch) = run.pointer.next(|path, span| run.player.is_cached(path, span)) else { break };
            run.touch(&touch);
            if run.time() >= due {
                due += self.mark_every;
                record.marks.push(run.mark());
                record.marks.last().iter().for_each(|mark| tell(mark));
            }
        }
        run.end();
        record.marks.push(run.mark());
        record.failures = run.failures;
        record
    }
}

impl Run {
    fn start(listening: &SimulatedListening) -> Self {
        let source = Arc::new(MeasuredSource::new(&listening.music));
        let shared = Arc::clone(&source) as Arc<dyn SegmentSource>;
        let (player, output) = Player::start_by_hand(NULL_RATE_HZ, listening.config.clone(), shared, None);
        Self {
            player,
            output,
            source,
            pointer: TrialPointer::new(listening.music.tracks.clone()),
            steps: StepWatch::new(NULL_RATE_HZ),
            serial: 0,
            has_failed: false,
            last_started: 0,
            owed: Duration::ZERO,
            frames: 0,
            mark: ListeningMark::default(),
            failures: Vec::new(),
        }
    }

    /// Simulated time since the beginning.
    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.frames as f64 / f64::from(NULL_RATE_HZ))
    }

    /// The pointer comes onto a segment, and stays.
    fn touch(&mut self, touch: &Touch) {
        self.serial += 1;
        self.mark.auditions += 1;
        self.has_failed = false;
        self.player.audition(AuditionRequest { serial: self.serial, path: touch.path.clone(), span: touch.span });
        if touch.is_rest {
            self.rest(touch);
        }
        self.owed += touch.stay;
        let buffer = Duration::from_secs_f64(BUFFER_FRAMES as f64 / f64::from(NULL_RATE_HZ));
        while self.owed >= buffer {
            self.owed -= buffer;
            self.hand_over();
        }
    }

    /// The pointer rests on what it came onto.
    fn rest(&mut self, touch: &Touch) {
        let near = self.pointer.after(touch, NEAR);
        self.player
            .prefetch(&near.iter().map(|(path, span)| AuditionRequest { serial: 0, path: path.clone(), span: *span }).collect::<Vec<_>>());
        self.mark.rests += 1;
        if !self.begins() {
            return;
        }
        self.mark.sounded += 1;
        self.pointer.keep(touch);
        self.stand_still_until("decoded whole", |run| run.has_failed || run.newest().is_none_or(|(audio, _)| !audio.progress().1));
        if let Some((path, span)) = near.first() {
            let until = Instant::now() + touch.stay;
            while !self.player.is_cached(path, *span) && Instant::now() < until {
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }

    /// The audio of the newest audition and its rate, once it was sent to sound.
    fn newest(&self) -> Option<(Arc<SegmentAudio>, u32)> {
        self.player.audio_of(self.serial)
    }

    /// Whether the newest audition sounds within some buffers, and the supervisor says so.
    fn begins(&mut self) -> bool {
        for _ in 0..BEGINS_WITHIN {
            self.hand_over();
            if self.has_failed || self.player.playhead().is_some_and(|(serial, _)| serial == self.serial) {
                break;
            }
        }
        self.stand_still_until("said to sound", |run| run.has_failed || run.last_started == run.serial);
        !self.has_failed && self.last_started == self.serial
    }

    /// The next buffer, once there is something to put into it.
    fn hand_over(&mut self) {
        self.stand_still_until("decoded", Self::is_decoded);
        if !self.steps.knows(self.serial)
            && let Some((audio, _)) = self.newest()
        {
            self.steps.expect(self.serial, audio);
        }
        let buffer = self.output.process(BUFFER_FRAMES);
        self.frames += BUFFER_FRAMES as u64;
        let playing = self.player.playhead().map(|(serial, _)| serial);
        self.steps.see(buffer, self.serial, playing);
        self.hear();
    }

    /// Whether the newest audition has what the next buffer takes, or never will.
    fn is_decoded(&self) -> bool {
        if self.has_failed || self.serial == 0 {
            return true;
        }
        let Some((audio, rate_hz)) = self.newest() else { return false };
        let at = self.player.playhead().filter(|(serial, _)| *serial == self.serial).map_or(0.0, |(_, secs)| secs);
        let (ready, more_comes) = audio.progress();
        !more_comes || ready >= (at * f64::from(rate_hz)).round() as usize + AHEAD_FRAMES
    }

    fn stand_still_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        self.hear();
        while !is_so(self) {
            if Instant::now() > until {
                let secs = PATIENCE.as_secs();
                self.failures.push(format!(
                    "audition {} was not {what} within {secs} s, at {:.3} s",
                    self.serial,
                    self.time().as_secs_f64()
                ));
                self.has_failed = true;
                break;
            }
            std::thread::sleep(LOOK_EVERY);
            self.hear();
        }
    }

    /// Takes what the player tells.
    fn hear(&mut self) {
        for event in self.player.poll() {
            match event {
                PlayerEvent::Started { serial, .. } => {
                    self.mark.started += 1;
                    self.last_started = serial;
                }
                PlayerEvent::Finished { .. } => self.mark.finished += 1,
                PlayerEvent::Failed { serial, reason } => {
                    self.mark.failed += 1;
                    self.failures.push(reason);
                    self.has_failed |= serial == self.serial;
                }
                PlayerEvent::OutputChanged { name, .. } => self.failures.push(format!("the output changed to {name}")),
                PlayerEvent::Notice { text } => self.failures.push(text),
            }
        }
    }

    /// Stops what sounds, and waits until all that sounded is told to have ended.
    fn end(&mut self) {
        self.player.stop();
        (0..LAST_BUFFERS).for_each(|_| {
            let buffer = self.output.process(BUFFER_FRAMES);
            self.steps.see(buffer, self.serial, None);
        });
        self.stand_still_until("told to have ended", |run| run.mark.finished == run.mark.started);
    }

    /// How it stands.
    fn mark(&self) -> ListeningMark {
        let status = self.player.status();
        ListeningMark {
            secs: self.time().as_secs_f64(),
            figures: ProcessFigures::now(),
            cached_bytes: status.cached_bytes,
            prefetched: status.prefetched,
            starved: status.starved,
            largest_step: status.largest_step,
            music_step: self.source.music_step(),
            step_share: self.steps.share(),
            ..self.mark
        }
    }
}
