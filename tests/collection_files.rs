//! The files of a collection: links in it, files that are taken away, rights, other programs' journals, and where its music is.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tagscape::app::event_log::Event;
use tagscape::app::headless;
use tagscape::app::notices::Notices;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::catalog::{SpaceKey, TrackMetadata};
use tagscape::command::Command as Wish;
use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::project::tsne::TsneOptions;
use tagscape::project::{Compute, Embedding, Method, NoObserver, Projection};
use tagscape::scene::{ColorBy, Combine, LabelKind, MapSize};
use tagscape::store::{
    Collection, CollectionPlan, CollectionWriter, NOTES_FILE, NewTrack, NotesFile, SpacePlan, StoreError, set_audio_root,
};

use crate::common::collection::wandering;
use crate::common::program::{program, refused, twenty_tracks, wav};

const SPACES: [&str; 2] = ["msd-musicnn-taggrams", "msd-musicnn-embeddings"];

fn plan(audio_root: &Path) -> CollectionPlan {
    let spaces = SPACES.map(|name| SpacePlan { key: name.parse().unwrap(), segment_secs: 2.992, hop_secs: 2.992 });
    CollectionPlan { audio_root: audio_root.to_owned(), musicnn_layer: "penultimate".into(), spaces: spaces.into() }
}

/// A collection without tracks, as a stranger may send it.
fn empty(folder: &Path) -> PathBuf {
    let path = folder.join("c.tagscape");
    drop(CollectionWriter::create_or_resume(&path, &plan(folder)).unwrap());
    path
}

fn append(writer: &mut CollectionWriter, path: &str) -> Result<(), StoreError> {
    let rows = SPACES.map(|name| {
        let key: SpaceKey = name.parse().unwrap();
        FeatureMatrix::new(2, key.dims(), vec![0.5; 2 * key.dims()])
    });
    let track = NewTrack { path: path.into(), duration_secs: 6.0, metadata: TrackMetadata::default() };
    writer.append_track(&track, &rows).map(drop)
}

/// Every file below a folder with its bytes; of links, where they lead.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
                found.insert(entry.path(), b"folder".to_vec());
            } else if kind.is_symlink() {
                found.insert(entry.path(), std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes());
            } else {
                found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

fn sql(collection: &Path, statement: &str) {
    rusqlite::Connection::open(collection.join("collection.sqlite")).unwrap().execute_batch(statement).unwrap();
}

#[test]
fn no_writer_follows_a_link_in_a_collection() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    let whole = empty(folder.path());
    for (number, name) in
        ["spaces/msd-musicnn-embeddings.npy", "spaces/msd-musicnn-taggrams.npy", "spaces", "collection.sqlite", "collection.lock"]
            .into_iter()
            .enumerate()
    {
        for is_there in [true, false] {
            let case = folder.path().join(format!("{number}-{is_there}"));
            let path = case.join("c.tagscape");
            std::fs::create_dir(&case).unwrap();
            copy(&whole, &path);
            let _ = std::fs::remove_dir_all(&victim);
            std::fs::create_dir(&victim).unwrap();
            if is_there {
                // What a writer would take for its own, and empty or fill.
                std::fs::rename(path.join(name), victim.join("target")).unwrap();
            } else if path.join(name).is_dir() {
                std::fs::remove_dir_all(path.join(name)).unwrap();
            } else {
                std::fs::remove_file(path.join(name)).unwrap();
            }
            symlink(victim.join("target"), path.join(name)).unwrap();
            let before = files(&victim);
            let error = CollectionWriter::create_or_resume(&path, &plan(&case)).unwrap_err();
            let said = format!("{:#}", anyhow::Error::from(error));
            assert!(said.contains(name) && !said.contains("damaged") && !said.contains("delete"), "{name}: {said}");
            assert_eq!(files(&victim), before, "{name}");
            if name == "collection.sqlite" || name == "collection.lock" {
                assert!(set_audio_root(&path, &victim).is_err(), "{name}");
                assert_eq!(files(&victim), before, "{name}");
            }
        }
    }
    // Notes are no condition: none are made through a link.
    for content in ["", "years of work"] {
        std::fs::write(victim.join("target"), content).unwrap();
        let _ = std::fs::remove_file(whole.join(NOTES_FILE));
        symlink(victim.join("target"), whole.join(NOTES_FILE)).unwrap();
        drop(NotesFile::open(&whole.join(NOTES_FILE)));
        assert_eq!(std::fs::read_to_string(victim.join("target")).unwrap(), content);
    }
    // The folder itself may be reached by a link: it is what the user named.
    symlink(&whole, folder.path().join("named")).unwrap();
    let mut writer = CollectionWriter::create_or_resume(&folder.path().join("named"), &plan(folder.path())).unwrap();
    append(&mut writer, "a.ogg").unwrap();
    drop(writer);
    assert_eq!(Collection::open(&whole).unwrap().tracks().len(), 1);
}

