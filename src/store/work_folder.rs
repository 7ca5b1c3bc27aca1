//! The folder in which a merged collection grows, beside its place, and those that killed merges left there.
//!
//! It is made new under a drawn name, `.NAME.XXXXXXXX.merging`: nothing that is there is gone into, and no link followed. A merge holds the
//! lock of its folder; one whose lock is free was left by a killed merge and is cleared by the next, if it is a folder, of the same user, with
//! nothing in it but what a merge makes.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

use super::error::StoreError;
use super::matrix_file::sync_folder_of;
use super::notes_file::NOTES_FILE;
use super::own_file;
use super::schema::{DATABASE, LOCK, SPACES};
use super::writer::lock;

/// The end of a work folder's name.
const SUFFIX: &str = ".merging";
/// Letters and digits of its name that are drawn.
const RANDOM_CHARS: usize = 8;
/// Names that are tried until one is this merge's alone.
const ATTEMPTS: usize = 16;

/// A folder that becomes the collection, or is removed.
#[derive(Debug)]
pub(super) struct WorkFolder {
    folder: TempDir,
    lock: File,
}

impl WorkFolder {
    /// Makes a folder beside `out`, and clears what killed merges into the same place left.
    ///
    /// # Errors
    /// Another merge into the same place that is at work; what the disk refuses.
    pub(super) fn create(out: &Path) -> Result<Self, StoreError> {
        let not_a_name = || StoreError::NotACollection { why: "a name is needed for the folder to be made", path: out.to_owned() };
        let mut prefix = OsString::from(".");
        prefix.push(out.file_name().ok_or_else(not_a_name)?);
        let beside = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(beside).map_err(StoreError::io("create", beside))?;
        let mut start = prefix.clone();
        start.push(".");
        for _ in 0..ATTEMPTS {
            let mut builder = Builder::new();
            builder.prefix(&start).suffix(SUFFIX).rand_bytes(RANDOM_CHARS);
            // As any other folder of the user's.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            let folder = builder.tempdir_in(beside).map_err(StoreError::io("create", beside))?;
            // Another merge may have taken it for a leftover before it was locked: then it is locked by that one, or gone.
            match lock(folder.path()) {
                Ok(lock) if folder.path().join(LOCK).exists() => {
                    clear_leftovers(out, &prefix, folder.path())?;
                    return Ok(Self { folder, lock });
                }
                Ok(_) | Err(StoreError::Locked { .. }) => {}
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(other) => return Err(other),
            }
        }
        Err(StoreError::Locked { path: out.to_owned() })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes it the collection at `out`, where nothing is, or an empty folder.
    ///
    /// # Errors
    /// Something that has come to `out` meanwhile; what the disk refuses.
    pub(super) fn become_collection(self, out: &Path) -> Result<(), StoreError> {
        // The lock's file goes with the folder, and somewhere a folder with an open file is not renamed.
        drop(self.lock);
        // An empty folder may be in the place, where a rename over it is not everywhere allowed.
        let _ = std::fs::remove_dir(out);
        std::fs::rename(self.folder.path(), out).and_then(|()| sync_folder_of(out)).map_err(StoreError::io("create", out))?;
        // It has another name now, under which it stays.
        let _ = self.folder.keep();
        Ok(())
    }
}

/// Clears the folders that killed merges into `out` left, but for `own`.
///
/// # Errors
/// [`StoreError::Locked`] where one belongs to a merge that is at work.
fn clear_leftovers(out: &Path, prefix: &OsStr, own: &Path) -> Result<(), StoreError> {
    let (Some(beside), Ok(own_about)) = (own.parent(), own.symlink_metadata()) else { return Ok(()) };
    for entry in std::fs::read_dir(beside).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_left = is_work_folder(&entry.file_name(), prefix) && path.file_name() != own.file_name();
        let is_own_folder = |about: Metadata| about.is_dir() && owner(&about) == owner(&own_about);
        if !is_left || !path.symlink_metadata().is_ok_and(is_own_folder) || holds_other_things(&path) {
            continue;
        }
        let Ok(lock) = own_file::open(&path.join(LOCK), File::options().create(true).truncate(false).write(true)) else { continue };
        match lock.try_lock() {
            // What cannot be removed stays; it is in nobody's way.
            Ok(()) => drop(std::fs::remove_dir_all(&path)),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: out.to_owned() }),
            Err(TryLockError::Error(_)) => {}
        }
    }
    Ok(())
}

/// Whether a name is one that is drawn for work folders of this prefix, or the one that they had in earlier versions.
fn is_work_folder(name: &OsStr, prefix: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let drawn = name.strip_prefix(prefix.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    drawn.is_some_and(|drawn| {
        let is_drawn = |drawn: &[u8]| drawn.len() == RANDOM_CHARS && drawn.iter().all(u8::is_ascii_alphanumeric);
        drawn.is_empty() || drawn.strip_prefix(b".").is_some_and(is_drawn)
    })
}

/// Whether a folder has something in it that no merge makes.
fn holds_other_things(folder: &Path) -> bool {
    let is_of_a_merge = |name: &OsStr| {
        let name = name.to_string_lossy();
        name == LOCK || name == SPACES || name.starts_with(DATABASE) || name.starts_with(NOTES_FILE)
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    entries.into_iter().any(|entry| entry.map_or(true, |entry| !is_of_a_merge(&entry.file_name())))
}

#[cfg(unix)]
fn owner(about: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(about)
}

#[cfg(not(unix))]
fn owner(_about: &Metadata) -> u32 {
    0
}

/// The matrices' folder in a work folder, made.
pub(super) fn make_spaces(work: &Path) -> Result<PathBuf, StoreError> {
    let folder = work.join(SPACES);
    std::fs::create_dir(&folder).map_err(StoreError::io("create", &folder))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_names_are_known_and_no_others() {
        let prefix = OsStr::new(".a.tagscape");
        for (name, expected) in [
            (".a.tagscape.merging", true),
            (".a.tagscape.aB3dEf9h.merging", true),
            (".a.tagscape.aB3dEf9.merging", false),
            (".a.tagscape.mine.merging", false),
            (".a.tagscapeaB3dEf9h.merging", false),
            ("a.tagscape.merging", false),
            (".b.tagscape.merging", false),
        ] {
            assert_eq!(is_work_folder(OsStr::new(name), prefix), expected, "{name}");
        }
    }

    #[test]
    fn a_folder_becomes_the_collection_or_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a.tagscape");
        let work = WorkFolder::create(&out).unwrap();
        assert!(matches!(WorkFolder::create(&out), Err(StoreError::Locked { .. })));
        drop(work);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::create_dir(&out).unwrap();
        WorkFolder::create(&out).unwrap().become_collection(&out).unwrap();
        assert!(out.join(LOCK).exists() && std::fs::read_dir(folder.path()).unwrap().count() == 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::create_dir(folder.path().join("plain")).unwrap();
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode(&out), mode(&folder.path().join("plain")));
        }
    }
}
