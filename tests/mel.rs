//! The log-mel spectrograms against Essentia's, from the same 16 kHz audio (fixtures: `tests/fixtures/nn/README.md`).

use std::path::PathBuf;

use tagscape::mel::{MelConfig, log_mel};

use crate::common::compare::check_close;
use crate::common::npy::{Array, read};

const TOLERANCE: f32 = 1e-3;

fn fixture(excerpt: &str, name: &str) -> Array {
    read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nn").join(excerpt).join(name))
}

/// The audio's spectrogram against the reference's, whole.
fn check(excerpt: &str, config: &MelConfig, reference: &str) {
    let mel = log_mel(&fixture(excerpt, "audio_16k.npy").values, config);
    let expected = fixture(excerpt, reference);
    assert_eq!([mel.frames, mel.bands], expected.shape[..], "{excerpt}");
    let difference = check_close(excerpt, &mel.values, &expected.values, TOLERANCE).unwrap();
    println!("{excerpt} {reference}: largest difference {:e}", difference.largest);
}

#[test]
fn musicnn_spectrograms_are_those_of_the_reference() {
    for excerpt in ["mountain", "caves", "nebula"] {
        check(excerpt, &MelConfig::MUSICNN, "musicnn_mel.npy");
    }
}

#[test]
fn vggish_spectrograms_are_those_of_the_reference() {
    for excerpt in ["mountain", "caves", "nebula"] {
        check(excerpt, &MelConfig::VGGISH, "vggish_mel.npy");
    }
}

#[test]
fn a_spectrogram_of_another_recipe_is_told_from_the_reference() {
    let audio = fixture("nebula", "audio_16k.npy");
    let expected = fixture("nebula", "musicnn_mel.npy");
    let shifted = log_mel(&audio.values[1..], &MelConfig::MUSICNN);
    let wrong_window = log_mel(&audio.values, &MelConfig { frame_samples: 510, ..MelConfig::MUSICNN });
    let wrong_top = log_mel(&audio.values, &MelConfig { high_hz: 7900.0, ..MelConfig::MUSICNN });
    for (what, mel) in [("one sample later", shifted), ("a shorter window", wrong_window), ("another highest band", wrong_top)] {
        let frames = mel.values.len().min(expected.values.len());
        assert!(check_close(what, &mel.values[..frames], &expected.values[..frames], TOLERANCE).is_err(), "{what}");
    }
}
