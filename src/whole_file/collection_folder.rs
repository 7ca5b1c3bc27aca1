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
    folder.ancestors().find(|folder| is_collection(folder)).map(Path::to_owned)
}

/// Whether a folder is a collection, also a damaged one or one that is only being made.
fn is_collection(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).symlink_metadata().is_ok();
    has(DATABASE) || has(SPACES) && (has(LOCK) || folder.extension().is_some_and(|ending| ending == "tagscape"))
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
    }
}
