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
    assert!(TensorFile::open(folder.path()).err().unwrap().to_string().contains("is a folder, not a file"));
    assert!(TensorFile::open(&folder.path().join("none")).err().unwrap().to_string().contains("cannot be read"));
}

/// A zip archive of one entry, which says that it has so many bytes.
fn archive(name: &str, data: &[u8], method: u16, declared: u32) -> Vec<u8> {
    let lengths = [(data.len() as u32).to_le_bytes(), declared.to_le_bytes()].concat();
    let about = [&[20, 0, 0, 0][..], &method.to_le_bytes(), &[0; 8], &lengths, &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
    let local = [b"PK\x03\x04", &about[..], name.as_bytes(), data].concat();
    let directory = [b"PK\x01\x02\x14\0", &about[..], &[0; 10], &[0; 4], name.as_bytes()].concat();
    let places = [(directory.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &places[..], &[0, 0]].concat();
    [local, directory, end].concat()
}

#[test]
fn a_checkpoint_that_would_grow_in_memory_is_refused_by_what_it_declares() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.pth");
    let said = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        TensorFile::open(&path).err().unwrap().to_string()
    };
    // Each byte would be an object of some seventy.
    let nones = [&b"\x80\x02("[..], &vec![b'N'; 4 << 20], b"t."].concat();
    let large = archive("archive/data.pkl", &nones, 0, nones.len() as u32);
    assert!(said(&large).contains("'archive/data.pkl' would have 4194309 bytes, and no network's pickle"), "{}", said(&large));
    let small = b"\x80\x02}.";
    assert!(said(&archive("archive/data.pkl", small, 8, 90 << 20)).contains("no network's pickle has more than 1048576"));
    assert!(said(&archive("archive/data/0", small, 8, 3 << 30)).contains("no tensor has more than"));
    assert!(said(&archive("archive/data/0", small, 0, 1 << 30)).contains("the file itself has"));
    let legacy = [&b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."[..], b"\x80\x02}.", &nones].concat();
    assert!(said(&legacy).contains("no end within the 1048576 bytes"), "{}", said(&legacy));
    let mut tar = [&legacy[..60], &[0; 300]].concat();
    tar[257..262].copy_from_slice(b"ustar");
    assert!(said(&tar).contains("tar archive"), "{}", said(&tar));
}
