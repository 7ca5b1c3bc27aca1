//! What a decode worker does: it decodes what is to be heard, and between times what may be asked for next.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::catalog::SegmentSpan;

use super::cache::SegmentKey;
use super::crew::Watch;
use super::error::PlayerError;
use super::event::PlayerEvent;
use super::jobs::{Job, Work};
use super::segment_audio::SegmentAudio;
use super::shared::Shared;
use super::source::SegmentSource;

/// How many times as long as without a packet a decode may be without sound.
const LONGEST_DECODE: u32 = 6;
/// What is longer is not kept for the next time.
const LONGEST_KEPT_SECS: f64 = 20.0;

impl Shared {
    /// Works until the player is dropped, or until another worker has taken the place of this one: `patience` is how long it may be without a packet. A panic
    /// ends the segment that it came with, and not the sound of all others.
    pub(super) fn serve_jobs(&self, source: &dyn SegmentSource, watch: &Watch, patience: Duration) {
        while let Some(work) = self.jobs.take() {
            let goes_on = match work {
                Work::Urgent(job) => {
                    watch.begin(&job.path, false);
                    let error = PlayerError::DecoderBroke { path: job.path.clone() };
                    if catch_unwind(AssertUnwindSafe(|| self.decode(&job, source, watch, patience * LONGEST_DECODE))).is_err() {
                        drop(catch_unwind(AssertUnwindSafe(|| self.fail(&job, &error))));
                    }
                    watch.end()
                }
                Work::Nearby(path, span) => {
                    watch.begin(&path, true);
                    // What fails will say so when it is asked for.
                    drop(catch_unwind(AssertUnwindSafe(|| self.prefetch(path, span, source, watch))));
                    let goes_on = watch.end();
                    if goes_on {
                        self.jobs.prefetched();
                    }
                    goes_on
                }
            };
            if !goes_on {
                break;
            }
        }
    }

    /// Decodes and plays, from the first frames on.
    fn decode(&self, job: &Job, source: &dyn SegmentSource, watch: &Watch, longest: Duration) {
        let rate = self.rate_hz();
        let (start, has_begun) = (Instant::now(), Cell::new(false));
        let mut is_for_another = false;
        let mut begun = |audio: &Arc<SegmentAudio>| {
            has_begun.set(true);
            is_for_another = self.rate_hz() != rate;
            if !is_for_another {
                self.play(job, audio, rate);
            }
        };
        // What nobody listens to any more is decoded to its end, for the cache, unless something else waits.
        // A long stretch would drive all else out of it.
        let is_short = job.span.duration_secs <= LONGEST_KEPT_SECS;
        let goes_on = || {
            watch.moves();
            let is_wanted = self.dispatcher().is_newest(job.generation) || (is_short && !self.jobs.is_urgent());
            // Packets that never become sound must not be waited for without end.
            is_wanted && (has_begun.get() || start.elapsed() < longest)
        };
        // A decoder that breaks must not take the worker with it. It holds no state that could be left half-way.
        let loaded = catch_unwind(AssertUnwindSafe(|| source.stream(&job.path, job.span, rate, &mut begun, &goes_on)))
            .unwrap_or_else(|_| Err(PlayerError::DecoderBroke { path: job.path.clone() }));
        if is_for_another {
            // Another output took over meanwhile, of another rate: once more, for that one.
            self.jobs.set_unless_newer(job.clone());
        }
        match loaded {
            Ok(Some(audio)) => {
                if is_short {
                    self.keep(SegmentKey::new(&job.path, job.span, rate), audio);
                }
                // Its decoder gave the whole segment: should it break now, nothing is lost.
                let _ = catch_unwind(AssertUnwindSafe(|| source.learn(&job.path, &goes_on)));
            }
            Ok(None) if !has_begun.get() && start.elapsed() >= longest => {
                self.fail(job, &PlayerError::TooSlow { path: job.path.clone(), secs: longest.as_secs_f64() });
            }
            Ok(None) => {}
            Err(error) => self.fail(job, &error),
        }
    }

    /// Tells that a segment will not sound, unless something newer was asked for.
    fn fail(&self, job: &Job, error: &PlayerError) {
        // What sounds belongs to a point that the pointer has left.
        if self.silence(job.generation) {
            self.dispatcher().retire(job.generation);
            self.tell(PlayerEvent::Failed { serial: job.serial, reason: error.to_string() });
            self.wake();
        }
    }

    /// Decodes for the cache, and makes way at once for what is to be heard. What fails will say so when it is asked for.
    fn prefetch(&self, path: PathBuf, span: SegmentSpan, source: &dyn SegmentSource, watch: &Watch) {
        let rate = self.rate_hz();
        let key = SegmentKey::new(&path, span, rate);
        if self.cache().find(&key).is_some() {
            return;
        }
        let goes_on = || {
            watch.moves();
            !self.jobs.is_urgent()
        };
        let loaded = catch_unwind(AssertUnwindSafe(|| source.stream(&path, span, rate, &mut |_| {}, &goes_on)));
        if let Ok(Ok(Some(audio))) = loaded {
            self.prefetched.fetch_add(1, Relaxed);
            self.keep(key, audio);
        }
    }

    fn keep(&self, key: SegmentKey, audio: Arc<SegmentAudio>) {
        let gone = self.cache().insert(key, audio);
        drop(gone);
    }
}
