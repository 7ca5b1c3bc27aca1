//! A trial of listening: a pointer that sweeps over segments and rests on some, as a listener's does, measured audition by audition in real
//! time. [`simulated`] goes the same way faster than time, for hours.

mod measured_source;
pub mod record;
pub mod simulated;
mod step_watch;
mod trial_music;
mod trial_pointer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::measured_source::MeasuredSource;
pub use self::trial_music::{TrialMusic, TrialTrack};
use self::trial_pointer::{Touch, TrialPointer};
use super::process_figures::ProcessFigures;
use super::sound_memory;
use crate::player::{AuditionRequest, OutputChoice, Player, PlayerConfig, PlayerEvent, SegmentSource};

/// How long an audition is waited for before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks for events.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// What is swept over, where it is played, and for how long.
#[derive(Clone)]
pub struct ListeningTrial {
    /// The tracks, and what is known of them.
    pub music: TrialMusic,
    /// Where to.
    pub output: OutputChoice,
    /// How long.
    pub duration: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct ListeningTimes {
    /// The output's name.
    pub output: String,
    /// Its rate.
    pub sample_rate_hz: u32,
    /// Frames that it asks for at a time.
    pub buffer_frames: u32,
    /// From the audition to its first frame handed to the output, in milliseconds, of segments that were decoded before.
    pub cached_ms: Vec<f64>,
    /// The same of segments that were not: opening, seeking and decoding are in it.
    pub cold_ms: Vec<f64>,
    /// Points that sweeps went over.
    pub swept: u64,
    /// Drop-outs of the output.
    pub underruns: u64,
    /// Buffers in which a segment was silent because decoding was behind.
    pub starved: u64,
    /// The largest step from a sample to the next of its channel that was handed to the output.
    pub largest_step: f32,
    /// The largest in the segments that were decoded.
    pub music_step: f32,
    /// Why auditions failed: the first of each file.
    pub failures: Vec<String>,
    /// What the player had to say, above all that there is no device.
    pub notices: Vec<String>,
    /// Memory and threads at the end, before the player was let go; `None` on systems that do not say.
    pub figures: Option<ProcessFigures>,
}

struct Run {
    player: Player,
    pointer: TrialPointer,
    serial: u64,
    times: ListeningTimes,
}

impl ListeningTrial {
    /// Sweeps, rests and measures, in real time. `should_stop` is asked between two rounds of rests and a sweep.
    #[must_use]
    pub fn run(&self, should_stop: impl Fn() -> bool) -> ListeningTimes {
        let source = Arc::new(MeasuredSource::new(&self.music));
        let config = PlayerConfig { buffers: sound_memory::buffers(), ..PlayerConfig::default() };
        let (player, notice) = Player::start_with(self.output.clone(), config, Arc::clone(&source) as Arc<dyn SegmentSource>, None);
        let times = ListeningTimes { notices: notice.into_iter().collect(), ..ListeningTimes::default() };
        let mut run = Run { player, pointer: TrialPointer::new(self.music.tracks.clone()), serial: 0, times };
        let began = Instant::now();
        while !(run.pointer.begins_round() && (began.elapsed() >= self.duration || should_stop())) {
            let Some(touch) = run.pointer.next(|path, span| run.player.is_cached(path, span)) else { break };
            run.touch(&touch);
        }
        let status = run.player.status();
        sound_memory::keep_buffer(&status.output, status.asked_frames);
        ListeningTimes {
            output: status.output,
            sample_rate_hz: status.sample_rate_hz,
            buffer_frames: status.buffer_frames,
            underruns: status.underruns,
            starved: status.starved,
            largest_step: status.largest_step,
            music_step: source.music_step(),
            figures: ProcessFigures::now(),
            ..run.times
        }
    }
}

impl Run {
    /// The pointer comes onto a segment, and stays.
    fn touch(&mut self, touch: &Touch) {
        self.serial += 1;
        self.player.audition(AuditionRequest { serial: self.serial, path: touch.path.clone(), span: touch.span });
        if !touch.is_rest {
            self.times.swept += 1;
        } else if let Some(latency_ms) = self.wait() {
            self.pointer.keep(touch);
            if touch.is_cached { self.times.cached_ms.push(latency_ms) } else { self.times.cold_ms.push(latency_ms) }
        }
        std::thread::sleep(touch.stay);
    }

    /// Waits for the newest audition; its latency, or `None` where it failed.
    fn wait(&mut self) -> Option<f64> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            for event in self.player.poll() {
                match event {
                    PlayerEvent::Started { serial, latency_ms } if serial == self.serial => return Some(latency_ms),
                    PlayerEvent::Failed { serial, reason } => {
                        if !self.times.failures.contains(&reason) {
                            self.times.failures.push(reason);
                        }
                        if serial == self.serial {
                            return None;
                        }
                    }
                    PlayerEvent::Notice { text } => self.times.notices.push(text),
                    _ => {}
                }
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.times.failures.push(format!("an audition was not answered within {} s", PATIENCE.as_secs()));
        None
    }
}
