//! The names in a collection's folder, by which it is known that a path lies inside of one.

use std::path::{Path, PathBuf};

/// The database's file name.
pub const DATABASE: &str = "collection.sqlite";
/// The name of the file that the one writer holds a lock on.
pub const LOCK: &str = "collection.lock";
/// The folder of the matrices.
pub const SPACES: &str = "spaces";

/// The collection that a folder is, or lies in; the innermost one. `folder` is to be a real path, without links.
pub(super) fn around(folder: &Path) -> Option<PathBuf> {
    // Beside the database everything is the collection's; farther down a database alone says little.
    let is_around = |around: &&Path| is_collection(around) || *around == folder && has(folder, DATABASE);
    folder.ancestors().find(is_around).map(Path::to_owned)
}

fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).symlink_metadata().is_ok()
}

/// Whether a folder is a collection, also a damaged one or one that is only being made: two of its marks.
fn is_collection(folder: &Path) -> bool {
    let is_named = folder.extension().is_some_and(|ending| ending == "tagscape");
    let marks = [is_named, has(folder, DATABASE), has(folder, LOCK), has(folder, SPACES)];
    marks.into_iter().filter(|&is_there| is_there).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_known_by_its_files_and_also_without_its_database() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/spaces/deep")).unwrap();
        std::fs::create_dir_all(at("b.tagscape/spaces")).unwrap();
        std::fs::create_dir_all(at("c.tagscape")).unwrap();
        assert_eq!((around(&at("a/spaces")), around(&at("c.tagscape"))), (None, None));
        assert_eq!(around(&at("b.tagscape/spaces")), Some(at("b.tagscape")));
        std::fs::write(at("a").join(LOCK), "").unwrap();
        assert_eq!(around(&at("a/spaces/deep")), Some(at("a")));
        std::fs::write(at("c.tagscape").join(DATABASE), "").unwrap();
        assert_eq!((around(&at("c.tagscape")), around(folder.path())), (Some(at("c.tagscape")), None));
        // A file of that name in somebody's home folder, say.
        std::fs::create_dir_all(at("home/papers")).unwrap();
        std::fs::write(at("home").join(DATABASE), "").unwrap();
        assert_eq!((around(&at("home")), around(&at("home/papers"))), (Some(at("home")), None));
    }
}
