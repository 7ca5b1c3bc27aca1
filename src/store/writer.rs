//! Writing a collection: made or resumed, one track at a time, by one process at a time.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::database::{lift_steps, open_database, table_error};
use super::error::StoreError;
use super::half_rows::HalfRows;
use super::matrix_file::sync_folder_of;
use super::notes_file::NOTES_FILE;
use super::own_file::{self, Identity};
use super::reader::{Database, read_database};
use super::schema::{CREATE_FAILURES, CREATE_TRACK_NUMBERS, DATABASE, LOCK, SPACES};
use super::space_file::{SpaceFile, SpaceTrouble};
use super::tables::{TrackInserter, create_tables};
use crate::catalog::{SpaceKey, TrackId, TrackMetadata};
use crate::matrix::FeatureMatrix;

/// What a collection is made with; a resumed one has to agree.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionPlan {
    /// The folder that track paths are relative to.
    pub audio_root: PathBuf,
    /// Which layer of MusiCNN its embeddings are, `penultimate` or `dense`.
    pub musicnn_layer: String,
    /// The spaces, in the order of `SpaceKey::all()`.
    pub spaces: Vec<SpacePlan>,
}

/// One space of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct SpacePlan {
    /// Which.
    pub key: SpaceKey,
    /// Length of a segment in seconds.
    pub segment_secs: f64,
    /// From one segment's start to the next's, in seconds.
    pub hop_secs: f64,
}

/// A file's size and time of change, by which a failed one is known to be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStamp {
    /// Bytes.
    pub size: i64,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
}

/// A track to be added.
#[derive(Clone, Debug)]
pub struct NewTrack {
    /// Path relative to the audio root, with `/`.
    pub path: String,
    /// Length in seconds.
    pub duration_secs: f64,
    /// Its tags.
    pub metadata: TrackMetadata,
}

/// A collection that is open for writing; the only one, for as long as it lives.
#[derive(Debug)]
pub struct CollectionWriter {
    path: PathBuf,
    database: Connection,
    /// The database and the lock.
    identities: Vec<Identity>,
    spaces: Vec<SpaceFile>,
    audio_root: PathBuf,
    tracks: u32,
    done: HashSet<String>,
    failures: BTreeMap<String, (String, FileStamp)>,
    /// Held, not read: the lock goes with it.
    _lock: File,
}

