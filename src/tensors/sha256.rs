//! Sums of whole files, and the one that PyTorch hub puts into a file's name.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{TensorError, TensorErrorKind};
use crate::plain_file;

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// The least digits that PyTorch hub's names have.
const HUB_DIGITS: usize = 8;

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sha256 of some bytes, in hexadecimal.
#[must_use]
pub fn sha256_of_slice(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The sha256 of a file and its size in bytes.
///
/// # Errors
/// What the disk refuses.
pub fn sha256_of_file(path: &Path) -> Result<(String, u64), TensorError> {
    let sum = || -> io::Result<(String, u64)> {
        let (mut file, mut sum, mut bytes) = (plain_file::open(path)?, Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = match file.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if read == 0 {
                return Ok((hex(&sum.finalize()), bytes));
            }
            sum.update(&chunk[..read]);
            bytes += read as u64;
        }
    };
    sum().map_err(|error| TensorErrorKind::Io(error).at(path))
}

/// The start of the sha256 that PyTorch hub's convention puts into a name (`NAME-10086976.pth`), if this name has one.
#[must_use]
pub fn hub_hash(path: &Path) -> Option<&str> {
    let is_checkpoint = path.extension().is_some_and(|ending| ending == "pth" || ending == "pt");
    let (_, digits) = path.file_stem()?.to_str()?.rsplit_once('-')?;
    let is_hash = (HUB_DIGITS..=64).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    Some(digits).filter(|_| is_checkpoint && is_hash)
}

/// Passes on what is written, and sums it.
pub struct Sha256Writer<W> {
    inner: W,
    sum: Sha256,
}

impl<W: Write> Sha256Writer<W> {
    /// Begins a sum.
    pub fn new(inner: W) -> Self {
        Self { inner, sum: Sha256::new() }
    }

    /// What was written to, and the sum.
    pub fn finish(self) -> (W, String) {
        (self.inner, hex(&self.sum.finalize()))
    }
}

impl<W: Write> Write for Sha256Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_ways_give_the_published_sum() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_slice(b"abc"), abc);
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Sha256Writer::new(file.as_file());
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        assert_eq!(writer.finish().1, abc);
        assert_eq!(sha256_of_file(file.path()).unwrap(), (abc.to_owned(), 3));
    }

    #[test]
    fn a_hash_in_a_name_is_eight_digits_or_more_before_the_ending() {
        let hash = |name: &'static str| hub_hash(Path::new(name));
        assert_eq!(hash("a/vggish-10086976.pth"), Some("10086976"));
        assert_eq!(hash("x-y-970ea276.pt"), Some("970ea276"));
        for none in ["vggish.pth", "vggish-1008.pth", "vggish-10086976.pb", "vggish-1008697G.pth", "vggish-10086976 (1).pth"] {
            assert_eq!(hash(none), None, "{none}");
        }
    }
}
