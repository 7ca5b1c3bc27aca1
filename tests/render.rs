//! The renderer on the software adapter: numbers of pixels, not pictures.

use std::sync::Arc;

use glam::Vec2;
use tagscape::catalog::{SegmentId, TrackId, TrackRows};
use tagscape::gpu::{GpuContext, PositionBuffer, readback};
use tagscape::render::gpu_data::FrameUniform;
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, ViewTarget};
use tagscape::scene::{AxisScale, Dimensions, MapSize, Scene, ViewKind};
use tagscape::seed::SplitMix64;

use crate::common;

const SIZE: [u32; 2] = [320, 240];
const MAP: MapSize = MapSize { width: 320.0, height: 240.0 };

/// A drawn scene: premultiplied RGBA rows, and how many segments were drawn.
struct Drawn {
    rgba: Vec<u8>,
    drawn: usize,
}

impl Drawn {
    fn at(&self, place: Vec2) -> [u8; 4] {
        let (x, y) = (place.x.floor() as usize, place.y.floor() as usize);
        let start = (y * SIZE[0] as usize + x) * 4;
        self.rgba[start..start + 4].try_into().unwrap()
    }

    fn lit(&self) -> usize {
        self.rgba.chunks_exact(4).filter(|pixel| pixel[3] > 0).count()
    }
}

fn scene(positions: &[[f32; 3]], track_lengths: &[usize], dimensions: Dimensions) -> Scene {
    let mut first_row = 0;
    let rows: Vec<TrackRows> = (1..)
        .zip(track_lengths)
        .map(|(track, &row_count)| {
            let rows = TrackRows { track: TrackId(track), first_row, row_count };
            first_row += row_count;
            rows
        })
        .collect();
    let names = vec!["x".to_owned(), "y".to_owned(), "z".to_owned()];
    Scene::new(positions.into(), rows.into(), names, AxisScale::Uniform, dimensions, MAP.aspect())
}

fn draw(context: &GpuContext, scene: &Scene) -> Drawn {
    let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
    drawn_of(context, scene, MapBuffers::new(context, scene, positions).unwrap())
}

fn drawn_of(context: &GpuContext, scene: &Scene, buffers: MapBuffers) -> Drawn {
    let mut renderer = MapRenderer::new(context).unwrap();
    renderer.show(context, buffers);
    let target = ViewTarget::new(context, SIZE, scene.camera.dimensions).unwrap();
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let drawn = renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
    context.queue.submit([encoder.finish()]);
    let rgba = readback::read_texture(context, &target.color).unwrap();
    assert_eq!(context.errors.take(), Vec::<String>::new());
    Drawn { rgba, drawn }
}

#[test]
fn a_disc_is_where_the_scene_says_and_has_its_tracks_colour() {
    let context = common::gpu::gpu();
    let positions = [[-1.0, -0.5, 0.0], [0.0, 0.7, 0.5], [1.0, 0.1, 1.0]];
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let scene = scene(&positions, &[1, 1, 1], dimensions);
        let picture = draw(context, &scene);
        assert_eq!(picture.drawn, 3);
        for row in 0..3 {
            let place = scene.screen_of(SegmentId(row), MAP).unwrap();
            let [r, g, b, alpha] = picture.at(place).map(f32::from);
            assert!(alpha > 200.0, "{dimensions:?}: row {row} is not at {place}: alpha {alpha}");
            let expected = scene.color_of(SegmentId(row)).0.map(|channel| f32::from(channel) * alpha / 255.0);
            // In a space what is farther goes toward the background.
            let slack = if dimensions == Dimensions::Two { 3.0 } else { 110.0 };
            assert!(
                [r, g, b].iter().zip(expected).all(|(a, e)| (a - e).abs() <= slack),
                "{dimensions:?} row {row}: {r} {g} {b}, {expected:?}"
            );
        }
        // Three discs of radius 5, and nothing else.
        assert!((150..420).contains(&picture.lit()), "{dimensions:?}: {} pixels", picture.lit());
    }
}

