//! What comes from a stranger: databases that are programs, texts without end, FIFOs and devices in the places of files, links to elsewhere.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::store::{
    Collection, CollectionPlan, CollectionWriter, NewNote, NotedFile, NotesFile, SpacePlan, StoreError, TrackNote, write_npy_f32,
};

use crate::common::collection::wandering;
use crate::common::program::program;

const TAGGRAMS: &str = "msd-musicnn-taggrams";

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What a command says; a test fails where it does not come to its end by itself.
fn within(mut command: Command, limit: Duration) -> Output {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > limit {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// One line on standard error, and exit code 2, soon.
fn refusal(arguments: &[&str]) -> String {
    let mut command = program();
    // Mesa complains on standard error without one.
    command.args(arguments).env("XDG_RUNTIME_DIR", std::env::temp_dir());
    let output = within(command, Duration::from_secs(60));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.trim_end().lines().count()), (Some(2), 1), "{arguments:?}: {said}");
    said
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn sql(collection: &Path, statements: &str) {
    let database = rusqlite::Connection::open(collection.join("collection.sqlite")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").unwrap();
    database.execute_batch(statements).unwrap();
}

fn plan_of(path: &Path, folder: &Path) -> CollectionPlan {
    let spaces = Collection::open(path).unwrap().spaces().to_vec();
    let spaces =
        spaces.iter().map(|space| SpacePlan { key: space.key, segment_secs: space.segment_secs, hop_secs: space.hop_secs }).collect();
    CollectionPlan { audio_root: folder.to_owned(), musicnn_layer: "penultimate".into(), spaces }
}

/// `tracks` with `title` in the place of its own, with the same rows.
fn with_tracks(columns: &str) -> String {
    format!(
        "ALTER TABLE tracks RENAME TO old; CREATE TABLE tracks(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, duration_s REAL NOT NULL, \
         artist TEXT, album TEXT, genre TEXT, year INTEGER, {columns}); \
         INSERT INTO tracks(id, path, duration_s) SELECT id, path, duration_s FROM old; DROP TABLE old;"
    )
}

#[test]
fn only_ordinary_tables_with_stored_columns_are_read_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let virtual_tracks =
        "DROP TABLE tracks; CREATE VIRTUAL TABLE tracks USING fts5(id, path, duration_s, title, artist, album, genre, year);";
    for (number, (statements, word)) in [
        // The heap's limit is the process's, and so this test's as well.
        (with_tracks("title TEXT AS (hex(zeroblob(40000000)))"), "'title' is not stored"),
        (with_tracks("title TEXT GENERATED ALWAYS AS (path || 'x') STORED"), "'title' is not stored"),
        (virtual_tracks.to_owned(), "tracks is no ordinary table"),
        ("DROP TABLE meta; CREATE VIEW meta AS SELECT 'format_version' AS key, '1' AS value".to_owned(), "meta is no ordinary table"),
        ("DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts3(space, position, name)".to_owned(), "tags is no ordinary table"),
        ("DROP TABLE tags; CREATE VIRTUAL TABLE TAGS USING rtree(space, position, name)".to_owned(), "tags is no ordinary table"),
    ]
    .into_iter()
    .enumerate()
    {
        let own = folder.path().join(number.to_string());
        std::fs::create_dir(&own).unwrap();
        let path = wandering(&own, 2, 3);
        let plan = plan_of(&path, &own);
        sql(&path, &statements);
        let start = Instant::now();
        let error = Collection::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }) && error.to_string().contains(word), "{statements}: {error}");
        let error = CollectionWriter::create_or_resume(&path, &plan).unwrap_err();
        assert!(error.to_string().contains(word), "{statements}: {error}");
        assert!(start.elapsed() < Duration::from_secs(10), "{statements}: {:?}", start.elapsed());
        let said = refusal(&["merge", text(&path), "--out", text(&own.join("merged"))]);
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn other_tables_and_views_of_a_users_own_are_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 2, 3);
    sql(
        &path,
        "CREATE VIEW by_title AS SELECT title, id FROM tracks; CREATE VIRTUAL TABLE words USING fts5(title); \
         CREATE TABLE mine(a, b AS (hex(zeroblob(400000000))));",
    );
    assert_eq!(Collection::open(&path).unwrap().tracks().len(), 2);
    assert!(CollectionWriter::create_or_resume(&path, &plan_of(&path, folder.path())).is_ok());
}

