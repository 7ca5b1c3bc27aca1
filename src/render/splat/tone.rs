//! Values (counts, or a smoothed density) to tones, and tones to colours: the twin of `shaders/splat_histogram.wgsl`, `splat_curve.wgsl` and `splat_resolve.wgsl`.
//!
//! A cell's tone is the mean of two answers to how much a value is. Its logarithm, from the least to the largest, keeps proportions; the share
//! of lit cells that have less (histogram equalisation, as datashader's `eq_hist`: Hummel, "Image enhancement by histogram
//! transformation", 1977) shows structure wherever it is. Together, what is dense stands out and what is sparse stays seen.

use rayon::prelude::*;

use super::params::{SplatParams, UNIT};
use crate::scene::mixture::{self, Mixture};
use crate::scene::{DensityScale, HeatMap};

/// Buckets of counts: 32 octaves of 16.
pub const BUCKETS: usize = 512;
/// Opacity of a pixel with the least tone.
const FAINTEST: f32 = 0.3;
/// The part of a colour that the strongest haze takes.
const MOST_HAZE: f32 = 0.55;
/// The share of its opacity that a colour keeps behind the veil.
const VEILED_OPACITY: f32 = 0.75;
/// Opacity of the grey of rows that are not chosen: of a single one, and of as many as there are.
const LEAST_GREY: f32 = 0.2;
const MOST_GREY: f32 = 0.6;

/// A count's bucket: its octave, and the four bits below its highest.
#[must_use]
pub fn bucket_of(count: u32) -> usize {
    let octave = count.max(1).ilog2();
    let below = if octave > 4 { count >> (octave - 4) } else { count << (4 - octave) };
    (octave * 16 + (below & 15)) as usize
}

/// The least count of a bucket: twin of [`bucket_of`].
#[must_use]
pub fn least_of_bucket(bucket: usize) -> f32 {
    2f32.powi((bucket / 16) as i32) * (1.0 + (bucket % 16) as f32 / 16.0)
}

/// What the tones of a density stand for.
#[must_use]
pub fn density_scale(tones: &[f32; BUCKETS], params: &SplatParams, pixels_per_point: f32) -> DensityScale {
    let of_row = if params.reach > 0 { UNIT } else { 1.0 };
    // A cell's value to rows in a square point.
    let in_a_point = pixels_per_point.powi(2) / (of_row * (params.cell * params.cell) as f32);
    // From the largest bucket on, all cells have less.
    let most = least_of_bucket(tones.iter().position(|&tone| tone > 0.9995).unwrap_or(BUCKETS - 1));
    let least = params.faint.max(1) as f32;
    DensityScale::new(least * in_a_point, most.max(least) * in_a_point, |density| tone_of(tones, density / in_a_point))
}

/// Whose cells say how much a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tones {
    /// The picture's own.
    #[default]
    Own,
    /// Those of all tiles so far: nothing is to be seen yet.
    Gathered {
        /// Whether there were none before.
        is_first: bool,
    },
    /// Those that were gathered.
    Kept,
}

/// Cells by the bucket of their values; those that are not lit are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram(pub [u32; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Histogram {
    /// Adds a cell, where its value is at least `faint`, which is at least 1.
    #[inline]
    pub fn add(&mut self, value: u32, faint: u32) {
        if value >= faint {
            self.0[bucket_of(value)] += 1;
        }
    }

    /// All of these values.
    #[must_use]
    pub fn of(values: &[u32], faint: u32) -> Self {
        let band = |values: &[u32]| {
            let mut histogram = Self::default();
            values.iter().for_each(|&value| histogram.add(value, faint));
            histogram
        };
        values.par_chunks(1 << 14).map(band).reduce(Self::default, |all, band| all.and(&band))
    }

    /// The cells of a grid that are its own.
    #[must_use]
    pub fn of_own(values: &[u32], params: &SplatParams) -> Self {
        if params.owns_all() {
            return Self::of(values, params.faint);
        }
        let [left, top, right, bottom] = params.own.map(|cell| cell as usize);
        let rows = values.chunks(params.width.max(1) as usize).take(bottom).skip(top);
        let of_row = |row: &[u32]| Self::of(row.get(left..right).unwrap_or_default(), params.faint);
        rows.map(of_row).fold(Self::default(), |all, row| all.and(&row))
    }

    /// Adds another one's cells.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(own, more)| *own += more);
        self
    }
}

