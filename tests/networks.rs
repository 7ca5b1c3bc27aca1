//! The networks of a run as a GPU has them: gathered into batches, compared with the CPU before they are trusted, and done again on the CPU
//! when the GPU is lost. The plain networks in burn stand in for a GPU where only the way there counts, and lavapipe where the device counts.

use std::borrow::Cow;
use std::path::PathBuf;

use safetensors::SafeTensors;
use tagscape::catalog::ModelKey;
use tagscape::nn::{GpuVerdict, MusicnnLayer, Networks, NnError, SegmentFeatures, TestDevice, weights};

use crate::common::compare::check_close;
use crate::common::made_up::vggish_safetensors;
use crate::common::npy::read;
use crate::common::program::{extract, wav};

const PATCH: usize = 187 * 96;

fn key(name: &str) -> ModelKey {
    name.parse().unwrap()
}

/// The taggers' own weights, and VGGish's made-up ones.
fn source(model: ModelKey) -> Result<Cow<'static, [u8]>, NnError> {
    Ok(weights::embedded(model).map_or_else(|| Cow::Owned(vggish_safetensors()), Cow::Borrowed))
}

fn networks(models: &[&str], layer: MusicnnLayer) -> Networks {
    let models: Vec<_> = models.iter().map(|name| key(name)).collect();
    Networks::load(&models, layer, &source).unwrap()
}

fn mel(excerpt: &str, name: &str) -> Vec<f32> {
    read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nn").join(excerpt).join(name)).values
}

fn used(verdict: &GpuVerdict) {
    assert!(matches!(verdict, GpuVerdict::Used { .. }), "{verdict}");
}

/// Every value within 1e-3, embeddings of the largest; and not the very bits, which would mean that the same code ran twice.
fn check(what: &str, found: &[SegmentFeatures], expected: &[SegmentFeatures]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        if let (Some(found), Some(expected)) = (&found.taggrams, &expected.taggrams) {
            check_close(&format!("{what}, taggrams"), found.values(), expected.values(), 1e-3).unwrap();
        }
        let largest = expected.embeddings.values().iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let tolerance = 1e-3 * largest;
        let apart =
            check_close(&format!("{what}, embeddings"), found.embeddings.values(), expected.embeddings.values(), tolerance).unwrap();
        println!("{what}: embeddings {:e} apart, {tolerance:e} allowed", apart.largest);
        assert_ne!(found.embeddings, expected.embeddings, "{what}: the other device was used");
    }
}

/// All groups over some patches, on the stand-in and on the CPU.
fn compare(models: &[&str], layer: MusicnnLayer, device: TestDevice, batch: usize, patches: usize) {
    let on_cpu = networks(models, layer);
    let mut on_device = networks(models, layer);
    used(&on_device.use_gpu_for_test(device, batch, &source));
    for (number, group) in on_cpu.groups().iter().enumerate() {
        let bands = group.spec.mel.mel_bands;
        let mel = mel("caves", if bands == 96 { "musicnn_mel.npy" } else { "vggish_mel.npy" });
        let patches: Vec<&[f32]> = (0..patches).map(|i| &mel[i * 100 * bands..][..group.spec.patch_values()]).collect();
        let (found, expected) = (on_device.infer(number, &patches).unwrap(), on_cpu.infer(number, &patches).unwrap());
        check(&format!("{device:?}, {}", group.models[0]), &found, &expected);
    }
    assert_eq!(on_device.gpu_failure(), None);
}

#[test]
fn the_plain_networks_are_the_oracle_of_the_fast_taggers() {
    let taggers = ["mtt-musicnn", "msd-musicnn", "mtt-vgg", "msd-vgg"];
    compare(&taggers, MusicnnLayer::Penultimate, TestDevice::Flex, 2, 5);
    compare(&["mtt-musicnn"], MusicnnLayer::Dense, TestDevice::Flex, 2, 3);
}

#[test]
fn the_plain_network_is_the_oracle_of_the_fast_vggish() {
    compare(&["vggish"], MusicnnLayer::Penultimate, TestDevice::Flex, 2, 5);
}

#[test]
fn all_five_networks_give_the_cpus_answers_through_webgpu() {
    let all = ModelKey::ALL.map(ModelKey::name);
    // One patch for the comparison before, and one after: lavapipe takes seconds for each.
    compare(&all, MusicnnLayer::Penultimate, TestDevice::SoftwareAdapter, 1, 1);
}

