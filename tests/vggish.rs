//! VGGish with made-up weights against the originals: Essentia's embeddings from the same spectrograms, and TensorFlow's inner layers from the
//! same patch (fixtures: `tests/fixtures/nn/README.md`).

use std::path::PathBuf;
use std::sync::OnceLock;

use safetensors::SafeTensors;
use tagscape::catalog::ModelKey;
use tagscape::nn::{MusicnnLayer, Tagger};

use crate::common::compare::check_close;
use crate::common::made_up::vggish_safetensors;
use crate::common::npy::{Array, read};

const TOLERANCE: f32 = 1e-3;
const PATCH: usize = 96 * 64;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nn")
}

fn golden(excerpt: &str, name: &str) -> Array {
    read(&fixtures().join(excerpt).join(name))
}

fn key() -> ModelKey {
    "vggish".parse().unwrap()
}

/// One for all tests: it is 288 MB.
fn network() -> &'static Tagger {
    static NETWORK: OnceLock<Tagger> = OnceLock::new();
    NETWORK.get_or_init(|| Tagger::load(key(), &vggish_safetensors(), MusicnnLayer::default()).unwrap())
}

#[test]
fn embeddings_are_those_of_the_reference() {
    for excerpt in ["mountain", "caves", "nebula"] {
        let mel = golden(excerpt, "vggish_mel.npy");
        let patches: Vec<&[f32]> = mel.values.chunks_exact(PATCH).collect();
        let features = network().infer(&patches).unwrap();
        assert_eq!(features.taggrams, None);
        let expected = golden(excerpt, "vggish-splitmix-embeddings.npy");
        assert_eq!(expected.shape, [13, 128]);
        let largest = expected.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let difference = check_close(excerpt, features.embeddings.values(), &expected.values, TOLERANCE * largest).unwrap();
        println!("{excerpt}: largest difference {:e} of {:e}", difference.largest, TOLERANCE * largest);
    }
}

/// Every inner layer against TensorFlow's, in order: the first that differs is the one to look at.
fn compare_layers(network: &Tagger) -> Result<usize, String> {
    let bytes = std::fs::read(fixtures().join("layers-vggish-splitmix.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let layers = network.layers(&golden("nebula", "vggish_mel.npy").values[..PATCH]).unwrap();
    assert_eq!(layers.len() * 2, expected.len(), "every layer of the fixture is compared");
    for layer in &layers {
        let numbers = expected.tensor(&format!("{}.every", layer.name)).unwrap();
        let numbers: Vec<usize> = numbers.data().as_chunks::<8>().0.iter().map(|&bytes| u64::from_le_bytes(bytes) as usize).collect();
        let [every, length] = numbers[..] else { panic!("{}: a stride and a length", layer.name) };
        assert_eq!(layer.values.len(), length, "{}", layer.name);
        let kept: Vec<f32> = layer.values.iter().copied().step_by(every).collect();
        let reference = expected.tensor(layer.name).unwrap();
        let reference: Vec<f32> = reference.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let largest = reference.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
        let difference = check_close(layer.name, &kept, &reference, 1e-4 * largest)?;
        println!("{}: largest difference {:e}, largest value {largest}", layer.name, difference.largest);
    }
    Ok(layers.len())
}

#[test]
fn every_layer_is_that_of_tensorflow() {
    assert_eq!(compare_layers(network()), Ok(9));
}

#[test]
fn a_perturbed_weight_is_rejected_and_its_layer_is_named() {
    let mut bytes = vggish_safetensors();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor("conv4_1.bias").unwrap();
    let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
    for value in bytes[start..start + 4 * 512].as_chunks_mut::<4>().0 {
        *value = (f32::from_le_bytes(*value) + 0.05).to_le_bytes();
    }
    let perturbed = Tagger::load(key(), &bytes, MusicnnLayer::default()).unwrap();
    drop(bytes);
    let error = compare_layers(&perturbed).unwrap_err();
    assert!(error.starts_with("conv4_1:"), "{error}");
}

#[test]
fn a_segment_depends_on_its_patch_alone_bit_for_bit() {
    let network = network();
    let mel = golden("caves", "vggish_mel.npy");
    // 24 patches, overlapping: more than one batch.
    let patches: Vec<&[f32]> = (0..24).map(|i| &mel.values[i * 48 * 64..][..PATCH]).collect();
    let together = network.infer(&patches).unwrap().embeddings;
    let alone: Vec<_> = std::thread::scope(|scope| {
        let run = |row: usize| {
            let patch = patches[row];
            (row, scope.spawn(move || network.infer(&[patch]).unwrap()))
        };
        let runs: Vec<_> = [0, 7, 15, 16, 23].map(run).into();
        runs.into_iter().map(|(row, run)| (row, run.join().unwrap().embeddings)).collect()
    });
    for (row, alone) in alone {
        assert_eq!(together.row(row), alone.row(0), "segment {row}");
    }
    // Every position of a batch, and other neighbours.
    let turned: Vec<&[f32]> = patches.iter().copied().cycle().skip(5).take(24).collect();
    let turned = network.infer(&turned).unwrap().embeddings;
    for row in 0..24 {
        assert_eq!(together.row((row + 5) % 24), turned.row(row), "segment {row}");
    }
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| network.infer(&patches[..13]).unwrap());
    assert_eq!(single.embeddings.values(), &together.values()[..13 * 128]);
    assert_ne!(together.row(0), together.row(1), "different patches are told apart");
}

#[test]
fn weights_that_are_not_vggishs_are_refused_with_the_first_bad_tensor() {
    let refusal = |bytes: &[u8]| Tagger::load(key(), bytes, MusicnnLayer::default()).err().unwrap().to_string();
    let view = |shape, data| safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, data).unwrap();
    let data = vec![0; 9 * 64 * 4];
    let file = safetensors::serialize([("conv1.kernel", view(vec![3, 3, 1, 64], &data))], None).unwrap();
    assert_eq!(refusal(&file), "the weights of audioset-vggish lack the tensor 'conv1.bias', [64]");
    let file = safetensors::serialize([("conv1.kernel", view(vec![3, 3, 64, 1], &data))], None).unwrap();
    assert!(refusal(&file).ends_with("the tensor 'conv1.kernel' has the shape [3, 3, 64, 1], not [3, 3, 1, 64]"));
    assert!(refusal(&[]).starts_with("the weights of audioset-vggish cannot be read: "));
}
