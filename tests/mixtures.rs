//! Pixels in which rows of several classes meet: no mixture looks like one of its classes, or like another one, in whatever way it is drawn.

use std::sync::Arc;

use tagscape::catalog::{SegmentId, TrackId, TrackRows};
use tagscape::gpu::{PositionBuffer, readback};
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, SplatEngine, ViewTarget};
use tagscape::scene::coloring::{Classes, Column, Measure, Numbers, Values};
use tagscape::scene::mixture::{MOST_CLASSES, of_counts};
use tagscape::scene::{AxisScale, Coloring, Dimensions, MapSize, Palette, Scale, Scene, Srgb, Theme, ViewKind};

use crate::common::gpu::gpu;

const SIZE: [u32; 2] = [64, 48];
const MAP: MapSize = MapSize { width: 64.0, height: 48.0 };
const THEMES: [Theme; 2] = [Theme::Dark, Theme::Light];

/// How the rows of a pixel are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// As discs or lines, one by one.
    Marks,
    /// Counted.
    Splat(SplatEngine),
}

const WAYS: [Way; 3] = [Way::Marks, Way::Splat(SplatEngine::Gpu), Way::Splat(SplatEngine::Cpu)];

impl Way {
    /// Rows of the least class where there are so many in all.
    fn times(self, total: usize) -> usize {
        // From 100,000 rows on segments are counted on a CPU adapter, and so are lines.
        if self == Self::Marks { 1 } else { 110_000usize.div_ceil(total) }
    }
}

/// Tracks that all go from one place to another and back, the rows of which have classes, so many of each; and two rows far away that tell how
/// large the map is.
fn scene(counts: &[usize], theme: Theme, view: ViewKind) -> Scene {
    let mut classes: Vec<i64> = counts.iter().zip(0..).flat_map(|(&count, class)| std::iter::repeat_n(class, 2 * count)).collect();
    let lines = classes.len() / 2;
    let ends = [[-0.4, 0.013, 0.0], [0.4, 0.013, 0.0]];
    let mut positions: Vec<[f32; 3]> = match view {
        ViewKind::Trajectories => (0..lines).flat_map(|_| ends).collect(),
        _ => vec![[0.011, 0.013, 0.0]; 2 * lines],
    };
    let mut tracks: Vec<TrackRows> =
        (0..lines).map(|line| TrackRows { track: TrackId(line as u32 + 1), first_row: 2 * line, row_count: 2 }).collect();
    for corner in [[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]] {
        tracks.push(TrackRows { track: TrackId(tracks.len() as u32 + 1), first_row: positions.len(), row_count: 1 });
        positions.push(corner);
        classes.push(-1);
    }
    let mut scene = Scene::new(positions.into(), tracks.into(), Vec::new(), AxisScale::Uniform, Dimensions::Two, MAP.aspect());
    scene.view = view;
    scene.set_theme(theme);
    scene.color_by(Arc::new(Coloring { title: "Class".to_owned(), values: Values::Classes(Classes::of_rows(&classes)) }));
    scene
}

/// A renderer for many scenes: each new one compiles its shaders.
fn renderer_for(way: Way) -> MapRenderer {
    let mut renderer = MapRenderer::new(gpu()).unwrap();
    if let Way::Splat(engine) = way {
        renderer.set_engine(engine);
    }
    renderer
}

/// The colour in the middle of the picture, as if it were opaque.
fn middle(renderer: &mut MapRenderer, scene: &Scene, way: Way) -> Srgb {
    let context = gpu();
    let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
    renderer.show(context, MapBuffers::new(context, scene, positions).unwrap());
    let target = ViewTarget::new(context, SIZE, scene.camera.dimensions).unwrap();
    let mut encoder = context.device.create_command_encoder(&Default::default());
    assert_eq!(renderer.is_splat_of(context, scene), way != Way::Marks, "{way:?}");
    renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
    context.queue.submit([encoder.finish()]);
    let rgba = readback::read_texture(context, &target.color).unwrap();
    assert_eq!(context.errors.take(), Vec::<String>::new());
    let at = scene.screen_of(SegmentId(0), MAP).unwrap();
    let x = if scene.view == ViewKind::Trajectories { SIZE[0] as usize / 2 } else { at.x as usize };
    let pixel = &rgba[4 * (at.y as usize * SIZE[0] as usize + x)..][..4];
    assert!(pixel[3] > 60, "{way:?}, {}: opacity {}", scene.view, pixel[3]);
    Srgb(std::array::from_fn(|channel| (f32::from(pixel[channel]) * 255.0 / f32::from(pixel[3])).round().min(255.0) as u8))
}

