//! The weights that a user added: one safetensors file a network in the user's data folder, written whole or not at all.
//!
//! The file's own metadata hold where it came from and the sha256 of its tensors' bytes, so that one rename brings all of it.

use std::io::{BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use super::error::ModelError;
use super::run_once;
use super::vggish_import::VggishImport;
use crate::app::resources::user_data_dir;
use crate::catalog::ModelKey;
use crate::nn::vggish::TENSORS;
use crate::plain_file;
use crate::tensors::{MAX_FILE_BYTES, Sha256Writer, TensorFile, sha256_of_slice, split_safetensors};
use crate::whole_file::WholeFile;

/// The folder in the user's data folder.
const FOLDER: &str = "models";
/// Stands in the header until the sum is known.
const NO_SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The file that weights came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub file: String,
    /// Which kind of file it was.
    pub format: String,
    /// Its sha256 in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// Weights in the user's data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedModel {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its sha256 in hexadecimal.
    pub sha256: String,
    /// The sha256 of the tensors' bytes alone: the same from whichever kind of file they came.
    pub tensors_sha256: String,
    /// What it was made from.
    pub origin: Origin,
}

/// Where a network's added weights lie.
pub(super) fn path_of(model: ModelKey) -> Result<PathBuf, ModelError> {
    let folder = user_data_dir().ok_or(ModelError::NoDataFolder)?.join(FOLDER);
    Ok(folder.join(format!("{model}.safetensors")))
}

/// Reads added weights and compares the sum of their tensors; `None` if they were not added.
pub(super) fn read(model: ModelKey) -> Result<Option<(Vec<u8>, AddedModel)>, ModelError> {
    let path = path_of(model)?;
    let bytes = match plain_file::read(&path, MAX_FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(source) => return Err(ModelError::Io { action: "read", path, source }),
    };
    let checked = check(&bytes);
    let added = checked.map(|(origin, tensors_sha256)| describe(path.clone(), &bytes, origin, tensors_sha256));
    let added = added.map_err(|why| ModelError::Damaged { model, path, why })?;
    Ok(Some((bytes, added)))
}

fn describe(path: PathBuf, bytes: &[u8], origin: Origin, tensors_sha256: String) -> AddedModel {
    AddedModel { path, bytes: bytes.len() as u64, sha256: sha256_of_slice(bytes), tensors_sha256, origin }
}

/// What the metadata say, and the sum of the tensors' bytes, if the tensors' bytes are those that were written.
fn check(bytes: &[u8]) -> Result<(Origin, String), String> {
    let (notes, data) = split_safetensors(bytes).map_err(|error| error.to_string())?;
    let note = |key: &str| notes.get(key).cloned().ok_or_else(|| "it was not written by `tagscape models add`".to_owned());
    let (written, found) = (note("tensors_sha256")?, sha256_of_slice(data));
    if written != found {
        return Err(format!("sha256 of its tensors {found}, expected {written}"));
    }
    let bytes = note("source_bytes")?.parse().unwrap_or(0);
    Ok((Origin { file: note("source_file")?, format: note("source_format")?, sha256: note("source_sha256")?, bytes }, found))
}

/// Writes weights beside their place, runs the network with them, and puts them there.
pub(super) fn write(model: ModelKey, source: TensorFile, origin: Origin) -> Result<AddedModel, ModelError> {
    let source_path = source.path().to_owned();
    let import = VggishImport::new(source)?;
    let path = path_of(model)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(ModelError::io("make the folder", folder))?;
    let whole = WholeFile::create(&path, &[])?;
    if whole.has_rival() {
        return Err(ModelError::Busy { path });
    }
    write_tensors(&whole, &import, &origin)?;
    drop(import);
    let (mut file, mut bytes) = (whole.file(), Vec::new());
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map_err(ModelError::io("read", &path))?;
    let (origin, sum) = check(&bytes).map_err(|why| ModelError::Damaged { model, path: path.clone(), why })?;
    run_once(model, &bytes).map_err(|why| ModelError::DoesNotRun { model, path: source_path, why })?;
    whole.finish()?;
    Ok(describe(path, &bytes, origin, sum))
}

fn write_tensors(whole: &WholeFile, import: &VggishImport, origin: &Origin) -> Result<(), ModelError> {
    let fail = || ModelError::io("write", whole.path());
    let (file, mut start) = (whole.file(), whole.file());
    let head = header(origin, NO_SUM);
    start.write_all(&(head.len() as u64).to_le_bytes()).and_then(|()| start.write_all(head.as_bytes())).map_err(fail())?;
    let mut writer = Sha256Writer::new(BufWriter::with_capacity(1 << 20, file));
    for (name, shape) in TENSORS {
        for value in import.read(name, shape)? {
            writer.write_all(&value.to_le_bytes()).map_err(fail())?;
        }
    }
    let (mut writer, sum) = writer.finish();
    writer.flush().map_err(fail())?;
    let head = header(origin, &sum);
    start.seek(SeekFrom::Start(size_of::<u64>() as u64)).and_then(|_| start.write_all(head.as_bytes())).map_err(fail())
}

/// The header of the file; its length does not depend on the sum.
fn header(origin: &Origin, sum: &str) -> String {
    let notes = json!({
        "source_file": origin.file,
        "source_format": origin.format,
        "source_sha256": origin.sha256,
        "source_bytes": origin.bytes.to_string(),
        "tensors_sha256": sum,
    });
    let mut header = Map::from_iter([("__metadata__".to_owned(), notes)]);
    let mut end = 0;
    for (name, shape) in TENSORS {
        let start = end;
        end += shape.iter().product::<usize>() * size_of::<f32>();
        header.insert(name.to_owned(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] }));
    }
    let mut text = serde_json::Value::Object(header).to_string();
    // Numbers begin at a multiple of 8, as the format asks for.
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { file: "a \"b\"\n.pb".into(), format: "TensorFlow graph".into(), sha256: "ab".into(), bytes: 3 }
    }

    /// A file as `write` makes it, but for its few bytes of tensors.
    fn written(data: &[u8]) -> Vec<u8> {
        let sum = sha256_of_slice(data);
        let notes =
            json!({ "source_file": "x.pb", "source_format": "f", "source_sha256": "ab", "source_bytes": "3", "tensors_sha256": sum });
        let header = json!({ "__metadata__": notes, "a": { "dtype": "F32", "shape": [data.len() / 4], "data_offsets": [0, data.len()] } });
        let header = header.to_string();
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn the_header_lists_every_tensor_and_is_as_long_with_any_sum() {
        let (before, after) = (header(&origin(), NO_SUM), header(&origin(), &sha256_of_slice(b"abc")));
        assert_eq!(before.len(), after.len());
        assert_eq!(before.len() % 8, 0);
        let parsed: serde_json::Value = serde_json::from_str(&after).unwrap();
        assert_eq!(parsed.as_object().unwrap().len(), 19);
        assert_eq!(parsed["fc2.bias"]["data_offsets"][1], 4 * 72_141_184);
        assert_eq!(parsed["__metadata__"]["source_file"], "a \"b\"\n.pb");
    }

    #[test]
    fn one_changed_bit_of_a_tensor_is_noticed() {
        let mut bytes = written(&[0, 0, 0x80, 0x3F]);
        assert_eq!(check(&bytes).unwrap().0.file, "x.pb");
        *bytes.last_mut().unwrap() ^= 1;
        assert!(check(&bytes).unwrap_err().contains("sha256"));
        assert!(check(&bytes[..bytes.len() - 1]).is_err());
    }
}
