//! Large collections from near: the rows in view are marks again, and those that are chosen always are.

use std::sync::Arc;

use glam::{DVec3, Vec3};
use tagscape::catalog::{SegmentId, TrackId, TrackRows};
use tagscape::gpu::{PositionBuffer, readback};
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, ViewTarget};
use tagscape::scene::coloring::{Classes, Values};
use tagscape::scene::{AxisScale, ChosenRows, Coloring, Dimensions, MapSize, Scene, ViewKind};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;

const SIZE: [u32; 2] = [320, 240];
const MAP: MapSize = MapSize { width: 320.0, height: 240.0 };
/// From 100,000 on segments are counted on a CPU adapter; a quarter of that are marks.
const ROWS: usize = 200_000;

/// Rows all over a square, in tracks of two.
fn scattered(rows: usize, view: ViewKind, dimensions: Dimensions) -> Scene {
    let mut seed = SplitMix64::new(17);
    let mut unit = || 2.0 * (seed.next_u64() >> 40) as f32 / (1u32 << 24) as f32 - 1.0;
    let deep = f32::from(u8::from(dimensions == Dimensions::Three));
    let positions: Vec<[f32; 3]> = (0..rows).map(|_| [unit(), unit(), deep * unit()]).collect();
    of(positions, 2, view, dimensions)
}

fn of(positions: Vec<[f32; 3]>, length: usize, view: ViewKind, dimensions: Dimensions) -> Scene {
    // What is left over at the end are tracks of one row.
    let whole = positions.len() / length * length;
    let starts = (0..whole).step_by(length).map(|first_row| (first_row, length)).chain((whole..positions.len()).map(|row| (row, 1)));
    let tracks: Vec<TrackRows> =
        (1..).zip(starts).map(|(track, (first_row, row_count))| TrackRows { track: TrackId(track), first_row, row_count }).collect();
    let mut scene = Scene::new(positions.into(), tracks.into(), Vec::new(), AxisScale::Uniform, dimensions, MAP.aspect());
    scene.view = view;
    scene
}

struct Map {
    renderer: MapRenderer,
    target: ViewTarget,
}

impl Map {
    fn of(scene: &Scene) -> Self {
        let context = gpu();
        let mut renderer = MapRenderer::new(context).unwrap();
        let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
        renderer.show(context, MapBuffers::new(context, scene, positions).unwrap());
        Self { renderer, target: ViewTarget::new(context, SIZE, scene.camera.dimensions).unwrap() }
    }

    /// Premultiplied RGBA, and whether rows were counted.
    fn draw(&mut self, scene: &Scene) -> (Vec<u8>, bool) {
        let context = gpu();
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let options = DrawOptions { pixels_per_point: 1.0 };
        assert_eq!(self.renderer.encode(context, &mut encoder, scene, &self.target, options).unwrap(), scene.positions.len());
        context.queue.submit([encoder.finish()]);
        let rgba = readback::read_texture(context, &self.target.color).unwrap();
        assert_eq!(context.errors.take(), Vec::<String>::new());
        (rgba, self.renderer.splatted(context).unwrap().is_some())
    }
}

/// Rows in the picture, and a disc's room around it.
fn in_view(scene: &Scene) -> [usize; 2] {
    let within = |margin: f32| {
        let inside = |row: &u32| {
            let place = scene.screen_of(SegmentId(*row), MAP);
            place.is_some_and(|at| at.x > -margin && at.y > -margin && at.x < MAP.width + margin && at.y < MAP.height + margin)
        };
        (0..scene.positions.len() as u32).filter(inside).count()
    };
    [within(15.0), within(17.0)]
}

fn lit(rgba: &[u8], least: u8) -> usize {
    rgba.chunks_exact(4).filter(|pixel| pixel[3] > least).count()
}

#[test]
fn marks_come_back_from_near_and_go_again_only_when_many_more_are_in_view() {
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = scattered(ROWS, ViewKind::Segments, dimensions);
        let mut map = Map::of(&scene);
        let fitted = scene.camera.half_height;
        let mut at = |scene: &mut Scene, part: f32| {
            scene.camera.half_height = fitted * part;
            let (rgba, is_splat) = map.draw(scene);
            let [least, most] = in_view(scene);
            let counted = map.renderer.in_view().unwrap();
            assert!((least..=most).contains(&counted), "{dimensions:?}, {part}: {counted} in view, not {least} to {most}");
            (rgba, is_splat, counted)
        };
        let (_, from_afar, all) = at(&mut scene, 1.0);
        assert!(from_afar && all > ROWS * 9 / 10, "{all}");
        // Nearer and nearer, until there are so few that they are marks.
        let nearer: Vec<(bool, usize)> =
            (0..12).map(|step| at(&mut scene, 0.8f32.powi(step))).map(|(_, splat, count)| (splat, count)).collect();
        assert!(nearer.iter().all(|&(is_splat, count)| is_splat == (count > 25_000)), "{dimensions:?}: {nearer:?}");
        let (rgba, is_splat, counted) = at(&mut scene, 0.02);
        assert!(!is_splat && counted > 20, "{dimensions:?}: {counted}");
        // Each is a disc, of twelve pixels at least.
        assert!(lit(&rgba, 60) > 6 * counted.min(2000), "{dimensions:?}: {} pixels of {counted} rows", lit(&rgba, 60));
        // And away again: twice as many until they are counted.
        let away: Vec<(bool, usize)> =
            (0..18).map(|step| at(&mut scene, 0.02 * 1.25f32.powi(step))).map(|(_, splat, count)| (splat, count)).collect();
        assert!(away.iter().all(|&(is_splat, count)| is_splat == (count > 50_000)), "{dimensions:?}: {away:?}");
        assert!(away.iter().any(|&(_, count)| count > 60_000) && away.iter().any(|&(_, count)| (25_000..50_000).contains(&count)));
    }
}

