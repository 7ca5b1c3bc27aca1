//! What is to be decoded next: one slot, in which the newest request replaces the one before it, and behind it what the pointer may come to.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
    /// Where in the stretch it is to begin, in seconds: 0, unless it goes on on another output.
    pub(super) from_secs: f64,
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Work {
    /// To be heard.
    Urgent(Job),
    /// To be there should it be asked for. To be followed by [`JobSlot::prefetched`].
    Nearby(PathBuf, SegmentSpan),
}

#[derive(Default)]
struct State {
    job: Option<Job>,
    nearby: VecDeque<(PathBuf, SegmentSpan)>,
    prefetching: usize,
    is_closed: bool,
}

/// The slot between the window and the decode workers.
#[derive(Default)]
pub(super) struct JobSlot {
    state: Mutex<State>,
    filled: Condvar,
    /// Workers that may prefetch at once; the others wait for what is urgent.
    prefetchers: usize,
}

impl JobSlot {
    /// For so many workers, of which one is kept for what is urgent where there are several.
    pub(super) fn new(workers: usize) -> Self {
        Self { prefetchers: workers.saturating_sub(1).max(1), ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what was there; `None` empties the slot.
    pub(super) fn set(&self, job: Option<Job>) {
        let is_job = job.is_some();
        self.state().job = job;
        if is_job {
            self.filled.notify_one();
        }
    }

    /// The same for what may be stale by now.
    pub(super) fn set_unless_newer(&self, job: Job) {
        let mut state = self.state();
        if state.job.as_ref().is_none_or(|there| there.generation <= job.generation) {
            state.job = Some(job);
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Replaces what may be needed, the likeliest first.
    pub(super) fn set_nearby(&self, nearby: VecDeque<(PathBuf, SegmentSpan)>) {
        self.state().nearby = nearby;
        self.filled.notify_one();
    }

    /// Whether something urgent waits for a worker.
    pub(super) fn is_urgent(&self) -> bool {
        self.state().job.is_some()
    }

    /// Waits for work; `None` once the slot is closed.
    pub(super) fn take(&self) -> Option<Work> {
        let is_idle = |state: &mut State| {
            let may_prefetch = state.prefetching < self.prefetchers && !state.nearby.is_empty();
            state.job.is_none() && !may_prefetch && !state.is_closed
        };
        let mut state = self.filled.wait_while(self.state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return None;
        }
        if let Some(job) = state.job.take() {
            return Some(Work::Urgent(job));
        }
        let (path, span) = state.nearby.pop_front()?;
        state.prefetching += 1;
        Some(Work::Nearby(path, span))
    }

    /// A worker has done with what was nearby.
    pub(super) fn prefetched(&self) {
        let mut state = self.state();
        state.prefetching = state.prefetching.saturating_sub(1);
        drop(state);
        self.filled.notify_one();
    }

    /// Sends the workers home.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.filled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: SegmentSpan = SegmentSpan { start_secs: 0.0, duration_secs: 1.0 };

    fn job(serial: u64) -> Job {
        Job { generation: serial, serial, path: "a".into(), span: SPAN, requested_at: Instant::now(), from_secs: 0.0 }
    }

    #[test]
    fn what_is_urgent_goes_first_the_newest_alone_and_then_what_is_near_in_its_order() {
        let slot = JobSlot::new(2);
        slot.set_nearby([("old".into(), SPAN)].into());
        slot.set_nearby([("near".into(), SPAN), ("far".into(), SPAN)].into());
        slot.set(Some(job(1)));
        slot.set(Some(job(2)));
        slot.set_unless_newer(job(1));
        assert!(slot.is_urgent());
        assert!(matches!(slot.take(), Some(Work::Urgent(Job { serial: 2, .. }))));
        assert!(!slot.is_urgent());
        for name in ["near", "far"] {
            assert!(matches!(slot.take(), Some(Work::Nearby(path, _)) if path.as_os_str() == name));
            slot.prefetched();
        }
        slot.close();
        assert!(slot.take().is_none());
    }
}
