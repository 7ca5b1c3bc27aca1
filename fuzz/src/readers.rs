//! What a fuzz target does with some bytes: everything that the program would.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::audio::{decode_file, decode_mono_at, decode_span};
use crate::catalog::SegmentSpan;
use crate::matrix::RowSource;
use crate::store::Collection;
use crate::tensors::{TensorFile, split_safetensors};

/// A folder of this process's own, in memory where the system has such a place.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let memory = Path::new("/dev/shm");
    FOLDER.get_or_init(|| if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()).path()
}

/// Writes a file of this name and gives its path.
pub fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Names of tensors that the corpora's files have, and shapes that some of them have.
const TENSORS: [(&str, &[usize]); 6] = [
    ("vggish/fc2/weights", &[4, 3]),
    ("vggish/fc2/biases", &[5]),
    ("same", &[2, 3]),
    ("features.0.weight", &[3, 4]),
    ("features.0.bias", &[3]),
    ("a", &[2]),
];

/// Opens a weight file and reads whatever is asked of it.
pub fn weights(bytes: &[u8]) {
    let path = write("weights", bytes);
    let _ = split_safetensors(bytes);
    let Ok(file) = TensorFile::open(&path) else { return };
    for (name, shape) in TENSORS {
        let _ = file.find(name);
        if let Ok(values) = file.read(name, shape) {
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
        let _ = file.read(name, &[3, 3, 1, 64]);
    }
}

/// Decodes a file with this ending: whole, at its own rate or as the networks hear it, and a stretch of it.
pub fn audio(bytes: &[u8], ending: &str, is_resampled: bool) {
    let path = write(&format!("audio{ending}"), bytes);
    if is_resampled {
        if let Ok(track) = decode_mono_at(&path, 16_000) {
            assert!(track.duration_secs.is_finite() && track.duration_secs >= 0.0);
        }
    } else if let Ok(track) = decode_file(&path) {
        assert_eq!(track.pcm.samples.len() % track.pcm.channels, 0);
    }
    let _ = decode_span(&path, SegmentSpan { start_secs: 0.5, duration_secs: 0.25 });
}

/// Opens a collection and, where that works, reads all of it.
pub fn collection(path: &Path) {
    let Ok(collection) = Collection::open(path) else { return };
    let _ = (collection.audio_root(), collection.tracks().len());
    for space in collection.spaces().to_vec() {
        let _ = (collection.rows(space.key), collection.tags(space.key));
        let Ok(matrix) = collection.matrix(space.key) else { continue };
        assert_eq!(matrix.dims(), space.key.dims());
        let mut row = vec![0.0; matrix.dims()];
        for number in (0..matrix.rows()).take(64).chain(matrix.rows().checked_sub(1)) {
            matrix.read_rows(number..number + 1, &mut row);
        }
        for number in [0, 1, matrix.rows().saturating_sub(1), matrix.rows(), usize::MAX] {
            let _ = collection.span(space.key, number);
        }
    }
}

/// Before the first input: a panic in a foreign crate is no finding where the program catches it; where it does not, libFuzzer hears of it.
pub fn quiet_foreign_panics() {
    std::panic::set_hook(Box::new(|about| {
        let is_foreign = about.location().is_some_and(|place| place.file().contains("registry"));
        if !is_foreign {
            eprintln!("{about}");
        }
    }));
}
