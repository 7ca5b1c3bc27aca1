//! What a file's tags say, in the words of the catalogue.

use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, RawValue, StandardTag};

use crate::catalog::TrackMetadata;

/// Longest text taken from a tag, in characters: a tag is a name, not a place to hide a file in.
const MAX_CHARS: usize = 1000;

/// Everything that all the revisions of a container's metadata say; where several say something, the first wins.
pub(super) fn read_metadata(reader: &mut dyn FormatReader) -> TrackMetadata {
    let mut found = TrackMetadata::default();
    let mut log = reader.metadata();
    let mut album_artist = None;
    while let Some(revision) = log.pop() {
        merge(&revision, &mut found, &mut album_artist);
    }
    if let Some(revision) = log.current() {
        merge(revision, &mut found, &mut album_artist);
    }
    found.artist = found.artist.or(album_artist);
    found
}

fn merge(revision: &MetadataRevision, found: &mut TrackMetadata, album_artist: &mut Option<String>) {
    let per_track = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    for tag in revision.media.tags.iter().chain(per_track) {
        match &tag.std {
            Some(StandardTag::TrackTitle(text)) => set(&mut found.title, text),
            Some(StandardTag::Artist(text)) => set(&mut found.artist, text),
            Some(StandardTag::Album(text)) => set(&mut found.album, text),
            Some(StandardTag::Genre(text)) => set(&mut found.genre, text),
            Some(StandardTag::ReleaseYear(year) | StandardTag::RecordingYear(year) | StandardTag::OriginalReleaseYear(year)) => {
                found.year.get_or_insert(i32::from(*year));
            }
            Some(StandardTag::ReleaseDate(date) | StandardTag::RecordingDate(date) | StandardTag::OriginalReleaseDate(date)) => {
                found.year = found.year.or_else(|| year_of(date));
            }
            Some(StandardTag::TrackNumber(number)) => {
                found.track_number = found.track_number.or_else(|| u32::try_from(*number).ok().filter(|&number| number > 0));
            }
            // Matroska's tags are of the whole file where they name nothing else, which for music is an album.
            Some(StandardTag::AlbumArtist(text)) => set(album_artist, text),
            None => {
                if let RawValue::String(text) = &tag.raw.value {
                    set_by_key(found, &tag.raw.key, text);
                }
            }
            _ => {}
        }
    }
}

/// What symphonia does not name: the keys that ffmpeg gives its Matroska files.
fn set_by_key(found: &mut TrackMetadata, key: &str, text: &str) {
    match key.rsplit('@').next().unwrap_or(key).to_ascii_uppercase().as_str() {
        "ALBUM" => set(&mut found.album, text),
        "PART_NUMBER" | "TRACK" => found.track_number = found.track_number.or_else(|| number_of(text)),
        "DATE" | "DATE_RELEASED" | "DATE_RECORDED" | "YEAR" => found.year = found.year.or_else(|| year_of(text)),
        _ => {}
    }
}

/// The number at the start of `3`, `03` or `3/12`.
fn number_of(text: &str) -> Option<u32> {
    text.split('/').next()?.trim().parse().ok().filter(|&number| number > 0)
}

fn set(field: &mut Option<String>, text: &str) {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(MAX_CHARS).collect();
    if field.is_none() && !text.is_empty() {
        *field = Some(text);
    }
}

/// The year at the start of a date such as `2004`, `2004-05-06` or `2004-05-06T07:08`.
fn year_of(date: &str) -> Option<i32> {
    let digits = date.trim().get(..4)?;
    if date.trim().chars().nth(4).is_some_and(|letter| letter.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|year| (1000..=9999).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_is_read_from_the_forms_of_a_date() {
        assert_eq!(year_of("2004"), Some(2004));
        assert_eq!(year_of(" 1999-12-31 "), Some(1999));
        for odd in ["", "04", "20040506", "MMIV", "0000", "é123"] {
            assert_eq!(year_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_track_number_is_read_with_and_without_a_total() {
        assert_eq!([number_of("3"), number_of(" 03/12"), number_of("0"), number_of("A1")], [Some(3), Some(3), None, None]);
    }

    #[test]
    fn a_text_is_trimmed_cleaned_and_bounded_and_the_first_stays() {
        let mut field = None;
        set(&mut field, "  \n ");
        assert_eq!(field, None);
        set(&mut field, &format!(" a\u{0}b{}", "x".repeat(5000)));
        assert_eq!(field.as_ref().map(|text| text.chars().count()), Some(MAX_CHARS));
        assert!(field.as_ref().is_some_and(|text| text.starts_with("abx")));
        set(&mut field, "second");
        assert!(field.is_some_and(|text| text.starts_with("abx")));
    }
}
