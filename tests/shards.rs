//! `tagscape extract --shard` and `tagscape merge`: the parts together are the whole.

use std::path::{Path, PathBuf};
use std::process::Output;

use tagscape::store::Collection;

use crate::common::program::{TRACKS, extract, json, matrices, program, public_rows, refused, twenty_tracks, wav};

/// A folder of music, its collection, and its shards.
struct Parts {
    folder: tempfile::TempDir,
    music: PathBuf,
    whole: PathBuf,
    shards: Vec<PathBuf>,
}

const MODELS: [&str; 2] = ["--models", "mtt-vgg,mtt-musicnn"];

fn parts(of: usize) -> Parts {
    let folder = tempfile::tempdir().unwrap();
    let (music, whole) = (folder.path().join("music"), folder.path().join("whole.tagscape"));
    twenty_tracks(&music);
    // A failure, an own number on the album, and a name in another order among folders than among files.
    std::fs::write(music.join("short.wav"), wav(&[0.1; 3200])).unwrap();
    std::fs::create_dir_all(music.join("track1")).unwrap();
    std::fs::rename(music.join("track05.wav"), music.join("track1/03 - Third.wav")).unwrap();
    assert_eq!(extract(&MODELS, &music, &whole).status.code(), Some(1));
    let shards = (1..=of).map(|number| {
        let shard = folder.path().join(format!("shard-{number}.tagscape"));
        let output = extract(&[&MODELS[..], &["--shard", &format!("{number}/{of}")]].concat(), &music, &shard);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        shard
    });
    Parts { shards: shards.collect(), folder, music, whole }
}

fn merge(inputs: &[&Path], out: &Path) -> Output {
    program().arg("merge").args(inputs).arg("--out").arg(out).arg("--json").output().unwrap()
}

fn paths(shards: &[PathBuf]) -> Vec<&Path> {
    shards.iter().map(PathBuf::as_path).collect()
}

fn sql(collection: &Path, statement: &str) {
    rusqlite::Connection::open(collection.join("collection.sqlite")).unwrap().execute_batch(statement).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("spaces")).unwrap();
    for name in
        ["collection.sqlite"].into_iter().map(PathBuf::from).chain(matrices(from).into_keys().map(|name| Path::new("spaces").join(name)))
    {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn merged_shards_are_the_collection_of_one_run_in_any_order() {
    let parts = parts(3);
    let counts: Vec<_> = parts.shards.iter().map(|shard| Collection::open(shard).unwrap().tracks().len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), TRACKS);
    assert!(counts.iter().all(|&count| count >= 5), "{counts:?}");
    let [one, two, three] = [0, 1, 2].map(|shard| parts.shards[shard].as_path());
    for (number, order) in [vec![one, two, three], vec![three, one, two], vec![two, three, two, one]].into_iter().enumerate() {
        let out = parts.folder.path().join(format!("merged-{number}.tagscape"));
        let output = merge(&order, &out);
        let summary = json(&output);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!((summary["tracks"].as_u64(), summary["segments"].as_u64()), (Some(20), Some(40)), "{summary}");
        assert!(summary["seconds"]["total"].as_f64().is_some_and(|secs| secs > 0.0), "{summary}");
        assert!(matrices(&out) == matrices(&parts.whole), "a matrix differs");
        assert_eq!(public_rows(&out), public_rows(&parts.whole));
        assert!(public_rows(&out).iter().any(|row| row.starts_with("track_numbers") && row.ends_with("Integer(3)")));
        // The merged collection is one like any other: nothing is left to do, and the failure is known.
        let again = extract(&[&MODELS[..], &["--json"]].concat(), &parts.music, &out);
        assert_eq!((again.status.code(), json(&again)["audio_seconds"].as_f64()), (Some(1), Some(0.0)));
    }
    // A part of the parts is a collection too, and the rest is added to it later.
    let out = parts.folder.path().join("part.tagscape");
    assert_eq!(merge(&[two], &out).status.code(), Some(0));
    assert!(matrices(&out) == matrices(two));
    assert_eq!(extract(&MODELS, &parts.music, &out).status.code(), Some(1));
    assert_eq!(Collection::open(&out).unwrap().tracks().len(), TRACKS);
    // A shard is the same share whatever was done before.
    let again = extract(&[&MODELS[..], &["--shard", "2/3", "--json"]].concat(), &parts.music, two);
    assert_eq!((json(&again)["tracks"].as_u64(), json(&again)["audio_seconds"].as_f64()), (Some(counts[1] as u64), Some(0.0)));
}