#[test]
fn a_title_of_ten_megabytes_is_cut_and_a_path_of_such_a_length_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 2, 3);
    sql(&path, "UPDATE tracks SET title = printf('%.*c', 10000000, 'x'), genre = printf('%.*c', 1000, 'y') WHERE id = 1");
    let collection = Collection::open(&path).unwrap();
    let metadata = &collection.tracks()[0].metadata;
    let title = metadata.title.as_deref().unwrap();
    assert!(title.chars().count() == 1000 && title.ends_with("x…"), "{} bytes", title.len());
    assert_eq!(metadata.genre.as_deref().map(str::len), Some(1000), "what is no longer stays whole");
    sql(&path, "UPDATE tracks SET title = NULL, path = printf('%.*c', 100000, 'p') WHERE id = 1");
    let error = Collection::open(&path).unwrap_err().to_string();
    assert!(error.contains("a path of 100000 bytes") && error.len() < 1000, "{error}");
    sql(&path, "UPDATE tracks SET path = 'p', title = zeroblob(40000000) WHERE id = 1");
    let error = Collection::open(&path).unwrap_err().to_string();
    assert!(error.contains("more than 33554432 bytes"), "{error}");
    sql(&path, "UPDATE tracks SET title = NULL; UPDATE meta SET value = printf('%.*c', 5000000, 'v') WHERE key = 'format_version'");
    assert!(Collection::open(&path).unwrap_err().to_string().len() < 2000);
}

#[test]
fn rows_that_are_there_twice_do_not_multiply() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (statements, word)) in [
        (
            "DROP TABLE track_numbers; CREATE TABLE track_numbers(track_id INTEGER, track_number INTEGER); \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) INSERT INTO track_numbers SELECT 1, i FROM n",
            "the number 1 twice",
        ),
        (
            "ALTER TABLE spaces RENAME TO old; CREATE TABLE spaces(name TEXT, dims INTEGER, segment_s REAL, hop_s REAL); \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) INSERT INTO spaces SELECT old.* FROM n, old",
            "is there twice",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let own = folder.path().join(number.to_string());
        std::fs::create_dir(&own).unwrap();
        let path = wandering(&own, 2, 3);
        sql(&path, statements);
        let start = Instant::now();
        let error = Collection::open(&path).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10), "{word}: {:?}", start.elapsed());
    }
}

/// A header as tagscape writes it, of float16.
fn header(rows: usize, dims: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\0\x76\0".to_vec();
    bytes.extend(format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, {dims}), }}").as_bytes());
    bytes.resize(127, b' ');
    bytes.push(b'\n');
    bytes
}

#[test]
fn a_large_honest_collection_is_read_within_the_limits() {
    const TRACKS: usize = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 1, 1);
    let fill = format!(
        "BEGIN; DELETE FROM track_rows; DELETE FROM tracks; \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {TRACKS}) \
         INSERT INTO tracks(id, path, duration_s) SELECT i, i, 3.0 FROM n; \
         INSERT INTO track_rows SELECT id, spaces.name, id - 1, 1 FROM tracks, spaces; COMMIT"
    );
    sql(&path, &fill);
    for (space, dims) in [(TAGGRAMS, 50), ("msd-musicnn-embeddings", 200)] {
        let file = path.join(format!("spaces/{space}.npy"));
        std::fs::write(&file, header(TRACKS, dims)).unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_len((128 + TRACKS * dims * 2) as u64).unwrap();
    }
    let collection = Collection::open(&path).unwrap();
    assert_eq!((collection.tracks().len(), collection.spaces()[0].segments), (TRACKS, TRACKS));
}

