//! The colours of classes: the largest few for every eye, and any number of others, none of them twice.

use super::color::Srgb;
use super::style::Theme;

/// The first classes' colours: lightness, chroma, hue in degrees.
///
/// The hues are those of Okabe and Ito ("Color Universal Design", 2008): sky blue, orange, bluish green, reddish purple, yellow,
/// vermillion, blue; and in the place of their black a pale turquoise or a dark red, since grey is what mixed classes are. Lightness and chroma were sought (hill climbing over OKLab distances, also as
/// deuteranopes and protanopes see them) so that all differ on each theme's ground.
const FIRST: [[[f32; 3]; 8]; 2] = [
    [
        [0.747, 0.150, 236.2],
        [0.784, 0.127, 76.8],
        [0.629, 0.145, 165.5],
        [0.743, 0.150, 346.3],
        [0.930, 0.133, 105.0],
        [0.560, 0.153, 47.5],
        [0.536, 0.120, 244.0],
        [0.900, 0.110, 192.0],
    ],
    [
        [0.643, 0.145, 236.2],
        [0.643, 0.145, 76.8],
        [0.637, 0.143, 165.5],
        [0.541, 0.120, 346.3],
        [0.512, 0.123, 105.0],
        [0.402, 0.136, 47.5],
        [0.373, 0.141, 244.0],
        [0.300, 0.105, 354.0],
    ],
];

/// Colours of classes, the largest class first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    colors: Vec<Srgb>,
}

impl Palette {
    /// Classes that have a colour of their own. Beyond it, colours come again: the band of lightness and chroma that reads on a theme's ground
    /// has some 500,000 colours of 8 bits a channel, and a choice among them is no longer free near that number.
    pub const DISTINCT: usize = 1 << 18;
    /// Classes at the beginning whose colours differ for people who do not tell red from green, too.
    pub const FOR_EVERY_EYE: usize = 8;

    /// The first `count` colours of a theme; a longer palette begins like a shorter one.
    ///
    /// After the first few, hues follow the golden angle, so that neighbours differ most, lightness takes turns on three levels, and both
    /// drift about them by additive recurrences of their own (the plastic number's, Roberts, "The Unreasonable Effectiveness of Quasirandom
    /// Sequences", 2018). A colour that was there before is left out.
    #[must_use]
    pub fn new(theme: Theme, count: usize) -> Self {
        let count = count.min(Self::DISTINCT);
        let [dark, light] = FIRST;
        let first = if theme.is_dark() { dark } else { light };
        let mut colors: Vec<Srgb> = first.iter().take(count).map(|&[l, c, h]| Srgb::from_oklch(l, c, h / 360.0)).collect();
        // One bit for each colour that there is.
        let mut seen = vec![0u64; if count > first.len() { 1 << 18 } else { 0 }];
        let mut is_new = |Srgb([r, g, b]): Srgb| {
            let code = usize::from(r) << 16 | usize::from(g) << 8 | usize::from(b);
            let bit = 1 << (code % 64);
            let is_new = seen.get(code / 64).is_some_and(|word| word & bit == 0);
            if let Some(word) = seen.get_mut(code / 64) {
                *word |= bit;
            }
            is_new
        };
        for &color in &colors {
            is_new(color);
        }
        let mut number = 0u32;
        while colors.len() < count {
            let color = quasirandom(theme, number);
            number += 1;
            if is_new(color) {
                colors.push(color);
            }
        }
        Self { colors }
    }

    /// The colour of a class, by its place in the order of sizes.
    #[must_use]
    pub fn color(&self, class: usize) -> Srgb {
        self.colors.get(class % self.colors.len().max(1)).copied().unwrap_or(Srgb([128; 3]))
    }

    /// All of them.
    #[must_use]
    pub fn colors(&self) -> &[Srgb] {
        &self.colors
    }
}

fn quasirandom(theme: Theme, number: u32) -> Srgb {
    const GOLDEN: f64 = 0.381_966_011_250_105_2;
    const PLASTIC: [f64; 2] = [0.754_877_666_246_692_8, 0.569_840_290_998_053_3];
    let part = |step: f64| (f64::from(number) * step).fract() as f32 - 0.5;
    let levels = if theme.is_dark() { [0.77, 0.65, 0.86] } else { [0.57, 0.45, 0.62] };
    let lightness = levels[number as usize % 3] + 0.08 * part(PLASTIC[0]);
    let chroma = 0.125 + 0.05 * part(PLASTIC[1]);
    Srgb::from_oklch(lightness, chroma, (0.07 + f64::from(number) * GOLDEN).fract() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How people without green (deuteranopia) or red receptors (protanopia) see a colour, in proportion to light: Machado, Oliveira and
    /// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, table 1, severity 1.
    const DEUTERANOPIA: [[f32; 3]; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
    const PROTANOPIA: [[f32; 3]; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const EVERYONE: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    fn seen_by(eye: [[f32; 3]; 3], color: Srgb) -> [f32; 3] {
        let light = color.to_linear();
        let seen = eye.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f32>().clamp(0.0, 1.0));
        let encoded = seen.map(|c| if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 });
        Srgb(encoded.map(|c| (c * 255.0).round() as u8)).to_oklab()
    }

    #[test]
    fn the_first_classes_differ_for_every_eye_and_stand_off_the_ground() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::new(theme, Palette::FOR_EVERY_EYE);
            for (name, eye, least) in [("everyone", EVERYONE, 0.12), ("deuteranopia", DEUTERANOPIA, 0.09), ("protanopia", PROTANOPIA, 0.09)]
            {
                for a in 0..8 {
                    for b in 0..a {
                        let [seen_a, seen_b] = [a, b].map(|class| seen_by(eye, palette.color(class)));
                        let distance = seen_a.iter().zip(seen_b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                        assert!(distance > least, "{theme:?}, {name}: {a} and {b} are {distance} apart");
                    }
                }
            }
            for &color in palette.colors() {
                let contrast = color.contrast(theme.background());
                assert!(contrast > 3.0, "{theme:?}: {color:?} has contrast {contrast}");
            }
        }
    }

    #[test]
    fn as_many_classes_as_are_promised_have_colours_of_their_own() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::new(theme, Palette::DISTINCT);
            for (class, &color) in palette.colors().iter().enumerate().take(65_536) {
                let contrast = color.contrast(theme.background());
                assert!(contrast > 2.4, "{theme:?}, class {class}: {contrast}");
            }
            let mut colors = palette.colors.clone();
            colors.sort_unstable_by_key(|color| color.to_packed());
            colors.dedup();
            assert_eq!(colors.len(), Palette::DISTINCT, "{theme:?}");
        }
    }

    #[test]
    fn neighbours_differ_and_a_longer_palette_begins_like_a_shorter_one() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::new(theme, 2000);
            for (class, pair) in palette.colors().windows(2).enumerate() {
                let distance = pair[0].to_oklab().iter().zip(pair[1].to_oklab()).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(distance > 0.1, "{theme:?}: class {class} and the next are {distance} apart");
            }
            assert_eq!(Palette::new(theme, 20).colors(), &palette.colors()[..20]);
            assert_eq!(Palette::new(theme, 3).color(4), palette.color(1));
        }
        assert_eq!(Palette::new(Theme::Dark, 0).color(7), Srgb([128; 3]));
    }
}
