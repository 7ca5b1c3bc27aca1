//! Another audio root for a collection whose files were moved.

use std::path::Path;

use rusqlite::OpenFlags;

use super::error::StoreError;
use super::reader::{Collection, open_database};
use super::schema::DATABASE;
use super::writer::lock;
use crate::catalog::path_to_text;

/// Writes where the audio files of a collection are from now on.
///
/// # Errors
/// No collection, one that is being written or may not be, or a root that has no name in text.
pub fn set_audio_root(path: &Path, root: &Path) -> Result<(), StoreError> {
    // A collection that cannot be read is not touched.
    Collection::open(path)?;
    let _lock = lock(path)?;
    let text = path_to_text(root).unwrap_or_else(|| root.to_string_lossy().into_owned());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = open_database(&path.join(DATABASE), flags, path)?;
    let sql = "INSERT INTO meta(key, value) VALUES('audio_root', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
    database.execute(sql, [text]).map(drop).map_err(StoreError::database(path))
}
