//! What is under the pointer: the row whose disc's middle is nearest on screen, within a radius.
//!
//! [`nearest_on_screen`] looks at every row and is the oracle; in 3-D it is also what answers. [`PickGrid`] answers for a settled
//! plane in microseconds, so that a sound need not wait for a frame. Of rows equally near, the first wins.

use glam::{Vec2, Vec3};

use super::bounds::Bounds;
use super::map::{MapSize, Scene, screen_from_clip};
use crate::catalog::SegmentId;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// The row.
    pub segment: SegmentId,
    /// From the pointer to the middle of its disc, in the map's unit.
    pub distance: f32,
}

/// Compares every row: the nearest to `cursor` within `radius`.
#[must_use]
pub fn nearest_on_screen(scene: &Scene, map: MapSize, cursor: Vec2, radius: f32) -> Option<Pick> {
    let clip_from_layout = scene.clip_from_layout(map.aspect());
    let on_screen = |&position: &[f32; 3]| screen_from_clip(clip_from_layout.clip_of(Vec3::from(position)), map);
    let mut best: Option<(f32, usize)> = None;
    for (row, position) in scene.positions.iter().enumerate() {
        let Some(at) = on_screen(position) else { continue };
        let squared = at.distance_squared(cursor);
        if squared <= radius * radius && best.is_none_or(|(least, _)| squared < least) {
            best = Some((squared, row));
        }
    }
    best.map(|(squared, row)| Pick { segment: SegmentId(row as u32), distance: squared.sqrt() })
}

