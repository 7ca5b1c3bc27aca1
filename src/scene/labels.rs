//! Names on the map, of tags, artists or tracks, that do not lie over one another.
//!
//! A place is sought for one name after the other, the weightiest first, whatever the camera: so a small move of the camera moves names and does not swap
//! them, and names come as one zooms in and there is room.

use glam::{Vec2, Vec3};

use super::map::{MapSize, Scene, screen_from_clip};
use super::words::{Area, Measure, Taken, shortened};

/// What is named on the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabelKind {
    /// Nothing.
    #[default]
    None,
    /// Each tag, where the segments are whose strongest tag it is.
    Tags,
    /// Each artist, where the artist's segments are.
    Artists,
    /// Each track, likewise.
    Tracks,
}

impl LabelKind {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::None, Self::Tags, Self::Artists, Self::Tracks];

    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Tags => "Tags",
            Self::Artists => "Artists",
            Self::Tracks => "Tracks",
        }
    }
}

/// A name and where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The place, in layout space.
    pub at: [f32; 3],
    /// The name.
    pub text: String,
    /// How many segments it stands for.
    pub weight: u32,
}

/// A name's place on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedLabel {
    /// Which label.
    pub index: usize,
    /// Where it is written.
    pub area: Area,
    /// What is written: the name, or its beginning.
    pub text: String,
    /// Size of the letters.
    pub size: f32,
}

/// Room on the map for each name, on average, in square points: words are to explain the map and not to hide it.
const ROOM: f32 = 9000.0;
/// Names on a map, at least and at most.
const NAMES: [f32; 2] = [8.0, 240.0];
/// Names that are measured in a frame, at most.
const TRIED: usize = 800;
/// Widest name, in points.
const WIDEST: f32 = 220.0;
/// Sizes of letters of the lightest name and of the weightiest.
const SIZES: [f32; 2] = [11.5, 16.0];
/// Where a name stands by its place, the best first: on it, above, below, right and left of it.
const ANCHORS: [Vec2; 5] = [Vec2::ZERO, Vec2::NEG_Y, Vec2::Y, Vec2::X, Vec2::NEG_X];

/// Sorts labels as [`place`] takes them: the weightiest first, equal ones by name and place.
pub fn sort(labels: &mut [Label]) {
    labels.sort_by(|a, b| {
        b.weight.cmp(&a.weight).then_with(|| a.text.cmp(&b.text)).then_with(|| {
            a.at.iter().zip(&b.at).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        })
    });
}

/// Finds places for a scene's labels beside what is taken, and takes them. The same input gives the same places.
#[must_use]
pub fn place(scene: &Scene, map: MapSize, taken: &mut Taken, measure: Measure<'_>) -> Vec<PlacedLabel> {
    let most = (map.width * map.height / ROOM).clamp(NAMES[0], NAMES[1]) as usize;
    let heaviest = scene.labels.first().map_or(1, |label| label.weight.max(1)) as f32;
    let clip_from_layout = scene.clip_from_layout(map.aspect());
    let (mut placed, mut tried) = (Vec::new(), 0);
    for (index, label) in scene.labels.iter().enumerate() {
        let Some(at) = screen_from_clip(clip_from_layout.clip_of(Vec3::from(label.at)), map) else { continue };
        if !(0.0..=map.width).contains(&at.x) || !(0.0..=map.height).contains(&at.y) {
            continue;
        }
        // Where not even a letter has room beside its place no name has; most of many names end here.
        let step = Vec2::splat(SIZES[0]);
        if !ANCHORS.iter().any(|&anchor| taken.has_room(&Area::around(at + anchor * step, Vec2::splat(4.0)))) {
            continue;
        }
        tried += 1;
        let size = SIZES[0] + (SIZES[1] - SIZES[0]) * (label.weight as f32 / heaviest).sqrt();
        // Half points, so that there are few sizes of letters to draw.
        let size = (size * 2.0).round() * 0.5;
        let text = shortened(&label.text, size, WIDEST, measure);
        let extent = measure(&text, size);
        let place = ANCHORS.into_iter().map(|anchor| Area::around(at + anchor * (extent * 0.5 + 3.0), extent));
        if let Some(area) = place.into_iter().find(|area| area.is_on(map) && taken.has_room(area))
            && !text.is_empty()
        {
            taken.take(area);
            placed.push(PlacedLabel { index, area, text, size });
        }
        if placed.len() >= most || tried >= TRIED {
            break;
        }
    }
    placed
}

/// How strong names are where there are so many, 0..1: many stand back.
#[must_use]
pub fn opacity(names: usize) -> f32 {
    (1.0 - (names as f32 - 40.0) / 400.0).clamp(0.6, 1.0)
}
