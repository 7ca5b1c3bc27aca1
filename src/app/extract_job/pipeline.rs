//! Several tracks at once: workers read and infer, and the caller's thread commits tracks in their order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::desk::{Desk, News, Outcome};
use super::error::ExtractError;
use super::features::{Extractor, TrackFailure};
use super::inputs::Candidate;
use super::notes::RunNotes;
use super::{ExtractProgress, ExtractSummary, FailedTrack, RemarkedTrack, Stop};
use crate::store::{CollectionWriter, NewTrack, StoreError};

/// How often progress is told while no track ends.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A run: what it works on, and who is told.
pub(super) struct Run<'r> {
    pub candidates: &'r [Candidate],
    pub extractor: &'r Extractor,
    pub jobs: usize,
    /// Whether what is odd about a file makes it fail.
    pub is_strict: bool,
    pub cancel: &'r AtomicBool,
    pub start: Instant,
}

/// Sends the workers home when it goes.
struct Closing<'d, 'r>(&'d Desk<'r>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        self.0.close();
    }
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
            // The workers wait for work until the desk is closed, and the scope waits for the workers: whatever happens here closes it.
            let _closing = Closing(&desk);
            let committed = catch_unwind(AssertUnwindSafe(|| self.commit_all(&desk, writer, notes, summary, progress)));
            summary.stop = committed.unwrap_or(Some(Stop::Mistake));
            notes.write();
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
                    News::Ready(outcome) => break *outcome,
                    News::Cancelled => return Some(Stop::Cancelled),
                    News::Broken => return Some(Stop::Mistake),
                    News::Reading(secs) if told.elapsed() > TELL_EVERY => {
                        tell(position, done_bytes, secs, summary);
                        told = Instant::now();
                    }
                    News::Reading(_) => {}
                }
            };
            let write_start = Instant::now();
            let outcome = if self.is_strict { without_remarks(outcome) } else { outcome };
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

/// Makes a failure of a track that is odd. It is not remembered: without strictness it is none.
fn without_remarks(outcome: Outcome) -> Outcome {
    let features = outcome?;
    match features.remark {
        Some(reason) => Err(TrackFailure { reason, is_lasting: false }),
        None => Ok(features),
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
            if let Some(reason) = features.remark {
                summary.remarks.push(RemarkedTrack { path: candidate.path.clone(), reason });
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;

    use super::super::{ExtractError, ExtractParams, NetworkDevice, run};
    use super::*;
    use crate::nn::MusicnnLayer;

    /// Seven seconds of a tone, two segments.
    fn write_music(path: &Path) {
        let samples = (0..7 * 16_000).map(|number| ((f64::from(number) * 0.17).sin() * 9000.0) as i16);
        let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((36 + data.len() as u32).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        std::fs::write(path, bytes).unwrap();
    }

    fn params(folder: &Path, jobs: usize) -> ExtractParams {
        ExtractParams {
            inputs: vec![folder.join("music")],
            out: folder.join("c.tagscape"),
            models: vec!["mtt-vgg".parse().unwrap()],
            hop_secs: None,
            jobs: Some(jobs),
            musicnn_layer: MusicnnLayer::Penultimate,
            retry: false,
            is_strict: false,
            shard: None,
            device: NetworkDevice::Cpu,
            tell: |_| {},
        }
    }

    /// Extracts on a thread, so that a run without an end fails the test.
    fn extract(params: ExtractParams, progress: fn(&ExtractProgress)) -> Result<ExtractSummary, ExtractError> {
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(run(&params, &AtomicBool::new(false), &mut |told| progress(told))).unwrap());
        ended.recv_timeout(Duration::from_secs(300)).expect("the run ends")
    }

    #[test]
    fn a_panic_in_a_worker_or_in_the_committing_thread_ends_the_run_and_what_was_done_stays() {
        let folder = tempfile::tempdir().unwrap();
        let music = folder.path().join("music");
        std::fs::create_dir(&music).unwrap();
        write_music(&music.join("a.wav"));
        write_music(&music.join("b planted panic.wav"));
        write_music(&music.join("c.wav"));
        let summary = extract(params(folder.path(), 1), |_| {}).unwrap();
        assert!(matches!(summary.stop, Some(Stop::Mistake)), "{:?}", summary.stop);
        assert_eq!((summary.tracks, summary.left, summary.failed.len()), (1, 2, 0));
        // Whoever takes the lock finds the first track there, and the panic again, with workers that wait.
        let again = extract(params(folder.path(), 3), |_| {});
        assert!(matches!(again, Err(ExtractError::Mistake)), "{again:?}");
        std::fs::rename(music.join("b planted panic.wav"), music.join("b.wav")).unwrap();
        let told = extract(params(folder.path(), 2), |told| assert!(told.tracks_done == 0, "planted")).unwrap();
        assert!(matches!(told.stop, Some(Stop::Mistake)) && told.tracks == 2, "{told:?}");
        let whole = extract(params(folder.path(), 2), |_| {}).unwrap();
        assert!(whole.stop.is_none() && whole.tracks == 3, "{whole:?}");
    }
}
