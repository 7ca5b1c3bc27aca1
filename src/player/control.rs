//! The handle by which the window plays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::catalog::SegmentSpan;

use super::cache::{SegmentCache, SegmentKey};
use super::dispatcher::Dispatcher;
use super::error::PlayerError;
use super::event::{AuditionRequest, PlayerEvent};
use super::file_source::FileSource;
use super::jobs::{Job, JobSlot, Work};
use super::mixer::{Cue, MixerCommand};
use super::output::cpal::CpalOutput;
use super::output::null::{HandDrivenOutput, NULL_RATE_HZ, NullOutput};
use super::output::{FIRST_BUFFER_FRAMES, OnTrouble, OpenOutput, OutputInfo};
use super::segment_audio::SegmentAudio;
use super::source::SegmentSource;
use super::status::{MixerStatus, NOTHING_PLAYS, PlayerStatus};
use super::supervisor::{Message, Opener, Supervisor};

/// How long a device may take to open before the program goes on without it.
const OPEN_LIMIT: Duration = Duration::from_secs(5);

/// What is longer is not kept for the next time.
const LONGEST_KEPT_SECS: f64 = 20.0;

/// Called when there is something to poll; from the player's threads, never from the audio callback.
pub type WakeFn = Arc<dyn Fn() + Send + Sync>;

/// Where the sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// The system's default device, or none where there is none.
    Default,
    /// Nowhere, in real time.
    Null,
}

/// What can be set once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayerConfig {
    /// How many bytes of decoded audio are kept. A MusiCNN segment at 48 kHz is 1.15 MB.
    pub cache_bytes: usize,
    /// Frames that are asked of a device at first: what it was seen to take without drop-outs.
    pub first_buffer_frames: u32,
    /// Decode threads. Two, so that the newest request does not wait for a stale one.
    pub worker_count: usize,
    /// How long it is silent before the output is paused, so that an idle window uses no processor.
    pub pause_after: Duration,
}

impl Default for PlayerConfig {
    fn default() -> Self {
        Self { cache_bytes: 128 << 20, first_buffer_frames: FIRST_BUFFER_FRAMES, worker_count: 2, pause_after: Duration::from_secs(4) }
    }
}