#[test]
fn a_merge_goes_into_nothing_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let part = wandering(folder.path(), 3, 4);
    let foreign = folder.path().join("foreign");
    copy(&part, &foreign);
    std::fs::remove_file(foreign.join("collection.lock")).unwrap();
    let before = files(&foreign);
    let merge = |out: &Path| program().arg("merge").arg(&part).arg("--out").arg(out).output().unwrap();
    // Links with the names of work folders, and one in a work folder that a killed merge left.
    for name in [".all.tagscape.merging", ".all.tagscape.abcdEFGH.merging"] {
        symlink(&foreign, folder.path().join(name)).unwrap();
    }
    let left = folder.path().join(".all.tagscape.12345678.merging");
    std::fs::create_dir(&left).unwrap();
    symlink(foreign.join("spaces"), left.join("spaces")).unwrap();
    symlink(foreign.join("collection.sqlite"), left.join("collection.sqlite")).unwrap();
    let output = merge(&folder.path().join("all.tagscape"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(files(&foreign), before);
    assert!(!left.exists() && folder.path().join(".all.tagscape.merging").is_symlink());
    assert_eq!(Collection::open(&folder.path().join("all.tagscape")).unwrap().tracks().len(), 3);
    // A link in the result's place is something.
    for target in ["nowhere", "void"] {
        let link = folder.path().join(format!("{target}.tagscape"));
        symlink(folder.path().join(target), &link).unwrap();
        std::fs::create_dir_all(folder.path().join("void")).unwrap();
        refused(merge(&link), "in the place");
        assert!(link.is_symlink() && !folder.path().join("nowhere").exists());
    }
}

#[test]
fn a_file_that_is_taken_away_from_a_writer_is_named_and_nothing_more_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["spaces/msd-musicnn-taggrams.npy", "spaces/msd-musicnn-embeddings.npy", "collection.sqlite", "collection.lock"];
    for (number, name) in names.into_iter().enumerate() {
        for is_replaced in [false, true] {
            let case = folder.path().join(format!("{number}-{is_replaced}"));
            let path = empty(&case);
            let mut writer = CollectionWriter::create_or_resume(&path, &plan(&case)).unwrap();
            append(&mut writer, "a.ogg").unwrap();
            writer.check_files().unwrap();
            if is_replaced {
                std::fs::copy(path.join(name), case.join("copy")).unwrap();
                std::fs::rename(case.join("copy"), path.join(name)).unwrap();
            } else {
                std::fs::remove_file(path.join(name)).unwrap();
            }
            for error in [writer.check_files().unwrap_err(), append(&mut writer, "b.ogg").unwrap_err()] {
                assert!(matches!(error, StoreError::Gone { .. }) && error.to_string().contains(name), "{name}: {error}");
            }
        }
    }
}

