//! Work in the background: one worker, the newest request wins, an older one is told to stop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::error::AppError;
use super::projection_job::{LayoutReady, ProjectionRequest};
use crate::project::Observer;

/// Tells a sleeping window that there is something to fetch.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What came of a request: its number, and the layout or what went wrong.
pub type Outcome = (u64, Result<LayoutReady, AppError>);

/// The worker's handle.
#[derive(Debug)]
pub struct Jobs {
    slot: Arc<Slot>,
    outcomes: Receiver<Outcome>,
}

#[derive(Debug, Default)]
struct Slot {
    next: Mutex<Next>,
    changed: Condvar,
    newest: AtomicU64,
}

#[derive(Debug, Default)]
struct Next {
    request: Option<ProjectionRequest>,
    closed: bool,
}

impl Jobs {
    /// Starts the worker.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn start(wake: Wake) -> Result<Self, AppError> {
        let slot = Arc::new(Slot::default());
        let (sender, outcomes) = channel();
        let theirs = slot.clone();
        let worker = std::thread::Builder::new().name("projection".into()).spawn(move || work(&theirs, &sender, &wake));
        worker.map_err(|error| AppError::Worker(error.to_string()))?;
        Ok(Self { slot, outcomes })
    }

    /// Asks for a layout; what was asked before is dropped.
    pub fn request(&self, request: ProjectionRequest) {
        self.slot.newest.store(request.serial, Ordering::Release);
        let mut next = self.slot.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.request = Some(request);
        self.slot.changed.notify_one();
    }

    /// What is done since the last call, without waiting.
    pub fn finished(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.try_iter()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.slot.newest.store(u64::MAX, Ordering::Release);
        self.slot.next.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.slot.changed.notify_one();
    }
}

fn work(slot: &Slot, outcomes: &Sender<Outcome>, wake: &Wake) {
    loop {
        let request = {
            let mut next = slot.next.lock().unwrap_or_else(PoisonError::into_inner);
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
        let stale = Stale { slot, serial: request.serial };
        let outcome = request.run(&stale);
        if stale.cancelled() {
            continue;
        }
        if outcomes.send((request.serial, outcome)).is_err() {
            return;
        }
        wake();
    }
}

/// Stops a projection that nobody waits for any more.
struct Stale<'a> {
    slot: &'a Slot,
    serial: u64,
}

impl Observer for Stale<'_> {
    fn progress(&self, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        self.slot.newest.load(Ordering::Acquire) != self.serial
    }
}
