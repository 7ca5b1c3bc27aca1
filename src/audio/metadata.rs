//! What a file's tags say, in the words of the catalogue.

use std::fs::File;
use std::ops::Range;

use symphonia::core::formats::FormatReader;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{MetadataOptions, MetadataReader, MetadataRevision, RawValue, StandardTag};
use symphonia::default::meta::Id3v2Reader;

use super::source::FileStretch;
use crate::catalog::TrackMetadata;

/// Longest text taken from a tag, in characters: a tag is a name, not a place to hide a file in.
const MAX_CHARS: usize = 1000;
/// Largest ID3v2 tag in a chunk, whose pictures are read over.
const MAX_ID3: u64 = 64 << 20;

/// Several values of one field, as two artists are, stand behind each other with this between.
const BETWEEN: &str = "; ";

/// A field that holds text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Title,
    Artist,
    Album,
    Genre,
    AlbumArtist,
}

/// The texts of one revision: of each field the values of the first key that names it.
#[derive(Debug, Default)]
struct Texts(Vec<(Field, String, Vec<String>)>);

impl Texts {
    fn add(&mut self, field: Field, key: &str, text: &str) {
        let Some(text) = clean(text) else { return };
        match self.0.iter_mut().find(|(known, ..)| *known == field) {
            Some((_, known, values)) if known.eq_ignore_ascii_case(key) && !values.contains(&text) => values.push(text),
            Some(_) => {}
            None => self.0.push((field, key.to_owned(), vec![text])),
        }
    }

    fn take(&self, field: Field) -> Option<String> {
        let (.., values) = self.0.iter().find(|(known, ..)| *known == field)?;
        clean(&values.join(BETWEEN))
    }
}

/// Everything that all the revisions of a container's metadata say; where several say something, the first wins.
pub(super) fn read_metadata(reader: &mut dyn FormatReader) -> TrackMetadata {
    let mut found = Found::default();
    let mut log = reader.metadata();
    while let Some(revision) = log.pop() {
        found.merge(&revision);
    }
    if let Some(revision) = log.current() {
        found.merge(revision);
    }
    found.finish()
}

/// What the texts and the ID3v2 tag of a file of chunks say, each in chunks of its own.
pub(super) fn chunk_metadata(texts: &[([u8; 4], String)], id3: Option<&MetadataRevision>) -> TrackMetadata {
    let mut found = Found::default();
    let mut of_chunks = Texts::default();
    for (id, text) in texts {
        let key = String::from_utf8_lossy(id);
        match id {
            b"INAM" | b"TITL" | b"NAME" => of_chunks.add(Field::Title, &key, text),
            b"IART" | b"AUTH" => of_chunks.add(Field::Artist, &key, text),
            b"IPRD" | b"IALB" => of_chunks.add(Field::Album, &key, text),
            b"IGNR" | b"GENR" | b"ISGN" => of_chunks.add(Field::Genre, &key, text),
            b"ICRD" | b"YEAR" | b"DTIM" => found.set_year(year_of(text)),
            b"ITRK" | b"IPRT" | b"TRCK" | b"PRT1" => found.set_track_number(number_of(text)),
            _ => {}
        }
    }
    found.take(&of_chunks);
    if let Some(revision) = id3 {
        found.merge(revision);
    }
    found.finish()
}

/// An ID3v2 tag that stands in a stretch of a file, whatever the container around it; `None` where it cannot be read.
pub(super) fn id3_in(file: File, stretch: Range<u64>) -> Option<MetadataRevision> {
    if stretch.end.saturating_sub(stretch.start) > MAX_ID3 {
        return None;
    }
    let source = MediaSourceStream::new(Box::new(FileStretch::behind(Vec::new(), file, stretch)), Default::default());
    let mut reader = Id3v2Reader::try_new(source, MetadataOptions::default()).ok()?;
    reader.read_all().ok().map(|found| found.revision)
}