impl CollectionWriter {
    /// Makes a collection, or goes on with one that was made by the same plan (its own audio root counts, not the plan's).
    ///
    /// # Errors
    /// Another writer, another plan, a newer or damaged collection, something else in its place, or what the disk refuses.
    pub fn create_or_resume(path: &Path, plan: &CollectionPlan) -> Result<Self, StoreError> {
        match std::fs::metadata(path) {
            Ok(about) if !about.is_dir() => return Err(StoreError::NotACollection { why: "it is a file", path: path.to_owned() }),
            Ok(_) => {}
            Err(_) => std::fs::create_dir_all(path).map_err(StoreError::io("create", path))?,
        }
        // The folder may be reached by links, and nothing in it is.
        let real = path.canonicalize().map_err(StoreError::io("read", path))?;
        let (spaces, database_path) = (real.join(SPACES), real.join(DATABASE));
        if !own_file::check(&database_path).map_err(StoreError::io("write to", &database_path))? {
            refuse_foreign_folder(path)?;
        }
        let lock = lock(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut database = open_database(&database_path, flags | OpenFlags::SQLITE_OPEN_NOFOLLOW, path)?;
        for (name, value) in [("journal_mode", "DELETE"), ("synchronous", "FULL"), ("foreign_keys", "ON")] {
            database.pragma_update(None, name, value).map_err(table_error(path, "sqlite_schema"))?;
        }
        let tables: i64 =
            database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(table_error(path, "sqlite_schema"))?;
        if tables == 0 {
            create_tables(&mut database, plan, path).map_err(StoreError::database(path))?;
        }
        let known = read_database(&database, path)?;
        lift_steps(&mut database).map_err(StoreError::database(path))?;
        check_plan(path, &known, plan)?;
        own_file::make_folder(&spaces).map_err(StoreError::io("write to", &spaces))?;
        let mut files = Vec::new();
        for space in &known.spaces {
            // Nothing is committed before every matrix has been made: a missing one is a loss only where rows are promised.
            let file = SpaceFile::path_in(&spaces, space.key);
            let is_new = space.segments == 0 && !file.exists();
            files.push(if is_new {
                SpaceFile::create(&spaces, space.key).map_err(StoreError::io("create", &file))?
            } else {
                let opened = SpaceFile::open(&spaces, space.key, space.segments).or_else(|trouble| match trouble {
                    SpaceTrouble::Damage(_) if space.segments == 0 => Ok(SpaceFile::create(&spaces, space.key)?),
                    trouble => Err(trouble),
                });
                opened.map_err(|trouble| trouble.in_collection(path, &file))?
            });
        }
        // A collection may have been made elsewhere, of the public tables alone, or by tagscape 0.1.
        database.execute_batch(CREATE_FAILURES).map_err(StoreError::database(path))?;
        database.execute_batch(CREATE_TRACK_NUMBERS).map_err(StoreError::database(path))?;
        for file in [&database_path, &spaces.join("any"), &path.join("any"), path] {
            sync_folder_of(file).map_err(StoreError::io("sync", path))?;
        }
        Ok(Self {
            path: path.to_owned(),
            identities: [&database_path, &real.join(LOCK)]
                .into_iter()
                .map(|file| Identity::of(file).map_err(StoreError::io("read", file)))
                .collect::<Result<_, _>>()?,
            database,
            spaces: files,
            audio_root: known.audio_root(path),
            failures: known.failures,
            tracks: known.tracks.iter().map(|track| track.id.0).max().unwrap_or(0),
            done: known.tracks.into_iter().map(|track| track.path).collect(),
            _lock: lock,
        })
    }

    /// The folder that track paths are relative to: a resumed collection's own.
    #[must_use]
    pub fn audio_root(&self) -> &Path {
        &self.audio_root
    }

    /// Whether the collection holds this track.
    #[must_use]
    pub fn has_track(&self, path: &str) -> bool {
        self.done.contains(path)
    }

    /// How many tracks the collection holds.
    #[must_use]
    pub fn track_count(&self) -> usize {
        self.done.len()
    }

    /// Rows of its first space: the number of segments that is shown to people.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.spaces.first().map_or(0, |space| space.rows)
    }

    /// Why a track failed in an earlier run, if its file is still the same.
    #[must_use]
    pub fn known_failure(&self, path: &str, stamp: FileStamp) -> Option<&str> {
        self.failures.get(path).filter(|(_, known)| *known == stamp).map(|(reason, _)| reason.as_str())
    }

    /// Adds a track with its rows in every space, `features[i]` for the plan's space `i`.
    ///
    /// # Errors
    /// What the disk refuses; the collection is then as it was before.
    ///
    /// # Panics
    /// If `features` does not fit the plan: a caller's mistake.
    pub fn append_track(&mut self, track: &NewTrack, features: &[FeatureMatrix]) -> Result<TrackId, StoreError> {
        let halves: Vec<HalfRows> = features.iter().map(HalfRows::from).collect();
        self.append_halves(track, &halves)
    }

    /// As [`Self::append_track`], of rows that are float16 already.
    ///
    /// # Errors
    /// As [`Self::append_track`].
    ///
    /// # Panics
    /// As [`Self::append_track`].
    pub fn append_halves(&mut self, track: &NewTrack, features: &[HalfRows]) -> Result<TrackId, StoreError> {
        assert_eq!(features.len(), self.spaces.len(), "rows for every space");
        let before: Vec<usize> = self.spaces.iter().map(|space| space.rows).collect();
        let id = self.tracks + 1;
        self.check_files()?;
        let written = self.write_rows(features).and_then(|()| self.commit_track(id, track, &before, features));
        if let Err(error) = written {
            for (space, rows) in self.spaces.iter_mut().zip(before) {
                // Where even this fails, the next writer does it.
                let _ = space.cut_to(rows);
            }
            return Err(error);
        }
        self.tracks = id;
        self.done.insert(track.path.clone());
        self.failures.remove(&track.path);
        Ok(TrackId(id))
    }