#[test]
fn a_cpu_adapter_is_never_used_unless_a_test_asks_for_it() {
    let mut networks = networks(&["mtt-vgg"], MusicnnLayer::Penultimate);
    let verdict = networks.use_gpu(&source);
    println!("{verdict}");
    let name = verdict.to_string().to_lowercase();
    assert!(!["llvmpipe", "lavapipe", "swiftshader", "warp", "basic render"].iter().any(|software| name.contains(software)), "{name}");
    let mel = mel("caves", "musicnn_mel.npy");
    assert_eq!(networks.infer(0, &[&mel[..PATCH]]).unwrap()[0].embeddings.row(0).len(), 256);
}

/// The weights of a network with a layer's biases a little larger.
fn altered(model: ModelKey, tensor: &str) -> Vec<u8> {
    let mut bytes = weights::embedded(model).unwrap().to_vec();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(tensor).unwrap();
    let (start, length) = (view.data().as_ptr() as usize - bytes.as_ptr() as usize, view.data().len());
    for value in bytes[start..start + length].as_chunks_mut::<4>().0 {
        *value = (f32::from_le_bytes(*value) + 0.05).to_le_bytes();
    }
    bytes
}

#[test]
fn a_gpu_with_other_answers_than_the_cpus_is_not_used_and_the_network_is_named() {
    for (model, tensor) in [("msd-vgg", "conv4.bias"), ("mtt-musicnn", "midend.conv2.bias"), ("mtt-vgg", "output.bias")] {
        let wrong = |asked: ModelKey| if asked == key(model) { Ok(Cow::Owned(altered(asked, tensor))) } else { source(asked) };
        let names = ["mtt-musicnn", "mtt-vgg", "msd-vgg"];
        let mut networks = networks(&names, MusicnnLayer::Penultimate);
        let verdict = networks.use_gpu_for_test(TestDevice::Flex, 2, &wrong);
        let GpuVerdict::NotTrusted { reason } = &verdict else { panic!("{model}: {verdict}") };
        assert!(reason.starts_with("flex gives ") && reason.ends_with(&format!(" from the CPU's for {model}")), "{verdict}");
        assert!(verdict.to_string().ends_with("; the networks run on the CPU"));
        let mel = mel("caves", "musicnn_mel.npy");
        let on_cpu = self::networks(&names, MusicnnLayer::Penultimate);
        assert_eq!(networks.infer(1, &[&mel[..PATCH]]).unwrap(), on_cpu.infer(1, &[&mel[..PATCH]]).unwrap(), "on the CPU");
        assert_eq!(networks.gpu_failure(), None, "it was never used");
    }
    // Weights that cannot be had a second time are a reason as well.
    let mut networks = networks(&["mtt-vgg"], MusicnnLayer::Penultimate);
    let gone = |model| Err(NnError::NoWeights { model });
    let verdict = networks.use_gpu_for_test(TestDevice::Flex, 2, &gone);
    assert!(verdict.to_string().starts_with("flex failed (the weights of mtt-vgg "), "{verdict}");
}

#[test]
fn a_gpu_that_is_asked_for_in_vain_is_said_and_the_cpu_does_the_work() {
    if matches!(networks(&["mtt-vgg"], MusicnnLayer::Penultimate).use_gpu(&source), GpuVerdict::Used { .. }) {
        // Here it is not in vain.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("tone.wav");
    let tone: Vec<f32> = (0..64_000).map(|n| 0.3 * (n as f32 * 0.17).sin()).collect();
    std::fs::write(&music, wav(&tone)).unwrap();
    for (device, says) in [("gpu", true), ("auto", false), ("cpu", false)] {
        let out = folder.path().join(format!("{device}.tagscape"));
        let done = extract(&["--models", "mtt-vgg", "--device", device], &music, &out);
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(0), "{device}: {told}");
        assert_eq!(told.contains("the networks run on the CPU\n"), says, "{device}: {told}");
        let bytes = |name: &str| std::fs::read(folder.path().join(format!("{name}.tagscape/spaces/mtt-vgg-embeddings.npy"))).unwrap();
        assert_eq!(bytes(device), bytes("gpu"), "{device}");
    }
}

#[test]
fn a_gpu_that_is_lost_in_the_middle_is_said_and_its_patches_are_done_on_the_cpu() {
    let names = ["mtt-vgg", "msd-vgg"];
    let on_cpu = networks(&names, MusicnnLayer::Penultimate);
    let mut networks = networks(&names, MusicnnLayer::Penultimate);
    used(&networks.use_gpu_for_test(TestDevice::Flex, 4, &source));
    let mel = mel("nebula", "musicnn_mel.npy");
    let patches: Vec<&[f32]> = mel.chunks_exact(PATCH).collect();
    let expected = on_cpu.infer(0, &patches).unwrap();
    check("before", &networks.infer(0, &patches).unwrap(), &expected);
    networks.lose_gpu_for_test();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| networks.infer(0, &patches).unwrap())).collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), expected, "the CPU's own bits");
        }
    });
    let told = networks.gpu_failure().unwrap();
    assert_eq!(told, "flex failed (as a test asked for); the networks went on on the CPU");
}

