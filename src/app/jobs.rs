//! Work in the background: one worker, the newest request wins, an older one is told to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::descent_job::{self, DescentFrame, Pilot, Steering};
use super::error::AppError;
use super::projection_job::{Begun, LayoutReady, ProjectionRequest};
use super::search::{SearchOutcome, SearchRequest};
use super::worker::{Task, Wake, Worker};
use crate::project::Observer;

/// What came of a request: its number, and the layout or what went wrong.
pub type Outcome = (u64, Result<LayoutReady, AppError>);

/// The worker's handle.
pub struct Jobs {
    worker: Worker<ProjectionRequest, Outcome>,
    helm: Arc<Helm>,
    wake: Wake,
    found: (Sender<SearchOutcome>, Receiver<SearchOutcome>),
}

/// Between the window and the embedding under way.
#[derive(Debug, Default)]
struct Helm {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Orders {
    steering: Steering,
    /// A layout that was not taken yet.
    frame: Option<DescentFrame>,
}

impl Helm {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs {
    /// Starts the worker.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn start(wake: Wake) -> Result<Self, AppError> {
        let helm = Arc::new(Helm::default());
        let theirs = helm.clone();
        let worker =
            Worker::start("projection", wake.clone(), move |request, task: &Task<'_, _, _>| Job { task, helm: &theirs }.run(&request))?;
        Ok(Self { worker, helm, wake, found: channel() })
    }

    /// Asks for a layout; what was asked before is dropped.
    pub fn request(&self, request: ProjectionRequest) {
        let mut orders = self.helm.lock();
        *orders = Orders { steering: Steering { tuning: request.tuning, ..Steering::default() }, frame: None };
        // Within the lock, so that nobody who waits at the helm misses that it is no longer wanted.
        self.worker.request(request.serial, request);
        self.helm.changed.notify_all();
    }

    /// Wants nothing of what request `serial` has not yet come to.
    pub fn cancel(&self, serial: u64) {
        let _orders = self.helm.lock();
        self.worker.cancel(serial);
        self.helm.changed.notify_all();
    }

    /// Tells the embedding under way what is wanted of it.
    pub fn steer(&self, steering: Steering) {
        self.helm.lock().steering = steering;
        self.helm.changed.notify_all();
    }

    /// Looks for what a text means, on a thread of its own.
    ///
    /// # Errors
    /// [`AppError::Worker`] where the system gives no thread.
    pub fn search(&self, request: SearchRequest) -> Result<(), AppError> {
        let (sender, wake) = (self.found.0.clone(), self.wake.clone());
        let search = move || {
            // The window waits for an answer, whatever happens here.
            let found = catch_unwind(AssertUnwindSafe(|| request.run())).unwrap_or_else(|_| request.of_panic());
            // Nobody listens any more only when the window is closed.
            drop(sender.send(found));
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
        self.worker.finished()
    }

    /// The newest layout of the embedding under way, once.
    #[must_use]
    pub fn frame(&self) -> Option<DescentFrame> {
        let frame = self.helm.lock().frame.take();
        if frame.is_some() {
            self.helm.changed.notify_all();
        }
        frame
    }

    /// How much of the request is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f32 {
        self.worker.progress()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        let _orders = self.helm.lock();
        self.worker.close();
        self.helm.changed.notify_all();
    }
}

/// A request at work, and the helm that its embedding is steered by.
struct Job<'a> {
    task: &'a Task<'a, ProjectionRequest, Outcome>,
    helm: &'a Helm,
}

impl Job<'_> {
    fn run(&self, request: &ProjectionRequest) {
        let steering = Steering { tuning: request.tuning, ..Steering::default() };
        let start = Instant::now();
        // Whatever goes wrong with a glance goes wrong with the layout itself, which tells it.
        if let Ok(Some(glance)) = request.glance(self) {
            self.task.tell((request.serial, Ok(glance)));
        }
        let outcome = request.begin(true, self);
        self.progress(1.0);
        match outcome {
            Err(error) => self.task.tell((request.serial, Err(error))),
            Ok(Begun { ready, descent }) => {
                self.task.tell((request.serial, Ok(ready)));
                if let Some(descent) = descent {
                    descent_job::run(descent, request.serial, start, steering, self);
                }
            }
        }
    }
}

impl Observer for Job<'_> {
    fn progress(&self, fraction: f64) {
        self.task.progress(fraction);
    }

    fn cancelled(&self) -> bool {
        self.task.cancelled()
    }
}

impl Pilot for Job<'_> {
    fn steering(&self) -> Steering {
        self.helm.lock().steering
    }

    fn tell(&self, frame: DescentFrame) {
        let mut orders = self.helm.lock();
        if !self.cancelled() {
            orders.frame = Some(frame);
            drop(orders);
            self.task.wake();
        }
    }

    fn wait_until_taken(&self, longest: Duration) {
        let is_there = |orders: &mut Orders| orders.frame.is_some() && !self.cancelled();
        // Whether it was taken or the time is over makes no difference.
        drop(self.helm.changed.wait_timeout_while(self.helm.lock(), longest, is_there));
    }

    fn wait_for_change(&self, known: &Steering) {
        let is_same = |orders: &mut Orders| orders.steering == *known && !self.cancelled();
        drop(self.helm.changed.wait_while(self.helm.lock(), is_same));
    }
}
