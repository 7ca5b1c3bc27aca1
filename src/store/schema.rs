//! The database's tables. The public ones are documented for scripts and stable within a format version; what begins with `private_`
//! is tagscape's own.
//!
//! | public table | columns |
//! |---|---|
//! | `tracks` | `id` from 1 in the order of adding, `path` relative to the audio root with `/` (names that are not UTF-8: see [`crate::catalog::path_to_text`]), `duration_s`, `title`, `artist`, `album`, `genre`, `year` |
//! | `spaces` | `name`, `dims`, `segment_s`, `hop_s` |
//! | `track_rows` | `track_id`, `space`, `first_row`, `row_count`: row `first_row + i` is the segment from `i * hop_s` to `i * hop_s + segment_s` |
//! | `track_numbers` | `track_id`, `track_number` on its album, where it is known; collections of tagscape 0.1 do not have this table |
//! | `tags` | `space`, `position` of the column from 0, `name` |
//! | `meta` | `key`, `value`: `format_version`, `audio_root`, with `/`: relative to the collection's folder (`../music`) where the two are close together, so that they can be moved together, and else absolute; absent or empty where there is no audio, `musicnn_layer` |

/// The version of the folder's layout and of the public tables that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;

pub(super) use crate::whole_file::{DATABASE, LOCK, SPACES};

/// Every table.
pub(super) const TABLES: [&str; 7] = ["meta", "tracks", "spaces", "track_rows", "track_numbers", "tags", "private_failures"];

/// Creates every table.
pub(super) const CREATE: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tracks(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, duration_s REAL NOT NULL,
    title TEXT, artist TEXT, album TEXT, genre TEXT, year INTEGER);
CREATE TABLE spaces(name TEXT PRIMARY KEY, dims INTEGER NOT NULL, segment_s REAL NOT NULL, hop_s REAL NOT NULL);
CREATE TABLE track_rows(track_id INTEGER NOT NULL REFERENCES tracks(id), space TEXT NOT NULL REFERENCES spaces(name),
    first_row INTEGER NOT NULL, row_count INTEGER NOT NULL, PRIMARY KEY(track_id, space));
CREATE TABLE tags(space TEXT NOT NULL REFERENCES spaces(name), position INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(space, position));
";

/// Creates the table of failures in a collection that was made elsewhere, of the public tables alone.
pub(super) const CREATE_FAILURES: &str = "
CREATE TABLE IF NOT EXISTS private_failures(path TEXT PRIMARY KEY, reason TEXT NOT NULL, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL);
";

/// Creates the table of track numbers, also in a collection that was made before there was one.
pub(super) const CREATE_TRACK_NUMBERS: &str = "
CREATE TABLE IF NOT EXISTS track_numbers(track_id INTEGER PRIMARY KEY REFERENCES tracks(id), track_number INTEGER NOT NULL);
";
