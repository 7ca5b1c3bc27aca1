//! What is under the pointer: in a plane the row whose disc's middle is nearest on screen, within a radius; in a space the disc nearest to the
//! eye of those that the pointer is on, or else again the row that is nearest on screen. Of rows equally near, the first wins.
//!
//! [`Aim`] says what near is. [`nearest_on_screen`] looks at one row after the other and is the oracle. [`PickTree`] answers for a settled
//! plane in microseconds, so that a sound need not wait for a frame; [`scan()`] goes over all rows on the CPU's threads, and `render::pick` on the GPU.

mod aim;
mod scan;
mod tree;

pub use aim::{Aim, BESIDE, NO_KEY};
pub use scan::scan;
pub use tree::PickTree;

use crate::catalog::SegmentId;

/// Compares every row, one after the other.
#[must_use]
pub fn nearest_on_screen(aim: &Aim, positions: &[[f32; 3]]) -> Option<SegmentId> {
    let mut best = (NO_KEY, None);
    for (row, &position) in positions.iter().enumerate() {
        let key = aim.key(position);
        if key < best.0 {
            best = (key, Some(SegmentId(row as u32)));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use glam::Vec2;

    use super::*;
    use crate::scene::{AxisScale, Dimensions, MapSize, Scene};
    use crate::seed::SplitMix64;

    const MAP: MapSize = MapSize { width: 640.0, height: 480.0 };

    /// A cloud with rows that are no numbers, equal rows, and one far away, if asked for.
    fn cloud(rows: usize, is_space: bool, outlier: f32) -> Vec<[f32; 3]> {
        let mut seed = SplitMix64::new(7);
        let mut cloud: Vec<[f32; 3]> =
            (0..rows).map(|_| [seed.next_normal(), seed.next_normal() * 3.0, if is_space { seed.next_normal() } else { 0.0 }]).collect();
        if rows > 100 {
            cloud[17] = [f32::NAN, 0.0, 0.0];
            cloud[18] = cloud[19];
            cloud[21] = [f32::INFINITY, 1.0, 0.0];
            cloud[22][0] += outlier;
            let heap = cloud[23];
            cloud[40..90].fill(heap);
        }
        cloud
    }

    fn scene(positions: Vec<[f32; 3]>, scale: AxisScale, dimensions: Dimensions) -> Scene {
        Scene::new(positions.into(), Arc::new([]), vec![], scale, dimensions, MAP.aspect())
    }

    /// Half of them on rows.
    fn cursors(scene: &Scene, count: usize) -> Vec<Vec2> {
        let mut seed = SplitMix64::new(3);
        let rows = scene.positions.len();
        let mut cursor = |turn: usize| {
            if turn.is_multiple_of(2) || rows == 0 {
                return Vec2::new(seed.next_f32() * 700.0 - 30.0, seed.next_f32() * 500.0 - 10.0);
            }
            scene.screen_of(SegmentId(seed.next_below(rows as u64) as u32), MAP).unwrap_or_default()
        };
        (0..count).map(&mut cursor).collect()
    }

    #[test]
    fn the_tree_and_the_threads_agree_with_the_oracle_everywhere() {
        let (plane, space) = (Dimensions::Two, Dimensions::Three);
        for (rows, scale, dimensions, outlier) in [
            (0, AxisScale::Uniform, plane, 0.0),
            (1, AxisScale::Uniform, plane, 0.0),
            (2, AxisScale::PerAxis, plane, 0.0),
            (64, AxisScale::Uniform, plane, 0.0),
            (65, AxisScale::Uniform, plane, 0.0),
            (5000, AxisScale::Uniform, plane, 0.0),
            (5000, AxisScale::PerAxis, plane, 0.0),
            (5000, AxisScale::Uniform, plane, 1e6),
            (40_001, AxisScale::Uniform, plane, 0.0),
            (1, AxisScale::Uniform, space, 0.0),
            (17, AxisScale::Uniform, space, 0.0),
            (5000, AxisScale::Uniform, space, 0.0),
            (40_001, AxisScale::PerAxis, space, 0.0),
        ] {
            let mut scene = scene(cloud(rows, dimensions == space, outlier), scale, dimensions);
            let tree = PickTree::new(&scene.positions);
            let mut found = 0;
            // From a picture of a few pixels to one of a few rows.
            for factor in [0.05, 20.0, 6.0, 6.0, 20.0] {
                scene.camera.zoom(factor, Vec2::new(0.1, -0.2), MAP.aspect());
                for cursor in cursors(&scene, 60) {
                    let aim = Aim::new(&scene, MAP, cursor, 9.0);
                    let expected = nearest_on_screen(&aim, &scene.positions);
                    assert_eq!(scan(&aim, &scene.positions), expected, "{rows} rows, {scale:?}, cursor {cursor}");
                    if dimensions == plane {
                        assert_eq!(tree.nearest(&aim, &scene.positions), expected, "{rows} rows, {scale:?}, cursor {cursor}");
                    }
                    found += usize::from(expected.is_some());
                }
            }
            assert!(rows < 60 || found > 60, "{rows} rows: only {found} found");
        }
    }

    #[test]
    fn an_aim_measures_what_the_camera_shows() {
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let mut scene = scene(cloud(500, dimensions == Dimensions::Three, 0.0), AxisScale::Uniform, dimensions);
            scene.camera.zoom(2.5, Vec2::new(0.1, -0.2), MAP.aspect());
            for cursor in cursors(&scene, 20) {
                let aim = Aim::new(&scene, MAP, cursor, 9.0);
                for (row, &position) in scene.positions.iter().enumerate() {
                    let Some(at) = scene.screen_of(SegmentId(row as u32), MAP) else { continue };
                    let (found, expected) = (aim.distance(position), at.distance(cursor));
                    assert!((found - expected).abs() < 1e-3 + 1e-5 * expected, "{dimensions:?} row {row}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_found_beyond_the_radius() {
        let scene = scene(vec![[0.0; 3]], AxisScale::Uniform, Dimensions::Three);
        let middle = scene.screen_of(SegmentId(0), MAP).unwrap();
        let at = |x: f32| nearest_on_screen(&Aim::new(&scene, MAP, middle + Vec2::new(x, 0.0), 14.0), &scene.positions);
        assert!(at(13.0).is_some() && at(15.0).is_none());
    }

    #[test]
    fn the_disc_in_front_is_picked_where_discs_hide_each_other() {
        let mut scene =
            scene(vec![[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [0.3, 0.0, 0.0], [-0.3, 0.0, 0.0]], AxisScale::Uniform, Dimensions::Three);
        (scene.camera.azimuth, scene.camera.elevation) = (0.0, 0.0);
        let middle = scene.screen_of(SegmentId(1), MAP).unwrap();
        let pick = |x: f32| nearest_on_screen(&Aim::new(&scene, MAP, middle + Vec2::new(x, 0.0), 9.0), &scene.positions);
        // The eye is on the side of larger z.
        assert_eq!([pick(0.0), pick(2.0)], [Some(SegmentId(1)); 2]);
        // In a plane nothing is in front: the first.
        let plane = Scene::new(scene.positions.clone(), Arc::new([]), vec![], AxisScale::Uniform, Dimensions::Two, MAP.aspect());
        let middle = plane.screen_of(SegmentId(1), MAP).unwrap();
        assert_eq!(nearest_on_screen(&Aim::new(&plane, MAP, middle, 9.0), &plane.positions), Some(SegmentId(0)));
    }
}