#[test]
fn a_matrix_that_is_deleted_under_an_extraction_ends_it_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    twenty_tracks(&music);
    let mut command = program();
    command.arg("extract").arg(&music).arg("--out").arg(&out).args(["--models", "mtt-musicnn", "--jobs", "1", "--device", "cpu"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let matrix = out.join("spaces/mtt-musicnn-taggrams.npy");
    let begun = Instant::now();
    // Behind the header: the first track is there, and nineteen are to come.
    while std::fs::metadata(&matrix).map_or(0, |about| about.len()) <= 128 {
        assert!(begun.elapsed() < Duration::from_secs(120) && child.try_wait().unwrap().is_none(), "no track was written");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::fs::remove_file(&matrix).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{:?} {said}", output.status);
    assert!(said.contains("spaces/mtt-musicnn-taggrams.npy was deleted"), "{said}");
}

/// The program as somebody who is not root, with all of its own in a folder that they can read.
struct Nobody {
    program: PathBuf,
    is_root: bool,
}

impl Nobody {
    fn new(folder: &Path) -> Self {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = folder.join("tagscape");
        std::fs::copy(env!("CARGO_BIN_EXE_tagscape"), &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let out = folder.join("out");
        std::fs::create_dir(&out).unwrap();
        std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o777)).unwrap();
        let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&program).unwrap()) == 0;
        Self { program, is_root }
    }

    fn run(&self, line: &str) -> Output {
        let folder = self.program.parent().unwrap();
        let run = || {
            let mut command = Command::new(&self.program);
            command.args(line.split_whitespace()).current_dir(folder).env("TMPDIR", folder.join("out")).env("HOME", folder);
            command.env("TAGSCAPE_USER_DATA", folder.join("no-such-user"));
            if self.is_root {
                command.uid(65534).gid(65534);
            }
            command.output()
        };
        loop {
            // Another test's child may hold the copy open for writing for a moment.
            match run() {
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::sleep(Duration::from_millis(5)),
                output => return output.unwrap(),
            }
        }
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_or_written_is_told_with_its_path_and_not_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::new(folder.path());
    let c = wandering(folder.path(), 3, 4);
    let project = "project wander.tagscape --space msd-musicnn-taggrams --method pca --device cpu --out out/l.npy";
    assert_eq!(nobody.run(project).status.code(), Some(0));
    let denied = |name: &str, line: &str| {
        let output = nobody.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("Permission denied") && said.contains(name), "{name}: {said}");
        assert!(!said.contains("damaged") && !said.contains("delete") && !said.contains("not a collection"), "{name}: {said}");
        refused(output, name);
    };
    for (name, mode) in [
        ("wander.tagscape/collection.sqlite", 0o644),
        ("wander.tagscape/spaces/msd-musicnn-taggrams.npy", 0o644),
        ("wander.tagscape/spaces/msd-musicnn-embeddings.npy", 0o644),
        ("wander.tagscape/spaces", 0o755),
        ("wander.tagscape", 0o755),
    ] {
        chmod(&folder.path().join(name), 0);
        denied(name.split('/').next().unwrap(), project);
        chmod(&folder.path().join(name), mode);
    }
    // Writing: the lock, the database and the matrices are somebody else's.
    std::fs::write(folder.path().join("a.wav"), wav(&vec![0.1; 64_000])).unwrap();
    let extract = "extract a.wav --out wander.tagscape --models msd-musicnn";
    let names = ["collection.lock", "spaces/msd-musicnn-taggrams.npy", "spaces/msd-musicnn-embeddings.npy", "collection.sqlite"];
    for name in names {
        chmod(&c.join(name), 0o444);
    }
    for name in &names[..3] {
        denied(&format!("wander.tagscape/{name}"), extract);
        chmod(&c.join(name), 0o666);
    }
    let output = nobody.run(extract);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("readonly database") && !said.contains("damaged"), "{said}");
    refused(output, "wander.tagscape");
    assert_eq!(Collection::open(&c).unwrap().tracks().len(), 3);
}

#[test]
fn a_database_with_a_write_ahead_log_is_read_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    // Characters that a name for SQLite gives a meaning to.
    let odd = folder.path().join("a %20?b#\u{fc}&mode=rw");
    std::fs::create_dir(&odd).unwrap();
    let c = wandering(&odd, 3, 4);
    let title = |path: &Path| Collection::open(path).unwrap().tracks()[0].metadata.title.clone().unwrap();
    let log = |path: &Path, statement: &str| {
        let other = rusqlite::Connection::open(path.join("collection.sqlite")).unwrap();
        other.pragma_update(None, "journal_mode", "WAL").unwrap();
        other.execute_batch(statement).unwrap();
        other
    };
    // Closed as it should be: there is no log.
    drop(log(&c, "UPDATE tracks SET title = 'first'"));
    let before = files(&c);
    assert!(!before.contains_key(&c.join("collection.sqlite-wal")));
    assert_eq!((title(&c).as_str(), files(&c) == before), ("first", true));
    // In use: what was committed is in the log alone.
    let other = log(&c, "UPDATE tracks SET title = 'second'");
    let before = files(&c);
    assert!(before[&c.join("collection.sqlite-wal")].len() > 4096);
    assert_eq!((title(&c).as_str(), files(&c) == before), ("second", true));
    // Killed: a log, and nobody who has it open; and then also without the index that lies beside it.
    let killed = odd.join("killed.tagscape");
    copy(&c, &killed);
    drop(other);
    for is_there in [true, false] {
        if !is_there {
            std::fs::remove_file(killed.join("collection.sqlite-shm")).unwrap();
        }
        let before = files(&killed);
        assert_eq!((title(&killed).as_str(), files(&killed) == before), ("second", true));
    }
    // The next writer brings it back to a journal.
    let mut writer = CollectionWriter::create_or_resume(&killed, &plan(&odd)).unwrap();
    append(&mut writer, "new.ogg").unwrap();
    drop(writer);
    assert_eq!((title(&killed).as_str(), Collection::open(&killed).unwrap().tracks().len()), ("second", 4));
    let names: Vec<_> = std::fs::read_dir(&killed).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("-wal") && !name.to_string_lossy().contains("-shm")), "{names:?}");
    // Notes are a database as well.
    let notes = c.join(NOTES_FILE);
    drop(NotesFile::open(&notes).unwrap());
    rusqlite::Connection::open(&notes).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
    let before = files(&c);
    drop(NotesFile::read(&notes).unwrap().note("x", &notes));
    assert!(files(&c) == before);
}

