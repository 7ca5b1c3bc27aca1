//! Weight files that TensorFlow and PyTorch themselves wrote (`tests/fixtures/weights/make.py`), and what is wrong with others.

use std::path::{Path, PathBuf};

use tagscape::tensors::{TensorErrorKind, TensorFile, WeightFormat};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

/// `[4, 3]`, its value ten times the row plus the column.
fn kernel() -> Vec<f32> {
    (0..12).map(|i| (10 * (i / 3) + i % 3) as f32).collect()
}

#[test]
fn a_graph_that_tensorflow_froze_is_read() {
    let file = TensorFile::open(&fixture("tensorflow-frozen.pb")).unwrap();
    assert_eq!(file.format(), WeightFormat::TensorFlow);
    assert_eq!(file.read("vggish/fc2/weights", &[4, 3]).unwrap(), kernel());
    assert_eq!(file.read("vggish/fc2/biases", &[5]).unwrap(), [0.25; 5]);
    // TensorFlow keeps one value for all where it can.
    assert_eq!(file.read("same", &[2, 3]).unwrap(), [7.0; 6]);
    let error = file.read("vggish/fc2/weights", &[3, 4]).unwrap_err();
    assert!(error.to_string().ends_with("its tensor 'model/vggish/fc2/weights' has the shape [4, 3], not [3, 4]"), "{error}");
}

#[test]
fn both_forms_of_what_pytorch_saves_are_read_also_where_a_tensor_is_a_transposed_view() {
    for name in ["torch-zip.pth", "torch-legacy.pth"] {
        let file = TensorFile::open(&fixture(name)).unwrap();
        assert_eq!(file.format(), WeightFormat::PyTorch, "{name}");
        let transposed: Vec<f32> = (0..12).map(|i| (10 * (i % 4) + i / 4) as f32).collect();
        assert_eq!(file.read("features.0.weight", &[3, 4]).unwrap(), transposed, "{name}");
        assert_eq!(file.read("features.0.bias", &[3]).unwrap(), [0.5, -0.5, 1.5], "{name}");
        assert!(matches!(file.read("half", &[2]).unwrap_err().kind, TensorErrorKind::Type { .. }), "{name}");
        assert!(matches!(file.read("features.3.weight", &[2]).unwrap_err().kind, TensorErrorKind::Missing { .. }), "{name}");
    }
}

#[test]
fn every_weight_file_cut_off_anywhere_is_an_error_or_lacks_a_tensor() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tensorflow-frozen.pb", "torch-zip.pth", "torch-legacy.pth"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            let path = folder.path().join("cut");
            std::fs::write(&path, &whole[..length]).unwrap();
            let Ok(file) = TensorFile::open(&path) else { continue };
            let (name, shape, values) = if name.ends_with("pb") {
                ("same", &[2, 3][..], vec![7.0; 6])
            } else {
                ("features.0.bias", &[3][..], vec![0.5, -0.5, 1.5])
            };
            // A graph ends with a version that nobody asks for.
            let last = file.read(name, shape);
            assert!(last.is_err() || length + 8 > whole.len() && last.unwrap() == values, "{name}, {length} of {} bytes", whole.len());
        }
    }
}

#[test]
fn what_is_no_weight_file_is_named_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let said = |bytes: &[u8]| {
        let path = folder.path().join("some.pb");
        std::fs::write(&path, bytes).unwrap();
        let said = TensorFile::open(&path).err().unwrap().to_string();
        assert!(said.contains("some.pb: "), "{said}");
        said
    };
    assert!(said(b"").contains("is empty"));
    assert!(said(b"<!DOCTYPE html><html>").contains("web page"));
    assert!(said(b"RIFF\x24\0\0\0WAVEfmt ").contains("no weight file"));
    assert!(said(b"\x0A\x05hello").contains("no weight file"));
    assert!(TensorFile::open(folder.path()).err().unwrap().to_string().contains("is not a file"));
    assert!(TensorFile::open(&folder.path().join("none")).err().unwrap().to_string().contains("cannot be read"));
}
