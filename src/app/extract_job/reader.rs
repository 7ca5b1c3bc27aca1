//! A track as it is read: audio in chunks, spectrograms as far as they are, and patches for the networks, block by block.
//!
//! Only what the coming patches still need is held: a track of any length takes the memory of a block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::StageSeconds;
use super::features::{Extractor, TrackFailure};
use super::inputs::{Candidate, stamp_of_file};
use crate::audio::{AudioError, AudioErrorKind, MonoStream, SeekIndex};
use crate::catalog::TrackMetadata;
use crate::mel::{MelConfig, MelStream, patch_count};
use crate::store::{NewNote, NotedFile, TrackNote};

/// Seconds of audio in a block: enough patches for all cores of a desktop, and an eighth of a second to decode.
const BLOCK_SECS: f64 = 48.0;

/// Frames of one recipe, shared by the patches that are cut out of them.
#[derive(Debug)]
struct Frames {
    bands: usize,
    /// Number of the first frame in the track.
    first: usize,
    values: Vec<f32>,
}

/// Some patches in a row, for one group of networks.
#[derive(Debug)]
pub(super) struct Patches {
    /// The group's position.
    pub group: usize,
    /// The first patch's number in the track.
    pub first: usize,
    count: usize,
    patch_frames: usize,
    hop_frames: usize,
    frames: Arc<Frames>,
}

impl Patches {
    /// The patches, `[patch_frames * mel_bands]` each.
    pub(super) fn slices(&self) -> Vec<&[f32]> {
        let values = self.patch_frames * self.frames.bands;
        let start = |patch: usize| (patch * self.hop_frames - self.frames.first) * self.frames.bands;
        (self.first..self.first + self.count).map(|patch| &self.frames.values[start(patch)..start(patch) + values]).collect()
    }
}

/// What a whole track was.
#[derive(Debug)]
pub(super) struct ReadTrack {
    pub duration_secs: f64,
    pub metadata: TrackMetadata,
    /// What is odd about it, as far as it is no failure.
    pub remark: Option<String>,
    /// What playback is to know of it, where its file can be noted down.
    pub note: Option<Box<NewNote>>,
    /// Decoding and spectrograms.
    pub seconds: StageSeconds,
}

/// What reading on gave.
pub(super) enum Step {
    /// Patches, and there may be more.
    More(Vec<Patches>),
    /// The last patches of a track that is whole.
    End(Vec<Patches>, ReadTrack),
    /// The track gives nothing.
    Failed(TrackFailure),
    /// The run is cancelled.
    Cancelled,
}

/// A spectrogram on its way.
struct Mel {
    config: &'static MelConfig,
    stream: MelStream,
    /// Number of the first frame in `values`.
    first: usize,
    values: Vec<f32>,
}

/// A track that is being read.
pub(super) struct TrackReader<'r> {
    candidate: &'r Candidate,
    extractor: &'r Extractor,
    stream: Option<MonoStream>,
    chunk: Vec<f32>,
    mels: Vec<Mel>,
    /// Of each group, how many patches were given out.
    given: Vec<usize>,
    seconds: StageSeconds,
}

impl<'r> TrackReader<'r> {
    pub(super) fn new(candidate: &'r Candidate, extractor: &'r Extractor) -> Self {
        let mut mels: Vec<Mel> = Vec::new();
        for group in extractor.groups() {
            if !mels.iter().any(|known| known.config == group.spec.mel) {
                mels.push(Mel { config: group.spec.mel, stream: MelStream::new(group.spec.mel), first: 0, values: Vec::new() });
            }
        }
        let given = vec![0; extractor.groups().len()];
        Self { candidate, extractor, stream: None, chunk: Vec::new(), mels, given, seconds: StageSeconds::default() }
    }

    /// Seconds of audio that were read.
    pub(super) fn read_secs(&self) -> f64 {
        self.stream.as_ref().map_or(0.0, MonoStream::duration_secs)
    }

    /// Reads the next block, or what is left.
    pub(super) fn read_on(&mut self, cancel: &AtomicBool) -> Step {
        match self.read_block(cancel) {
            Ok(step) => step,
            Err(error) => Step::Failed(self.failure(&error)),
        }
    }

