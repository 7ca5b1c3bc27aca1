//! Extraction: from files and folders of music to a collection.
//!
//! Tracks go over the workers' desk in the order of their paths and are committed in that order, whichever is ready first:
//! the same input gives the same bytes. What fails is named, remembered and passed over.
//!
//! A track is read in blocks: audio in chunks, spectrograms as far as they are, patches for the networks, and rows in float16 at the end. So
//! memory depends on the number of workers and a little on the longest track's rows, and not on a track's audio.
//!
//! What playback wants to know of a track, where its packets lie and how loud it is, is found out on the way and noted down beside the
//! collection (`notes`); it is no part of what is extracted, and a track that is there already is not read again for it.

mod desk;
mod error;
mod features;
mod inputs;
mod notes;
mod pipeline;
mod reader;
mod shard;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub use error::ExtractError;
use features::Extractor;
pub use inputs::audio_files;
use inputs::{Candidate, find_inputs};
use notes::RunNotes;
use pipeline::Run;
pub use shard::Shard;

use crate::app::models::{self, how_to_get};
use crate::catalog::ModelKey;
use crate::nn::{MusicnnLayer, NnError, spec};
use crate::store::{CollectionPlan, CollectionWriter, SpacePlan, StoreError};

/// What to extract, and how.
#[derive(Clone, Debug)]
pub struct ExtractParams {
    /// Files and folders.
    pub inputs: Vec<PathBuf>,
    /// The collection's folder.
    pub out: PathBuf,
    /// The networks; none means all whose weights are there.
    pub models: Vec<ModelKey>,
    /// Wanted step from segment to segment in seconds, rounded to whole frames; none means no overlap.
    pub hop_secs: Option<f64>,
    /// Worker threads; none means one a core.
    pub jobs: Option<usize>,
    /// Which layer MusiCNN's embeddings are.
    pub musicnn_layer: MusicnnLayer,
    /// Whether files that failed before are tried again although they have not changed.
    pub retry: bool,
    /// Whether a file that is cut off, or odd in another way, fails; otherwise it is extracted as far as it is sound, with a remark.
    pub is_strict: bool,
    /// Which share of the inputs; none means all.
    pub shard: Option<Shard>,
    /// Where the networks run.
    pub device: NetworkDevice,
    /// Called with what the user should know while it runs, a line each: what became of `device`, where that is not what was asked for.
    pub tell: fn(&str),
}

/// Where the networks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkDevice {
    /// A real GPU that gives the CPU's answers, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// As [`Self::Auto`], and it is told if there is no GPU.
    Gpu,
}

/// How far an extraction is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExtractProgress {
    /// Tracks that are done with in this run, the failed ones included.
    pub tracks_done: usize,
    /// Tracks of this run.
    pub tracks_total: usize,
    /// Failed ones so far.
    pub failed: usize,
    /// Seconds of audio that were extracted in this run, those of the tracks that are being read included.
    pub audio_secs: f64,
    /// Seconds since the start.
    pub elapsed_secs: f64,
    /// Seconds that are left at this rate, by the files' sizes; none before the first track.
    pub left_secs: Option<f64>,
}

/// An input that gave no track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTrack {
    /// Its path, relative to the audio root.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A track that was extracted as far as it is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemarkedTrack {
    /// Its path, relative to the audio root.
    pub path: String,
    /// What is odd about it.
    pub reason: String,
}

/// Where the time went, in seconds: decoding, features and inference are summed over the workers and the extracted tracks, and so may
/// pass the total.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageSeconds {
    /// Decoding and resampling.
    pub decode: f64,
    /// Log-mel spectrograms.
    pub features: f64,
    /// The networks.
    pub inference: f64,
    /// Writing and syncing.
    pub write: f64,
    /// Wall time of the whole run.
    pub total: f64,
}

