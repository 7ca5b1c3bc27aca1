//! Splats of whole scenes on both engines: every row is in, whatever their order.

use std::sync::Arc;

use tagscape::app::drawing_trial::{DrawingTrial, normal_scene};
use tagscape::catalog::{SegmentId, TrackId, TrackRows};
use tagscape::gpu::{AdapterChoice, GpuContext, PositionBuffer, readback};
use tagscape::render::splat::SplatKind;
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, SplatEngine, ViewTarget, splat};
use tagscape::scene::coloring::{Column, Measure, Numbers, Values};
use tagscape::scene::{Coloring, Dimensions, Scene, Theme, ViewKind};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;

const SIZE: [u32; 2] = [320, 240];
const ENGINES: [SplatEngine; 2] = [SplatEngine::Gpu, SplatEngine::Cpu];

/// The picture, and how many rows its cells add up to.
fn draw(scene: &Scene, engine: SplatEngine) -> (Vec<u8>, Option<usize>) {
    let context = gpu();
    let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
    let mut renderer = MapRenderer::new(context).unwrap();
    renderer.set_engine(engine);
    renderer.show(context, MapBuffers::new(context, scene, positions).unwrap());
    let target = ViewTarget::new(context, SIZE, scene.camera.dimensions).unwrap();
    let mut encoder = context.device.create_command_encoder(&Default::default());
    renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
    context.queue.submit([encoder.finish()]);
    let rgba = readback::read_texture(context, &target.color).unwrap();
    assert_eq!(context.errors.take(), Vec::<String>::new());
    (rgba, renderer.splatted(context).unwrap())
}

fn aspect() -> f32 {
    SIZE[0] as f32 / SIZE[1] as f32
}

/// Bytes that differ by more than one.
fn differing(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a.abs_diff(**b) > 1).count()
}

#[test]
fn all_of_a_million_points_are_in_the_cells_and_both_engines_draw_one_picture() {
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = normal_scene(1_000_000, dimensions, ViewKind::Density, aspect());
        for view in [ViewKind::Density, ViewKind::Segments] {
            scene.view = view;
            let pictures = ENGINES.map(|engine| {
                let (rgba, drawn) = draw(&scene, engine);
                assert_eq!(drawn, Some(1_000_000), "{view} in {dimensions:?} by {engine:?}");
                rgba
            });
            assert!(pictures[0].chunks_exact(4).filter(|pixel| pixel[3] > 0).count() > 8_000);
            // A row on a pixel's border may fall to either side of it.
            let differ = differing(&pictures[0], &pictures[1]);
            assert!(differ < pictures[0].len() / 200, "{view} in {dimensions:?}: {differ} bytes differ");
        }
    }
}

#[test]
fn a_splat_does_not_depend_on_the_order_of_rows() {
    let mut seed = SplitMix64::new(3);
    let rows = 250_000;
    let forward: Vec<[f32; 3]> = (0..rows).map(|_| [seed.next_normal(), seed.next_normal(), seed.next_normal()]).collect();
    let backward: Vec<[f32; 3]> = forward.iter().rev().copied().collect();
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        for view in [ViewKind::Density, ViewKind::Segments] {
            let made = |positions: &[[f32; 3]], lengths: [usize; 2]| {
                let mut scene = normal_scene(2, dimensions, view, aspect());
                scene.positions = positions.into();
                // The larger track has the first colour in both.
                let first =
                    TrackRows { track: TrackId(1), first_row: if lengths[0] < lengths[1] { 0 } else { lengths[0] }, row_count: 50_000 };
                let second =
                    TrackRows { track: TrackId(2), first_row: if lengths[0] < lengths[1] { 50_000 } else { 0 }, row_count: 200_000 };
                scene.track_rows = Arc::new([first, second]);
                scene.color_by_track();
                scene
            };
            for engine in ENGINES {
                let pictures = [made(&forward, [50_000, 200_000]), made(&backward, [200_000, 50_000])].map(|scene| draw(&scene, engine));
                assert!(pictures[0] == pictures[1], "{view} in {dimensions:?} by {engine:?}: the order shows");
            }
        }
    }
}