/// Fills what is missing in `found` from a tag.
pub(super) fn add_revision(found: &mut TrackMetadata, revision: &MetadataRevision) {
    let mut more = Found { fields: std::mem::take(found), album_artist: None };
    more.merge(revision);
    *found = more.finish();
}

#[derive(Debug, Default)]
struct Found {
    fields: TrackMetadata,
    album_artist: Option<String>,
}

impl Found {
    fn merge(&mut self, revision: &MetadataRevision) {
        let mut texts = Texts::default();
        let per_track = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
        for tag in revision.media.tags.iter().chain(per_track) {
            let key = tag.raw.key.as_str();
            match &tag.std {
                Some(StandardTag::TrackTitle(text)) => texts.add(Field::Title, key, text),
                Some(StandardTag::Artist(text)) => texts.add(Field::Artist, key, text),
                Some(StandardTag::Album(text)) => texts.add(Field::Album, key, text),
                Some(StandardTag::Genre(text)) => texts.add(Field::Genre, key, text),
                // Matroska's tags are of the whole file where they name nothing else, which for music is an album.
                Some(StandardTag::AlbumArtist(text)) => texts.add(Field::AlbumArtist, key, text),
                Some(StandardTag::ReleaseYear(year) | StandardTag::RecordingYear(year) | StandardTag::OriginalReleaseYear(year)) => {
                    self.set_year(Some(i32::from(*year)));
                }
                // A day and a month.
                Some(_) if key.eq_ignore_ascii_case("TDAT") => {}
                Some(StandardTag::ReleaseDate(date) | StandardTag::RecordingDate(date) | StandardTag::OriginalReleaseDate(date)) => {
                    self.set_year(year_of(date));
                }
                Some(StandardTag::TrackNumber(number)) => self.set_track_number(u32::try_from(*number).ok().filter(|&number| number > 0)),
                None => match &tag.raw.value {
                    RawValue::String(text) => self.set_by_key(&mut texts, key, text),
                    // ID3v2.4 and APE give several values in one field; symphonia names none of them.
                    RawValue::StringList(list) => list.iter().for_each(|text| self.set_by_key(&mut texts, key, text)),
                    _ => {}
                },
                _ => {}
            }
        }
        self.take(&texts);
    }

    /// What symphonia does not name: fields of several values, and the keys that ffmpeg gives its Matroska files.
    fn set_by_key(&mut self, texts: &mut Texts, key: &str, text: &str) {
        match key.rsplit('@').next().unwrap_or(key).to_ascii_uppercase().as_str() {
            "TIT2" | "TITLE" => texts.add(Field::Title, key, text),
            "TPE1" | "ARTIST" => texts.add(Field::Artist, key, text),
            "TALB" | "ALBUM" => texts.add(Field::Album, key, text),
            "TCON" | "GENRE" => texts.add(Field::Genre, key, text),
            "TPE2" | "ALBUMARTIST" | "ALBUM ARTIST" => texts.add(Field::AlbumArtist, key, text),
            "TRCK" | "PART_NUMBER" | "TRACK" => self.set_track_number(number_of(text)),
            "TDRC" | "TYER" | "TDRL" | "TDOR" | "DATE" | "DATE_RELEASED" | "DATE_RECORDED" | "YEAR" => self.set_year(year_of(text)),
            _ => {}
        }
    }

    fn set_year(&mut self, year: Option<i32>) {
        self.fields.year = self.fields.year.or(year);
    }

    fn set_track_number(&mut self, number: Option<u32>) {
        self.fields.track_number = self.fields.track_number.or(number);
    }

    fn take(&mut self, texts: &Texts) {
        let fields = &mut self.fields;
        for (into, field) in [
            (&mut fields.title, Field::Title),
            (&mut fields.artist, Field::Artist),
            (&mut fields.album, Field::Album),
            (&mut fields.genre, Field::Genre),
            (&mut self.album_artist, Field::AlbumArtist),
        ] {
            if into.is_none() {
                *into = texts.take(field);
            }
        }
    }

