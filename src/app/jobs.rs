//! Work in the background: one worker, the newest request wins, an older one is told to stop.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::descent_job::{self, DescentFrame, Pilot, Steering};
use super::error::AppError;
use super::projection_job::{Begun, LayoutReady, ProjectionRequest};
use super::search::{SearchOutcome, SearchRequest};
use crate::project::Observer;

/// Between two times that the window is woken for the sake of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Tells a sleeping window that there is something to fetch.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What came of a request: its number, and the layout or what went wrong.
pub type Outcome = (u64, Result<LayoutReady, AppError>);

/// The worker's handle.
pub struct Jobs {
    slot: Arc<Slot>,
    outcomes: Receiver<Outcome>,
    wake: Wake,
    found: (Sender<SearchOutcome>, Receiver<SearchOutcome>),
}

#[derive(Debug, Default)]
struct Slot {
    next: Mutex<Next>,
    changed: Condvar,
    /// The number of the request that is wanted.
    newest: AtomicU64,
    /// How far that one is, in thousandths.
    progress: AtomicU32,
}

#[derive(Debug, Default)]
struct Next {
    request: Option<ProjectionRequest>,
    steering: Steering,
    /// An embedding's layout that was not taken yet.
    frame: Option<DescentFrame>,
    closed: bool,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs {
    /// Starts the worker.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn start(wake: Wake) -> Result<Self, AppError> {
        let slot = Arc::new(Slot::default());
        let (sender, outcomes) = channel();
        let (theirs, their_wake) = (slot.clone(), wake.clone());
        let worker = std::thread::Builder::new().name("projection".into()).spawn(move || work(&theirs, &sender, &their_wake));
        worker.map_err(|error| AppError::Worker(error.to_string()))?;
        Ok(Self { slot, outcomes, wake, found: channel() })
    }

    /// Asks for a layout; what was asked before is dropped.
    pub fn request(&self, request: ProjectionRequest) {
        let mut next = self.slot.lock();
        self.slot.newest.store(request.serial, Ordering::Release);
        self.slot.progress.store(0, Ordering::Relaxed);
        next.steering = Steering { tuning: request.tuning, ..Steering::default() };
        next.frame = None;
        next.request = Some(request);
        self.slot.changed.notify_all();
    }

    /// Wants nothing of what request `serial` has not yet come to.
    pub fn cancel(&self, serial: u64) {
        let mut next = self.slot.lock();
        next.request = None;
        // Numbers are counted from 1, and none is twice the largest.
        let _ = self.slot.newest.compare_exchange(serial, 0, Ordering::AcqRel, Ordering::Relaxed);
        self.slot.changed.notify_all();
    }

    /// Tells the embedding under way what is wanted of it.
    pub fn steer(&self, steering: Steering) {
        self.slot.lock().steering = steering;
        self.slot.changed.notify_all();
    }

    /// Looks for what a text means, on a thread of its own.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn search(&self, request: SearchRequest) -> Result<(), AppError> {
        let (sender, wake) = (self.found.0.clone(), self.wake.clone());
        let search = move || {
            // Nobody listens any more only when the window is closed.
            drop(sender.send(request.run()));
            wake();
        };
        let searcher = std::thread::Builder::new().name("search".into()).spawn(search);
        searcher.map(drop).map_err(|error| AppError::Worker(error.to_string()))
    }

    /// What searches came to since the last call, without waiting.
    pub fn found(&self) -> impl Iterator<Item = SearchOutcome> {
        self.found.1.try_iter()
    }

    /// What is done since the last call, without waiting.
    pub fn finished(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.try_iter()
    }

    /// The newest layout of the embedding under way, once.
    #[must_use]
    pub fn frame(&self) -> Option<DescentFrame> {
        let frame = self.slot.lock().frame.take();
        if frame.is_some() {
            self.slot.changed.notify_all();
        }
        frame
    }

    /// How much of the request is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f32 {
        self.slot.progress.load(Ordering::Relaxed) as f32 / 1000.0
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        let mut next = self.slot.lock();
        self.slot.newest.store(u64::MAX, Ordering::Release);
        next.closed = true;
        self.slot.changed.notify_all();
    }
}

fn work(slot: &Slot, outcomes: &Sender<Outcome>, wake: &Wake) {
    loop {
        let request = {
            let mut next = slot.lock();
            loop {
                if next.closed {
                    return;
                }
                match next.request.take() {
                    Some(request) => break request,
                    None => next = slot.changed.wait(next).unwrap_or_else(PoisonError::into_inner),
                }
            }
        };
        let job = Job { slot, wake, serial: request.serial, told: Mutex::new(Instant::now()) };
        let steering = Steering { tuning: request.tuning, ..Steering::default() };
        let start = Instant::now();
        // Whatever goes wrong with a glance goes wrong with the layout itself, which tells it.
        if let Ok(Some(glance)) = request.glance(&job)
            && !job.cancelled()
        {
            if outcomes.send((request.serial, Ok(glance))).is_err() {
                return;
            }
            wake();
        }
        let outcome = request.begin(true, &job);
        slot.progress.store(1000, Ordering::Relaxed);
        if job.cancelled() {
            continue;
        }
        let (outcome, descent) = match outcome {
            Ok(Begun { ready, descent }) => (Ok(ready), descent),
            Err(error) => (Err(error), None),
        };
        if outcomes.send((request.serial, outcome)).is_err() {
            return;
        }
        wake();
        if let Some(descent) = descent {
            descent_job::run(descent, request.serial, start, steering, &job);
        }
    }
}

/// A request at work: it stops when nobody waits for it any more.
struct Job<'a> {
    slot: &'a Slot,
    wake: &'a Wake,
    serial: u64,
    /// When the window last heard of progress.
    told: Mutex<Instant>,
}

impl Observer for Job<'_> {
    fn progress(&self, fraction: f64) {
        self.slot.progress.store((fraction.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
        let Ok(mut told) = self.told.try_lock() else { return };
        if told.elapsed() >= PROGRESS_EVERY {
            *told = Instant::now();
            (self.wake)();
        }
    }

    fn cancelled(&self) -> bool {
        self.slot.newest.load(Ordering::Acquire) != self.serial
    }
}

impl Pilot for Job<'_> {
    fn steering(&self) -> Steering {
        self.slot.lock().steering
    }

    fn tell(&self, frame: DescentFrame) {
        let mut next = self.slot.lock();
        if !self.cancelled() {
            next.frame = Some(frame);
            drop(next);
            (self.wake)();
        }
    }

    fn wait_until_taken(&self, longest: Duration) {
        let is_there = |next: &mut Next| next.frame.is_some() && !self.cancelled();
        // Whether it was taken or the time is over makes no difference.
        drop(self.slot.changed.wait_timeout_while(self.slot.lock(), longest, is_there));
    }

    fn wait_for_change(&self, known: &Steering) {
        let is_same = |next: &mut Next| next.steering == *known && !self.cancelled();
        drop(self.slot.changed.wait_while(self.slot.lock(), is_same));
    }
}
