//! Lines on the CPU: the twin of `shaders/splat_lines.wgsl`.

use super::params::SplatParams;

/// Adds a line between two places, in cells from the corner of the whole picture's grid, to every column of cells that it crosses, or to every row of cells where it
/// is steeper. `add` gets the cells' numbers.
#[inline]
pub(super) fn walk(begin: [f32; 2], end: [f32; 2], params: &SplatParams, mut add: impl FnMut(usize)) {
    let across_grid = params.width as usize;
    let is_steep = (end[1] - begin[1]).abs() > (end[0] - begin[0]).abs();
    let turned = |[x, y]: [f32; 2]| if is_steep { [y, x] } else { [x, y] };
    let (begin, end) = (turned(begin), turned(end));
    let first = turned(params.corner.map(|cell| cell as f32));
    let end_of_grid = turned([(params.corner[0] + params.width) as f32, (params.corner[1] + params.height()) as f32]);
    let [left, top] = params.corner.map(|cell| cell as usize);
    let (low, high) = (begin[0].min(end[0]).floor(), begin[0].max(end[0]).floor());
    // What is not a number compares false; what is infinitely far has no way from there to here.
    let is_known = begin.iter().chain(&end).all(|at| at.abs() < 1e30);
    if !(is_known && high >= first[0] && low < end_of_grid[0]) {
        return;
    }
    let way = [end[0] - begin[0], end[1] - begin[1]];
    for column in low.max(first[0]) as usize..=high.min(end_of_grid[0] - 1.0) as usize {
        let along = if way[0].abs() > 1e-6 { ((column as f32 + 0.5 - begin[0]) / way[0]).clamp(0.0, 1.0) } else { 0.0 };
        let across = begin[1] + along * way[1];
        if across >= first[1] && across < end_of_grid[1] {
            let across = across as i32 as usize;
            let (x, y) = if is_steep { (across, column) } else { (column, across) };
            add((y - top) * across_grid + x - left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::splat::{SplatKind, SplatPlan};

    fn cells(begin: [f32; 2], end: [f32; 2]) -> Vec<usize> {
        let mut cells = Vec::new();
        walk(begin, end, &SplatPlan::new([8, 4], 1, SplatKind::Lines).params, |cell| cells.push(cell));
        cells.sort_unstable();
        cells
    }

    #[test]
    fn a_line_is_in_each_column_that_it_crosses_once_in_either_direction() {
        for (begin, end, expected) in [
            ([0.5, 0.5], [3.5, 0.5], vec![0, 1, 2, 3]),
            ([2.5, 0.5], [2.5, 3.5], vec![2, 10, 18, 26]),
            ([0.5, 0.5], [3.5, 3.5], vec![0, 9, 18, 27]),
            // It goes on outside.
            ([-100.0, 1.5], [100.0, 1.5], (8..16).collect()),
            ([6.5, -50.0], [6.5, 50.0], vec![6, 14, 22, 30]),
            // A line without length is a cell.
            ([5.5, 2.5], [5.5, 2.5], vec![21]),
            ([-3.0, 0.0], [-1.0, 3.0], vec![]),
            ([0.0, 9.0], [7.0, 9.0], vec![]),
            ([f32::NAN, 1.0], [2.0, 1.0], vec![]),
            ([2.0, 1.0], [f32::INFINITY, 1.0], vec![]),
            ([2.0, 1.0], [2.0, f32::NEG_INFINITY], vec![]),
        ] {
            assert_eq!(cells(begin, end), expected, "{begin:?} to {end:?}");
            if begin[0].is_finite() {
                assert_eq!(cells(end, begin), expected, "{end:?} to {begin:?}");
            }
        }
    }
}
