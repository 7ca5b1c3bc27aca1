//! Where the networks' weights come from: inside the program, or a file that the user added to their data folder.
//!
//! Four networks are inside ([`crate::nn::weights`]). VGGish is added from a file that others wrote: [`add`] turns it into the one form
//! that the program reads, `models/audioset-vggish.safetensors`, and [`weights_of`] gives both kinds.

mod about;
mod added;
mod error;
mod told;
mod vggish_import;

use std::borrow::Cow;
use std::path::Path;

pub use about::{Download, downloads, how_to_get, licence};
pub use added::{AddedModel, Origin};
pub use error::ModelError;
pub use told::is_news;

use crate::catalog::{Architecture, ModelKey};
use crate::nn::{MusicnnLayer, Tagger, spec, weights};
use crate::tensors::{TensorFile, hub_hash, sha256_of_file};

/// Whether a network's weights are there, damaged or not.
#[must_use]
pub fn is_there(model: ModelKey) -> bool {
    weights::embedded(model).is_some() || added::path_of(model).is_ok_and(|path| path.is_file())
}

/// The weights of a network: inside the program, or from the user's data folder, then with their checksum compared; `None` if they are nowhere.
///
/// # Errors
/// Weights that are damaged: an added file that cannot be read, or that is not as [`add`] wrote it.
pub fn weights_of(model: ModelKey) -> Result<Option<Cow<'static, [u8]>>, ModelError> {
    // What is inside the program is as good as the program: `verify` looks at it, not every extraction.
    if let Some(bytes) = weights::embedded(model) {
        return Ok(Some(Cow::Borrowed(bytes)));
    }
    Ok(added::read(model)?.map(|(bytes, _)| Cow::Owned(bytes)))
}

/// Adds a network's weights from a file that others wrote, whichever kind it is by its content.
///
/// Every tensor's name, shape and finiteness is checked, and the network runs once with what was written, before it takes the place of
/// what was there. A kill at any byte leaves what was there.
///
/// # Errors
/// A network that is inside the program already, a file that is not its weights, or what the disk refuses.
pub fn add(model: ModelKey, file: &Path) -> Result<AddedModel, ModelError> {
    if weights::embedded(model).is_some() || model.architecture != Architecture::Vggish {
        return Err(ModelError::Inside { model });
    }
    let tensors = TensorFile::open(file)?;
    let (sha256, bytes) = sha256_of_file(file)?;
    if let Some(expected) = hub_hash(file).filter(|expected| !sha256.starts_with(expected)) {
        let found = sha256[..expected.len()].to_owned();
        return Err(ModelError::HubHash { path: file.to_owned(), expected: expected.to_owned(), found });
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = Origin { file: name, format: tensors.format().to_string(), sha256, bytes };
    added::write(model, tensors, origin)
}

/// An added network as it lies in the user's data folder; `None` if it was not added.
///
/// # Errors
/// Those of [`weights_of`].
pub fn added(model: ModelKey) -> Result<Option<AddedModel>, ModelError> {
    Ok(added::read(model)?.map(|(_, added)| added))
}

/// Looks whether a network is as it should be: the checksum, and of an added one also every tensor, and one run. Gives whether it is there.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn verify(model: ModelKey) -> Result<bool, ModelError> {
    if let Some(bytes) = weights::embedded(model) {
        weights::verify(model, bytes)?;
        return Ok(true);
    }
    let Some((bytes, added)) = added::read(model)? else { return Ok(false) };
    run_once(model, &bytes).map_err(|why| ModelError::Damaged { model, path: added.path, why })?;
    Ok(true)
}

/// Runs a network on one made-up patch; whatever is wrong is said in words.
fn run_once(model: ModelKey, bytes: &[u8]) -> Result<(), String> {
    let tagger = Tagger::load(model, bytes, MusicnnLayer::default()).map_err(|error| error.to_string())?;
    // As loud as music is, and different everywhere.
    let patch: Vec<f32> = (0..spec(model).patch_values()).map(|i| ((i * 31) % 97) as f32 / 20.0 - 3.0).collect();
    let features = tagger.infer(&[&patch]).map_err(|error| error.to_string())?;
    match features.embeddings.values().iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("the network gives {value}")),
        None => Ok(()),
    }
}
