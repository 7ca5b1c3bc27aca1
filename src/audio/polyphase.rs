//! From one sample rate to another, any stretch by itself: what playback needs.
//!
//! Output sample `n` lies at input position `n * from / to`, and is a sum over the input samples around it, weighted by a windowed sinc (Kaiser's
//! window; Smith, *Digital Audio Resampling*, 2002). It depends on nothing else, so that a stretch has, to the bit, the samples that the whole track
//! has there, and the first of them can be had before the rest is decoded. `resample` is the other one: it comes nearer to the reference's filter, and has
//! a long table to fill before its first sample.

use std::sync::{Arc, Mutex, PoisonError};

/// Input samples that an output sample is made of, at the lower of both rates.
const TAPS: usize = 128;
/// Where half of the amplitude passes, relative to half of the lower rate: flat to 20.1 kHz of 44.1 kHz.
const CUTOFF: f64 = 0.955;
/// Kaiser's beta: 90 dB down.
const BETA: f64 = 9.0;
/// Most positions between two input samples for which each has its own filter; between rates with more, the nearest of this many is taken.
const MAX_PHASES: usize = 1024;
/// Filters of pairs of rates that are kept: a collection has few.
const KEPT: usize = 8;

/// The filters between two rates.
#[derive(Debug)]
pub(super) struct Polyphase {
    from_hz: u64,
    to_hz: u64,
    taps: usize,
    phases: usize,
    /// `[phases, taps]`.
    filters: Vec<f32>,
}

static KNOWN: Mutex<Vec<Arc<Polyphase>>> = Mutex::new(Vec::new());

impl Polyphase {
    /// The filters between two rates above 0, made once.
    pub(super) fn between(from_hz: u32, to_hz: u32) -> Arc<Self> {
        let (from_hz, to_hz) = (u64::from(from_hz.max(1)), u64::from(to_hz.max(1)));
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().iter().find(|found| (found.from_hz, found.to_hz) == (from_hz, to_hz)) {
            return Arc::clone(found);
        }
        let made = Arc::new(Self::new(from_hz, to_hz));
        let mut list = known();
        if list.len() >= KEPT {
            list.remove(0);
        }
        list.push(Arc::clone(&made));
        made
    }

    fn new(from_hz: u64, to_hz: u64) -> Self {
        if from_hz == to_hz {
            return Self { from_hz, to_hz, taps: 0, phases: 1, filters: Vec::new() };
        }
        let common = greatest_common_divisor(from_hz, to_hz);
        let phases = usize::try_from(to_hz / common).unwrap_or(MAX_PHASES).min(MAX_PHASES);
        // A cutoff below half of the input's rate needs a filter as much longer.
        let ratio = (to_hz as f64 / from_hz as f64).min(1.0);
        let taps = ((TAPS as f64 / ratio).ceil() as usize).next_multiple_of(8);
        let mut filters = Vec::with_capacity(phases * taps);
        for phase in 0..phases {
            let shift = phase as f64 / phases as f64;
            let row: Vec<f64> = (0..taps)
                .map(|tap| {
                    let at = tap as f64 - (taps / 2 - 1) as f64 - shift;
                    ratio * CUTOFF * sinc(ratio * CUTOFF * at) * kaiser(at / (taps / 2) as f64)
                })
                .collect();
            // Every phase passes silence's neighbour, a constant, as it is.
            let sum: f64 = row.iter().sum();
            filters.extend(row.iter().map(|weight| (weight / sum) as f32));
        }
        Self { from_hz, to_hz, taps, phases, filters }
    }

    /// Input samples before and behind the one at an output sample's position that it is made of.
    pub(super) fn reach(&self) -> u64 {
        self.taps as u64 / 2
    }

    /// The input sample at or right before output sample `number`, and the filter's number.
    fn position(&self, number: u64) -> (u64, usize) {
        let scaled = u128::from(number) * u128::from(self.from_hz);
        let (whole, rest) = (scaled / u128::from(self.to_hz), scaled % u128::from(self.to_hz));
        ((whole as u64), (rest * self.phases as u128 / u128::from(self.to_hz)) as usize)
    }

    /// The input sample at or right before output sample `number`.
    pub(super) fn input_at(&self, number: u64) -> u64 {
        self.position(number).0
    }

    /// Output samples of so many input samples: `ceil(input * to / from)`.
    pub(super) fn output_of(&self, input: u64) -> u64 {
        (u128::from(input) * u128::from(self.to_hz)).div_ceil(u128::from(self.from_hz)) as u64
    }

