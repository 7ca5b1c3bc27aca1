//! A small valid collection, and what an input does to it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::catalog::{SpaceKey, TrackMetadata};
use crate::matrix::FeatureMatrix;
use crate::readers::folder;
use crate::store::{CollectionPlan, CollectionWriter, NewTrack, SpacePlan};

/// One change to the collection.
#[derive(Arbitrary, Debug)]
pub enum Edit<'a> {
    /// Other bytes in the middle of a file.
    Patch { file: u8, at: u16, bytes: &'a [u8] },
    /// A file that ends earlier, or goes on with zeros.
    Length { file: u8, length: u16 },
    /// A file of other bytes.
    Replace { file: u8, bytes: &'a [u8] },
    /// A file that is not there.
    Remove { file: u8 },
    /// Another value in a table.
    Row { table: u8, column: u8, row: u8, value: Cell<'a> },
    /// A row that is not there.
    Delete { table: u8, row: u8 },
}

/// A value of SQLite's.
#[derive(Arbitrary, Debug)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Small(u8),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

const FILES: [&str; 5] = [
    "collection.sqlite",
    "spaces/mtt-musicnn-taggrams.npy",
    "spaces/audioset-vggish-embeddings.npy",
    "collection.sqlite-journal",
    "collection.lock",
];
const TABLES: [(&str, &[&str]); 7] = [
    ("tracks", &["id", "path", "duration_s", "title", "artist", "album", "genre", "year"]),
    ("spaces", &["name", "dims", "segment_s", "hop_s"]),
    ("track_rows", &["track_id", "space", "first_row", "row_count"]),
    ("tags", &["space", "position", "name"]),
    ("meta", &["key", "value"]),
    ("track_numbers", &["track_id", "track_number"]),
    ("private_failures", &["path", "reason", "size", "modified_ns"]),
];

/// The files of a collection of two tracks in two spaces.
fn valid() -> &'static [(&'static str, Vec<u8>)] {
    static FILES_OF_IT: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    FILES_OF_IT.get_or_init(|| {
        let path = folder().join("valid.tagscape");
        let keys: [SpaceKey; 2] = ["mtt-musicnn-taggrams", "audioset-vggish-embeddings"].map(|name| name.parse().unwrap());
        let plan = CollectionPlan {
            audio_root: PathBuf::from("/music"),
            musicnn_layer: "penultimate".into(),
            spaces: keys.map(|key| SpacePlan { key, segment_secs: 2.992, hop_secs: 2.992 }).to_vec(),
        };
        let mut writer = CollectionWriter::create_or_resume(&path, &plan).unwrap();
        for number in 0..2 {
            let metadata = TrackMetadata { title: Some(format!("title {number}")), year: Some(1999), ..TrackMetadata::default() };
            let track = NewTrack { path: format!("artist/track {number}.ogg"), duration_secs: 9.0, metadata };
            let matrices = keys.map(|key| FeatureMatrix::new(3, key.dims(), vec![0.25; 3 * key.dims()]));
            writer.append_track(&track, &matrices).unwrap();
        }
        drop(writer);
        FILES.iter().filter_map(|name| Some((*name, std::fs::read(path.join(name)).ok()?))).collect()
    })
}

/// Makes the collection, damages it, and gives its folder.
pub fn damaged(edits: &[Edit<'_>]) -> PathBuf {
    let path = folder().join("damaged.tagscape");
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(path.join("spaces")).unwrap();
    for (name, bytes) in valid() {
        std::fs::write(path.join(name), bytes).unwrap();
    }
    edit_rows(&path, edits);
    for edit in edits {
        let _ = edit_file(&path, edit);
    }
    path
}

fn edit_rows(path: &Path, edits: &[Edit<'_>]) {
    if !edits.iter().any(|edit| matches!(edit, Edit::Row { .. } | Edit::Delete { .. })) {
        return;
    }
    let Ok(database) = Connection::open(path.join(FILES[0])) else { return };
    let _ = database.pragma_update(None, "synchronous", "OFF");
    let _ = database.pragma_update(None, "ignore_check_constraints", "ON");
    for edit in edits {
        let _ = match edit {
            Edit::Row { table, column, row, value } => {
                let (table, columns) = TABLES[usize::from(*table) % TABLES.len()];
                let column = columns[usize::from(*column) % columns.len()];
                let value = match value {
                    Cell::Null => Value::Null,
                    Cell::Integer(number) => Value::Integer(*number),
                    Cell::Small(number) => Value::Integer(i64::from(*number)),
                    Cell::Real(number) => Value::Real(*number),
                    Cell::Text(text) => Value::Text((*text).to_owned()),
                    Cell::Blob(bytes) => Value::Blob(bytes.to_vec()),
                };
                database.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2"), (value, row))
            }
            Edit::Delete { table, row } => {
                database.execute(&format!("DELETE FROM {} WHERE rowid = ?1", TABLES[usize::from(*table) % TABLES.len()].0), [row])
            }
            _ => Ok(0),
        };
    }
}

fn edit_file(path: &Path, edit: &Edit<'_>) -> std::io::Result<()> {
    let name = |file: u8| path.join(FILES[usize::from(file) % FILES.len()]);
    match edit {
        Edit::Patch { file, at, bytes } => {
            let mut content = std::fs::read(name(*file))?;
            let at = usize::from(*at) % content.len().max(1);
            let end = content.len().min(at + bytes.len());
            content[at..end].copy_from_slice(&bytes[..end - at]);
            std::fs::write(name(*file), content)
        }
        Edit::Length { file, length } => std::fs::File::options().write(true).open(name(*file))?.set_len(u64::from(*length)),
        Edit::Replace { file, bytes } => std::fs::write(name(*file), bytes),
        Edit::Remove { file } => std::fs::remove_file(name(*file)),
        Edit::Row { .. } | Edit::Delete { .. } => Ok(()),
    }
}
