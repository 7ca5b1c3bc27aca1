//! Choosing by a text: tracks by what is known of them, segments by a tag's activation.

use std::sync::Arc;

use rayon::prelude::*;

use super::error::AppError;
use super::near_names::near_names;
use crate::catalog::{SpaceKey, TagVocabulary, Track, TrackRows};
use crate::matrix::{RowError, RowSource as _};
use crate::scene::{ChosenRows, Combine};
use crate::store::Collection;

/// Begins a text that means a tag.
const TAG: &str = "tag:";
/// Rows of activations that are read in one go.
const BAND_ROWS: usize = 8192;
/// Tags that a line names.
const NAMED_TAGS: usize = 3;

/// What to look for, and where.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Its number; a newer one makes it stale.
    pub serial: u64,
    /// The collection.
    pub collection: Arc<Collection>,
    /// The space that is shown.
    pub space: SpaceKey,
    /// The rows of its tracks.
    pub track_rows: Arc<[TrackRows]>,
    /// How many rows it has.
    pub rows: usize,
    /// The text.
    pub text: String,
    /// What becomes of the rows chosen before.
    pub how: Combine,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SearchOutcome {
    /// The request's number.
    pub serial: u64,
    /// What becomes of the rows chosen before.
    pub how: Combine,
    /// The rows, at least one, or a line that says why there are none.
    pub found: Result<ChosenRows, String>,
}

/// What a text means.
#[derive(Clone, Debug, PartialEq)]
enum Query<'a> {
    /// Tracks that have these letters, in lower case, in what is known of them.
    Words(String),
    /// Segments whose activation of a tag is above a number.
    Tag(&'a str, f32),
}

impl SearchRequest {
    /// Looks, on this thread and rayon's.
    #[must_use]
    pub fn run(&self) -> SearchOutcome {
        let found = Query::of(&self.text).and_then(|query| match query {
            Query::Words(words) => self.tracks_with(&words),
            Query::Tag(tag, above) => self.segments_above(tag, above),
        });
        SearchOutcome { serial: self.serial, how: self.how, found }
    }

    /// What is told where [`Self::run`] panicked.
    pub(super) fn of_panic(&self) -> SearchOutcome {
        SearchOutcome { serial: self.serial, how: self.how, found: Err(AppError::Mistake.to_string()) }
    }

    fn tracks_with(&self, words: &str) -> Result<ChosenRows, String> {
        let tracks = self.collection.tracks();
        let is_meant: Vec<bool> = tracks.par_iter().map(|track| has_words(track, words)).collect();
        let of_track = |rows: &&TrackRows| {
            let position = tracks.binary_search_by_key(&rows.track, |track| track.id).ok();
            position.and_then(|position| is_meant.get(position)).copied().unwrap_or(false)
        };
        let found = ChosenRows::of_ranges(self.rows, self.track_rows.iter().filter(of_track).map(TrackRows::range));
        let nothing = || format!("Nothing matches \"{}\" (artist, album, genre, title or path)", self.text.trim());
        if found.count() > 0 { Ok(found) } else { Err(nothing()) }
    }

    fn segments_above(&self, tag: &str, above: f32) -> Result<ChosenRows, String> {
        let no_tags = || format!("{} has no tags; choose by artist, album, genre, title or path", self.space);
        let key = self.space.taggrams().ok_or_else(no_tags)?;
        let vocabulary = self.collection.tags(key).ok().flatten().ok_or_else(|| format!("The collection has no {key} to choose by"))?;
        let column = vocabulary.position(tag).ok_or_else(|| unknown_tag(&vocabulary, tag, key))?;
        let taggrams = self.collection.matrix(key).map_err(|error| error.to_string())?;
        if taggrams.rows() != self.rows {
            return Err(format!("{key} and {} have different segments", self.space));
        }
        let dims = taggrams.dims();
        let bands: Vec<usize> = (0..self.rows).step_by(BAND_ROWS).collect();
        let band = |&first: &usize| {
            let rows = first..self.rows.min(first + BAND_ROWS);
            let mut activations = vec![0.0; rows.len() * dims];
            taggrams.read_rows(rows, &mut activations)?;
            let is_above = |row: &[f32]| row.get(column).is_some_and(|&activation| activation > above);
            let words = activations
                .chunks(32 * dims)
                .map(|word| word.chunks_exact(dims).enumerate().fold(0u32, |word, (bit, row)| word | (u32::from(is_above(row)) << bit)));
            Ok(words.collect::<Vec<u32>>())
        };
        let words: Result<Vec<_>, RowError> = bands.par_iter().map(band).collect();
        let words: Vec<u32> = words.map_err(|error| error.to_string())?.concat();
        let found = ChosenRows::from_words(words, self.rows);
        let name = vocabulary.names().get(column).map_or(tag, String::as_str);
        if found.count() > 0 { Ok(found) } else { Err(format!("No segment has \"{name}\" above {above}; try a smaller number")) }
    }
}

