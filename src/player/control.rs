//! The handle by which the window plays.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::catalog::SegmentSpan;

use super::cache::SegmentKey;
use super::config::PlayerConfig;
use super::crew::Crew;
use super::event::{AuditionRequest, PlayerEvent};
use super::file_source::FileSource;
use super::jobs::Job;
use super::output::OutputChoice;
use super::output::null::NullOutput;
use super::output::opening::{Opener, open_output};
use super::segment_audio::SegmentAudio;
use super::shared::{Sent, Shared};
use super::source::SegmentSource;
use super::status::{MixerStatus, NOTHING_PLAYS, PlayerStatus};
use super::supervisor::{Beginning, Message, Supervisor};

/// How long a device may take to open before the program goes on without it.
const OPEN_LIMIT: Duration = Duration::from_secs(5);

/// Called when there is something to poll; from the player's threads, never from the audio callback.
pub type WakeFn = Arc<dyn Fn() + Send + Sync>;

/// Plays segments: the newest audition wins, from cache at once, else as soon as it is decoded. Every call returns at once.
pub struct Player {
    shared: Arc<Shared>,
    events: Receiver<PlayerEvent>,
    supervisor: Option<JoinHandle<()>>,
}

impl Player {
    /// Starts the player. Without a device it plays to nowhere, and the second value says so in one line.
    #[must_use]
    pub fn start(choice: OutputChoice, wake: Option<WakeFn>) -> (Self, Option<String>) {
        Self::start_with(choice, PlayerConfig::default(), Arc::new(FileSource::default()), wake)
    }

    /// [`Player::start`] with another configuration and another source of segments.
    #[must_use]
    pub fn start_with(
        choice: OutputChoice,
        config: PlayerConfig,
        source: Arc<dyn SegmentSource>,
        wake: Option<WakeFn>,
    ) -> (Self, Option<String>) {
        let status = Arc::new(MixerStatus::default());
        let begin = |choice| Self::launch(Box::new(open_output), choice, &config, &source, wake.clone(), &status);
        begin(choice).unwrap_or_else(|| {
            // It can still be told to sound elsewhere.
            let (player, _) = begin(OutputChoice::Null).unwrap_or_else(|| Self::without_threads(&status));
            (player, Some("no sound: the sound device does not answer".to_owned()))
        })
    }

    /// A player whose output is driven by hand, call by call: for tests and for measuring.
    #[must_use]
    pub fn start_by_hand(
        sample_rate_hz: u32,
        config: PlayerConfig,
        source: Arc<dyn SegmentSource>,
        wake: Option<WakeFn>,
    ) -> (Self, NullOutput) {
        let status = Arc::new(MixerStatus::default());
        let (output, link) = NullOutput::new(sample_rate_hz, Arc::clone(&status));
        let mut by_hand = Some(link);
        let opener: Opener = Box::new(move |wanted| {
            Ok(match by_hand.take() {
                Some(link) => NullOutput::by_hand(link, sample_rate_hz),
                None => NullOutput::open(sample_rate_hz, wanted.status),
            })
        });
        let launched = Self::launch(opener, OutputChoice::Null, &config, &source, wake, &status);
        let (player, _) = launched.unwrap_or_else(|| Self::without_threads(&status));
        (player, output)
    }

    /// `None` when the output does not open in time, or the system gives no threads.
    pub(super) fn launch(
        opener: Opener,
        wanted: OutputChoice,
        config: &PlayerConfig,
        source: &Arc<dyn SegmentSource>,
        wake: Option<WakeFn>,
        status: &Arc<MixerStatus>,
    ) -> Option<(Self, Option<String>)> {
        let (shared, events, messages) = Shared::new(config, wake, status);
        let (opened_in, opened) = channel();
        let crew = Crew::new(Arc::clone(source), config.patience);
        let beginning = Beginning { shared: Arc::clone(&shared), crew: Arc::clone(&crew), opener, wanted, buffers: config.buffers.clone() };
        let supervisor =
            std::thread::Builder::new().name("player".to_owned()).spawn(move || Supervisor::run(beginning, &messages, &opened_in)).ok()?;
        let notice = opened.recv_timeout(OPEN_LIMIT).ok()?;
        for _ in 0..config.worker_count.max(1) {
            crew.hire(&shared).then_some(())?;
        }
        Some((Self { shared, events, supervisor: Some(supervisor) }, notice))
    }

    /// A system that gives no threads: everything can be called, nothing happens.
    fn without_threads(status: &Arc<MixerStatus>) -> (Self, Option<String>) {
        let (shared, events, _) = Shared::new(&PlayerConfig::default(), None, status);
        (Self { shared, events, supervisor: None }, None)
    }

    /// Lets a segment sound: at once if it is decoded, else as soon as it is, unless a newer audition or a stop came before.
    pub fn audition(&self, request: AuditionRequest) {
        self.audition_since(request, Instant::now());
    }

