//! Opening files that a user or a stranger named: plain files, and nothing that keeps the program waiting.
//!
//! To open a FIFO is to wait for somebody who writes, and to open a device may do anything. So every file of the
//! program's is opened here: its kind is looked at before, it is opened without waiting, and its kind is looked at
//! again on the open file, in case it was exchanged in between. Links are followed, but where a folder is somebody
//! else's ([`inside`]): what lies outside of a collection is no part of it.

use std::fmt;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The kind of something that is not a plain file. Displays as `is a FIFO, not a file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A device of characters or blocks.
    Device,
    /// A link that is not to be followed, since it leads out of its folder.
    Link,
    /// Something that this system alone has.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "is a folder, not a file",
            Self::Fifo => "is a FIFO, not a file",
            Self::Socket => "is a socket, not a file",
            Self::Device => "is a device, not a file",
            Self::Link => "is a link to something outside of its folder, and not followed",
            Self::Other => "is not a plain file",
        })
    }
}

impl std::error::Error for Kind {}

impl Kind {
    /// The kind of what is there; `None` for a plain file.
    #[must_use]
    pub fn of(kind: FileType) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt as _;
            if kind.is_fifo() {
                return Some(Self::Fifo);
            }
            if kind.is_socket() {
                return Some(Self::Socket);
            }
            if kind.is_char_device() || kind.is_block_device() {
                return Some(Self::Device);
            }
        }
        match kind {
            kind if kind.is_file() => None,
            kind if kind.is_dir() => Some(Self::Folder),
            kind if kind.is_symlink() => Some(Self::Link),
            _ => Some(Self::Other),
        }
    }

    /// The kind with its article, as in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Folder => "a folder",
            Self::Fifo => "a FIFO",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Link => "a link",
            Self::Other => "not a file",
        }
    }

    /// The kind for which a file was refused, where that is why.
    #[must_use]
    pub fn refused(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Kind> for io::Error {
    fn from(kind: Kind) -> Self {
        Self::new(io::ErrorKind::InvalidInput, kind)
    }
}

fn plain(about: Metadata) -> io::Result<Metadata> {
    Kind::of(about.file_type()).map_or(Ok(about), |kind| Err(kind.into()))
}

/// Looks whether a path is a plain file, or a link to one, without opening it: for files that another library opens by
/// their names.
///
/// # Errors
/// A [`Kind`] where it is something else; what the system says where it is not there or may not be looked at.
pub fn check(path: &Path) -> io::Result<Metadata> {
    plain(std::fs::metadata(path)?)
}

/// Opens a plain file, or a link to one, for reading.
///
/// # Errors
/// As [`check`], and where it may not be read.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, File::options().read(true))
}

/// Opens a plain file, or a link to one, as `options` say; where they create files, there may be none.
///
/// # Errors
/// As [`check`], and where it may not be opened so.
pub fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match check(path) {
        // Whether that is an error, the options say.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => {
            other?;
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    plain(file.metadata()?)?;
    Ok(file)
}

/// Opens a plain file as `options` say, and never a link.
///
/// # Errors
/// As [`open_with`], and [`Kind::Link`] where a link is there.
pub fn open_unlinked(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => {
            plain(other?)?;
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW);
    let file = options.open(path)?;
    plain(file.metadata()?)?;
    Ok(file)
}

/// The path of a file in a folder that somebody else may have made, without links: for opening it.
///
/// # Errors
/// As [`check`], and [`Kind::Link`] where a link leads out of the folder.
pub fn inside(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let found = path.canonicalize()?;
    if !found.starts_with(folder.canonicalize()?) {
        return Err(Kind::Link.into());
    }
    check(&found)?;
    Ok(found)
}

/// The bytes of a plain file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; [`io::ErrorKind::FileTooLarge`] for one that is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(most)).unwrap_or(0));
    // The system's own files say that they have no length, and others may grow meanwhile.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("has more than {most} bytes, and no such file has so many");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// The text of a plain file of at most `most` bytes.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Makes the names of new and renamed files in a folder last through a power failure, where the system has a call for it.
///
/// # Errors
/// What the disk says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refusal(path: &Path) -> String {
        open(path).unwrap_err().to_string()
    }

    fn fifo(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn whatever_is_no_plain_file_is_refused_at_once_by_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fifo(&at("fifo"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        assert_eq!(refusal(&at("fifo")), "is a FIFO, not a file");
        assert_eq!(refusal(&at("link")), "is a FIFO, not a file");
        assert_eq!(refusal(&at("socket")), "is a socket, not a file");
        assert_eq!(refusal(Path::new("/dev/zero")), "is a device, not a file");
        assert_eq!(refusal(folder.path()), "is a folder, not a file");
        assert_eq!(open(&at("dangling")).unwrap_err().kind(), io::ErrorKind::NotFound);
        for write in [File::options().write(true), File::options().create(true).append(true), File::options().read(true).write(true)] {
            let error = open_with(&at("fifo"), write).unwrap_err();
            assert_eq!(Kind::refused(&error), Some(Kind::Fifo));
        }
        std::fs::write(at("file"), "text").unwrap();
        symlink(at("file"), at("to file")).unwrap();
        assert_eq!(read_text(&at("to file"), 4).unwrap(), "text");
        assert_eq!(read(&at("file"), 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(open_with(&at("new"), File::options().create(true).truncate(false).write(true)).is_ok() && at("new").exists());
    }

    #[test]
    fn a_link_out_of_a_folder_is_not_followed_and_one_within_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        for folder in [&own, &other] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("file"), "").unwrap();
        }
        symlink(other.join("file"), own.join("out")).unwrap();
        symlink(&other, own.join("folder out")).unwrap();
        symlink("file", own.join("in")).unwrap();
        fifo(&own.join("fifo"));
        let kind = |name: &str| Kind::refused(&inside(&own, &own.join(name)).unwrap_err());
        assert_eq!((kind("out"), kind("folder out/file"), kind("fifo")), (Some(Kind::Link), Some(Kind::Link), Some(Kind::Fifo)));
        assert_eq!(inside(&own, &own.join("in")).unwrap(), own.canonicalize().unwrap().join("file"));
        assert_eq!(inside(&own, &own.join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        // The folder itself may be reached by a link: it is what the user named.
        symlink(&own, folder.path().join("named")).unwrap();
        let named = folder.path().join("named");
        assert!(inside(&named, &named.join("file")).is_ok());
    }
}
