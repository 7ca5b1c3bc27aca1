//! A file as it was when something was noted down of it, and by what it is known again.
//!
//! A collection travels with its audio, and most ways of copying a file give it another time (a checkout by git, an archive, rsync without `-t`). So a
//! file is the one that was noted down if it is as long and either was last written at the same time or has the same first and last 64 KiB; up to 128 KiB
//! that is all of it. Whatever makes another file of a track shows there: headers, tags, encoders' info frames, checksums of the whole audio, and what
//! the container has at its end. A change in the middle alone that keeps length and ends (a damaged copy, frames of an MP3 made louder in place) keeps
//! its packets in their places as well, so that all that can be wrong is a level. Rejected: a sum of the whole file, which takes a second on a long one.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::plain_file;

/// Bytes at either end of a file that its fingerprint is made of.
const END_BYTES: u64 = 64 << 10;

/// A file as it was when it was noted down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedFile {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970; 0 where the system does not say.
    pub written_ns: u64,
    /// The sha256 of its first and last 64 KiB.
    pub fingerprint: [u8; 32],
}

impl NotedFile {
    /// A file as it is now; `None` where it cannot be read.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let mut file = plain_file::open(path).ok()?;
        let about = file.metadata().ok()?;
        let fingerprint = fingerprint(&mut file, about.len()).ok()?;
        Some(Self { bytes: about.len(), written_ns: written_ns(&about), fingerprint })
    }

    /// Whether a file is still, or again, the one that was noted down. The file is read only where its time says nothing.
    #[must_use]
    pub fn is(&self, path: &Path) -> bool {
        let Ok(about) = std::fs::metadata(path) else { return false };
        let is_of_the_time = self.written_ns != 0 && written_ns(&about) == self.written_ns;
        about.len() == self.bytes && (is_of_the_time || Self::of(path).is_some_and(|now| now.fingerprint == self.fingerprint))
    }
}

fn written_ns(about: &Metadata) -> u64 {
    let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    written.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or(0)
}

fn fingerprint(file: &mut File, bytes: u64) -> std::io::Result<[u8; 32]> {
    let mut ends = Vec::new();
    file.take(END_BYTES).read_to_end(&mut ends)?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES).max(END_BYTES)))?;
    file.take(END_BYTES).read_to_end(&mut ends)?;
    Ok(Sha256::digest(&ends).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn write(path: &Path, bytes: &[u8], age_secs: u64) -> SystemTime {
        std::fs::write(path, bytes).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age_secs);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        time
    }

    #[test]
    fn a_file_is_known_by_its_time_or_by_its_ends_and_always_by_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for len in [0_usize, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 500_000] {
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            write(&path, &bytes, 1000);
            let noted = NotedFile::of(&path).unwrap();
            assert!(noted.bytes == len as u64 && noted.is(&path));
            write(&path, &bytes, 5);
            assert!(noted.is(&path), "{len}: copied, with another time");
            for at in [0, 65_535, 65_536, 70_000, len.saturating_sub(65_536), len.saturating_sub(1)] {
                let mut other = bytes.clone();
                let Some(byte) = other.get_mut(at) else { continue };
                *byte ^= 1;
                write(&path, &other, 5);
                let is_at_an_end = at < 65_536 || at + 65_536 >= len;
                assert_eq!(!noted.is(&path), is_at_an_end, "{len}, byte {at}");
            }
            write(&path, &[&bytes[..], &[7]].concat(), 1000);
            assert!(!noted.is(&path), "{len}: longer");
        }
        let noted = NotedFile::of(&path).unwrap();
        assert!(noted.is(&path) && !noted.is(&folder.path().join("b")) && NotedFile::of(&folder.path().join("b")).is_none());
    }

    #[test]
    fn where_the_time_is_the_same_the_file_is_not_read_and_no_time_is_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let time = write(&path, b"one", 1000);
        let noted = NotedFile::of(&path).unwrap();
        std::fs::write(&path, b"two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert!(noted.is(&path), "as after a copy that keeps the time");
        let timeless = NotedFile { written_ns: 0, ..noted };
        File::options().write(true).open(&path).unwrap().set_modified(UNIX_EPOCH).unwrap();
        assert!(!timeless.is(&path), "none on either side says nothing");
        std::fs::write(&path, b"one").unwrap();
        assert!(timeless.is(&path));
    }
}
