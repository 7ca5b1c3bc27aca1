//! Which files to extract: folders walked, in the order of their paths.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::FailedTrack;
use super::error::ExtractError;
use crate::audio::{is_audio_file, unread_kind};
use crate::catalog::path_to_text;
use crate::store::FileStamp;

/// A file to be extracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Relative to the audio root, as [`path_to_text`] writes it: its name in the collection.
    pub path: String,
    /// Where to open it.
    pub file: PathBuf,
    /// By which it is known to be the same file later.
    pub stamp: FileStamp,
}

/// All files that were found, absolute.
#[derive(Debug, Default)]
pub(super) struct FoundInputs {
    /// The innermost folder that holds all inputs.
    pub root: PathBuf,
    files: Vec<(PathBuf, FileStamp)>,
    unreadable: Vec<(PathBuf, String)>,
    /// Files of music of kinds that are not read, in the folders that were walked, counted by their endings.
    unread: BTreeMap<&'static str, usize>,
}

/// Finds the files: those that are named, whatever they are, and the audio files in the folders that are named.
///
/// A folder that can be reached in several ways, by symbolic links, is walked once; so that links in a circle end.
pub(super) fn find_inputs(inputs: &[PathBuf]) -> Result<FoundInputs, ExtractError> {
    let mut found = FoundInputs::default();
    let mut walked = HashSet::new();
    let mut roots: Vec<PathBuf> = Vec::new();
    for input in inputs {
        let fail = |source| ExtractError::Input { path: input.clone(), source };
        let about = std::fs::metadata(input).map_err(fail)?;
        if about.is_dir() {
            let folder = input.canonicalize().map_err(fail)?;
            roots.push(folder.clone());
            found.walk(folder, &mut walked);
        } else {
            // The file keeps the name that it was given, also where that is a link.
            let parent = input.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let folder = parent.canonicalize().map_err(fail)?;
            let file = folder.join(input.file_name().unwrap_or_default());
            roots.push(folder);
            found.files.push((file, stamp_of(&about)));
        }
    }
    if found.files.is_empty() && found.unreadable.is_empty() {
        return Err(ExtractError::NoAudio { inputs: inputs.to_vec(), unread: found.unread_line() });
    }
    let mut roots = roots.into_iter();
    found.root = roots.next().unwrap_or_default();
    for other in roots {
        let common: PathBuf = found.root.components().zip(other.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
        if common.as_os_str().is_empty() {
            return Err(ExtractError::NoCommonFolder { one: found.root, other });
        }
        found.root = common;
    }
    Ok(found)
}

/// The audio files that are named, and those in the folders that are named, in the order of their paths.
///
/// # Errors
/// An input that is not there, and none that is audio.
pub fn audio_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, ExtractError> {
    let mut files: Vec<PathBuf> = find_inputs(inputs)?.files.into_iter().map(|(path, _)| path).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

impl FoundInputs {
    fn walk(&mut self, root: PathBuf, walked: &mut HashSet<PathBuf>) {
        // Real folders first and linked ones after them, so that a folder has the same name in every run.
        let (mut folders, mut linked) = (vec![root], Vec::new());
        while let Some(folder) = folders.pop().or_else(|| linked.pop()) {
            if folder.canonicalize().is_ok_and(|real| !walked.insert(real)) {
                continue;
            }
            let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let mut paths: Vec<PathBuf> = match entries {
                Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
                Err(error) => {
                    self.unreadable.push((folder, format!("the folder cannot be read: {error}")));
                    continue;
                }
            };
            paths.sort();
            for path in paths.into_iter().rev() {
                match std::fs::metadata(&path) {
                    Ok(about) if about.is_dir() && path.is_symlink() => linked.push(path),
                    Ok(about) if about.is_dir() => folders.push(path),
                    Ok(about) if is_audio_file(&path) => self.files.push((path, stamp_of(&about))),
                    Ok(about) if about.is_file() => {
                        if let Some(kind) = unread_kind(&path) {
                            *self.unread.entry(kind).or_default() += 1;
                        }
                    }
                    Err(error) if is_audio_file(&path) => self.unreadable.push((path, format!("cannot be read: {error}"))),
                    _ => {}
                }
            }
            linked.sort_by(|a, b| b.cmp(a));
        }
    }

    /// A line on the files of music that are not read, if there are any.
    pub(super) fn unread_line(&self) -> Option<String> {
        let counts: Vec<_> = self.unread.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let is_one = self.unread.values().sum::<usize>() == 1;
        let verb = if is_one { "file is" } else { "files are" };
        (!counts.is_empty()).then(|| format!("{} {verb} of a kind that is not read; convert to flac or wav", counts.join(", ")))
    }

    /// The files under the names that they have below `root`, sorted by them, each once; and what cannot be a track.
    pub(super) fn relative_to(self, root: &Path) -> (Vec<Candidate>, Vec<FailedTrack>) {
        // A collection's own root may be written relative to it, with `..` inside.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut candidates = BTreeMap::new();
        let mut failed = Vec::new();
        for (path, reason) in self.unreadable {
            failed.push(FailedTrack { path: lossy(&path, &root), reason });
        }
        for (file, stamp) in self.files {
            match relative_name(&file, &root) {
                Some(path) => {
                    candidates.entry(path.clone()).or_insert(Candidate { path, file, stamp });
                }
                None => failed.push(FailedTrack { path: lossy(&file, &root), reason: "its path is not Unicode; rename it".to_owned() }),
            }
        }
        (candidates.into_values().collect(), failed)
    }
}

fn lossy(path: &Path, root: &Path) -> String {
    relative_name(path, root).unwrap_or_else(|| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned())
}

/// The path from `root` to `file` with `/` between names, through `..` where it has to be, as the collection writes it.
fn relative_name(file: &Path, root: &Path) -> Option<String> {
    let shared = file.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| OsStr::new(".."));
    let down = file.components().skip(shared).map(|component| match component {
        Component::Normal(name) => name,
        _ => OsStr::new(".."),
    });
    let mut joined = OsString::new();
    for (number, name) in up.chain(down).enumerate() {
        joined.push(if number > 0 { "/" } else { "" });
        joined.push(name);
    }
    path_to_text(Path::new(&joined))
}

/// The stamp of a file as it is now.
pub(super) fn stamp_of_file(file: &Path) -> std::io::Result<FileStamp> {
    std::fs::metadata(file).map(|about| stamp_of(&about))
}

fn stamp_of(about: &Metadata) -> FileStamp {
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    FileStamp { size: i64::try_from(about.len()).unwrap_or(i64::MAX), modified_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }

    fn names(inputs: &[PathBuf]) -> Vec<String> {
        let found = find_inputs(inputs).unwrap();
        let root = found.root.clone();
        let (candidates, failed) = found.relative_to(&root);
        assert_eq!(failed, []);
        candidates.into_iter().map(|candidate| candidate.path).collect()
    }

    #[test]
    fn folders_are_walked_in_the_order_of_paths_and_a_folder_named_as_audio_is_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.mp3", "a/z.OGG", "a.flac", "x.wav/inside.wav", "notes.txt", "a/cover.jpg"] {
            touch(&folder.path().join(name));
        }
        assert_eq!(names(&[folder.path().to_owned()]), ["a.flac", "a/z.OGG", "b.mp3", "x.wav/inside.wav"]);
        assert_eq!(
            names(&[folder.path().join("notes.txt"), folder.path().join("a")]),
            ["a/z.OGG", "notes.txt"],
            "a named file always counts"
        );
        assert_eq!(names(&[folder.path().join("a"), folder.path().to_owned()]).len(), 4, "each file once");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end_and_a_linked_folder_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("music/one.wav"));
        std::os::unix::fs::symlink(folder.path(), folder.path().join("music/back")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("music"), folder.path().join("again")).unwrap();
        assert_eq!(names(&[folder.path().to_owned()]), ["music/one.wav"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_unicode_is_a_file_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let name: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"Caf\xe9");
        touch(&folder.path().join(name).join("a.wav"));
        touch(&folder.path().join("b.wav"));
        assert_eq!(names(&[folder.path().to_owned()]), ["Caf\\xE9/a.wav", "b.wav"]);
    }

    #[test]
    fn inputs_that_are_not_there_or_hold_nothing_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find_inputs(&[folder.path().join("no")]), Err(ExtractError::Input { .. })));
        assert!(matches!(find_inputs(&[folder.path().to_owned()]), Err(ExtractError::NoAudio { .. })));
    }

    #[test]
    fn a_file_outside_of_the_root_is_reached_upwards() {
        assert_eq!(relative_name(Path::new("/m/a/x.wav"), Path::new("/m/a")).as_deref(), Some("x.wav"));
        assert_eq!(relative_name(Path::new("/m/b/x.wav"), Path::new("/m/a")).as_deref(), Some("../b/x.wav"));
    }
}
