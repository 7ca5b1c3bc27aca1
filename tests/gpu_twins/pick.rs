//! Picking's kernels beside plain loops in f64.
//!
//! The rule: what is found is as near as the nearest row, to a thousandth of a pixel (in front of others: to a hundred-thousandth of its depth), and of rows at
//! the same place it is the first. No row of the tests is so near to the border of a disc or of the radius that rounding decides on which side it is.

use std::time::Duration;

use glam::Vec2;
use tagscape::catalog::SegmentId;
use tagscape::gpu::PositionBuffer;
use tagscape::render::pick::kernels::{self, RUN};
use tagscape::render::pick::{GpuPick, PickParams};
use tagscape::scene::pick::{Aim, NO_KEY, nearest_on_screen, scan};
use tagscape::scene::{AxisScale, ClipFromLayout, Dimensions, MapSize, Scene};
use tagscape::seed::SplitMix64;

use super::splat::{bits, run, same};
use super::tsne::Check;
use crate::common::gpu::gpu;

/// One entry for each kernel of picking.
pub const CHECKS: &[Check] = &[Check { kernel: &kernels::ROWS, compare: rows }, Check { kernel: &kernels::FIRST, compare: first }];

const MAP: MapSize = MapSize { width: 320.0, height: 240.0 };
const RADIUS: f32 = 60.0;
const PIXEL: f64 = 1e-3;

/// A scene and some pointers over it.
struct Pointed {
    scene: Scene,
    aims: Vec<(Vec2, Aim)>,
}

/// How near a row is, in f64: on its disc, with its depth; or beside it, with its distance in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Nearness {
    Under(f64),
    Beside(f64),
}

impl Pointed {
    fn new(rows: usize, dims: usize) -> Self {
        let mut seed = SplitMix64::new((rows * 3 + dims) as u64);
        let dimensions = if dims == 3 { Dimensions::Three } else { Dimensions::Two };
        let corners = [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]];
        let mut scene = Scene::new(corners.into(), [].into(), vec![], AxisScale::Uniform, dimensions, MAP.aspect());
        scene.camera.half_height *= 0.5;
        let cursors: Vec<Vec2> = (0..3).map(|_| Vec2::new(seed.next_f32() * MAP.width, seed.next_f32() * MAP.height)).collect();
        // Discs are as large as those of so many rows.
        scene.positions = vec![[0.0; 3]; rows].into();
        let aims: Vec<(Vec2, Aim)> = cursors.into_iter().map(|cursor| (cursor, Aim::new(&scene, MAP, cursor, RADIUS))).collect();
        let mut made = Self { scene, aims };
        let mut positions: Vec<[f32; 3]> = Vec::new();
        while positions.len() < rows {
            let z = if dims == 3 { seed.next_normal() } else { 0.0 };
            let mut position = [0.5 * seed.next_normal(), 0.5 * seed.next_normal(), z];
            match positions.len() % 50 {
                7 => position[0] = f32::NAN,
                11 => position[1] = f32::INFINITY,
                // Behind the eye.
                13 if dims == 3 => position = [0.0, 0.0, 40.0],
                17 | 33 => position = positions[positions.len() / 2],
                _ => {}
            }
            if made.aims.iter().all(|(cursor, aim)| made.is_clear(*cursor, aim, position)) {
                positions.push(position);
            }
        }
        made.scene.positions = positions.into();
        made
    }

    /// Distance in pixels and depth of what is drawn.
    fn place(&self, cursor: Vec2, position: [f32; 3]) -> Option<(f64, f64)> {
        let ClipFromLayout { anchor, matrix } = self.scene.clip_from_layout(MAP.aspect());
        let clip = matrix.to_cols_array().map(f64::from);
        let [x, y, z]: [f64; 3] = std::array::from_fn(|axis| f64::from(position[axis]) - f64::from(anchor[axis]));
        let of = |row: usize| clip[row] * x + clip[4 + row] * y + clip[8 + row] * z + clip[12 + row];
        let (depth, size) = (of(3), [f64::from(MAP.width), f64::from(MAP.height)]);
        let across = (of(0) / depth * 0.5 + 0.5) * size[0] - f64::from(cursor.x);
        let down = (0.5 - of(1) / depth * 0.5) * size[1] - f64::from(cursor.y);
        let is_seen = of(2) >= 0.0 && of(2) <= depth && depth > 1e-5;
        (is_seen && across.is_finite() && down.is_finite()).then(|| (across.hypot(down), depth))
    }

    fn disc(aim: &Aim, depth: f64) -> f64 {
        f64::from(aim.disc) * (f64::from(aim.fitted) / depth).clamp(0.4, 3.0)
    }

    fn is_clear(&self, cursor: Vec2, aim: &Aim, position: [f32; 3]) -> bool {
        self.place(cursor, position).is_none_or(|(distance, depth)| {
            [Self::disc(aim, depth), f64::from(RADIUS)].into_iter().all(|border| (distance - border).abs() > 2.0 * PIXEL)
        })
    }

    fn nearness(&self, cursor: Vec2, aim: &Aim, row: usize) -> Option<Nearness> {
        let (distance, depth) = self.place(cursor, self.scene.positions[row])?;
        if aim.disc > 0.0 && distance <= Self::disc(aim, depth) {
            return Some(Nearness::Under(depth));
        }
        (distance <= f64::from(RADIUS)).then_some(Nearness::Beside(distance))
    }

    /// Whether a row is the nearest of some, by the rule; with a mistake, the next nearest is taken for it.
    fn judge(&self, (cursor, aim): &(Vec2, Aim), rows: std::ops::Range<usize>, found: Option<usize>, mistake: bool) -> Result<(), String> {
        let order = |nearness: &Nearness| match *nearness {
            Nearness::Under(depth) => (0, depth),
            Nearness::Beside(distance) => (1, distance),
        };
        let mut near: Vec<_> =
            rows.clone().filter_map(|row| self.nearness(*cursor, aim, row).map(|nearness| (order(&nearness), row))).collect();
        near.sort_by(|one, other| one.partial_cmp(other).unwrap());
        let skipped = if mistake { near.iter().position(|(order, _)| *order != near[0].0).unwrap_or(near.len()) } else { 0 };
        let expected = near.get(skipped).map(|&((class, value), row)| (class, value, row));
        let (Some(found), Some((class, value, row))) = (found, expected) else {
            return same("rows found", &[found], &[expected.map(|(_, _, row)| row)]);
        };
        let (found_class, found_value) =
            self.nearness(*cursor, aim, found).map(|nearness| order(&nearness)).ok_or_else(|| format!("row {found} is not near"))?;
        let slack = if class == 0 { 1e-5 * value } else { PIXEL };
        let earlier = rows.take_while(|&row| row < found).find(|&row| self.scene.positions[row] == self.scene.positions[found]);
        if found_class != class || (found_value - value).abs() > slack {
            return Err(format!("row {found} ({found_class}, {found_value}), not {row} ({class}, {value})"));
        }
        earlier.map_or(Ok(()), |earlier| Err(format!("row {found}, not {earlier}, which is at the same place")))
    }
}

