//! What the handle, the decode workers and the supervisor share. No lock is held for longer than a look-up, and none by the real-time side.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::catalog::SegmentSpan;

use super::cache::{SegmentCache, SegmentKey};
use super::config::PlayerConfig;
use super::control::WakeFn;
use super::dispatcher::Dispatcher;
use super::event::PlayerEvent;
use super::jobs::{Job, JobSlot};
use super::mixer::{Cue, MixerCommand};
use super::output::null::NULL_RATE_HZ;
use super::output::{OnTrouble, OutputInfo};
use super::segment_audio::SegmentAudio;
use super::status::MixerStatus;
use super::supervisor::Message;

/// See the file's header.
pub(super) struct Shared {
    pub(super) status: Arc<MixerStatus>,
    pub(super) is_nudged: AtomicBool,
    pub(super) output_runs: AtomicBool,
    /// Whether the output is not the one that is wanted.
    pub(super) is_substitute: AtomicBool,
    pub(super) pause_after: Duration,
    pub(super) jobs: JobSlot,
    pub(super) cache_hits: AtomicU64,
    pub(super) cache_misses: AtomicU64,
    pub(super) prefetched: AtomicU64,
    dispatcher: Mutex<Dispatcher>,
    cache: Mutex<SegmentCache>,
    info: Mutex<OutputInfo>,
    events: Sender<PlayerEvent>,
    messages: Sender<Message>,
    wake: Option<WakeFn>,
    sent: Mutex<Option<Sent>>,
}

/// What was sent to sound last.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) job: Job,
    pub(super) audio: Arc<SegmentAudio>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// For an output that is still to be opened, and the other ends of what is told by it and to it.
    pub(super) fn new(
        config: &PlayerConfig,
        wake: Option<WakeFn>,
        status: &Arc<MixerStatus>,
    ) -> (Arc<Self>, Receiver<PlayerEvent>, Receiver<Message>) {
        let (event_in, events) = channel();
        let (message_in, messages) = channel();
        let name = "none".to_owned();
        let info = OutputInfo { name, is_audible: false, sample_rate_hz: NULL_RATE_HZ, buffer_frames: 0, asked_frames: 0 };
        let shared = Self {
            status: Arc::clone(status),
            is_nudged: AtomicBool::new(false),
            output_runs: AtomicBool::new(false),
            is_substitute: AtomicBool::new(false),
            pause_after: config.pause_after,
            jobs: JobSlot::new(config.worker_count.max(1)),
            cache_hits: AtomicU64::new(0),
            cache_misses: AtomicU64::new(0),
            prefetched: AtomicU64::new(0),
            dispatcher: Mutex::new(Dispatcher::new()),
            cache: Mutex::new(SegmentCache::new(config.cache_bytes)),
            info: Mutex::new(info),
            events: event_in,
            messages: message_in,
            wake,
            sent: Mutex::new(None),
        };
        (Arc::new(shared), events, messages)
    }

    pub(super) fn dispatcher(&self) -> MutexGuard<'_, Dispatcher> {
        lock(&self.dispatcher)
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, SegmentCache> {
        lock(&self.cache)
    }

    pub(super) fn info(&self) -> OutputInfo {
        lock(&self.info).clone()
    }

    pub(super) fn rate_hz(&self) -> u32 {
        lock(&self.info).sample_rate_hz
    }

    pub(super) fn set_info(&self, info: OutputInfo) {
        *lock(&self.info) = info;
    }

    pub(super) fn sent(&self) -> Option<Sent> {
        lock(&self.sent).clone()
    }

    /// What output `number` calls when it breaks: the supervisor is told.
    pub(super) fn on_trouble(&self, number: u64) -> OnTrouble {
        let messages = self.messages.clone();
        Arc::new(move |text| {
            // Nobody listens once the player is being dropped.
            let _ = messages.send(Message::Trouble { number, text });
        })
    }

    pub(super) fn key(&self, path: &Path, span: SegmentSpan) -> SegmentKey {
        SegmentKey::new(path, span, self.rate_hz())
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

    /// To the supervisor.
    pub(super) fn send(&self, message: Message) {
        let _ = self.messages.send(message);
    }

    /// One message is enough until the supervisor has seen it.
    pub(super) fn nudge(&self) {
        if !self.is_nudged.swap(true, SeqCst) {
            self.send(Message::Nudge);
        }
    }

    /// Lets decoded audio, of this rate, sound, unless something newer came in the meantime.
    pub(super) fn play(&self, job: &Job, audio: &Arc<SegmentAudio>, rate_hz: u32) -> bool {
        let from_frame = (job.from_secs * f64::from(rate_hz)).round().max(0.0) as usize;
        let cue = Cue { serial: job.serial, audio: Arc::clone(audio), requested_at: job.requested_at, from_frame };
        let sent = Sent { job: job.clone(), audio: Arc::clone(audio) };
        self.send_if_newest(job.generation, MixerCommand::Play(cue), Some(sent))
    }

    /// Lets what sounds fade out, unless something newer came in the meantime.
    pub(super) fn silence(&self, generation: u64) -> bool {
        self.send_if_newest(generation, MixerCommand::Stop, None)
    }

    fn send_if_newest(&self, generation: u64, command: MixerCommand, sent: Option<Sent>) -> bool {
        let mut dispatcher = self.dispatcher();
        let is_newest = dispatcher.is_newest(generation);
        let unsent = if is_newest { dispatcher.send(command) } else { Some(command) };
        // Under the dispatcher's lock, so that an older one cannot take the newest one's place.
        let former = sent.filter(|_| is_newest).and_then(|sent| lock(&self.sent).replace(sent));
        drop(dispatcher);
        drop((unsent, former));
        if is_newest {
            self.nudge();
        }
        is_newest
    }
}
