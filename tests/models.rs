//! `tagscape models` from outside: VGGish from every kind of file, and what is refused.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tagscape::matrix::RowSource as _;
use tagscape::store::Collection;
use tempfile::TempDir;

use crate::common::compare::check_close;
use crate::common::program::growing;
use crate::common::{made_up, npy, weight_files};

/// A user without a network of their own.
struct User {
    folder: TempDir,
}

impl User {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stored(&self) -> PathBuf {
        self.path("data/models/audioset-vggish.safetensors")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
        command.env("TAGSCAPE_USER_DATA", self.path("data")).current_dir(self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", errors(&output)))
    }

    /// Writes a file, adds it, deletes it, and gives the sum of the tensors that were stored.
    fn add(&self, name: &str, write: impl Fn(&Path)) -> String {
        write(&self.path(name));
        let added = self.json(&["models", "add", "vggish", name, "--json"]);
        std::fs::remove_file(self.path(name)).unwrap();
        assert_eq!(added["source"]["file"], name);
        assert_eq!(Path::new(added["path"].as_str().unwrap()), self.stored());
        added["tensors_sha256"].as_str().unwrap().to_owned()
    }

    /// The one line with which a file is refused.
    fn refusal(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        let output = self.run(&["models", "add", "vggish", name]);
        assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
        let files = std::fs::read_dir(self.path("data/models")).map_or(0, Iterator::count);
        assert_eq!(files, 0, "nothing is left behind");
        let said = errors(&output);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with(&format!("tagscape: {name}: ")), "{said}");
        said
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn golden(name: &str) -> npy::Array {
    npy::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nn/nebula").join(name))
}

/// The excerpt as 32-bit floating point at 16 kHz, so that nothing is rounded or resampled.
fn float_wav(samples: &[f32]) -> Vec<u8> {
    let length = samples.len() as u32 * 4;
    let mut bytes =
        [b"RIFF", &(36 + length).to_le_bytes(), &b"WAVEfmt \x10\0\0\0\x03\0\x01\0\x80\x3e\0\0\0\xfa\0\0\x04\0\x20\0data"[..]].concat();
    bytes.extend(length.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[test]
fn vggish_from_a_frozen_graph_gives_the_references_embeddings_beside_the_four_networks() {
    let user = User::new();
    let sum = user.add("audioset-vggish-3.pb", |path| weight_files::write_graph(path, "model/"));
    std::fs::write(user.path("nebula.wav"), float_wav(&golden("audio_16k.npy").values)).unwrap();
    let output = user.run(&["extract", "nebula.wav", "--out", "c.tagscape", "--models", "all"]);
    assert_eq!((output.status.code(), errors(&output).as_str()), (Some(0), ""));
    let collection = Collection::open(&user.path("c.tagscape")).unwrap();
    assert_eq!(collection.spaces().len(), 9);
    let matrix = collection.matrix("audioset-vggish-embeddings".parse().unwrap()).unwrap();
    let expected = golden("vggish-splitmix-embeddings.npy");
    assert_eq!(expected.shape, [matrix.rows(), matrix.dims()]);
    let mut found = vec![0.0; expected.values.len()];
    matrix.read_rows(0..matrix.rows(), &mut found).unwrap();
    let largest = expected.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let difference = check_close("embeddings", &found, &expected.values, 1e-3 * largest).unwrap();
    println!("largest difference {:e} of {largest}", difference.largest);

    let listed = user.json(&["models", "list", "--json"]);
    let vggish = &listed["models"][4];
    assert_eq!((&vggish["name"], &vggish["state"]), (&"audioset-vggish".into(), &"added".into()));
    assert_eq!((vggish["tensors_sha256"].as_str(), vggish["source"]["format"].as_str()), (Some(sum.as_str()), Some("TensorFlow graph")));
    assert_eq!(user.run(&["models", "verify"]).status.code(), Some(0));

    // One bit of a weight.
    let mut file = std::fs::File::options().write(true).open(user.stored()).unwrap();
    file.seek(SeekFrom::Start(100_000_000)).unwrap();
    file.write_all(&[0x5A]).unwrap();
    let output = user.run(&["models", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("audioset-vggish.safetensors") && errors(&output).contains("models add"), "{}", errors(&output));
    let output = user.run(&["extract", "nebula.wav", "--out", "d.tagscape", "--models", "vggish"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("are damaged") && errors(&output).contains("models add"), "{}", errors(&output));
}

#[test]
fn every_kind_of_file_gives_the_same_tensors() {
    let user = User::new();
    let ours = user.add("ours.safetensors", |path| std::fs::write(path, made_up::vggish_safetensors()).unwrap());
    for (name, write) in [
        ("zip.pth", weight_files::write_zip_checkpoint as fn(&Path)),
        ("legacy.pth", weight_files::write_legacy_checkpoint),
        ("graph.pb", |path| weight_files::write_graph(path, "")),
    ] {
        assert_eq!(user.add(name, write), ours, "{name}");
    }
}

#[test]
fn without_vggish_all_means_four_networks_and_one_line_says_how_to_add_it() {
    let user = User::new();
    std::fs::write(user.path("nebula.wav"), float_wav(&golden("audio_16k.npy").values[..64_000])).unwrap();
    let output = user.run(&["extract", "nebula.wav", "--out", "c.tagscape"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let said = errors(&output);
    assert!(said.lines().count() == 1 && said.contains("tagscape models add audioset-vggish audioset-vggish-3.pb"), "{said}");
    assert_eq!(Collection::open(&user.path("c.tagscape")).unwrap().spaces().len(), 8);
    let output = user.run(&["extract", "nebula.wav", "--out", "d.tagscape", "--models", "vggish"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("tagscape models add audioset-vggish"), "{}", errors(&output));
    assert!(!user.path("d.tagscape").exists());
    let listed = user.json(&["models", "list", "--json"]);
    let states: Vec<_> = listed["models"].as_array().unwrap().iter().map(|model| model["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["inside", "inside", "inside", "inside", "missing"]);
    assert!(listed["models"][4]["downloads"][0]["url"].as_str().unwrap().ends_with("audioset-vggish-3.pb"));
    assert!(listed["models"].as_array().unwrap().iter().all(|model| model["licence"].is_string()));
    let output = user.run(&["models", "verify"]);
    assert_eq!(output.status.code(), Some(0), "what is missing is not damaged: {}", errors(&output));
}

#[test]
fn a_file_that_is_not_vggish_is_refused_with_the_tensor_and_both_shapes() {
    let user = User::new();
    let graph = |name: &'static str, with: Option<(Vec<usize>, f32)>| {
        weight_files::small_graph(|tensor, shape, value| if tensor == name { with.clone() } else { Some((shape.to_vec(), value)) })
    };
    let said = user.refusal("a.pb", &graph("conv2.bias", None));
    assert!(said.contains("lacks the tensor 'vggish/conv2/biases', [128]"), "{said}");
    let said = user.refusal("b.pb", &graph("fc2.kernel", Some((vec![128, 4096], 0.0))));
    assert!(said.contains("'vggish/fc2/weights' has the shape [128, 4096], not [4096, 128]"), "{said}");
    let said = user.refusal("c.pb", &graph("conv1.bias", Some((vec![64], f32::NAN))));
    assert!(said.contains("'vggish/conv1/biases' holds NaN at position 0"), "{said}");
    let whole = graph("", None);
    let said = user.refusal("d.pb", &whole[..whole.len() - 30]);
    assert!(said.contains("cut off or damaged"), "{said}");
    assert!(user.refusal("e.pb", b"MZ\x90\0").contains("is no weight file"));
    let said = user.refusal("vggish-10086976.pth", &std::fs::read(fixture("torch-legacy.pth")).unwrap());
    assert!(said.contains("sha256 begins with 10086976, and it begins with"), "{said}");
    let said = user.refusal("vggish.pth", &std::fs::read(fixture("torch-legacy.pth")).unwrap());
    assert!(said.contains("'features.0.weight' has the shape [3, 4], not [64, 1, 3, 3]"), "{said}");
    let musicnn = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/mtt-musicnn.safetensors");
    let said = user.refusal("m.safetensors", &std::fs::read(musicnn).unwrap());
    assert!(said.contains("lacks the tensor 'conv1.kernel', [3, 3, 1, 64]"), "{said}");
}

#[test]
fn a_network_that_is_inside_is_not_added_and_an_unknown_one_is_told_the_names() {
    let user = User::new();
    let output = user.run(&["models", "add", "mtt-vgg", "x.pb"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("mtt-vgg is inside the program already"), "{}", errors(&output));
    let output = user.run(&["models", "add", "resnet", "x.pb"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("audioset-vggish"), "{}", errors(&output));
}

#[test]
fn a_kill_while_adding_leaves_what_was_there() {
    let user = User::new();
    std::fs::write(user.path("small.pb"), weight_files::small_graph(|_, shape, value| Some((shape.to_vec(), value)))).unwrap();
    let add = ["models", "add", "vggish", "small.pb"];
    let part = || growing(&user.path("data/models/audioset-vggish.safetensors"));
    let killed_at = |bytes: u64| {
        let mut child = user.command(&add).spawn().unwrap();
        while part().and_then(|part| std::fs::metadata(part).ok()).map_or(0, |about| about.len()) < bytes
            && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        // It may have ended by itself, which is as good.
        let _ = child.kill();
        child.wait().unwrap();
    };
    for bytes in [1, 50_000_000, 288_000_000] {
        killed_at(bytes);
        let whole = user.json(&["models", "list", "--json"]);
        assert_ne!(whole["models"][4]["state"], "damaged", "killed at {bytes} bytes");
    }
    assert_eq!(user.run(&add).status.code(), Some(0));
    assert_eq!(part(), None);
    killed_at(100_000_000);
    assert_eq!(user.run(&["models", "verify"]).status.code(), Some(0));
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}