fn drawn(renderer: &mut MapRenderer, shares: &[usize], theme: Theme, view: ViewKind, way: Way) -> Srgb {
    let times = way.times(shares.iter().sum::<usize>() * 2);
    let counts: Vec<usize> = shares.iter().map(|share| share * times).collect();
    middle(renderer, &scene(&counts, theme, view), way)
}

/// The farthest that a channel is from another colour's.
fn off(Srgb(a): Srgb, Srgb(b): Srgb) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap()
}

fn spread(Srgb([r, g, b]): Srgb) -> u8 {
    r.max(g).max(b) - r.min(g).min(b)
}

#[test]
fn evenly_mixed_classes_are_neutral_grey_however_they_are_drawn() {
    for way in WAYS {
        let mut renderer = renderer_for(way);
        for theme in THEMES {
            for view in [ViewKind::Segments, ViewKind::Trajectories] {
                for classes in 2..=MOST_CLASSES {
                    let color = drawn(&mut renderer, &vec![1; classes], theme, view, way);
                    assert!(spread(color) <= 3, "{classes} classes, {view}, {theme:?}, {way:?}: {color:?}");
                }
            }
        }
    }
}

#[test]
fn a_class_that_leads_keeps_its_hue_and_as_much_chroma_as_the_mixture_leaves_it_in_splats_and_marks_alike() {
    for way in WAYS {
        let mut renderer = renderer_for(way);
        for theme in THEMES {
            for shares in [&[1][..], &[9, 1], &[7, 3], &[3, 2], &[7, 1, 1, 1], &[5, 1, 1, 1, 1], &[8, 1, 1, 1, 1, 1, 1]] {
                let palette = Palette::new(theme, shares.len());
                let wanted = of_counts(shares.iter().map(|&share| share as u32).zip(palette.colors().iter().copied()));
                for view in [ViewKind::Segments, ViewKind::Trajectories] {
                    let color = drawn(&mut renderer, shares, theme, view, way);
                    assert!(off(color, wanted) <= 4, "{shares:?}, {view}, {theme:?}, {way:?}: {color:?}, not {wanted:?}");
                }
            }
        }
    }
}

#[test]
fn a_million_rows_of_five_classes_are_as_grey_as_ten() {
    for engine in [SplatEngine::Gpu, SplatEngine::Cpu] {
        let way = Way::Splat(engine);
        let color = middle(&mut renderer_for(way), &scene(&[100_000; 5], Theme::Dark, ViewKind::Segments), way);
        assert!(spread(color) <= 3, "{engine:?}: {color:?}");
    }
}

#[test]
fn an_even_mixture_of_more_classes_than_are_counted_is_nearly_grey() {
    for way in WAYS {
        let mut renderer = renderer_for(way);
        for theme in THEMES {
            for classes in [MOST_CLASSES + 1, 40] {
                let color = drawn(&mut renderer, &vec![1; classes], theme, ViewKind::Segments, way);
                assert!(spread(color) <= 8, "{classes} classes, {theme:?}, {way:?}: {color:?}");
            }
        }
    }
}

#[test]
fn numbers_that_meet_in_a_pixel_have_the_mean_of_the_scales_colours() {
    for way in WAYS {
        let mut scene = scene(&[way.times(4), way.times(4)], Theme::Dark, ViewKind::Segments);
        let of: Vec<f32> = (0..scene.positions.len()).map(|row| (row % 2) as f32).collect();
        let numbers = Numbers {
            of: Column::Rows(of),
            low: 0.0,
            high: 1.0,
            beyond: [false; 2],
            has_unknown: false,
            measure: Measure::Plain,
            offset: 0.0,
        };
        scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Numbers(numbers) }));
        let [low, high] = [0.0, 1.0].map(|end| Scale::of(Theme::Dark).at(end).unwrap());
        let color = middle(&mut renderer_for(way), &scene, way);
        assert!(off(color, low.mix(high, 0.5)) <= 4, "{way:?}: {color:?}, between {low:?} and {high:?}");
    }
}
