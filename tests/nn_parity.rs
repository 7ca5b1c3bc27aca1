//! The networks against the originals: Essentia's outputs from the same audio, and TensorFlow's inner layers from the same patch
//! (fixtures: `tests/fixtures/nn/README.md`).

use std::path::PathBuf;

use safetensors::SafeTensors;
use tagscape::catalog::ModelKey;
use tagscape::matrix::FeatureMatrix;
use tagscape::mel::{MelSpectrogram, log_mel};
use tagscape::nn::{MusicnnLayer, SegmentFeatures, Tagger, weights};

use crate::common::compare::check_close;
use crate::common::npy::{Array, read};

const TOLERANCE: f32 = 1e-3;
const EXCERPTS: [&str; 3] = ["mountain", "caves", "nebula"];
const TAGGERS: [&str; 4] = ["mtt-musicnn", "msd-musicnn", "mtt-vgg", "msd-vgg"];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nn")
}

fn golden(excerpt: &str, name: &str) -> Array {
    read(&fixtures().join(excerpt).join(name))
}

fn key(name: &str) -> ModelKey {
    name.parse().unwrap()
}

fn tagger(name: &str) -> Tagger {
    Tagger::embedded(key(name), MusicnnLayer::Penultimate).unwrap()
}

fn mel(excerpt: &str, tagger: &Tagger) -> MelSpectrogram {
    log_mel(&golden(excerpt, "audio_16k.npy").values, tagger.spec().mel)
}

fn features(excerpt: &str, tagger: &Tagger) -> SegmentFeatures {
    let mel = mel(excerpt, tagger);
    let patches: Vec<_> = mel.patches(tagger.spec().patch_frames, tagger.spec().patch_frames).collect();
    tagger.infer(&patches).unwrap()
}

/// `relative`: the tolerance is that part of the largest expected value.
fn check(what: &str, found: &FeatureMatrix, expected: &Array, relative: bool) {
    assert_eq!(expected.shape, [4, found.row(0).len()], "{what}");
    let largest = expected.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let tolerance = if relative { TOLERANCE * largest } else { TOLERANCE };
    let difference = check_close(what, found.values(), &expected.values, tolerance).unwrap();
    println!("{what}: largest difference {:e} of {tolerance:e}", difference.largest);
}

#[test]
fn tag_activations_and_embeddings_are_those_of_the_reference() {
    for name in TAGGERS {
        let tagger = tagger(name);
        for excerpt in EXCERPTS {
            let features = features(excerpt, &tagger);
            let taggrams = golden(excerpt, &format!("{name}-taggrams.npy"));
            check(&format!("{excerpt}, {name}-taggrams"), &features.taggrams.unwrap(), &taggrams, false);
            let embeddings = golden(excerpt, &format!("{name}-embeddings.npy"));
            check(&format!("{excerpt}, {name}-embeddings"), &features.embeddings, &embeddings, name.ends_with("vgg"));
        }
    }
}

#[test]
fn the_dense_form_of_the_musicnn_embedding_is_that_of_the_reference() {
    for name in ["mtt-musicnn", "msd-musicnn"] {
        let tagger = Tagger::embedded(key(name), MusicnnLayer::Dense).unwrap();
        for excerpt in EXCERPTS {
            let dense = golden(excerpt, &format!("{name}-dense.npy"));
            check(&format!("{excerpt}, {name}-dense"), &features(excerpt, &tagger).embeddings, &dense, false);
        }
    }
}

