//! From mono audio to the networks' input: log-mel spectrograms and patches of them.
//!
//! ```text
//! mono f32 at 16 kHz [samples]
//!  └ stft         centred frames, window, spectrum   [frames, fft_samples / 2 + 1]
//!     └ filterbank   triangular bands                [frames, mel_bands]
//!        └ stream       compression                  [frames, mel_bands], as the audio comes; `spectrogram` of a whole track
//!           └ patch        overlapping stretches     [segments, patch_frames, mel_bands]
//! ```
//!
//! Nothing here knows a network: [`MelConfig`] holds what a network was trained on.

mod config;
mod filterbank;
mod patch;
mod spectrogram;
mod stft;
mod stream;

pub use config::{BandNorm, Compression, MelConfig, MelScale, Slopes, SpectrumKind};
pub use filterbank::Filterbank;
pub use patch::{Patches, patch_count};
pub use spectrogram::{MelSpectrogram, log_mel};
pub use stft::{Stft, frame_count, symmetric_hann};
pub use stream::MelStream;