    fn read_block(&mut self, cancel: &AtomicBool) -> Result<Step, AudioError> {
        if self.stream.is_none()
            && let Some(failure) = self.changed()
        {
            return Ok(Step::Failed(failure));
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let start = Instant::now();
                let opened = MonoStream::open(&self.candidate.file, self.extractor.rate_hz())?.with_loudness();
                self.seconds.decode += start.elapsed().as_secs_f64();
                empty.insert(opened)
            }
        };
        let wanted = (BLOCK_SECS * f64::from(self.extractor.rate_hz())) as usize;
        let mut samples = 0;
        while samples < wanted {
            if cancel.load(Ordering::Relaxed) {
                return Ok(Step::Cancelled);
            }
            let start = Instant::now();
            let is_more = stream.next_chunk(&mut self.chunk)?;
            self.seconds.decode += start.elapsed().as_secs_f64();
            let start = Instant::now();
            for mel in &mut self.mels {
                if is_more {
                    mel.stream.push(&self.chunk, &mut mel.values);
                } else {
                    mel.stream.finish(&mut mel.values);
                }
            }
            self.seconds.features += start.elapsed().as_secs_f64();
            if !is_more {
                return Ok(self.end());
            }
            samples += self.chunk.len();
        }
        Ok(Step::More(self.cut_patches(false)))
    }

    fn end(&mut self) -> Step {
        let patches = self.cut_patches(true);
        let duration_secs = self.read_secs();
        let remark = self.remark();
        for (group, &given) in self.extractor.groups().iter().zip(&self.given) {
            if given == 0 {
                let odd = remark.as_ref().map_or_else(String::new, |remark| format!("{remark}, and "));
                let reason = format!("{odd}is {duration_secs:.2} s long, shorter than a segment of {:.3} s", group.spec.segment_secs);
                return Step::Failed(TrackFailure { reason, is_lasting: true });
            }
        }
        let start = Instant::now();
        let note = self.note();
        self.seconds.decode += start.elapsed().as_secs_f64();
        if let Some(failure) = self.changed() {
            return Step::Failed(failure);
        }
        let tags = self.stream.as_ref().map(|stream| stream.metadata().clone()).unwrap_or_default();
        // Of a file beside the audio root, the way up to it names nothing.
        let metadata = tags.or_from_path(self.candidate.path.trim_start_matches("../"));
        Step::End(patches, ReadTrack { duration_secs, metadata, remark, note, seconds: self.seconds })
    }

    /// All that is odd about the file in one line.
    fn remark(&self) -> Option<String> {
        let remarks = self.stream.as_ref().map(MonoStream::remarks).unwrap_or_default();
        let words: Vec<_> = remarks.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// What is known of the track now that all of it was decoded. The file is read a second time for it, without decoding.
    fn note(&self) -> Option<Box<NewNote>> {
        let Candidate { path, file, .. } = self.candidate;
        let loudness = self.stream.as_ref().and_then(MonoStream::loudness).map(|loudness| (loudness.lufs, loudness.peak));
        let note = TrackNote { seek_index: SeekIndex::bytes_for(file), loudness };
        Some(Box::new(NewNote { path: path.clone(), file: NotedFile::of(file)?, note }))
    }

    /// The whole patches that were not given out yet: before the end, only as many as are inferred together. The frames that later ones
    /// need are kept.
    fn cut_patches(&mut self, is_end: bool) -> Vec<Patches> {
        let mut found = Vec::new();
        for mel in &mut self.mels {
            let bands = mel.config.mel_bands;
            let end = mel.first + mel.values.len() / bands;
            let frames = Arc::new(Frames { bands, first: mel.first, values: std::mem::take(&mut mel.values) });
            let mut needed = usize::MAX;
            for (group, about) in self.extractor.groups().iter().enumerate().filter(|(_, about)| about.spec.mel == mel.config) {
                let (patch_frames, hop_frames) = (about.spec.patch_frames, self.extractor.hop_frames(group));
                let at_once = self.extractor.patches_at_once(group);
                // More frames never make fewer patches.
                let mut fresh = patch_count(end, patch_frames, hop_frames) - self.given[group];
                while fresh >= at_once || is_end && fresh > 0 {
                    let (first, count) = (self.given[group], at_once.min(fresh));
                    found.push(Patches { group, first, count, patch_frames, hop_frames, frames: Arc::clone(&frames) });
                    self.given[group] += count;
                    fresh -= count;
                }
                needed = needed.min(self.given[group] * hop_frames);
            }
            // A hop may be longer than a patch: then frames are passed over.
            let kept_from = needed.clamp(mel.first, end);
            mel.values.extend_from_slice(&frames.values[(kept_from - mel.first) * bands..]);
            mel.first = kept_from;
        }
        // Groups side by side, so that the oldest audio of all of them comes first.
        found.sort_by_key(|patches| {
            (patches.first * patches.hop_frames * self.extractor.groups()[patches.group].spec.mel.hop_samples, patches.group)
        });
        found
    }

    /// Whether the file is no longer the one that was found.
    fn changed(&self) -> Option<TrackFailure> {
        let reason = match stamp_of_file(&self.candidate.file) {
            Ok(stamp) if stamp == self.candidate.stamp => return None,
            Ok(_) => "changed during the run; run the same command again to extract it".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "is no longer there".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        Some(TrackFailure { reason, is_lasting: false })
    }

    fn failure(&self, error: &AudioError) -> TrackFailure {
        // A file that is being written to may look damaged; that is not its last word.
        self.changed().unwrap_or_else(|| {
            let is_lasting = !matches!(error.kind, AudioErrorKind::Io(_));
            TrackFailure { reason: error.kind.to_string(), is_lasting }
        })
    }
}