#[test]
fn a_device_that_is_lost_in_the_middle_is_said_and_its_patches_are_done_on_the_cpu() {
    let names = ["mtt-vgg", "mtt-musicnn"];
    let on_cpu = networks(&names, MusicnnLayer::Penultimate);
    let mut networks = networks(&names, MusicnnLayer::Penultimate);
    let verdict = networks.use_gpu_for_test(TestDevice::SoftwareAdapter, 1, &source);
    let GpuVerdict::Used { adapter } = &verdict else { panic!("{verdict}") };
    let mel = mel("nebula", "musicnn_mel.npy");
    let patches = [&mel[..PATCH]];
    check("before", &networks.infer(0, &patches).unwrap(), &on_cpu.infer(0, &patches).unwrap());
    assert_eq!(networks.gpu_failure(), None);
    networks.lose_gpu_for_test();
    for group in [1, 0] {
        assert_eq!(networks.infer(group, &patches).unwrap(), on_cpu.infer(group, &patches).unwrap(), "the CPU's own bits");
    }
    let told = networks.gpu_failure().unwrap();
    println!("{told}");
    assert!(told.starts_with(&format!("{adapter} failed (")) && told.ends_with("; the networks went on on the CPU"), "{told}");
}

#[test]
fn a_row_of_a_batch_has_the_same_bits_alone_and_behind_others_also_on_a_device() {
    // More than the convolutions take together, so that rows come from two runs of them, of which one is not full.
    let batch = 6;
    let mut networks = networks(&["msd-vgg"], MusicnnLayer::Penultimate);
    used(&networks.use_gpu_for_test(TestDevice::SoftwareAdapter, batch, &source));
    let mel = mel("nebula", "musicnn_mel.npy");
    let patches: Vec<&[f32]> = (0..batch).map(|i| &mel[i * 90 * 96..][..PATCH]).collect();
    let together = networks.infer(0, &patches).unwrap();
    for row in [0, 3, 5] {
        let alone = networks.infer(0, &patches[row..=row]).unwrap();
        let tags = |features: &[SegmentFeatures], row| features[0].taggrams.as_ref().unwrap().row(row).to_vec();
        assert_eq!(together[0].embeddings.row(row), alone[0].embeddings.row(0), "row {row}");
        assert_eq!(tags(&together, row), tags(&alone, 0), "row {row}");
    }
    assert_eq!(networks.gpu_failure(), None);
}

#[test]
fn musicnns_layer_before_its_relu_is_to_be_had_from_a_device_as_well() {
    compare(&["mtt-musicnn"], MusicnnLayer::Dense, TestDevice::SoftwareAdapter, 1, 1);
}

#[test]
fn a_segment_depends_on_its_patch_alone_also_in_a_batch_of_many_callers() {
    let mut networks = networks(&["mtt-vgg", "msd-vgg"], MusicnnLayer::Penultimate);
    used(&networks.use_gpu_for_test(TestDevice::Flex, 4, &source));
    let mel = mel("nebula", "musicnn_mel.npy");
    let patches: Vec<&[f32]> = (0..7).map(|i| &mel[i * 90 * 96..][..PATCH]).collect();
    let alone: Vec<_> = patches.iter().map(|patch| networks.infer(0, &[*patch]).unwrap()).collect();
    std::thread::scope(|scope| {
        // One, two, three and six patches at a time from four threads.
        let runs: Vec<_> = [1, 2, 3, 6]
            .map(|count| {
                (
                    count,
                    scope.spawn({
                        let (networks, patches) = (&networks, &patches);
                        move || patches.chunks(count).map(|run| networks.infer(0, run).unwrap()).collect::<Vec<_>>()
                    }),
                )
            })
            .into();
        for (count, run) in runs {
            for (position, together) in run.join().unwrap().iter().enumerate() {
                for (twin, features) in together.iter().enumerate() {
                    for row in 0..count.min(7 - position * count) {
                        let alone = &alone[position * count + row][twin];
                        assert_eq!(features.embeddings.row(row), alone.embeddings.row(0), "{count} at a time, run {position}, row {row}");
                        let tags = |features: &SegmentFeatures, row| features.taggrams.as_ref().unwrap().row(row).to_vec();
                        assert_eq!(tags(features, row), tags(alone, 0));
                    }
                }
            }
        }
    });
    let short = vec![0.0; 5];
    assert!(matches!(networks.infer(0, &[patches[0], &short]), Err(NnError::PatchSize { segment: 1, .. })));
    assert_eq!(networks.gpu_failure(), None, "a caller's mistake is not the GPU's");
}