/// The tone of each bucket, 0 to 1. `faint` is the least value that counts as lit.
#[must_use]
pub fn curve(histogram: &Histogram, faint: u32) -> [f32; BUCKETS] {
    let lit = histogram.0.iter().sum::<u32>().max(1) as f32;
    let highest = histogram.0.iter().rposition(|&cells| cells > 0).unwrap_or(0);
    let least = bucket_of(faint);
    let mut below = 0;
    let mut tones = [0.0; BUCKETS];
    for (bucket, (tone, &own)) in tones.iter_mut().zip(&histogram.0).enumerate() {
        let share = (below as f32 + 0.5 * own as f32) / lit;
        // The least has an octave below it.
        let octaves = (bucket + 16).saturating_sub(least) as f32 / (highest.saturating_sub(least) + 16) as f32;
        *tone = 0.5 * (share + octaves.min(1.0));
        below += own;
    }
    tones
}

/// The tone of a value between buckets: the shader reads bucket and place in it off the number's bits as well.
#[inline]
#[must_use]
pub fn tone_of(tones: &[f32; BUCKETS], value: f32) -> f32 {
    // Below the 8 bits of the exponent and the highest 4 of the mantissa, 19 bits say where in the bucket the value is.
    let bits = value.max(1.0).to_bits();
    let bucket = ((bits >> 19).saturating_sub(127 << 4) as usize).min(BUCKETS - 1);
    let within = (bits & 0x7_ffff) as f32 / 524_288.0;
    let (here, next) = (tones[bucket], tones[(bucket + 1).min(BUCKETS - 1)]);
    here + (next - here) * within
}

/// The colour of a tone in a heat map, premultiplied, packed.
#[inline]
#[must_use]
pub fn heat_color(heat: &HeatMap, tone: f32) -> u32 {
    heat.premultiplied[((tone * 255.0 + 0.5) as usize).min(255)]
}

/// The tone whose colour a line through `tone` has: lighter where it is dark, darker where it is light.
#[inline]
#[must_use]
pub fn line_tone(tone: f32) -> f32 {
    if tone < 0.55 { tone + 0.25 } else { tone - 0.25 }
}

/// `part` of the way from a packed colour to another.
#[must_use]
pub fn mixed(color: u32, other: u32, part: f32) -> u32 {
    let (from, to) = (color.to_le_bytes(), other.to_le_bytes());
    u32::from_le_bytes(std::array::from_fn(|at| {
        let (from, to) = (f32::from(from[at]), f32::from(to[at]));
        (from + (to - from) * part + 0.5) as u8
    }))
}

/// A premultiplied colour with a part of its opacity.
#[must_use]
pub fn faded(color: u32, part: f32) -> u32 {
    u32::from_le_bytes(color.to_le_bytes().map(|channel| (f32::from(channel) * part + 0.5) as u8))
}

/// A premultiplied colour that steps back while a track stands out.
#[must_use]
pub fn veiled(color: u32, veil: u32) -> u32 {
    let [r, g, b, alpha] = color.to_le_bytes().map(f32::from);
    let grey = 0.299 * r + 0.587 * g + 0.114 * b;
    let toward = |from: f32, to: f32, part: f32| from + (to - from) * part;
    let ground = veil.to_le_bytes().map(|channel| f32::from(channel) * alpha / 255.0);
    let channels = [toward(r, grey, 0.7), toward(g, grey, 0.7), toward(b, grey, 0.7), alpha];
    let at = |at: usize| ((if at < 3 { toward(channels[at], ground[at], 0.55) } else { alpha }) * VEILED_OPACITY + 0.5) as u8;
    u32::from_le_bytes(std::array::from_fn(at))
}

