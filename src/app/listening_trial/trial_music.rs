//! What a trial listens to: the tracks of collections, of folders and of files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::app::audio_root::audio_root_of;
use crate::app::extract_job::{ExtractError, audio_files};
use crate::app::playback_notes::PlaybackNotes;
use crate::audio::{SeekIndex, decode_file};
use crate::catalog::{Track, path_from_text};
use crate::player::TrackNotes;
use crate::store::Collection;

/// A track of the trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialTrack {
    /// Its file.
    pub path: PathBuf,
    /// Its length in seconds.
    pub duration_secs: f64,
}

/// Tracks, and what is known of them.
#[derive(Clone)]
pub struct TrialMusic {
    /// The tracks; each audition is of any stretch of any of them.
    pub tracks: Vec<TrialTrack>,
    /// What is known of the tracks beforehand. A trial adds nothing to it.
    pub notes: Arc<dyn TrackNotes>,
}

impl TrialMusic {
    /// The tracks of collections, with what those note of them, and of files and folders of files, which are read once for their lengths. `tell` gets
    /// a line for each input that has nothing to hear, or less than it should.
    ///
    /// # Errors
    ///
    /// A collection that cannot be read, an input that is not there, folders without audio.
    pub fn of(inputs: &[PathBuf], tell: &mut dyn FnMut(String)) -> Result<Self, ExtractError> {
        let (mut tracks, mut notes) = (Vec::new(), PlaybackNotes::default());
        let (collections, loose): (Vec<_>, Vec<_>) = inputs.iter().cloned().partition(|path| path.join("collection.sqlite").is_file());
        for path in collections {
            tracks.extend(tracks_of(&path, &mut notes, tell)?);
        }
        if !loose.is_empty() {
            let length = |path: &Path| match SeekIndex::scan(path)? {
                Some(index) => Ok(index.duration_secs()),
                None => decode_file(path).map(|track| track.pcm.duration_secs()),
            };
            let measured = |path: PathBuf| length(&path).map(|duration_secs| TrialTrack { path, duration_secs });
            for found in audio_files(&loose)?.into_par_iter().map(measured).collect::<Vec<_>>() {
                match found {
                    Ok(track) => tracks.push(track),
                    Err(error) => tell(error.to_string()),
                }
            }
        }
        Ok(Self { tracks, notes: Arc::new(notes) })
    }
}

/// Those of a collection's tracks whose files are there.
fn tracks_of(path: &Path, notes: &mut PlaybackNotes, tell: &mut dyn FnMut(String)) -> Result<Vec<TrialTrack>, ExtractError> {
    let collection = Collection::open(path)?;
    let root = audio_root_of(&collection, None);
    notes.add(path, &root);
    let of_track = |track: &Track| TrialTrack { path: root.join(path_from_text(&track.path)), duration_secs: track.duration_secs };
    let all = collection.tracks().len();
    let there: Vec<_> = collection.tracks().iter().map(of_track).filter(|track| track.path.is_file()).collect();
    if there.len() < all {
        let some = if there.is_empty() { "none".to_owned() } else { format!("only {}", there.len()) };
        tell(format!("{}: {some} of its {all} audio files is in {}", path.display(), root.display()));
    }
    Ok(there)
}
