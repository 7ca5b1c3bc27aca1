//! Arbitrary and damaged bytes for everything that reads what others wrote: an error or a value, never a panic.
//!
//! The fuzz targets of `fuzz/` do the same for longer; what they found lies in `tests/fixtures/fuzz` and is read here as well.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tagscape::audio::{decode_mono_at, decode_span};
use tagscape::catalog::SegmentSpan;
use tagscape::matrix::RowSource as _;
use tagscape::store::Collection;
use tagscape::tensors::{TensorFile, split_safetensors};

/// Cases of each test: a few seconds.
const CASES: u32 = 300;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

fn read_audio(path: &Path) {
    if let Ok(track) = decode_mono_at(path, 16_000) {
        assert!(track.duration_secs.is_finite() && track.duration_secs >= 0.0);
        assert!(track.samples.len() < 1 << 28, "{} samples", track.samples.len());
    }
    let _ = decode_span(path, SegmentSpan { start_secs: 0.5, duration_secs: 0.25 });
}

fn read_weights(path: &Path) {
    let _ = split_safetensors(&std::fs::read(path).unwrap());
    let Ok(file) = TensorFile::open(path) else { return };
    for (name, shape) in [("vggish/fc2/weights", &[4, 3][..]), ("features.0.weight", &[3, 4]), ("conv1.bias", &[2]), ("same", &[2, 3])] {
        let _ = file.find(name);
        if let Ok(values) = file.read(name, shape) {
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
    }
}

fn read_collection(path: &Path) {
    let Ok(collection) = Collection::open(path) else { return };
    for space in collection.spaces() {
        let matrix = collection.matrix(space.key).unwrap();
        let mut row = vec![0.0; matrix.dims()];
        if let Some(last) = matrix.rows().checked_sub(1) {
            matrix.read_rows(last..last + 1, &mut row).unwrap();
            let _ = collection.span(space.key, last);
        }
    }
}

/// Bytes that are nothing, or one of `seeds` with a few stretches changed and perhaps an end cut off.
fn hostile(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..512);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..9)), 1..6);
    let damaged = (prop::sample::select(seeds), edits, prop::option::weighted(0.2, any::<prop::sample::Index>()));
    let damaged = damaged.prop_map(|(mut bytes, edits, cut)| {
        for (at, edit) in edits {
            let at = at.index(bytes.len().min(4096));
            let end = bytes.len().min(at + edit.len());
            bytes[at..end].copy_from_slice(&edit[..end - at]);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    });
    prop_oneof![1 => noise, 6 => damaged]
}

/// The first bytes of every file of a folder of fixtures, with its ending.
fn seeds(folder: &str, most: usize) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> =
        std::fs::read_dir(fixtures(folder)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    found.retain(|path| !path.extension().is_some_and(|ending| ending == "md" || ending == "py"));
    found.sort();
    assert!(!found.is_empty(), "nothing in {folder}");
    let read = |path: &PathBuf| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes.truncate(most);
        (path.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy())), bytes)
    };
    found.iter().map(read).collect()
}

/// Runs `read` on `CASES` files of such bytes.
fn feed(seeds: Vec<Vec<u8>>, ending: &str, cases: u32, read: fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("hostile{ending}"));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(bytes in hostile(seeds))| {
        std::fs::write(&path, &bytes).unwrap();
        read(&path);
    });
}

#[test]
fn damaged_audio_of_every_format_is_an_error_or_samples() {
    let seeds = seeds("audio", 40_000);
    let cases = (CASES / seeds.len() as u32).max(10);
    for (ending, bytes) in seeds {
        feed(vec![bytes], &ending, cases, read_audio);
    }
}

#[test]
fn damaged_weight_files_of_every_kind_are_an_error_or_tensors() {
    let mut seeds: Vec<_> = seeds("weights", usize::MAX).into_iter().map(|(_, bytes)| bytes).collect();
    let header = br#"{"conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    seeds.push([&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat());
    feed(seeds, "", 4 * CASES, read_weights);
}

#[test]
fn a_damaged_collection_is_an_error_or_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::common::collection::wandering(folder.path(), 2, 3);
    let mut files: Vec<_> = std::fs::read_dir(path.join("spaces")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.extend([path.join("collection.sqlite"), path.join("collection.sqlite")]);
    let whole: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    for (file, bytes) in files.iter().zip(&whole) {
        proptest!(config.clone(), |(damaged in hostile(vec![bytes.clone()]))| {
            std::fs::write(file, &damaged).unwrap();
            read_collection(&path);
        });
        std::fs::write(file, bytes).unwrap();
    }
    assert!(Collection::open(&path).is_ok(), "the whole one is read");
}

#[test]
fn a_view_that_gives_rows_without_end_is_not_taken_for_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::common::collection::wandering(folder.path(), 2, 3);
    let endless = "ALTER TABLE tracks RENAME TO theirs; CREATE VIEW tracks AS WITH RECURSIVE more(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM more)
        SELECT id, 'x' || id AS path, 1.0 AS duration_s, NULL AS title, NULL AS artist, NULL AS album, NULL AS genre, NULL AS year FROM more;";
    rusqlite::Connection::open(path.join("collection.sqlite")).unwrap().execute_batch(endless).unwrap();
    let error = Collection::open(&path).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("tracks"), "{error}");
}

/// What the fuzz targets found once: a file each, whose name begins with its target's.
#[test]
fn what_fuzzing_found_stays_mended() {
    for entry in std::fs::read_dir(fixtures("fuzz")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("decode") {
            read_audio(&path);
        } else if name != "README.md" {
            read_weights(&path);
        }
    }
}