    fn finish(self) -> TrackMetadata {
        let artist = self.fields.artist.or(self.album_artist);
        TrackMetadata { artist, ..self.fields }
    }
}

/// The number at the start of `3`, `03` or `3/12`.
fn number_of(text: &str) -> Option<u32> {
    text.split('/').next()?.trim().parse().ok().filter(|&number| number > 0)
}

/// A text without blanks around it and without control characters, of a bounded length; `None` where nothing is left.
fn clean(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(MAX_CHARS).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The year that a date begins or ends with, as `2004`, `2004-05-06T07:08`, `20040506`, `06.05.2004` and `May 6, 2004` do.
fn year_of(date: &str) -> Option<i32> {
    let date = date.trim();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = &date[..digits(date)];
    let last = &date[date.len() - date.bytes().rev().take_while(u8::is_ascii_digit).count()..];
    let number = |text: &str| text.parse::<i32>().ok();
    let year = |text: &str| number(text).filter(|year| (1000..=9999).contains(year));
    let is_month_and_day = |text: &str| {
        let part = |at: usize| text.get(at..at + 2).and_then(number);
        part(0).is_none_or(|month| (0..=12).contains(&month)) && part(2).is_none_or(|day| (0..=31).contains(&day))
    };
    match first.len() {
        4 => year(first),
        6 | 8 | 12 | 14 if is_month_and_day(&first[4..]) => year(&first[..4]),
        _ => None,
    }
    .or_else(|| match last.len() {
        4 => year(last),
        8 => year(&last[4..]),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_is_read_from_the_forms_of_a_date() {
        assert_eq!(year_of("2004"), Some(2004));
        assert_eq!(year_of(" 1999-12-31 "), Some(1999));
        let dates = ["20040506", "200405", "20040506070809", "2004/05/06", "2004-05-06T07:08:09Z", "06.05.2004", "06052004", "12052004"];
        let words = ["May 6, 2004", "2004 (remastered)", "c 2004", "©2004"];
        for date in dates.into_iter().chain(words) {
            assert_eq!(year_of(date), Some(2004), "{date}");
        }
        for odd in ["", "04", "MMIV", "0000", "é123", "0605", "123456789", "5-2004-6"] {
            assert_eq!(year_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_track_number_is_read_with_and_without_a_total() {
        assert_eq!([number_of("3"), number_of(" 03/12"), number_of("0"), number_of("A1")], [Some(3), Some(3), None, None]);
    }

    #[test]
    fn a_text_is_trimmed_cleaned_and_bounded() {
        assert_eq!(clean("  \n "), None);
        let found = clean(&format!(" a\u{0}b{}", "x".repeat(5000))).unwrap();
        assert!(found.chars().count() == MAX_CHARS && found.starts_with("abx"));
    }

    #[test]
    fn values_of_one_key_are_joined_and_another_key_for_the_same_is_not() {
        let mut texts = Texts::default();
        for (key, text) in [("ARTIST", "Ann"), ("artist", "Bob"), ("ARTIST", "Ann"), ("TPE1", "Eve"), ("ARTIST", " ")] {
            texts.add(Field::Artist, key, text);
        }
        assert_eq!((texts.take(Field::Artist).as_deref(), texts.take(Field::Album)), (Some("Ann; Bob"), None));
    }

    #[test]
    fn the_texts_of_chunks_are_named_by_their_ids() {
        let texts = [(b"INAM", "Aria"), (b"IART", "Ann"), (b"IPRD", "Airs"), (b"IGNR", "Folk"), (b"ICRD", "2004-05-06"), (b"IPRT", "3/12")];
        let found = chunk_metadata(&texts.map(|(id, text)| (*id, text.to_owned())), None);
        assert_eq!((found.title.as_deref(), found.artist.as_deref(), found.album.as_deref()), (Some("Aria"), Some("Ann"), Some("Airs")));
        assert_eq!((found.genre.as_deref(), found.year, found.track_number), (Some("Folk"), Some(2004), Some(3)));
    }
}