/// Every inner layer against TensorFlow's, in order: the first that differs is the one to look at.
fn compare_layers(name: &str, tagger: &Tagger) -> Result<usize, String> {
    let bytes = std::fs::read(fixtures().join(format!("layers-{name}.safetensors"))).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let mel = golden("nebula", "musicnn_mel.npy");
    let layers = tagger.layers(&mel.values[..187 * 96]).unwrap();
    assert_eq!(layers.len() * 2, expected.len(), "every layer of the fixture is compared");
    for layer in &layers {
        let numbers = expected.tensor(&format!("{}.every", layer.name)).unwrap();
        let numbers: Vec<usize> = numbers.data().as_chunks::<8>().0.iter().map(|&bytes| u64::from_le_bytes(bytes) as usize).collect();
        let [every, length] = numbers[..] else { panic!("{}: a stride and a length", layer.name) };
        assert_eq!(layer.values.len(), length, "{name} {}", layer.name);
        let kept: Vec<f32> = layer.values.iter().copied().step_by(every).collect();
        let reference = expected.tensor(layer.name).unwrap();
        let reference: Vec<f32> = reference.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        // Inner layers reach into the tens: rounding grows with them.
        let largest = reference.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
        let difference = check_close(&format!("{name} {}", layer.name), &kept, &reference, 1e-4 * largest)?;
        println!("{name} {}: largest difference {:e}, largest value {largest}", layer.name, difference.largest);
    }
    Ok(layers.len())
}

#[test]
fn every_layer_is_that_of_tensorflow() {
    for name in TAGGERS {
        let compared = compare_layers(name, &tagger(name)).unwrap();
        assert_eq!(compared, if name.ends_with("vgg") { 7 } else { 13 });
    }
}

/// The weights of a network with one tensor's bytes changed.
fn altered(name: &str, tensor: &str, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = weights::embedded(key(name)).unwrap().to_vec();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(tensor).unwrap();
    let start = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
    let range = start..start + view.data().len();
    change(&mut bytes[range]);
    bytes
}

#[test]
fn a_perturbed_weight_is_rejected_and_its_layer_is_named() {
    let cases = [
        ("mtt-musicnn", "frontend.temporal_64.bias", "mtt-musicnn frontend.temporal_64"),
        ("msd-musicnn", "midend.conv2.norm.beta", "msd-musicnn midend.conv2"),
        ("mtt-vgg", "conv3.bias", "mtt-vgg conv3"),
        ("msd-vgg", "output.bias", "msd-vgg output"),
    ];
    for (name, tensor, layer) in cases {
        let bytes = altered(name, tensor, |data| {
            for value in data.as_chunks_mut::<4>().0 {
                *value = (f32::from_le_bytes(*value) + 0.05).to_le_bytes();
            }
        });
        let perturbed = Tagger::load(key(name), &bytes, MusicnnLayer::Penultimate).unwrap();
        let error = compare_layers(name, &perturbed).unwrap_err();
        assert!(error.starts_with(&format!("{layer}:")), "{tensor}: {error}");
    }
}

#[test]
fn a_segment_depends_on_its_patch_alone_bit_for_bit() {
    for name in TAGGERS {
        let tagger = tagger(name);
        let mel = mel("caves", &tagger);
        let patches: Vec<_> = mel.patches(187, 93).collect();
        assert_eq!(patches.len(), 7);
        let together = tagger.infer(&patches).unwrap();
        let alone: Vec<_> = std::thread::scope(|scope| {
            // Backwards, and all at once on threads of their own.
            let runs: Vec<_> = patches.iter().rev().map(|patch| scope.spawn(|| tagger.infer(&[*patch]).unwrap())).collect();
            runs.into_iter().rev().map(|run| run.join().unwrap()).collect()
        });
        // Within a pool of one thread, where whatever burn might spread over threads runs on one.
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| tagger.infer(&patches).unwrap());
        assert_eq!(together, single, "{name}");
        for (row, alone) in alone.iter().enumerate() {
            assert_eq!(together.embeddings.row(row), alone.embeddings.row(0), "{name}, segment {row}");
            assert_eq!(together.taggrams.as_ref().unwrap().row(row), alone.taggrams.as_ref().unwrap().row(0), "{name}, segment {row}");
        }
        assert_ne!(together.embeddings.row(0), together.embeddings.row(1), "{name}: different patches are told apart");
    }
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    Tagger::load(key(name), bytes, MusicnnLayer::Penultimate).err().expect("bad weights are refused").to_string()
}

