//! How crowded it is around each row of a layout.

use rayon::prelude::*;

use super::bounds::Bounds;
use super::camera::Dimensions;

/// Rows in a cell, in the mean, of a layout that fills its box.
const ROWS_A_CELL: f64 = 4.0;
/// The fewest and the most cells along an edge, in a plane and in a space.
const EDGES: [[f64; 2]; 2] = [[16.0, 512.0], [8.0, 96.0]];
/// Rows that a thread looks at in one go.
const CHUNK: usize = 1 << 16;

/// The decimal logarithm of the number of rows in each row's neighbourhood: itself included, in cells of a grid, counted with binomial weights over the
/// cell and its neighbours and interpolated to where the row is. What has no place has no number. `[rows]`
///
/// A histogram with linear binning on its reading side, smoothed (Wand, "Fast computation of multivariate kernel estimators", 1994): in proportion to
/// rows, where a search for neighbours is not.
#[must_use]
pub fn crowding(positions: &[[f32; 3]], bounds: Bounds, dimensions: Dimensions) -> Vec<f32> {
    let is_plane = dimensions == Dimensions::Two;
    let [least, most] = EDGES[usize::from(!is_plane)];
    let cells = positions.len() as f64 / ROWS_A_CELL;
    let edge = (if is_plane { cells.sqrt() } else { cells.cbrt() }).clamp(least, most) as usize;
    let grid = Grid { edge, depth: if is_plane { 1 } else { edge }, bounds };
    let mut counts = vec![0u32; edge * edge * grid.depth];
    for &position in positions {
        if let Some(count) = grid.cell(position).and_then(|cell| counts.get_mut(cell)) {
            *count += 1;
        }
    }
    let mut smooth: Vec<f32> = counts.iter().map(|&count| count as f32).collect();
    for stride in [1, edge, edge * edge].into_iter().take(if is_plane { 2 } else { 3 }) {
        smooth = smoothed(&smooth, stride, edge);
    }
    let mut found = vec![f32::NAN; positions.len()];
    found.par_chunks_mut(CHUNK).zip(positions.par_chunks(CHUNK)).for_each(|(found, positions)| {
        for (into, &position) in found.iter_mut().zip(positions) {
            let count = grid.read(&smooth, position);
            // What is no number stays none.
            *into = if count < 1.0 { 0.0 } else { count.log10() };
        }
    });
    found
}

struct Grid {
    edge: usize,
    depth: usize,
    bounds: Bounds,
}

impl Grid {
    /// A place in cells from the grid's corner; none where it is not finite.
    fn place(&self, position: [f32; 3]) -> Option<[f32; 3]> {
        let (min, extent) = (self.bounds.min.to_array(), self.bounds.extent().to_array());
        let place = [0, 1, 2].map(|axis| (position[axis] - min[axis]) / extent[axis] * self.edge as f32);
        position.iter().all(|value| value.is_finite()).then_some(place)
    }

    fn cell(&self, position: [f32; 3]) -> Option<usize> {
        let [x, y, z] = self.place(position)?.map(|place| (place.max(0.0) as usize).min(self.edge - 1));
        Some((z.min(self.depth - 1) * self.edge + y) * self.edge + x)
    }

    /// The value at a place, linear between the middles of cells; no number where there is no place.
    fn read(&self, values: &[f32], position: [f32; 3]) -> f32 {
        let Some(place) = self.place(position) else { return f32::NAN };
        let last = [self.edge, self.edge, self.depth].map(|edge| edge - 1);
        let sides: [[(usize, f32); 2]; 3] = std::array::from_fn(|axis| {
            let at = (place[axis] - 0.5).clamp(0.0, last[axis] as f32);
            let below = at as usize;
            let share = at - below as f32;
            [(below, 1.0 - share), ((below + 1).min(last[axis]), share)]
        });
        let mut sum = 0.0;
        for (z, in_z) in sides[2] {
            for (y, in_y) in sides[1] {
                for (x, in_x) in sides[0] {
                    sum += values.get((z * self.edge + y) * self.edge + x).copied().unwrap_or(0.0) * in_x * in_y * in_z;
                }
            }
        }
        sum
    }
}

/// Sums of a cell and its two neighbours along one axis, with the weights 1/2, 1, 1/2.
fn smoothed(values: &[f32], stride: usize, edge: usize) -> Vec<f32> {
    let sum = |at: usize| {
        let along = at / stride % edge;
        let before = if along > 0 { values[at - stride] } else { 0.0 };
        let after = if along + 1 < edge { values[at + stride] } else { 0.0 };
        values[at] + 0.5 * (before + after)
    };
    (0..values.len()).into_par_iter().map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn a_crowd_has_more_around_it_than_a_hermit_and_order_does_not_matter() {
        let mut seed = SplitMix64::new(3);
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let deep = f32::from(u8::from(dimensions == Dimensions::Three));
            let mut positions: Vec<[f32; 3]> =
                (0..4000).map(|_| [0.1, 0.1, 0.1 * deep].map(|scale: f32| scale * seed.next_normal())).collect();
            positions.extend([[5.0, 5.0, 5.0 * deep], [f32::NAN, 0.0, 0.0]]);
            let found = crowding(&positions, Bounds::of(&positions), dimensions);
            assert!(found[4001].is_nan() && found[4000] < 0.5, "{}", found[4000]);
            let mean = found[..4000].iter().sum::<f32>() / 4000.0;
            assert!(mean > 1.0, "{dimensions:?}: {mean}");
            let mut turned = positions.clone();
            turned.reverse();
            let mut back = crowding(&turned, Bounds::of(&turned), dimensions);
            back.reverse();
            assert!(found.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
        assert!(crowding(&[], Bounds::of(&[]), Dimensions::Two).is_empty());
    }
}
