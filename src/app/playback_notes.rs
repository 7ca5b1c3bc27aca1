//! Notes of tracks for the player: those that lie in the collection, and those that listening adds, in the user's data folder.
//!
//! Extraction writes the collection's (`extract_job`), so that the first touch of a track needs nothing but them; where it did not, for a collection of
//! an earlier tagscape or a track of which nothing could be noted, listening finds it out. Listening changes no collection: it may be somebody else's, on
//! a disk that cannot be written, or in a checkout.

use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

use super::resources::user_data_dir;
use crate::audio::Loudness;
use crate::catalog::path_to_text;
use crate::player::{KnownNote, TrackNotes};
use crate::store::{NOTES_FILE, NewNote, NotedFile, NotesFile, TrackNote};

/// The notes that lie in a collection.
struct CollectionNotes {
    /// The folder that their paths are relative to; the user may say that it is another.
    audio_root: RwLock<PathBuf>,
    file: NotesFile,
}

impl CollectionNotes {
    fn note(&self, path: &Path) -> Option<TrackNote> {
        let name = path.strip_prefix(&*self.audio_root.read().unwrap_or_else(PoisonError::into_inner)).ok().and_then(path_to_text)?;
        Some(self.file.note(&name, path))
    }
}

/// Notes of collections' tracks.
#[derive(Default)]
pub struct PlaybackNotes {
    collections: Vec<CollectionNotes>,
    /// Where the user's are, by whole paths.
    user_file: Option<PathBuf>,
    user: OnceLock<Option<NotesFile>>,
}

impl PlaybackNotes {
    /// Of the collection in a folder whose audio lies below `audio_root`, and of the user.
    #[must_use]
    pub fn open(collection: &Path, audio_root: &Path) -> Self {
        let mut notes = Self { user_file: user_data_dir().map(|folder| folder.join(NOTES_FILE)), ..Self::default() };
        notes.add(collection, audio_root);
        notes
    }

    /// Adds those of one more collection. Without [`open`](Self::open) there are no others, and nothing is ever written.
    pub fn add(&mut self, collection: &Path, audio_root: &Path) {
        let found = NotesFile::read(&collection.join(NOTES_FILE));
        self.collections.extend(found.map(|file| CollectionNotes { audio_root: RwLock::new(audio_root.to_owned()), file }));
    }

    /// The collection's audio lies elsewhere, as the user has said.
    pub fn set_audio_root(&self, audio_root: &Path) {
        for collection in &self.collections {
            audio_root.clone_into(&mut collection.audio_root.write().unwrap_or_else(PoisonError::into_inner));
        }
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
}

impl TrackNotes for PlaybackNotes {
    fn note(&self, path: &Path) -> KnownNote {
        let of_collections = self.collections.iter().filter_map(|collection| collection.note(path));
        // The user's are asked only where something is missing.
        let of_user = std::iter::from_fn({
            let mut user = Some(());
            move || user.take().and_then(|()| Some(self.user()?.note(path.to_str()?, path)))
        });
        let mut found = TrackNote::default();
        for more in of_collections.chain(of_user) {
            found.seek_index = found.seek_index.or(more.seek_index);
            found.loudness = found.loudness.or(more.loudness);
            if found.seek_index.is_some() && found.loudness.is_some() {
                break;
            }
        }
        KnownNote { seek_index: found.seek_index, loudness: found.loudness.map(|(lufs, peak)| Loudness { lufs, peak }) }
    }

    fn keep(&self, path: &Path, note: KnownNote) {
        if let (Some(notes), Some(file), Some(name)) = (self.user_to_write(), NotedFile::of(path), path.to_str()) {
            let note = TrackNote { seek_index: note.seek_index, loudness: note.loudness.map(|loudness| (loudness.lufs, loudness.peak)) };
            notes.keep(&[NewNote { path: name.to_owned(), file, note }]);
        }
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
        let open = || PlaybackNotes { user_file: Some(user_file.clone()), ..PlaybackNotes::default() };
        let notes = open();
        assert_eq!(notes.note(&track), KnownNote::default());
        assert!(!user_file.exists());
        let loudness = Loudness { lufs: -12.5, peak: 0.75 };
        notes.keep(&track, KnownNote { seek_index: None, loudness: Some(loudness) });
        notes.keep(&track, KnownNote { seek_index: Some(vec![7]), loudness: None });
        for notes in [notes, open()] {
            assert_eq!(notes.note(&track), KnownNote { seek_index: Some(vec![7]), loudness: Some(loudness) });
        }
        std::fs::write(&track, "other music").unwrap();
        assert_eq!(open().note(&track), KnownNote::default());
        assert_eq!(open().note(&folder.path().join("gone.mp3")), KnownNote::default());
    }

    #[test]
    fn a_collections_note_comes_first_the_users_adds_to_it_and_without_a_user_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (root, user_file) = (folder.path().join("music"), folder.path().join("user.sqlite"));
        std::fs::create_dir(&root).unwrap();
        let track = root.join("../a.mp3");
        std::fs::write(&track, "music").unwrap();
        let note = |seek_index: Option<Vec<u8>>, loudness| TrackNote { seek_index, loudness };
        let write = |file: &Path, path: &str, note: TrackNote| {
            let new = NewNote { path: path.to_owned(), file: NotedFile::of(&track).unwrap(), note };
            assert!(NotesFile::open(file).unwrap().keep(&[new]));
        };
        write(&folder.path().join(NOTES_FILE), "../a.mp3", note(Some(vec![1]), None));
        write(&user_file, track.to_str().unwrap(), note(Some(vec![2]), Some((-9.0, 1.0))));
        let mut notes = PlaybackNotes { user_file: Some(user_file), ..PlaybackNotes::default() };
        assert_eq!(notes.note(&track).seek_index, Some(vec![2]));
        notes.add(&folder.path().join("no collection"), &root);
        notes.add(folder.path(), &root);
        let both = KnownNote { seek_index: Some(vec![1]), loudness: Some(Loudness { lufs: -9.0, peak: 1.0 }) };
        assert_eq!(notes.note(&track), both);
        let mut alone = PlaybackNotes::default();
        alone.add(folder.path(), &root);
        alone.keep(&track, both.clone());
        let of_collection = KnownNote { loudness: None, ..both };
        assert_eq!(alone.note(&track), of_collection);
        // The same music in another folder.
        let moved = folder.path().join("moved/music");
        std::fs::create_dir_all(&moved).unwrap();
        let moved_track = moved.join("../a.mp3");
        std::fs::write(&moved_track, "music").unwrap();
        assert_eq!(alone.note(&moved_track), KnownNote::default());
        alone.set_audio_root(&moved);
        assert_eq!(alone.note(&moved_track), of_collection);
    }
}
