//! What is known of tracks from earlier: whoever owns the player keeps it, where it likes.

use std::path::Path;

use crate::audio::Loudness;

/// Keeps notes of tracks by the paths of their files. A note of a file that has changed since is none.
pub trait TrackNotes: Send + Sync {
    /// A track's seek index, as `audio::SeekIndex::to_bytes` wrote it.
    fn seek_index(&self, path: &Path) -> Option<Vec<u8>>;
    /// Keeps a seek index. May fail in silence: it will be made again.
    fn keep_seek_index(&self, path: &Path, bytes: Vec<u8>);
    /// A track's loudness.
    fn loudness(&self, path: &Path) -> Option<Loudness>;
    /// Keeps a track's loudness. May fail in silence.
    fn keep_loudness(&self, path: &Path, loudness: Loudness);
}