    /// Output sample `number` of channels of which `inputs` hold the samples from `first` on; what they do not hold is silence.
    pub(super) fn sample<const CHANNELS: usize>(&self, number: u64, inputs: [&[f32]; CHANNELS], first: u64) -> [f32; CHANNELS] {
        let (at, phase) = self.position(number);
        let sample_at = |input: &[f32], at: i64| usize::try_from(at).ok().and_then(|at| input.get(at)).copied().unwrap_or(0.0);
        let at = at as i64 - first as i64;
        if self.taps == 0 {
            return inputs.map(|input| sample_at(input, at));
        }
        let filter = &self.filters[phase * self.taps..(phase + 1) * self.taps];
        let begin = at - (self.taps / 2 - 1) as i64;
        inputs.map(|input| match usize::try_from(begin).ok().and_then(|begin| input.get(begin..begin + self.taps)) {
            Some(part) => weighted_sum(part, filter),
            None => {
                // At a border. In the same order as inside, so that it makes no difference how much is at hand.
                let part: Vec<f32> = (begin..begin + self.taps as i64).map(|at| sample_at(input, at)).collect();
                weighted_sum(&part, filter)
            }
        })
    }
}

/// In eight sums, which the compiler keeps in registers; their order is fixed.
fn weighted_sum(samples: &[f32], weights: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (samples, weights) in samples.as_chunks::<8>().0.iter().zip(weights.as_chunks::<8>().0) {
        for lane in 0..8 {
            sums[lane] += samples[lane] * weights[lane];
        }
    }
    sums.iter().sum()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// Kaiser's window at -1..1.
fn kaiser(x: f64) -> f64 {
    if x.abs() >= 1.0 { 0.0 } else { bessel_i0(BETA * (1.0 - x * x).sqrt()) / bessel_i0(BETA) }
}

/// The modified Bessel function of order 0, by its power series (Abramowitz and Stegun, 9.6.12).
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let terms = (1..60).scan(1.0, |term, k| {
        *term *= quarter / f64::from(k * k);
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(hz: f64, rate_hz: u32, frames: usize) -> Vec<f32> {
        (0..frames).map(|frame| (TAU * hz * frame as f64 / f64::from(rate_hz)).sin() as f32).collect()
    }

    fn whole(filters: &Polyphase, input: &[f32]) -> Vec<f32> {
        (0..filters.output_of(input.len() as u64)).map(|number| filters.sample(number, [input], 0)[0]).collect()
    }

    #[test]
    fn a_sine_keeps_its_place_and_height_at_every_common_rate() {
        for (from_hz, to_hz, hz) in [
            (44_100, 48_000, 997.0),
            (44_100, 48_000, 19_000.0),
            (48_000, 44_100, 997.0),
            (96_000, 48_000, 15_000.0),
            (8_000, 48_000, 3_000.0),
            (192_000, 44_100, 997.0),
            (44_101, 48_000, 997.0),
            (48_000, 48_000, 997.0),
        ] {
            let input = sine(hz, from_hz, from_hz as usize / 4);
            let found = whole(&Polyphase::between(from_hz, to_hz), &input);
            let wanted = sine(hz, to_hz, found.len());
            let inside = found.len() / 4..found.len() * 3 / 4;
            let error = found[inside.clone()].iter().zip(&wanted[inside]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let bound = if from_hz == 44_101 { 1e-3 } else { 1e-4 };
            assert!(error < bound, "{from_hz} to {to_hz}, {hz} Hz: {error}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let input = sine(26_000.0, 96_000, 24_000);
        let found = whole(&Polyphase::between(96_000, 44_100), &input);
        let peak = found[3000..8000].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak < 1e-4, "{peak}");
    }

    #[test]
    fn a_stretch_has_the_samples_of_the_whole_to_the_bit() {
        let input = sine(440.0, 44_100, 20_000);
        let filters = Polyphase::between(44_100, 48_000);
        let all = whole(&filters, &input);
        for number in [0_u64, 5, 4_000, 12_345, 21_000] {
            let first = filters.input_at(number).saturating_sub(filters.reach());
            let end = (filters.input_at(number) + filters.reach() + 1).min(20_000);
            let found = filters.sample(number, [&input[first as usize..end as usize]], first);
            assert_eq!(found[0].to_bits(), all[number as usize].to_bits(), "{number}");
        }
        let (left, right) = (&input[..100], &input[100..200]);
        assert_eq!(filters.sample(50, [left, right], 0), [filters.sample(50, [left], 0)[0], filters.sample(50, [right], 0)[0]]);
    }
}
