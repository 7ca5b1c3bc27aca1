//! Several collections to one: what a single run over all of their music would have made.
//!
//! Tracks are put in the order of their paths, as extraction does; the rows are copied as they are. The result grows in a folder of its own beside
//! its place (`work_folder`) and is renamed when it is whole: a kill at any byte leaves no half collection under the wanted name, and the next
//! merge clears what was left. Memory holds the tables and a copy buffer, whatever the number of rows.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, OpenFlags, params};

use super::database::{lift_steps, open_database};
use super::error::StoreError;
use super::matrix_file::sync_folder_of;
use super::notes_file::{NOTES_FILE, NotesFile};
use super::npy::{Element, HEADER_BYTES, header_bytes};
use super::reader::Collection;
use super::schema::{DATABASE, LOCK, SPACES};
use super::space_file::SpaceFile;
use super::tables::{TrackInserter, create_tables};
use super::work_folder::{WorkFolder, make_spaces};
use super::writer::{CollectionPlan, FileStamp, NewTrack, SpacePlan};
use crate::catalog::{SpaceKey, TrackRows};
use crate::plain_file;

/// Bytes that are copied at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// How far a merge is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeProgress {
    /// Bytes of rows that were copied.
    pub bytes_done: u64,
    /// Bytes of rows of the result.
    pub bytes_total: u64,
}

/// What a merge made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeSummary {
    /// Tracks of the result.
    pub tracks: usize,
    /// Segments of the result, those of its first space.
    pub segments: usize,
}

/// A track of the result: its source, and its position there.
#[derive(Clone, Copy, Debug)]
struct Place {
    source: usize,
    track: usize,
}

/// A collection to be merged, with each track's rows at hand.
struct Source {
    collection: Collection,
    /// `rows[space][track]`.
    rows: Vec<Vec<TrackRows>>,
    /// Held against writers while it is read, where there is one to hold.
    _lock: Option<File>,
}

/// Joins `inputs` into a new collection at `out`. Their order does not matter.
///
/// # Errors
/// An input that is no collection, is damaged or is being written; inputs of different settings, or that hold a track of the same path with
/// different rows; something that is at `out` already; what the disk refuses; [`StoreError::Cancelled`]. Nothing is at `out` then.
pub fn merge(
    inputs: &[PathBuf],
    out: &Path,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(&MergeProgress),
) -> Result<MergeSummary, StoreError> {
    refuse_existing(out)?;
    let sources = inputs.iter().map(|path| Source::open(path)).collect::<Result<Vec<_>, _>>()?;
    let plan = common_plan(&sources, out)?;
    let places = in_order(&sources)?;
    let work = WorkFolder::create(out)?;
    let summary = make(work.path(), &plan, &sources, &places, cancel, progress)?;
    work.become_collection(out)?;
    Ok(summary)
}

/// Only nothing, or an empty folder, may be in the result's place; a link, wherever it leads, is something.
fn refuse_existing(out: &Path) -> Result<(), StoreError> {
    let is_free = match out.symlink_metadata() {
        Ok(about) => about.is_dir() && std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none()),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if is_free { Ok(()) } else { Err(StoreError::Exists { path: out.to_owned() }) }
}

