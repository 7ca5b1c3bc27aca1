//! A stretch of a file's bytes, with a header or a size that does not stand in it, as symphonia reads them.
//!
//! MP3 streams have no end mark, and symphonia would take a cover picture in a tag behind the last frame for audio: such a file is read up to the
//! end of its audio and no further. Of others the header holds sizes that are wrong, or that decoding does not need: they get another header.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// Some bytes, and a stretch of a file behind them.
pub(super) struct FileStretch {
    head: Vec<u8>,
    file: File,
    /// Where the stretch begins and ends in the file.
    from: u64,
    to: u64,
    /// Where the next read begins, `head` counted.
    position: u64,
    /// Where `file` stands, if that is known.
    file_at: Option<u64>,
    /// Bytes that stand in the place of the file's, and where.
    patches: Vec<(u64, Vec<u8>)>,
}

impl FileStretch {
    /// The first `len` bytes of a file.
    pub(super) fn first(file: File, len: u64) -> Self {
        Self::behind(Vec::new(), file, 0..len)
    }

    /// `head`, and behind it a stretch of a file.
    pub(super) fn behind(head: Vec<u8>, file: File, stretch: std::ops::Range<u64>) -> Self {
        Self { head, file, from: stretch.start, to: stretch.end.max(stretch.start), position: 0, file_at: None, patches: Vec::new() }
    }

    /// The same up to `len` bytes.
    pub(super) fn first_bytes(self, len: u64) -> Self {
        let to = self.from.saturating_add(len.saturating_sub(self.head.len() as u64)).min(self.to);
        Self { to, ..self }
    }

    /// The same, with other bytes at `at`.
    pub(super) fn with_patch(mut self, at: u64, bytes: Vec<u8>) -> Self {
        self.patches.push((at, bytes));
        self
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + (self.to - self.from)
    }
}

impl Read for FileStretch {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let of_head = usize::try_from(self.position).ok().and_then(|at| self.head.get(at..)).unwrap_or_default();
        let read = if of_head.is_empty() {
            let at = self.from + (self.position - self.head.len() as u64).min(self.to - self.from);
            if self.file_at != Some(at) {
                self.file.seek(SeekFrom::Start(at))?;
            }
            self.file_at = None;
            let read = self.file.read(&mut into[..wanted])?;
            self.file_at = Some(at + read as u64);
            read
        } else {
            let count = of_head.len().min(wanted);
            into[..count].copy_from_slice(&of_head[..count]);
            count
        };
        for (place, &byte) in self.patches.iter().flat_map(|(at, bytes)| (*at..).zip(bytes)) {
            let offset = place.checked_sub(self.position).and_then(|offset| usize::try_from(offset).ok());
            if let Some(into) = offset.and_then(|offset| into[..read].get_mut(offset)) {
                *into = byte;
            }
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for FileStretch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => i128::from(offset),
            SeekFrom::Current(offset) => i128::from(self.position) + i128::from(offset),
            SeekFrom::End(offset) => i128::from(self.len()) + i128::from(offset),
        };
        self.position = u64::try_from(target).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}

impl MediaSource for FileStretch {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file() -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        file
    }

    #[test]
    fn nothing_behind_the_limit_is_read() {
        let mut bounded = FileStretch::first(file(), 6);
        let mut all = String::new();
        bounded.read_to_string(&mut all).unwrap();
        assert_eq!(all, "012345");
        bounded.seek(SeekFrom::End(-2)).unwrap();
        all.clear();
        bounded.read_to_string(&mut all).unwrap();
        assert_eq!(all, "45");
        bounded.seek(SeekFrom::Start(8)).unwrap();
        assert_eq!(bounded.read(&mut [0; 4]).unwrap(), 0);
        assert!(bounded.seek(SeekFrom::Current(-99)).is_err());
    }

    #[test]
    fn a_patch_is_read_in_the_place_of_the_files_bytes() {
        for step in 1..11 {
            let mut patched = FileStretch::first(file(), 10).with_patch(3, b"abc".to_vec());
            let mut all = Vec::<u8>::new();
            loop {
                let mut part = vec![0; step];
                let read = patched.read(&mut part).unwrap();
                if read == 0 {
                    break;
                }
                all.extend(&part[..read]);
            }
            assert_eq!(all, b"012abc6789", "{step} bytes at a time");
        }
    }

    #[test]
    fn a_stretch_follows_its_head() {
        let mut spliced = FileStretch::behind(b"head ".to_vec(), file(), 3..8);
        let mut all = String::new();
        spliced.read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), spliced.byte_len()), ("head 34567", Some(10)));
        spliced.seek(SeekFrom::Start(3)).unwrap();
        let mut part = [0; 4];
        spliced.read_exact(&mut part).unwrap();
        assert_eq!(&part, b"d 34");
    }
}
