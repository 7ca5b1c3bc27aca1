//! The finished colour of each row, in a theme: what the GPU is given.

use std::sync::Arc;

use rayon::prelude::*;

use super::color::Srgb;
use super::coloring::{Classes, Coloring, Column, Values};
use super::map::Scene;
use super::palette::Palette;
use super::scale::Scale;
use super::style::Theme;
use crate::catalog::{SegmentId, TrackRows};

/// Rows that a thread colours at a time.
const CHUNK: usize = 1 << 14;

/// Colours of rows, and of what a legend shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowColors {
    /// Each row's, packed sRGB. `[rows]`
    pub of_rows: Arc<[u32]>,
    /// Of classes: each one's, the largest first. Of numbers: the scale, low to high.
    pub swatches: Arc<[Srgb]>,
}

impl RowColors {
    /// Colours `rows` rows.
    #[must_use]
    pub fn new(coloring: &Coloring, theme: Theme, track_rows: &[TrackRows], rows: usize) -> Self {
        let unknown = unknown_color(theme);
        match &coloring.values {
            Values::None => Self { of_rows: vec![theme.accent().to_packed(); rows].into(), swatches: Arc::new([theme.accent()]) },
            Values::Classes(classes) => {
                let palette = Palette::new(theme, classes.classes.len());
                let packed: Vec<u32> = palette.colors().iter().map(|color| color.to_packed()).collect();
                let none = unknown.to_packed();
                let color = |class: u32| match packed.len() {
                    0 => none,
                    count if (class as usize) < classes.classes.len() => packed.get(class as usize % count).copied().unwrap_or(none),
                    _ => none,
                };
                Self { of_rows: paint(&classes.of, track_rows, rows, none, color), swatches: palette.colors().into() }
            }
            Values::Numbers(numbers) => {
                let scale = Scale::of(theme);
                let color = |value: f32| scale.at(numbers.place(value)).unwrap_or(unknown).to_packed();
                Self { of_rows: paint(&numbers.of, track_rows, rows, unknown.to_packed(), color), swatches: scale.colors().into() }
            }
            Values::Places(places) => {
                let color = |place: [u8; 4]| color_of_place(theme, place).unwrap_or(unknown).to_packed();
                Self { of_rows: paint(places, track_rows, rows, unknown.to_packed(), color), swatches: Arc::new([]) }
            }
        }
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
