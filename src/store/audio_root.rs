//! The folder of a collection's audio files, as the collection writes it down: relative to its own folder where both are close together, so
//! that they can be moved and copied together, and absolute where they are not.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use rusqlite::OpenFlags;

use super::database::open_database;
use super::error::StoreError;
use super::own_file;
use super::reader::Collection;
use super::schema::DATABASE;
use super::writer::lock;
use crate::catalog::{path_from_text, path_to_text};

/// How many folders up from the collection's own the one may be that holds both: its neighbours, and those of the folder around it.
const MOST_UP: usize = 2;

/// A root as the collection in the folder `collection` writes it down; an empty one, and a relative one, as they are.
pub(super) fn to_text(collection: &Path, root: &Path) -> String {
    let relative = if root.is_absolute() { relative_root(collection, root) } else { None };
    let root = relative.as_deref().unwrap_or(root);
    path_to_text(root).unwrap_or_else(|| root.to_string_lossy().into_owned())
}

/// The folder that was written down, absolute where the collection's folder is there; the collection's own where none was.
pub(super) fn from_text(collection: &Path, text: &str) -> PathBuf {
    if text.is_empty() {
        return collection.to_owned();
    }
    let written = path_from_text(text);
    if written.is_absolute() {
        return written;
    }
    // A path without links, so that going up is to leave the last name out.
    let mut root = collection.canonicalize().unwrap_or_else(|_| collection.to_owned());
    let mut rest = written.components().peekable();
    while let Some(component) = rest.next_if(|component| matches!(component, Component::ParentDir | Component::CurDir)) {
        if component == Component::ParentDir && !root.pop() {
            root.push("..");
        }
    }
    root.extend(rest);
    root
}

/// The way from a collection's folder to its root, where a folder holds both that is not far up and not the whole disk.
fn relative_root(collection: &Path, root: &Path) -> Option<PathBuf> {
    let (collection, root) = (collection.canonicalize().ok()?, root.canonicalize().ok()?);
    let is_same = |(a, b): &(Component<'_>, Component<'_>)| a == b;
    let shared = collection.components().zip(root.components()).take_while(is_same).count();
    let has_name = collection.components().take(shared).any(|component| matches!(component, Component::Normal(_)));
    let up = collection.components().count() - shared;
    if !has_name || up > MOST_UP {
        return None;
    }
    let mut way: PathBuf = std::iter::repeat_n(OsStr::new(".."), up).collect();
    way.extend(root.components().skip(shared));
    // The collection's own folder: an empty text says so as well.
    Some(if way.as_os_str().is_empty() { PathBuf::from(".") } else { way })
}

/// Writes where the audio files of a collection are from now on.
///
/// # Errors
/// No collection, one that is being written or may not be, or a root that has no name in text.
pub fn set_audio_root(path: &Path, root: &Path) -> Result<(), StoreError> {
    // A collection that cannot be read is not touched.
    Collection::open(path)?;
    let _lock = lock(path)?;
    let text = to_text(path, root);
    let file = path.canonicalize().map_err(StoreError::io("read", path))?.join(DATABASE);
    own_file::check(&file).map_err(StoreError::io("write to", &file))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let database = open_database(&file, flags, path)?;
    let sql = "INSERT INTO meta(key, value) VALUES('audio_root', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
    database.execute(sql, [text]).map(drop).map_err(StoreError::database(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_close_by_is_relative_and_a_far_one_is_not_and_both_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let make = |name: &str| {
            std::fs::create_dir_all(base.join(name)).unwrap();
            base.join(name)
        };
        let music = make("a/music/rock");
        for (collection, expected) in [
            ("a/c.tagscape", Some("../music/rock")),
            ("a/out/c.tagscape", Some("../../music/rock")),
            ("a/music/rock/c.tagscape", Some("..")),
            ("a/music/c.tagscape", Some("../rock")),
            ("a/music/rock", Some(".")),
            ("a/music", Some("rock")),
            ("b/deep/out/c.tagscape", None),
        ] {
            let collection = make(collection);
            let text = to_text(&collection, &music);
            assert_eq!(text, expected.map_or_else(|| music.to_str().unwrap().to_owned(), str::to_owned), "{}", collection.display());
            assert_eq!(from_text(&collection, &text), music);
        }
        let collection = base.join("a/c.tagscape");
        for far in ["/nowhere/music", "/"] {
            assert_eq!(from_text(&collection, &to_text(&collection, Path::new(far))), Path::new(far));
        }
        // Those of other programs.
        for (text, expected) in
            [("", "a/c.tagscape"), ("./x", "a/c.tagscape/x"), ("../gone/x", "a/gone/x"), ("x/../y", "a/c.tagscape/x/../y")]
        {
            assert_eq!(from_text(&collection, text), base.join(expected), "{text}");
        }
        assert_eq!((to_text(&collection, Path::new("")), to_text(&collection, Path::new("../up"))), (String::new(), "../up".to_owned()));
    }

    #[test]
    #[cfg(unix)]
    fn a_collection_that_is_reached_by_a_link_knows_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("real/c.tagscape")).unwrap();
        std::fs::create_dir_all(base.join("real/music")).unwrap();
        std::fs::create_dir_all(base.join("links")).unwrap();
        std::os::unix::fs::symlink(base.join("real/c.tagscape"), base.join("links/c.tagscape")).unwrap();
        let link = base.join("links/c.tagscape");
        assert_eq!(to_text(&link, &base.join("real/music")), "../music");
        assert_eq!(from_text(&link, "../music"), base.join("real/music"));
    }
}
