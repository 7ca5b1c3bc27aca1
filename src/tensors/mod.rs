//! Named tensors of weight files that others wrote: TensorFlow's frozen graphs, PyTorch's checkpoints, safetensors.
//!
//! Owns: recognising such a file by its content, and reading a tensor out of it as f32. Must not: know of networks, or write.
//!
//! Whatever the bytes say, nothing panics, and memory is bounded: a file's bytes once at most, and one tensor of the shape that the
//! caller expects. No length of a file is believed before it has been held against the file's size.

mod checkpoint;
mod error;
mod graph_def;
mod pickle_length;
mod protobuf;
mod safetensors_file;
mod sha256;

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use checkpoint::Checkpoint;
pub use error::{TensorError, TensorErrorKind};
use graph_def::GraphDef;
use safetensors_file::SafetensorsFile;
pub use safetensors_file::split as split_safetensors;
pub use sha256::{Sha256Writer, hub_hash, sha256_of_file, sha256_of_slice};

use crate::plain_file;

/// Larger files are refused unread: VGGish, the largest network, has 289 MB.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// How a file holds its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightFormat {
    /// A serialised `GraphDef` whose weights are `Const` nodes (`.pb`).
    TensorFlow,
    /// What `torch.save` writes, as a zip archive or in the older way (`.pth`, `.pt`).
    PyTorch,
    /// Hugging Face's safetensors.
    Safetensors,
}

impl fmt::Display for WeightFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TensorFlow => "TensorFlow graph",
            Self::PyTorch => "PyTorch checkpoint",
            Self::Safetensors => "safetensors",
        })
    }
}

/// What a tensor is called and what shape it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file's own layout.
    pub shape: Vec<usize>,
}

/// A weight file, open for reading.
pub struct TensorFile {
    path: PathBuf,
    contents: Contents,
}

enum Contents {
    Graph(GraphDef),
    Checkpoint(Checkpoint),
    Safetensors(SafetensorsFile),
}

impl TensorFile {
    /// Opens a weight file; which kind it is, its content says and not its name.
    ///
    /// # Errors
    /// A file that cannot be read, that is none of the three kinds, too large, cut off or damaged.
    pub fn open(path: &Path) -> Result<Self, TensorError> {
        Self::open_kind(path).map_err(|kind| kind.at(path))
    }

    fn open_kind(path: &Path) -> Result<Self, TensorErrorKind> {
        let mut file = plain_file::open(path)?;
        let about = file.metadata()?;
        if about.len() > MAX_FILE_BYTES {
            return Err(TensorErrorKind::TooLarge { bytes: about.len() });
        }
        let mut head = Vec::new();
        file.by_ref().take(64).read_to_end(&mut head)?;
        let contents = match recognise(&head)? {
            WeightFormat::PyTorch => Contents::Checkpoint(Checkpoint::open(path)?),
            format => {
                let mut bytes = head;
                bytes.reserve_exact(usize::try_from(about.len()).unwrap_or(0).saturating_sub(bytes.len()));
                // A file that grows while it is read ends where the limit is.
                file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
                match format {
                    WeightFormat::Safetensors => Contents::Safetensors(SafetensorsFile::parse(bytes)?),
                    _ => Contents::Graph(GraphDef::parse(bytes)?),
                }
            }
        };
        Ok(Self { path: path.to_owned(), contents })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of file it is.
    #[must_use]
    pub fn format(&self) -> WeightFormat {
        match &self.contents {
            Contents::Graph(_) => WeightFormat::TensorFlow,
            Contents::Checkpoint(_) => WeightFormat::PyTorch,
            Contents::Safetensors(_) => WeightFormat::Safetensors,
        }
    }

    /// The tensor called `name`, or the only one whose name ends with it at a border (`model/vggish/fc2/biases` where `vggish/fc2/biases`
    /// is asked for); none if there is none.
    ///
    /// # Errors
    /// Several that would do, or a file that is damaged there.
    pub fn find(&self, name: &str) -> Result<Option<TensorInfo>, TensorError> {
        let found = match &self.contents {
            Contents::Graph(graph) => graph.find(name),
            Contents::Checkpoint(checkpoint) => checkpoint.find(name),
            Contents::Safetensors(file) => file.find(name),
        };
        found.map_err(|kind| kind.at(&self.path))
    }

    /// Looks whether the tensor that [`Self::find`] finds is there and has the shape `expected`, without reading its values.
    ///
    /// # Errors
    /// If it is missing or of another shape, and those of [`Self::find`].
    pub fn expect(&self, name: &str, expected: &[usize]) -> Result<(), TensorError> {
        match self.find(name)? {
            None => Err(TensorErrorKind::missing(name, expected).at(&self.path)),
            Some(found) if found.shape != expected => Err(TensorErrorKind::shape(&found.name, expected, &found.shape).at(&self.path)),
            Some(_) => Ok(()),
        }
    }

    /// The values, row-major, of the tensor that [`Self::find`] finds; it must have the shape `expected` and hold finite f32.
    ///
    /// # Errors
    /// A tensor that is missing, of another shape or type, cut off, or that holds NaN or infinity; and those of [`Self::find`].
    pub fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorError> {
        self.read_kind(name, expected).map_err(|kind| kind.at(&self.path))
    }

    fn read_kind(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorErrorKind> {
        let values = match &self.contents {
            Contents::Graph(graph) => graph.read(name, expected),
            Contents::Checkpoint(checkpoint) => checkpoint.read(name, expected),
            Contents::Safetensors(file) => file.read(name, expected),
        }?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(position) => Err(TensorErrorKind::Value { tensor: name.to_owned(), position, value: values[position] }),
            None => Ok(values),
        }
    }
}

/// Which kind of file begins with these bytes.
fn recognise(head: &[u8]) -> Result<WeightFormat, TensorErrorKind> {
    let no_weights = |what: &str| Err(TensorErrorKind::NotWeights(what.to_owned()));
    if head.is_empty() {
        return no_weights("it is empty (0 bytes)");
    }
    if Checkpoint::begins_with(head) {
        return Ok(WeightFormat::PyTorch);
    }
    if SafetensorsFile::begins_with(head) {
        return Ok(WeightFormat::Safetensors);
    }
    let text = head.trim_ascii_start();
    if text.first() == Some(&b'<') {
        return no_weights("it is a web page; download the file itself");
    }
    if text.starts_with(b"version https://git-lfs") {
        return no_weights("it is Git LFS's pointer to the file; get the file itself");
    }
    if GraphDef::begins_with(head) { Ok(WeightFormat::TensorFlow) } else { no_weights("its first bytes are of another kind of file") }
}

/// Whether `found` is `wanted`, or ends with it behind a `/` or a `.`.
fn names_match(found: &str, wanted: &str) -> bool {
    found.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with(['/', '.']))
}

