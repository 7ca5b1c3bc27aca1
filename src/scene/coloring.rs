//! What rows are coloured by, whatever the theme: classes, numbers, or places on another map.

use std::collections::HashMap;

use super::chosen::ChosenRows;
use super::scaling::Scaling;
use super::ticks::{Ticks, short};
use crate::catalog::TrackRows;

/// The class of a row that has none.
pub const NO_CLASS: u32 = u32::MAX;

/// A value for each track, or for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Column<T> {
    /// `[tracks]`, in the order of the space's rows.
    Tracks(Vec<T>),
    /// `[rows]`.
    Rows(Vec<T>),
}

impl<T> Column<T> {
    /// The values.
    #[must_use]
    pub fn values(&self) -> &[T] {
        match self {
            Self::Tracks(values) | Self::Rows(values) => values,
        }
    }
}

/// A class and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: usize,
}

/// Classes of rows, the largest first; those of one size in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    /// The classes.
    pub classes: Vec<Class>,
    /// The class of each, or [`NO_CLASS`].
    pub of: Column<u32>,
}

/// What a number is, for the words beside a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// A number.
    #[default]
    Plain,
    /// A year.
    Year,
    /// Seconds, read as on a player.
    Seconds,
    /// The decimal logarithm of a count.
    LogCount,
}

/// Numbers, and what is low and high among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// The numbers; what is none is unknown.
    pub of: Column<f32>,
    /// What has the scale's first colour.
    pub low: f32,
    /// What has its last.
    pub high: f32,
    /// Whether there are numbers below `low`, and above `high`.
    pub beyond: [bool; 2],
    /// Whether there is what is no number.
    pub has_unknown: bool,
    /// What they are.
    pub measure: Measure,
    /// What is to be added to each to have what it says; 0, but for numbers that float32 could not tell apart.
    pub offset: f64,
}

/// What decides the colours of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Nothing.
    None,
    /// A class each.
    Classes(Classes),
    /// A number each.
    Numbers(Numbers),
    /// A place in a cube each, 0..255 along red to green, blue to yellow and dark to light, and 255 in the fourth byte where there is one.
    Places(Column<[u8; 4]>),
}

/// What rows are coloured by.
#[derive(Clone, Debug, PartialEq)]
pub struct Coloring {
    /// Its name on screen.
    pub title: String,
    /// The values.
    pub values: Values,
}

impl Classes {
    /// Classes by name, of tracks with so many rows each; a track without a name is in no class.
    #[must_use]
    pub fn of_tracks<'a>(names: impl IntoIterator<Item = (Option<&'a str>, usize)>) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut of = Vec::new();
        for (name, rows) in names {
            let Some(name) = name else {
                of.push(NO_CLASS);
                continue;
            };
            let number = *numbers.entry(name).or_insert_with(|| {
                classes.push(Class { name: name.to_owned(), rows: 0 });
                classes.len() as u32 - 1
            });
            of.push(number);
            if let Some(class) = classes.get_mut(number as usize) {
                class.rows += rows;
            }
        }
        Self { classes, of: Column::Tracks(of) }.largest_first()
    }

    /// Each track a class of its own, under its name.
    #[must_use]
    pub fn tracks(names: impl IntoIterator<Item = (String, usize)>) -> Self {
        let classes: Vec<Class> = names.into_iter().map(|(name, rows)| Class { name, rows }).collect();
        let of = Column::Tracks((0..classes.len() as u32).collect());
        Self { classes, of }.largest_first()
    }

    /// Classes that have numbers instead of names, one for each row; a negative one is no class, as clusterings write what is in none.
    #[must_use]
    pub fn of_rows(numbers: &[i64]) -> Self {
        let mut sizes: HashMap<i64, usize> = HashMap::new();
        for &number in numbers.iter().filter(|&&number| number >= 0) {
            *sizes.entry(number).or_default() += 1;
        }
        let mut known: Vec<(i64, usize)> = sizes.into_iter().collect();
        known.sort_unstable();
        let places: HashMap<i64, u32> = known.iter().map(|&(number, _)| number).zip(0..).collect();
        let of = Column::Rows(numbers.iter().map(|number| places.get(number).copied().unwrap_or(NO_CLASS)).collect());
        let classes = known.into_iter().map(|(number, rows)| Class { name: number.to_string(), rows }).collect();
        Self { classes, of }.largest_first()
    }

    /// The rows of a class.
    #[must_use]
    pub fn rows_of(&self, class: u32, track_rows: &[TrackRows], rows: usize) -> ChosenRows {
        match &self.of {
            Column::Tracks(of) => {
                let own = track_rows.iter().zip(of).filter(|&(_, &of)| of == class);
                ChosenRows::of_ranges(rows, own.map(|(track, _)| track.range()))
            }
            Column::Rows(of) => ChosenRows::of(rows, |row| of.get(row) == Some(&class)),
        }
    }

    fn largest_first(self) -> Self {
        let Self { classes, of } = self;
        let mut order: Vec<u32> = (0..classes.len() as u32).collect();
        order.sort_by_key(|&class| std::cmp::Reverse(classes[class as usize].rows));
        let mut places = vec![0; classes.len()];
        for (place, &class) in (0..).zip(&order) {
            places[class as usize] = place;
        }
        let renumbered = |of: Vec<u32>| of.into_iter().map(|class| places.get(class as usize).copied().unwrap_or(NO_CLASS)).collect();
        let of = match of {
            Column::Tracks(of) => Column::Tracks(renumbered(of)),
            Column::Rows(of) => Column::Rows(renumbered(of)),
        };
        let mut classes: Vec<Option<Class>> = classes.into_iter().map(Some).collect();
        let classes = order.iter().filter_map(|&class| classes.get_mut(class as usize)?.take()).collect();
        Self { classes, of }
    }
}

