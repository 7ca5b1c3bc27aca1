//! What is to be decoded next: one slot, in which the newest request replaces the one before it.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::catalog::SegmentSpan;

/// A segment to decode and then, if it is still the newest, to play.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) generation: u64,
    pub(super) serial: u64,
    pub(super) path: PathBuf,
    pub(super) span: SegmentSpan,
    pub(super) requested_at: Instant,
}

#[derive(Default)]
struct State {
    job: Option<Job>,
    is_closed: bool,
}

/// The slot between the window and the decode workers.
#[derive(Default)]
pub(super) struct JobSlot {
    state: Mutex<State>,
    filled: Condvar,
}

impl JobSlot {
    /// Replaces what was there; `None` empties the slot.
    pub(super) fn set(&self, job: Option<Job>) {
        let is_job = job.is_some();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).job = job;
        if is_job {
            self.filled.notify_one();
        }
    }

    /// Waits for a job; `None` once the slot is closed.
    pub(super) fn take(&self) -> Option<Job> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state =
            self.filled.wait_while(state, |state| state.job.is_none() && !state.is_closed).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed { None } else { state.job.take() }
    }

    /// Sends the workers home.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.filled.notify_all();
    }
}
