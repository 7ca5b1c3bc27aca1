//! The two recipes: which frames, which bands, which compression a network was trained on.
//!
//! Both follow the field's reference extractors, Essentia's `TensorflowInputMusiCNN` and `TensorflowInputVGGish`
//! (Alonso-Jiménez et al., "TensorFlow audio models in Essentia", ICASSP 2020).

/// The pitch scale on which the bands are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MelScale {
    /// Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above.
    Slaney,
    /// O'Shaughnessy's formula as HTK writes it: `1127 ln(1 + f / 700)`.
    Htk,
}

impl MelScale {
    const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
    const SLANEY_BREAK_HZ: f64 = 1000.0;
    const SLANEY_BREAK_MEL: f64 = 15.0;

    /// ln(6.4) / 27: 27 steps from 1 kHz to 6.4 kHz.
    fn slaney_log_step() -> f64 {
        6.4_f64.ln() / 27.0
    }

    /// Mel of a frequency in hertz.
    #[must_use]
    pub fn mel_from_hz(self, hz: f64) -> f64 {
        match self {
            Self::Slaney if hz < Self::SLANEY_BREAK_HZ => hz / Self::SLANEY_HZ_PER_MEL,
            Self::Slaney => Self::SLANEY_BREAK_MEL + (hz / Self::SLANEY_BREAK_HZ).ln() / Self::slaney_log_step(),
            Self::Htk => 1127.0 * (hz / 700.0).ln_1p(),
        }
    }

    /// Frequency in hertz of a mel.
    #[must_use]
    pub fn hz_from_mel(self, mel: f64) -> f64 {
        match self {
            Self::Slaney if mel < Self::SLANEY_BREAK_MEL => mel * Self::SLANEY_HZ_PER_MEL,
            Self::Slaney => Self::SLANEY_BREAK_HZ * ((mel - Self::SLANEY_BREAK_MEL) * Self::slaney_log_step()).exp(),
            Self::Htk => 700.0 * (mel / 1127.0).exp_m1(),
        }
    }
}

/// What of the complex spectrum the bands sum up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpectrumKind {
    /// `|X|^2`.
    Power,
    /// `|X|`.
    Magnitude,
}

/// In which unit a band's two slopes are straight lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slopes {
    /// Straight in hertz.
    Hertz,
    /// Straight in mel.
    Mel,
}

/// How a band is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandNorm {
    /// Each triangle has unit area over hertz.
    UnitArea,
    /// Each triangle has a peak of one.
    UnitPeak,
}

/// What is taken of a band's sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compression {
    /// `log10(1 + gain * x)`.
    Log10 {
        /// What the sum is multiplied with.
        gain: f32,
    },
    /// `ln(offset + x)`.
    Ln {
        /// What is added to the sum.
        offset: f32,
    },
}

impl Compression {
    /// The compressed value of a band's sum.
    #[must_use]
    pub fn of(self, sum: f32) -> f32 {
        match self {
            Self::Log10 { gain } => (1.0 + gain * sum).log10(),
            Self::Ln { offset } => (offset + sum).ln(),
        }
    }
}

/// A log-mel recipe. Frames are centred: frame `i` is centred on sample `i * hop_samples`, with zeros beyond both ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MelConfig {
    /// Sample rate of the audio, hertz.
    pub sample_rate_hz: u32,
    /// Length of a frame and of its symmetric Hann window, samples.
    pub frame_samples: usize,
    /// Step from frame to frame, samples.
    pub hop_samples: usize,
    /// Length of the transform; the windowed frame is padded with zeros to it.
    pub fft_samples: usize,
    /// Power or magnitude.
    pub spectrum: SpectrumKind,
    /// Number of bands.
    pub mel_bands: usize,
    /// Lower edge of the first band, hertz.
    pub low_hz: f64,
    /// Upper edge of the last band, hertz.
    pub high_hz: f64,
    /// How the bands' edges are spaced.
    pub scale: MelScale,
    /// The shape of a band.
    pub slopes: Slopes,
    /// The size of a band.
    pub norm: BandNorm,
    /// The last step.
    pub compression: Compression,
}

impl MelConfig {
    /// The input of MusiCNN and VGG (Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio
    /// tagging", ISMIR late-breaking 2019): 96 bands, 62.5 frames a second.
    pub const MUSICNN: Self = Self {
        sample_rate_hz: 16_000,
        frame_samples: 512,
        hop_samples: 256,
        fft_samples: 512,
        spectrum: SpectrumKind::Power,
        mel_bands: 96,
        low_hz: 0.0,
        high_hz: 8000.0,
        scale: MelScale::Slaney,
        slopes: Slopes::Hertz,
        norm: BandNorm::UnitArea,
        compression: Compression::Log10 { gain: 10_000.0 },
    };

    /// The input of VGGish (Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017): 64
    /// bands, 100 frames a second.
    pub const VGGISH: Self = Self {
        sample_rate_hz: 16_000,
        frame_samples: 400,
        hop_samples: 160,
        fft_samples: 512,
        spectrum: SpectrumKind::Magnitude,
        mel_bands: 64,
        low_hz: 125.0,
        high_hz: 7500.0,
        scale: MelScale::Htk,
        slopes: Slopes::Mel,
        norm: BandNorm::UnitPeak,
        compression: Compression::Ln { offset: 0.01 },
    };

    /// Seconds from frame to frame.
    #[must_use]
    pub fn hop_secs(&self) -> f64 {
        self.hop_samples as f64 / f64::from(self.sample_rate_hz)
    }

    /// Values in a frame's spectrum, from 0 Hz to half the sample rate.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.fft_samples / 2 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scales_come_back_from_mel_to_hertz() {
        for scale in [MelScale::Slaney, MelScale::Htk] {
            for hz in [0.0, 125.0, 999.0, 1000.0, 1001.0, 7500.0] {
                let back = scale.hz_from_mel(scale.mel_from_hz(hz));
                assert!((back - hz).abs() < 1e-9 * (1.0 + hz), "{scale:?}: {hz} became {back}");
            }
        }
        assert!((MelScale::Slaney.mel_from_hz(1000.0) - 15.0).abs() < 1e-12);
        assert!((MelScale::Htk.mel_from_hz(1000.0) - 999.99).abs() < 0.01);
    }
}