impl Numbers {
    /// Numbers on a scale over all of them.
    #[must_use]
    pub fn whole(of: Column<f32>, measure: Measure) -> Self {
        let ends = |ends: [f32; 2], &value: &f32| if value.is_finite() { [ends[0].min(value), ends[1].max(value)] } else { ends };
        let [low, high] = of.values().iter().fold([f32::INFINITY, f32::NEG_INFINITY], ends);
        let [low, high] = if low <= high { [low, high] } else { [0.0, 1.0] };
        let has_unknown = of.values().iter().any(|value| value.is_nan());
        Self { of, low, high, beyond: [false; 2], has_unknown, measure, offset: 0.0 }
    }

    /// Numbers on a scale from their first percentile to their 99th, so that a few that are far from all others do not leave the others one colour.
    #[must_use]
    pub fn robust(of: Column<f32>, measure: Measure) -> Self {
        let whole = Self::whole(of, measure);
        let mut finite: Vec<f32> = whole.of.values().iter().copied().filter(|value| value.is_finite()).collect();
        let [low, high] = percentiles(&mut finite);
        if low < high { Self { beyond: [whole.low < low, whole.high > high], low, high, ..whole } } else { whole }
    }

    /// Where a number is on the scale, 0 to 1 and beyond; the middle where all are one number.
    #[must_use]
    pub fn place(&self, value: f32) -> f32 {
        let span = self.high - self.low;
        if span > 0.0 { (value - self.low) / span } else { value - self.low + 0.5 }
    }

    /// Round numbers along the scale: their places, 0 to 1, and words.
    #[must_use]
    pub fn ticks(&self) -> Vec<(f32, String)> {
        if self.offset != 0.0 {
            return self.far_ticks();
        }
        let word = |value: f32| match self.measure {
            Measure::Plain => short(f64::from(value)),
            Measure::Year => format!("{value:.0}"),
            Measure::Seconds => format!("{}:{:02}", value as u64 / 60, value as u64 % 60),
            Measure::LogCount => format!("{:.0}", 10f32.powf(value)),
        };
        let mut values = if self.low < self.high { ticks(self.low, self.high, 4.0) } else { vec![self.low] };
        match self.measure {
            Measure::Year | Measure::LogCount => values.retain(|value| value.fract() == 0.0),
            Measure::Seconds => {
                let minutes = ticks(self.low / 60.0, self.high / 60.0, 4.0);
                if minutes.len() > 1 {
                    values = minutes.into_iter().map(|minute| minute * 60.0).collect();
                }
            }
            Measure::Plain => {}
        }
        if values.is_empty() {
            values = vec![self.low, self.high];
        }
        values.into_iter().map(|value| (self.place(value), word(value))).collect()
    }
}

impl Numbers {
    /// The ticks of numbers far from 0: what they have in common stands before what tells them apart.
    fn far_ticks(&self) -> Vec<(f32, String)> {
        let [low, high] = [self.low, self.high].map(|value| f64::from(value) + self.offset);
        let found = Ticks::between(Scaling::Linear, low, high, 3.0);
        let word = |text: String| found.offset.as_ref().map_or_else(|| text.clone(), |offset| format!("{offset} {text}"));
        found.ticks.iter().map(|tick| (self.place((tick.at - self.offset) as f32), word(tick.text.clone()))).collect()
    }
}

/// Round numbers between two, about `wanted` of them.
fn ticks(low: f32, high: f32, wanted: f64) -> Vec<f32> {
    let found = Ticks::between(Scaling::Linear, f64::from(low), f64::from(high), wanted).ticks;
    found.into_iter().map(|tick| tick.at as f32).collect()
}