#[test]
fn what_does_not_go_together_is_refused_by_name_and_leaves_nothing() {
    let parts = parts(2);
    let folder = parts.folder.path();
    let out = folder.join("merged.tagscape");
    let damaged = folder.join("other.tagscape");
    for (damage, word) in [
        ("UPDATE tracks SET duration_s = duration_s + 1 WHERE id = 2", "is in both and differs"),
        ("UPDATE tracks SET title = 'Another' WHERE id = 2", "is in both and differs"),
        ("UPDATE spaces SET hop_s = 1.488", "different spaces"),
        ("UPDATE meta SET value = 'dense' WHERE key = 'musicnn_layer'", "different MusiCNN layers"),
        ("UPDATE meta SET value = '/elsewhere' WHERE key = 'audio_root'", "different audio roots"),
        ("UPDATE tags SET name = 'x' WHERE position = 3", "different tags"),
        ("UPDATE meta SET value = '9' WHERE key = 'format_version'", "newer tagscape"),
        ("DELETE FROM track_rows WHERE track_id = 1", "damaged"),
    ] {
        copy(&parts.shards[0], &damaged);
        sql(&damaged, damage);
        let output = merge(&[&parts.shards[0], &damaged, &parts.shards[1]], &out);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("other.tagscape"), "{damage}: {said}");
        refused(output, word);
    }
    // One bit of one row.
    copy(&parts.shards[0], &damaged);
    let matrix = damaged.join("spaces/mtt-musicnn-embeddings.npy");
    let mut bytes = std::fs::read(&matrix).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&matrix, bytes).unwrap();
    refused(merge(&[&damaged, &parts.shards[0]], &out), "is in both and differs");
    refused(merge(&[&parts.shards[0], &folder.join("nowhere.tagscape")], &out), "nowhere.tagscape");
    refused(program().arg("merge").arg(&parts.shards[0]).output().unwrap(), "--out");
    refused(program().args(["merge", "--out", "x.tagscape"]).output().unwrap(), "C.tagscape");
    refused(merge(&paths(&parts.shards), &parts.whole), "in the place of the merged collection");
    assert!(!out.exists());
    let left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("merging"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    for wrong in ["0/3", "4/3", "3", "x/y"] {
        refused(extract(&["--shard", wrong], &parts.music, &out), "--shard");
    }
}

#[test]
fn what_a_killed_merge_leaves_is_cleared_by_the_next_and_nothing_else_is() {
    let parts = parts(2);
    let folder = parts.folder.path();
    let (out, work) = (folder.join("merged.tagscape"), folder.join(".merged.tagscape.merging"));
    copy(&parts.shards[0], &work);
    std::fs::write(work.join("spaces/mtt-vgg-embeddings.npy"), "half").unwrap();
    std::fs::write(work.join("collection.sqlite-journal"), "half").unwrap();
    std::fs::write(work.join("collection.lock"), "").unwrap();
    assert_eq!(merge(&paths(&parts.shards), &out).status.code(), Some(0));
    assert!(!work.exists());
    assert!(matrices(&out) == matrices(&parts.whole));
    assert_eq!(public_rows(&out), public_rows(&parts.whole));
    // Now it has drawn names.
    let drawn = folder.join(".merged.tagscape.a1B2c3D4.merging");
    copy(&parts.shards[0], &drawn);
    std::fs::remove_dir_all(&out).unwrap();
    // Someone else's folder of such a name stays as it is.
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("thesis.tex"), "years of work").unwrap();
    assert_eq!(merge(&paths(&parts.shards), &out).status.code(), Some(0));
    assert!(work.join("thesis.tex").exists() && out.exists() && !drawn.exists());
    // Two merges into one place do not meet.
    std::fs::remove_dir_all(&out).unwrap();
    std::fs::remove_file(work.join("thesis.tex")).unwrap();
    let lock = std::fs::File::create_new(work.join("collection.lock")).unwrap();
    lock.try_lock().unwrap();
    refused(merge(&paths(&parts.shards), &out), "another tagscape");
    assert!(work.exists() && !out.exists());
    drop(lock);
    assert_eq!(merge(&paths(&parts.shards), &out).status.code(), Some(0));
    assert!(!work.exists());
}
