//! What extraction notes down for playback: it is right, travels with the collection, is of no other file, and is never in the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use tagscape::app::playback_notes::PlaybackNotes;
use tagscape::audio::{Loudness, MonoStream, SeekIndex};
use tagscape::catalog::SegmentSpan;
use tagscape::player::{FileSource, KnownNote, SegmentSource, TrackNotes};
use tagscape::store::{NOTES_FILE, NewNote, NotedFile, NotesFile, TrackNote};

use crate::audio_formats::{CASES, has_ffmpeg, make, source};
use crate::common::program::{TRACKS, checkout, demo_audio, extract, json, matrices, program, public_rows, twenty_tracks, wav};

const MODELS: [&str; 2] = ["--models", "mtt-vgg"];
const SPAN: SegmentSpan = SegmentSpan { start_secs: 2.0, duration_secs: 1.0 };

/// The notes of a collection whose audio lies below `root`, and of nobody else.
fn notes_of(collection: &Path, root: &Path) -> PlaybackNotes {
    let mut notes = PlaybackNotes::default();
    notes.add(collection, root);
    notes
}

/// What is found out by listening.
fn found_out(file: &Path) -> KnownNote {
    KnownNote { seek_index: SeekIndex::bytes_for(file), loudness: Loudness::of_file(file, &|| true).unwrap() }
}

/// Music in several formats, one of them without packets to be found.
fn some_music(folder: &Path) -> Vec<PathBuf> {
    std::fs::create_dir_all(folder.join("album")).unwrap();
    let fixtures = ["nebula.ogg", "nebula.mp3", "vbr.mp3", "low.mp3", "nebula.flac", "mountain.flac"];
    let mut files: Vec<PathBuf> = fixtures
        .iter()
        .map(|name| {
            let file = folder.join("album").join(name);
            std::fs::copy(checkout().join("tests/fixtures/audio").join(name), &file).unwrap();
            file
        })
        .collect();
    let tone: Vec<f32> = (0..64_000).map(|n| 0.1 * (n as f32 * 0.2).sin()).collect();
    files.push(folder.join("tone.wav"));
    std::fs::write(&files[6], wav(&tone)).unwrap();
    files
}

/// All rows of a collection's notes, without the files' times.
fn rows(collection: &Path) -> BTreeMap<String, (i64, [u8; 32], TrackNote)> {
    let database = rusqlite::Connection::open(collection.join(NOTES_FILE)).unwrap();
    let mut statement = database.prepare("SELECT path, bytes, fingerprint, seek_index, loudness_lufs, peak FROM notes").unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let note = TrackNote { seek_index: row.get(3)?, loudness: Some((row.get(4)?, row.get(5)?)) };
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, note)))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn sql(collection: &Path, statement: &str) {
    rusqlite::Connection::open(collection.join(NOTES_FILE)).unwrap().execute_batch(statement).unwrap();
}

/// Notes that tell what the player asks them to keep.
struct Watched {
    notes: PlaybackNotes,
    kept: Mutex<Vec<PathBuf>>,
}

impl TrackNotes for Watched {
    fn note(&self, path: &Path) -> KnownNote {
        self.notes.note(path)
    }

    fn keep(&self, path: &Path, _note: KnownNote) {
        self.kept.lock().unwrap().push(path.to_owned());
    }
}

#[test]
fn extraction_notes_what_listening_would_find_out_and_leaves_it_nothing_to_learn() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    let files = some_music(&music);
    assert_eq!(extract(&MODELS, &music, &out).status.code(), Some(0));
    let watched = Arc::new(Watched { notes: notes_of(&out, &music), kept: Mutex::default() });
    let source = FileSource::with_notes(Arc::clone(&watched) as Arc<dyn TrackNotes>);
    for file in &files {
        let noted = watched.note(file);
        assert_eq!(noted, found_out(file), "{}", file.display());
        let loudness = noted.loudness.unwrap();
        assert!((-60.0..0.0).contains(&loudness.lufs), "{loudness:?}");
        let index = SeekIndex::from_bytes(&noted.seek_index.clone().unwrap(), file);
        assert_eq!(index.is_none(), file.ends_with("tone.wav"));
        assert!(index.is_none_or(|index| index.is_of(file) && index.packet_count() > 30));
        // The first touch has the common level, and there is nothing left to be found out.
        let plain = FileSource::default().load(file, SPAN, 48_000).unwrap().frames();
        let heard = source.load(file, SPAN, 48_000).unwrap().frames();
        assert!(plain.as_flattened().iter().zip(heard.as_flattened()).all(|(plain, heard)| plain * loudness.gain() == *heard));
        source.learn(file, &|| true);
    }
    assert_eq!(*watched.kept.lock().unwrap(), Vec::<PathBuf>::new());
    // The comparison can fail: without the notes, everything is found out.
    let unknown = Arc::new(Watched { notes: PlaybackNotes::default(), kept: Mutex::default() });
    let source = FileSource::with_notes(Arc::clone(&unknown) as Arc<dyn TrackNotes>);
    source.learn(&files[0], &|| true);
    assert_eq!(unknown.kept.lock().unwrap().len(), 2);
}