    fn write_rows(&mut self, features: &[HalfRows]) -> Result<(), StoreError> {
        for (space, rows) in self.spaces.iter_mut().zip(features) {
            assert_eq!(rows.dims(), space.key.dims(), "columns of {}", space.key);
            space.append(rows)?;
        }
        Ok(())
    }

    /// Looks whether all files of the collection are still where they were when it was opened. Every track that is added is
    /// preceded by it; a run's end is to be, too.
    ///
    /// # Errors
    /// [`StoreError::Gone`] where another program took one away.
    pub fn check_files(&self) -> Result<(), StoreError> {
        self.identities.iter().try_for_each(Identity::check)?;
        self.spaces.iter().try_for_each(SpaceFile::check)
    }

    fn commit_track(&mut self, id: u32, track: &NewTrack, first: &[usize], features: &[HalfRows]) -> Result<(), StoreError> {
        let mut work = || -> rusqlite::Result<()> {
            let transaction = self.database.transaction()?;
            let spaces = self.spaces.iter().zip(first).zip(features);
            let rows = spaces.map(|((space, &first_row), rows)| (space.key, first_row, rows.rows()));
            TrackInserter::new(&transaction)?.insert(id, track, rows)?;
            transaction.execute("DELETE FROM private_failures WHERE path = ?", [&track.path])?;
            transaction.commit()
        };
        work().map_err(StoreError::database(&self.path))
    }

    /// Remembers that a track failed and why.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn record_failure(&mut self, path: &str, reason: &str, stamp: FileStamp) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO private_failures(path, reason, size, modified_ns) VALUES(?, ?, ?, ?)";
        self.database.execute(sql, params![path, reason, stamp.size, stamp.modified_ns]).map_err(StoreError::database(&self.path))?;
        self.failures.insert(path.to_owned(), (reason.to_owned(), stamp));
        Ok(())
    }
}

/// A folder without a database may become a collection only while it is empty but for our lock and notes, which can be of anything.
fn refuse_foreign_folder(path: &Path) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(path).map_err(StoreError::io("read", path))?;
    for entry in entries {
        let name = entry.map_err(StoreError::io("read", path))?.file_name();
        if name == SPACES {
            return Err(StoreError::damaged(path, format!("{DATABASE} is missing")));
        }
        if name != LOCK && !name.to_string_lossy().starts_with(NOTES_FILE) {
            return Err(StoreError::NotACollection { why: "the folder holds other things", path: path.to_owned() });
        }
    }
    Ok(())
}

/// Takes the lock of the one process that writes into a folder; it goes with the file.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = path.join(LOCK);
    let lock = own_file::open(&lock_path, File::options().create(true).truncate(false).write(true));
    let lock = lock.map_err(StoreError::io("write to", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &lock_path)(source)),
    }
}

fn check_plan(path: &Path, known: &Database, plan: &CollectionPlan) -> Result<(), StoreError> {
    let differ = |has: String, wants: String| Err(StoreError::OtherSettings { has, wants, path: path.to_owned() });
    let models = |keys: Vec<SpaceKey>| {
        let mut names: Vec<_> = keys.into_iter().map(|key| key.model.name()).collect();
        names.dedup();
        format!("--models {}", names.join(","))
    };
    let (has, wants) =
        (known.spaces.iter().map(|space| space.key).collect::<Vec<_>>(), plan.spaces.iter().map(|space| space.key).collect::<Vec<_>>());
    if has != wants {
        return differ(models(has), models(wants));
    }
    for (has, wants) in known.spaces.iter().zip(&plan.spaces) {
        if (has.hop_secs, has.segment_secs) != (wants.hop_secs, wants.segment_secs) {
            return differ(format!("--hop {:.3} for {}", has.hop_secs, has.key.model), format!("--hop {:.3}", wants.hop_secs));
        }
    }
    if known.musicnn_layer != plan.musicnn_layer {
        return differ(format!("--musicnn-layer {}", known.musicnn_layer), format!("--musicnn-layer {}", plan.musicnn_layer));
    }
    Ok(())
}
