//! The tables' rows: created, inserted and read, one function a table.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::audio_root;
use super::database::{cut, path_text, text, unfit};
use super::schema::{CREATE, CREATE_FAILURES, CREATE_TRACK_NUMBERS, FORMAT_VERSION};
use super::writer::{CollectionPlan, FileStamp, NewTrack};
use crate::catalog::{SpaceKey, TagVocabulary, Track, TrackId, TrackMetadata, TrackRows};

/// Creates all tables in the empty database of `collection`, and fills those that a plan settles.
pub(super) fn create_tables(database: &mut Connection, plan: &CollectionPlan, collection: &Path) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    transaction.execute_batch(CREATE)?;
    transaction.execute_batch(CREATE_FAILURES)?;
    transaction.execute_batch(CREATE_TRACK_NUMBERS)?;
    let audio_root = audio_root::to_text(collection, &plan.audio_root);
    for (key, value) in
        [("format_version", FORMAT_VERSION.to_string().as_str()), ("audio_root", &audio_root), ("musicnn_layer", &plan.musicnn_layer)]
    {
        transaction.execute("INSERT INTO meta(key, value) VALUES(?, ?)", [key, value])?;
    }
    for space in &plan.spaces {
        let name = space.key.to_string();
        let dims = space.key.dims() as i64;
        let sql = "INSERT INTO spaces(name, dims, segment_s, hop_s) VALUES(?, ?, ?, ?)";
        transaction.execute(sql, params![name, dims, space.segment_secs, space.hop_secs])?;
        let Some(tags) =
            space.key.taggrams().filter(|&taggrams| taggrams == space.key).and_then(|key| TagVocabulary::of(key.model.dataset))
        else {
            continue;
        };
        for (position, tag) in tags.names().iter().enumerate() {
            transaction.execute("INSERT INTO tags(space, position, name) VALUES(?, ?, ?)", params![name, position as i64, tag])?;
        }
    }
    transaction.commit()
}

/// Inserts tracks: everything that the tables say of one.
pub(super) struct TrackInserter<'c> {
    track: Statement<'c>,
    number: Statement<'c>,
    rows: Statement<'c>,
}

impl<'c> TrackInserter<'c> {
    pub(super) fn new(database: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            track: database
                .prepare("INSERT INTO tracks(id, path, duration_s, title, artist, album, genre, year) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")?,
            number: database.prepare("INSERT INTO track_numbers(track_id, track_number) VALUES(?, ?)")?,
            rows: database.prepare("INSERT INTO track_rows(track_id, space, first_row, row_count) VALUES(?, ?, ?, ?)")?,
        })
    }

    /// Inserts a track under this number, with its first row and number of rows in each space.
    pub(super) fn insert(
        &mut self,
        id: u32,
        track: &NewTrack,
        rows: impl Iterator<Item = (SpaceKey, usize, usize)>,
    ) -> rusqlite::Result<()> {
        let tags = &track.metadata;
        // As they are read back.
        let [title, artist, album, genre] = [&tags.title, &tags.artist, &tags.album, &tags.genre].map(|text| text.as_deref().map(cut));
        self.track.execute(params![id, track.path, track.duration_secs, title, artist, album, genre, tags.year])?;
        if let Some(number) = tags.track_number {
            self.number.execute(params![id, number])?;
        }
        for (space, first_row, row_count) in rows {
            self.rows.execute(params![id, space.to_string(), first_row as i64, row_count as i64])?;
        }
        Ok(())
    }
}

pub(super) fn read_tracks(database: &Connection) -> rusqlite::Result<Vec<Track>> {
    // A collection from before there was the table has no numbers.
    let (number, join) = match has_table(database, "track_numbers")? {
        true => ("track_number", "LEFT JOIN track_numbers ON track_id = id"),
        false => ("NULL", ""),
    };
    let sql = format!("SELECT id, path, duration_s, title, artist, album, genre, year, {number} FROM tracks {join} ORDER BY id");
    let mut statement = database.prepare(&sql)?;
    let mut last = None;
    let rows = statement.query_map([], |row| {
        let id: u32 = row.get(0)?;
        // Each number once, so that a database whose pages lead back to themselves has an end.
        if last.replace(id).is_some_and(|last| last >= id) {
            return Err(unfit(0, format!("the number {id} twice")));
        }
        let metadata = TrackMetadata {
            title: text(row, 3)?,
            artist: text(row, 4)?,
            album: text(row, 5)?,
            genre: text(row, 6)?,
            year: row.get(7)?,
            track_number: row.get(8)?,
        };
        Ok(Track { id: TrackId(id), path: path_text(row, 1)?, duration_secs: row.get(2)?, metadata })
    })?;
    rows.collect()
}

pub(super) fn read_spaces(database: &Connection) -> rusqlite::Result<Vec<(String, i64, f64, f64)>> {
    let mut statement = database.prepare("SELECT name, dims, segment_s, hop_s FROM spaces")?;
    let rows = statement.query_map([], |row| Ok((text(row, 0)?.unwrap_or_default(), row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

pub(super) fn read_rows(database: &Connection, space: &str) -> rusqlite::Result<Vec<TrackRows>> {
    let mut statement = database.prepare("SELECT track_id, first_row, row_count FROM track_rows WHERE space = ? ORDER BY first_row")?;
    let rows = statement.query_map([space], |row| {
        let (first_row, row_count): (u32, u32) = (row.get(1)?, row.get(2)?);
        Ok(TrackRows { track: TrackId(row.get(0)?), first_row: first_row as usize, row_count: row_count as usize })
    })?;
    rows.collect()
}

pub(super) fn read_tags(database: &Connection, space: &str) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = database.prepare("SELECT position, name FROM tags WHERE space = ? ORDER BY position")?;
    let rows = statement.query_map([space], |row| Ok((row.get(0)?, text(row, 1)?.unwrap_or_default())))?;
    rows.collect()
}

/// Of each track that failed, why, and which file it was.
pub(super) fn read_failures(database: &Connection) -> rusqlite::Result<BTreeMap<String, (String, FileStamp)>> {
    if !has_table(database, "private_failures")? {
        return Ok(BTreeMap::new());
    }
    let mut statement = database.prepare("SELECT path, reason, size, modified_ns FROM private_failures")?;
    let rows = statement.query_map([], |row| {
        let stamp = FileStamp { size: row.get(2)?, modified_ns: row.get(3)? };
        Ok((path_text(row, 0)?, (text(row, 1)?.unwrap_or_default(), stamp)))
    })?;
    rows.collect()
}

fn has_table(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(database.query_row("SELECT 1 FROM sqlite_schema WHERE name = ?", [name], |_| Ok(())).optional()?.is_some())
}
