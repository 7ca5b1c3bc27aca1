//! The log-mel spectrogram of a whole track.

use super::config::MelConfig;
use super::patch::Patches;
use super::stft::frame_count;
use super::stream::MelStream;

/// A log-mel spectrogram, `[frames, bands]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct MelSpectrogram {
    /// Number of frames.
    pub frames: usize,
    /// Number of mel bands.
    pub bands: usize,
    /// The values, `frames * bands`.
    pub values: Vec<f32>,
}

/// Samples that [`log_mel`] hands to its stream at a time: what the stream holds back stays in a core's cache.
const SAMPLES_AT_ONCE: usize = 1 << 14;

/// The log-mel spectrogram of mono audio at the recipe's sample rate, `[ceil(samples / hop) + 1, mel_bands]`; empty of no
/// audio.
#[must_use]
pub fn log_mel(mono: &[f32], config: &MelConfig) -> MelSpectrogram {
    let frames = frame_count(mono.len(), config.hop_samples);
    let mut stream = MelStream::new(config);
    let mut values = Vec::with_capacity(frames * config.mel_bands);
    for piece in mono.chunks(SAMPLES_AT_ONCE) {
        stream.push(piece, &mut values);
    }
    stream.finish(&mut values);
    MelSpectrogram { frames, bands: config.mel_bands, values }
}

impl MelSpectrogram {
    /// One frame, `[bands]`.
    ///
    /// # Panics
    /// If there is no such frame.
    #[must_use]
    pub fn frame(&self, frame: usize) -> &[f32] {
        &self.values[frame * self.bands..(frame + 1) * self.bands]
    }

    /// The patches, `[patch_frames * bands]` each, a step of `hop_frames` apart; what is left after the last whole one is
    /// dropped.
    ///
    /// # Panics
    /// If `patch_frames` or `hop_frames` is 0.
    #[must_use]
    pub fn patches(&self, patch_frames: usize, hop_frames: usize) -> Patches<'_> {
        Patches::new(self, patch_frames, hop_frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.5 * (std::f32::consts::TAU * hz * n as f32 / 16_000.0).sin()).collect()
    }

    #[test]
    fn a_pure_tone_peaks_in_the_band_around_it() {
        for config in [MelConfig::MUSICNN, MelConfig::VGGISH] {
            let scale = config.scale;
            let (low, high) = (scale.mel_from_hz(config.low_hz), scale.mel_from_hz(config.high_hz));
            let step = (high - low) / (config.mel_bands + 1) as f64;
            for band in [20, 40, 60] {
                let centre = scale.hz_from_mel(low + step * (band + 1) as f64);
                let mel = log_mel(&tone(centre as f32, 16_000), &config);
                let row = mel.frame(mel.frames / 2);
                let loudest = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                assert!(loudest.abs_diff(band) <= 1, "{centre} Hz peaked in band {loudest}, not {band}");
            }
        }
    }

    #[test]
    fn silence_is_the_compression_of_nothing_and_no_audio_has_no_frames() {
        let mel = log_mel(&[0.0; 1000], &MelConfig::MUSICNN);
        assert_eq!((mel.frames, mel.bands), (5, 96));
        assert!(mel.values.iter().all(|&value| value == 0.0));
        let mel = log_mel(&[0.0; 1000], &MelConfig::VGGISH);
        assert_eq!((mel.frames, mel.bands), (8, 64));
        assert!(mel.values.iter().all(|&value| value == 0.01_f32.ln()));
        let none = log_mel(&[], &MelConfig::MUSICNN);
        assert_eq!((none.frames, none.values.len()), (0, 0));
    }

    #[test]
    fn a_frame_depends_on_its_own_stretch_alone() {
        let audio = tone(440.0, 8000);
        let mut changed = audio.clone();
        changed[6000..].fill(0.9);
        let (before, after) = (log_mel(&audio, &MelConfig::MUSICNN), log_mel(&changed, &MelConfig::MUSICNN));
        // Frame 22 ends with sample 22 * 256 + 255 = 5887, frame 23 with 6143.
        assert_eq!(before.values[..23 * 96], after.values[..23 * 96]);
        assert_ne!(before.frame(23), after.frame(23));
    }
}
