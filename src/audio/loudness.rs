//! How loud a track is, and by how much it is turned up or down to match the others.

use std::path::Path;

use ebur128::{EbuR128, Mode};

use super::decode::guarded;
use super::error::AudioError;
use super::stream::AudioStream;

/// What all tracks are brought to, in LUFS: the reference level of ReplayGain 2.0.
const TARGET_LUFS: f64 = -18.0;
/// No track is turned up by more, an amplitude: 12 dB. What is quieter is meant to be.
const MAX_GAIN: f64 = 3.98;
/// Samples in a second, of all channels, that a meter is made for: 16 channels at 384 kHz. It holds 0.4 s of them, and a header may say anything.
const MAX_SAMPLE_RATE: u64 = 16 * 384_000;
/// The lowest rate: the shelf of the standard's filter, at 1.68 kHz, has to lie below half of it.
const MIN_RATE_HZ: u32 = 4000;

/// A track's loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Integrated loudness in LUFS (ITU-R BS.1770-4); minus infinity where all of it is below the gate.
    pub lufs: f64,
    /// The largest sample.
    pub peak: f64,
}

impl Loudness {
    /// Measures a whole file. `None` where `goes_on` said no, and where the standard has no weights for its channels.
    ///
    /// # Errors
    /// As [`decode_file`](super::decode_file).
    pub fn of_file(path: &Path, goes_on: &dyn Fn() -> bool) -> Result<Option<Self>, AudioError> {
        guarded(path, || {
            let mut stream = AudioStream::open(path)?;
            let Some(mut meter) = LoudnessMeter::new(stream.channels, stream.sample_rate_hz) else { return Ok(None) };
            let mut block = Vec::new();
            while stream.next_block(&mut block)?.is_some() {
                if !goes_on() {
                    return Ok(None);
                }
                meter.add(&block);
                block.clear();
            }
            Ok(meter.finish())
        })
    }

    /// The amplitude that a track is multiplied by so that it is as loud as the others. Never lifts a peak above 1.
    #[must_use]
    pub fn gain(self) -> f32 {
        if !self.lufs.is_finite() || !self.peak.is_finite() || self.peak <= 0.0 {
            return 1.0;
        }
        let wanted = 10_f64.powf((TARGET_LUFS - self.lufs) / 20.0).min(MAX_GAIN);
        if wanted > 1.0 { wanted.min((1.0 / self.peak).max(1.0)) as f32 } else { wanted as f32 }
    }
}

/// Measures a track that comes block by block.
pub struct LoudnessMeter {
    meter: EbuR128,
}

impl LoudnessMeter {
    /// A meter for so many channels at this rate; `None` where the standard has no weights or filter for them, and where they are more than any music
    /// has.
    #[must_use]
    pub fn new(channels: usize, rate_hz: u32) -> Option<Self> {
        let channels = u32::try_from(channels).ok()?;
        let is_music = rate_hz >= MIN_RATE_HZ && u64::from(channels) * u64::from(rate_hz) <= MAX_SAMPLE_RATE;
        let meter = if is_music { EbuR128::new(channels, rate_hz, Mode::I | Mode::SAMPLE_PEAK).ok() } else { None };
        meter.map(|meter| Self { meter })
    }

    /// Takes interleaved samples.
    pub fn add(&mut self, interleaved: &[f32]) {
        // Refused are only pieces of a frame.
        let _ = self.meter.add_frames_f32(interleaved);
    }

    /// What was measured.
    #[must_use]
    pub fn finish(&self) -> Option<Loudness> {
        let lufs = self.meter.loudness_global().ok()?;
        let peaks = (0..self.meter.channels()).map(|channel| self.meter.sample_peak(channel).unwrap_or(0.0));
        Some(Loudness { lufs, peak: peaks.fold(0.0, f64::max) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(hz: f32, height: f32) -> Loudness {
        let mut meter = LoudnessMeter::new(2, 48_000).unwrap();
        let wave: Vec<f32> = (0..5 * 48_000).flat_map(|n| [height * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin(); 2]).collect();
        wave.chunks(2 * 1111).for_each(|part| meter.add(part));
        meter.finish().unwrap()
    }

    #[test]
    fn a_tone_of_997_hz_in_both_channels_has_its_level_in_lufs() {
        // EBU Tech 3341, test 1: -23 dBFS in both channels are -23 LUFS.
        let found = measured(997.0, 10_f32.powf(-23.0 / 20.0));
        assert!((found.lufs + 23.0).abs() < 0.1, "{found:?}");
        assert!((found.gain() - 10_f32.powf(5.0 / 20.0)).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn no_samples_channels_or_rate_are_too_odd_for_the_meter() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, -0.0, 1e30, 0.5];
        let rates = [0, 1, 15, 16, 101, 3999, 8_000, 11_025, 44_100, 192_000, 2_822_400, u32::MAX].into_iter().chain(4_000..4_100);
        for (number, rate_hz) in rates.enumerate() {
            for channels in [1, 2, 3, 6, 8, 64] {
                let Some(mut meter) = LoudnessMeter::new(channels, rate_hz) else { continue };
                let wave: Vec<f32> = (0..rate_hz as usize * channels).map(|at| odd[(at + number) % odd.len()]).collect();
                wave.chunks(channels * 1111).for_each(|part| meter.add(part));
                // A piece of a frame.
                meter.add(&vec![0.5; channels + 1][usize::from(channels == 1)..]);
                assert!(meter.finish().is_none_or(|found| (0.0..=4.0).contains(&found.gain())), "{channels} channels, {rate_hz} Hz");
            }
        }
        let is_made = |channels, rate_hz| LoudnessMeter::new(channels, rate_hz).is_some();
        assert!(is_made(2, 44_100) && is_made(8, 192_000) && is_made(16, 384_000));
        assert!(!is_made(0, 44_100) && !is_made(2, 16) && !is_made(64, 2_822_400) && !is_made(usize::MAX, 1));
    }

    #[test]
    fn tracks_match_and_no_peak_is_lifted_above_one() {
        assert!((Loudness { lufs: -8.0, peak: 1.3 }.gain() - 0.316).abs() < 0.001, "turned down whatever its peak");
        assert_eq!(Loudness { lufs: -30.0, peak: 0.8 }.gain(), 1.25, "as far as its peak allows");
        assert_eq!(Loudness { lufs: -30.0, peak: 1.2 }.gain(), 1.0);
        assert_eq!(Loudness { lufs: -60.0, peak: 0.001 }.gain(), MAX_GAIN as f32);
        assert_eq!(measured(997.0, 0.0).gain(), 1.0, "silence");
    }
}
