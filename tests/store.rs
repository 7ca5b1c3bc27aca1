//! The collection on disk: what is written is read, what is killed loses nothing, and what is damaged says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tagscape::catalog::{ModelKey, SpaceKey, TrackMetadata};
use tagscape::matrix::{FeatureMatrix, RowSource};
use tagscape::store::{
    Collection, CollectionPlan, CollectionWriter, FileStamp, MatrixFile, NewTrack, SpacePlan, StoreError, write_npy_f32,
};

const TAGGRAMS: &str = "mtt-musicnn-taggrams";
const EMBEDDINGS: &str = "mtt-musicnn-embeddings";

fn plan() -> CollectionPlan {
    let spaces = ModelKey::ALL[0].layers().iter();
    let spaces = spaces.map(|&layer| SpacePlan { key: ModelKey::ALL[0].space(layer), segment_secs: 2.992, hop_secs: 0.496 }).collect();
    CollectionPlan { audio_root: PathBuf::from("/music"), musicnn_layer: "penultimate".into(), spaces }
}

fn features(rows: usize, seed: f32) -> Vec<FeatureMatrix> {
    let matrix = |dims: usize| FeatureMatrix::new(rows, dims, (0..rows * dims).map(|index| seed + (index % 97) as f32 / 128.0).collect());
    vec![matrix(50), matrix(200)]
}

fn track(path: &str) -> NewTrack {
    let metadata = TrackMetadata { title: Some("O'Title \u{1f3b5}".into()), year: Some(1999), ..TrackMetadata::default() };
    NewTrack { path: path.into(), duration_secs: 9.5, metadata }
}

/// A collection of two tracks with 3 and 2 segments.
fn two_tracks(folder: &Path) -> PathBuf {
    let path = folder.join("c.tagscape");
    let mut writer = CollectionWriter::create_or_resume(&path, &plan()).unwrap();
    writer.append_track(&track("a.ogg"), &features(3, 0.25)).unwrap();
    writer.append_track(&track("b/c.ogg"), &features(2, 0.5)).unwrap();
    path
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, bytes).unwrap();
    }
}

fn key(name: &str) -> SpaceKey {
    name.parse().unwrap()
}

fn sql(path: &Path, statement: &str) {
    rusqlite::Connection::open(path.join("collection.sqlite")).unwrap().execute_batch(statement).unwrap();
}

/// The one line that a user would see.
fn refusal(path: &Path) -> String {
    let error = anyhow::Error::from(Collection::open(path).unwrap_err());
    let line = format!("{error:#}");
    assert!(!line.contains('\n') && line.contains("c.tagscape"), "{line}");
    line
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection::open(&two_tracks(folder.path())).unwrap();
    assert_eq!(collection.audio_root(), Path::new("/music"));
    let tracks = collection.tracks();
    assert_eq!(tracks.iter().map(|track| (track.id.0, track.path.as_str())).collect::<Vec<_>>(), [(1, "a.ogg"), (2, "b/c.ogg")]);
    assert_eq!((tracks[0].metadata.clone(), tracks[0].duration_secs), (track("a.ogg").metadata, 9.5));
    assert_eq!(
        collection.spaces().iter().map(|space| (space.key.to_string(), space.dims, space.segments)).collect::<Vec<_>>(),
        [(TAGGRAMS.to_owned(), 50, 5), (EMBEDDINGS.to_owned(), 200, 5)]
    );
    let matrix = collection.matrix(key(EMBEDDINGS)).unwrap();
    assert_eq!((matrix.rows(), matrix.dims()), (5, 200));
    let mut row = [0.0; 400];
    matrix.read_rows(2..4, &mut row).unwrap();
    // All these values are exact in float16.
    assert_eq!(row[..200], features(3, 0.25)[1].values()[400..600]);
    assert_eq!(row[200..], features(2, 0.5)[1].values()[..200]);
    let (of, span) = collection.span(key(TAGGRAMS), 4).unwrap();
    assert_eq!((of.path.as_str(), span.start_secs, span.duration_secs), ("b/c.ogg", 0.496, 2.992));
    assert_eq!(collection.span(key(TAGGRAMS), 5), None);
    let tags = collection.tags(key(TAGGRAMS)).unwrap().unwrap();
    assert_eq!((tags.names().len(), tags.names()[0].as_str()), (50, "guitar"));
    assert_eq!(collection.tags(key(EMBEDDINGS)).unwrap(), None);
    assert!(matches!(collection.matrix(key("msd-vgg-taggrams")), Err(StoreError::NoSuchSpace { .. })));
}

