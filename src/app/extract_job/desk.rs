//! What the workers of a run share: which track is read next, which patches wait, and what is ready to be committed.
//!
//! A worker that finds few patches waiting reads a block of the first track that it can, and else infers the patches of the first track
//! that has any. So there are always patches for every core: while one track's are inferred, it or the next one is read; a single long
//! track keeps all cores busy as well. How many tracks are begun before the first of them is committed has a bound, and so has the memory.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::StageSeconds;
use super::features::{Extractor, TrackFailure, TrackRows};
use super::inputs::Candidate;
use super::reader::{Patches, ReadTrack, Step, TrackReader};
use crate::catalog::TrackMetadata;
use crate::store::{HalfRows, NewNote};

/// Runs of patches that wait for each worker before another block is read.
const WAITING_PER_WORKER: usize = 2;
/// Tracks that may be begun for each worker before the first of them is committed.
const AHEAD_PER_WORKER: usize = 2;
/// How long a wait lasts before the cancel flag, which wakes nobody, is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// What a track gave.
#[derive(Debug)]
pub(super) struct TrackFeatures {
    pub duration_secs: f64,
    pub metadata: TrackMetadata,
    /// What is odd about its file.
    pub remark: Option<String>,
    /// Its rows in every space of the plan, in its order.
    pub rows: Vec<HalfRows>,
    pub note: Option<Box<NewNote>>,
    pub seconds: StageSeconds,
}

pub(super) type Outcome = Result<TrackFeatures, TrackFailure>;

/// What the caller, who waits for a track, is told.
pub(super) enum News {
    /// The track is done with.
    Ready(Box<Outcome>),
    /// Not yet: so many seconds of audio of tracks that are not committed were read.
    Reading(f64),
    /// The run is cancelled, and the track will not come.
    Cancelled,
    /// A worker panicked where no single track is at fault: what it had in hand will not come.
    Broken,
}

/// A track that was begun and is not ready.
struct Begun {
    rows: TrackRows,
    /// Runs of patches that wait or are being inferred.
    unfinished: usize,
    /// What the reader found at the end.
    read: Option<ReadTrack>,
    read_secs: f64,
    inference_secs: f64,
}

#[derive(Default)]
struct State<'r> {
    /// The first track that nobody has begun.
    next: usize,
    /// Tracks that are committed or recorded.
    committed: usize,
    begun: BTreeMap<usize, Begun>,
    /// Readers of tracks that have more, while no worker reads with them.
    readers: BTreeMap<usize, TrackReader<'r>>,
    /// Of each track, the runs of patches that nobody has taken.
    waiting: BTreeMap<usize, VecDeque<Patches>>,
    ready: BTreeMap<usize, Outcome>,
    is_closed: bool,
    is_broken: bool,
}

impl State<'_> {
    fn waiting_count(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// The first patches of the first track that has any.
    fn take_patches(&mut self) -> Option<(usize, Patches)> {
        let mut first = self.waiting.first_entry()?;
        let position = *first.key();
        let patches = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        Some((position, patches?))
    }

    /// Gives up a track, whatever of it is still on its way.
    fn fail(&mut self, position: usize, failure: TrackFailure) {
        if self.begun.remove(&position).is_some() {
            self.readers.remove(&position);
            self.waiting.remove(&position);
            self.ready.insert(position, Err(failure));
        }
    }

    /// Makes a track ready once it is read and all its patches are inferred.
    fn finish_if_whole(&mut self, position: usize) {
        if self.begun.get(&position).is_none_or(|begun| begun.unfinished > 0 || begun.read.is_none()) {
            return;
        }
        if let Some(Begun { rows, read: Some(read), inference_secs, .. }) = self.begun.remove(&position) {
            let seconds = StageSeconds { inference: inference_secs, ..read.seconds };
            let ReadTrack { duration_secs, metadata, remark, note, .. } = read;
            let features = TrackFeatures { duration_secs, metadata, remark, rows: rows.into_spaces(), note, seconds };
            self.ready.insert(position, Ok(features));
        }
    }
}

/// The desk: tracks go over it in their order.
pub(super) struct Desk<'r> {
    candidates: &'r [Candidate],
    extractor: &'r Extractor,
    cancel: &'r AtomicBool,
    workers: usize,
    state: Mutex<State<'r>>,
    changed: Condvar,
}

