//! A part of the map on screen, drawn by hand, and the rows in it.
//!
//! An outline becomes a mask of cells, two a UI point, once; then each row only asks for the bit of its cell. CPU and GPU
//! (`shaders/select_inside.wgsl`) read the same mask, so that they can differ only in rows that lie within rounding of a cell's border.

use glam::{Vec2, Vec3, Vec4};

use super::chosen::{ChosenRows, has_bit};
use super::map::{MapSize, Scene};

/// Cells in a UI point, along each axis.
const CELLS_PER_POINT: f32 = 2.0;
/// Most cells along an axis.
const MOST_CELLS: f32 = 16_384.0;

/// The cells of a map that lie inside of an outline.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The map that it lies on, in UI points.
    pub map: MapSize,
    /// Width and height of the map in cells; the last ones may be cut.
    pub extent: [f32; 2],
    /// Cells across and down.
    pub size: [u32; 2],
    /// Bit `cell % 32` of word `cell / 32` says whether cell `y * size[0] + x` is inside.
    pub words: Vec<u32>,
}

impl Region {
    /// The inside of a closed polygon by the even-odd rule; a cell is inside where its middle is. `outline` is in UI points from
    /// the map's upper left corner; fewer than three corners, or none that are finite, have no inside.
    #[must_use]
    pub fn inside(outline: &[Vec2], map: MapSize) -> Self {
        let extent = [map.width, map.height].map(|edge| (edge * CELLS_PER_POINT).clamp(1.0, MOST_CELLS));
        let [width, height] = extent.map(|edge| edge.ceil() as usize);
        let mut region = Self { map, extent, size: [width as u32, height as u32], words: vec![0; (width * height).div_ceil(32)] };
        let per_point = [extent[0] / map.width.max(1.0), extent[1] / map.height.max(1.0)].map(f64::from);
        let corners: Vec<[f64; 2]> = outline
            .iter()
            .filter(|corner| corner.is_finite())
            .map(|corner| [f64::from(corner.x) * per_point[0], f64::from(corner.y) * per_point[1]])
            .collect();
        let mut crossings = Vec::new();
        for line in 0..height {
            crossings_of(&corners, line as f64 + 0.5, &mut crossings);
            for pair in crossings.chunks_exact(2) {
                // The first and the last cell whose middle lies between the two.
                let first = (pair[0] - 0.5).ceil().max(0.0) as usize;
                let end = ((pair[1] - 0.5).ceil().max(0.0) as usize).min(width);
                (first..end).for_each(|column| region.set(line * width + column));
            }
        }
        region
    }

    fn set(&mut self, cell: usize) {
        if let Some(word) = self.words.get_mut(cell / 32) {
            *word |= 1 << (cell % 32);
        }
    }

    /// Whether a cell is inside.
    #[inline]
    #[must_use]
    pub fn has(&self, x: usize, y: usize) -> bool {
        x < self.size[0] as usize && has_bit(&self.words, y * self.size[0] as usize + x)
    }

    /// Whether a place in clip space is: what is behind the eye, or nearer or farther than it sees, is not.
    #[inline]
    #[must_use]
    pub fn has_clip(&self, clip: Vec4) -> bool {
        if !(clip.w > 1e-5 && clip.z >= 0.0 && clip.z <= clip.w) {
            return false;
        }
        let [width, height] = self.extent;
        let (x, y) = ((clip.x / clip.w * 0.5 + 0.5) * width, (clip.y / clip.w * -0.5 + 0.5) * height);
        x >= 0.0 && x < width && y >= 0.0 && y < height && self.has(x as usize, y as usize)
    }

    /// The rows of a scene that are inside, on all threads.
    #[must_use]
    pub fn rows(&self, scene: &Scene) -> ChosenRows {
        let clip_from_layout = scene.clip_from_layout(self.map.aspect());
        let positions = &scene.positions;
        let place = |row: usize| positions.get(row).map(|&position| clip_from_layout.clip_of(Vec3::from(position)));
        ChosenRows::of(positions.len(), |row| place(row).is_some_and(|clip| self.has_clip(clip)))
    }
}

