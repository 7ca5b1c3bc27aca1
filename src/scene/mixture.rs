//! The colour of a mixture of classes, which must not be taken for the colour of one of them.
//!
//! The mean of a palette's colours is itself a colour: an even mixture of the first five is green. So a
//! mixture is a grey as light as its parts, and only the class that leads gives it a hue: its own, whose
//! chroma is multiplied by its lead over the second class, `1 - p2 / p1`, and divided by the root of the
//! effective number of classes `exp(H)`, H being the entropy of the shares (Jost, "Entropy and diversity",
//! Oikos 113, 2006); by that root the mean of unrelated colours is nearer to grey. A class by itself keeps
//! its colour, and classes that are evenly mixed are neutral, however many there are.

use super::color::Srgb;

/// Classes that are told apart in each pixel. Of more, the mean of their colours is all that is known there.
pub const MOST_CLASSES: usize = 18;
/// How far from grey the mean of many classes' colours must be to be left as it is; each colour of the
/// palette is farther. Twin of `PLAIN_MEAN` in `shaders/shared/mixture.wgsl`.
const PLAIN_MEAN: f32 = 0.12;

/// What there is of each class in one place, gathered class by class. Twin of `Mixture` in
/// `shaders/shared/mixture.wgsl`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixture {
    total: f32,
    first: f32,
    second: f32,
    leader: [f32; 3],
    logs: f32,
    grey: f32,
}

impl Mixture {
    /// Adds all that there is of one class, in any unit, and its colour (sRGB, 0 to 1).
    #[inline]
    pub fn add(&mut self, amount: f32, color: [f32; 3]) {
        if amount > 0.0 {
            self.total += amount;
            self.logs += amount * amount.ln();
            self.grey += amount * luma(color);
            if amount > self.first {
                (self.second, self.first, self.leader) = (self.first, amount, color);
            } else {
                self.second = self.second.max(amount);
            }
        }
    }

    /// The share of its chroma that the leading class keeps: 1 by itself, 0 where it does not lead.
    #[must_use]
    pub fn purity(&self) -> f32 {
        if self.total > 0.0 {
            let entropy = (self.total.ln() - self.logs / self.total).max(0.0);
            (1.0 - self.second / self.first) * (-0.5 * entropy).exp()
        } else {
            0.0
        }
    }

    /// Its colour, sRGB, 0 to 1.
    #[inline]
    #[must_use]
    pub fn color(&self) -> [f32; 3] {
        let grey = self.grey / self.total.max(f32::MIN_POSITIVE);
        let (purity, own_grey) = (self.purity(), luma(self.leader));
        self.leader.map(|channel| (grey + (channel - own_grey) * purity).clamp(0.0, 1.0))
    }
}

/// The colour of many classes from the mean of their colours (sRGB, 0 to 1). The nearer that is to grey,
/// the more hides in it, and the less of its hue is left.
#[inline]
#[must_use]
pub fn of_mean(mean: [f32; 3]) -> [f32; 3] {
    let grey = luma(mean);
    let off = mean.map(|channel| channel - grey);
    let farthest = off[0].abs().max(off[1].abs()).max(off[2].abs());
    let part = (farthest / PLAIN_MEAN).min(1.0);
    off.map(|off| grey + off * part)
}

/// The colour of so many rows of each class.
#[must_use]
pub fn of_counts(counts: impl IntoIterator<Item = (u32, Srgb)>) -> Srgb {
    let mut mixture = Mixture::default();
    for (count, color) in counts {
        let [r, g, b, _] = color.to_unit(1.0);
        mixture.add(count as f32, [r, g, b]);
    }
    Srgb(mixture.color().map(|channel| (channel * 255.0).round() as u8))
}