#[test]
fn notes_for_playback_are_read_as_carefully_as_the_collection() {
    let folder = tempfile::tempdir().unwrap();
    let (file, track) = (folder.path().join("playback.sqlite"), folder.path().join("a.ogg"));
    std::fs::write(&track, "music").unwrap();
    let note = TrackNote { seek_index: Some(vec![1, 2, 3]), loudness: None };
    let new = NewNote { path: "a.ogg".to_owned(), file: NotedFile::of(&track).unwrap(), note: note.clone() };
    assert!(NotesFile::open(&file).unwrap().keep(&[new]));
    assert_eq!(NotesFile::read(&file).unwrap().note("a.ogg", &track), note);
    let columns = "path TEXT PRIMARY KEY, bytes INTEGER, written_ns INTEGER, loudness_lufs REAL, peak REAL, fingerprint BLOB";
    let database = rusqlite::Connection::open(&file).unwrap();
    let computed = "seek_index BLOB AS (zeroblob(400000000))";
    database.execute_batch(&format!("DROP TABLE notes; CREATE TABLE notes({columns}, {computed})")).unwrap();
    database.execute_batch("INSERT INTO notes(path, bytes, written_ns) VALUES('a.ogg', 5, 1)").unwrap();
    drop(database);
    assert!(NotesFile::read(&file).is_none() && NotesFile::open(&file).is_none());
    std::fs::remove_file(&file).unwrap();
    fifo(&file);
    assert!(NotesFile::read(&file).is_none() && NotesFile::open(&file).is_none() && NotedFile::of(&file).is_none());
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(folder.path().join("other")).unwrap();
    let outside = folder.path().join("other/notes.sqlite");
    drop(NotesFile::open(&outside).unwrap());
    symlink(&outside, &file).unwrap();
    assert!(NotesFile::read(&file).is_some(), "a link within the folder");
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    symlink(&outside, inner.join("playback.sqlite")).unwrap();
    assert!(NotesFile::read(&inner.join("playback.sqlite")).is_none(), "a link out of it");
}

#[test]
fn a_fifo_in_the_place_of_any_file_of_a_collection_is_named_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let other = wandering(&other, 1, 2);
    for (number, name) in ["collection.sqlite", "collection.sqlite-journal", "collection.sqlite-wal", "spaces/msd-musicnn-taggrams.npy"]
        .into_iter()
        .enumerate()
    {
        let own = folder.path().join(number.to_string());
        std::fs::create_dir(&own).unwrap();
        let path = wandering(&own, 2, 3);
        let file = path.join(name);
        let _ = std::fs::remove_file(&file);
        fifo(&file);
        let out = own.join("out.npy");
        let said = refusal(&["project", text(&path), "--space", TAGGRAMS, "--method", "pca", "--out", text(&out)]);
        assert!(said.contains("is a FIFO") && said.contains("wander.tagscape"), "{name}: {said}");
        let said = refusal(&["merge", text(&path), text(&other), "--out", text(&own.join("merged"))]);
        assert!(said.contains("is a FIFO"), "{name}: {said}");
    }
    let own = folder.path().join("lock");
    std::fs::create_dir(&own).unwrap();
    let path = wandering(&own, 2, 3);
    let plan = plan_of(&path, &own);
    std::fs::remove_file(path.join("collection.lock")).unwrap();
    fifo(&path.join("collection.lock"));
    assert!(Collection::open(&path).is_ok(), "a reader needs no lock");
    let error = CollectionWriter::create_or_resume(&path, &plan).unwrap_err();
    assert!(format!("{error}: {:?}", std::error::Error::source(&error)).contains("Fifo"), "{error}");
}

