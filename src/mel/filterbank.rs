//! The triangular mel bands, kept sparse: a band touches 2 to 60 of 257 bins.

use super::config::{BandNorm, MelConfig, Slopes};

/// One band: the bins that it touches.
#[derive(Clone, Debug, PartialEq)]
struct Band {
    first_bin: usize,
    weights: Vec<f32>,
}

/// The bands of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Filterbank {
    bands: Vec<Band>,
}

impl Filterbank {
    /// Computes the weights, in f64.
    #[must_use]
    pub fn new(config: &MelConfig) -> Self {
        let scale = config.scale;
        let (low, high) = (scale.mel_from_hz(config.low_hz), scale.mel_from_hz(config.high_hz));
        let step = (high - low) / (config.mel_bands + 1) as f64;
        let bin_hz = f64::from(config.sample_rate_hz) / config.fft_samples as f64;
        let bands = (0..config.mel_bands).map(|band| {
            let edge = |i: usize| low + step * (band + i) as f64;
            let hz = [0, 1, 2].map(|i| scale.hz_from_mel(edge(i)));
            let (edges, position): ([f64; 3], &dyn Fn(f64) -> f64) = match config.slopes {
                Slopes::Hertz => (hz, &|bin| bin),
                Slopes::Mel => ([0, 1, 2].map(edge), &|bin| scale.mel_from_hz(bin)),
            };
            let height = match config.norm {
                BandNorm::UnitArea => 2.0 / (hz[2] - hz[0]),
                BandNorm::UnitPeak => 1.0,
            };
            Band::triangle(config.bins(), |bin| {
                let at = position(bin as f64 * bin_hz);
                let slope = ((at - edges[0]) / (edges[1] - edges[0])).min((edges[2] - at) / (edges[2] - edges[1]));
                (height * slope.max(0.0)) as f32
            })
        });
        Self { bands: bands.collect() }
    }

    /// The sums of the bands over one spectrum, into `into`, `[mel_bands]`.
    pub fn apply(&self, spectrum: &[f32], into: &mut [f32]) {
        for (sum, band) in into.iter_mut().zip(&self.bands) {
            let bins = &spectrum[band.first_bin..band.first_bin + band.weights.len()];
            *sum = bins.iter().zip(&band.weights).map(|(bin, weight)| bin * weight).sum();
        }
    }

    /// All weights, `[mel_bands][bins]`: for those who look or test.
    #[must_use]
    pub fn dense(&self, bins: usize) -> Vec<Vec<f32>> {
        let row = |band: &Band| {
            let mut row = vec![0.0; bins];
            row[band.first_bin..band.first_bin + band.weights.len()].copy_from_slice(&band.weights);
            row
        };
        self.bands.iter().map(row).collect()
    }
}

impl Band {
    /// The bins whose weight is above zero. Bin 0, the constant part, is never one: its weight is 0 by the recipe of the
    /// bands that start at 0 Hz, and it lies below the others.
    fn triangle(bins: usize, weight: impl Fn(usize) -> f32) -> Self {
        let first_bin = (1..bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        let weights = (first_bin.max(1)..bins).map(weight).take_while(|&weight| weight > 0.0).collect();
        Self { first_bin, weights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_of_the_musicnn_recipe_has_unit_area() {
        let dense = Filterbank::new(&MelConfig::MUSICNN).dense(257);
        assert_eq!(dense.len(), 96);
        // The wide bands at the top are sampled finely enough for the sum to come near the integral.
        for (band, weights) in dense.iter().enumerate().skip(80) {
            let area: f32 = weights.iter().sum::<f32>() * 31.25;
            assert!((area - 1.0).abs() < 0.02, "band {band}: {area}");
        }
    }

    #[test]
    fn a_band_of_the_vggish_recipe_peaks_at_one_between_its_edges() {
        let dense = Filterbank::new(&MelConfig::VGGISH).dense(257);
        assert_eq!(dense.len(), 64);
        for (band, weights) in dense.iter().enumerate() {
            let peak = weights.iter().copied().fold(0.0, f32::max);
            assert!(peak > 0.4 && peak <= 1.0, "band {band}: {peak}");
            assert_eq!(weights[0], 0.0, "the constant part is left out");
        }
        // 125 Hz is bin 4, 7500 Hz is bin 240: nothing is heard beyond them.
        assert!(dense.iter().all(|band| band[..=4].iter().all(|&w| w == 0.0) && band[240..].iter().all(|&w| w == 0.0)));
    }

    #[test]
    fn sums_are_those_of_the_dense_matrix() {
        let bank = Filterbank::new(&MelConfig::MUSICNN);
        let spectrum: Vec<f32> = (0..257).map(|bin| ((bin * 37) % 11) as f32).collect();
        let mut sums = vec![f32::NAN; 96];
        bank.apply(&spectrum, &mut sums);
        for (sum, row) in sums.iter().zip(bank.dense(257)) {
            let naive: f64 = row.iter().zip(&spectrum).map(|(&w, &s)| f64::from(w) * f64::from(s)).sum();
            assert!((f64::from(*sum) - naive).abs() < 1e-5 * (1.0 + naive));
        }
    }
}
