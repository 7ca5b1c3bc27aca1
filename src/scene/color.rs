//! Colours: sRGB at the edges, OKLCH where they are made.

/// A colour in sRGB, 8 bits a channel, opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Srgb(pub [u8; 3]);

impl Srgb {
    /// From OKLCH (Ottosson, "A perceptual color space for image processing", 2020): lightness 0..1, chroma 0..0.4, hue in turns.
    /// A colour outside of sRGB loses chroma until it is inside.
    #[must_use]
    pub fn from_oklch(lightness: f32, chroma: f32, hue_turns: f32) -> Self {
        let mut chroma = chroma;
        loop {
            let linear = linear_from_oklch(lightness, chroma, hue_turns);
            if chroma <= 0.0 || linear.iter().all(|c| (-1e-4..=1.0001).contains(c)) {
                return Self(linear.map(|c| (encode(c.clamp(0.0, 1.0)) * 255.0).round() as u8));
            }
            chroma -= 0.005;
        }
    }

    /// From OKLab, lightness first; a colour outside of sRGB is cut off at its border, channel by channel.
    #[must_use]
    pub fn from_oklab(lab: [f32; 3]) -> Self {
        Self(linear_from_oklab(lab).map(|c| (encode(c.clamp(0.0, 1.0)) * 255.0).round() as u8))
    }

    /// The same colour in OKLab: lightness 0..1, a (green to red), b (blue to yellow). Distances in it are about as large as they look.
    #[must_use]
    pub fn to_oklab(self) -> [f32; 3] {
        let [r, g, b] = self.to_linear();
        let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    /// Channels in proportion to light, 0..1.
    #[must_use]
    pub fn to_linear(self) -> [f32; 3] {
        self.0.map(|channel| {
            let c = f32::from(channel) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// How much one stands out from the other, 1 to 21 (contrast ratio, WCAG 2.2).
    #[must_use]
    pub fn contrast(self, other: Self) -> f32 {
        let luminance = |color: Self| {
            let [r, g, b] = color.to_linear();
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(self), luminance(other));
        a.max(b) / a.min(b)
    }

    /// The same, stepped back: greyer, and nearer to what is behind it. Twin of the dimming in `shaders/shared/frame.wgsl`.
    #[must_use]
    pub fn dimmed(self, background: Self) -> Self {
        let [r, g, b] = self.0.map(f32::from);
        let grey = (0.299 * r + 0.587 * g + 0.114 * b).round() as u8;
        self.mix(Self([grey; 3]), 0.7).mix(background, 0.55)
    }

    /// `amount` of the way to another colour, in sRGB.
    #[must_use]
    pub fn mix(self, other: Self, amount: f32) -> Self {
        let channel = |i: usize| (f32::from(self.0[i]) + (f32::from(other.0[i]) - f32::from(self.0[i])) * amount).round() as u8;
        Self([channel(0), channel(1), channel(2)])
    }

    /// Channels in 0..1 with an opacity behind them.
    #[must_use]
    pub fn to_unit(self, alpha: f32) -> [f32; 4] {
        let [r, g, b] = self.0.map(|c| f32::from(c) / 255.0);
        [r, g, b, alpha]
    }

    /// Packed for the GPU: red in the low byte, opacity 255 in the high one.
    #[must_use]
    pub fn to_packed(self) -> u32 {
        u32::from_le_bytes([self.0[0], self.0[1], self.0[2], 255])
    }

    /// What [`Self::to_packed`] packed.
    #[must_use]
    pub fn from_packed(packed: u32) -> Self {
        let [r, g, b, _] = packed.to_le_bytes();
        Self([r, g, b])
    }
}

fn linear_from_oklch(lightness: f32, chroma: f32, hue_turns: f32) -> [f32; 3] {
    let (sin, cos) = (hue_turns * std::f32::consts::TAU).sin_cos();
    linear_from_oklab([lightness, chroma * cos, chroma * sin])
}

fn linear_from_oklab([lightness, a, b]: [f32; 3]) -> [f32; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
}

fn encode(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_come_out() {
        assert_eq!(Srgb::from_oklch(1.0, 0.0, 0.0), Srgb([255, 255, 255]));
        assert_eq!(Srgb::from_oklch(0.0, 0.0, 0.0), Srgb([0, 0, 0]));
        let Srgb([r, g, b]) = Srgb::from_oklch(0.627_955, 0.257_683, 29.234 / 360.0);
        assert!(r >= 253 && g <= 12 && b <= 12, "OKLCH of pure red gave {r} {g} {b}");
    }

    #[test]
    fn oklab_comes_back_and_contrast_is_that_of_the_standard() {
        for packed in (0..1 << 24).step_by(4093) {
            let color = Srgb::from_packed(packed | 0xff00_0000);
            assert_eq!(Srgb::from_oklab(color.to_oklab()), color);
            assert_eq!(Srgb::from_packed(color.to_packed()), color);
        }
        let (black, white, grey) = (Srgb([0; 3]), Srgb([255; 3]), Srgb([119; 3]));
        assert!((black.contrast(white) - 21.0).abs() < 1e-3 && (white.contrast(grey) - 4.48).abs() < 0.01);
    }

    #[test]
    fn what_is_dimmed_loses_colour_and_stays_visible() {
        let (red, ground) = (Srgb([230, 60, 40]), Srgb([17, 19, 24]));
        let Srgb([r, g, b]) = red.dimmed(ground);
        assert!(r - g.min(b) < 40 && red.dimmed(ground).contrast(ground) > 1.2, "{r} {g} {b}");
    }
}