#[test]
fn lines_join_a_tracks_own_segments_and_no_others() {
    let context = common::gpu::gpu();
    let positions = [[-1.0, 0.6, 0.0], [1.0, 0.6, 0.0], [-1.0, -0.6, 0.0], [1.0, -0.6, 0.0]];
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = scene(&positions, &[2, 1, 1], dimensions);
        scene.view = ViewKind::Trajectories;
        let picture = draw(context, &scene);
        let between = |a: u32, b: u32| (scene.screen_of(SegmentId(a), MAP).unwrap() + scene.screen_of(SegmentId(b), MAP).unwrap()) * 0.5;
        // Perspective moves the middle along the line, not off it: look across it.
        let lit = |place: Vec2| (-3..=3).any(|dy| picture.at(place + Vec2::new(0.0, dy as f32))[3] > 20);
        assert!(lit(between(0, 1)), "{dimensions:?}: no line between two segments of a track");
        assert!(!lit(between(2, 3)), "{dimensions:?}: a line between two tracks");
        assert!(!lit(between(1, 2)), "{dimensions:?}: a line from one track's end to the next track's start");
        scene.view = ViewKind::Segments;
        let segments = draw(context, &scene);
        assert!(segments.lit() < picture.lit());
    }
}

#[test]
fn nearer_discs_hide_farther_ones_in_either_order_of_rows() {
    let context = common::gpu::gpu();
    let frame = [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]];
    for near_first in [false, true] {
        let pair = if near_first { [[0.0, 0.0, 0.9], [0.0, 0.0, -0.9]] } else { [[0.0, 0.0, -0.9], [0.0, 0.0, 0.9]] };
        let mut scene = scene(&[pair[0], pair[1], frame[0], frame[1]], &[1, 1, 1, 1], Dimensions::Three);
        scene.camera.azimuth = 0.0;
        scene.camera.elevation = 0.0;
        let picture = draw(context, &scene);
        let place = scene.screen_of(SegmentId(0), MAP).unwrap();
        let near = usize::from(!near_first);
        let [r, g, b, alpha] = picture.at(place);
        assert_eq!(alpha, 255);
        let color = scene.color_of(SegmentId(near as u32)).0;
        let distance: i32 = [r, g, b].iter().zip(color).map(|(&a, e)| (i32::from(a) - i32::from(e)).abs()).sum();
        assert!(distance <= 6, "near row {near}: {r} {g} {b} instead of {color:?}");
    }
}

#[test]
fn the_track_under_the_pointer_keeps_its_colour_and_the_others_dim() {
    let context = common::gpu::gpu();
    let mut scene = scene(&[[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], &[1, 1], Dimensions::Two);
    let before = draw(context, &scene);
    scene.hovered = Some(SegmentId(0));
    let after = draw(context, &scene);
    let [chosen, other] = [0, 1].map(|row| scene.screen_of(SegmentId(row), MAP).unwrap());
    // Added up and laid over the ground, or laid over it at once: the same colour, but for rounding.
    let change = |place| before.at(place).iter().zip(after.at(place)).map(|(&a, b)| a.abs_diff(b)).max().unwrap();
    assert!(change(chosen) <= 2, "{:?} {:?}", before.at(chosen), after.at(chosen));
    let saturation = |[r, g, b, _]: [u8; 4]| i32::from(r.max(g).max(b)) - i32::from(r.min(g).min(b));
    assert!(saturation(after.at(other)) * 2 < saturation(before.at(other)));
    assert!(after.at(other)[3] > 0, "what is not chosen stays");
}

#[test]
fn positions_that_are_not_finite_are_not_drawn_and_harm_no_other() {
    let context = common::gpu::gpu();
    let good = draw(context, &scene(&[[-1.0, 0.0, 0.0], [1.0, 0.5, 0.0]], &[2], Dimensions::Two));
    let positions = [[-1.0, 0.0, 0.0], [1.0, 0.5, 0.0], [f32::NAN, 0.0, 0.0], [f32::INFINITY, 0.0, 0.0], [0.0, f32::NEG_INFINITY, 0.0]];
    let mut odd = scene(&positions, &[5], Dimensions::Two);
    odd.view = ViewKind::Segments;
    let with_odd = draw(context, &odd);
    let difference = good.rgba.iter().zip(&with_odd.rgba).filter(|(a, b)| a.abs_diff(**b) > 20).count();
    assert!(difference < 40, "{difference} bytes differ");
}

#[test]
fn the_same_scene_gives_the_same_bytes_and_all_of_100_000_points_are_drawn() {
    let context = common::gpu::gpu();
    let mut seed = SplitMix64::new(0);
    let positions: Arc<[[f32; 3]]> = (0..100_000).map(|_| [seed.next_normal(), seed.next_normal(), seed.next_normal()]).collect();
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = scene(&positions, &[100_000], dimensions);
        scene.view = ViewKind::Trajectories;
        let (first, second) = (draw(context, &scene), draw(context, &scene));
        assert_eq!(first.drawn, 100_000);
        assert!(first.rgba == second.rgba, "{dimensions:?}: two pictures of one scene differ");
        assert!(first.lit() > 10_000, "{} pixels", first.lit());
    }
}