#[test]
fn marks_from_near_are_those_of_a_small_collection() {
    // The rows in view by themselves, with two far ones that make the map as large.
    let mut large = scattered(ROWS, ViewKind::Segments, Dimensions::Two);
    large.camera.half_height *= 0.1;
    let near: Vec<u32> = (0..ROWS as u32)
        .filter(|&row| {
            let at = large.screen_of(SegmentId(row), MAP).unwrap();
            at.x > -16.0 && at.y > -16.0 && at.x < MAP.width + 16.0 && at.y < MAP.height + 16.0
        })
        .collect();
    assert!(near.len() > 1000, "{}", near.len());
    let classes: Vec<i64> = (0..ROWS as i64).map(|row| row % 5).collect();
    let color = |scene: &mut Scene, classes: &[i64]| {
        scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Classes(Classes::of_rows(classes)) }));
    };
    color(&mut large, &classes);
    let bounds = large.bounds;
    let corners = [bounds.min.to_array(), bounds.max.to_array()];
    let mut small =
        of(near.iter().map(|&row| large.positions[row as usize]).chain(corners).collect(), 1, ViewKind::Segments, Dimensions::Two);
    small.camera = large.camera;
    // As many classes in the same order of sizes.
    let mut of_small: Vec<i64> = near.iter().map(|&row| classes[row as usize]).collect();
    of_small.extend([-1, -1]);
    color(&mut small, &of_small);
    small.colors.slots = large.colors.slots.clone();
    small.colors.of_rows = near.iter().map(|&row| large.colors.of_rows[row as usize]).chain([0x05ff_ffff; 2]).collect();
    let ((one, _), (other, _)) = (Map::of(&large).draw(&large), Map::of(&small).draw(&small));
    let differ = one.iter().zip(&other).filter(|(a, b)| a.abs_diff(**b) > 24).count();
    assert!(lit(&one, 60) > 500 && differ < one.len() / 100, "{differ} bytes of {} lit pixels", lit(&one, 60));
}

#[test]
fn few_chosen_of_very_many_are_marks_over_all_others() {
    for (view, dimensions) in
        [(ViewKind::Segments, Dimensions::Two), (ViewKind::Segments, Dimensions::Three), (ViewKind::Trajectories, Dimensions::Two)]
    {
        let mut scene = scattered(ROWS, view, dimensions);
        let classes: Vec<i64> = (0..ROWS as i64).map(|row| i64::from(row % 1000 == 7)).collect();
        scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Classes(Classes::of_rows(&classes)) }));
        let rows: Vec<u32> = (0..43).map(|at| at * 4000 + 7).collect();
        scene.choose(Some(Arc::new(ChosenRows::of(ROWS, |row| rows.contains(&(row as u32))))));
        let (rgba, _) = Map::of(&scene).draw(&scene);
        let own = scene.color_of(SegmentId(7)).0;
        let seen = rows.iter().filter(|&&row| {
            let at = scene.screen_of(SegmentId(row), MAP).unwrap();
            // The disc's middle and the pixels beside it.
            (-1i32..=0).all(|dx| {
                let (x, y) = ((at.x + dx as f32 * 0.9).clamp(0.0, 319.0) as usize, at.y.clamp(0.0, 239.0) as usize);
                let pixel = &rgba[4 * (y * 320 + x)..][..4];
                let off = (0..3).map(|at| (f32::from(pixel[at]) - f32::from(own[at])).abs()).fold(0.0, f32::max);
                off < 90.0 && pixel[3] > 150
            })
        });
        let seen = seen.count();
        assert!(seen >= 38, "{view} in {dimensions:?}: {seen} of 43 are seen");
    }
}

#[test]
fn lines_from_near_are_those_that_cross_the_picture_and_no_others() {
    // One track whose rows 10 and 11 lie on both sides of the view, and are not in it; one whose rows in view do not follow one another.
    let far = |row: usize| [(row as f32 * 0.37).sin(), 0.9 + 0.05 * (row as f32).cos(), 0.0];
    let mut positions: Vec<[f32; 3]> = (0..60_000).map(far).collect();
    positions[10] = [-0.5, 0.002, 0.0];
    positions[11] = [0.5, 0.002, 0.0];
    positions.extend([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]);
    let mut scene = of(positions, 20, ViewKind::Trajectories, Dimensions::Two);
    scene.camera.target = DVec3::ZERO;
    scene.camera.half_height *= 0.02;
    let at = |x: f32, y: f32| {
        let place = scene.screen_from_layout(Vec3::new(x, y, 0.0), MAP).unwrap();
        (place.x as usize, place.y as usize)
    };
    let ((left, y), (right, _), (_, below)) = (at(-0.01, 0.002), at(0.01, 0.002), at(0.0, -0.01));
    let (rgba, _) = Map::of(&scene).draw(&scene);
    let alpha = |x: usize, y: usize| rgba[4 * (y * 320 + x) + 3];
    assert!((left..right).all(|x| alpha(x, y).max(alpha(x, y + 1)).max(alpha(x, y - 1)) > 60), "the line is broken");
    assert!((left..right).all(|x| alpha(x, below) == 0), "a line where none is");
}