#[test]
fn a_reader_creates_and_changes_nothing_not_even_after_a_killed_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    // A transaction that has spilled to the database file and is never committed: copied as it stands, it is what a kill leaves.
    let database = rusqlite::Connection::open(path.join("collection.sqlite")).unwrap();
    database.execute_batch("PRAGMA cache_size = 1; BEGIN; CREATE TABLE spill(x); ").unwrap();
    for number in 0..2000 {
        database.execute("INSERT INTO spill VALUES(?)", [format!("{number:0500}")]).unwrap();
    }
    database.execute_batch("UPDATE tracks SET path = 'never committed' || id").unwrap();
    let killed = folder.path().join("killed").join("c.tagscape");
    copy(&path, &killed);
    drop(database);
    assert!(std::fs::metadata(killed.join("collection.sqlite-journal")).unwrap().len() > 512);
    let before = files(&killed);
    let collection = Collection::open(&killed).unwrap();
    assert_eq!(collection.tracks()[0].path, "a.ogg");
    assert_eq!(files(&killed), before);
    // The next writer repairs it.
    drop(CollectionWriter::create_or_resume(&killed, &plan()).unwrap());
    assert_eq!(Collection::open(&killed).unwrap().tracks().len(), 2);
}

#[test]
fn what_stands_behind_the_committed_rows_is_cut_off_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    let whole = files(&path.join("spaces"));
    let matrix = path.join(format!("spaces/{TAGGRAMS}.npy"));
    let mut longer = std::fs::read(&matrix).unwrap();
    longer.extend([7; 333]);
    // The header of a writer that was killed before it committed.
    let at = longer.windows(3).position(|word| word == b"(5,").unwrap();
    longer[at + 1] = b'6';
    std::fs::write(&matrix, &longer).unwrap();
    assert_eq!(Collection::open(&path).unwrap().matrix(key(TAGGRAMS)).unwrap().rows(), 5, "a reader does not look there");
    drop(CollectionWriter::create_or_resume(&path, &plan()).unwrap());
    assert_eq!(files(&path.join("spaces")), whole);
}

#[test]
fn two_writers_never_meet() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    let first = CollectionWriter::create_or_resume(&path, &plan()).unwrap();
    let error = CollectionWriter::create_or_resume(&path, &plan()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(Collection::open(&path).is_ok(), "readers are welcome meanwhile");
    drop(first);
    assert!(CollectionWriter::create_or_resume(&path, &plan()).is_ok());
}

#[test]
fn other_settings_than_the_collections_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    let mut other_hop = plan();
    other_hop.spaces.iter_mut().for_each(|space| space.hop_secs = 2.992);
    let mut other_layer = plan();
    other_layer.musicnn_layer = "dense".into();
    let mut other_model = plan();
    other_model.spaces.truncate(1);
    for (plan, word) in [(other_hop, "--hop 0.496"), (other_layer, "penultimate"), (other_model, "--models")] {
        let error = CollectionWriter::create_or_resume(&path, &plan).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut elsewhere = plan();
    elsewhere.audio_root = "/elsewhere".into();
    assert_eq!(CollectionWriter::create_or_resume(&path, &elsewhere).unwrap().audio_root(), Path::new("/music"));
}

#[test]
fn a_failure_is_known_while_its_file_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    let stamp = FileStamp { size: 7, modified_ns: 9 };
    CollectionWriter::create_or_resume(&path, &plan()).unwrap().record_failure("x.mp3", "is empty", stamp).unwrap();
    let mut writer = CollectionWriter::create_or_resume(&path, &plan()).unwrap();
    assert_eq!(writer.known_failure("x.mp3", stamp), Some("is empty"));
    assert_eq!(writer.known_failure("x.mp3", FileStamp { size: 8, ..stamp }), None);
    writer.append_track(&track("x.mp3"), &features(1, 0.0)).unwrap();
    drop(writer);
    assert_eq!(CollectionWriter::create_or_resume(&path, &plan()).unwrap().known_failure("x.mp3", stamp), None);
}