#[test]
fn a_fifo_or_a_device_that_a_user_names_is_refused_by_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 2, 3);
    let at = |name: &str| folder.path().join(name);
    fifo(&at("f.npy"));
    symlink(at("f.npy"), at("link.npy")).unwrap();
    write_npy_f32(&at("m.npy"), &FeatureMatrix::new(6, 3, (0..18).map(|i| (i * i % 7) as f32).collect())).unwrap();
    let out = at("out.npy");
    let color = format!("file:{}", at("f.npy").display());
    for arguments in [
        vec!["project", text(&at("f.npy")), "--method", "pca", "--out", text(&out)],
        vec!["project", text(&at("link.npy")), "--method", "pca", "--out", text(&out)],
        vec!["project", text(&at("m.npy")), "--method", "tsne", "--into", text(&at("f.npy")), "--out", text(&out)],
        vec!["render", text(&path), "--layout", text(&at("f.npy")), "--out", text(&at("a.png"))],
        vec!["render", text(&path), "--color-by", &color, "--out", text(&at("a.png"))],
    ] {
        let said = refusal(&arguments);
        assert!(said.contains("is a FIFO, not a file"), "{arguments:?}: {said}");
    }
    let said = refusal(&["project", "/dev/zero", "--method", "pca", "--out", text(&out)]);
    assert!(said.contains("is a device, not a file"), "{said}");
    let said = refusal(&["models", "add", "vggish", text(&at("f.npy"))]);
    assert!(said.contains("is a FIFO, not a file"), "{said}");
    assert!(!out.exists() && !at("a.png").exists());
}

#[test]
fn tracks_that_are_fifos_are_named_and_the_others_extracted() {
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    std::fs::create_dir(&music).unwrap();
    let tone: Vec<f32> = (0..64_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
    std::fs::write(music.join("a.wav"), crate::common::program::wav(&tone)).unwrap();
    fifo(&music.join("b.ogg"));
    fifo(&music.join("no-ending"));
    let mut command = program();
    command.arg("extract").arg(&music).arg("--out").arg(folder.path().join("c")).args([
        "--models",
        "mtt-musicnn",
        "--device",
        "cpu",
        "--json",
    ]);
    let output = within(command, Duration::from_secs(120));
    let json = crate::common::program::json(&output);
    assert_eq!((output.status.code(), &json["tracks"]), (Some(1), &serde_json::json!(1)));
    let failed = json["failed"].as_array().unwrap();
    assert_eq!((failed.len(), failed[0]["path"].as_str(), failed[0]["reason"].as_str()), (1, Some("b.ogg"), Some("is a FIFO, not a file")));
}

#[test]
fn a_link_in_a_collection_is_not_followed_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 2, 3);
    let matrix = path.join(format!("spaces/{TAGGRAMS}.npy"));
    let kept = folder.path().join("kept.npy");
    std::fs::rename(&matrix, &kept).unwrap();
    symlink(&kept, &matrix).unwrap();
    let error = Collection::open(&path).unwrap_err().to_string();
    assert!(error.contains("link to something outside"), "{error}");
    std::fs::remove_file(&matrix).unwrap();
    std::fs::rename(&kept, path.join("spaces/kept.npy")).unwrap();
    symlink("kept.npy", &matrix).unwrap();
    let named: PathBuf = folder.path().join("named.tagscape");
    symlink(&path, &named).unwrap();
    let collection = Collection::open(&named).unwrap();
    assert_eq!(collection.matrix(TAGGRAMS.parse().unwrap()).unwrap().rows(), 6, "within it, and by a link that the user named");
    let database = path.join("collection.sqlite");
    let outside = folder.path().join("outside.sqlite");
    std::fs::rename(&database, &outside).unwrap();
    symlink(&outside, &database).unwrap();
    assert!(Collection::open(&path).unwrap_err().to_string().contains("link to something outside"));
}
