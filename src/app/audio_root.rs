//! Where a collection's audio files are, kept for the next time: in the collection, or, where that is not to be written, in the user's data folder.

use std::path::{Path, PathBuf};

use super::resources::user_data_dir;
use super::small_file::write_whole;
use crate::plain_file;
use crate::store::{self, Collection};

/// A line each: a collection's folder, a tab, its audio root.
const FILE: &str = "audio-roots";
/// The largest file of them that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Where to look for a collection's files: where it was said, else where it was said before and the folder still is, else where the collection says.
#[must_use]
pub fn audio_root_of(collection: &Collection, said: Option<PathBuf>) -> PathBuf {
    let own = collection.audio_root();
    said.map(|root| root.canonicalize().unwrap_or(root)).unwrap_or_else(|| {
        let kept = file().and_then(|file| find(&file, collection.path()));
        kept.filter(|root| root.is_dir()).unwrap_or(own)
    })
}

/// Keeps it.
///
/// # Errors
/// A line for the user, where neither the collection nor the user's data folder can be written.
pub fn keep(collection: &Path, root: &Path) -> Result<(), String> {
    let file = file();
    match store::set_audio_root(collection, root) {
        Ok(()) => {
            // What was kept beside it must not stand against it.
            if let Some(file) = file.filter(|file| find(file, collection).is_some()) {
                let _ = write(&file, collection, None);
            }
            Ok(())
        }
        Err(error) => {
            let file = file.ok_or_else(|| error.to_string())?;
            write(&file, collection, Some(root))
                .map_err(|second| format!("cannot keep where the music is: {error}; {}: {second}", file.display()))
        }
    }
}

fn file() -> Option<PathBuf> {
    user_data_dir().map(|folder| folder.join(FILE))
}

fn name(collection: &Path) -> String {
    collection.canonicalize().unwrap_or_else(|_| collection.to_owned()).to_string_lossy().into_owned()
}

fn find(file: &Path, collection: &Path) -> Option<PathBuf> {
    let text = plain_file::read_text(file, MOST_BYTES).ok()?;
    let name = name(collection);
    text.lines().rev().find_map(|line| line.split_once('\t').filter(|(known, _)| *known == name).map(|(_, root)| PathBuf::from(root)))
}

/// Puts a root in the place of what was known of the collection; `None`: nothing.
fn write(file: &Path, collection: &Path, root: Option<&Path>) -> std::io::Result<()> {
    let text = plain_file::read_text(file, MOST_BYTES).unwrap_or_default();
    let name = name(collection);
    let others = text.lines().filter(|line| line.split_once('\t').is_none_or(|(known, _)| known != name));
    let mut lines: Vec<String> = others.map(str::to_owned).collect();
    lines.extend(root.map(|root| format!("{name}\t{}", root.display())));
    write_whole(file, &lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_and_replaced_collection_by_collection() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/roots");
        let [one, other] = ["one.tagscape", "other.tagscape"].map(|name| folder.path().join(name));
        for (collection, root) in [(&one, "/a"), (&other, "/b"), (&one, "/c d")] {
            write(&file, collection, Some(Path::new(root))).unwrap();
        }
        assert_eq!((find(&file, &one), find(&file, &other)), (Some("/c d".into()), Some("/b".into())));
        write(&file, &one, None).unwrap();
        assert_eq!((find(&file, &one), find(&file, &other)), (None, Some("/b".into())));
    }
}