/// Rows of a plane sorted into equal cells: `rows[starts[c]..starts[c + 1]]` lie in cell `c = y * columns + x`.
#[derive(Clone, Debug)]
pub struct PickGrid {
    bounds: Bounds,
    columns: usize,
    lines: usize,
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl PickGrid {
    /// Sorts these positions; those that are not finite are left out.
    #[must_use]
    pub fn new(positions: &[[f32; 3]]) -> Self {
        let bounds = Bounds::of(positions);
        let side = ((positions.len() as f32 / 2.0).sqrt().ceil() as usize).clamp(1, 2048);
        let mut grid = Self { bounds, columns: side, lines: side, starts: vec![0; side * side + 1], rows: Vec::new() };
        let cells: Vec<Option<usize>> =
            positions.iter().map(|p| (p[0].is_finite() && p[1].is_finite()).then(|| grid.cell_of(p[0], p[1]))).collect();
        for &cell in cells.iter().flatten() {
            grid.starts[cell + 1] += 1;
        }
        for cell in 1..grid.starts.len() {
            grid.starts[cell] += grid.starts[cell - 1];
        }
        let mut next = grid.starts.clone();
        grid.rows = vec![0; grid.starts.last().map_or(0, |&n| n as usize)];
        for (row, cell) in cells.iter().enumerate() {
            if let &Some(cell) = cell {
                grid.rows[next[cell] as usize] = row as u32;
                next[cell] += 1;
            }
        }
        grid
    }

    /// The same answer as [`nearest_on_screen`] for a scene in 2-D whose positions this grid was made of.
    #[must_use]
    pub fn nearest(&self, scene: &Scene, map: MapSize, cursor: Vec2, radius: f32) -> Option<Pick> {
        let corners = [Vec2::splat(-radius), Vec2::splat(radius)].map(|offset| scene.layout_from_screen(cursor + offset, map).as_vec2());
        let (low, high) = (corners[0].min(corners[1]), corners[0].max(corners[1]));
        let outside = high.x < self.bounds.min.x || low.x > self.bounds.max.x || high.y < self.bounds.min.y || low.y > self.bounds.max.y;
        if outside || !low.is_finite() || !high.is_finite() {
            return None;
        }
        let clip_from_layout = scene.clip_from_layout(map.aspect());
        let (first, last) = (self.cell_of(low.x, low.y), self.cell_of(high.x, high.y));
        let mut best: Option<(f32, u32)> = None;
        for line in first / self.columns..=last / self.columns {
            let run = line * self.columns + first % self.columns..=line * self.columns + last % self.columns;
            let rows = self.starts[*run.start()] as usize..self.starts[run.end() + 1] as usize;
            for &row in &self.rows[rows] {
                let position = Vec3::from(scene.positions[row as usize]);
                let Some(at) = screen_from_clip(clip_from_layout.clip_of(position), map) else { continue };
                let squared = at.distance_squared(cursor);
                if squared <= radius * radius && best.is_none_or(|(least, first)| squared < least || (squared == least && row < first)) {
                    best = Some((squared, row));
                }
            }
        }
        best.map(|(squared, row)| Pick { segment: SegmentId(row), distance: squared.sqrt() })
    }

    fn cell_of(&self, x: f32, y: f32) -> usize {
        let at = (Vec3::new(x, y, 0.0) - self.bounds.min) / self.bounds.extent();
        // A cast from float saturates: what lies outside falls into the border cells.
        let column = ((at.x * self.columns as f32) as usize).min(self.columns - 1);
        let line = ((at.y * self.lines as f32) as usize).min(self.lines - 1);
        line * self.columns + column
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scene::{AxisScale, Dimensions};
    use crate::seed::SplitMix64;

    fn cloud(rows: usize, seed: u64) -> Arc<[[f32; 3]]> {
        let mut seed = SplitMix64::new(seed);
        (0..rows).map(|_| [seed.next_normal(), seed.next_normal() * 3.0, 0.0]).collect()
    }

    #[test]
    fn the_grid_agrees_with_the_oracle_everywhere() {
        let map = MapSize { width: 640.0, height: 480.0 };
        for (rows, scale) in [
            (0, AxisScale::Uniform),
            (1, AxisScale::Uniform),
            (2, AxisScale::PerAxis),
            (5000, AxisScale::Uniform),
            (5000, AxisScale::PerAxis),
        ] {
            let mut positions = cloud(rows, 7).to_vec();
            if rows > 100 {
                positions[17] = [f32::NAN, 0.0, 0.0];
                positions[18] = positions[19];
            }
            let mut scene = Scene::new(positions.into(), Arc::new([]), vec![], scale, Dimensions::Two, map.aspect());
            let grid = PickGrid::new(&scene.positions);
            let mut seed = SplitMix64::new(3);
            let mut found = 0;
            for turn in 0..400 {
                if turn % 100 == 99 {
                    scene.camera.zoom(2.5, Vec2::new(0.1, -0.2), map.aspect());
                }
                let cursor = if turn % 2 == 0 || rows == 0 {
                    Vec2::new(seed.next_f32() * 700.0 - 30.0, seed.next_f32() * 500.0 - 10.0)
                } else {
                    scene.screen_of(SegmentId(seed.next_below(rows as u64) as u32), map).unwrap_or_default()
                };
                let expected = nearest_on_screen(&scene, map, cursor, 9.0);
                assert_eq!(grid.nearest(&scene, map, cursor, 9.0), expected, "{rows} rows, {scale:?}, cursor {cursor}");
                found += usize::from(expected.is_some());
            }
            assert!(rows == 0 || found > 100, "{rows} rows: only {found} found");
        }
    }

    #[test]
    fn nothing_is_found_beyond_the_radius() {
        let map = MapSize { width: 100.0, height: 100.0 };
        let scene = Scene::new(Arc::new([[0.0; 3]]), Arc::new([]), vec![], AxisScale::Uniform, Dimensions::Three, 1.0);
        let middle = scene.screen_of(SegmentId(0), map).unwrap();
        assert!(nearest_on_screen(&scene, map, middle + Vec2::new(3.0, 0.0), 4.0).is_some());
        assert!(nearest_on_screen(&scene, map, middle + Vec2::new(5.0, 0.0), 4.0).is_none());
    }
}