/// Where a horizontal line crosses the edges of a closed polygon, in order. An edge has its upper end and not its lower one.
fn crossings_of(corners: &[[f64; 2]], y: f64, crossings: &mut Vec<f64>) {
    crossings.clear();
    let Some(&last) = corners.last() else { return };
    let mut from = last;
    for &to in corners {
        if (from[1] <= y) != (to[1] <= y) {
            crossings.push(from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
        }
        from = to;
    }
    crossings.sort_by(f64::total_cmp);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{AxisScale, Dimensions};
    use crate::seed::SplitMix64;
    use std::sync::Arc;

    const MAP: MapSize = MapSize { width: 61.5, height: 40.0 };

    /// Whether a point is inside, by how often a ray to the right meets the edges.
    fn is_inside(outline: &[Vec2], x: f64, y: f64) -> bool {
        let corner = |at: usize| [f64::from(outline[at % outline.len()].x), f64::from(outline[at % outline.len()].y)];
        let crosses = |edge: &usize| {
            let ([ax, ay], [bx, by]) = (corner(*edge), corner(edge + 1));
            (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
        };
        (0..outline.len()).filter(crosses).count() % 2 == 1
    }

    #[test]
    fn a_region_is_the_cells_whose_middles_are_inside_by_the_even_odd_rule() {
        let mut seed = SplitMix64::new(11);
        for corners in [3, 4, 5, 12, 60] {
            // Crossing itself as a hasty hand does, and leaving the map.
            let outline: Vec<Vec2> =
                (0..corners).map(|_| Vec2::new(seed.next_f32() * 90.0 - 10.0, seed.next_f32() * 60.0 - 10.0)).collect();
            let region = Region::inside(&outline, MAP);
            assert_eq!(region.size, [123, 80]);
            for y in 0..80 {
                for x in 0..123 {
                    let expected = is_inside(&outline, (x as f64 + 0.5) / 2.0, (y as f64 + 0.5) / 2.0);
                    assert_eq!(region.has(x, y), expected, "{corners} corners, cell {x} {y}");
                }
            }
        }
    }

    #[test]
    fn a_rectangle_has_the_cells_between_its_edges_and_what_is_no_outline_has_none() {
        let corners = [Vec2::new(3.0, 2.0), Vec2::new(10.0, 2.0), Vec2::new(10.0, 5.0), Vec2::new(3.0, 5.0)];
        let region = Region::inside(&corners, MAP);
        assert_eq!(region.words.iter().map(|word| word.count_ones()).sum::<u32>(), 14 * 6);
        assert!(region.has(6, 4) && region.has(19, 9) && !region.has(20, 9) && !region.has(6, 10));
        for nothing in [&corners[..0], &corners[..1], &corners[..2], &[Vec2::NAN; 5]] {
            assert!(Region::inside(nothing, MAP).words.iter().all(|&word| word == 0));
        }
        assert_eq!(Region::inside(&corners, MapSize { width: 0.0, height: f32::NAN }).size[0], 1);
    }

    #[test]
    fn the_rows_inside_are_those_that_are_seen_there() {
        let mut seed = SplitMix64::new(4);
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let mut positions: Vec<[f32; 3]> = (0..3000)
                .map(|_| [seed.next_normal(), seed.next_normal(), if dimensions == Dimensions::Three { seed.next_normal() } else { 0.0 }])
                .collect();
            positions[9] = [f32::NAN, 0.0, 0.0];
            let names = Vec::new();
            let mut scene = Scene::new(positions.into(), Arc::new([]), names, AxisScale::Uniform, dimensions, MAP.aspect());
            scene.camera.half_height *= 0.4;
            let outline = [Vec2::new(5.0, 5.0), Vec2::new(50.0, 12.0), Vec2::new(20.0, 38.0)];
            let chosen = Region::inside(&outline, MAP).rows(&scene);
            let mut doubtful = 0;
            for row in 0..3000 {
                let at = scene.screen_of(crate::catalog::SegmentId(row as u32), MAP);
                let is_in = at.is_some_and(|at| is_inside(&outline, f64::from(at.x), f64::from(at.y)));
                if is_in != chosen.contains(row) {
                    // Only where the outline passes through the row's cell.
                    let at = at.unwrap();
                    let near = |dx: f64, dy: f64| is_inside(&outline, f64::from(at.x) + dx, f64::from(at.y) + dy);
                    assert!([near(-0.5, -0.5), near(0.5, -0.5), near(-0.5, 0.5), near(0.5, 0.5)].iter().any(|&near| near != is_in));
                    doubtful += 1;
                }
            }
            assert!(chosen.count() > 100 && doubtful < 60, "{} {doubtful}", chosen.count());
        }
    }
}
