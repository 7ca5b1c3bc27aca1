//! Notes of tracks for the player: those that lie in the collection, if any do, and those that listening adds, in the user's data folder.
//!
//! Listening changes no collection: it may be somebody else's, on a disk that cannot be written, or in a checkout.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use super::resources::user_data_dir;
use crate::audio::Loudness;
use crate::catalog::path_to_text;
use crate::player::TrackNotes;
use crate::store::{NOTES_FILE, NotedFile, NotesFile, TrackNote};

/// Notes of a collection's tracks.
pub struct PlaybackNotes {
    /// The collection's own, by paths below the audio root.
    collection: Option<(PathBuf, NotesFile)>,
    /// Where the user's are, by whole paths.
    user_file: Option<PathBuf>,
    user: OnceLock<Option<NotesFile>>,
}

impl PlaybackNotes {
    /// Of the collection in a folder whose audio lies below `audio_root`.
    #[must_use]
    pub fn open(collection: &Path, audio_root: &Path) -> Self {
        let of_collection = NotesFile::read(&collection.join(NOTES_FILE)).map(|notes| (audio_root.to_owned(), notes));
        Self { collection: of_collection, user_file: user_data_dir().map(|folder| folder.join(NOTES_FILE)), user: OnceLock::new() }
    }

    /// The user's notes, if there are any yet.
    fn user(&self) -> Option<&NotesFile> {
        let file = self.user_file.as_ref().filter(|file| self.user.get().is_some() || file.is_file())?;
        self.user.get_or_init(|| NotesFile::open(file)).as_ref()
    }

    /// The same, made where they can be.
    fn user_to_write(&self) -> Option<&NotesFile> {
        let file = self.user_file.as_ref()?;
        if !file.is_file() {
            std::fs::create_dir_all(file.parent()?).ok()?;
        }
        self.user.get_or_init(|| NotesFile::open(file)).as_ref()
    }

    fn note(&self, path: &Path) -> TrackNote {
        let Some(file) = stamp(path) else { return TrackNote::default() };
        let mut found = TrackNote::default();
        if let Some((root, notes)) = &self.collection
            && let Some(name) = path.strip_prefix(root).ok().and_then(path_to_text)
        {
            found = notes.note(&name, file);
        }
        if (found.seek_index.is_none() || found.loudness.is_none())
            && let Some((notes, name)) = self.user().zip(path.to_str())
        {
            let user = notes.note(name, file);
            found.seek_index = found.seek_index.or(user.seek_index);
            found.loudness = found.loudness.or(user.loudness);
        }
        found
    }

    fn keep(&self, path: &Path, note: &TrackNote) {
        if let (Some(notes), Some(file), Some(name)) = (self.user_to_write(), stamp(path), path.to_str()) {
            notes.keep(name, file, note);
        }
    }
}

/// By what a file is known to be the same; `None` where it is gone.
fn stamp(path: &Path) -> Option<NotedFile> {
    let about = std::fs::metadata(path).ok()?;
    let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Some(NotedFile { bytes: about.len(), written_ns: written.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or(0) })
}

impl TrackNotes for PlaybackNotes {
    fn seek_index(&self, path: &Path) -> Option<Vec<u8>> {
        self.note(path).seek_index
    }

    fn keep_seek_index(&self, path: &Path, bytes: Vec<u8>) {
        self.keep(path, &TrackNote { seek_index: Some(bytes), loudness: None });
    }

    fn loudness(&self, path: &Path) -> Option<Loudness> {
        self.note(path).loudness.map(|(lufs, peak)| Loudness { lufs, peak })
    }

    fn keep_loudness(&self, path: &Path, loudness: Loudness) {
        self.keep(path, &TrackNote { seek_index: None, loudness: Some((loudness.lufs, loudness.peak)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_made_when_there_is_something_to_note_and_are_of_the_file_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let track = folder.path().join("a.mp3");
        std::fs::write(&track, "music").unwrap();
        let user_file = folder.path().join("user/notes.sqlite");
        let open = || PlaybackNotes { collection: None, user_file: Some(user_file.clone()), user: OnceLock::new() };
        let notes = open();
        assert_eq!((notes.seek_index(&track), notes.loudness(&track)), (None, None));
        assert!(!user_file.exists());
        let loudness = Loudness { lufs: -12.5, peak: 0.75 };
        notes.keep_loudness(&track, loudness);
        notes.keep_seek_index(&track, vec![7]);
        for notes in [notes, open()] {
            assert_eq!((notes.seek_index(&track), notes.loudness(&track)), (Some(vec![7]), Some(loudness)));
        }
        std::fs::write(&track, "other music").unwrap();
        assert_eq!(open().loudness(&track), None);
        assert_eq!(open().loudness(&folder.path().join("gone.mp3")), None);
    }
}