impl<'a> Query<'a> {
    fn of(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Write what to choose: a part of an artist, album, genre, title or path, or tag:NAME>0.5".to_owned());
        }
        let is_tag = text.get(..TAG.len()).is_some_and(|start| start.eq_ignore_ascii_case(TAG));
        let Some(condition) = text.get(TAG.len()..).filter(|_| is_tag) else { return Ok(Self::Words(text.to_lowercase())) };
        let parts = condition.rsplit_once('>').and_then(|(tag, above)| Some((tag.trim(), above.trim().parse::<f32>().ok()?)));
        parts
            .filter(|(tag, above)| !tag.is_empty() && above.is_finite())
            .map(|(tag, above)| Self::Tag(tag, above))
            .ok_or_else(|| format!("\"{text}\" is no condition; write a tag and a number from 0 to 1, as in tag:rock>0.5"))
    }
}

fn has_words(track: &Track, words: &str) -> bool {
    let about = &track.metadata;
    let fields = [&about.artist, &about.album, &about.genre, &about.title];
    fields.into_iter().flatten().chain([&track.path]).any(|field| field.to_lowercase().contains(words))
}

/// A line about a tag that is not there, with a few that are: those that may be meant, or else the first.
fn unknown_tag(vocabulary: &TagVocabulary, tag: &str, key: SpaceKey) -> String {
    let names = vocabulary.names();
    let near = near_names(tag, names);
    let there = if near.is_empty() {
        let listed = names.iter().take(NAMED_TAGS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let others = names.len().saturating_sub(NAMED_TAGS);
        if others > 0 { format!("it has {listed} and {others} others") } else { format!("it has {listed}") }
    } else {
        format!("near it: {}", near.into_iter().take(NAMED_TAGS).collect::<Vec<_>>().join(", "))
    };
    format!("{} has no tag \"{tag}\"; {there}", key.model.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{TrackId, TrackMetadata};

    #[test]
    fn a_text_is_words_or_a_condition() {
        assert_eq!(Query::of("  Miles D"), Ok(Query::Words("miles d".to_owned())));
        assert_eq!(Query::of("tag:rock>0.5"), Ok(Query::Tag("rock", 0.5)));
        assert_eq!(Query::of("TAG: Female Vocalists > .25 "), Ok(Query::Tag("Female Vocalists", 0.25)));
        for bad in ["", "  ", "tag:", "tag:rock", "tag:rock>", "tag:>0.5", "tag:rock>loud", "tag:rock>nan"] {
            assert!(Query::of(bad).is_err(), "{bad}");
        }
        // A letter of several bytes where the prefix would end.
        assert_eq!(Query::of("abcé"), Ok(Query::Words("abcé".to_owned())));
    }

    #[test]
    fn words_are_looked_for_in_everything_known_of_a_track() {
        let metadata = TrackMetadata { artist: Some("Ólafur".into()), genre: Some("Ambient".into()), ..TrackMetadata::default() };
        let track = Track { id: TrackId(1), path: "Folder/song.ogg".into(), duration_secs: 1.0, metadata };
        for words in ["ólaf", "ambient", "der/so", "song.ogg"] {
            assert!(has_words(&track, words), "{words}");
        }
        assert!(!has_words(&track, "jazz"));
    }
}
