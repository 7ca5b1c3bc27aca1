//! Where a file may be written: a plain file's place or an empty one, outside of collections, and not over an input.

use std::path::Path;

use super::collection_folder;
use super::error::WriteError;
use crate::plain_file::Kind;

/// Looks whether a file may be written to `path`, before the work and not after it. `inputs` are the files that the same
/// command reads; those that are not there do not matter.
///
/// # Errors
/// A path without a name or a folder; something there that is not a plain file (links are not followed); a path inside of
/// a collection; an input.
pub fn check(path: &Path, inputs: &[&Path]) -> Result<(), WriteError> {
    let own = || path.to_owned();
    let Some(name) = path.file_name() else { return Err(WriteError::NoName { path: own() }) };
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(WriteError::NoFolder { path: own(), folder: folder.to_owned() });
    }
    check_kind(path)?;
    let folder = folder.canonicalize().map_err(|source| WriteError::Io { path: own(), source })?;
    if let Some(collection) = collection_folder::around(&folder) {
        return Err(WriteError::InCollection { path: own(), collection });
    }
    // By their real paths: a name may differ in its case alone, or lead through a link.
    if let Ok(target) = folder.join(name).canonicalize()
        && inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == target))
    {
        return Err(WriteError::Input { path: own() });
    }
    Ok(())
}

/// The folder of a path that has a name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses what is there and is not a plain file.
pub(super) fn check_kind(path: &Path) -> Result<(), WriteError> {
    match path.symlink_metadata() {
        Ok(about) => match Kind::of(about.file_type()).map(Kind::name) {
            None => Ok(()),
            Some("a folder") => Err(WriteError::NoName { path: path.to_owned() }),
            Some(kind) => Err(WriteError::NotPlain { path: path.to_owned(), kind }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(WriteError::Io { path: path.to_owned(), source }),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_plain_files_and_empty_places_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        symlink(folder.path(), at("here")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        for (name, word) in [
            ("link", "a link"),
            ("dangling", "a link"),
            ("folder", "a folder"),
            ("here", "a link"),
            ("socket", "a socket"),
            ("fifo", "a FIFO"),
            ("..", "a folder"),
            ("none/file", "make "),
            ("file/file", "make "),
        ] {
            let said = check(&at(name), &[]).unwrap_err().to_string();
            assert!(said.contains(word) && said.contains(name), "{name}: {said}");
        }
        assert!(check(Path::new("/dev/null"), &[]).unwrap_err().to_string().contains("a device"));
        // A folder may be reached by a link: the user named it.
        for name in ["file", "new", "here/file", "here/new"] {
            check(&at(name), &[]).unwrap();
        }
    }

    #[test]
    fn inputs_are_known_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("in.npy"), "").unwrap();
        std::fs::write(at("out.npy"), "").unwrap();
        std::fs::create_dir(at("deep")).unwrap();
        symlink(at("in.npy"), at("link")).unwrap();
        symlink(folder.path(), at("deep/up")).unwrap();
        for (path, input) in [("in.npy", "in.npy"), ("deep/../in.npy", "in.npy"), ("deep/up/in.npy", "in.npy"), ("in.npy", "link")] {
            assert!(matches!(check(&at(path), &[&at("gone"), &at(input)]), Err(WriteError::Input { .. })), "{path}");
        }
        check(&at("out.npy"), &[&at("in.npy"), &at("gone")]).unwrap();
        check(&at("gone"), &[&at("gone")]).unwrap();
    }
}
