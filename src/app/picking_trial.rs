//! A trial of picking: pointers over a made-up plane and a made-up space, measured one by one, and each answer held against all rows.

use std::time::{Duration, Instant};

use glam::Vec2;
use rayon::prelude::*;

use super::drawing_trial::normal_scene;
use super::error::AppError;
use crate::catalog::SegmentId;
use crate::gpu::{GpuContext, GpuError, PositionBuffer};
use crate::render::pick::GpuPick;
use crate::scene::pick::{Aim, PickTree, scan};
use crate::scene::{Dimensions, MapSize, Scene, ViewKind};
use crate::seed::SplitMix64;

/// The map, in UI points, and the radius around the pointer: what the window has of a map of many rows.
const MAP: MapSize = MapSize { width: 1920.0, height: 1080.0 };
const RADIUS: f32 = 7.0;
/// How near the camera comes, as multiples of the view from -4 to 4; each has its share of the pointers.
const NEARNESSES: [f32; 4] = [0.1, 1.0, 8.0, 64.0];
/// Rows of which a place on screen is computed together.
const BLOCK: usize = 4096;
/// What two engines may differ by, in the map's unit: rounding decides which of two rows this near to each other is found.
const TIE: f32 = 1e-3;
/// How long a pick may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What picks in the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickEngine {
    /// The CPU's threads.
    Cpu,
    /// Compute shaders.
    Gpu,
}

/// How many points and pointers.
#[derive(Clone, Copy, Debug)]
pub struct PickingTrial {
    /// Points of a unit normal distribution.
    pub points: usize,
    /// Pointers over the plane, and as many over the space; half of them on points.
    pub pointers: usize,
    /// What picks in the space.
    pub engine: PickEngine,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct PickingTimes {
    /// Time to sort the plane, in milliseconds.
    pub sort_ms: f64,
    /// Each pointer's time over the plane that stands still, in microseconds.
    pub settled_2d_us: Vec<f64>,
    /// Each pointer's time over the space, in milliseconds.
    pub moving_3d_ms: Vec<f64>,
    /// Pointers under which something was found.
    pub found: usize,
    /// Answers that were held against all rows.
    pub checked: usize,
    /// Those that all rows contradict.
    pub wrong: usize,
}

impl PickingTrial {
    /// Picks and measures.
    ///
    /// # Errors
    /// What the device failed of.
    pub fn run(&self, context: &GpuContext) -> Result<PickingTimes, AppError> {
        let mut times = PickingTimes::default();
        let mut plane = normal_scene(self.points, Dimensions::Two, ViewKind::Segments, MAP.aspect());
        let started = Instant::now();
        let tree = PickTree::new(&plane.positions);
        times.sort_ms = ms_since(started);
        self.measure(&mut plane, &mut times, |scene, aim, times| {
            let started = Instant::now();
            let found = tree.nearest(aim, &scene.positions);
            times.settled_2d_us.push(ms_since(started) * 1e3);
            Ok(found)
        })?;
        drop((plane, tree));
        let mut space = normal_scene(self.points, Dimensions::Three, ViewKind::Segments, MAP.aspect());
        let mut gpu = match self.engine {
            PickEngine::Gpu => Some((GpuPick::new(context)?, PositionBuffer::from_positions(context, &space.positions)?)),
            PickEngine::Cpu => None,
        };
        self.measure(&mut space, &mut times, |scene, aim, times| {
            let started = Instant::now();
            let found = match &mut gpu {
                None => scan(aim, &scene.positions),
                Some((pick, positions)) => {
                    pick.begin(context, positions, *aim, 1)?;
                    let taken = pick.take(context, positions, PATIENCE)?;
                    let late = || GpuError::Lost { what: "picking".to_owned(), message: "no answer in a minute".to_owned() };
                    taken.ok_or_else(late)?.1
                }
            };
            times.moving_3d_ms.push(ms_since(started));
            Ok(found)
        })?;
        Ok(times)
    }

