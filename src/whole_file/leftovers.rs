//! The temporary files of writers that were killed: known by their names, and by the lock that a living writer holds.
//!
//! A file `map.png` grows as `.map.png.XXXXXXXX.part`, eight letters or digits that are drawn for it. Its writer holds an
//! advisory lock on it, which the system drops when the writer ends in whatever way. Whoever comes next to write
//! `map.png` takes the lock of each such file that is free, and removes the file while it holds the lock: so a writer that
//! has just created its file and not locked it yet finds that it is locked or gone, and begins another.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

use crate::plain_file;

/// The end of a temporary file's name.
pub(super) const SUFFIX: &str = ".part";
/// Letters and digits of a temporary file's name that are drawn.
pub(super) const RANDOM_CHARS: usize = 8;
/// The longest name, in bytes, that is part of a temporary file's name as a whole: names have at most 255.
const MOST_BYTES: usize = 240;
/// Characters, of at most 4 bytes, that are left of a longer one.
const KEPT_CHARS: usize = 50;

/// The beginning of the names of the temporary files for a path.
pub(super) fn prefix_of(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default();
    let mut prefix = OsString::from(".");
    match name.to_str() {
        Some(text) if text.len() > MOST_BYTES => prefix.push(text.chars().take(KEPT_CHARS).collect::<String>()),
        _ => prefix.push(name),
    }
    prefix.push(".");
    prefix
}

/// Removes the temporary files of this prefix whose writers are gone. Gives whether one is there whose writer lives.
///
/// What cannot be looked at or removed stays: it is in nobody's way.
pub(super) fn clear(folder: &Path, prefix: &OsStr) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut is_any_alive = false;
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name(), prefix)) {
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = plain_file::open_unlinked(&path, File::options().read(true).write(true)) else { continue };
        match file.try_lock() {
            Ok(()) => drop(std::fs::remove_file(&path)),
            Err(std::fs::TryLockError::WouldBlock) => is_any_alive = true,
            // A disk without locks: who lives cannot be told.
            Err(std::fs::TryLockError::Error(_)) => {}
        }
    }
    is_any_alive
}

/// Takes the lock of a file that this program has just created. Gives false where another program was faster, so that the
/// file is gone or going.
pub(super) fn claim(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => false,
        // Where there are no locks, nobody removes it either.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => path.symlink_metadata().is_ok(),
    }
}

/// Whether a name is one that is drawn for temporary files of this prefix, or one of earlier versions, which had the
/// number of the process.
fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let drawn = name.strip_prefix(prefix.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    drawn.is_some_and(|drawn| {
        let is_drawn = drawn.len() == RANDOM_CHARS && drawn.iter().all(u8::is_ascii_alphanumeric);
        is_drawn || !drawn.is_empty() && drawn.iter().all(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_drawn_are_known_and_no_others() {
        let prefix = prefix_of(Path::new("a/map.png"));
        assert_eq!(prefix, ".map.png.");
        for (name, expected) in [
            (".map.png.aB3dEf9h.part", true),
            (".map.png.4711.part", true),
            (".map.png.mine.part", false),
            (".map.png.aB3dEf9.part", false),
            (".map.png.aB3d-f9h.part", false),
            (".map.png..part", false),
            (".map.png.part", false),
            ("map.png.aB3dEf9h.part", false),
            (".map.png.aB3dEf9h.partial", false),
            (".other.png.aB3dEf9h.part", false),
        ] {
            assert_eq!(is_temporary(OsStr::new(name), &prefix), expected, "{name}");
        }
    }

    #[test]
    fn what_a_dead_writer_left_goes_and_what_a_living_one_writes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let prefix = prefix_of(&at("map.png"));
        for name in [".map.png.deadDEAD.part", ".map.png.99.part", ".map.png.livELIVE.part", ".map.png.keep.part"] {
            std::fs::write(at(name), "half").unwrap();
        }
        std::fs::create_dir(at(".map.png.folderXX.part")).unwrap();
        let living = File::options().write(true).open(at(".map.png.livELIVE.part")).unwrap();
        assert!(claim(&living, &at(".map.png.livELIVE.part")));
        assert!(clear(folder.path(), &prefix));
        let left = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left(), 3, "the living one, the folder, and what is not ours");
        drop(living);
        assert!(!clear(folder.path(), &prefix));
        assert_eq!(left(), 2);
    }

    #[test]
    fn a_file_that_was_taken_for_a_leftover_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".x.aaaaaaaa.part");
        let mine = File::create(&path).unwrap();
        let other = File::options().write(true).open(&path).unwrap();
        other.try_lock().unwrap();
        assert!(!claim(&mine, &path), "locked by the one that is about to remove it");
        std::fs::remove_file(&path).unwrap();
        drop(other);
        assert!(!claim(&mine, &path), "removed");
    }

    #[test]
    #[cfg(unix)]
    fn links_and_fifos_with_such_names_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("precious"), "mine").unwrap();
        std::os::unix::fs::symlink(at("precious"), at(".m.aaaaaaaa.part")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at(".m.bbbbbbbb.part")).status().unwrap().success());
        assert!(!clear(folder.path(), OsStr::new(".m.")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
