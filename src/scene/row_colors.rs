//! The finished colour of each row, in a theme: what the GPU is given.

use std::sync::Arc;

use rayon::prelude::*;

use super::color::Srgb;
use super::coloring::{Classes, Coloring, Column, Values};
use super::map::Scene;
use super::mixture::{self, MOST_CLASSES};
use super::palette::Palette;
use super::scale::Scale;
use super::style::Theme;
use crate::catalog::{SegmentId, TrackRows};

/// Rows that a thread colours at a time.
const CHUNK: usize = 1 << 14;

/// The highest byte of a row's colour where classes are not told apart in each pixel.
const NO_SLOT: u8 = 255;

/// Colours of rows, and of what a legend shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowColors {
    /// Each row's, packed sRGB. The highest byte is the row's place in `slots`, or 255 where that is empty. `[rows]`
    pub of_rows: Arc<[u32]>,
    /// The colours of classes that are told apart in each pixel, and last that of rows in none; empty where there are more than
    /// [`MOST_CLASSES`], or none.
    pub slots: Arc<[Srgb]>,
    /// Of classes: each one's, the largest first. Of numbers: the scale, low to high.
    pub swatches: Arc<[Srgb]>,
}

impl RowColors {
    /// Colours `rows` rows.
    #[must_use]
    pub fn new(coloring: &Coloring, theme: Theme, track_rows: &[TrackRows], rows: usize) -> Self {
        let unknown = unknown_color(theme);
        match &coloring.values {
            Values::None => {
                let of_rows = vec![theme.accent().to_packed(); rows].into();
                Self { of_rows, slots: Arc::new([]), swatches: Arc::new([theme.accent()]) }
            }
            Values::Classes(classes) => {
                let palette = Palette::new(theme, classes.classes.len());
                let count = palette.colors().len();
                let are_few = count <= MOST_CLASSES;
                let slot = |slot: usize| if are_few { slot as u8 } else { NO_SLOT };
                let packed: Vec<u32> = (0..).zip(palette.colors()).map(|(class, color)| in_slot(*color, slot(class))).collect();
                let none = in_slot(unknown, slot(count));
                let color = |class: u32| match packed.len() {
                    0 => none,
                    count if (class as usize) < classes.classes.len() => packed.get(class as usize % count).copied().unwrap_or(none),
                    _ => none,
                };
                let slots: Vec<Srgb> = if are_few { palette.colors().iter().copied().chain([unknown]).collect() } else { Vec::new() };
                Self { of_rows: paint(&classes.of, track_rows, rows, none, color), slots: slots.into(), swatches: palette.colors().into() }
            }
            Values::Numbers(numbers) => {
                let scale = Scale::of(theme);
                let color = |value: f32| scale.at(numbers.place(value)).unwrap_or(unknown).to_packed();
                let of_rows = paint(&numbers.of, track_rows, rows, unknown.to_packed(), color);
                Self { of_rows, slots: Arc::new([]), swatches: scale.colors().into() }
            }
            Values::Places(places) => {
                let color = |place: [u8; 4]| color_of_place(theme, place).unwrap_or(unknown).to_packed();
                let of_rows = paint(places, track_rows, rows, unknown.to_packed(), color);
                Self { of_rows, slots: Arc::new([]), swatches: Arc::new([]) }
            }
        }
    }
}

/// A colour with the place of its class in the highest byte.
fn in_slot(color: Srgb, slot: u8) -> u32 {
    color.to_packed() & 0x00ff_ffff | u32::from(slot) << 24
}

impl RowColors {
    /// One colour for rows that are drawn as one mark, from the packed colours of each: as a pixel of them would have.
    #[must_use]
    pub fn mixed(&self, rows: &[u32], is_exact: bool) -> Srgb {
        if !self.slots.is_empty() {
            let mut counts = vec![0u32; self.slots.len()];
            for color in rows {
                if let Some(count) = counts.get_mut((color >> 24) as usize) {
                    *count += 1;
                }
            }
            return mixture::of_counts(counts.into_iter().zip(self.slots.iter().copied()));
        }
        let mut sums = [0u64; 3];
        for &color in rows {
            sums.iter_mut().zip(Srgb::from_packed(color).0).for_each(|(sum, channel)| *sum += u64::from(channel));
        }
        let mean = sums.map(|sum| sum as f32 / (255.0 * rows.len().max(1) as f32));
        let mean = if is_exact { mean } else { mixture::of_mean(mean) };
        Srgb(mean.map(|channel| (channel * 255.0).round() as u8))
    }
}