#[test]
fn the_track_under_the_pointer_is_a_curve_through_its_rows() {
    let context = common::gpu::gpu();
    let rows = [[-1.0, -0.8, 0.0], [-0.4, 0.4, 0.0], [0.4, 0.4, 0.0], [1.0, -0.8, 0.0]];
    let mut scene = scene(&rows, &[4], Dimensions::Two);
    scene.view = ViewKind::Trajectories;
    let [straight, curved] = [None, Some(SegmentId(0))].map(|hovered| {
        scene.hovered = hovered;
        draw(context, &scene)
    });
    let at = |share: f32| {
        let place = tagscape::scene::curve::on_curve(rows.map(Into::into), share);
        scene.screen_from_layout(place, MAP).unwrap()
    };
    for share in [0.2, 0.5, 0.8] {
        let lit = (-2..=2).any(|dy| curved.at(at(share) + Vec2::new(0.0, dy as f32))[3] > 120);
        assert!(lit, "nothing at {share} of the way on the curve");
        assert!(straight.at(at(share) - Vec2::new(0.0, 3.0))[3] < 20);
    }
    let chord = scene.screen_from_layout(glam::Vec3::new(0.0, 0.4, 0.0), MAP).unwrap();
    assert!(straight.at(chord)[3] > 20 && curved.at(chord)[3] < 20, "the straight piece is still there");
}

#[test]
fn the_chosen_few_are_curves_and_many_are_straight() {
    let context = common::gpu::gpu();
    let rows = [[-1.0, -0.8, 0.0], [-0.4, 0.4, 0.0], [0.4, 0.4, 0.0], [1.0, -0.8, 0.0]];
    // The first track, and as many tracks of a row each as make it one of too many.
    let dots: Vec<[f32; 3]> = rows.iter().copied().chain((0..70).map(|dot| [-1.0 + 0.02 * dot as f32, -0.8, 0.0])).collect();
    let lengths: Vec<usize> = std::iter::once(4).chain(std::iter::repeat_n(1, 70)).collect();
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut scene = scene(&dots, &lengths, dimensions);
        (scene.view, scene.camera.azimuth, scene.camera.elevation) = (ViewKind::Trajectories, 0.0, 0.0);
        let mut lit = |chosen: usize| {
            scene.choose(Some(Arc::new(tagscape::scene::ChosenRows::of(dots.len(), |row| row < chosen))));
            let picture = draw(context, &scene);
            let curve = tagscape::scene::curve::on_curve(rows.map(Into::into), 0.5);
            [curve, glam::Vec3::new(0.0, 0.4, 0.0)].map(|place| {
                let at = scene.screen_from_layout(place, MAP).unwrap();
                (-2..=2).any(|dy| picture.at(at + Vec2::new(0.0, dy as f32))[3] > 60)
            })
        };
        assert_eq!((lit(4), lit(74)), ([true, false], [false, true]), "{dimensions:?}");
    }
}

#[test]
fn two_rows_that_differ_in_their_last_digit_are_apart_when_the_eye_is_near() {
    let context = common::gpu::gpu();
    // At 1000 the next f32 is 6e-5 further.
    let near = [1000.0f32, f32::from_bits(1000.0f32.to_bits() + 1)];
    let mut scene =
        scene(&[[near[0], 1000.0, 0.0], [near[1], 1000.0, 0.0], [1001.0, 1000.5, 0.0], [999.0, 999.5, 0.0]], &[1; 4], Dimensions::Two);
    // A pixel is a hundredth of that digit.
    let world_per_layout = 1.0;
    scene.camera.half_height = (f64::from(near[1] - near[0]) * world_per_layout / 100.0 * 120.0) as f32;
    let middle = f64::from(near[0]) + f64::from(near[1] - near[0]) * 0.5 - f64::from(scene.bounds.center().x);
    scene.camera.target = glam::DVec3::new(middle * world_per_layout, 0.0, 0.0);
    let picture = draw(context, &scene);
    let [left, right] = [0, 1].map(|row| scene.screen_of(SegmentId(row), MAP).unwrap());
    assert!((right.x - left.x - 100.0).abs() < 0.5, "{left} {right}");
    assert!((left.x + right.x - MAP.width).abs() < 0.5 && (left.y - MAP.height * 0.5).abs() < 0.5, "{left} {right}");
    assert!(picture.at(left)[3] > 200 && picture.at(right)[3] > 200);
    assert!(picture.lit() < 300, "{} pixels", picture.lit());
}

