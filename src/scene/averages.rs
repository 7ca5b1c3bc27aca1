//! The averages view: a disc for each track, at the mean of its segments and as wide as they are apart.

use glam::{Vec2, Vec3};
use rayon::prelude::*;

use super::camera::Dimensions;
use super::map::{MapSize, Scene};
use super::style::Style;
use crate::catalog::{SegmentId, TrackRows};

/// Widest disc, in UI points.
const WIDEST: f32 = 120.0;
/// And the narrowest.
const NARROWEST: f32 = 3.0;

/// A track's disc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// The mean of its segments, in layout space; not finite where none of them is.
    pub center: [f32; 3],
    /// Its diameter: the mean over the axes of the standard deviation of its segments, in standard deviations of that figure over all tracks. 1
    /// where all tracks are alike.
    pub diameter: f32,
}

/// The discs of all tracks. `[tracks]`, as in [`Scene::track_rows`]
///
/// A segment that is not finite does not count.
#[must_use]
pub fn averages(positions: &[[f32; 3]], track_rows: &[TrackRows], dimensions: Dimensions) -> Vec<Average> {
    let axes = dimensions.count();
    let spreads: Vec<([f64; 3], f64)> = track_rows
        .par_iter()
        .map(|track| {
            let rows = positions.get(track.range()).unwrap_or_default();
            let (mut sum, mut squares, mut count) = ([0.0f64; 3], [0.0f64; 3], 0.0);
            // Counted from the first, so that squares of far positions lose nothing.
            let origin = rows.iter().find(|row| row.iter().all(|value| value.is_finite())).copied().unwrap_or_default().map(f64::from);
            for row in rows.iter().filter(|row| row.iter().all(|value| value.is_finite())) {
                count += 1.0;
                for axis in 0..3 {
                    let value = f64::from(row[axis]) - origin[axis];
                    sum[axis] += value;
                    squares[axis] += value * value;
                }
            }
            let mean = sum.map(|sum| sum / count);
            let deviation = |axis: usize| (squares[axis] / count - mean[axis] * mean[axis]).max(0.0).sqrt();
            let spread = (0..axes).map(deviation).sum::<f64>() / axes as f64;
            (std::array::from_fn(|axis| origin[axis] + mean[axis]), spread)
        })
        .collect();
    let known: Vec<f64> = spreads.iter().map(|&(_, spread)| spread).filter(|spread| spread.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let deviation = (known.iter().map(|spread| (spread - mean).powi(2)).sum::<f64>() / known.len() as f64).sqrt();
    let diameter = |spread: f64| if deviation > 1e-9 * mean { spread / deviation } else { 1.0 };
    spreads
        .into_iter()
        .map(|(center, spread)| Average { center: center.map(|value| value as f32), diameter: diameter(spread) as f32 })
        .collect()
}

/// The radius of a disc in UI points, on a map of so many.
#[must_use]
pub fn radius(average: &Average, tracks: usize, map: MapSize) -> f32 {
    let unit = Style::for_density(tracks, map.width * map.height, false).point_radius;
    (unit * average.diameter).clamp(NARROWEST * 0.5, WIDEST * 0.5)
}

/// The track whose disc is under the cursor: of several the smallest, which lies on top; else the nearest within `slack` UI points of one.
#[must_use]
pub fn track_under(scene: &Scene, map: MapSize, cursor: Vec2, slack: f32) -> Option<usize> {
    let averages = scene.averages.as_deref()?;
    let outside = |average: &Average| {
        let at = scene.screen_from_layout(Vec3::from(average.center), map)?;
        let radius = radius(average, averages.len(), map);
        let beyond = (at.distance(cursor) - radius).max(0.0);
        (beyond <= slack).then_some((beyond, radius))
    };
    let found = averages.iter().enumerate().filter_map(|(track, average)| outside(average).map(|(beyond, radius)| (beyond, radius, track)));
    found.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))).map(|(_, _, track)| track)
}

/// The segment of a track that is nearest to its mean: what stands for it when it is to sound.
#[must_use]
pub fn nearest_to_mean(scene: &Scene, track: usize) -> Option<SegmentId> {
    let center = Vec3::from(scene.averages.as_deref()?.get(track)?.center);
    let rows = scene.track_rows.get(track)?.range();
    let distance = |row: &usize| scene.positions.get(*row).map_or(f32::INFINITY, |&at| Vec3::from(at).distance_squared(center));
    rows.min_by(|a, b| distance(a).total_cmp(&distance(b))).map(|row| SegmentId(row as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrackId;
    use crate::scene::AxisScale;

    fn tracks(lengths: &[usize]) -> Vec<TrackRows> {
        let mut first_row = 0;
        let track = |(track, &row_count): (u32, &usize)| {
            let rows = TrackRows { track: TrackId(track), first_row, row_count };
            first_row += row_count;
            rows
        };
        (1..).zip(lengths).map(track).collect()
    }

    #[test]
    fn a_disc_is_at_the_mean_and_its_diameter_is_the_deviation_over_that_of_all_tracks() {
        // Deviations over x and y: 1 and 2; 3 and 0; 0 and 0.
        let positions =
            [[9.0, 3.0, 0.0], [11.0, 7.0, 0.0], [-3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [f32::NAN, 0.0, 0.0], [5.0, 5.0, 0.0], [5.0, 5.0, 0.0]];
        let made = averages(&positions, &tracks(&[2, 3, 2]), Dimensions::Two);
        let centers: Vec<_> = made.iter().map(|average| average.center).collect();
        assert_eq!(centers, [[10.0, 5.0, 0.0], [0.0, 1.0, 0.0], [5.0, 5.0, 0.0]]);
        // 1.5, 1.5 and 0: their deviation is sqrt(0.5).
        let expected = 1.5 / 0.5f32.sqrt();
        assert!(
            (made[0].diameter - expected).abs() < 1e-5 && (made[1].diameter - expected).abs() < 1e-5 && made[2].diameter == 0.0,
            "{made:?}"
        );
        assert_eq!(averages(&positions[..2], &tracks(&[2]), Dimensions::Two)[0].diameter, 1.0);
        assert!(!averages(&[[f32::NAN; 3]], &tracks(&[1]), Dimensions::Two)[0].center[0].is_finite());
    }

    #[test]
    fn the_disc_under_the_cursor_is_the_smallest_there_and_sounds_as_its_nearest_segment() {
        let positions = [[-4.0, 0.0, 0.0], [0.5, 0.0, 0.0], [4.0, 0.0, 0.0], [-0.2, 0.1, 0.0], [0.0, -0.1, 0.0], [0.3, 0.0, 0.0]];
        let rows = tracks(&[3, 3]);
        let map = MapSize { width: 400.0, height: 300.0 };
        let mut scene = Scene::new(positions.into(), rows.into(), vec![], AxisScale::Uniform, Dimensions::Two, map.aspect());
        scene.refresh_averages();
        let middle = scene.screen_from_layout(Vec3::ZERO, map).unwrap();
        assert_eq!(track_under(&scene, map, middle, 2.0), Some(1));
        let wide = radius(&scene.averages.as_ref().unwrap()[0], 2, map);
        assert_eq!(track_under(&scene, map, middle + Vec2::new(0.0, wide * 0.9), 2.0), Some(0));
        assert_eq!(track_under(&scene, map, middle + Vec2::new(0.0, wide + 40.0), 2.0), None);
        assert_eq!((nearest_to_mean(&scene, 0), nearest_to_mean(&scene, 1)), (Some(SegmentId(1)), Some(SegmentId(4))));
        assert_eq!(nearest_to_mean(&scene, 2), None);
    }
}
