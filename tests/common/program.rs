//! The program as a user starts it, music for it, and what it leaves on the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tagscape::audio::{decode_span, to_mono_at};
use tagscape::catalog::SegmentSpan;

pub const TRACKS: usize = 20;
pub const SECONDS: f64 = 6.5;

pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
    // Without the networks that whoever runs the tests has added: nothing can be in a file.
    command.env("TAGSCAPE_USER_DATA", checkout().join("Cargo.toml/no-such-user"));
    command
}

pub fn extract(arguments: &[&str], music: &Path, out: &Path) -> Output {
    program().arg("extract").arg(music).arg("--out").arg(out).args(arguments).output().unwrap()
}

/// Every audio file of the demo collection, sorted.
pub fn demo_audio() -> Vec<PathBuf> {
    let mut folders = vec![checkout().join("assets/demo/audio")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| tagscape::audio::is_audio_file(path));
    found.sort();
    found
}

/// 20 pieces of real music of 6.5 s, two segments each, one of them in a folder that is named as a file would be.
pub fn twenty_tracks(folder: &Path) {
    let sources = demo_audio();
    assert!(sources.len() >= TRACKS, "the demo has {} tracks", sources.len());
    std::fs::create_dir_all(folder.join("x.wav")).unwrap();
    for (number, source) in sources.iter().take(TRACKS).enumerate() {
        let pcm = decode_span(source, SegmentSpan { start_secs: 5.0, duration_secs: SECONDS }).unwrap();
        let mono = to_mono_at(&pcm, 16_000).unwrap();
        let name = if number == 13 { "x.wav/track13.wav".to_owned() } else { format!("track{number:02}.wav") };
        std::fs::write(folder.join(name), wav(&mono)).unwrap();
    }
}

pub fn wav(mono: &[f32]) -> Vec<u8> {
    let len = mono.len() as u32 * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + len).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    bytes.extend(len.to_le_bytes());
    bytes.extend(mono.iter().flat_map(|sample| ((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes()));
    bytes
}

/// The file that grows, or was left, beside `path` until it gets this name.
pub fn growing(path: &Path) -> Option<PathBuf> {
    let prefix = format!(".{}.", path.file_name().unwrap().to_str().unwrap());
    let names = std::fs::read_dir(path.parent().unwrap()).ok()?.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&prefix) && name.ends_with(".part")).map(|name| path.with_file_name(name)).next()
}

pub fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

pub fn matrices(collection: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(collection.join("spaces")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())).collect()
}

/// Every row of the public tables, as text.
pub fn public_rows(collection: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(collection.join("collection.sqlite")).unwrap();
    let mut rows = Vec::new();
    for (table, order) in [
        ("tracks", "id"),
        ("track_numbers", "track_id"),
        ("spaces", "name"),
        ("track_rows", "track_id, space"),
        ("tags", "space, position"),
        ("meta", "key"),
    ] {
        let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap())).collect();
            rows.push(format!("{table}: {}", values.join(", ")));
        }
    }
    rows
}

/// Exit code 2, and one line that has the word and nothing on standard output.
pub fn refused(output: Output, word: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    assert!(said.lines().count() == 1 && said.contains(word), "wanted '{word}': {said}");
}