impl Source {
    fn open(path: &Path) -> Result<Self, StoreError> {
        // A reader needs no lock; but what is still being extracted is not what anyone wants to merge.
        let lock = plain_file::open(&path.join(LOCK)).ok();
        if let Some(Err(std::fs::TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock_shared) {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        let collection = Collection::open(path)?;
        let tracks = collection.tracks();
        let mut rows = Vec::new();
        for space in collection.spaces() {
            let mut of_space: Vec<TrackRows> = collection.rows(space.key)?.to_vec();
            of_space.sort_by_key(|rows| rows.track);
            if !of_space.iter().map(|rows| rows.track).eq(tracks.iter().map(|track| track.id)) {
                return Err(StoreError::damaged(path, format!("not every track has rows in '{}'", space.key)));
            }
            rows.push(of_space);
        }
        Ok(Self { collection, rows, _lock: lock })
    }

    fn path(&self) -> &Path {
        self.collection.path()
    }

    fn matrix_path(&self, key: SpaceKey) -> PathBuf {
        SpaceFile::path_in(&self.path().join(SPACES), key)
    }
}

/// The settings that all sources share.
fn common_plan(sources: &[Source], out: &Path) -> Result<CollectionPlan, StoreError> {
    let plans = sources.iter().map(|source| {
        let database = source.collection.database();
        // A relative root is relative to its own collection, and would be another folder's from the result.
        let found = source.collection.audio_root();
        let has_none = database.audio_root_text().is_empty();
        let audio_root = if has_none { PathBuf::new() } else { found.canonicalize().unwrap_or(found) };
        let spaces = database.spaces.iter();
        let spaces = spaces.map(|space| SpacePlan { key: space.key, segment_secs: space.segment_secs, hop_secs: space.hop_secs });
        CollectionPlan { audio_root, musicnn_layer: database.musicnn_layer.clone(), spaces: spaces.collect() }
    });
    let mut plans = plans.zip(sources);
    let Some((plan, first)) = plans.next() else {
        return Err(StoreError::NotACollection { why: "nothing was named to be merged into it", path: out.to_owned() });
    };
    for (other, source) in plans {
        let differ = |what: &str, one: String, two: String| {
            Err(StoreError::CannotMerge {
                why: format!("they have different {what} ({one}; {two})"),
                one: first.path().to_owned(),
                two: source.path().to_owned(),
            })
        };
        let words = |plan: &CollectionPlan| {
            let hop = |space: &SpacePlan| format!("{} every {:.3} s", space.key, space.hop_secs);
            plan.spaces.iter().map(hop).collect::<Vec<_>>().join(", ")
        };
        if other.spaces != plan.spaces {
            return differ("spaces", words(&plan), words(&other));
        }
        if other.musicnn_layer != plan.musicnn_layer {
            return differ("MusiCNN layers", plan.musicnn_layer, other.musicnn_layer);
        }
        if other.audio_root != plan.audio_root {
            return differ("audio roots", plan.audio_root.display().to_string(), other.audio_root.display().to_string());
        }
        for space in &plan.spaces {
            if source.collection.tags(space.key)? != first.collection.tags(space.key)? {
                return differ("tags", space.key.to_string(), space.key.to_string());
            }
        }
    }
    Ok(plan)
}

/// All tracks by their paths, each once.
fn in_order(sources: &[Source]) -> Result<Vec<Place>, StoreError> {
    let mut places: Vec<Place> = Vec::new();
    for (source, opened) in sources.iter().enumerate() {
        places.extend((0..opened.collection.tracks().len()).map(|track| Place { source, track }));
    }
    let track_of = |place: Place| &sources[place.source].collection.tracks()[place.track];
    places.sort_by(|&a, &b| track_of(a).path.cmp(&track_of(b).path));
    let mut kept: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        match kept.last() {
            Some(&known) if track_of(known).path == track_of(place).path => {
                if !is_same_track(sources, known, place)? {
                    return Err(StoreError::CannotMerge {
                        why: format!("'{}' is in both and differs; leave one of them out, or extract it again", track_of(place).path),
                        one: sources[known.source].path().to_owned(),
                        two: sources[place.source].path().to_owned(),
                    });
                }
            }
            _ => kept.push(place),
        }
    }
    Ok(kept)
}

/// Whether two sources say the same of a track, to the last bit of its rows.
fn is_same_track(sources: &[Source], a: Place, b: Place) -> Result<bool, StoreError> {
    let (one, two) = (&sources[a.source], &sources[b.source]);
    let (track, other) = (&one.collection.tracks()[a.track], &two.collection.tracks()[b.track]);
    if (track.duration_secs.to_bits(), &track.metadata) != (other.duration_secs.to_bits(), &other.metadata) {
        return Ok(false);
    }
    for (space, info) in one.collection.spaces().iter().enumerate() {
        let (rows, others) = (one.rows[space][a.track], two.rows[space][b.track]);
        if rows.row_count != others.row_count {
            return Ok(false);
        }
        let mut left = RowReader::open(&one.matrix_path(info.key), info.key)?;
        let mut right = RowReader::open(&two.matrix_path(info.key), info.key)?;
        let at_once = rows_at_once(info.key);
        for offset in (0..rows.row_count).step_by(at_once) {
            let count = at_once.min(rows.row_count - offset);
            if left.read(rows.first_row + offset, count)? != right.read(others.first_row + offset, count)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Rows of a space that fill the buffer.
fn rows_at_once(key: SpaceKey) -> usize {
    (BUFFER_BYTES / (Element::F16.bytes() * key.dims())).max(1)
}

/// Reads runs of rows of a matrix as bytes.
struct RowReader {
    path: PathBuf,
    file: File,
    key: SpaceKey,
    bytes: Vec<u8>,
}

impl RowReader {
    fn open(path: &Path, key: SpaceKey) -> Result<Self, StoreError> {
        let file = plain_file::open(path).map_err(StoreError::io("read", path))?;
        Ok(Self { path: path.to_owned(), file, key, bytes: Vec::new() })
    }

    fn read(&mut self, first: usize, rows: usize) -> Result<&[u8], StoreError> {
        let start = SpaceFile::bytes_for(self.key, first);
        self.bytes.resize((SpaceFile::bytes_for(self.key, first + rows) - start) as usize, 0);
        let read = self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.read_exact(&mut self.bytes));
        read.map_err(StoreError::io("read", &self.path))?;
        Ok(&self.bytes)
    }
}

fn make(
    work: &Path,
    plan: &CollectionPlan,
    sources: &[Source],
    places: &[Place],
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(&MergeProgress),
) -> Result<MergeSummary, StoreError> {
    let folder = make_spaces(work)?;
    let rows_in = |space: usize| places.iter().map(|place| sources[place.source].rows[space][place.track].row_count).sum::<usize>();
    let data_bytes = |(space, planned): (usize, &SpacePlan)| SpaceFile::bytes_for(planned.key, rows_in(space)) - HEADER_BYTES as u64;
    let mut told = MergeProgress { bytes_done: 0, bytes_total: plan.spaces.iter().enumerate().map(data_bytes).sum() };
    for (space, planned) in plan.spaces.iter().enumerate() {
        let key = planned.key;
        let path = SpaceFile::path_in(&folder, key);
        let fail = |error| StoreError::io("write", &path)(error);
        let mut readers = sources.iter().map(|source| RowReader::open(&source.matrix_path(key), key)).collect::<Result<Vec<_>, _>>()?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(&path).map_err(fail)?);
        file.write_all(&header_bytes(Element::F16, rows_in(space), key.dims())).map_err(fail)?;
        let at_once = rows_at_once(key);
        for place in places {
            let TrackRows { first_row, row_count, .. } = sources[place.source].rows[space][place.track];
            for offset in (0..row_count).step_by(at_once) {
                if cancel.load(Ordering::Relaxed) {
                    return Err(StoreError::Cancelled);
                }
                let bytes = readers[place.source].read(first_row + offset, at_once.min(row_count - offset))?;
                file.write_all(bytes).map_err(fail)?;
                told.bytes_done += bytes.len() as u64;
            }
            progress(&told);
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error).map_err(fail)?;
        file.sync_all().map_err(fail)?;
    }
    let fail = |error| StoreError::database(work)(error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = open_database(&work.join(DATABASE), flags, work)?;
    lift_steps(&mut database).map_err(fail)?;
    write_database(&mut database, plan, work, sources, places).map_err(fail)?;
    database.close().map_err(|(_, error)| fail(error))?;
    copy_notes(work, sources, places, cancel);
    if cancel.load(Ordering::Relaxed) {
        return Err(StoreError::Cancelled);
    }
    for file in [work.join(DATABASE), folder.join("any")] {
        sync_folder_of(&file).map_err(StoreError::io("sync", work))?;
    }
    Ok(MergeSummary { tracks: places.len(), segments: if plan.spaces.is_empty() { 0 } else { rows_in(0) } })
}

/// What the parts note of the tracks for playback; of a track that is in several, what the first of them does. That notes cannot be copied is no failure:
/// they are found out again.
fn copy_notes(work: &Path, sources: &[Source], places: &[Place], cancel: &AtomicBool) {
    let parts: Vec<NotesFile> = sources.iter().filter_map(|source| NotesFile::read(&source.path().join(NOTES_FILE))).collect();
    let Some(to) = (if parts.is_empty() { None } else { NotesFile::open(&work.join(NOTES_FILE)) }) else { return };
    let tracks: HashSet<&str> = places.iter().map(|place| sources[place.source].collection.tracks()[place.track].path.as_str()).collect();
    for part in parts {
        part.copy_to(&to, &|path| tracks.contains(path), &|| !cancel.load(Ordering::Relaxed));
    }
}

/// The tables as an undisturbed run fills them.
fn write_database(
    database: &mut Connection,
    plan: &CollectionPlan,
    work: &Path,
    sources: &[Source],
    places: &[Place],
) -> rusqlite::Result<()> {
    // The work folder lies beside the result: what is relative to one is so to the other.
    create_tables(database, plan, work)?;
    let transaction = database.transaction()?;
    let mut inserter = TrackInserter::new(&transaction)?;
    let mut next = vec![0; plan.spaces.len()];
    for (number, place) in places.iter().enumerate() {
        let source = &sources[place.source];
        let track = &source.collection.tracks()[place.track];
        let new = NewTrack { path: track.path.clone(), duration_secs: track.duration_secs, metadata: track.metadata.clone() };
        let rows = plan.spaces.iter().enumerate().map(|(space, planned)| {
            let row_count = source.rows[space][place.track].row_count;
            let first_row = next[space];
            next[space] += row_count;
            (planned.key, first_row, row_count)
        });
        inserter.insert(number as u32 + 1, &new, rows)?;
    }
    drop(inserter);
    write_failures(&transaction, sources)?;
    transaction.commit()
}

/// What failed in a part and is a track in none; of several reasons that of the newest file.
fn write_failures(database: &Connection, sources: &[Source]) -> rusqlite::Result<()> {
    let mut failures: std::collections::BTreeMap<&str, &(String, FileStamp)> = std::collections::BTreeMap::new();
    for (path, failure) in sources.iter().flat_map(|source| &source.collection.database().failures) {
        let age = |(reason, stamp): &(String, FileStamp)| (stamp.modified_ns, stamp.size, reason.clone());
        let known = failures.entry(path).or_insert(failure);
        if age(failure) > age(known) {
            *known = failure;
        }
    }
    let sql = "INSERT INTO private_failures(path, reason, size, modified_ns)
        SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM tracks WHERE path = ?1)";
    let mut statement = database.prepare(sql)?;
    for (path, (reason, stamp)) in failures {
        statement.execute(params![path, reason, stamp.size, stamp.modified_ns])?;
    }
    Ok(())
}