/// What the handle, the workers and the supervisor share. No lock is held for longer than a look-up, and none by the real-time side.
pub(super) struct Shared {
    pub(super) status: Arc<MixerStatus>,
    pub(super) is_nudged: AtomicBool,
    pub(super) output_runs: AtomicBool,
    pub(super) pause_after: Duration,
    /// Frames that are asked of the device, which may take another number.
    pub(super) asked_frames: AtomicU32,
    dispatcher: Mutex<Dispatcher>,
    cache: Mutex<SegmentCache>,
    info: Mutex<OutputInfo>,
    jobs: JobSlot,
    events: Sender<PlayerEvent>,
    messages: Sender<Message>,
    wake: Option<WakeFn>,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
    prefetched: AtomicU64,
    /// What was sent to sound last.
    newest: Mutex<Option<(u64, Arc<SegmentAudio>)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn dispatcher(&self) -> MutexGuard<'_, Dispatcher> {
        lock(&self.dispatcher)
    }

    pub(super) fn set_info(&self, info: OutputInfo) {
        *lock(&self.info) = info;
    }

    /// What an output calls when it breaks: the supervisor is told.
    pub(super) fn on_trouble(&self) -> OnTrouble {
        let messages = self.messages.clone();
        Arc::new(move |text| {
            // Nobody listens once the player is being dropped.
            let _ = messages.send(Message::Trouble(text));
        })
    }

    fn key(&self, path: &Path, span: SegmentSpan) -> SegmentKey {
        SegmentKey::new(path, span, lock(&self.info).sample_rate_hz)
    }

    pub(super) fn tell(&self, event: PlayerEvent) {
        // Nobody listens once the player is being dropped.
        let _ = self.events.send(event);
    }

    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }

    /// One message is enough until the supervisor has seen it.
    fn nudge(&self) {
        if !self.is_nudged.swap(true, SeqCst) {
            let _ = self.messages.send(Message::Nudge);
        }
    }

    /// Sends if nothing newer came in the meantime.
    fn send_if_newest(&self, generation: u64, command: MixerCommand) -> bool {
        let cue = if let MixerCommand::Play(cue) = &command { Some((cue.serial, Arc::clone(&cue.audio))) } else { None };
        let mut dispatcher = self.dispatcher();
        let is_newest = dispatcher.is_newest(generation);
        let unsent = if is_newest { dispatcher.send(command) } else { Some(command) };
        // Under the dispatcher's lock, so that an older one cannot take the newest one's place.
        let former = cue.filter(|_| is_newest).and_then(|cue| lock(&self.newest).replace(cue));
        drop(dispatcher);
        drop((unsent, former));
        if is_newest {
            self.nudge();
        }
        is_newest
    }

    fn work(&self, work: Work, source: &dyn SegmentSource) {
        match work {
            Work::Urgent(job) => self.decode(&job, source),
            Work::Nearby(path, span) => {
                self.prefetch(path, span, source);
                self.jobs.prefetched();
            }
        }
    }

    /// Decodes and plays, from the first frames on.
    fn decode(&self, job: &Job, source: &dyn SegmentSource) {
        let rate = lock(&self.info).sample_rate_hz;
        let mut begun = |audio: &Arc<SegmentAudio>| {
            let cue = Cue { serial: job.serial, audio: Arc::clone(audio), requested_at: job.requested_at };
            // Another device may have taken over meanwhile.
            if lock(&self.info).sample_rate_hz == rate {
                self.send_if_newest(job.generation, MixerCommand::Play(cue));
            }
        };
        // What nobody listens to any more is decoded to its end, for the cache, unless something else waits.
        // A long stretch would drive all else out of it.
        let is_short = job.span.duration_secs <= LONGEST_KEPT_SECS;
        let goes_on = || self.dispatcher().is_newest(job.generation) || (is_short && !self.jobs.is_urgent());
        // A decoder that breaks must not take the worker with it. It holds no state that could be left half-way.
        let loaded = catch_unwind(AssertUnwindSafe(|| source.stream(&job.path, job.span, rate, &mut begun, &goes_on)))
            .unwrap_or_else(|_| Err(PlayerError::DecoderBroke { path: job.path.clone() }));
        match loaded {
            Ok(Some(audio)) => {
                if is_short {
                    self.keep(SegmentKey::new(&job.path, job.span, rate), audio);
                }
                // Its decoder gave the whole segment: should it break now, nothing is lost.
                let _ = catch_unwind(AssertUnwindSafe(|| source.learn(&job.path, &goes_on)));
            }
            Ok(None) => {}
            Err(error) => {
                // What sounds belongs to a point that the pointer has left.
                if self.send_if_newest(job.generation, MixerCommand::Stop) {
                    self.tell(PlayerEvent::Failed { serial: job.serial, reason: error.to_string() });
                    self.wake();
                }
            }
        }
    }

    /// Decodes for the cache, and makes way at once for what is to be heard. What fails will say so when it is asked for.
    fn prefetch(&self, path: PathBuf, span: SegmentSpan, source: &dyn SegmentSource) {
        let rate = lock(&self.info).sample_rate_hz;
        let key = SegmentKey::new(&path, span, rate);
        if lock(&self.cache).find(&key).is_some() {
            return;
        }
        let goes_on = || !self.jobs.is_urgent();
        let loaded = catch_unwind(AssertUnwindSafe(|| source.stream(&path, span, rate, &mut |_| {}, &goes_on)));
        if let Ok(Ok(Some(audio))) = loaded {
            self.prefetched.fetch_add(1, Relaxed);
            self.keep(key, audio);
        }
    }

    fn keep(&self, key: SegmentKey, audio: Arc<SegmentAudio>) {
        let gone = lock(&self.cache).insert(key, audio);
        drop(gone);
    }
}

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
        let opener: Opener = match choice {
            OutputChoice::Default => Box::new(open_default),
            OutputChoice::Null => Box::new(|shared, _, _| (NullOutput::open(NULL_RATE_HZ, &shared.status), None)),
        };
        match Self::launch(opener, config, &source, wake.clone(), &status) {
            Some(started) => started,
            None => {
                let silent: Opener = Box::new(|shared, _, _| (NullOutput::open(NULL_RATE_HZ, &shared.status), None));
                let (player, _) = Self::launch(silent, config, &source, wake, &status).unwrap_or_else(|| Self::without_threads(&status));
                (player, Some("no sound: the sound device does not answer".to_owned()))
            }
        }
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
        let opener: Opener = Box::new(move |shared, _, _| match by_hand.take() {
            Some(link) => (OpenOutput { output: Box::new(HandDrivenOutput::new(sample_rate_hz)), link }, None),
            None => (NullOutput::open(sample_rate_hz, &shared.status), None),
        });
        let (player, _) = Self::launch(opener, config, &source, wake, &status).unwrap_or_else(|| Self::without_threads(&status));
        (player, output)
    }

    fn shared(
        config: PlayerConfig,
        wake: Option<WakeFn>,
        status: &Arc<MixerStatus>,
    ) -> (Arc<Shared>, Receiver<PlayerEvent>, Receiver<Message>) {
        let (event_in, events) = channel();
        let (message_in, messages) = channel();
        let info = OutputInfo { name: "none".to_owned(), is_audible: false, sample_rate_hz: NULL_RATE_HZ, buffer_frames: 0 };
        let shared = Shared {
            status: Arc::clone(status),
            is_nudged: AtomicBool::new(false),
            output_runs: AtomicBool::new(false),
            pause_after: config.pause_after,
            asked_frames: AtomicU32::new(config.first_buffer_frames),
            dispatcher: Mutex::new(Dispatcher::new()),
            cache: Mutex::new(SegmentCache::new(config.cache_bytes)),
            info: Mutex::new(info),
            jobs: JobSlot::new(config.worker_count.max(1)),
            events: event_in,
            messages: message_in,
            wake,
            cache_hits: AtomicU64::new(0),
            cache_misses: AtomicU64::new(0),
            prefetched: AtomicU64::new(0),
            newest: Mutex::new(None),
        };
        (Arc::new(shared), events, messages)
    }

    /// `None` when the output does not open in time, or the system gives no threads.
    fn launch(
        opener: Opener,
        config: PlayerConfig,
        source: &Arc<dyn SegmentSource>,
        wake: Option<WakeFn>,
        status: &Arc<MixerStatus>,
    ) -> Option<(Self, Option<String>)> {
        let (shared, events, messages) = Self::shared(config, wake, status);
        let (opened_in, opened) = channel();
        let owned = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("player".to_owned())
            .spawn(move || Supervisor::run(owned, opener, &messages, &opened_in))
            .ok()?;
        let (info, notice) = opened.recv_timeout(OPEN_LIMIT).ok()?;
        shared.set_info(info);
        for _ in 0..config.worker_count.max(1) {
            let (shared, source) = (Arc::clone(&shared), Arc::clone(source));
            let work = move || {
                while let Some(work) = shared.jobs.take() {
                    shared.work(work, &*source);
                }
            };
            std::thread::Builder::new().name("player-decode".to_owned()).spawn(work).ok()?;
        }
        Some((Self { shared, events, supervisor: Some(supervisor) }, notice))
    }

    /// A system that gives no threads: everything can be called, nothing happens.
    fn without_threads(status: &Arc<MixerStatus>) -> (Self, Option<String>) {
        let (shared, events, _) = Self::shared(PlayerConfig::default(), None, status);
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
        let key = shared.key(&path, span);
        if let Some(audio) = lock(&shared.cache).find(&key) {
            shared.cache_hits.fetch_add(1, Relaxed);
            shared.jobs.set(None);
            shared.send_if_newest(generation, MixerCommand::Play(Cue { serial, audio, requested_at }));
        } else {
            shared.cache_misses.fetch_add(1, Relaxed);
            shared.jobs.set(Some(Job { generation, serial, path, span, requested_at }));
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
        self.shared.send_if_newest(generation, MixerCommand::Stop);
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
        let rate = f64::from(lock(&self.shared.info).sample_rate_hz.max(1));
        (serial != NOTHING_PLAYS).then(|| (serial, status.position_frames.load(Relaxed) as f64 / rate))
    }

    /// The audio of an audition that sounds, which may still be under way, and its rate; `None` once a newer one was sent to sound.
    #[must_use]
    pub fn audio_of(&self, serial: u64) -> Option<(Arc<SegmentAudio>, u32)> {
        let rate = lock(&self.shared.info).sample_rate_hz;
        lock(&self.shared.newest).as_ref().filter(|(newest, _)| *newest == serial).map(|(_, audio)| (Arc::clone(audio), rate))
    }

    /// What happened since the last call. Cheap, for every frame.
    pub fn poll(&mut self) -> Vec<PlayerEvent> {
        self.events.try_iter().collect()
    }

    /// Whether a segment is decoded and would sound at once.
    #[must_use]
    pub fn is_cached(&self, path: &Path, span: SegmentSpan) -> bool {
        let key = self.shared.key(path, span);
        lock(&self.shared.cache).find(&key).is_some()
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> PlayerStatus {
        let shared = &self.shared;
        let info = lock(&shared.info).clone();
        let serial = shared.status.playing_serial.load(Relaxed);
        PlayerStatus {
            output: info.name,
            is_audible: info.is_audible,
            sample_rate_hz: info.sample_rate_hz,
            buffer_frames: info.buffer_frames,
            asked_frames: shared.asked_frames.load(Relaxed),
            is_running: shared.output_runs.load(Relaxed),
            playing: (serial != NOTHING_PLAYS).then_some(serial),
            position_secs: shared.status.position_frames.load(Relaxed) as f64 / f64::from(info.sample_rate_hz.max(1)),
            underruns: shared.status.underruns.load(Relaxed),
            starved: shared.status.starved.load(Relaxed),
            largest_step: shared.status.largest_step(),
            cache_hits: shared.cache_hits.load(Relaxed),
            cache_misses: shared.cache_misses.load(Relaxed),
            prefetched: shared.prefetched.load(Relaxed),
            cached_bytes: lock(&shared.cache).byte_count(),
            volume: shared.status.volume(),
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.shared.jobs.close();
        let _ = self.shared.messages.send(Message::Close);
        if let Some(supervisor) = self.supervisor.take() {
            // Workers are not waited for: one may be deep in a slow file, and holds nothing that must be put away.
            let _ = supervisor.join();
        }
    }
}

fn open_default(shared: &Shared, on_trouble: &OnTrouble, buffer_frames: u32) -> (OpenOutput, Option<String>) {
    match CpalOutput::open(&shared.status, on_trouble, buffer_frames) {
        Ok(open) => (open, None),
        Err(error) => (NullOutput::open(NULL_RATE_HZ, &shared.status), Some(format!("no sound: {error}"))),
    }
}