/// The one of `names` that is `wanted`, or else the only one that ends with it.
fn pick<'n>(names: impl Iterator<Item = &'n str>, wanted: &str) -> Result<Option<&'n str>, TensorErrorKind> {
    let mut best: Option<&str> = None;
    for name in names.filter(|name| names_match(name, wanted)) {
        match best {
            _ if name == wanted => return Ok(Some(name)),
            Some(other) if other != name => {
                return Err(TensorErrorKind::Ambiguous { tensor: wanted.to_owned(), one: other.to_owned(), other: name.to_owned() });
            }
            _ => best = Some(name),
        }
    }
    Ok(best)
}

/// A name out of a file, at most as long as a line.
fn short(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Little-endian bytes as f32.
fn values_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_itself_or_behind_a_border() {
        let names = ["model/vggish/conv1/weights", "xvggish/conv1/biases", "state.features.0.bias"];
        let pick = |wanted| pick(names.into_iter(), wanted);
        assert_eq!(pick("vggish/conv1/weights").unwrap(), Some(names[0]));
        assert_eq!(pick("vggish/conv1/biases").unwrap(), None);
        assert_eq!(pick("features.0.bias").unwrap(), Some(names[2]));
    }

    #[test]
    fn a_name_that_several_tensors_have_is_an_error_unless_one_is_it_exactly() {
        let error = pick(["a/fc2/biases", "b/fc2/biases"].into_iter(), "fc2/biases").unwrap_err();
        assert!(error.to_string().contains("'a/fc2/biases'") && error.to_string().contains("'b/fc2/biases'"), "{error}");
        assert_eq!(pick(["a/fc2/biases", "fc2/biases"].into_iter(), "fc2/biases").unwrap(), Some("fc2/biases"));
    }

    #[test]
    fn what_is_no_weight_file_is_told_by_its_first_bytes() {
        let said = |head: &[u8]| recognise(head).unwrap_err().to_string();
        assert!(said(b"").contains("empty"));
        assert!(said(b"\n<!DOCTYPE html>").contains("web page"));
        assert!(said(b"version https://git-lfs.github.com/spec/v1\n").contains("Git LFS"));
        assert!(said(b"RIFF....WAVE").contains("another kind"));
        assert_eq!(recognise(b"PK\x03\x04").unwrap(), WeightFormat::PyTorch);
    }
}
