//! The colours of a heat map: equal steps of density are equal steps to the eye.

use super::color::Srgb;
use super::scale::even_steps;
use super::style::Theme;

/// Entries of a map.
const STEPS: usize = 256;

/// A colour for each tone from 0 to 1, 256 of them.
///
/// A curve through OKLab (Ottosson, "A perceptual color space for image processing", 2020) whose lightness rises evenly while its hue goes
/// from violet over red to yellow; its entries lie equally far from each other along it, so that a step anywhere is as large to the eye as any
/// other. Lightness alone tells the tones apart: the map reads in grey, and for people who do not tell hues apart. In the light theme it
/// falls instead, so that dense is what stands out from the ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatMap {
    /// The colours.
    pub colors: Vec<Srgb>,
    /// Premultiplied with their opacity, packed for the GPU: the least tones let the grid shine through.
    pub premultiplied: Vec<u32>,
}

impl HeatMap {
    /// The map of a theme.
    #[must_use]
    pub fn of(theme: Theme) -> Self {
        let colors = even_steps(STEPS, |t| lightness_chroma_hue(theme, t));
        let premultiplied =
            colors.iter().zip(0..).map(|(color, entry)| packed(*color, opacity(entry as f32 / (STEPS - 1) as f32))).collect();
        Self { colors, premultiplied }
    }
}

/// Where the curve is at `t`, 0 to 1: lightness, chroma, hue in turns.
fn lightness_chroma_hue(theme: Theme, t: f32) -> [f32; 3] {
    // Violet is 0.78 turns, yellow 0.28 past a whole one. Chroma swells in the middle, where sRGB has room for it.
    let hue = (0.78 + 0.50 * t).fract();
    let swell = (std::f32::consts::PI * t).sin();
    if theme.is_dark() {
        [0.30 + 0.65 * t, 0.09 + 0.085 * swell, hue]
    } else {
        [0.93 - 0.68 * t, 0.05 + 0.10 * swell, (1.28 - 0.50 * t).fract()]
    }
}

/// Half at the least tone, full from a quarter on.
fn opacity(tone: f32) -> f32 {
    (0.5 + 2.0 * tone).min(1.0)
}

fn packed(color: Srgb, alpha: f32) -> u32 {
    let [r, g, b] = color.0.map(|channel| (f32::from(channel) * alpha).round() as u8);
    u32::from_le_bytes([r, g, b, (alpha * 255.0).round() as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2).
    fn luminance(Srgb(channels): Srgb) -> f32 {
        let [r, g, b] = channels.map(|c| (f32::from(c) / 255.0).powf(2.2));
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn the_map_reads_in_grey_and_ends_where_the_ground_does_not() {
        for theme in [Theme::Dark, Theme::Light] {
            let HeatMap { colors, premultiplied } = HeatMap::of(theme);
            assert_eq!((colors.len(), premultiplied.len()), (256, 256));
            let rises = |pair: &[Srgb]| {
                let step = luminance(pair[1]) - luminance(pair[0]);
                if theme.is_dark() { step > -2e-3 } else { step < 2e-3 }
            };
            assert!(colors.windows(2).all(rises), "{theme:?}");
            let contrast = (luminance(colors[255]) - luminance(theme.background())).abs();
            assert!(contrast > 0.7, "{theme:?}: {contrast}");
        }
    }

    #[test]
    fn no_step_is_much_larger_than_another() {
        for theme in [Theme::Dark, Theme::Light] {
            let colors = HeatMap::of(theme).colors;
            for pair in colors.windows(2) {
                let step: i32 = pair[0].0.iter().zip(pair[1].0).map(|(&a, b)| (i32::from(a) - i32::from(b)).abs()).sum();
                assert!(step <= 12, "{theme:?}: {pair:?}");
            }
        }
    }
}