impl<'r> Desk<'r> {
    pub(super) fn new(candidates: &'r [Candidate], extractor: &'r Extractor, workers: usize, cancel: &'r AtomicBool) -> Self {
        Self { candidates, extractor, cancel, workers, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<'r>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// A worker: reads and infers until there is nothing left to do, or nobody wants any. A panic is told to the caller, who would wait
    /// for this worker's tracks for ever.
    pub(super) fn work(&self) {
        if catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.lock().is_broken = true;
            self.changed.notify_all();
        }
    }

    fn serve(&self) {
        let mut at = self.lock();
        while !at.is_closed && !self.is_cancelled() {
            if at.waiting_count() < self.workers * WAITING_PER_WORKER
                && let Some((position, reader)) = self.take_reader(&mut at)
            {
                drop(at);
                at = self.read(position, reader);
            } else if let Some((position, patches)) = at.take_patches() {
                drop(at);
                at = self.infer(position, &patches);
            } else if at.next == self.candidates.len() && at.begun.is_empty() {
                break;
            } else {
                at = self.changed.wait_timeout(at, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            self.changed.notify_all();
        }
    }

    /// The reader of the first track that has more and that nobody reads; or of one that is begun now, where that may be.
    fn take_reader(&self, at: &mut State<'r>) -> Option<(usize, TrackReader<'r>)> {
        if let Some(known) = at.readers.pop_first() {
            return Some(known);
        }
        let position = at.next;
        if position > at.committed + self.workers * AHEAD_PER_WORKER {
            return None;
        }
        let reader = TrackReader::new(self.candidates.get(position)?, self.extractor);
        at.next += 1;
        let rows = TrackRows::new(self.extractor.groups());
        at.begun.insert(position, Begun { rows, unfinished: 0, read: None, read_secs: 0.0, inference_secs: 0.0 });
        Some((position, reader))
    }

    fn read(&self, position: usize, mut reader: TrackReader<'r>) -> MutexGuard<'_, State<'r>> {
        let step = catch_unwind(AssertUnwindSafe(|| reader.read_on(self.cancel)));
        let mut at = self.lock();
        let (patches, end) = match step.unwrap_or_else(|_| Step::Failed(TrackFailure::of_panic())) {
            Step::More(patches) => (patches, None),
            Step::End(patches, read) => (patches, Some(read)),
            Step::Failed(failure) => {
                at.fail(position, failure);
                return at;
            }
            Step::Cancelled => return at,
        };
        // It may have failed meanwhile, by its earlier patches.
        if let Some(begun) = at.begun.get_mut(&position) {
            begun.unfinished += patches.len();
            begun.read_secs = reader.read_secs();
            begun.read = end;
            let is_end = begun.read.is_some();
            if !patches.is_empty() {
                at.waiting.entry(position).or_default().extend(patches);
            }
            if is_end {
                at.finish_if_whole(position);
            } else {
                at.readers.insert(position, reader);
            }
        }
        at
    }

    fn infer(&self, position: usize, patches: &Patches) -> MutexGuard<'_, State<'r>> {
        let start = Instant::now();
        let found = catch_unwind(AssertUnwindSafe(|| self.extractor.infer(patches)));
        let secs = start.elapsed().as_secs_f64();
        let mut at = self.lock();
        match found.unwrap_or_else(|_| Err(TrackFailure::of_panic())) {
            Ok(features) => {
                // For the tests: a panic where a single track's work is not guarded.
                #[cfg(test)]
                assert!(!self.candidates[position].path.contains("planted panic"), "planted");
                if let Some(begun) = at.begun.get_mut(&position) {
                    begun.rows.place(patches.group, patches.first, features);
                    begun.inference_secs += secs;
                    begun.unfinished -= 1;
                    at.finish_if_whole(position);
                }
            }
            Err(failure) => at.fail(position, failure),
        }
        at
    }

    /// Waits a moment for a track.
    pub(super) fn ask_for(&self, position: usize) -> News {
        let mut at = self.lock();
        if !at.ready.contains_key(&position) && !self.is_cancelled() && !at.is_broken {
            at = self.changed.wait_timeout(at, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        match at.ready.remove(&position) {
            Some(outcome) => News::Ready(Box::new(outcome)),
            None if self.is_cancelled() => News::Cancelled,
            None if at.is_broken => News::Broken,
            None => News::Reading(at.begun.values().map(|begun| begun.read_secs).sum()),
        }
    }

    /// Tells that all tracks before `position` are committed, so that others may be begun.
    pub(super) fn set_committed(&self, position: usize) {
        self.lock().committed = position;
        self.changed.notify_all();
    }

    /// Sends the workers home.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }
}
