//! The decode workers, and who takes the place of one that hangs.
//!
//! A file on a disk that does not answer holds the thread that reads it for as long as the disk likes, and no call gets it back. So a worker that has had no
//! packet for a while counts as lost: another takes its place, and should it come back after all, it finishes what it was at and goes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::source::SegmentSource;

/// Workers at once, lost ones among them: beyond it, a lost one is not replaced.
const MOST: usize = 16;

/// All workers of a player.
pub(super) struct Crew {
    source: Arc<dyn SegmentSource>,
    /// How long a worker may be without a packet.
    patience: Duration,
    workers: Mutex<Vec<Arc<Watch>>>,
}

/// What is seen of one worker from outside.
#[derive(Default)]
pub(super) struct Watch(Mutex<State>);

#[derive(Default)]
struct State {
    /// What it decodes, and when it last had something of it.
    at: Option<(PathBuf, Instant)>,
    is_prefetch: bool,
    /// Whether another has taken its place.
    is_lost: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// The worker begins with a file.
    pub(super) fn begin(&self, path: &Path, is_prefetch: bool) {
        let mut state = lock(&self.0);
        (state.at, state.is_prefetch) = (Some((path.to_owned(), Instant::now())), is_prefetch);
    }

    /// Something came of it.
    pub(super) fn moves(&self) {
        if let Some((_, since)) = &mut lock(&self.0).at {
            *since = Instant::now();
        }
    }

    /// The worker is done with it. Returns whether it goes on: whether nobody has taken its place.
    pub(super) fn end(&self) -> bool {
        let mut state = lock(&self.0);
        state.at = None;
        !state.is_lost
    }

    fn is_at_work(&self) -> bool {
        let state = lock(&self.0);
        state.at.is_some() && !state.is_lost
    }

    /// The file that the worker is lost with, told once, and whether it was only to be prefetched.
    fn lost_with(&self, patience: Duration) -> Option<(PathBuf, bool)> {
        let mut state = lock(&self.0);
        let is_lost = !state.is_lost && state.at.as_ref().is_some_and(|(_, since)| since.elapsed() >= patience);
        state.is_lost |= is_lost;
        state.at.as_ref().filter(|_| is_lost).map(|(path, _)| (path.clone(), state.is_prefetch))
    }
}

impl Crew {
    pub(super) fn new(source: Arc<dyn SegmentSource>, patience: Duration) -> Arc<Self> {
        Arc::new(Self { source, patience, workers: Mutex::default() })
    }

    /// Starts a worker; false where the system gives no thread.
    pub(super) fn hire(self: &Arc<Self>, shared: &Arc<Shared>) -> bool {
        let watch = Arc::new(Watch::default());
        let (crew, shared, own) = (Arc::clone(self), Arc::clone(shared), Arc::clone(&watch));
        let work = move || {
            shared.serve_jobs(&*crew.source, &own, crew.patience);
            lock(&crew.workers).retain(|watch| !Arc::ptr_eq(watch, &own));
        };
        let mut workers = lock(&self.workers);
        let is_hired = std::thread::Builder::new().name("player-decode".to_owned()).spawn(work).is_ok();
        if is_hired {
            workers.push(watch);
        }
        is_hired
    }

    /// Whether any worker may come to hang.
    pub(super) fn is_at_work(&self) -> bool {
        lock(&self.workers).iter().any(|watch| watch.is_at_work())
    }

    /// Replaces the workers that hang, and returns a line on each for the user.
    pub(super) fn replace_lost(self: &Arc<Self>, shared: &Arc<Shared>) -> Vec<String> {
        let workers: Vec<Arc<Watch>> = lock(&self.workers).clone();
        let mut lines = Vec::new();
        for (path, is_prefetch) in workers.iter().filter_map(|watch| watch.lost_with(self.patience)) {
            if is_prefetch {
                shared.jobs.prefetched();
            }
            let is_replaced = workers.len() + lines.len() < MOST && self.hire(shared);
            let what_next = if is_replaced { "; other tracks go on" } else { "; too many do so, and sound waits for them" };
            let secs = self.patience.as_secs_f64();
            lines.push(format!("nothing has come of '{}' for {secs:.0} s: does its disk answer?{what_next}", path.display()));
        }
        lines
    }
}