/// The weights of a network with their header's text changed to one of the same length.
fn with_header(name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "the header keeps its length");
    let mut bytes = weights::embedded(key(name)).unwrap().to_vec();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap().to_owned();
    assert!(header.contains(from), "{from} is in the header");
    bytes[8..8 + length].copy_from_slice(header.replacen(from, to, 1).as_bytes());
    bytes
}

#[test]
fn weights_that_are_not_the_networks_are_refused_with_the_first_bad_tensor() {
    let missing = refusal("mtt-vgg", &with_header("mtt-vgg", "\"conv3.bias\"", "\"conv9.bias\""));
    assert_eq!(missing, "the weights of mtt-vgg lack the tensor 'conv3.bias', [128]");
    let shape = refusal("mtt-vgg", &with_header("mtt-vgg", "\"shape\":[256,50]", "\"shape\":[50,256]"));
    assert_eq!(shape, "in the weights of mtt-vgg, the tensor 'output.kernel' has the shape [50, 256], not [256, 50]");
    let kind = refusal("mtt-vgg", &with_header("mtt-vgg", "\"output.bias\":{\"dtype\":\"F32\"", "\"output.bias\":{\"dtype\":\"I32\""));
    assert_eq!(kind, "in the weights of mtt-vgg, the tensor 'output.bias' has the type I32, not F32");
    let other = refusal("mtt-musicnn", weights::embedded(key("mtt-vgg")).unwrap());
    assert_eq!(other, "the weights of mtt-musicnn lack the tensor 'frontend.timbral_7x38.kernel', [7, 38, 1, 204]");
    let nan = refusal("msd-vgg", &altered("msd-vgg", "conv2.bias", |data| data[4..8].copy_from_slice(&f32::NAN.to_le_bytes())));
    assert_eq!(nan, "in the weights of msd-vgg, the tensor 'conv2.bias' holds NaN at position 1");
    let negative = altered("msd-vgg", "conv2.norm.variance", |data| data[..4].copy_from_slice(&(-1.0_f32).to_le_bytes()));
    assert_eq!(refusal("msd-vgg", &negative), "in the weights of msd-vgg, the tensor 'conv2.norm.variance' holds -1 at position 0");
}

#[test]
fn a_tensor_too_many_is_refused_by_name() {
    let bytes = weights::embedded(key("mtt-vgg")).unwrap();
    let file = SafeTensors::deserialize(bytes).unwrap();
    let extra = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]).unwrap();
    let tensors = file.tensors().into_iter().chain([("conv6.bias".to_owned(), extra)]);
    let bytes = safetensors::serialize(tensors, None).unwrap();
    assert_eq!(refusal("mtt-vgg", &bytes), "the weights of mtt-vgg hold the tensor 'conv6.bias', which is none of this network's");
}

#[test]
fn a_weight_file_cut_off_anywhere_or_full_of_garbage_is_refused_without_a_panic() {
    let whole = weights::embedded(key("mtt-vgg")).unwrap();
    for length in [0, 1, 7, 8, 9, 100, 2000, 4000, whole.len() / 2, whole.len() - 1] {
        assert!(refusal("mtt-vgg", &whole[..length]).starts_with("the weights of mtt-vgg cannot be read: "), "{length} bytes");
    }
    let mut longer = whole.to_vec();
    longer.push(0);
    assert!(refusal("mtt-vgg", &longer).contains("cannot be read"));
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..200 {
        // xorshift: bytes all over the header changed, then pure noise.
        let mut bytes = if round < 150 { whole.to_vec() } else { vec![0; 4096] };
        let reach = bytes.len().min(3000);
        for _ in 0..if round < 150 { 3 } else { reach } {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[(random >> 8) as usize % reach] = random as u8;
        }
        if bytes != whole {
            assert!(!refusal("mtt-vgg", &bytes).is_empty());
        }
    }
}
