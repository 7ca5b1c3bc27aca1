//! What is known of tracks beforehand: whoever owns the player keeps it, where it likes.

use std::path::Path;

use crate::audio::Loudness;

/// What is known of a track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownNote {
    /// Its seek index, as `audio::SeekIndex::to_bytes` wrote it, or `SeekIndex::NONE`.
    pub seek_index: Option<Vec<u8>>,
    /// How loud it is.
    pub loudness: Option<Loudness>,
}

/// Keeps notes of tracks by the paths of their files. A note of a file that has changed since is none.
pub trait TrackNotes: Send + Sync {
    /// What is known of a track.
    fn note(&self, path: &Path) -> KnownNote;
    /// Keeps what a note has, beside what is known of the same file. May fail in silence: it will be found out again.
    fn keep(&self, path: &Path, note: KnownNote);
}