/// The colour of what is not known.
#[must_use]
pub fn unknown_color(theme: Theme) -> Srgb {
    theme.background().mix(theme.faint_text(), 0.55)
}

/// The colour of a place in a cube, see [`Values::Places`].
#[must_use]
pub fn color_of_place(theme: Theme, [a, b, light, is_there]: [u8; 4]) -> Option<Srgb> {
    let share = |value: u8| f32::from(value) / 255.0;
    let [dark, bright] = if theme.is_dark() { [0.52, 0.86] } else { [0.38, 0.70] };
    // Red to green and blue to yellow, as far as sRGB has colours of most lightnesses.
    let lab = [dark + (bright - dark) * share(light), 0.26 * (share(a) - 0.5), 0.26 * (share(b) - 0.5)];
    (is_there != 0).then(|| Srgb::from_oklab(lab))
}

/// Each row's colour from the column's values.
fn paint<T: Copy + Sync>(
    column: &Column<T>,
    track_rows: &[TrackRows],
    rows: usize,
    unknown: u32,
    color: impl Fn(T) -> u32 + Sync,
) -> Arc<[u32]> {
    let mut colors = vec![unknown; rows];
    match column {
        Column::Tracks(values) => {
            for (of_track, &value) in track_rows.iter().zip(values) {
                let range = of_track.first_row.min(rows)..(of_track.first_row + of_track.row_count).min(rows);
                colors[range].fill(color(value));
            }
        }
        Column::Rows(values) => {
            colors.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK)).for_each(|(colors, values)| {
                for (into, &value) in colors.iter_mut().zip(values) {
                    *into = color(value);
                }
            });
        }
    }
    colors.into()
}

impl Scene {
    /// Colours the rows by something else.
    pub fn color_by(&mut self, coloring: Arc<Coloring>) {
        self.coloring = coloring;
        self.chosen_class = None;
        self.recolor();
    }

    /// Colours the rows by track, without names.
    pub fn color_by_track(&mut self) {
        let classes = Classes::tracks(self.track_rows.iter().map(|rows| (String::new(), rows.row_count)));
        self.color_by(Arc::new(Coloring { title: "Track".to_owned(), values: Values::Classes(classes) }));
    }

    /// Colours the rows anew, after the theme changed.
    pub fn recolor(&mut self) {
        self.colors = RowColors::new(&self.coloring, self.theme, &self.track_rows, self.positions.len());
        self.revision += 1;
    }

    /// Shows the scene in another theme.
    pub fn set_theme(&mut self, theme: Theme) {
        if theme != self.theme {
            self.theme = theme;
            self.recolor();
        }
    }