#[test]
fn a_splat_has_the_colours_that_rows_have_and_follows_them() {
    let context = gpu();
    let mut scene = normal_scene(300_000, Dimensions::Two, ViewKind::Segments, aspect());
    let middle = (SIZE[1] / 2 * SIZE[0] + SIZE[0] / 2) as usize * 4;
    for engine in ENGINES {
        let mut renderer = MapRenderer::new(context).unwrap();
        renderer.set_engine(engine);
        let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
        renderer.show(context, MapBuffers::new(context, &scene, positions).unwrap());
        let target = ViewTarget::new(context, SIZE, Dimensions::Two).unwrap();
        // All rows low on a scale, all high, and none of them a number: one colour each, whatever rows a pixel has.
        for value in [0.0, 1.0, f32::NAN] {
            let of = Column::Rows(vec![value; scene.positions.len()]);
            let numbers = Numbers { of, low: 0.0, high: 1.0, beyond: [false; 2], has_unknown: false, measure: Measure::Plain, offset: 0.0 };
            scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Numbers(numbers) }));
            let mut encoder = context.device.create_command_encoder(&Default::default());
            renderer.encode(context, &mut encoder, &scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
            context.queue.submit([encoder.finish()]);
            let rgba = readback::read_texture(context, &target.color).unwrap();
            let alpha = f32::from(rgba[middle + 3]);
            assert!(alpha > 100.0, "{engine:?}: alpha {alpha}");
            let expected = scene.color_of(SegmentId(0)).0;
            for (channel, expected) in rgba[middle..].iter().zip(expected) {
                let found = f32::from(*channel) * 255.0 / alpha;
                assert!((found - f32::from(expected)).abs() < 6.0, "{engine:?}, {value}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn positions_that_are_no_numbers_are_counted_and_nowhere_to_be_seen() {
    let good = normal_scene(1000, Dimensions::Two, ViewKind::Density, aspect());
    let mut odd = good.clone();
    let strange =
        [[f32::NAN, 0.0, 0.0], [0.0, f32::INFINITY, 0.0], [f32::NEG_INFINITY, f32::NAN, 0.0], [1e30, 0.0, 0.0], [0.0, -3e38, 0.0]];
    odd.positions = good.positions.iter().copied().chain(strange).collect();
    for engine in ENGINES {
        let ((plain, _), (with_odd, drawn)) = (draw(&good, engine), draw(&odd, engine));
        assert!(plain == with_odd, "{engine:?}");
        assert_eq!(drawn, Some(1005));
    }
}

#[test]
fn a_density_stands_out_where_most_points_are_in_either_theme() {
    let mut scene = normal_scene(300_000, Dimensions::Two, ViewKind::Density, aspect());
    for theme in [Theme::Dark, Theme::Light] {
        scene.set_theme(theme);
        for engine in ENGINES {
            let (rgba, _) = draw(&scene, engine);
            let ground = theme.background().0;
            // How far a pixel's colour over the ground is from the ground.
            let stands_out = |x: usize, y: usize| -> f32 {
                let pixel = &rgba[(y * SIZE[0] as usize + x) * 4..][..4];
                let through = 1.0 - f32::from(pixel[3]) / 255.0;
                (0..3).map(|at| (f32::from(pixel[at]) + f32::from(ground[at]) * through - f32::from(ground[at])).abs()).sum()
            };
            let mean = |radius: f32| {
                (0..32)
                    .map(|turn| (turn as f32 * 0.196).sin_cos())
                    .map(|(sin, cos)| stands_out((160.0 + radius * cos) as usize, (120.0 + radius * sin) as usize))
                    .sum::<f32>()
                    / 32.0
            };
            let [middle, halfway, border] = [3.0, 45.0, 110.0].map(mean);
            assert!(middle > halfway * 1.15 && halfway > border * 1.5, "{theme:?} by {engine:?}: {middle} {halfway} {border}");
        }
    }
}

#[test]
fn a_density_of_few_points_is_smooth_and_both_engines_and_a_nearer_eye_see_the_same() {
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = normal_scene(3000, dimensions, ViewKind::Density, aspect());
        let mut lit = Vec::new();
        for nearer in [1.0, 1.7, 40.0] {
            scene.camera.half_height /= nearer;
            let pictures = ENGINES.map(|engine| draw(&scene, engine));
            assert!(pictures.iter().all(|(_, drawn)| *drawn == Some(3000)));
            let [(gpu, _), (cpu, _)] = &pictures;
            let differ = differing(gpu, cpu);
            assert!(differ < gpu.len() / 100, "{dimensions:?}, {nearer} times nearer: {differ} bytes differ");
            lit.push(gpu.chunks_exact(4).filter(|pixel| pixel[3] > 0).count());
            // From pixel to pixel a colour changes little.
            let jumps = gpu.chunks_exact(4).zip(gpu[4..].chunks_exact(4)).filter(|(a, b)| a[3].abs_diff(b[3]) > 60).count();
            assert!(jumps < 1500, "{dimensions:?}, {nearer} times nearer: {jumps} jumps");
        }
        // Pixels lit by discs of a pixel would be 3,000 at most.
        assert!(lit[0] > 8000 && lit[1] > lit[0], "{lit:?}");
    }
}

#[test]
fn a_still_picture_under_a_budget_goes_on_until_all_rows_are_in_and_is_then_the_whole_one() {
    let context = gpu();
    let mut scene = normal_scene(300_000, Dimensions::Two, ViewKind::Density, aspect());
    for view in [ViewKind::Density, ViewKind::Segments] {
        scene.view = view;
        for engine in ENGINES {
            let (whole, _) = draw(&scene, engine);
            let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
            let mut renderer = MapRenderer::new(context).unwrap();
            renderer.set_engine(engine);
            renderer.set_budget(Some(1e-3));
            renderer.show(context, MapBuffers::new(context, &scene, positions).unwrap());
            let target = ViewTarget::new(context, SIZE, Dimensions::Two).unwrap();
            let mut draw_frame = |scene: &Scene| {
                let mut encoder = context.device.create_command_encoder(&Default::default());
                let drawn = renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
                context.queue.submit([encoder.finish()]);
                assert_eq!(renderer.splatted(context).unwrap(), Some(drawn), "{view} by {engine:?}");
                drawn
            };
            let first = draw_frame(&scene);
            assert!(first > 0 && first < 100_000, "{first}");
            let mut moved = scene.clone();
            moved.camera.target.x += 0.1;
            // A new view begins again, and so does the old one after it.
            assert!(draw_frame(&moved) < 100_000);
            let mut drawn = draw_frame(&scene);
            for _ in 0..70 {
                let next = draw_frame(&scene);
                assert!(next > drawn || (next, drawn) == (300_000, 300_000));
                drawn = next;
            }
            assert_eq!(drawn, 300_000);
            let rgba = readback::read_texture(context, &target.color).unwrap();
            assert!(rgba == whole, "{view} by {engine:?}: parts came to another picture");
        }
    }
}

#[test]
fn a_track_under_the_pointer_stands_out_of_a_splat_and_the_others_step_back() {
    let mut scene = normal_scene(300_000, Dimensions::Two, ViewKind::Segments, aspect());
    // Far out, where nothing else is.
    scene.positions = scene.positions.iter().enumerate().map(|(row, &at)| if row < 81 { [3.2, 3.0, 0.0] } else { at }).collect();
    let saturation = |rgba: &[u8]| -> u64 {
        rgba.chunks_exact(4).map(|pixel| u64::from(pixel[..3].iter().max().unwrap() - pixel[..3].iter().min().unwrap())).sum()
    };
    for view in [ViewKind::Segments, ViewKind::Trajectories] {
        scene.view = view;
        for engine in ENGINES {
            scene.hovered = None;
            let (before, drawn) = draw(&scene, engine);
            assert_eq!(drawn, (view == ViewKind::Segments).then_some(300_000));
            scene.hovered = Some(tagscape::catalog::SegmentId(5));
            let (after, _) = draw(&scene, engine);
            let map = tagscape::scene::MapSize { width: SIZE[0] as f32, height: SIZE[1] as f32 };
            let at = scene.screen_of(tagscape::catalog::SegmentId(5), map).unwrap();
            let disc = |rgba: &[u8]| rgba[((at.y as usize + 1) * SIZE[0] as usize + at.x as usize) * 4 + 3];
            // A pixel below: before, all rows are in one pixel.
            assert!(disc(&after) > 100 && disc(&before) < 50, "{view} by {engine:?}: {} {}", disc(&before), disc(&after));
            assert!(saturation(&after) * 2 < saturation(&before), "{view} by {engine:?}: the others keep their colours");
        }
    }
}

#[test]
fn splats_begin_where_discs_would_lie_over_one_another() {
    use ViewKind::{Density, Segments, Trajectories};
    assert_eq!(splat::kind_of(Density, 1, false), Some(SplatKind::Density));
    assert_eq!(splat::kind_of(Segments, 4_501_763, false), Some(SplatKind::Colors));
    assert_eq!(splat::kind_of(Segments, 55_525, false), None);
    assert_eq!(splat::kind_of(Trajectories, 4_501_763, false), Some(SplatKind::Lines));
    assert_eq!(splat::kind_of(Trajectories, 20_000, true), None);
    assert_eq!(splat::kind_of(Trajectories, 55_525, true), Some(SplatKind::Lines));
    assert!(splat::kind_of(Segments, 500_000, true).is_some() && splat::kind_of(Segments, 500_000, false).is_none());
}

#[test]
fn a_trial_draws_all_points_and_tells_its_passes() {
    let context = GpuContext::headless_for_timing(AdapterChoice::Software).unwrap();
    for (engine, pass, classes) in [(SplatEngine::Gpu, "histogram", None), (SplatEngine::Cpu, "sum", Some(5))] {
        let (view, dimensions) = (ViewKind::Density, Dimensions::Two);
        let trial = DrawingTrial { points: 20_000, view, dimensions, size: SIZE, frames: 3, engine, classes };
        let times = trial.run(&context).unwrap();
        assert_eq!((times.points_drawn, times.frames_ms.len()), (20_000, 3));
        assert!(times.frames_ms.iter().all(|&ms| ms > 0.0));
        assert!(times.passes_ms.iter().any(|&(name, _)| name == pass), "{:?}", times.passes_ms);
    }
    assert_eq!(context.errors.take(), Vec::<String>::new());
}
