//! The curve through a track's rows, drawn where tracks are few. Twin of `on_curve` in `shaders/trajectories.wgsl`.

use glam::Vec3;

/// `share` (0..1) of the way from one row to the next, on a cubic Hermite spline whose direction at a row is half the way between the
/// row's neighbours (Catmull and Rom, "A class of local interpolating splines", 1974). Where a track ends, the row is its own neighbour.
#[must_use]
pub fn on_curve([before, from, to, after]: [Vec3; 4], share: f32) -> Vec3 {
    let (leaving, arriving) = ((to - before) * 0.5, (after - from) * 0.5);
    let t = share;
    let left = (2.0 * t - 3.0) * t * t + 1.0;
    left * from + (1.0 - left) * to + ((t - 2.0) * t + 1.0) * t * leaving + (t - 1.0) * t * t * arriving
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_passes_through_its_rows_and_turns_there_without_a_corner() {
        let rows = [Vec3::new(0.0, 1.0, 0.0), Vec3::new(1.0, 0.0, 2.0), Vec3::new(2.0, 3.0, 1.0), Vec3::new(4.0, 2.0, -1.0)];
        assert_eq!((on_curve(rows, 0.0), on_curve(rows, 1.0)), (rows[1], rows[2]));
        let next = [rows[1], rows[2], rows[3], rows[3]];
        let step = 1e-3;
        let (arriving, leaving) = ((rows[2] - on_curve(rows, 1.0 - step)) / step, (on_curve(next, step) - rows[2]) / step);
        assert!((arriving - leaving).length() < 0.02 * arriving.length(), "{arriving} {leaving}");
        // Rows in a line stay in it.
        let line = [0.0, 1.0, 2.0, 3.0].map(|x| Vec3::new(x, 2.0 * x, 0.0));
        assert!((on_curve(line, 0.25) - Vec3::new(1.25, 2.5, 0.0)).length() < 1e-6);
    }
}
