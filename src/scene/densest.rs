//! Where the points of each group are densest: the place for its name.

use rayon::prelude::*;

use super::bounds::Bounds;
use super::camera::Dimensions;

/// A row that belongs to no group.
pub const NO_GROUP: u32 = u32::MAX;
/// Cells along each axis of a plane and of a space.
const CELLS: [u32; 2] = [40, 20];
/// Rows that a thread takes at once.
const RUN: usize = 1 << 14;

/// The densest place of a group, and how many points it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Densest {
    /// The group.
    pub group: u32,
    /// The mean of the points in the cell that has most of them.
    pub at: [f32; 3],
    /// Points of the group, those that are not finite left out.
    pub rows: u32,
}

/// Finds it for every group that has points: `groups` has each row's, `[rows]`. By a histogram of the group's points over the box around all points;
/// of equal cells the first. A mean of all points would lie where none of them is, where a group is in two places.
#[must_use]
pub fn densest_places(positions: &[[f32; 3]], groups: &[u32], dimensions: Dimensions) -> Vec<Densest> {
    let bounds = Bounds::of(positions);
    let cells = CELLS[dimensions.count() - 2];
    let (low, scale) = (bounds.min, (bounds.max - bounds.min).map(|extent| if extent > 0.0 { cells as f32 / extent } else { 0.0 }));
    let key = |(position, &group): (&[f32; 3], &u32)| {
        if group == NO_GROUP || !position.iter().all(|value| value.is_finite()) {
            return u64::MAX;
        }
        let cell = |axis: usize| (((position[axis] - low[axis]) * scale[axis]) as u32).min(cells - 1);
        u64::from(group) << 32 | u64::from((cell(2) * cells + cell(1)) * cells + cell(0))
    };
    let keys: Vec<u64> = positions.par_iter().with_min_len(RUN).zip(groups.par_iter().with_min_len(RUN)).map(key).collect();
    let mut sorted = keys.clone();
    sorted.par_sort_unstable();

    // A group's cells lie one after the other.
    let mut found: Vec<(u64, u32, u32)> = Vec::new();
    for run in sorted.chunk_by(|a, b| a == b) {
        let Some(&key) = run.first().filter(|&&key| key != u64::MAX) else { continue };
        let count = run.len() as u32;
        match found.last_mut().filter(|(best, ..)| best >> 32 == key >> 32) {
            Some((best, most, rows)) => {
                *rows += count;
                if count > *most {
                    (*best, *most) = (key, count);
                }
            }
            None => found.push((key, count, count)),
        }
    }
    let mut sums = vec![[0.0f64; 3]; found.len()];
    for (position, key) in positions.iter().zip(&keys) {
        // Groups are in order of their numbers.
        if let Ok(place) = found.binary_search_by_key(key, |&(best, ..)| best)
            && let Some(sum) = sums.get_mut(place)
        {
            sum.iter_mut().zip(position).for_each(|(sum, &value)| *sum += f64::from(value));
        }
    }
    let places = found.iter().zip(sums);
    places
        .map(|(&(key, most, rows), sum)| Densest { group: (key >> 32) as u32, at: sum.map(|sum| (sum / f64::from(most)) as f32), rows })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_in_two_places_is_named_at_the_larger_one() {
        let mut positions = vec![[0.0, 0.0, 0.0], [10.0, 10.0, 0.0]];
        let mut groups = vec![NO_GROUP, NO_GROUP];
        for i in 0..30 {
            positions.push(if i % 3 == 0 { [1.0, 1.0, 0.0] } else { [9.0, 8.0 + 0.001 * i as f32, 0.0] });
            groups.push(7);
        }
        positions.extend([[5.0, 5.0, 0.0], [f32::NAN, 0.0, 0.0]]);
        groups.extend([3, 3]);
        let found = densest_places(&positions, &groups, Dimensions::Two);
        assert_eq!(found.iter().map(|place| (place.group, place.rows)).collect::<Vec<_>>(), [(3, 1), (7, 30)]);
        assert_eq!(found[0].at, [5.0, 5.0, 0.0]);
        assert!((found[1].at[0] - 9.0).abs() < 1e-6 && (found[1].at[1] - 8.015).abs() < 0.01, "{found:?}");
        assert_eq!(densest_places(&[], &[], Dimensions::Three), []);
        assert_eq!(densest_places(&[[2.0; 3]; 5], &[0; 5], Dimensions::Three), [Densest { group: 0, at: [2.0; 3], rows: 5 }]);
    }

    #[test]
    fn any_number_of_threads_finds_the_same() {
        let mut seed = crate::seed::SplitMix64::new(4);
        let positions: Vec<[f32; 3]> = (0..60_000).map(|_| [seed.next_normal(), seed.next_normal(), seed.next_normal()]).collect();
        let groups: Vec<u32> = (0..60_000).map(|_| seed.next_below(50) as u32).collect();
        let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let [one, three] = [1, 3].map(|threads| with(threads).install(|| densest_places(&positions, &groups, Dimensions::Three)));
        assert_eq!(one, three);
        assert_eq!(one.iter().map(|place| place.rows).sum::<u32>(), 60_000);
    }
}
