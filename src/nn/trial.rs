//! Before a GPU is trusted: patches as of music, and comparing its answers with the CPU's.

use super::infer::SegmentFeatures;
use super::spec::ModelSpec;
use crate::mel::log_mel;
use crate::seed::SplitMix64;

/// How far an answer may be from the CPU's: tag activations absolutely, embeddings relative to the largest value.
pub(super) const TOLERANCE: f32 = 1e-3;

/// `count` patches of made-up music one after the other, `[count, patch_frames * mel_bands]`: chords of plucked strings, drums of noise, and a rest.
pub(super) fn patches(spec: &ModelSpec, count: usize) -> Vec<f32> {
    let rate_hz = spec.mel.sample_rate_hz as usize;
    let secs = spec.segment_secs * count as f64 + 0.1;
    let mut samples = vec![0.0_f32; (secs * rate_hz as f64) as usize];
    let mut random = SplitMix64::new(20);
    let beat = rate_hz / 3;
    for (number, start) in (0..samples.len()).step_by(beat).enumerate() {
        // Every seventh beat is silent.
        if number % 7 == 6 {
            continue;
        }
        for _ in 0..3 {
            let hz = 55.0 * (random.next_below(49) as f32 / 12.0).exp2();
            let loudness = 0.02 + 0.1 * random.next_f32();
            for (n, sample) in samples[start..].iter_mut().take(2 * beat).enumerate() {
                let secs = n as f32 / rate_hz as f32;
                let overtones = (1..6).map(|k| (std::f32::consts::TAU * hz * k as f32 * secs).sin() / (k * k) as f32);
                *sample += loudness * (-3.0 * secs).exp() * overtones.sum::<f32>();
            }
        }
        for (n, sample) in samples[start..].iter_mut().take(beat / 4).enumerate() {
            *sample += 0.1 * random.next_normal() * (-40.0 * n as f32 / rate_hz as f32).exp();
        }
    }
    let mel = log_mel(&samples, spec.mel);
    mel.patches(spec.patch_frames, spec.patch_frames).take(count).flatten().copied().collect()
}

/// Compares the answers of one network to the same patches.
///
/// # Errors
/// By how much they differ, in words.
pub(super) fn compare(found: &SegmentFeatures, expected: &SegmentFeatures) -> Result<(), String> {
    let tags = [&found.taggrams, &expected.taggrams].map(|taggrams| taggrams.as_ref().map_or(&[][..], |matrix| matrix.values()));
    let difference = largest_difference(tags[0], tags[1])?;
    if difference > TOLERANCE {
        return Err(format!("tag activations that differ by {difference:.1e}"));
    }
    let values = expected.embeddings.values();
    let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let difference = largest_difference(found.embeddings.values(), values)? / largest;
    if difference > TOLERANCE {
        return Err(format!("embeddings that differ by {difference:.1e} of the largest value"));
    }
    Ok(())
}

fn largest_difference(found: &[f32], expected: &[f32]) -> Result<f32, String> {
    if found.len() != expected.len() {
        return Err(format!("{} values, not {}", found.len(), expected.len()));
    }
    if found.iter().any(|value| !value.is_finite()) {
        return Err("values that are no numbers".to_owned());
    }
    Ok(found.iter().zip(expected).fold(0.0, |largest, (a, b)| largest.max((a - b).abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ModelKey;
    use crate::matrix::FeatureMatrix;
    use crate::nn::spec;

    #[test]
    fn the_made_up_patches_are_loud_and_differ() {
        for key in ModelKey::ALL {
            let spec = spec(key);
            let values = patches(&spec, 4);
            assert_eq!(values.len(), 4 * spec.patch_values());
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
            assert!(high - low > 2.0 && values.iter().all(|value| value.is_finite()), "{key}: {low} to {high}");
            let rows: Vec<_> = values.chunks_exact(spec.patch_values()).collect();
            assert_ne!(rows[0], rows[1]);
        }
    }

    #[test]
    fn answers_that_are_too_far_apart_are_told_from_those_that_are_near() {
        let features = |tag: f32, first: f32| SegmentFeatures {
            taggrams: Some(FeatureMatrix::new(1, 2, vec![0.5, tag])),
            embeddings: FeatureMatrix::new(1, 3, vec![first, -100.0, 0.0]),
        };
        assert_eq!(compare(&features(0.2, 1.0), &features(0.2009, 1.09)), Ok(()));
        assert_eq!(compare(&features(0.2, 1.0), &features(0.2011, 1.0)).unwrap_err(), "tag activations that differ by 1.1e-3");
        let error = compare(&features(0.2, 1.0), &features(0.2, 1.2)).unwrap_err();
        assert_eq!(error, "embeddings that differ by 2.0e-3 of the largest value");
        assert!(compare(&features(0.2, f32::NAN), &features(0.2, 1.0)).is_err());
        let none = SegmentFeatures { taggrams: None, embeddings: FeatureMatrix::new(0, 3, Vec::new()) };
        assert!(compare(&none, &features(0.2, 1.0)).is_err());
    }
}
