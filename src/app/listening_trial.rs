//! A trial of listening: a pointer that sweeps over segments and rests on some, as a listener's does, measured audition by audition.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::sound_memory;
use crate::catalog::SegmentSpan;
use crate::player::{
    AuditionRequest, FileSource, GoOn, OutputChoice, Player, PlayerConfig, PlayerError, PlayerEvent, SegmentAudio, SegmentSource,
    TellBegun, TrackNotes,
};
use crate::seed::SplitMix64;

/// Length of a segment in seconds: MusiCNN's and VGG's.
const SEGMENT_SECS: f64 = 2.992;
/// How long an audition is waited for before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the pointer rests on a segment, in microseconds: so uneven that auditions do not fall into step with the device's buffers.
const REST_US: std::ops::Range<u64> = 20_000..150_000;
/// Rests between two sweeps.
const RESTS: u64 = 8;
/// Points of a sweep, and from one to the next: over a thousand a second.
const SWEEP: (u64, Duration) = (200, Duration::from_micros(800));
/// Segments that were heard last and are taken for the cached auditions; fewer than the cache holds.
const HEARD: usize = 40;
/// Between two looks for events.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// A track of the trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialTrack {
    /// Its file.
    pub path: PathBuf,
    /// Its length in seconds.
    pub duration_secs: f64,
}

/// What is swept over, where it is played, and for how long.
#[derive(Clone)]
pub struct ListeningTrial {
    /// The tracks; each audition is of any stretch of any of them.
    pub tracks: Vec<TrialTrack>,
    /// What is known of the tracks beforehand. The trial adds nothing to it.
    pub notes: Arc<dyn TrackNotes>,
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
}

/// Files, and the largest step in what came from them.
struct MeasuredSource {
    files: FileSource,
    step_bits: AtomicU32,
}

impl SegmentSource for MeasuredSource {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        self.files.load(path, span, sample_rate_hz)
    }

    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        let audio = self.files.stream(path, span, sample_rate_hz, begun, goes_on)?;
        if let Some(audio) = &audio {
            let step = |pair: &[[f32; 2]]| (pair[1][0] - pair[0][0]).abs().max((pair[1][1] - pair[0][1]).abs());
            let largest = audio.frames().windows(2).map(step).fold(0.0_f32, f32::max);
            // Bits of floats that are not negative are ordered as the floats are.
            self.step_bits.fetch_max(largest.to_bits(), Relaxed);
        }
        Ok(audio)
    }
}

struct Run<'t> {
    trial: &'t ListeningTrial,
    player: Player,
    random: SplitMix64,
    serial: u64,
    heard: Vec<(PathBuf, SegmentSpan)>,
    times: ListeningTimes,
}

impl ListeningTrial {
    /// Sweeps, rests and measures, in real time. `should_stop` is asked between two rests.
    #[must_use]
    pub fn run(&self, should_stop: impl Fn() -> bool) -> ListeningTimes {
        let source = Arc::new(MeasuredSource { files: FileSource::with_notes(Arc::clone(&self.notes)), step_bits: AtomicU32::new(0) });
        let config = PlayerConfig { first_buffer_frames: sound_memory::buffer_frames(), ..PlayerConfig::default() };
        let (player, notice) = Player::start_with(self.output, config, Arc::clone(&source) as Arc<dyn SegmentSource>, None);
        let times = ListeningTimes { notices: notice.into_iter().collect(), ..ListeningTimes::default() };
        let mut run = Run { trial: self, player, random: SplitMix64::new(0), serial: 0, heard: Vec::new(), times };
        let began = Instant::now();
        while began.elapsed() < self.duration && !self.tracks.is_empty() && !should_stop() {
            for number in 0..RESTS {
                run.rest(number % 2 == 1);
            }
            run.sweep();
        }
        let status = run.player.status();
        sound_memory::keep(status.asked_frames);
        ListeningTimes {
            output: status.output,
            sample_rate_hz: status.sample_rate_hz,
            buffer_frames: status.buffer_frames,
            underruns: status.underruns,
            starved: status.starved,
            largest_step: status.largest_step,
            music_step: f32::from_bits(source.step_bits.load(Relaxed)),
            ..run.times
        }
    }
}

impl Run<'_> {
    /// A stretch that was, with all likelihood, never asked for before.
    fn unheard(&mut self) -> (PathBuf, SegmentSpan) {
        let track = &self.trial.tracks[self.random.next_below(self.trial.tracks.len() as u64) as usize];
        let start_secs = f64::from(self.random.next_f32()) * (track.duration_secs - SEGMENT_SECS).max(0.0);
        (track.path.clone(), SegmentSpan { start_secs, duration_secs: SEGMENT_SECS })
    }

    fn heard(&mut self) -> Option<(PathBuf, SegmentSpan)> {
        let place = self.random.next_below(self.heard.len().max(1) as u64) as usize;
        self.heard.get(place).filter(|(path, span)| self.player.is_cached(path, *span)).cloned()
    }

    fn audition(&mut self, (path, span): (PathBuf, SegmentSpan)) {
        self.serial += 1;
        self.player.audition(AuditionRequest { serial: self.serial, path, span });
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

    /// The pointer comes to rest on a segment.
    fn rest(&mut self, is_cached: bool) {
        let cached = if is_cached { self.heard() } else { None };
        let was_cached = cached.is_some();
        let point = cached.unwrap_or_else(|| self.unheard());
        self.audition(point.clone());
        if let Some(latency_ms) = self.wait() {
            if was_cached {
                self.times.cached_ms.push(latency_ms);
            } else {
                self.times.cold_ms.push(latency_ms);
                self.heard.push(point);
                if self.heard.len() > HEARD {
                    self.heard.remove(0);
                }
            }
        }
        std::thread::sleep(Duration::from_micros(REST_US.start + self.random.next_below(REST_US.end - REST_US.start)));
    }

    /// The pointer passes over points, known and unknown ones, faster than they can sound.
    fn sweep(&mut self) {
        for number in 0..SWEEP.0 {
            let known = if number % 3 == 0 { None } else { self.heard() };
            let point = known.unwrap_or_else(|| self.unheard());
            self.audition(point);
            std::thread::sleep(SWEEP.1);
        }
        self.times.swept += SWEEP.0;
    }
}