#[test]
fn what_is_no_collection_or_a_newer_one_says_so_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.tagscape");
    assert!(refusal(&path).contains("no such collection"));
    std::fs::write(&path, "a file").unwrap();
    assert!(refusal(&path).contains("it is a file"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(refusal(&path).contains("is not a collection"));
    std::fs::remove_dir(&path).unwrap();
    two_tracks(folder.path());
    sql(&path, "UPDATE meta SET value = '2' WHERE key = 'format_version'");
    assert!(refusal(&path).contains("newer tagscape"));
    let error = CollectionWriter::create_or_resume(&path, &plan()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_collection_of_which_a_part_is_gone_is_refused_by_reader_and_writer() {
    let folder = tempfile::tempdir().unwrap();
    let whole = two_tracks(folder.path());
    let matrix = |path: &Path| path.join(format!("spaces/{EMBEDDINGS}.npy"));
    let shorten = |path: &Path, len: usize| {
        let bytes = std::fs::read(matrix(path)).unwrap();
        std::fs::write(matrix(path), &bytes[..len]).unwrap();
    };
    type Damage<'a> = Box<dyn Fn(&Path) + 'a>;
    let damages: Vec<(&str, Damage)> = vec![
        ("no matrix", Box::new(|path| std::fs::remove_file(matrix(path)).unwrap())),
        ("no spaces", Box::new(|path| std::fs::remove_dir_all(path.join("spaces")).unwrap())),
        ("no database", Box::new(|path| std::fs::remove_file(path.join("collection.sqlite")).unwrap())),
        ("a row too few", Box::new(|path| shorten(path, 128 + 5 * 400 - 1))),
        ("half a header", Box::new(|path| shorten(path, 60))),
        ("an empty matrix", Box::new(|path| shorten(path, 0))),
        ("no database but text", Box::new(|path| std::fs::write(path.join("collection.sqlite"), "text ".repeat(1000)).unwrap())),
        ("a table less", Box::new(|path| sql(path, "DROP TABLE track_rows"))),
        ("a gap", Box::new(|path| sql(path, "UPDATE track_rows SET first_row = 4 WHERE track_id = 2"))),
        ("too many rows", Box::new(|path| sql(path, "UPDATE track_rows SET row_count = 4000000 WHERE track_id = 2"))),
        ("negative rows", Box::new(|path| sql(path, "UPDATE track_rows SET row_count = -1 WHERE track_id = 2"))),
        ("rows of nobody", Box::new(|path| sql(path, "PRAGMA foreign_keys = OFF; DELETE FROM tracks WHERE id = 2"))),
        ("an unknown space", Box::new(|path| sql(path, "PRAGMA foreign_keys = OFF; UPDATE spaces SET name = 'x' WHERE dims = 50"))),
        ("other columns", Box::new(|path| sql(path, "UPDATE spaces SET dims = 51 WHERE dims = 50"))),
        ("no hop", Box::new(|path| sql(path, "UPDATE spaces SET hop_s = 0"))),
        ("a tag less", Box::new(|path| sql(path, "DELETE FROM tags WHERE position = 7"))),
        ("text for a number", Box::new(|path| sql(path, "UPDATE tracks SET duration_s = 'long'"))),
        ("no version", Box::new(|path| sql(path, "DELETE FROM meta WHERE key = 'format_version'"))),
    ];
    for (name, damage) in damages {
        let case = folder.path().join(name);
        let path = case.join("c.tagscape");
        copy(&whole, &path);
        damage(&path);
        let line = refusal(&path);
        assert!(line.contains("damaged"), "{name}: {line}");
        let error = CollectionWriter::create_or_resume(&path, &plan()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
    }
}

#[test]
fn a_folder_with_other_things_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    assert!(matches!(CollectionWriter::create_or_resume(folder.path(), &plan()), Err(StoreError::NotACollection { .. })));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn the_database_survives_any_single_wrong_byte_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_tracks(folder.path());
    let database = path.join("collection.sqlite");
    let bytes = std::fs::read(&database).unwrap();
    for position in (0..100).chain((100..bytes.len()).step_by(211)) {
        let mut hostile = bytes.clone();
        hostile[position] ^= 0xff;
        std::fs::write(&database, &hostile).unwrap();
        if let Ok(collection) = Collection::open(&path) {
            for space in collection.spaces() {
                let _ = collection.matrix(space.key).unwrap().to_matrix().unwrap();
            }
        }
    }
}

#[test]
fn a_matrix_goes_to_a_file_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layout.npy");
    for (rows, dims) in [(0, 2), (1, 1), (1000, 3)] {
        let matrix = FeatureMatrix::new(rows, dims, (0..rows * dims).map(|index| index as f32 * 0.1 - 7.0).collect());
        write_npy_f32(&path, &matrix).unwrap();
        assert_eq!(MatrixFile::open(&path).unwrap().to_matrix().unwrap(), matrix);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(write_npy_f32(&folder.path().join("no/such/folder.npy"), &FeatureMatrix::new(0, 2, vec![])).is_err());
}

#[test]
fn a_users_matrix_is_read_in_every_type_and_at_any_alignment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npy");
    let values = [1.5_f32, -2.0, 0.25, 1024.0, 0.0, -0.125];
    let halves: Vec<u8> = values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect();
    let singles: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let doubles: Vec<u8> = values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect();
    for (descr, data) in [("<f2", &halves), ("<f4", &singles), ("<f8", &doubles)] {
        for padding in 0..5 {
            let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2, 3), }}{}\n", " ".repeat(padding));
            let mut bytes = b"\x93NUMPY\x01\0".to_vec();
            bytes.extend((dict.len() as u16).to_le_bytes());
            bytes.extend(dict.as_bytes());
            bytes.extend(data);
            std::fs::write(&path, &bytes).unwrap();
            let matrix = MatrixFile::open(&path).unwrap();
            assert_eq!(matrix.to_matrix().unwrap(), FeatureMatrix::new(2, 3, values.to_vec()), "{descr}");
            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            let error = MatrixFile::open(&path).unwrap_err().to_string();
            assert!(error.contains("cut off") && error.contains("m.npy"), "{error}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn numpy_maps_a_space_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = two_tracks(folder.path()).join(format!("spaces/{EMBEDDINGS}.npy"));
    let script = "import numpy, sys; m = numpy.load(sys.argv[1], mmap_mode='r'); print(m.shape, m.dtype, m[0, 0], m[3, 1])";
    // The first Python may be the user's own; numpy from the system's packages belongs to the system's.
    let answers =
        ["python3", "/usr/bin/python3"].map(|python| std::process::Command::new(python).args(["-c", script]).arg(&matrix).output());
    let Some(answer) = answers.iter().flatten().find(|answer| answer.status.success()) else {
        panic!("a Python with numpy (apt: python3-numpy): {answers:?}");
    };
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "(5, 200) float16 0.25 0.508");
}

#[test]
fn a_collection_made_elsewhere_of_the_public_tables_alone_is_read_written_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let parts = ["one", "two"].map(|name| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let path = crate::common::collection::wandering(&folder.path().join(name), 3, 4);
        crate::common::collection::made_elsewhere(&path);
        path
    });
    // The same tracks would be in both.
    sql(&parts[1], "UPDATE tracks SET path = 'other/' || path");
    let out = folder.path().join("all.tagscape");
    let merged = crate::common::program::program().arg("merge").args(&parts).arg("--out").arg(&out).output().unwrap();
    assert!(merged.status.success(), "{}", String::from_utf8_lossy(&merged.stderr));
    for (path, tracks) in [(&parts[0], 3), (&parts[1], 3), (&out, 6)] {
        let collection = Collection::open(path).unwrap();
        assert_eq!((collection.tracks().len(), collection.audio_root()), (tracks, path.clone()));
        let spaces = collection.spaces().iter();
        let spaces = spaces.map(|space| SpacePlan { key: space.key, segment_secs: space.segment_secs, hop_secs: space.hop_secs }).collect();
        let plan = CollectionPlan { audio_root: folder.path().to_owned(), musicnn_layer: "penultimate".into(), spaces };
        let mut writer = CollectionWriter::create_or_resume(path, &plan).unwrap();
        let rows =
            plan.spaces.iter().map(|space| FeatureMatrix::new(2, space.key.dims(), vec![0.5; 2 * space.key.dims()])).collect::<Vec<_>>();
        writer.append_track(&track("new.ogg"), &rows).unwrap();
        drop(writer);
        assert_eq!(Collection::open(path).unwrap().tracks().len(), tracks + 1);
    }
}