#[test]
fn a_picture_does_not_depend_on_the_order_of_rows() {
    let context = common::gpu::gpu();
    let mut seed = SplitMix64::new(5);
    let positions: Vec<[f32; 3]> = (0..20_000).map(|_| [seed.next_normal(), seed.next_normal(), seed.next_normal()]).collect();
    let backwards: Vec<_> = positions.iter().rev().copied().collect();
    let lengths = vec![100; 200];
    for (dimensions, view) in [
        (Dimensions::Two, ViewKind::Segments),
        (Dimensions::Two, ViewKind::Trajectories),
        (Dimensions::Three, ViewKind::Segments),
        (Dimensions::Three, ViewKind::Trajectories),
    ] {
        let mut one = scene(&positions, &lengths, dimensions);
        let mut other = scene(&backwards, &lengths, dimensions);
        (one.view, other.view) = (view, view);
        // Every row keeps its colour.
        let column = |scene: &Scene, reversed: bool| {
            let at = |row: usize| if reversed { 19_999 - row } else { row };
            (0..scene.positions.len()).map(|row| one.color_of(SegmentId(at(row) as u32)).to_packed()).collect::<Vec<u32>>()
        };
        let paint = |scene: &Scene, reversed: bool| {
            let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
            let buffers = MapBuffers::new(context, scene, positions).unwrap();
            buffers.colors.write(context, 0, &column(scene, reversed)).unwrap();
            drawn_of(context, scene, buffers)
        };
        let (a, b) = (paint(&one, false), paint(&other, true));
        // Lines taper the other way when rows are reversed; discs must be the same. In a space two samples of as many may lie equally deep.
        if view == ViewKind::Segments {
            let other = a.rgba.iter().zip(&b.rgba).filter(|(a, b)| a.abs_diff(**b) > 3).count();
            assert!(other <= if dimensions == Dimensions::Two { 0 } else { 20 }, "{dimensions:?}: {other} bytes");
        }
        let far = a.rgba.iter().zip(&b.rgba).filter(|(a, b)| a.abs_diff(**b) > 60).count();
        assert!(far * 50 < a.rgba.len(), "{dimensions:?} {view}: {far} bytes");
    }
}

#[test]
fn a_scene_without_rows_is_an_empty_picture() {
    let context = common::gpu::gpu();
    let picture = draw(context, &scene(&[], &[], Dimensions::Two));
    assert_eq!((picture.drawn, picture.lit()), (0, 0));
}

#[test]
fn the_frame_uniform_is_laid_out_as_the_shader_reads_it() {
    use std::mem::{offset_of, size_of};
    use wgpu::naga::TypeInner;
    let mut seen = 0;
    for source in tagscape::render::SHADERS {
        let module = source.parse().unwrap();
        let Some((_, ty)) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Frame")) else { continue };
        seen += 1;
        let TypeInner::Struct { members, span } = &ty.inner else { panic!("Frame is a struct") };
        let ours = [
            ("clip_from_anchor", offset_of!(FrameUniform, clip_from_anchor)),
            ("background", offset_of!(FrameUniform, background)),
            ("fitted_w", offset_of!(FrameUniform, fitted_w)),
            ("anchor", offset_of!(FrameUniform, anchor)),
            ("point_radius", offset_of!(FrameUniform, point_radius)),
            ("viewport", offset_of!(FrameUniform, viewport)),
            ("point_opacity", offset_of!(FrameUniform, point_opacity)),
            ("line_width", offset_of!(FrameUniform, line_width)),
            ("line_opacity", offset_of!(FrameUniform, line_opacity)),
            ("line_taper", offset_of!(FrameUniform, line_taper)),
            ("focus_track", offset_of!(FrameUniform, focus_track)),
            ("row_count", offset_of!(FrameUniform, row_count)),
            ("has_chosen", offset_of!(FrameUniform, has_chosen)),
            ("curves_chosen", offset_of!(FrameUniform, curves_chosen)),
            ("classes", offset_of!(FrameUniform, classes)),
            ("first_class", offset_of!(FrameUniform, first_class)),
            ("tile", offset_of!(FrameUniform, tile)),
        ];
        let theirs: Vec<_> = members.iter().map(|member| (member.name.clone().unwrap(), member.offset as usize)).collect();
        assert_eq!(theirs, ours.map(|(name, offset)| (name.to_owned(), offset)));
        assert_eq!(*span as usize, size_of::<FrameUniform>());
    }
    assert_eq!(seen, 6);
}
