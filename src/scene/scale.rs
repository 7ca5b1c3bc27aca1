//! The colours of a continuous scale: equal steps of a number are equal steps to the eye.

use super::color::Srgb;
use super::style::Theme;

/// Points on a curve before it is divided into equal steps.
const FINE: usize = 2048;

/// `count` colours along a curve of (lightness, chroma, hue in turns) over 0..1, as far from each other in OKLab as equal parts of it are
/// (Ottosson, "A perceptual color space for image processing", 2020).
#[must_use]
pub fn even_steps(count: usize, curve: impl Fn(f32) -> [f32; 3]) -> Vec<Srgb> {
    let fine: Vec<[f32; 3]> = (0..FINE).map(|step| curve(step as f32 / (FINE - 1) as f32)).collect();
    let lab = |[lightness, chroma, hue]: [f32; 3]| {
        let (sin, cos) = (hue * std::f32::consts::TAU).sin_cos();
        [lightness, chroma * cos, chroma * sin]
    };
    let mut way = vec![0.0; FINE];
    for step in 1..FINE {
        let squares: f32 = lab(fine[step - 1]).iter().zip(lab(fine[step])).map(|(a, b)| (a - b).powi(2)).sum();
        way[step] = way[step - 1] + squares.sqrt();
    }
    let color = |entry: usize| {
        let wanted = way[FINE - 1] * entry as f32 / (count.max(2) - 1) as f32;
        let [lightness, chroma, hue] = fine[way.partition_point(|&gone| gone < wanted).min(FINE - 1)];
        Srgb::from_oklch(lightness, chroma, hue)
    };
    (0..count).map(color).collect()
}

/// A colour for each number from 0 to 1.
///
/// Lightness rises evenly from blue over green to yellow on a dark ground, and falls on a light one, so that high is what stands out. Lightness
/// alone tells the numbers apart: the scale reads in grey, and for people who do not tell hues apart. Its low end still stands off the ground,
/// because points without much of something are points nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    colors: Vec<Srgb>,
}

impl Scale {
    /// Colours of a scale.
    pub const STEPS: usize = 256;

    /// The scale of a theme.
    #[must_use]
    pub fn of(theme: Theme) -> Self {
        // From 0.76 turns (violet blue) to 0.29 (yellow); chroma where sRGB has room for it.
        let curve = |t: f32| {
            let swell = (std::f32::consts::PI * t).sin();
            if theme.is_dark() {
                [0.42 + 0.51 * t, 0.115 + 0.025 * swell, 0.77 - 0.475 * t]
            } else {
                [0.84 - 0.54 * t, 0.09 + 0.04 * swell, 0.33 + 0.45 * t]
            }
        };
        Self { colors: even_steps(Self::STEPS, curve) }
    }

    /// The colours, low to high.
    #[must_use]
    pub fn colors(&self) -> &[Srgb] {
        &self.colors
    }

    /// The colour of a number; what is beyond 0 or 1 has the end's, and what is no number has none.
    #[must_use]
    pub fn at(&self, t: f32) -> Option<Srgb> {
        let entry = (t.clamp(0.0, 1.0) * (Self::STEPS - 1) as f32).round();
        if t.is_nan() { None } else { self.colors.get(entry as usize).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: Srgb, b: Srgb) -> f32 {
        a.to_oklab().iter().zip(b.to_oklab()).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn lightness_goes_one_way_and_steps_are_even() {
        for theme in [Theme::Dark, Theme::Light] {
            let scale = Scale::of(theme);
            // Over 16 steps, which 8 bits a channel round less than single ones.
            let parts: Vec<f32> = scale.colors().windows(17).map(|run| distance(run[0], run[16])).collect();
            let (least, most) = parts.iter().fold((f32::MAX, 0.0f32), |(least, most), &part| (least.min(part), most.max(part)));
            assert!(most / least < 1.5, "{theme:?}: steps from {least} to {most}");
            let lightness: Vec<f32> = scale.colors().iter().map(|color| color.to_oklab()[0]).collect();
            let sign = if theme.is_dark() { 1.0 } else { -1.0 };
            assert!(lightness.windows(2).all(|pair| (pair[1] - pair[0]) * sign > -1e-3), "{theme:?}");
            assert!((lightness[255] - lightness[0]) * sign > 0.45, "{theme:?}: {} to {}", lightness[0], lightness[255]);
        }
    }

    #[test]
    fn every_number_stands_off_the_ground_and_high_ones_most() {
        for theme in [Theme::Dark, Theme::Light] {
            let scale = Scale::of(theme);
            let contrast: Vec<f32> = scale.colors().iter().map(|color| color.contrast(theme.background())).collect();
            assert!(contrast[0] > 1.4 && contrast[255] > 9.0, "{theme:?}: {} to {}", contrast[0], contrast[255]);
        }
    }

    #[test]
    fn what_is_beyond_has_the_ends_colour_and_what_is_no_number_has_none() {
        let scale = Scale::of(Theme::Dark);
        assert_eq!((scale.at(-3.0), scale.at(f32::INFINITY)), (Some(scale.colors()[0]), Some(scale.colors()[255])));
        assert_eq!(scale.at(f32::NAN), None);
    }
}
