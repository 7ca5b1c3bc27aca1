//! Tags where other programs read them: several values of one field, in chunks, with dates of every form; and a folder of odd files, extracted in one go.

use std::path::Path;

use tagscape::audio::decode_file;
use tagscape::catalog::TrackMetadata;
use tagscape::store::Collection;

use crate::common::odd_audio::{
    chunk, chunk_that_says, fixture, flac_with_comments, format_chunk, id3v1, id3v2, riff, tone, without_end_mark, write,
};
use crate::common::program::{extract, json, program};

fn tags_of(bytes: &[u8], name: &str) -> TrackMetadata {
    let folder = tempfile::tempdir().unwrap();
    decode_file(&write(folder.path(), name, bytes)).unwrap_or_else(|error| panic!("{name}: {error}")).metadata
}

fn texts(tags: &TrackMetadata) -> [Option<&str>; 4] {
    [&tags.title, &tags.artist, &tags.album, &tags.genre].map(|text| text.as_deref())
}

#[test]
fn several_values_of_a_field_are_joined() {
    let mp3 = fixture("low.mp3");
    let tag = id3v2(&[
        (b"TPE1", "Ann\0Bob"),
        (b"TALB", "Airs\0Songs"),
        (b"TCON", "Folk\0Jazz\0Folk"),
        (b"TIT2", "One\0Two"),
        (b"TDRC", "2004\x002010"),
    ]);
    let tags = tags_of(&[&tag[..], &mp3].concat(), "two.mp3");
    assert_eq!(texts(&tags), [Some("One; Two"), Some("Ann; Bob"), Some("Airs; Songs"), Some("Folk; Jazz")]);
    assert_eq!(tags.year, Some(2004));
    let comments = ["ARTIST=Ann", "TITLE=One", "artist=Bob", "GENRE=Folk", "GENRE=Jazz", "PERFORMER=Eve", "ALBUM=Airs"];
    let tags = tags_of(&flac_with_comments(&fixture("mountain.flac"), &comments), "two.flac");
    assert_eq!(texts(&tags), [Some("One"), Some("Ann; Bob"), Some("Airs"), Some("Folk; Jazz")]);
    // A single value stays as it is, with an empty one behind it as well.
    let tags = tags_of(&[&id3v2(&[(b"TPE1", "Ann\0"), (b"TIT2", "One")])[..], &mp3].concat(), "one.mp3");
    assert_eq!((tags.artist.as_deref(), tags.title.as_deref()), (Some("Ann"), Some("One")));
}

#[test]
fn the_chunks_of_a_wav_have_its_tags() {
    let info: Vec<u8> =
        [(b"INAM", "Aria\0"), (b"IART", "Ann\0"), (b"IPRD", "Airs"), (b"IGNR", "Folk\0"), (b"ICRD", "2004-05-06\0"), (b"IPRT", "3")]
            .iter()
            .flat_map(|(id, text)| chunk(id, text.as_bytes()))
            .collect();
    let list = chunk(b"LIST", &[&b"INFO"[..], &info].concat());
    let id3 = chunk(
        b"id3 ",
        &id3v2(&[(b"TIT2", "Aria"), (b"TPE1", "Ann"), (b"TALB", "Airs"), (b"TCON", "Folk"), (b"TDRC", "2004-05-06"), (b"TRCK", "3/9")]),
    );
    let (format, data) = (format_chunk(8_000, 1, false), chunk(b"data", &tone(8_000, 8_000, 1)));
    for (what, chunks) in [
        ("texts before", vec![format.clone(), list.clone(), data.clone()]),
        ("texts behind", vec![format.clone(), data.clone(), list.clone()]),
        ("a tag before", vec![id3.clone(), format.clone(), data.clone()]),
        ("a tag behind", vec![format.clone(), data.clone(), id3.clone()]),
        ("both", vec![format.clone(), data.clone(), id3, list]),
    ] {
        let tags = tags_of(&riff(b"RIFF", 0, &chunks), "a.wav");
        assert_eq!(texts(&tags), [Some("Aria"), Some("Ann"), Some("Airs"), Some("Folk")], "{what}");
        assert_eq!((tags.year, tags.track_number), (Some(2004), Some(3)), "{what}");
    }
    // Some writers put the tag before all else.
    let tagged = [id3v2(&[(b"TIT2", "Aria")]), riff(b"RIFF", 0, &[format, data])].concat();
    assert_eq!(tags_of(&tagged, "b.wav").title.as_deref(), Some("Aria"));
    let flac = [id3v2(&[(b"TIT2", "Aria")]), fixture("mountain.flac")].concat();
    assert_eq!(tags_of(&flac, "b.flac").title.as_deref(), Some("Aria"));
}

#[test]
fn a_year_is_found_in_dates_of_every_form_and_not_in_a_day_and_month() {
    for date in ["2004", "20040506", "2004-05-06", "06.05.2004", "May 6, 2004", "2004-05-06T07:08:09"] {
        let flac = flac_with_comments(&fixture("mountain.flac"), &[&format!("DATE={date}")]);
        assert_eq!(tags_of(&flac, "a.flac").year, Some(2004), "{date}");
    }
    let tag = id3v2(&[(b"TDAT", "1205"), (b"TYER", "2004")]);
    assert_eq!(tags_of(&[tag, fixture("low.mp3")].concat(), "a.mp3").year, Some(2004));
}

/// A file of the folder, and what has to be found of it: rows, seconds, and words of its remark or failure.
struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    rows: i64,
    secs: f64,
    words: &'static str,
}