/// The first and the 99th percentile; their order is lost. Two zeros of nothing.
fn percentiles(values: &mut [f32]) -> [f32; 2] {
    let Some(last) = values.len().checked_sub(1) else { return [0.0; 2] };
    [0.01, 0.99].map(|share| *values.select_nth_unstable_by((last as f64 * share).round() as usize, f32::total_cmp).1)
}

impl Coloring {
    /// All in one colour.
    #[must_use]
    pub fn none() -> Self {
        Self { title: "One colour".to_owned(), values: Values::None }
    }

    /// Whether a colour says a value, which a mixture of colours must say too; classes have nothing between them.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !matches!(self.values, Values::Classes(_))
    }

    /// By the place on a second map of three dimensions: along each from its first percentile to its 99th.
    #[must_use]
    pub fn places(title: String, second: &[[f32; 3]]) -> Self {
        let ranges = [0, 1, 2].map(|axis| {
            let mut finite: Vec<f32> = second.iter().map(|place| place[axis]).filter(|value| value.is_finite()).collect();
            percentiles(&mut finite)
        });
        let place = |place: &[f32; 3]| {
            let [a, b, light] = [0, 1, 2].map(|axis| {
                let [low, high] = ranges[axis];
                let share = if high > low { (place[axis] - low) / (high - low) } else { 0.5 };
                (share.clamp(0.0, 1.0) * 255.0).round() as u8
            });
            if place.iter().all(|value| value.is_finite()) { [a, b, light, 255] } else { [0; 4] }
        };
        Self { title, values: Values::Places(Column::Rows(second.iter().map(place).collect())) }
    }

    /// The classes, where rows have classes.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        match &self.values {
            Values::Classes(classes) => &classes.classes,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_by_size_and_what_has_no_name_is_in_none() {
        let tracks = [(Some("b"), 2), (Some("a"), 3), (None, 9), (Some("b"), 2), (Some("c"), 3)];
        let Classes { classes, of } = Classes::of_tracks(tracks);
        let named: Vec<_> = classes.iter().map(|class| (class.name.as_str(), class.rows)).collect();
        assert_eq!(named, [("b", 4), ("a", 3), ("c", 3)]);
        assert_eq!(of, Column::Tracks(vec![0, 1, NO_CLASS, 0, 2]));
        let Classes { classes, of } = Classes::of_rows(&[7, -1, 3, 7, i64::MAX]);
        assert_eq!(classes.iter().map(|class| class.name.clone()).collect::<Vec<_>>(), ["7", "3", &i64::MAX.to_string()]);
        assert_eq!(of, Column::Rows(vec![0, NO_CLASS, 1, 0, 2]));
        let named_alike = Classes::tracks([("x".to_owned(), 1), ("x".to_owned(), 5)]);
        assert_eq!((named_alike.classes.len(), named_alike.of), (2, Column::Tracks(vec![1, 0])));
    }

    #[test]
    fn a_few_outliers_do_not_make_all_others_one_colour() {
        let mut values: Vec<f32> = (0..1000).map(|value| value as f32 / 999.0).collect();
        values.extend([1e9, f32::NAN, f32::INFINITY]);
        let numbers = Numbers::robust(Column::Rows(values), Measure::Plain);
        assert!((numbers.low - 0.01).abs() < 2e-3 && (numbers.high - 0.99).abs() < 2e-3, "{} to {}", numbers.low, numbers.high);
        assert_eq!(numbers.beyond, [true, true]);
        assert!((numbers.place(0.5) - 0.5).abs() < 1e-2 && numbers.place(f32::NAN).is_nan());
        let one = Numbers::robust(Column::Tracks(vec![4.0; 9]), Measure::Plain);
        assert_eq!((one.place(4.0), one.low, one.high), (0.5, 4.0, 4.0));
        let none = Numbers::robust(Column::Rows(vec![f32::NAN]), Measure::Plain);
        assert!(none.low.is_finite() && none.high.is_finite());
    }

    #[test]
    fn ticks_are_words_of_what_is_measured_and_inside() {
        let words = |values: Vec<f32>, measure| {
            let ticks = Numbers::whole(Column::Rows(values), measure).ticks();
            assert!(ticks.iter().all(|(place, _)| (0.0..=1.0).contains(place)), "{ticks:?}");
            ticks.into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        assert_eq!(words(vec![1969.0, 2021.0], Measure::Year), ["1980", "2000", "2020"]);
        assert_eq!(words(vec![30.0, 400.0], Measure::Seconds), ["2:00", "4:00", "6:00"]);
        assert_eq!(words(vec![0.0, 3.2], Measure::LogCount), ["1", "10", "100", "1000"]);
        assert_eq!(words(vec![1999.0], Measure::Year), ["1999"]);
        assert!(words(vec![0.013, 0.62], Measure::Plain).len() >= 3);
    }
}
