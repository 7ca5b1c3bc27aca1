//! How many rows of each class lie around a place on the map: what a mixed colour is made of.

use std::collections::HashMap;

use rayon::prelude::*;

use super::coloring::{Column, NO_CLASS, Values};
use super::map::Scene;
use super::pick::{Aim, PickTree};
use crate::catalog::SegmentId;

/// Rows that are gone over where there is no tree to ask.
const MOST_SCANNED: usize = 2_000_000;

/// The classes of the rows around a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// Rows there, those of no class among them.
    pub total: usize,
    counts: HashMap<u32, usize>,
    revision: u64,
}

impl Composition {
    /// The rows within the radius of a pointer's aim; `None` where rows have no classes, or are too many to look at. `tree`: of the scene's
    /// positions, in a plane that stands still.
    #[must_use]
    pub fn around(scene: &Scene, aim: &Aim, tree: Option<&PickTree>) -> Option<Self> {
        let Values::Classes(classes) = &scene.coloring.values else { return None };
        let positions = &scene.positions;
        let rows: Vec<u32> = match tree {
            Some(tree) => tree.within(aim, positions),
            None if positions.len() > MOST_SCANNED => return None,
            None => {
                let is_near = |(row, &position): (usize, &[f32; 3])| aim.is_hit(position).then_some(row as u32);
                positions.par_iter().enumerate().filter_map(is_near).collect()
            }
        };
        let class = |row: u32| match &classes.of {
            Column::Tracks(of) => scene.track_position(SegmentId(row)).and_then(|track| of.get(track)),
            Column::Rows(of) => of.get(row as usize),
        };
        let mut counts = HashMap::new();
        for &row in &rows {
            let class = class(row).copied().unwrap_or(NO_CLASS);
            if class != NO_CLASS {
                *counts.entry(class).or_default() += 1;
            }
        }
        Some(Self { total: rows.len(), counts, revision: scene.revision })
    }

    /// The share of a class, 0 to 1.
    #[must_use]
    pub fn share(&self, class: u32) -> f32 {
        self.counts.get(&class).map_or(0.0, |&count| count as f32 / self.total.max(1) as f32)
    }

    /// Whether it is of the classes that the scene's rows have now.
    #[must_use]
    pub fn is_of(&self, scene: &Scene) -> bool {
        self.revision == scene.revision
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glam::Vec2;

    use super::*;
    use crate::catalog::{TrackId, TrackRows};
    use crate::scene::coloring::Classes;
    use crate::scene::{AxisScale, Coloring, Dimensions, MapSize};

    const MAP: MapSize = MapSize { width: 400.0, height: 300.0 };

    #[test]
    fn the_rows_around_the_pointer_are_counted_by_class_with_a_tree_and_without() {
        // Thirty rows in the middle, of which 20 are of one class, 6 of another, 4 of none; and as many of a third class in a corner.
        let mut classes = [vec![0i64; 20], vec![1; 6], vec![-1; 4]].concat();
        classes.extend([2; 30]);
        let positions: Vec<[f32; 3]> =
            (0..60).map(|row| if row < 30 { [0.001 * row as f32, 0.0, 0.0] } else { [1.0, 1.0, 0.0] }).chain([[-1.0, -1.0, 0.0]]).collect();
        classes.push(-1);
        let tracks: Vec<TrackRows> =
            (0..61).map(|row| TrackRows { track: TrackId(row as u32 + 1), first_row: row, row_count: 1 }).collect();
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let mut scene =
                Scene::new(positions.clone().into(), tracks.clone().into(), Vec::new(), AxisScale::Uniform, dimensions, MAP.aspect());
            let by_rows = Classes::of_rows(&classes);
            let names = by_rows.classes.iter().map(|class| class.name.clone()).collect::<Vec<_>>();
            let of_tracks: Vec<_> = classes.iter().map(|&class| (class >= 0).then(|| class.to_string())).collect();
            let by_tracks = Classes::of_tracks(of_tracks.iter().map(|name| (name.as_deref(), 1)));
            for classes in [by_rows, by_tracks] {
                scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Classes(classes) }));
                let at = scene.screen_of(SegmentId(10), MAP).unwrap();
                let aim = Aim::new(&scene, MAP, at, 14.0);
                let tree = PickTree::new(&scene.positions);
                let tree = (dimensions == Dimensions::Two).then_some(&tree);
                for tree in [None, tree] {
                    let found = Composition::around(&scene, &aim, tree).unwrap();
                    let share = |name: &str| found.share(names.iter().position(|other| other == name).unwrap() as u32);
                    assert_eq!((found.total, share("0"), share("1"), share("2")), (30, 20.0 / 30.0, 0.2, 0.0), "{dimensions:?}");
                    assert!(found.is_of(&scene));
                }
                let nowhere = Composition::around(&scene, &Aim::new(&scene, MAP, Vec2::new(5.0, 290.0), 1.0), tree).unwrap();
                assert_eq!((nowhere.total, nowhere.share(0)), (0, 0.0));
            }
            let aim = Aim::new(&scene, MAP, Vec2::new(200.0, 150.0), 14.0);
            scene.color_by(Arc::new(Coloring::none()));
            assert_eq!(Composition::around(&scene, &aim, None), None);
        }
    }
}
