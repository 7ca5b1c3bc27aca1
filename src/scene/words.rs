//! Room for words on a map: each in a rectangle of its own, and no two over one another.

use std::collections::HashMap;

use glam::Vec2;

use super::map::MapSize;

/// Width and height of a text in a size of letters, in the map's units.
pub type Measure<'a> = &'a dyn Fn(&str, f32) -> Vec2;

/// A rectangle on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Upper left corner.
    pub min: Vec2,
    /// Lower right corner.
    pub max: Vec2,
}

impl Area {
    /// Of this size, its upper left corner here.
    #[must_use]
    pub fn at(min: Vec2, size: Vec2) -> Self {
        Self { min, max: min + size }
    }

    /// Of this size around a middle.
    #[must_use]
    pub fn around(middle: Vec2, size: Vec2) -> Self {
        Self::at(middle - size * 0.5, size)
    }

    /// Whether any of one lies over the other; edges may touch.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.min.cmplt(other.max).all() && other.min.cmplt(self.max).all()
    }

    /// Whether all of it lies on the map.
    #[must_use]
    pub fn is_on(&self, map: MapSize) -> bool {
        self.min.x >= 0.0 && self.min.y >= 0.0 && self.max.x <= map.width && self.max.y <= map.height
    }

    /// Moved so that it is not cut off at the map's border, where it is not larger than the map.
    #[must_use]
    pub fn moved_onto(self, map: MapSize, margin: f32) -> Self {
        let size = self.max - self.min;
        let most = Vec2::new(map.width, map.height) - size - margin;
        Self::at(self.min.min(most).max(Vec2::splat(margin)), size)
    }

    fn grown(&self, by: Vec2) -> Self {
        Self { min: self.min - by, max: self.max + by }
    }
}

/// The rectangles that are taken, found by a grid of cells.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    areas: Vec<Area>,
    cells: HashMap<(i32, i32), Vec<u32>>,
}

/// A cell's edges: about a short word.
const CELL: Vec2 = Vec2::new(64.0, 24.0);
/// Between two words, at least.
const APART: Vec2 = Vec2::new(6.0, 2.0);

impl Taken {
    /// Whether there is room for a rectangle beside all that are taken.
    #[must_use]
    pub fn has_room(&self, area: &Area) -> bool {
        let wanted = area.grown(APART);
        !cells_of(&wanted).any(|cell| {
            let here = self.cells.get(&cell).map_or(&[][..], Vec::as_slice);
            here.iter().filter_map(|&index| self.areas.get(index as usize)).any(|other| other.overlaps(&wanted))
        })
    }

    /// Takes a rectangle.
    pub fn take(&mut self, area: Area) {
        let index = self.areas.len() as u32;
        self.areas.push(area);
        for cell in cells_of(&area) {
            self.cells.entry(cell).or_default().push(index);
        }
    }

    /// Takes a rectangle where there is room for it.
    pub fn try_take(&mut self, area: Area) -> bool {
        let has_room = self.has_room(&area);
        if has_room {
            self.take(area);
        }
        has_room
    }
}

fn cells_of(area: &Area) -> impl Iterator<Item = (i32, i32)> + use<> {
    let cell = |place: Vec2| (place / CELL).floor().as_ivec2();
    let (low, high) = (cell(area.min), cell(area.max));
    (low.y..=high.y).flat_map(move |y| (low.x..=high.x).map(move |x| (x, y)))
}

/// A text that is no wider than `width`: whole, or its beginning with an ellipsis; empty where not even that fits.
#[must_use]
pub fn shortened(text: &str, size: f32, width: f32, measure: Measure<'_>) -> String {
    if measure(text, size).x <= width {
        return text.to_owned();
    }
    let letters: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |count: usize| format!("{}…", text.get(..letters.get(count).copied().unwrap_or(text.len())).unwrap_or(text).trim_end());
    let fitting = letters.partition_point(|&at| {
        let count = letters.partition_point(|&other| other < at);
        count == 0 || measure(&cut(count), size).x <= width
    });
    match fitting.saturating_sub(1) {
        0 => String::new(),
        count => cut(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURE: Measure<'static> = &|text, size| Vec2::new(text.chars().count() as f32 * size * 0.5, size);

    #[test]
    fn a_place_that_is_taken_is_not_given_twice() {
        let mut taken = Taken::default();
        assert!(taken.try_take(Area::at(Vec2::new(10.0, 10.0), Vec2::new(300.0, 100.0))));
        for (at, is_free) in
            [((200.0, 60.0), false), ((305.0, 60.0), false), ((320.0, 60.0), true), ((10.0, 111.0), false), ((10.0, 113.0), true)]
        {
            assert_eq!(taken.has_room(&Area::at(Vec2::from(at), Vec2::new(20.0, 10.0))), is_free, "{at:?}");
        }
    }

    #[test]
    fn words_stay_on_the_map() {
        let map = MapSize { width: 100.0, height: 50.0 };
        let word = |x: f32, y: f32| Area::at(Vec2::new(x, y), Vec2::new(30.0, 10.0));
        assert_eq!(word(40.0, 20.0).moved_onto(map, 2.0), word(40.0, 20.0));
        assert_eq!(word(95.0, -8.0).moved_onto(map, 2.0), word(68.0, 2.0));
        assert_eq!(word(-5.0, 48.0).moved_onto(map, 2.0), word(2.0, 38.0));
        assert!(word(70.0, 40.0).is_on(map) && !word(71.0, 40.0).is_on(map));
    }

    #[test]
    fn a_long_text_is_shortened_to_what_fits() {
        assert_eq!(shortened("abcdefgh", 10.0, 40.0, MEASURE), "abcdefgh");
        assert_eq!(shortened("abcdefgh", 10.0, 25.0, MEASURE), "abcd…");
        assert_eq!(shortened("日本の曲です", 10.0, 20.0, MEASURE), "日本の…");
        assert_eq!(shortened("abc", 10.0, 4.0, MEASURE), "");
        assert_eq!(shortened("", 10.0, 4.0, MEASURE), "");
    }
}
