//! Whose the networks are, under which licence, and where a user gets those that are not inside the program.

use crate::catalog::{Architecture, ModelKey};

/// A file that can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// Where it is.
    pub url: &'static str,
    /// Whose it is.
    pub from: &'static str,
    /// Its licence.
    pub licence: &'static str,
}

/// Sources: Essentia's documentation, `doc/sphinxdoc/models.rst`; torchvggish's `hubconf.py` and licence, which is that of
/// `tensorflow/models`, whose weights it has.
const VGGISH: [Download; 2] = [
    Download {
        url: "https://essentia.upf.edu/models/feature-extractors/vggish/audioset-vggish-3.pb",
        from: "Essentia's models (Music Technology Group, Universitat Pompeu Fabra)",
        licence: "CC BY-NC-SA 4.0",
    },
    Download {
        url: "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
        from: "torchvggish, a port of Google's release to PyTorch",
        licence: "Apache-2.0",
    },
];

/// The files that can be added for a network; none for those inside the program.
#[must_use]
pub fn downloads(model: ModelKey) -> &'static [Download] {
    if model.architecture == Architecture::Vggish { &VGGISH } else { &[] }
}

/// One line for a user without a network: what to do.
#[must_use]
pub fn how_to_get(model: ModelKey) -> String {
    match downloads(model).first() {
        Some(Download { url, .. }) => {
            let file = url.rsplit('/').next().unwrap_or(url);
            format!("to add {model}, get {url} and run `tagscape models add {model} {file}`")
        }
        None => format!("install tagscape again: {model} belongs inside of it"),
    }
}

/// A network's licence; of an added one, that of the file it came from.
#[must_use]
pub fn licence(model: ModelKey) -> &'static str {
    match model.architecture {
        Architecture::MusiCnn | Architecture::Vgg => "ISC",
        Architecture::Vggish => "its file's: CC BY-NC-SA 4.0 (Essentia) or Apache-2.0 (torchvggish)",
    }
}