/// What ended a run before its end.
#[derive(Debug)]
pub enum Stop {
    /// It was cancelled.
    Cancelled,
    /// The collection could not be written any further; what it holds is whole.
    Unwritable(StoreError),
    /// A panic, which is a bug; what the collection holds is whole.
    Mistake,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct ExtractSummary {
    /// Tracks that the collection holds now.
    pub tracks: usize,
    /// Segments that the collection holds now, those of its first space.
    pub segments: usize,
    /// Tracks that were added in this run.
    pub added: usize,
    /// Tracks that were to be added and were not looked at, because the run stopped.
    pub left: usize,
    /// This run's inputs that gave no track, in the order of their paths.
    pub failed: Vec<FailedTrack>,
    /// This run's tracks that were extracted as far as they are sound, in the order of their paths.
    pub remarks: Vec<RemarkedTrack>,
    /// Seconds of audio that were extracted in this run.
    pub audio_secs: f64,
    /// Where the time went.
    pub seconds: StageSeconds,
    /// What ended the run early.
    pub stop: Option<Stop>,
}

/// Extracts; `progress` is called after every track and every second, and `cancel` ends the run after the write that is under way.
///
/// # Errors
/// Where nothing could be done: inputs that are not there or hold no audio, networks without weights, a collection that cannot be
/// written, or that was made with other settings. A single track's failure is none: it is in the summary; and so is what
/// ended the run after some tracks were added.
pub fn run(
    params: &ExtractParams,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(&ExtractProgress),
) -> Result<ExtractSummary, ExtractError> {
    let start = Instant::now();
    let models = available_models(&params.models)?;
    let plan_spaces = plan_spaces(&models, params.hop_secs);
    let found = find_inputs(&params.inputs)?;
    let plan = CollectionPlan {
        audio_root: found.root.clone(),
        musicnn_layer: match params.musicnn_layer {
            MusicnnLayer::Penultimate => "penultimate".to_owned(),
            MusicnnLayer::Dense => "dense".to_owned(),
        },
        spaces: plan_spaces,
    };
    if let Some(line) = found.unread_line().filter(|_| params.shard.is_none_or(|shard| shard.number() == 1)) {
        (params.tell)(&line);
    }
    let mut writer = CollectionWriter::create_or_resume(&params.out, &plan)?;
    let (mut candidates, mut failed) = found.relative_to(writer.audio_root());
    if let Some(shard) = params.shard {
        candidates = shard.share(candidates);
        // What cannot be looked at belongs to no share; the first shard names it.
        failed.retain(|_| shard.number() == 1);
    }
    let mut fresh: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if writer.has_track(&candidate.path) {
            continue;
        }
        match writer.known_failure(&candidate.path, candidate.stamp) {
            Some(reason) if !params.retry => failed.push(FailedTrack { path: candidate.path, reason: reason.to_owned() }),
            _ => fresh.push(candidate),
        }
    }
    let jobs = params.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let mut summary = ExtractSummary::default();
    if !fresh.is_empty() {
        if params.models.is_empty() {
            for model in ModelKey::ALL.into_iter().filter(|model| !models.contains(model) && models::is_news(*model)) {
                (params.tell)(&format!("without {model}: {}", how_to_get(model)));
            }
        }
        let mut extractor = Extractor::load(&models, params.hop_secs, params.musicnn_layer, &weights_of)?;
        extractor.use_device(params.device, &weights_of, params.tell);
        let run = Run { candidates: &fresh, extractor: &extractor, jobs, is_strict: params.is_strict, cancel, start };
        let mut notes = RunNotes::new(&params.out, params.tell);
        run.extract(&mut writer, &mut notes, &mut summary, progress)?;
        if let Some(line) = extractor.gpu_failure() {
            (params.tell)(&line);
        }
    }
    if summary.stop.is_none()
        && let Err(error) = writer.check_files()
    {
        summary.stop = Some(Stop::Unwritable(error));
    }
    match summary.stop.take() {
        Some(Stop::Unwritable(error)) if summary.added == 0 => return Err(error.into()),
        Some(Stop::Mistake) if summary.added == 0 => return Err(ExtractError::Mistake),
        stop => summary.stop = stop,
    }
    summary.left = fresh.len() - summary.added - summary.failed.len();
    summary.failed.append(&mut failed);
    summary.failed.sort_by(|a, b| a.path.cmp(&b.path));
    summary.tracks = writer.track_count();
    summary.segments = writer.segment_count();
    summary.seconds.total = start.elapsed().as_secs_f64();
    Ok(summary)
}

/// The wanted networks in the order of [`ModelKey::ALL`], each once; all whose weights are there where none is named.
fn available_models(wanted: &[ModelKey]) -> Result<Vec<ModelKey>, ExtractError> {
    if let Some(&model) = wanted.iter().find(|&&model| !models::is_there(model)) {
        return Err(ExtractError::NoWeights { model });
    }
    let is_wanted = |model: &ModelKey| if wanted.is_empty() { models::is_there(*model) } else { wanted.contains(model) };
    Ok(ModelKey::ALL.into_iter().filter(is_wanted).collect())
}

/// The weights inside the program or in the user's data folder.
fn weights_of(model: ModelKey) -> Result<Cow<'static, [u8]>, NnError> {
    let found = models::weights_of(model).map_err(|error| NnError::WeightSource { model, reason: error.to_string() })?;
    found.ok_or(NnError::NoWeights { model })
}

fn plan_spaces(models: &[ModelKey], hop_secs: Option<f64>) -> Vec<SpacePlan> {
    let spaces_of = |&model: &ModelKey| {
        let spec = spec(model);
        let hop_secs = spec.hop_secs(features::hop_frames(&spec, hop_secs));
        model.layers().iter().map(move |&layer| SpacePlan { key: model.space(layer), segment_secs: spec.segment_secs, hop_secs })
    };
    models.iter().flat_map(spaces_of).collect()
}
