//! Several tracks at once: workers read and infer, and the caller's thread commits tracks in their order.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::desk::{Desk, News, Outcome};
use super::error::ExtractError;
use super::features::Extractor;
use super::inputs::Candidate;
use super::notes::RunNotes;
use super::{ExtractProgress, ExtractSummary, FailedTrack, Stop};
use crate::store::{CollectionWriter, NewTrack, StoreError};

/// How often progress is told while no track ends.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A run: what it works on, and who is told.
pub(super) struct Run<'r> {
    pub candidates: &'r [Candidate],
    pub extractor: &'r Extractor,
    pub jobs: usize,
    pub cancel: &'r AtomicBool,
    pub start: Instant,
}

impl Run<'_> {
    /// Extracts the candidates and commits what comes of them, adding to `summary`.
    ///
    /// # Errors
    /// The threads could not be started. What ends the run early is in the summary.
    pub(super) fn extract(
        &self,
        writer: &mut CollectionWriter,
        notes: &mut RunNotes,
        summary: &mut ExtractSummary,
        progress: &mut dyn FnMut(&ExtractProgress),
    ) -> Result<(), ExtractError> {
        // The workers fill a pool of their own: what burn shares out among a pool's threads then stays on the worker that asked.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.jobs).thread_name(|number| format!("extract {number}")).build();
        let pool = pool.map_err(|reason| ExtractError::Threads { reason: reason.to_string() })?;
        let desk = Desk::new(self.candidates, self.extractor, self.jobs, self.cancel);
        pool.in_place_scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|_| desk.work());
            }
            let stop = self.commit_all(&desk, writer, notes, summary, progress);
            notes.write();
            desk.close();
            summary.stop = stop;
        });
        Ok(())
    }

    fn commit_all(
        &self,
        desk: &Desk,
        writer: &mut CollectionWriter,
        notes: &mut RunNotes,
        summary: &mut ExtractSummary,
        progress: &mut dyn FnMut(&ExtractProgress),
    ) -> Option<Stop> {
        let all_bytes: f64 = self.candidates.iter().map(|candidate| candidate.stamp.size as f64).sum();
        let mut done_bytes = 0.0;
        let mut told = Instant::now();
        let mut tell = |tracks_done: usize, done_bytes: f64, reading_secs: f64, summary: &ExtractSummary| {
            let elapsed_secs = self.start.elapsed().as_secs_f64();
            progress(&ExtractProgress {
                tracks_done,
                tracks_total: self.candidates.len(),
                failed: summary.failed.len(),
                audio_secs: summary.audio_secs + reading_secs,
                elapsed_secs,
                left_secs: (done_bytes > 0.0).then(|| elapsed_secs / done_bytes * (all_bytes - done_bytes)),
            });
        };
        for (position, candidate) in self.candidates.iter().enumerate() {
            let outcome = loop {
                match desk.ask_for(position) {
                    News::Ready(outcome) => break outcome,
                    News::Cancelled => return Some(Stop::Cancelled),
                    News::Reading(secs) if told.elapsed() > TELL_EVERY => {
                        tell(position, done_bytes, secs, summary);
                        told = Instant::now();
                    }
                    News::Reading(_) => {}
                }
            };
            let write_start = Instant::now();
            if let Err(error) = commit(candidate, outcome, writer, notes, summary) {
                return Some(Stop::Unwritable(error));
            }
            summary.seconds.write += write_start.elapsed().as_secs_f64();
            desk.set_committed(position + 1);
            done_bytes += candidate.stamp.size as f64;
            tell(position + 1, done_bytes, 0.0, summary);
            told = Instant::now();
        }
        None
    }
}

fn commit(
    candidate: &Candidate,
    outcome: Outcome,
    writer: &mut CollectionWriter,
    notes: &mut RunNotes,
    summary: &mut ExtractSummary,
) -> Result<(), StoreError> {
    match outcome {
        Ok(features) => {
            let track = NewTrack { path: candidate.path.clone(), duration_secs: features.duration_secs, metadata: features.metadata };
            writer.append_halves(&track, &features.rows)?;
            if let Some(note) = features.note {
                notes.add(*note);
            }
            summary.added += 1;
            summary.audio_secs += features.duration_secs;
            summary.seconds.decode += features.seconds.decode;
            summary.seconds.features += features.seconds.features;
            summary.seconds.inference += features.seconds.inference;
        }
        Err(failure) => {
            if failure.is_lasting {
                writer.record_failure(&candidate.path, &failure.reason, candidate.stamp)?;
            }
            summary.failed.push(FailedTrack { path: candidate.path.clone(), reason: failure.reason });
        }
    }
    Ok(())
}