#[test]
fn notes_travel_with_the_audio_and_are_of_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out, copy) = (folder.path().join("music"), folder.path().join("c.tagscape"), folder.path().join("copy"));
    let files = some_music(&music);
    assert_eq!(extract(&MODELS, &music, &out).status.code(), Some(0));
    let copies = some_music(&copy);
    let later = SystemTime::now() + Duration::from_secs(5000);
    for (file, copied) in files.iter().zip(&copies) {
        std::fs::File::options().write(true).open(copied).unwrap().set_modified(later).unwrap();
        let noted = notes_of(&out, &copy).note(copied);
        assert_eq!(noted, notes_of(&out, &music).note(file), "{}", copied.display());
        assert!(noted.seek_index.is_some() && noted.loudness.is_some());
        // Its packets are where they were: what is sought is what a decode from the start has there.
        let source = FileSource::with_notes(Arc::new(notes_of(&out, &copy)));
        let unsought = FileSource::with_notes(Arc::new(notes_of(&out, &music)));
        assert_eq!(source.load(copied, SPAN, 44_100).unwrap().frames(), unsought.load(file, SPAN, 44_100).unwrap().frames());
    }
    let nothing = KnownNote::default();
    for copied in &copies {
        let mut bytes = std::fs::read(copied).unwrap();
        // In the middle, or where the first 64 KiB end.
        let place = (bytes.len() / 2).min(65_535);
        bytes[place] ^= 0x55;
        std::fs::write(copied, &bytes).unwrap();
        assert_eq!(notes_of(&out, &copy).note(copied), nothing, "{}: another file of that length", copied.display());
        bytes[place] ^= 0x55;
        std::fs::write(copied, &bytes).unwrap();
        assert_ne!(notes_of(&out, &copy).note(copied), nothing, "the first one again");
    }
    // A changed file's old note is not used, and what listening finds out is kept for the user alone.
    std::fs::copy(&files[1], &copies[0]).unwrap();
    assert_eq!(notes_of(&out, &copy).note(&copies[0]), nothing);
}

#[test]
fn a_resumed_run_notes_only_what_it_adds_and_a_stale_note_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    let files = some_music(&music);
    let late = music.join("z.flac");
    std::fs::write(&late, "no music yet").unwrap();
    assert_eq!(extract(&MODELS, &music, &out).status.code(), Some(1));
    let before = rows(&out);
    assert_eq!(before.len(), files.len(), "what failed has no note");
    // A note of a file that was there once, and one that was lost.
    let stale = TrackNote { seek_index: Some(vec![1]), loudness: Some((-1.0, 1.0)) };
    let new = NewNote { path: "z.flac".to_owned(), file: NotedFile::of(&late).unwrap(), note: stale };
    assert!(NotesFile::open(&out.join(NOTES_FILE)).unwrap().keep(&[new]));
    sql(&out, "DELETE FROM notes WHERE path = 'tone.wav'");
    std::fs::copy(&files[4], &late).unwrap();
    let summary = json(&extract(&[&MODELS[..], &["--json"]].concat(), &music, &out));
    assert_eq!(
        (summary["tracks"].as_u64(), summary["audio_seconds"].as_f64()),
        (Some(8), Some(4.0)),
        "nothing is read for a note: {summary}"
    );
    let after = rows(&out);
    assert_eq!(after.get("z.flac"), before.get("album/nebula.flac"));
    assert!(!after.contains_key("tone.wav") && after.len() == files.len());
    assert_eq!(notes_of(&out, &music).note(&late), found_out(&late));
}

#[test]
fn notes_that_cannot_be_written_are_told_once_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out, whole) = (folder.path().join("music"), folder.path().join("c.tagscape"), folder.path().join("whole.tagscape"));
    some_music(&music);
    assert_eq!(extract(&MODELS, &music, &whole).status.code(), Some(0));
    // A collection without tracks, in whose folder a text has the place of the notes.
    std::fs::write(music.join("short.wav"), wav(&[0.1; 3200])).unwrap();
    assert_eq!(extract(&MODELS, &music.join("short.wav"), &out).status.code(), Some(1));
    std::fs::remove_file(music.join("short.wav")).unwrap();
    assert!(!out.join(NOTES_FILE).exists(), "nothing was to be noted");
    std::fs::write(out.join(NOTES_FILE), "No database at all, and longer than the hundred bytes that one begins with. ".repeat(9)).unwrap();
    let output = extract(&MODELS, &music, &out);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains(NOTES_FILE) && line.contains("cannot be written")).count(), 1, "{said}");
    assert!(matrices(&out) == matrices(&whole));
    assert_eq!(notes_of(&out, &music).note(&music.join("tone.wav")), KnownNote::default());
}