    /// [`Player::audition`], its latency counted from an earlier moment: the pointer's event.
    pub fn audition_since(&self, request: AuditionRequest, requested_at: Instant) {
        let shared = &self.shared;
        let generation = shared.dispatcher().begin();
        shared.nudge(); // A paused device wakes up while we decode.
        let AuditionRequest { serial, path, span } = request;
        let job = Job { generation, serial, path, span, requested_at, from_secs: 0.0 };
        let rate_hz = shared.rate_hz();
        let found = shared.cache().find(&SegmentKey::new(&job.path, span, rate_hz));
        if let Some(audio) = found {
            shared.cache_hits.fetch_add(1, Relaxed);
            shared.jobs.set(None);
            shared.play(&job, &audio, rate_hz);
        } else {
            shared.cache_misses.fetch_add(1, Relaxed);
            shared.jobs.set(Some(job));
        }
    }

    /// Decodes segments that may be asked for next, the likeliest first, whenever nothing is to be heard that is not decoded yet. Each call takes the
    /// place of the one before it; serials are not used.
    pub fn prefetch(&self, nearby: &[AuditionRequest]) {
        let shared = &self.shared;
        let unknown = nearby.iter().filter(|request| !self.is_cached(&request.path, request.span));
        shared.jobs.set_nearby(unknown.map(|request| (request.path.clone(), request.span)).collect());
    }

    /// Fades out; what is being decoded stays silent.
    pub fn stop(&self) {
        self.shared.jobs.set(None);
        let generation = self.shared.dispatcher().begin();
        self.shared.silence(generation);
    }

    /// Lets the sound go elsewhere from now on. What sounds fades out here and goes on there; [`PlayerEvent::OutputChanged`] tells when it is so.
    pub fn set_output(&self, choice: OutputChoice) {
        self.shared.send(Message::SetOutput(choice));
    }

    /// Sets the volume, an amplitude in 0..1. It glides there within 20 ms.
    pub fn set_volume(&self, volume: f32) {
        self.shared.status.set_volume(volume);
    }

    /// Lets what sounds begin again at its end, without a gap, or end there.
    pub fn set_looping(&self, is_looping: bool) {
        self.shared.status.set_looping(is_looping);
    }

    /// What sounds, and how many seconds of it were handed to the output. Cheap, for every frame.
    #[must_use]
    pub fn playhead(&self) -> Option<(u64, f64)> {
        let status = &self.shared.status;
        let serial = status.playing_serial.load(Relaxed);
        let rate = f64::from(self.shared.rate_hz().max(1));
        (serial != NOTHING_PLAYS).then(|| (serial, status.position_frames.load(Relaxed) as f64 / rate))
    }

    /// The audio of an audition that sounds, which may still be under way, and its rate; `None` once a newer one was sent to sound.
    #[must_use]
    pub fn audio_of(&self, serial: u64) -> Option<(Arc<SegmentAudio>, u32)> {
        let rate = self.shared.rate_hz();
        self.shared.sent().filter(|sent| sent.job.serial == serial).map(|Sent { audio, .. }| (audio, rate))
    }

    /// What happened since the last call. Cheap, for every frame.
    pub fn poll(&mut self) -> Vec<PlayerEvent> {
        self.events.try_iter().collect()
    }

    /// Whether a segment is decoded and would sound at once.
    #[must_use]
    pub fn is_cached(&self, path: &Path, span: SegmentSpan) -> bool {
        let key = self.shared.key(path, span);
        self.shared.cache().find(&key).is_some()
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> PlayerStatus {
        let shared = &self.shared;
        let info = shared.info();
        let serial = shared.status.playing_serial.load(Relaxed);
        PlayerStatus {
            output: info.name,
            is_audible: info.is_audible,
            sample_rate_hz: info.sample_rate_hz,
            buffer_frames: info.buffer_frames,
            asked_frames: info.asked_frames,
            is_substitute: shared.is_substitute.load(Relaxed),
            is_running: shared.output_runs.load(Relaxed),
            playing: (serial != NOTHING_PLAYS).then_some(serial),
            position_secs: shared.status.position_frames.load(Relaxed) as f64 / f64::from(info.sample_rate_hz.max(1)),
            underruns: shared.status.underruns.load(Relaxed),
            starved: shared.status.starved.load(Relaxed),
            largest_step: shared.status.largest_step(),
            cache_hits: shared.cache_hits.load(Relaxed),
            cache_misses: shared.cache_misses.load(Relaxed),
            prefetched: shared.prefetched.load(Relaxed),
            cached_bytes: shared.cache().byte_count(),
            volume: shared.status.volume(),
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.shared.jobs.close();
        self.shared.send(Message::Close);
        if let Some(supervisor) = self.supervisor.take() {
            // Workers are not waited for: one may be deep in a slow file, and holds nothing that must be put away.
            let _ = supervisor.join();
        }
    }
}
