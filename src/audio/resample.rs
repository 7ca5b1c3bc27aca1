//! From one sample rate to another.
//!
//! rubato's windowed-sinc resampler. Its length and its cutoff are those that come nearest to what the reference does (Essentia's best
//! quality, which is libsamplerate's): flat to 94 % of the lower rate's limit, half at 96.6 %, and nothing from 99 % on. That
//! matters: networks that were trained on audio without those last hertz change their tags by 0.04 where a sharper filter
//! lets them through (measured; `tests/extract.rs` holds the result against the reference). The filter's delay is cut
//! off, so that sample 0 stays at time 0.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler, ResamplerConstructionError, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

use super::error::{AudioError, AudioErrorKind};
use super::pcm::{Pcm, append_mono};

/// Input frames of a block.
const BLOCK_FRAMES: usize = 4096;
/// Length of the filter in frames of the lower rate.
const FILTER_FRAMES: usize = 344;
/// Where the filter lets half through, relative to half of the lower rate.
const CUTOFF: f32 = 0.966;
/// Filters that are kept at least, so that a linear step between two is exact enough; more only cost cache.
const MIN_FILTERS: usize = 128;
/// Most phases for which every filter is kept as it is (a linear step between two only takes up rounding); between rates with more,
/// filters are interpolated.
const MAX_PHASES: usize = 512;

/// The mean of the channels at `rate_hz`: `ceil(frames * rate_hz / pcm.sample_rate_hz)` samples.
///
/// # Errors
/// Rates that the resampler refuses.
pub fn to_mono_at(pcm: &Pcm, rate_hz: u32) -> Result<Vec<f32>, AudioError> {
    let mut mono = Vec::with_capacity(pcm.frames());
    append_mono(&pcm.samples, pcm.channels, &mut mono);
    resample(&mono, pcm.sample_rate_hz, rate_hz).map_err(without_file)
}

/// Two interleaved channels at `rate_hz`: mono doubled; of more than two channels, the even ones left and the odd ones right,
/// each side's mean.
///
/// # Errors
/// Rates that the resampler refuses.
pub fn to_stereo_at(pcm: &Pcm, rate_hz: u32) -> Result<Vec<f32>, AudioError> {
    let side = |first: usize| -> Result<Vec<f32>, AudioError> {
        let frames = pcm.samples.chunks_exact(pcm.channels.max(1));
        let of_side = |frame: &[f32]| frame.iter().skip(first).step_by(2).sum::<f32>() / frame.iter().skip(first).step_by(2).count() as f32;
        let samples: Vec<f32> = frames.map(of_side).collect();
        resample(&samples, pcm.sample_rate_hz, rate_hz).map_err(without_file)
    };
    let left = side(0)?;
    if pcm.channels < 2 {
        return Ok(left.into_iter().flat_map(|sample| [sample, sample]).collect());
    }
    Ok(left.into_iter().zip(side(1)?).flat_map(|(left, right)| [left, right]).collect())
}

fn without_file(kind: AudioErrorKind) -> AudioError {
    kind.at(std::path::Path::new("samples in memory"))
}

fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, AudioErrorKind> {
    let mut resampler = MonoResampler::try_new(from_hz, to_hz)?;
    let mut output = Vec::new();
    resampler.push(samples, &mut output)?;
    resampler.finish(&mut output)?;
    Ok(output)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn new_sinc(from: usize, to: usize, common: usize, filter_frames: usize) -> Result<Async<f32>, ResamplerConstructionError> {
    // A multiple of the ratio's phases, so that every wanted filter is one that is kept.
    let phases = to / common;
    let (oversampling_factor, interpolation) = if phases <= MAX_PHASES {
        (phases * (MIN_FILTERS / phases).max(1), SincInterpolationType::Linear)
    } else {
        (MAX_PHASES, SincInterpolationType::Cubic)
    };
    let parameters = SincInterpolationParameters {
        sinc_len: filter_frames,
        f_cutoff: Some(CUTOFF),
        oversampling_factor,
        interpolation,
        window: WindowFunction::BlackmanHarris2,
    };
    Async::new_sinc(to as f64 / from as f64, 1.0, &parameters, BLOCK_FRAMES, 1, FixedAsync::Input)
}

/// Resamples one channel that comes piece by piece.
pub(super) struct MonoResampler {
    from_hz: u32,
    to_hz: u32,
    /// `None` where both rates are the same.
    sinc: Option<Async<f32>>,
    /// Input that does not fill a block yet.
    waiting: Vec<f32>,
    taken: u64,
    /// Output frames of the filter's delay that are still to be dropped.
    delay: usize,
    /// Output frames that were given.
    given: u64,
    block_out: Vec<f32>,
}

impl MonoResampler {
    /// A resampler at the start of a channel.
    pub(super) fn try_new(from_hz: u32, to_hz: u32) -> Result<Self, AudioErrorKind> {
        let error = |reason: String| AudioErrorKind::Resample { from_hz, to_hz, reason };
        if from_hz == 0 || to_hz == 0 {
            return Err(error("there is no such rate".to_owned()));
        }
        if from_hz == to_hz {
            let (waiting, block_out) = (Vec::new(), Vec::new());
            return Ok(Self { from_hz, to_hz, sinc: None, waiting, taken: 0, delay: 0, given: 0, block_out });
        }
        let (from, to) = (from_hz as usize, to_hz as usize);
        let common = greatest_common_divisor(from, to);
        let filter_frames = (FILTER_FRAMES * from.max(to)).div_ceil(to).next_multiple_of(8);
        let sinc = new_sinc(from, to, common, filter_frames).map_err(|reason| error(reason.to_string()))?;
        // The filter's middle is its delay. Zeros before the input bring it onto a frame of the output, or all output would lie between.
        let (from_step, to_step) = (from / common, to / common);
        let delay_in = (filter_frames / 2).next_multiple_of(from_step);
        let waiting = vec![0.0; delay_in - filter_frames / 2];
        let block_out = vec![0.0; sinc.output_frames_max()];
        // rubato's first output lies one output frame behind the beginning of its silence, not at it.
        let delay = delay_in / from_step * to_step - 1;
        Ok(Self { from_hz, to_hz, sinc: Some(sinc), waiting, taken: 0, delay, given: 0, block_out })
    }

    /// Takes the next samples, and appends what output they complete.
    pub(super) fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) -> Result<(), AudioErrorKind> {
        self.taken += samples.len() as u64;
        let Some(block) = self.sinc.as_ref().map(Resampler::input_frames_next) else {
            output.extend_from_slice(samples);
            return Ok(());
        };
        self.waiting.extend_from_slice(samples);
        let whole = self.waiting.len() - self.waiting.len() % block;
        let mut waiting = std::mem::take(&mut self.waiting);
        for input in waiting[..whole].chunks_exact(block) {
            self.process(input, None, output)?;
        }
        waiting.drain(..whole);
        self.waiting = waiting;
        Ok(())
    }

    /// Appends the rest of the output, which is `ceil(taken * to_hz / from_hz)` samples as a whole. Nothing can be pushed after it.
    pub(super) fn finish(&mut self, output: &mut Vec<f32>) -> Result<(), AudioErrorKind> {
        let Some(block) = self.sinc.as_ref().map(Resampler::input_frames_next) else { return Ok(()) };
        let wanted = (u128::from(self.taken) * u128::from(self.to_hz)).div_ceil(u128::from(self.from_hz)) as u64;
        let mut last = std::mem::take(&mut self.waiting);
        let filled = last.len();
        last.resize(block, 0.0);
        self.process(&last, Some(filled), output)?;
        last.fill(0.0);
        while self.given < wanted {
            self.process(&last, Some(0), output)?;
        }
        let surplus = usize::try_from(self.given - wanted).unwrap_or(usize::MAX);
        output.truncate(output.len().saturating_sub(surplus));
        self.given = wanted;
        Ok(())
    }

    fn process(&mut self, input: &[f32], partial: Option<usize>, into: &mut Vec<f32>) -> Result<(), AudioErrorKind> {
        let Some(sinc) = &mut self.sinc else { return Ok(()) };
        let error = |reason: String| AudioErrorKind::Resample { from_hz: self.from_hz, to_hz: self.to_hz, reason };
        let frames_out = self.block_out.len();
        let input = InterleavedSlice::new(input, 1, input.len()).map_err(|reason| error(reason.to_string()))?;
        let mut output = InterleavedSlice::new_mut(&mut self.block_out, 1, frames_out).map_err(|reason| error(reason.to_string()))?;
        let indexing = Indexing { partial_len: partial, ..Indexing::default() };
        let (_, made) = sinc.process_into_buffer(&input, &mut output, Some(&indexing)).map_err(|reason| error(reason.to_string()))?;
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        self.given += (made - dropped) as u64;
        into.extend_from_slice(&self.block_out[dropped..made]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(hz: f64, rate_hz: u32, frames: usize) -> Vec<f32> {
        (0..frames).map(|frame| (TAU * hz * frame as f64 / f64::from(rate_hz)).sin() as f32).collect()
    }

    fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_sine_stays_that_sine_at_every_common_rate_and_keeps_its_place() {
        for (from_hz, to_hz) in [
            (44_100, 16_000),
            (48_000, 16_000),
            (44_101, 16_000),
            (16_000, 48_000),
            (32_000, 16_000),
            (22_050, 16_000),
            (8_000, 16_000),
            (44_100, 48_000),
            (96_000, 44_100),
        ] {
            let frames = from_hz as usize * 2 + 17;
            let pcm = Pcm { samples: sine(997.0, from_hz, frames), channels: 1, sample_rate_hz: from_hz };
            let found = to_mono_at(&pcm, to_hz).unwrap();
            assert_eq!(found.len(), (frames * to_hz as usize).div_ceil(from_hz as usize));
            let expected = sine(997.0, to_hz, found.len());
            let inner = found.len() / 4..found.len() * 3 / 4;
            let difference = largest_difference(&found[inner.clone()], &expected[inner]);
            // rubato's table of filters begins one entry off, some 1/150 of an input frame.
            assert!(difference < 7e-3, "{from_hz} to {to_hz}: {difference}");
        }
    }

    #[test]
    fn what_lies_above_the_lower_rate_is_gone_and_what_lies_below_stays() {
        let level = |hz| {
            let pcm = Pcm { samples: sine(hz, 44_100, 88_200), channels: 1, sample_rate_hz: 44_100 };
            let found = to_mono_at(&pcm, 16_000).unwrap();
            found[8_000..24_000].iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
        };
        assert!(level(8_000.0) < 1e-3, "{}", level(8_000.0));
        assert!(level(9_000.0) < 1e-5, "{}", level(9_000.0));
        assert!((level(7_728.0) - 0.5).abs() < 0.02, "{}", level(7_728.0));
        assert!((level(7_300.0) - 1.0).abs() < 1e-3, "{}", level(7_300.0));
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let samples = sine(440.0, 44_100, 60_001);
        let whole = resample(&samples, 44_100, 16_000).unwrap();
        let mut resampler = MonoResampler::try_new(44_100, 16_000).unwrap();
        let mut pieces = Vec::new();
        for piece in samples.chunks(1_153) {
            resampler.push(piece, &mut pieces).unwrap();
        }
        resampler.finish(&mut pieces).unwrap();
        assert_eq!(pieces, whole);
    }

    #[test]
    fn the_same_rate_changes_nothing_and_the_shortest_inputs_have_a_length() {
        assert_eq!(resample(&[0.5, -0.5], 16_000, 16_000).unwrap(), [0.5, -0.5]);
        assert!(resample(&[], 44_100, 16_000).unwrap().is_empty());
        assert_eq!(resample(&[1.0], 44_100, 16_000).unwrap().len(), 1);
        assert!(resample(&[1.0], 0, 16_000).is_err());
    }

    #[test]
    fn stereo_is_made_of_any_number_of_channels() {
        let pcm = |samples: &[f32], channels| Pcm { samples: samples.to_vec(), channels, sample_rate_hz: 8_000 };
        assert_eq!(to_stereo_at(&pcm(&[0.5, 0.25], 1), 8_000).unwrap(), [0.5, 0.5, 0.25, 0.25]);
        assert_eq!(to_stereo_at(&pcm(&[0.5, 0.25], 2), 8_000).unwrap(), [0.5, 0.25]);
        assert_eq!(to_stereo_at(&pcm(&[1.0, 2.0, 3.0], 3), 8_000).unwrap(), [2.0, 2.0]);
    }
}
