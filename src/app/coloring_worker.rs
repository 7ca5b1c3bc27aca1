//! The thread that makes colours: the newest request wins, an older one is told to stop.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::coloring::ColoringOutcome;
use super::coloring_job::ColoringRequest;
use super::error::AppError;
use super::jobs::Wake;
use crate::project::Observer;

/// Between two times that the window is woken for the sake of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// The number of no request.
const NONE: u64 = 0;

/// The thread's handle.
#[derive(Debug)]
pub struct ColoringWorker {
    slot: Arc<Slot>,
    outcomes: Receiver<ColoringOutcome>,
}

#[derive(Debug, Default)]
struct Slot {
    next: Mutex<Next>,
    changed: Condvar,
    newest: AtomicU64,
    /// In thousandths.
    progress: AtomicU32,
}

#[derive(Debug, Default)]
struct Next {
    request: Option<ColoringRequest>,
    is_closed: bool,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ColoringWorker {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives none.
    pub fn start(wake: Wake) -> Result<Self, AppError> {
        let slot = Arc::new(Slot::default());
        let (sender, outcomes) = channel();
        let theirs = slot.clone();
        let worker = std::thread::Builder::new().name("colours".into()).spawn(move || work(&theirs, &sender, &wake));
        worker.map_err(|error| AppError::Worker(error.to_string()))?;
        Ok(Self { slot, outcomes })
    }

    /// Asks for colours; what was asked before is dropped.
    pub fn request(&self, request: ColoringRequest) {
        let mut next = self.slot.lock();
        self.slot.newest.store(request.serial, Ordering::Release);
        self.slot.progress.store(0, Ordering::Relaxed);
        next.request = Some(request);
        self.slot.changed.notify_all();
    }

    /// Wants nothing of what has not come yet.
    pub fn cancel(&self) {
        self.slot.lock().request = None;
        self.slot.newest.store(NONE, Ordering::Release);
    }

    /// What is done since the last call, without waiting.
    #[must_use]
    pub fn finished(&self) -> Vec<ColoringOutcome> {
        self.outcomes.try_iter().collect()
    }

    /// How much of the request is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f32 {
        self.slot.progress.load(Ordering::Relaxed) as f32 / 1000.0
    }
}

impl Drop for ColoringWorker {
    fn drop(&mut self) {
        self.cancel();
        self.slot.lock().is_closed = true;
        self.slot.changed.notify_all();
    }
}

fn work(slot: &Slot, outcomes: &Sender<ColoringOutcome>, wake: &Wake) {
    loop {
        let request = {
            let mut next = slot.lock();
            loop {
                if next.is_closed {
                    return;
                }
                match next.request.take() {
                    Some(request) => break request,
                    None => next = slot.changed.wait(next).unwrap_or_else(PoisonError::into_inner),
                }
            }
        };
        let job = Job { slot, wake, serial: request.serial, told: Mutex::new(Instant::now()) };
        let outcome = request.run(&job);
        if job.cancelled() {
            continue;
        }
        if outcomes.send((request.serial, outcome)).is_err() {
            return;
        }
        wake();
    }
}

/// A request at work.
struct Job<'a> {
    slot: &'a Slot,
    wake: &'a Wake,
    serial: u64,
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
