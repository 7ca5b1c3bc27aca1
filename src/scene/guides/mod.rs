//! Axes, grid lines, ticks and axis names, as lines and words on screen. No word lies over another or leaves the map.

mod plane;
mod space;

use glam::Vec2;

use super::camera::Dimensions;
use super::map::{MapSize, Scene};
use super::ticks::Ticks;
use super::words::{Area, Measure, Taken, shortened};

/// How strong a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// Between two numbers of a logarithmic axis.
    Minor,
    /// At a number.
    Grid,
    /// At zero, or the edge of a space.
    Axis,
}

/// A grid line, from one place on screen to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuideLine {
    /// One end.
    pub from: Vec2,
    /// The other end.
    pub to: Vec2,
    /// How strong it is.
    pub kind: LineKind,
}

/// A word on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct GuideText {
    /// Where.
    pub area: Area,
    /// What.
    pub text: String,
    /// Whether it names an axis (larger) and not a tick.
    pub is_title: bool,
}

/// Everything around the points that helps to read the map. Units: those of the [`MapSize`] it was made for.
#[derive(Clone, Debug, Default)]
pub struct Guides {
    /// Lines, to be drawn behind the points.
    pub lines: Vec<GuideLine>,
    /// Words, to be drawn over them.
    pub texts: Vec<GuideText>,
    /// The room that words have taken.
    pub taken: Taken,
}

/// Size of the letters of a tick's number.
pub const TICK_SIZE: f32 = 11.0;
/// Size of the letters of an axis' name.
pub const TITLE_SIZE: f32 = 14.0;
/// Between a word and the map's border, at least.
const MARGIN: f32 = 4.0;

impl Guides {
    /// The guides of a scene on a map, with words as large as `measure` says.
    #[must_use]
    pub fn of(scene: &Scene, map: MapSize, measure: Measure<'_>) -> Self {
        let mut guides = Self::default();
        if map.width < 1.0 || map.height < 1.0 {
            return guides;
        }
        match scene.camera.dimensions {
            Dimensions::Two => plane::rule(&mut guides, scene, map, measure),
            Dimensions::Three => space::rule(&mut guides, scene, map, measure),
        }
        guides
    }

    /// Puts a word down where it is on the map and over no other.
    fn write(&mut self, text: String, area: Area, is_title: bool, map: MapSize) -> bool {
        let is_written = !text.is_empty() && area.is_on(map) && self.taken.try_take(area);
        if is_written {
            self.texts.push(GuideText { area, text, is_title });
        }
        is_written
    }
}

/// An axis' name, with what is said of its logarithm and of its numbers, no wider than it may be.
fn title(scene: &Scene, axis: usize, ticks: &Ticks, width: f32, measure: Measure<'_>) -> String {
    let name = scene.axis_names.get(axis).map_or("", String::as_str);
    let remarks: Vec<String> = scene
        .scalings
        .get(axis)
        .and_then(|scaling| scaling.remark())
        .into_iter()
        .chain(ticks.offset.as_ref().map(|offset| format!("{offset} + …")))
        .collect();
    let text = if remarks.is_empty() { name.to_owned() } else { format!("{name} ({})", remarks.join("; ")) };
    shortened(&text, TITLE_SIZE, width, measure)
}
