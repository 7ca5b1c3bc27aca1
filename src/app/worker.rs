//! A thread in the background that does what was asked for last: a newer request replaces one that waits, and tells one under way to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::AppError;
use crate::project::Observer;

/// Between two times that the window is woken for the sake of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// The number of no request: callers count from 1.
const NONE: u64 = 0;

/// Tells a sleeping window that there is something to fetch.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Wakes the window when it goes, also by a panic: who waits for a thread must hear that nothing will come.
pub(super) struct Waking(pub Wake);

impl Drop for Waking {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What comes of a request.
pub trait Outcome: Sized {
    /// What is told of request `serial` where the work panicked, which is a bug; `None` where nobody waits for it.
    fn of_panic(serial: u64) -> Option<Self>;
}

impl<T> Outcome for (u64, Result<T, AppError>) {
    fn of_panic(serial: u64) -> Option<Self> {
        Some((serial, Err(AppError::Mistake)))
    }
}

/// The thread's handle: requests `R` go in, outcomes `O` come out.
#[derive(Debug)]
pub struct Worker<R, O> {
    slot: Arc<Slot<R>>,
    outcomes: Receiver<O>,
}

#[derive(Debug)]
struct Slot<R> {
    next: Mutex<Next<R>>,
    changed: Condvar,
    /// The number of the request that is wanted.
    newest: AtomicU64,
    /// How far that one is, in thousandths.
    progress: AtomicU32,
}

#[derive(Debug)]
struct Next<R> {
    request: Option<(u64, R)>,
    is_closed: bool,
}

impl<R> Slot<R> {
    fn lock(&self) -> MutexGuard<'_, Next<R>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until something is asked for; `None` once nothing will be.
    fn take(&self) -> Option<(u64, R)> {
        let is_idle = |next: &mut Next<R>| next.request.is_none() && !next.is_closed;
        let mut next = self.changed.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if next.is_closed { None } else { next.request.take() }
    }
}

impl<R: Send + 'static, O: Outcome + Send + 'static> Worker<R, O> {
    /// Starts the thread; `run` does one request after the other. A panic in it ends that request alone.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn start(name: &str, wake: Wake, mut run: impl FnMut(R, &Task<'_, R, O>) + Send + 'static) -> Result<Self, AppError> {
        let next = Mutex::new(Next { request: None, is_closed: false });
        let slot = Arc::new(Slot { next, changed: Condvar::new(), newest: AtomicU64::new(NONE), progress: AtomicU32::new(0) });
        let (sender, outcomes) = channel();
        let theirs = slot.clone();
        let work = move || {
            while let Some((serial, request)) = theirs.take() {
                let task = Task { slot: &theirs, outcomes: &sender, wake: &wake, serial, told: Mutex::new(Instant::now()) };
                let done = catch_unwind(AssertUnwindSafe(|| run(request, &task)));
                if let (Err(_), Some(outcome)) = (done, O::of_panic(serial)) {
                    task.tell(outcome);
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        thread.map_err(|error| AppError::Worker(error.to_string()))?;
        Ok(Self { slot, outcomes })
    }
}

impl<R, O> Worker<R, O> {
    /// Asks for something under a number of the caller's, above 0; what was asked before is dropped.
    pub fn request(&self, serial: u64, request: R) {
        let mut next = self.slot.lock();
        self.slot.newest.store(serial, Ordering::Release);
        self.slot.progress.store(0, Ordering::Relaxed);
        next.request = Some((serial, request));
        self.slot.changed.notify_all();
    }

    /// Wants nothing of what request `serial` has not yet come to.
    pub fn cancel(&self, serial: u64) {
        let mut next = self.slot.lock();
        if self.slot.newest.load(Ordering::Acquire) == serial {
            next.request = None;
            self.slot.newest.store(NONE, Ordering::Release);
        }
    }

    /// Wants nothing of what any request has not yet come to.
    pub fn cancel_all(&self) {
        self.slot.lock().request = None;
        self.slot.newest.store(NONE, Ordering::Release);
    }

    /// Wants nothing any more: the thread ends.
    pub fn close(&self) {
        let mut next = self.slot.lock();
        next.is_closed = true;
        self.slot.newest.store(NONE, Ordering::Release);
        self.slot.changed.notify_all();
    }

    /// What came since the last call, without waiting.
    pub fn finished(&self) -> impl Iterator<Item = O> {
        self.outcomes.try_iter()
    }

    /// How much of the request is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f32 {
        self.slot.progress.load(Ordering::Relaxed) as f32 / 1000.0
    }
}

impl<R, O> Drop for Worker<R, O> {
    fn drop(&mut self) {
        self.close();
    }
}

/// A request at work.
pub struct Task<'a, R, O> {
    slot: &'a Slot<R>,
    outcomes: &'a Sender<O>,
    wake: &'a Wake,
    serial: u64,
    /// When the window last heard of progress.
    told: Mutex<Instant>,
}

impl<R, O> Task<'_, R, O> {
    /// The caller's number.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether nothing newer was asked for.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.slot.newest.load(Ordering::Acquire) == self.serial
    }

    /// Hands an outcome over, if it is wanted.
    pub fn tell(&self, outcome: O) {
        if self.is_wanted() {
            // Nobody hears it only when the window is closed.
            drop(self.outcomes.send(outcome));
            self.wake();
        }
    }

    /// Wakes the window.
    pub fn wake(&self) {
        (self.wake)();
    }
}

impl<R: Send, O: Send> Observer for Task<'_, R, O> {
    fn progress(&self, fraction: f64) {
        self.slot.progress.store((fraction.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
        let Ok(mut told) = self.told.try_lock() else { return };
        if told.elapsed() >= PROGRESS_EVERY {
            *told = Instant::now();
            self.wake();
        }
    }

    fn cancelled(&self) -> bool {
        !self.is_wanted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_request_is_done_an_older_one_is_told_to_stop_and_a_panic_ends_only_its_own() {
        let (sender, woken) = channel();
        let sender = Mutex::new(sender);
        let wake: Wake = Arc::new(move || _ = sender.lock().unwrap().send(()));
        // What is under way goes on until it is no longer wanted; a 0 is done at once.
        let worker = Worker::start("test", wake, |is_long: bool, task: &Task<'_, bool, (u64, Result<(), AppError>)>| {
            assert!(task.serial() != 7, "planted");
            task.progress(0.25);
            while is_long && task.is_wanted() {
                std::thread::yield_now();
            }
            task.tell((task.serial(), Ok(())));
        });
        let worker = worker.unwrap();
        let next = || {
            woken.recv_timeout(Duration::from_secs(60)).expect("the window is woken");
            worker.finished().map(|(serial, done)| if done.is_ok() { serial } else { 100 + serial }).collect::<Vec<_>>()
        };
        worker.request(1, true);
        worker.request(2, true);
        worker.request(3, false);
        assert_eq!(next(), [3], "what was overtaken tells nothing");
        assert!((worker.progress() - 0.25).abs() < 1e-6);
        worker.request(4, true);
        worker.cancel(3);
        worker.cancel(4);
        worker.request(5, true);
        worker.cancel_all();
        worker.request(6, false);
        assert_eq!(next(), [6]);
        worker.request(7, false);
        assert_eq!(next(), [107], "a panic is told");
        worker.request(8, false);
        assert_eq!(next(), [8], "and ends nothing else");
    }
}
