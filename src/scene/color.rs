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
}

fn linear_from_oklch(lightness: f32, chroma: f32, hue_turns: f32) -> [f32; 3] {
    let (sin, cos) = (hue_turns * std::f32::consts::TAU).sin_cos();
    let (a, b) = (chroma * cos, chroma * sin);
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

/// The colour of the track at `position` in its collection.
///
/// Hues follow the golden angle, so that neighbours in the list differ most, and lightness takes turns on three levels, so
/// that two tracks of like hue differ for people who do not tell the hues apart too.
#[must_use]
pub fn track_color(position: usize, dark: bool) -> Srgb {
    const GOLDEN_ANGLE_TURNS: f32 = 0.381_966;
    let levels = if dark { [0.76, 0.64, 0.86] } else { [0.58, 0.44, 0.68] };
    let hue = (0.07 + position as f32 * GOLDEN_ANGLE_TURNS).fract();
    Srgb::from_oklch(levels[position % 3], if dark { 0.135 } else { 0.15 }, hue)
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
    fn neighbouring_tracks_differ_in_lightness_or_hue() {
        for dark in [false, true] {
            for position in 0..200 {
                let (Srgb(a), Srgb(b)) = (track_color(position, dark), track_color(position + 1, dark));
                let distance: i32 = a.iter().zip(&b).map(|(&x, &y)| (i32::from(x) - i32::from(y)).abs()).sum();
                assert!(distance > 60, "tracks {position} and the next: {a:?} {b:?}");
            }
        }
    }
}
