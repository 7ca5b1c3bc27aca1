//! The short-time spectrum: centred frames, a symmetric Hann window, a real transform.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::config::{MelConfig, SpectrumKind};

/// The symmetric Hann window, `0.5 - 0.5 cos(2 pi n / (length - 1))`: both ends are zero.
#[must_use]
pub fn symmetric_hann(length: usize) -> Vec<f32> {
    let last = length.saturating_sub(1).max(1) as f64;
    (0..length).map(|n| (0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / last).cos()) as f32).collect()
}

/// How many frames there are: one centred on every `hop_samples`-th sample from the first on, and one past the end,
/// `ceil(samples / hop) + 1`; none of no audio.
#[must_use]
pub fn frame_count(samples: usize, hop_samples: usize) -> usize {
    if samples == 0 { 0 } else { samples.div_ceil(hop_samples) + 1 }
}

/// A transform with its window and its working memory: one a thread.
pub struct Stft {
    config: MelConfig,
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
    /// The windowed frame, `[fft_samples]`; the transform destroys it.
    padded: Vec<f32>,
    complex: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Stft {
    /// Plans the transform.
    #[must_use]
    pub fn new(config: &MelConfig) -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(config.fft_samples);
        Self {
            config: *config,
            window: symmetric_hann(config.frame_samples),
            padded: vec![0.0; config.fft_samples],
            complex: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// The spectrum of frame `frame` of `audio` into `into`, `[fft_samples / 2 + 1]`.
    ///
    /// # Panics
    /// If `into` has another length.
    pub fn spectrum(&mut self, audio: &[f32], frame: usize, into: &mut [f32]) {
        self.spectrum_around(audio, frame * self.config.hop_samples, into);
    }

    /// The spectrum of the frame whose middle is sample `centre` of `audio`, as [`Self::spectrum`].
    pub(super) fn spectrum_around(&mut self, audio: &[f32], centre: usize, into: &mut [f32]) {
        assert_eq!(into.len(), self.config.bins(), "a spectrum has {} bins", self.config.bins());
        self.fill_frame(audio, centre);
        // The buffers come from the plan itself, so that their lengths are right and this cannot fail.
        let done = self.transform.process_with_scratch(&mut self.padded, &mut self.complex, &mut self.scratch);
        debug_assert!(done.is_ok(), "the plan made these buffers");
        match self.config.spectrum {
            SpectrumKind::Power => into.iter_mut().zip(&self.complex).for_each(|(bin, value)| *bin = value.norm_sqr()),
            SpectrumKind::Magnitude => into.iter_mut().zip(&self.complex).for_each(|(bin, value)| *bin = value.norm_sqr().sqrt()),
        }
    }

    /// Puts the windowed frame into `padded`, with zeros where it passes an end of the audio.
    fn fill_frame(&mut self, audio: &[f32], centre: usize) {
        let length = self.config.frame_samples;
        let half = length / 2;
        let skipped = half.saturating_sub(centre).min(length);
        let start = (centre + skipped).saturating_sub(half).min(audio.len());
        let count = (audio.len() - start).min(length - skipped);
        self.padded.fill(0.0);
        let frame = self.padded[skipped..skipped + count].iter_mut();
        for ((out, &sample), &weight) in frame.zip(&audio[start..]).zip(&self.window[skipped..]) {
            *out = sample * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_symmetric_and_ends_at_zero() {
        let window = symmetric_hann(512);
        assert_eq!((window[0], window[511]), (0.0, 0.0));
        assert!((0..512).all(|n| (window[n] - window[511 - n]).abs() < 1e-7));
        assert!(symmetric_hann(0).is_empty());
        assert_eq!(symmetric_hann(1), [0.0]);
    }

    #[test]
    fn frames_are_counted_as_the_reference_counts_them() {
        assert_eq!(frame_count(0, 256), 0);
        assert_eq!(frame_count(1, 256), 2);
        assert_eq!(frame_count(256, 256), 2);
        assert_eq!(frame_count(257, 256), 3);
        assert_eq!(frame_count(200_000, 256), 783);
    }

    #[test]
    fn a_frame_is_centred_and_padded_with_zeros_at_both_ends() {
        let config = MelConfig { frame_samples: 4, hop_samples: 2, fft_samples: 4, ..MelConfig::MUSICNN };
        let mut stft = Stft::new(&config);
        stft.window = vec![1.0; 4];
        let audio = [1.0, 2.0, 3.0, 4.0, 5.0];
        let mut frames = Vec::new();
        for frame in 0..frame_count(audio.len(), 2) {
            stft.fill_frame(&audio, frame * 2);
            frames.push(stft.padded.clone());
        }
        let expected = [[0.0, 0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 0.0], [5.0, 0.0, 0.0, 0.0]];
        assert_eq!(frames, expected);
        stft.fill_frame(&audio, 200);
        assert_eq!(stft.padded, [0.0; 4], "a frame far past the end is silent");
    }

    #[test]
    fn the_power_of_a_cosine_is_in_its_bin() {
        let mut stft = Stft::new(&MelConfig::MUSICNN);
        let audio: Vec<f32> = (0..2048).map(|n| (std::f32::consts::TAU * 32.0 * n as f32 / 512.0).cos()).collect();
        let mut spectrum = vec![0.0; 257];
        stft.spectrum(&audio, 4, &mut spectrum);
        let loudest = (0..257).max_by(|&a, &b| spectrum[a].total_cmp(&spectrum[b])).unwrap();
        assert_eq!(loudest, 32);
        // Half the window's sum, squared: (511 / 2 / 2)^2.
        assert!((spectrum[32] / 16_320.0 - 1.0).abs() < 0.01, "{}", spectrum[32]);
    }
}