/// A premultiplied colour over the grey of `count` rows.
#[must_use]
pub fn over_grey(color: u32, count: f32, params: &SplatParams) -> u32 {
    let strength = ((1.0 + count).log2() / params.octaves as f32).min(1.0);
    let alpha = (LEAST_GREY + (MOST_GREY - LEAST_GREY) * strength) * count.min(1.0);
    let [r, g, b, _] = params.grey.to_le_bytes().map(f32::from);
    let grey = [r, g, b, 255.0].map(|channel| channel * alpha);
    let color = color.to_le_bytes().map(f32::from);
    let through = 1.0 - color[3] / 255.0;
    u32::from_le_bytes(std::array::from_fn(|at| (color[at] + grey[at] * through + 0.5) as u8))
}

/// The opacity of each bucket where rows have colours.
#[must_use]
pub fn opacities(tones: &[f32; BUCKETS]) -> [f32; BUCKETS] {
    tones.map(|tone| FAINTEST + (1.0 - FAINTEST) * tone)
}

/// A pixel's colour from its rows' sums, premultiplied, packed: where colours are exact, their mean; else as much of its hue as many classes
/// leave ([`mixture::of_mean`]).
#[must_use]
pub fn mean_color(sums: [u32; 3], count: u32, levels: u32, alpha: f32, is_exact: bool) -> u32 {
    let scale = 1.0 / (count as f32 * levels as f32);
    let mean = sums.map(|sum| sum as f32 * scale);
    premultiplied(if is_exact { mean } else { mixture::of_mean(mean) }, alpha)
}

/// A pixel's colour from the counts of its classes, and what they count of haze behind them, premultiplied, packed.
#[must_use]
pub fn class_color(cell: &[u32], palette: &[[f32; 3]], params: &SplatParams, alpha: f32) -> u32 {
    let mut mixture = Mixture::default();
    let mut total = 0.0;
    for (&count, &color) in cell.iter().zip(palette) {
        mixture.add(count as f32, color);
        total += count as f32;
    }
    let mut color = mixture.color();
    if params.haze != 0 {
        let sum = cell.last().copied().unwrap_or(0) as f32;
        let part = sum / (total * params.levels as f32).max(1.0) * MOST_HAZE;
        let [r, g, b, _] = params.haze.to_le_bytes().map(|channel| f32::from(channel) / 255.0);
        let ground = [r, g, b];
        color = std::array::from_fn(|at| color[at] + (ground[at] - color[at]) * part);
    }
    premultiplied(color, alpha)
}

