//! The collection on disk: `NAME.tagscape/`, with `collection.sqlite` and `spaces/SPACE.npy`.
//!
//! Owns: the layout of the folder, its locks, and what is promised about both. Must not: decode, compute, or know of networks.
//!
//! ```text
//! NAME.tagscape/
//!   collection.sqlite    tracks, track_numbers, spaces, track_rows, tags, meta (public, see `schema`); a rollback journal, so that a reader
//!                        leaves no file behind on any disk
//!   collection.lock      held by the one process that writes
//!   playback.sqlite      what playback knows of the tracks beforehand (`notes_file`); may be missing, and be deleted at any time
//!   spaces/SPACE.npy     float16, little-endian, [segments, dims]; 128 bytes of header that is rewritten in place
//! ```
//!
//! Writing a track: its rows are appended to every matrix and synced, the headers follow, and then one transaction makes them
//! part of the collection. What stands behind the committed rows is no data: the next writer cuts it off, and a reader never looks there.

mod audio_root;
mod centred;
mod database;
mod element;
mod error;
mod half_rows;
mod matrix_file;
mod merge;
mod noted_file;
mod notes_file;
mod npy;
mod own_file;
mod reader;
mod resting_database;
mod row_values;
mod schema;
mod space_file;
mod tables;
mod work_folder;
mod writer;

pub use audio_root::set_audio_root;
pub use centred::CentredMatrix;
pub use error::StoreError;
pub use half_rows::HalfRows;
pub use matrix_file::{MatrixFile, npy_f32_into, write_npy_f32};
pub use merge::{MergeProgress, MergeSummary, merge};
pub use noted_file::NotedFile;
pub use notes_file::{NOTES_FILE, NewNote, NotesFile, TrackNote};
pub use reader::{Collection, SpaceInfo};
pub use row_values::{RowNumbers, RowValues, read_row_values};
pub use schema::FORMAT_VERSION;
pub use writer::{CollectionPlan, CollectionWriter, FileStamp, NewTrack, SpacePlan};
