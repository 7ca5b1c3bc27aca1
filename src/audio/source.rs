//! A file's bytes up to a limit, as symphonia reads them.
//!
//! MP3 streams have no end mark, and symphonia would take a cover picture in a tag behind the last frame for audio; so that an
//! MP3 is read up to the end of its last frame and no further (`mpeg` finds it).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// The first `len` bytes of a file.
pub(super) struct BoundedFile {
    file: File,
    position: u64,
    len: u64,
}

impl BoundedFile {
    /// Reads `file` from its beginning up to `len` bytes.
    pub(super) fn new(mut file: File, len: u64) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self { file, position: 0, len })
    }
}

impl Read for BoundedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let read = self.file.read(&mut into[..wanted])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for BoundedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => i128::from(offset),
            SeekFrom::Current(offset) => i128::from(self.position) + i128::from(offset),
            SeekFrom::End(offset) => i128::from(self.len) + i128::from(offset),
        };
        let target = u64::try_from(target).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        self.position = self.file.seek(SeekFrom::Start(target))?;
        Ok(self.position)
    }
}

impl MediaSource for BoundedFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn nothing_behind_the_limit_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut bounded = BoundedFile::new(file, 6).unwrap();
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
}