    /// The colour of a row on the map.
    #[must_use]
    pub fn color_of(&self, segment: SegmentId) -> Srgb {
        self.colors.of_rows.get(segment.0 as usize).map_or(unknown_color(self.theme), |&packed| Srgb::from_packed(packed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrackId;
    use crate::scene::coloring::{Measure, NO_CLASS, Numbers};

    fn tracks(lengths: &[usize]) -> Vec<TrackRows> {
        let first = |place: usize| lengths[..place].iter().sum();
        let track = |place: usize| TrackRows { track: TrackId(place as u32 + 1), first_row: first(place), row_count: lengths[place] };
        (0..lengths.len()).map(track).collect()
    }

    fn colors(values: Values, rows: usize, track_rows: &[TrackRows]) -> Vec<Srgb> {
        let coloring = Coloring { title: String::new(), values };
        let colors = RowColors::new(&coloring, Theme::Dark, track_rows, rows);
        colors.of_rows.iter().map(|&packed| Srgb::from_packed(packed)).collect()
    }

    #[test]
    fn rows_have_their_tracks_colours_and_rows_of_no_track_none() {
        let classes = || Values::Classes(Classes::of_tracks([(Some("a"), 2), (None, 1), (Some("b"), 3)]));
        let track_rows = tracks(&[2, 1, 3]);
        let palette = Palette::new(Theme::Dark, 2);
        let [a, b, unknown] = [palette.color(1), palette.color(0), unknown_color(Theme::Dark)];
        assert_eq!(colors(classes(), 8, &track_rows), [a, a, unknown, b, b, b, unknown, unknown]);
        // Fewer rows than tracks say, in a damaged state: no panic.
        assert_eq!(colors(classes(), 1, &track_rows), [a]);
    }

    #[test]
    fn as_many_classes_as_65_536_have_colours_of_their_own() {
        let numbers: Vec<i64> = (0..65_536).collect();
        let mut colors = colors(Values::Classes(Classes::of_rows(&numbers)), 65_536, &[]);
        colors.sort_unstable_by_key(|color| color.to_packed());
        colors.dedup();
        assert_eq!(colors.len(), 65_536);
        assert_eq!(NO_CLASS as usize % Palette::DISTINCT, Palette::DISTINCT - 1, "no class could be mistaken for the last");
    }

    #[test]
    fn few_classes_have_slots_that_the_rows_name_and_many_have_none() {
        let of = |numbers: &[i64]| {
            let coloring = Coloring { title: String::new(), values: Values::Classes(Classes::of_rows(numbers)) };
            RowColors::new(&coloring, Theme::Light, &[], numbers.len())
        };
        let few: Vec<i64> = (0..MOST_CLASSES as i64).chain([-1, 3]).collect();
        let found = of(&few);
        assert_eq!((found.slots.len(), found.slots.last()), (MOST_CLASSES + 1, Some(&unknown_color(Theme::Light))));
        for &color in found.of_rows.iter() {
            assert_eq!(found.slots[(color >> 24) as usize], Srgb::from_packed(color));
        }
        let many = of(&(0..=MOST_CLASSES as i64).collect::<Vec<_>>());
        assert!(many.slots.is_empty() && many.of_rows.iter().all(|color| color >> 24 == 255));
    }

    #[test]
    fn rows_that_share_a_mark_mix_as_in_a_pixel() {
        let coloring = Coloring { title: String::new(), values: Values::Classes(Classes::of_rows(&[0, 0, 0, 1, 1, 1])) };
        let colors = RowColors::new(&coloring, Theme::Dark, &[], 6);
        let Srgb([r, g, b]) = colors.mixed(&colors.of_rows, false);
        assert!(r.max(g).max(b) - r.min(g).min(b) <= 1, "{r} {g} {b}");
        assert_eq!(colors.mixed(&colors.of_rows[..3], false), colors.swatches[0]);
        // Of a scale what lies between two of its colours.
        let scale = RowColors { slots: Arc::new([]), ..RowColors::default() };
        assert_eq!(scale.mixed(&[0xff00_0000, 0xff64_0a02], true), Srgb([1, 5, 50]));
        assert_eq!(scale.mixed(&[], true), Srgb([0; 3]));
    }

    #[test]
    fn numbers_follow_the_scale_and_what_is_no_number_is_grey() {
        let numbers = Numbers::whole(Column::Rows(vec![0.0, 10.0, f32::NAN, 5.0]), Measure::Plain);
        let scale = Scale::of(Theme::Dark);
        let found = colors(Values::Numbers(numbers), 4, &[]);
        assert_eq!(found, [scale.colors()[0], scale.colors()[255], unknown_color(Theme::Dark), scale.colors()[128]]);
    }

    #[test]
    fn places_far_apart_on_a_second_map_have_colours_far_apart() {
        let ends = [-1.0, 1.0];
        let corners: Vec<[f32; 3]> = ends.iter().flat_map(|&x| ends.iter().flat_map(move |&y| ends.map(|z| [x, y, z]))).collect();
        let Coloring { values, .. } = Coloring::places("second".into(), &corners);
        for theme in [Theme::Dark, Theme::Light] {
            let Values::Places(Column::Rows(places)) = &values else { panic!("{values:?}") };
            let labs: Vec<[f32; 3]> = places.iter().map(|&place| color_of_place(theme, place).unwrap().to_oklab()).collect();
            for a in 0..8 {
                for b in 0..a {
                    let distance = labs[a].iter().zip(labs[b]).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                    assert!(distance > 0.12, "{theme:?}: corners {a} and {b} are {distance} apart");
                }
            }
        }
        let odd = Coloring::places("odd".into(), &[[f32::NAN, 0.0, 0.0], [1.0; 3], [1.0; 3]]);
        assert!(matches!(odd.values, Values::Places(Column::Rows(places)) if places[0] == [0; 4] && places[1] == [128, 255, 255, 255]));
    }
}