fn folder_of_odd_files(folder: &Path) -> Vec<Row> {
    let row = |name, bytes, rows, secs, words| Row { name, bytes, rows, secs, words };
    let (mp3, flac) = (fixture("nebula.mp3"), fixture("nebula.flac"));
    let format = || format_chunk(16_000, 1, false);
    let body = tone(100_000, 16_000, 1);
    let table = vec![
        row("a-joined.mp3", [&fixture("vbr.mp3")[..], &fixture("vbr.mp3")].concat(), 6, 18.1, ""),
        row("b-mono-stereo.mp3", [&fixture("vbr.mp3")[..], &mp3].concat(), 6, 18.1, ""),
        row("c-cut.mp3", mp3[..mp3.len() / 2].to_vec(), 1, 4.5, "ends after"),
        row("d-cut.flac", flac[..flac.len() * 9 / 10].to_vec(), 1, 3.6, "ends after"),
        row("e-cut-short.flac", flac[..flac.len() / 2].to_vec(), 0, 0.0, "shorter than a segment"),
        row("f-streamed.wav", riff(b"RIFF", u32::MAX, &[format(), chunk_that_says(b"data", u32::MAX, &body)]), 2, 6.25, ""),
        row("g-cut.wav", riff(b"RIFF", 0, &[format(), chunk_that_says(b"data", 400_000, &body)]), 2, 6.25, "of the 12.50 s"),
        row("h-open.ogg", without_end_mark(&fixture("nebula.ogg")), 3, 9.0, "no end mark"),
        row("i-tag-behind.flac", [&flac[..], &id3v1("x")].concat(), 1, 4.0, ""),
        row("j.ogg", [b"OggS\0\x02".as_slice(), &[0; 20], &[1, 8], b"Speex   "].concat(), 0, 0.0, "Speex"),
    ];
    for row in &table {
        write(folder, row.name, &row.bytes);
    }
    table
}

#[test]
fn a_folder_of_odd_files_is_extracted_in_one_go_and_strictly_only_what_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out, strict) = (folder.path().join("music"), folder.path().join("c.tagscape"), folder.path().join("strict.tagscape"));
    std::fs::create_dir(&music).unwrap();
    let table = folder_of_odd_files(&music);
    for name in ["x.wma", "y.WMA", "z.wv"] {
        std::fs::write(music.join(name), "of no interest").unwrap();
    }
    let output = extract(&["--models", "mtt-vgg", "--json"], &music, &out);
    let summary = json(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("2 wma, 1 wv files are of a kind that is not read"), "{said}");
    let reasons = |key: &str, name: &str| -> Vec<String> {
        let list = summary[key].as_array().unwrap();
        list.iter().filter(|entry| entry["path"] == name).map(|entry| entry["reason"].as_str().unwrap().to_owned()).collect()
    };
    let collection = Collection::open(&out).unwrap();
    let database = rusqlite::Connection::open(out.join("collection.sqlite")).unwrap();
    for row in &table {
        let track = collection.tracks().iter().find(|track| track.path == row.name);
        let rows: i64 = database
            .query_row("SELECT coalesce(sum(row_count), 0) FROM track_rows JOIN tracks ON id = track_id WHERE path = ? AND space = 'mtt-vgg-taggrams'", [row.name], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, row.rows, "{}", row.name);
        let secs = track.map_or(0.0, |track| track.duration_secs);
        assert!((secs - row.secs).abs() < 0.1, "{}: {secs} s", row.name);
        let (remarks, failures) = (reasons("remarks", row.name), reasons("failed", row.name));
        match (row.words, row.rows) {
            ("", _) => assert!(remarks.is_empty() && failures.is_empty(), "{}: {remarks:?} {failures:?}", row.name),
            (words, 0) => assert!(remarks.is_empty() && failures.len() == 1 && failures[0].contains(words), "{}: {failures:?}", row.name),
            (words, _) => assert!(failures.is_empty() && remarks.len() == 1 && remarks[0].contains(words), "{}: {remarks:?}", row.name),
        }
        for reason in remarks.iter().chain(&failures) {
            assert!(said.lines().any(|line| line.contains(row.name) && line.contains(reason.as_str())), "{said}");
        }
    }
    // Nothing is left to be done, and nothing is said again but what failed.
    let again = json(&extract(&["--models", "mtt-vgg", "--json"], &music, &out));
    assert_eq!((&again["tracks"], again["remarks"].as_array().map(Vec::len)), (&8.into(), Some(0)), "{again}");
    // Strictly, what is remarked on fails, and is not remembered as a failure.
    let output = extract(&["--models", "mtt-vgg", "--json", "--strict"], &music, &strict);
    let summary = json(&output);
    assert_eq!((output.status.code(), &summary["tracks"]), (Some(1), &4.into()), "{summary}");
    assert_eq!((summary["failed"].as_array().map(Vec::len), summary["remarks"].as_array().map(Vec::len)), (Some(6), Some(0)), "{summary}");
    let lenient = json(&extract(&["--models", "mtt-vgg", "--json"], &music, &strict));
    assert_eq!((&lenient["tracks"], lenient["remarks"].as_array().map(Vec::len)), (&8.into(), Some(4)), "{lenient}");
}

#[test]
fn a_folder_of_nothing_but_other_kinds_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join("a.wma"), "x").unwrap();
    let output = program().arg("extract").arg(&music).arg("--out").arg(folder.path().join("c.tagscape")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no audio files") && said.contains("1 wma file is of a kind that is not read"), "{said}");
}
