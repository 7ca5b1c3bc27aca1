//! A window onto a file's bytes that moves forward over it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;

/// Bytes of a file from some place on.
pub(super) struct FileWindow {
    file: File,
    len: u64,
    /// Where `bytes` begin.
    from: u64,
    bytes: Vec<u8>,
}

impl FileWindow {
    /// Onto a file of `len` bytes.
    pub(super) fn new(file: File, len: u64) -> Self {
        Self { file, len, from: 0, bytes: Vec::new() }
    }

    /// Length of the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The `count` bytes at `at`, or fewer at the file's end. Places should grow: going back reads anew.
    pub(super) fn bytes(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let count = count.min(usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX));
        if at < self.from || at > self.from + self.bytes.len() as u64 {
            (self.from, self.bytes) = (at, Vec::new());
        }
        let mut skip = (at - self.from) as usize;
        if self.bytes.len() < skip + count {
            self.bytes.drain(..skip);
            (self.from, skip) = (at, 0);
            let held = self.bytes.len();
            let wanted = count.max(BLOCK).min(usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX));
            self.bytes.resize(wanted.max(held), 0);
            self.file.seek(SeekFrom::Start(at + held as u64))?;
            if let Err(error) = self.file.read_exact(&mut self.bytes[held..]) {
                self.bytes.clear();
                return Err(error);
            }
        }
        Ok(&self.bytes[skip..skip + count])
    }

    /// Where the file has `data` first, from `at` on and beginning within `reach` bytes.
    pub(super) fn find(&mut self, data: &[u8], at: u64, reach: u64) -> io::Result<Option<u64>> {
        if data.is_empty() || self.bytes(at, data.len())? == data {
            return Ok(Some(at));
        }
        let last = at.saturating_add(reach).min(self.len.saturating_sub(data.len() as u64));
        let mut from = at;
        while from <= last {
            let block = self.bytes(from, BLOCK.max(data.len() + BLOCK / 2))?;
            let Some(tried) = (block.len() + 1).checked_sub(data.len()).filter(|&tried| tried > 0) else { return Ok(None) };
            let found = block.windows(data.len()).position(|part| part[0] == data[0] && part == data);
            if let Some(found) = found {
                let found = from + found as u64;
                return Ok((found <= last).then_some(found));
            }
            from += tried as u64;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn data_is_found_across_the_borders_of_blocks_and_not_beyond_the_reach() {
        let mut file = tempfile::tempfile().unwrap();
        let len = 3 * BLOCK;
        let mut bytes = vec![7_u8; len];
        for at in [BLOCK - 2, 2 * BLOCK + 5, len - 4] {
            bytes[at..at + 4].copy_from_slice(b"data");
        }
        file.write_all(&bytes).unwrap();
        let mut window = FileWindow::new(file, len as u64);
        let mut at = 0;
        for expected in [BLOCK - 2, 2 * BLOCK + 5, len - 4] {
            assert_eq!(window.find(b"data", at, u64::MAX).unwrap(), Some(expected as u64));
            assert_eq!(window.find(b"data", expected as u64, 0).unwrap(), Some(expected as u64));
            at = expected as u64 + 4;
        }
        assert_eq!(window.find(b"data", at, u64::MAX).unwrap(), None);
        assert_eq!(window.find(b"data", 0, 100).unwrap(), None);
        assert_eq!(window.bytes(len as u64 - 2, 10).unwrap(), b"ta");
        assert_eq!(window.bytes(0, 3).unwrap(), [7; 3]);
    }
}