/// How light a colour is as a grey (ITU-R BT.601, on sRGB numbers).
#[inline]
#[must_use]
pub fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::palette::Palette;
    use crate::scene::style::Theme;

    const THEMES: [Theme; 2] = [Theme::Dark, Theme::Light];

    fn spread(Srgb([r, g, b]): Srgb) -> u8 {
        r.max(g).max(b) - r.min(g).min(b)
    }

    fn mixed(theme: Theme, counts: &[u32]) -> Srgb {
        let palette = Palette::new(theme, counts.len());
        of_counts(counts.iter().copied().zip(palette.colors().iter().copied()))
    }

    #[test]
    fn an_even_mixture_of_any_classes_is_neutral_and_a_class_by_itself_is_as_it_is() {
        for theme in THEMES {
            let palette = Palette::new(theme, MOST_CLASSES);
            for first in 0..MOST_CLASSES {
                for step in 1..MOST_CLASSES {
                    for classes in 2..=MOST_CLASSES {
                        let chosen: std::collections::BTreeSet<usize> = (0..classes).map(|at| (first + at * step) % MOST_CLASSES).collect();
                        let color = of_counts(chosen.iter().map(|&class| (1000, palette.color(class))));
                        assert!(chosen.len() < 2 || spread(color) <= 1, "{theme:?}, {chosen:?}: {color:?}");
                    }
                }
                assert_eq!(of_counts([(70_001, palette.color(first))]), palette.color(first));
            }
        }
    }

    #[test]
    fn the_leading_class_gives_the_hue_and_its_chroma_falls_with_the_mixture() {
        for theme in THEMES {
            // Blue with more and more of orange, of three others, and of seventeen.
            for others in [1, 3, 17] {
                let color_of = |share: u32| {
                    let rest = (1000 - share) / others;
                    let mut counts = vec![share];
                    counts.resize(1 + others as usize, rest);
                    mixed(theme, &counts)
                };
                let chroma = |color: Srgb| {
                    let [_, a, b] = color.to_oklab();
                    a.hypot(b)
                };
                let own = Palette::new(theme, 1).color(0).to_oklab();
                let colors: Vec<Srgb> = [1000, 950, 850, 700, 600].map(color_of).to_vec();
                assert!(colors.windows(2).all(|pair| chroma(pair[0]) > chroma(pair[1]) + 0.003), "{theme:?}, {others}: {colors:?}");
                for color in colors.iter().filter(|&&color| chroma(color) > 0.02) {
                    let [_, a, b] = color.to_oklab();
                    let turn = (b.atan2(a) - own[2].atan2(own[1])).to_degrees().rem_euclid(360.0);
                    assert!(!(12.0..=348.0).contains(&turn), "{theme:?}: {color:?} is {turn} degrees off");
                }
            }
        }
    }

    #[test]
    fn shares_decide_and_not_how_many_there_are() {
        for counts in [[3, 1, 0], [2, 2, 1], [5, 4, 4]] {
            let many = counts.map(|count| count * 250_000);
            assert!(spread(mixed(Theme::Dark, &counts)).abs_diff(spread(mixed(Theme::Dark, &many))) <= 1);
        }
        // A single row of a third class does not turn two that are even into one of them.
        assert!(spread(mixed(Theme::Dark, &[500, 500, 1])) <= 1);
        assert_eq!(Mixture::default().purity(), 0.0);
    }

    #[test]
    fn the_mean_of_many_classes_keeps_a_single_colour_and_loses_a_mixed_one() {
        for theme in THEMES {
            let palette = Palette::new(theme, 600);
            let unit = |Srgb(channels): Srgb| channels.map(|channel| f32::from(channel) / 255.0);
            for &color in palette.colors() {
                let found = of_mean(unit(color));
                assert!(found.iter().zip(unit(color)).all(|(a, b)| (a - b).abs() < 4e-3), "{color:?}: {found:?}");
            }
            for classes in [19, 60, 600] {
                let sums = palette.colors()[..classes].iter().fold([0.0; 3], |sums: [f32; 3], &color| {
                    let color = unit(color);
                    std::array::from_fn(|at| sums[at] + color[at])
                });
                let [r, g, b] = of_mean(sums.map(|sum| sum / classes as f32));
                assert!(r.max(g).max(b) - r.min(g).min(b) < 0.03, "{theme:?}, {classes}: {r} {g} {b}");
            }
        }
    }
}