    /// Lets `pick` answer for every pointer, from each nearness, and checks the answers.
    fn measure(
        &self,
        scene: &mut Scene,
        times: &mut PickingTimes,
        mut pick: impl FnMut(&Scene, &Aim, &mut PickingTimes) -> Result<Option<SegmentId>, AppError>,
    ) -> Result<(), AppError> {
        let fitted = scene.camera;
        let mut seed = SplitMix64::new(1);
        for (turn, nearness) in NEARNESSES.into_iter().enumerate() {
            scene.camera = fitted;
            scene.camera.azimuth += turn as f32;
            scene.camera.zoom(nearness, Vec2::ZERO, MAP.aspect());
            let share = |turn: usize| self.pointers * turn / NEARNESSES.len();
            let aims: Vec<(Vec2, Aim)> = (share(turn)..share(turn + 1))
                .map(|number| {
                    let random = Vec2::new(seed.next_f32() * MAP.width, seed.next_f32() * MAP.height);
                    let segment = SegmentId(seed.next_below(self.points.max(1) as u64) as u32);
                    let on_point = scene.screen_of(segment, MAP).filter(|_| number % 2 == 0);
                    let cursor = on_point.unwrap_or(random);
                    (cursor, Aim::new(scene, MAP, cursor, RADIUS))
                })
                .collect();
            let mut answers = Vec::with_capacity(aims.len());
            for (_, aim) in &aims {
                answers.push(pick(scene, aim, times)?);
            }
            let expected = all_rows(scene, &aims);
            times.found += answers.iter().flatten().count();
            times.checked += answers.len();
            let pairs = answers.iter().zip(expected).zip(&aims);
            times.wrong += pairs.filter(|((answer, expected), (_, aim))| !agree(scene, aim, **answer, *expected)).count();
        }
        Ok(())
    }
}

/// The same row, or one that rounding cannot tell from it.
fn agree(scene: &Scene, aim: &Aim, answer: Option<SegmentId>, expected: Option<SegmentId>) -> bool {
    let measure = |segment: Option<SegmentId>| {
        let position = *scene.positions.get(segment?.0 as usize)?;
        Some((aim.distance(position), aim.forms(position)[2]))
    };
    let border = aim.radius2.sqrt();
    match (measure(answer), measure(expected)) {
        _ if answer == expected => true,
        (Some(one), Some(other)) => (one.0 - other.0).abs() <= TIE || (aim.disc > 0.0 && (one.1 - other.1).abs() <= 1e-5 * other.1),
        // One that lies on the radius itself.
        (Some((distance, _)), None) | (None, Some((distance, _))) => (distance - border).abs() <= TIE,
        (None, None) => true,
    }
}

/// Brute force: every row against every pointer. A row's place on screen is computed once, by the camera; of the few rows that are within the
/// radius and a bit more of a pointer the keys are compared. What is far is left out by a comparison that rounding cannot turn.
fn all_rows(scene: &Scene, aims: &[(Vec2, Aim)]) -> Vec<Option<SegmentId>> {
    let reach = RADIUS + 0.5;
    let none = || vec![(u32::MAX, u32::MAX); aims.len()];
    let clip_from_layout = scene.clip_from_layout(MAP.aspect());
    let block = |(block, positions): (usize, &[[f32; 3]])| {
        let mut places = [[f32::NAN; BLOCK], [f32::NAN; BLOCK]];
        for (row, &position) in positions.iter().enumerate() {
            let clip = clip_from_layout.clip_of(glam::Vec3::from(position));
            places[0][row] = (clip.x / clip.w + 1.0) * 0.5 * MAP.width;
            places[1][row] = (1.0 - clip.y / clip.w) * 0.5 * MAP.height;
        }
        let mut least = Vec::new();
        for (pointer, (cursor, aim)) in aims.iter().enumerate() {
            let is_near = |x: f32, y: f32| ((x - cursor.x).abs() <= reach) & ((y - cursor.y).abs() <= reach);
            for (group, (xs, ys)) in places[0].chunks_exact(64).zip(places[1].chunks_exact(64)).enumerate() {
                if !xs.iter().zip(ys).fold(false, |is_any, (&x, &y)| is_any | is_near(x, y)) {
                    continue;
                }
                for (row, &position) in positions.iter().enumerate().skip(group * 64).take(64) {
                    let key = aim.key(position);
                    if key != u32::MAX {
                        least.push((pointer, (key, (block * BLOCK + row) as u32)));
                    }
                }
            }
        }
        least
    };
    let blocks = scene.positions.par_chunks(BLOCK).enumerate().map(block);
    let least = blocks.fold(none, |mut least: Vec<(u32, u32)>, found: Vec<(usize, (u32, u32))>| {
        found.into_iter().for_each(|(pointer, found)| least[pointer] = least[pointer].min(found));
        least
    });
    let least = least.reduce(none, |one, other| one.into_iter().zip(other).map(|(one, other)| one.min(other)).collect());
    least.into_iter().map(|(key, row)| (key != u32::MAX).then_some(SegmentId(row))).collect()
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::AdapterChoice;
    use crate::scene::pick::nearest_on_screen;

    #[test]
    fn every_engine_is_right_and_a_wrong_answer_is_noticed() {
        let context = GpuContext::headless(AdapterChoice::Software).unwrap();
        for engine in [PickEngine::Cpu, PickEngine::Gpu] {
            let trial = PickingTrial { points: 20_000, pointers: 80, engine };
            let times = trial.run(&context).unwrap();
            assert_eq!((times.wrong, times.checked), (0, 160), "{engine:?}");
            assert!(times.found > 80 && times.settled_2d_us.len() == 80 && times.moving_3d_ms.len() == 80, "{}", times.found);
        }
        let trial = PickingTrial { points: 20_000, pointers: 80, engine: PickEngine::Cpu };
        let mut times = PickingTimes::default();
        let mut scene = normal_scene(20_000, Dimensions::Two, ViewKind::Segments, MAP.aspect());
        trial
            .measure(&mut scene, &mut times, |scene, aim, _| {
                Ok(nearest_on_screen(aim, &scene.positions).map(|segment| SegmentId(segment.0 ^ 1)))
            })
            .unwrap();
        assert!(times.wrong > 40, "{}", times.wrong);
    }
}