#[test]
fn shards_notes_are_those_of_one_run_and_merge_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let music = at("music");
    twenty_tracks(&music);
    std::fs::copy(checkout().join("tests/fixtures/audio/nebula.mp3"), music.join("nebula.mp3")).unwrap();
    assert_eq!(extract(&[&MODELS[..], &["--jobs", "3"]].concat(), &music, &at("whole")).status.code(), Some(0));
    for number in 1..=2 {
        let shard = extract(&[&MODELS[..], &["--shard", &format!("{number}/2")]].concat(), &music, &at(&format!("part{number}")));
        assert_eq!(shard.status.code(), Some(0));
    }
    let merge = |parts: &[&str], out: &str| {
        let output = program().arg("merge").args(parts.iter().map(|part| at(part))).arg("--out").arg(at(out)).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let whole = rows(&at("whole"));
    assert_eq!(whole.len(), TRACKS + 1);
    let [one, two] = ["part1", "part2"].map(|part| rows(&at(part)));
    assert!(one.len() > 5 && two.len() > 5 && one.len() + two.len() == whole.len());
    // What is no track of the part is none of the result; a part twice is once.
    sql(
        &at("part1"),
        "INSERT INTO notes SELECT 'nowhere.mp3', bytes, written_ns, seek_index, loudness_lufs, peak, fingerprint FROM notes LIMIT 1",
    );
    for (number, parts) in [vec!["part1", "part2"], vec!["part2", "part1", "part2"]].into_iter().enumerate() {
        let out = format!("merged{number}");
        merge(&parts, &out);
        assert_eq!(rows(&at(&out)), whole);
        assert_eq!(public_rows(&at(&out)), public_rows(&at("whole")));
        assert!(!at(&out).join(format!("{NOTES_FILE}-journal")).exists());
    }
    // Notes are no condition: without them, with those of another tagscape, and over what a killed merge left.
    std::fs::remove_file(at("part1").join(NOTES_FILE)).unwrap();
    std::fs::create_dir(at(".third.merging")).unwrap();
    std::fs::write(at(".third.merging").join(NOTES_FILE), "half").unwrap();
    std::fs::write(at(".third.merging").join(format!("{NOTES_FILE}-journal")), "half").unwrap();
    merge(&["part1", "part2"], "third");
    assert_eq!(rows(&at("third")), two);
    sql(&at("part2"), "DROP TABLE notes; CREATE TABLE notes(path, verdict)");
    merge(&["part1", "part2"], "fourth");
    assert_eq!((rows(&at("fourth")).len(), public_rows(&at("fourth"))), (0, public_rows(&at("whole"))));
}

#[test]
fn the_demo_knows_its_levels_in_any_checkout() {
    let demo = checkout().join("assets/demo");
    let (music, notes) = (demo.join("audio"), notes_of(&demo.join("demo.tagscape"), &demo.join("audio")));
    let files = demo_audio();
    let wrong = files.par_iter().filter(|file| {
        let found = Loudness::of_file(file, &|| true).unwrap().unwrap();
        // Decoders' sums may differ in the last bits from one kind of CPU to another.
        !notes.note(file).loudness.is_some_and(|noted| (noted.lufs - found.lufs).abs() < 0.01 && (noted.peak - found.peak).abs() < 1e-3)
    });
    assert_eq!(wrong.count(), 0, "of {} in {}: `make demo` makes them anew", files.len(), music.display());
}

#[test]
fn in_every_format_the_decode_on_the_way_measures_what_a_measurement_alone_does_and_stays_as_it_was() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for case in CASES {
        let file = make(folder.path(), case, &source(case.rate_hz, case.channels));
        let [mut plain, measured] = [0, 1].map(|_| MonoStream::open(&file, 16_000).unwrap());
        let mut measured = measured.with_loudness();
        let (mut one, mut two) = (Vec::new(), Vec::new());
        loop {
            assert_eq!(measured.loudness(), None, "{}: before the end", case.name);
            let has_more = plain.next_chunk(&mut one).unwrap();
            assert!(measured.next_chunk(&mut two).unwrap() == has_more && one == two, "{}", case.name);
            if !has_more || measured.loudness().is_some() {
                break;
            }
        }
        while measured.next_chunk(&mut two).unwrap() {}
        assert_eq!(measured.loudness(), Loudness::of_file(&file, &|| true).unwrap(), "{}", case.name);
        assert!(measured.loudness().is_some_and(|found| (-30.0..0.0).contains(&found.lufs)) && plain.loudness().is_none(), "{}", case.name);
    }
}