/// The nearest of each run, from the shader and from the CPU's threads.
pub fn rows(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let pointed = Pointed::new(rows, dims);
    let positions = &pointed.scene.positions;
    let runs = rows.div_ceil(RUN);
    let axis = |axis: usize| bits(positions.iter().map(|position| position[axis]));
    for at in &pointed.aims {
        let params = PickParams::new(&at.1, rows);
        let data = [axis(0), axis(1), axis(2), vec![7; 2 * runs]];
        let found = run(&kernels::ROWS, [bytemuck::bytes_of(&params), &[]], &data, runs);
        for run in 0..runs {
            let row = (found[0][2 * run] != NO_KEY).then(|| found[0][2 * run + 1] as usize);
            pointed.judge(at, run * RUN..((run + 1) * RUN).min(rows), row, mistake)?;
        }
        let on_threads = scan(&at.1, positions);
        same("the threads' row", &[on_threads], &[nearest_on_screen(&at.1, positions)])?;
        pointed.judge(at, 0..rows, on_threads.map(|segment| segment.0 as usize), mistake)?;
    }
    Ok(())
}

/// The least of candidates, many of which are equal.
fn first(count: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let mut seed = SplitMix64::new((count + dims) as u64);
    let candidates: Vec<[u32; 2]> =
        (0..count as u32).map(|at| if at % 3 == 2 { [NO_KEY; 2] } else { [seed.next_below(5) as u32 + 9, 4096 * at + 5] }).collect();
    let mut expected = candidates.iter().min().copied().unwrap_or([NO_KEY; 2]);
    expected[1] = expected[1].wrapping_add(u32::from(mistake));
    let params = PickParams { candidates: count as u32, ..PickParams::default() };
    let data = [candidates.as_flattened().to_vec(), vec![7; 2]];
    let found = run(&kernels::FIRST, [bytemuck::bytes_of(&params), &[]], &data, 1);
    same("the nearest", &found[0], &expected)
}

/// Both kernels, as the program runs them.
pub fn whole(rows: usize, dims: usize) -> Result<(), String> {
    let pointed = Pointed::new(rows, dims);
    let positions = PositionBuffer::from_positions(gpu(), &pointed.scene.positions).unwrap();
    let mut pick = GpuPick::new(gpu()).unwrap();
    for (number, at) in (1..).zip(&pointed.aims) {
        pick.begin(gpu(), &positions, at.1, number).unwrap();
        let (told, found) = wait_for(&mut pick, &positions);
        same("the pick's number", &[told], &[number])?;
        pointed.judge(at, 0..rows, found.map(|segment| segment.0 as usize), false)?;
    }
    Ok(())
}

fn wait_for(pick: &mut GpuPick, positions: &PositionBuffer) -> (u64, Option<SegmentId>) {
    for _ in 0..600 {
        if let Some(picked) = pick.take(gpu(), positions, Duration::from_millis(100)).unwrap() {
            return picked;
        }
    }
    panic!("a pick does not come");
}

/// The GPU's positions count, not the scene's; of pointers that come while a pick is on its way, only the newest is picked.
pub fn moved_positions_and_newest_pointer() {
    let pointed = Pointed::new(300, 2);
    let positions = PositionBuffer::from_positions(gpu(), &pointed.scene.positions).unwrap();
    let mut pick = GpuPick::new(gpu()).unwrap();
    let aim = pointed.aims[0].1;
    let mut moved = pointed.scene.positions.to_vec();
    moved.rotate_right(100);
    for written in [pointed.scene.positions.to_vec(), moved] {
        positions.write(gpu(), &written).unwrap();
        pick.begin(gpu(), &positions, aim, 1).unwrap();
        let expected = nearest_on_screen(&aim, &written);
        assert!(expected.is_some());
        assert_eq!(wait_for(&mut pick, &positions), (1, expected));
    }
    for number in 2..6 {
        pick.begin(gpu(), &positions, aim, number).unwrap();
    }
    assert_eq!([wait_for(&mut pick, &positions).0, wait_for(&mut pick, &positions).0], [2, 5]);
    assert!(!pick.is_busy());
}
