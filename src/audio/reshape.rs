//! A part of a track that has other channels or another rate than the track, brought to the track's.
//!
//! The parts of joined MP3s and the links of chained oggs may differ. A track has one form, that of its first part; the others are mixed and resampled.

use super::error::AudioErrorKind;
use super::resample::MonoResampler;

/// Brings one part of a track to the track's channels and rate.
pub(super) struct Reshaper {
    channels: usize,
    /// One for each channel of the track.
    resamplers: Vec<MonoResampler>,
    /// One channel's samples, before and after.
    input: Vec<f32>,
    outputs: Vec<Vec<f32>>,
    /// Frame of the track at which the part begins, and at which the next samples do.
    start: u64,
    position: u64,
}

impl Reshaper {
    /// Of a part that begins at frame `start` of the track; forms are channels and rates.
    pub(super) fn try_new(part: (usize, u32), track: (usize, u32), start: u64) -> Result<Self, AudioErrorKind> {
        let resamplers = (0..track.0).map(|_| MonoResampler::try_new(part.1, track.1)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { channels: part.0, outputs: vec![Vec::new(); track.0], resamplers, input: Vec::new(), start, position: start })
    }

    /// Frame of the track at which the next samples begin.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Frame of the track at which the part begins.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Takes interleaved samples of the part, and appends those of the track that they complete.
    pub(super) fn push(&mut self, samples: &[f32], into: &mut Vec<f32>) -> Result<(), AudioErrorKind> {
        let count = self.resamplers.len();
        for (channel, (resampler, output)) in self.resamplers.iter_mut().zip(&mut self.outputs).enumerate() {
            self.input.clear();
            self.input.extend(samples.chunks_exact(self.channels).map(|frame| mixed(frame, channel, count)));
            resampler.push(&self.input, output)?;
        }
        self.give(into);
        Ok(())
    }

    /// Appends what is left at the end of the part.
    pub(super) fn finish(&mut self, into: &mut Vec<f32>) -> Result<(), AudioErrorKind> {
        for (resampler, output) in self.resamplers.iter_mut().zip(&mut self.outputs) {
            resampler.finish(output)?;
        }
        self.give(into);
        Ok(())
    }

    fn give(&mut self, into: &mut Vec<f32>) {
        let frames = self.outputs.iter().map(Vec::len).min().unwrap_or(0);
        for frame in 0..frames {
            into.extend(self.outputs.iter().map(|output| output[frame]));
        }
        self.position += frames as u64;
        for output in &mut self.outputs {
            output.drain(..frames);
        }
    }
}

/// Sample of channel `channel` of `count`, made of a frame of another number of channels: one is copied to all, and of more than are wanted every
/// `count`th are one, as their mean.
fn mixed(frame: &[f32], channel: usize, count: usize) -> f32 {
    if frame.len() <= count {
        return frame.get(channel % frame.len().max(1)).copied().unwrap_or(0.0);
    }
    let parts = frame.iter().skip(channel).step_by(count);
    parts.clone().sum::<f32>() / parts.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_copied_or_mixed_and_the_place_goes_on() {
        let reshaped = |part: usize, track: usize, samples: &[f32]| {
            let mut reshaper = Reshaper::try_new((part, 8000), (track, 8000), 100).unwrap();
            let mut found = Vec::new();
            reshaper.push(samples, &mut found).unwrap();
            reshaper.finish(&mut found).unwrap();
            assert_eq!(reshaper.position(), 100 + (found.len() / track) as u64);
            found
        };
        assert_eq!(reshaped(1, 2, &[0.1, 0.2]), [0.1, 0.1, 0.2, 0.2]);
        assert_eq!(reshaped(2, 1, &[0.5, -0.5, 1.0, 0.0]), [0.0, 0.5]);
        assert_eq!(reshaped(2, 2, &[0.5, -0.5]), [0.5, -0.5]);
        assert_eq!(reshaped(4, 2, &[1.0, 2.0, 3.0, 4.0]), [2.0, 3.0]);
    }

    #[test]
    fn another_rate_takes_as_long_as_before() {
        let mut reshaper = Reshaper::try_new((1, 22_050), (1, 44_100), 0).unwrap();
        let tone: Vec<f32> = (0..22_050).map(|frame| (frame as f32 * 0.1).sin()).collect();
        let mut found = Vec::new();
        tone.chunks(1000).for_each(|part| reshaper.push(part, &mut found).unwrap());
        reshaper.finish(&mut found).unwrap();
        assert_eq!((found.len(), reshaper.position()), (44_100, 44_100));
        assert!((found[20_000] - tone[10_000]).abs() < 1e-3, "{} and {}", found[20_000], tone[10_000]);
    }
}
