//! The log-mel spectrogram of audio that comes in pieces, with the memory of a few frames.

use super::config::MelConfig;
use super::filterbank::Filterbank;
use super::stft::{Stft, frame_count};

/// Makes frames of audio as it comes. Where the audio is cut into pieces makes no difference to a single bit.
pub struct MelStream {
    config: MelConfig,
    stft: Stft,
    filterbank: Filterbank,
    spectrum: Vec<f32>,
    /// The samples that a coming frame still needs, from sample `held_from` of the whole on.
    held: Vec<f32>,
    held_from: usize,
    /// Frames that were given out.
    frames: usize,
}

impl MelStream {
    /// Plans the transform and the bands of a recipe.
    #[must_use]
    pub fn new(config: &MelConfig) -> Self {
        Self {
            config: *config,
            stft: Stft::new(config),
            filterbank: Filterbank::new(config),
            spectrum: vec![0.0; config.bins()],
            held: Vec::new(),
            held_from: 0,
            frames: 0,
        }
    }

    /// Frames that were given out so far.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Takes the next samples (mono, at the recipe's rate) and appends the frames that they complete, `[frames, mel_bands]`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.held.extend_from_slice(samples);
        let end = self.held_from + self.held.len();
        // A frame is whole once its last sample is there.
        let after_centre = self.config.frame_samples - self.config.frame_samples / 2;
        while self.centre() + after_centre <= end {
            self.append_frame(out);
        }
        let needed = self.centre().saturating_sub(self.config.frame_samples / 2);
        let gone = needed.saturating_sub(self.held_from).min(self.held.len());
        self.held.drain(..gone);
        self.held_from += gone;
    }

    /// Appends the last frames, which reach beyond the audio's end, and begins anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let total = frame_count(self.held_from + self.held.len(), self.config.hop_samples);
        while self.frames < total {
            self.append_frame(out);
        }
        self.held.clear();
        (self.held_from, self.frames) = (0, 0);
    }

    /// The sample on which the next frame is centred.
    fn centre(&self) -> usize {
        self.frames * self.config.hop_samples
    }

    fn append_frame(&mut self, out: &mut Vec<f32>) {
        // Only where the held samples begin with the audio itself may a frame begin before them; `push` keeps all others whole.
        self.stft.spectrum_around(&self.held, self.centre() - self.held_from, &mut self.spectrum);
        let start = out.len();
        out.resize(start + self.config.mel_bands, 0.0);
        let row = &mut out[start..];
        self.filterbank.apply(&self.spectrum, row);
        row.iter_mut().for_each(|value| *value = self.config.compression.of(*value));
        self.frames += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    /// Frame by frame from the whole audio, without any stream.
    fn whole(mono: &[f32], config: &MelConfig) -> Vec<f32> {
        let (mut stft, filterbank) = (Stft::new(config), Filterbank::new(config));
        let mut spectrum = vec![0.0; config.bins()];
        let mut values = vec![0.0; frame_count(mono.len(), config.hop_samples) * config.mel_bands];
        for (frame, row) in values.chunks_exact_mut(config.mel_bands).enumerate() {
            stft.spectrum(mono, frame, &mut spectrum);
            filterbank.apply(&spectrum, row);
            row.iter_mut().for_each(|value| *value = config.compression.of(*value));
        }
        values
    }

    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole() {
        let mut seed = SplitMix64::new(7);
        // A hop longer than a frame leaves samples that no frame needs.
        let sparse = MelConfig { hop_samples: 700, ..MelConfig::VGGISH };
        for config in [MelConfig::MUSICNN, MelConfig::VGGISH, sparse] {
            for length in [0, 1, 200, 255, 256, 257, 512, 513, 5000, 40_000] {
                let mono: Vec<f32> = (0..length).map(|_| seed.next_normal() * 0.2).collect();
                let expected = whole(&mono, &config);
                let mut stream = MelStream::new(&config);
                for piece in [1, 7, 256, 1153, 100_000] {
                    // The same stream again and again: it begins anew after each end.
                    let mut found = Vec::new();
                    for samples in mono.chunks(piece) {
                        stream.push(samples, &mut found);
                        assert!(stream.held.len() <= config.frame_samples + piece, "memory is bounded");
                    }
                    stream.finish(&mut found);
                    assert!(found == expected, "{length} samples in pieces of {piece}, hop {}", config.hop_samples);
                }
            }
        }
    }
}