fn premultiplied(color: [f32; 3], alpha: f32) -> u32 {
    let [r, g, b] = color.map(|channel| (channel.clamp(0.0, 1.0) * alpha * 255.0 + 0.5) as u8);
    u32::from_le_bytes([r, g, b, (alpha * 255.0 + 0.5) as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_rise_with_counts_and_tell_small_ones_apart() {
        let small: Vec<usize> = (1..=32).map(bucket_of).collect();
        assert!(small.windows(2).all(|pair| pair[0] < pair[1]), "{small:?}");
        assert_eq!((bucket_of(1), bucket_of(2), bucket_of(3), bucket_of(u32::MAX)), (0, 16, 24, BUCKETS - 1));
        assert!((1..5000u32).all(|count| bucket_of(count) <= bucket_of(count + 1)));
    }

    #[test]
    fn tones_rise_from_what_is_alone_to_what_is_densest() {
        let mut histogram = Histogram::default();
        (1..=1000u32).for_each(|count| (0..1000 / count).for_each(|_| histogram.add(count, 1)));
        let tones = curve(&histogram, 1);
        assert!(tones.windows(2).all(|pair| pair[0] <= pair[1]) && tones[0] > 0.0 && tones[bucket_of(1000)] > 0.95);
        // Where all have the same, they are in the middle of the others and as dense as the densest.
        let mut alone = Histogram::default();
        alone.add(1, 1);
        alone.add(0, 1);
        assert_eq!(curve(&alone, 1)[0], 0.75);
    }

    #[test]
    fn a_mean_is_premultiplied() {
        assert_eq!(mean_color([255 * 4, 0, 255 * 2], 4, 255, 1.0, false).to_le_bytes(), [255, 0, 128, 255]);
        assert_eq!(mean_color([255, 0, 0], 1, 255, 0.5, false).to_le_bytes(), [128, 0, 0, 128]);
    }

    #[test]
    fn a_densitys_scale_has_the_tones_that_the_picture_has() {
        for bucket in 0..BUCKETS {
            let least = least_of_bucket(bucket);
            assert!(least.fract() > 0.0 || bucket_of(least as u32) == bucket, "{bucket}: {least}");
        }
        let tones = curve(&Histogram::of(&(1..3000).collect::<Vec<_>>(), 1), 1);
        let params = SplatParams { cell: 1, faint: 1, ..SplatParams::default() };
        let scale = density_scale(&tones, &params, 1.0);
        let values: Vec<f32> = scale.ticks.iter().map(|&(_, value)| value).collect();
        assert_eq!((scale.edge, values), (1, vec![1.0, 10.0, 100.0, 1000.0]));
        assert!(scale.ticks.iter().all(|&(place, value)| (place - tone_of(&tones, value)).abs() < 1e-5), "{scale:?}");
        // Twice as many pixels along a point: four times as many rows in a square point, of cells as full.
        let fine = density_scale(&tones, &params, 2.0);
        assert!(fine.ticks.iter().any(|&(place, value)| value == 1000.0 && (place - tone_of(&tones, 250.0)).abs() < 1e-5), "{fine:?}");
    }

    #[test]
    fn tones_between_buckets_are_between_theirs() {
        let tones = curve(&Histogram::of(&(1..3000).collect::<Vec<_>>(), 1), 1);
        for count in [1u32, 2, 3, 17, 40, 63, 64, 1000, 2999] {
            let (bucket, tone) = (bucket_of(count), tone_of(&tones, count as f32));
            assert!(tone >= tones[bucket] && tone <= tones[bucket + 1], "{count}: {tone}");
        }
        assert!(tone_of(&tones, 40.6) > tone_of(&tones, 40.2) && tone_of(&tones, 0.0) == tones[0]);
    }

    #[test]
    fn a_mean_near_grey_loses_its_hue_and_one_colour_stays_as_it_is() {
        let faint = |is_exact| mean_color([130 * 9, 125 * 9, 120 * 9], 9, 255, 1.0, is_exact).to_le_bytes();
        assert_eq!(faint(true), [130, 125, 120, 255]);
        let [r, g, b, _] = faint(false);
        assert!(r - b <= 3 && g.abs_diff(125) <= 1, "{r} {g} {b}");
        assert_eq!(mean_color([200 * 9, 90 * 9, 30 * 9], 9, 255, 1.0, false), mean_color([200, 90, 30], 1, 255, 1.0, true));
    }

    #[test]
    fn classes_that_are_even_are_grey_at_any_count_and_in_the_haze_go_to_the_ground() {
        let palette = [[1.0, 0.2, 0.0], [0.0, 0.5, 1.0], [0.5, 0.5, 0.5]];
        let plain = SplatParams { classes: 3, levels: 255, ..SplatParams::default() };
        for count in [1, 17, 1_500_000] {
            let [r, g, b, alpha] = class_color(&[count, count, 0], &palette, &plain, 1.0).to_le_bytes();
            assert!(r == g && g == b && alpha == 255 && r > 80, "{r} {g} {b}");
            assert_eq!(class_color(&[count, 0, 0], &palette, &plain, 1.0).to_le_bytes(), [255, 51, 0, 255]);
        }
        let hazy = SplatParams { haze: 0xff00_0000, ..plain };
        assert_eq!(class_color(&[4, 0, 0, 0], &palette, &hazy, 1.0).to_le_bytes(), [255, 51, 0, 255]);
        assert_eq!(class_color(&[4, 0, 0, 4 * 255], &palette, &hazy, 1.0).to_le_bytes(), [115, 23, 0, 255]);
    }
}
