//! Reading a collection: everything is validated when it is opened, and nothing of it is ever created or changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::audio_root;
use super::database::{check_tables, cut, path_text, table_error, text};
use super::error::StoreError;
use super::matrix_file::MatrixFile;
use super::resting_database;
use super::schema::{DATABASE, FORMAT_VERSION, SPACES, TABLES};
use super::space_file::SpaceFile;
use super::tables::{read_failures, read_rows, read_spaces, read_tags, read_tracks};
use super::writer::FileStamp;
use crate::catalog::{SegmentSpan, SpaceKey, TagVocabulary, Track, TrackRows, segment::position_of_row};
use crate::plain_file;

/// One space of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceInfo {
    /// Which.
    pub key: SpaceKey,
    /// Columns of its matrix.
    pub dims: usize,
    /// Length of a segment in seconds.
    pub segment_secs: f64,
    /// From one segment's start to the next's, in seconds.
    pub hop_secs: f64,
    /// Rows of its matrix.
    pub segments: usize,
}

/// A collection, open for reading: its tables in memory, its matrices on disk.
#[derive(Debug)]
pub struct Collection {
    path: PathBuf,
    database: Database,
}

/// What the database holds.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub tracks: Vec<Track>,
    pub spaces: Vec<SpaceInfo>,
    pub musicnn_layer: String,
    audio_root: String,
    /// Of each track that failed, why, and which file it was.
    pub failures: BTreeMap<String, (String, FileStamp)>,
    rows: BTreeMap<SpaceKey, Vec<TrackRows>>,
    tags: BTreeMap<SpaceKey, TagVocabulary>,
}

impl Database {
    /// The audio root; a relative one is relative to the collection's folder.
    pub(super) fn audio_root(&self, collection: &Path) -> PathBuf {
        audio_root::from_text(collection, &self.audio_root)
    }

    /// The audio root as it is written in the database.
    pub(super) fn audio_root_text(&self) -> &str {
        &self.audio_root
    }
}

impl Collection {
    /// Opens a collection and checks that all of it is there.
    ///
    /// # Errors
    /// No collection, a newer one, or one of which a part is missing, too short or contradicts another.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        match std::fs::metadata(path) {
            Ok(about) if !about.is_dir() => return Err(StoreError::NotACollection { why: "it is a file", path: path.to_owned() }),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoSuchCollection { path: path.to_owned() });
            }
            Err(source) => return Err(StoreError::Io { action: "read", path: path.to_owned(), source }),
        }
        let database_path = path.join(DATABASE);
        // A folder that may not be looked into is no damaged one, and neither is one without a database.
        if !database_path.try_exists().map_err(StoreError::io("read", &database_path))? {
            if path.join(SPACES).exists() {
                return Err(StoreError::damaged(path, format!("{DATABASE} is missing")));
            }
            return Err(StoreError::NotACollection { why: "there is no collection.sqlite in it", path: path.to_owned() });
        }
        let database = resting_database::read(path, |database| read_database(database, path))?;
        let collection = Self { path: path.to_owned(), database };
        for space in &collection.database.spaces {
            collection.matrix(space.key)?;
        }
        Ok(collection)
    }

    /// What the database holds.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// The collection's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that track paths are relative to; the collection's own where it names none.
    ///
    /// A track's file is `audio_root().join(path_from_text(&track.path))`.
    #[must_use]
    pub fn audio_root(&self) -> PathBuf {
        self.database.audio_root(&self.path)
    }

    /// The tracks, in the order in which their rows follow each other.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.database.tracks
    }

    /// The spaces, in the order of `SpaceKey::all()`.
    #[must_use]
    pub fn spaces(&self) -> &[SpaceInfo] {
        &self.database.spaces
    }

    /// One space.
    ///
    /// # Errors
    /// The collection has no such space.
    pub fn space(&self, key: SpaceKey) -> Result<&SpaceInfo, StoreError> {
        self.database.spaces.iter().find(|space| space.key == key).ok_or_else(|| StoreError::NoSuchSpace {
            space: key.to_string(),
            known: self.database.spaces.iter().map(|space| space.key.to_string()).collect::<Vec<_>>().join(", "),
            path: self.path.clone(),
        })
    }

    /// Each track's rows in a space, by row, without a gap.
    ///
    /// # Errors
    /// The collection has no such space.
    pub fn rows(&self, key: SpaceKey) -> Result<&[TrackRows], StoreError> {
        self.space(key)?;
        Ok(self.database.rows.get(&key).map_or(&[], Vec::as_slice))
    }

    /// A space's matrix, `[segments, dims]`.
    ///
    /// # Errors
    /// No such space, or a file that is not what the database promises.
    pub fn matrix(&self, key: SpaceKey) -> Result<MatrixFile, StoreError> {
        let space = self.space(key)?;
        let path = SpaceFile::path_in(&self.path.join(SPACES), key);
        MatrixFile::open_space(&self.path, &path, space.segments, space.dims).map_err(|error| match error {
            StoreError::Matrix { why, .. } => StoreError::damaged(&self.path, format!("{SPACES}/{key}.npy {why}")),
            StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                StoreError::damaged(&self.path, format!("{SPACES}/{key}.npy is missing"))
            }
            StoreError::Io { source, .. } if let Some(kind) = plain_file::Kind::refused(&source) => {
                StoreError::damaged(&self.path, format!("{SPACES}/{key}.npy {kind}"))
            }
            // What the disk or its permissions refuse is no damage.
            other => other,
        })
    }

    /// The names of a tag space's columns; none for embeddings.
    ///
    /// # Errors
    /// The collection has no such space.
    pub fn tags(&self, key: SpaceKey) -> Result<Option<TagVocabulary>, StoreError> {
        self.space(key)?;
        Ok(self.database.tags.get(&key).cloned())
    }

    /// Which track a row belongs to, and which stretch of it the row is.
    #[must_use]
    pub fn span(&self, key: SpaceKey, row: usize) -> Option<(&Track, SegmentSpan)> {
        let space = self.space(key).ok()?;
        let rows = self.database.rows.get(&key)?;
        let of_track = rows[position_of_row(rows, row)?];
        let position = self.database.tracks.binary_search_by_key(&of_track.track, |track| track.id).ok()?;
        let start_secs = (row - of_track.first_row) as f64 * space.hop_secs;
        Some((&self.database.tracks[position], SegmentSpan { start_secs, duration_secs: space.segment_secs }))
    }
}