#[test]
fn a_database_with_a_write_ahead_log_is_read_in_a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::new(folder.path());
    let c = wandering(folder.path(), 3, 4);
    let project = "project wander.tagscape --space msd-musicnn-taggrams --method pca --device cpu --out out/l.npy";
    let other = rusqlite::Connection::open(c.join("collection.sqlite")).unwrap();
    other.pragma_update(None, "journal_mode", "WAL").unwrap();
    other.execute_batch("UPDATE tracks SET title = 'second'").unwrap();
    for name in ["collection.sqlite", "collection.sqlite-wal"] {
        chmod(&c.join(name), 0o444);
    }
    chmod(&c, 0o555);
    for is_in_use in [true, false] {
        let output = nobody.run(project);
        assert_eq!(output.status.code(), Some(0), "{is_in_use}: {}", String::from_utf8_lossy(&output.stderr));
        if is_in_use {
            // Its log, when it is closed, goes to the database.
            chmod(&c, 0o755);
            chmod(&c.join("collection.sqlite"), 0o644);
            other.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            chmod(&c, 0o555);
        }
    }
    chmod(&c.join("collection.sqlite"), 0);
    let output = nobody.run(project);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Permission denied"));
    refused(output, "collection.sqlite");
    // So that it can be removed.
    chmod(&c, 0o755);
}