/// Reads and validates every public table.
pub(super) fn read_database(database: &Connection, path: &Path) -> Result<Database, StoreError> {
    check_tables(database, &TABLES, path)?;
    check_version(database, path)?;
    let mut found = Database::default();
    for (key, field) in [("audio_root", &mut found.audio_root), ("musicnn_layer", &mut found.musicnn_layer)] {
        let value = database.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| path_text(row, 0));
        *field = match value {
            Err(rusqlite::Error::QueryReturnedNoRows) if key == "musicnn_layer" => "penultimate".to_owned(),
            // A collection that was made elsewhere may have no audio.
            Err(rusqlite::Error::QueryReturnedNoRows) => String::new(),
            other => other.map_err(table_error(path, "meta"))?,
        };
    }
    found.tracks = read_tracks(database).map_err(table_error(path, "tracks"))?;
    if let Some(track) = found.tracks.iter().find(|track| !(track.duration_secs.is_finite() && track.duration_secs >= 0.0)) {
        return Err(StoreError::damaged(path, format!("track '{}' has no length", cut(&track.path))));
    }
    let spaces = read_spaces(database).map_err(table_error(path, "spaces"))?;
    for (name, dims, segment_secs, hop_secs) in spaces {
        let key: SpaceKey = name.parse().map_err(|_| StoreError::damaged(path, format!("there is no space '{name}'")))?;
        if found.rows.contains_key(&key) {
            return Err(StoreError::damaged(path, format!("the space '{name}' is there twice")));
        }
        let sane = |secs: f64| secs.is_finite() && secs > 0.0 && secs < 1e4;
        if dims != key.dims() as i64 || !sane(segment_secs) || !sane(hop_secs) {
            return Err(StoreError::damaged(path, format!("the space '{name}' contradicts itself")));
        }
        let rows = read_rows(database, &name).map_err(table_error(path, "track_rows"))?;
        let segments = check_rows(&rows, &found.tracks).map_err(|why| StoreError::damaged(path, format!("{why} in '{name}'")))?;
        let tags = read_tags(database, &name).map_err(table_error(path, "tags"))?;
        if !tags.is_empty() {
            if tags.len() != key.dims() || tags.iter().enumerate().any(|(column, (position, _))| *position != column as i64) {
                return Err(StoreError::damaged(path, format!("the tags of '{name}' are not one a column")));
            }
            found.tags.insert(key, TagVocabulary::new(tags.into_iter().map(|(_, name)| name).collect()));
        }
        found.rows.insert(key, rows);
        found.spaces.push(SpaceInfo { key, dims: key.dims(), segment_secs, hop_secs, segments });
    }
    found.spaces.sort_by_key(|space| SpaceKey::all().position(|key| key == space.key));
    if found.spaces.is_empty() {
        return Err(StoreError::damaged(path, "it has no spaces"));
    }
    found.failures = read_failures(database).map_err(table_error(path, "private_failures"))?;
    Ok(found)
}

fn check_version(database: &Connection, path: &Path) -> Result<(), StoreError> {
    let version: String = database
        .query_row("SELECT value FROM meta WHERE key = 'format_version'", [], |row| Ok(text(row, 0)?.unwrap_or_default()))
        .map_err(table_error(path, "meta"))?;
    match version.trim().parse::<u64>() {
        Ok(found) if found > FORMAT_VERSION => Err(StoreError::Newer { found, known: FORMAT_VERSION, path: path.to_owned() }),
        Ok(found) if found > 0 => Ok(()),
        _ => Err(StoreError::damaged(path, format!("its format version is '{version}'"))),
    }
}

/// Holds the rows of a space against the tracks; gives the number of rows.
fn check_rows(rows: &[TrackRows], tracks: &[Track]) -> Result<usize, &'static str> {
    let mut next = 0;
    for track in rows {
        if track.first_row != next || track.row_count == 0 {
            return Err("the rows of two tracks overlap or leave a gap");
        }
        if tracks.binary_search_by_key(&track.track, |known| known.id).is_err() {
            return Err("rows belong to a track that is not there");
        }
        next = track.range().end;
    }
    Ok(next)
}