#[test]
fn a_collection_and_its_music_move_together() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (first, second) = (base.join("first"), base.join("second"));
    std::fs::create_dir_all(first.join("music/deep")).unwrap();
    let path = first.join("c.tagscape");
    let mut writer = CollectionWriter::create_or_resume(&path, &plan(&first.join("music"))).unwrap();
    assert_eq!(writer.audio_root(), first.join("music"));
    append(&mut writer, "deep/a.ogg").unwrap();
    drop(writer);
    let written = |path: &Path| -> String {
        let database = rusqlite::Connection::open(path.join("collection.sqlite")).unwrap();
        database.query_row("SELECT value FROM meta WHERE key = 'audio_root'", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(written(&path), "../music");
    std::fs::rename(&first, &second).unwrap();
    let moved = second.join("c.tagscape");
    assert_eq!(Collection::open(&moved).unwrap().audio_root(), second.join("music"));
    // Merged into another folder, it is still the same music.
    let out = second.join("results/all.tagscape");
    let output = program().arg("merge").arg(&moved).arg("--out").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((written(&out).as_str(), Collection::open(&out).unwrap().audio_root()), ("../../music", second.join("music")));
    // One that names a folder from the root, as earlier versions did, is found where it says; and a new root is written anew.
    let absolute = second.join("music").to_str().unwrap().to_owned();
    sql(&moved, &format!("UPDATE meta SET value = '{absolute}' WHERE key = 'audio_root'"));
    assert_eq!(Collection::open(&moved).unwrap().audio_root(), second.join("music"));
    set_audio_root(&moved, &second.join("music/deep")).unwrap();
    assert_eq!((written(&moved).as_str(), Collection::open(&moved).unwrap().audio_root()), ("../music/deep", second.join("music/deep")));
    let matrix = Collection::open(&moved).unwrap().matrix("msd-musicnn-taggrams".parse().unwrap()).unwrap();
    assert_eq!(matrix.rows(), 2);
}

#[test]
fn a_matrix_that_is_cut_off_while_it_is_open_is_an_error_with_its_name_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 20, 40);
    let collection = Collection::open(&path).unwrap();
    let key: SpaceKey = "msd-musicnn-embeddings".parse().unwrap();
    let matrix = collection.matrix(key).unwrap();
    let mut row = vec![0.0; 200];
    matrix.read_rows(799..800, &mut row).unwrap();
    let file = path.join("spaces/msd-musicnn-embeddings.npy");
    let whole = std::fs::read(&file).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_len(128 + 400 * 400 + 7).unwrap();
    // What is still there is read, and what is not says so.
    matrix.read_rows(399..400, &mut row).unwrap();
    for rows in [400..401, 799..800] {
        let error = matrix.read_rows(rows, &mut row).unwrap_err();
        assert!(error.path == file && error.to_string().contains("cut it off"), "{error}");
    }
    assert!(matrix.to_matrix().is_err() && matrix.sample(10_000).is_err());
    let tsne = Embedding::Tsne(TsneOptions { dims: 2, ..TsneOptions::default() });
    for method in [
        Method::Original { axes: vec![0, 1] },
        Method::Pca { components: vec![0, 1] },
        Method::StdPca { components: vec![0, 1] },
        Method::Embedding(tsne),
    ] {
        let shown: Vec<usize> = (0..800).step_by(3).collect();
        for shown in [None, Some(&shown[..])] {
            let projection = Projection { space: &matrix, fitted_on: None, shown, column_names: &[], method: method.clone() };
            let said = projection.run(&Compute::Cpu, &NoObserver).unwrap_err().to_string();
            assert!(said.contains("msd-musicnn-embeddings.npy") && said.contains("cut it off"), "{method:?}: {said}");
        }
    }
    // Whole again, as its first rows were all the time.
    std::fs::write(&file, whole).unwrap();
    matrix.read_rows(799..800, &mut row).unwrap();
}

#[test]
fn a_matrix_that_is_cut_off_under_a_map_is_a_notice_and_the_map_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 20, 40);
    let choices = Choices::of("msd-musicnn-embeddings".parse().unwrap());
    let (mut state, effects) = AppState::open(Collection::open(&path).unwrap(), choices, None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state.set_map_size(MapSize { width: 700.0, height: 500.0 });
    let file = path.join("spaces/msd-musicnn-taggrams.npy");
    std::fs::File::options().write(true).open(&file).unwrap().set_len(200).unwrap();
    // Wherever the pointer comes to a segment: told once, and not with every segment.
    let mut told = 0;
    let mut hovered = 0;
    for at in (0..700).step_by(7).flat_map(|x| (0..500).step_by(50).map(move |y| glam::vec2(x as f32, y as f32))) {
        let effects = state.update(Wish::Point { at: Some(at), window_pixels: [0.0; 2] });
        hovered += effects.iter().filter(|effect| matches!(effect, Effect::Log(Event::Hover { .. }))).count();
        told += effects.iter().filter(|effect| matches!(effect, Effect::Log(Event::Notice { .. }))).count();
        if let Some(view) = state.track_view() {
            assert!(view.tags.is_empty());
        }
    }
    assert!(hovered > 10 && told == 1, "{hovered} segments, told {told} times");
    let notice = state.notices.newest().unwrap().to_owned();
    assert!(notice.contains("msd-musicnn-taggrams.npy") && notice.contains("cut it off"), "{notice}");
    // Rows that a search, a colour or names need are no more there either.
    for wish in [
        Wish::SetColorBy(ColorBy::Tag("rock".into())),
        Wish::SetLabels(LabelKind::Tags),
        Wish::ChooseText { text: "tag:rock>0.1".into(), how: Combine::Replace },
    ] {
        state.notices = Notices::default();
        let effects = state.update(wish.clone());
        let said = match headless::settle(&mut state, effects) {
            Ok(()) => state.notices.newest().unwrap_or_default().to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains("msd-musicnn-taggrams.npy"), "{wish:?}: {said}");
    }
    assert_eq!(state.shown.as_ref().unwrap().scene.positions.len(), 800);
}
