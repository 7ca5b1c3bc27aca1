//! Small pictures of made-up scenes, drawn by the renderer on the software adapter, against those in `tests/fixtures/golden`.
//!
//! They hold down what is seen: place, size, colour, order and haze of marks, the tones of a splat. Versions of the software adapter differ in the last
//! bits and in how much of a pixel an edge covers, so that pictures are compared by their mean and their worst difference ([`MEAN`], [`WORST`]).
//! A picture that differs is written into the folder for temporary files, and the message names it.
//!
//! Where a change of the pictures is meant, `TAGSCAPE_WRITE_GOLDEN=1 cargo test --release --test integration -- golden` writes them anew. Look at each before
//! it is committed.

use std::f32::consts::TAU;
use std::path::PathBuf;
use std::sync::Arc;

use tagscape::app::drawing_trial::normal_scene;
use tagscape::catalog::{SegmentId, TrackId, TrackRows};
use tagscape::gpu::{PositionBuffer, readback};
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, SplatEngine, ViewTarget};
use tagscape::scene::coloring::{Column, Measure, Numbers, Values};
use tagscape::scene::{AxisScale, ChosenRows, Coloring, Dimensions, Scene, Theme, ViewKind};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;

const SIZE: [u32; 2] = [160, 120];
const ASPECT: f32 = SIZE[0] as f32 / SIZE[1] as f32;
/// The mean difference of channels that is allowed, of 255. A picture shifted by a pixel differs by several times that.
const MEAN: f64 = 0.3;
/// The worst difference of a channel that is allowed, of 255: an edge's, but no disc's.
const WORST: u8 = 32;

/// Opaque RGB, row by row.
type Rgb = Vec<u8>;

/// Tracks that wander about places of their own, as many rows each.
fn wandering(tracks: usize, rows: usize, dimensions: Dimensions, view: ViewKind, theme: Theme) -> Scene {
    let mut seed = SplitMix64::new(7);
    let flat = if dimensions == Dimensions::Two { 0.0 } else { 1.0 };
    let mut positions = Vec::with_capacity(tracks * rows);
    for track in 0..tracks {
        let mut at = [seed.next_normal(), seed.next_normal(), seed.next_normal() * flat];
        // Lines are to be seen between discs.
        let pace = (0.03 + 0.02 * (track % 5) as f32) * if view.has_lines() { 5.0 } else { 1.0 };
        for _ in 0..rows {
            at = [at[0] + pace * seed.next_normal(), at[1] + pace * seed.next_normal(), at[2] + pace * flat * seed.next_normal()];
            positions.push(at);
        }
    }
    let track_rows: Vec<_> =
        (0..tracks).map(|track| TrackRows { track: TrackId(track as u32 + 1), first_row: track * rows, row_count: rows }).collect();
    let mut scene = Scene::new(positions.into(), track_rows.into(), Vec::new(), AxisScale::Uniform, dimensions, ASPECT);
    scene.view = view;
    scene.set_theme(theme);
    scene
}

/// A third of a million rows in the colours of a scale that goes around.
fn many_colored() -> Scene {
    let mut scene = normal_scene(300_000, Dimensions::Two, ViewKind::Segments, ASPECT);
    let turn = |[x, y, _]: &[f32; 3]| (y.atan2(*x) / TAU + 0.5 + 0.15 * x.hypot(*y)).fract();
    let of = Column::Rows(scene.positions.iter().map(turn).collect());
    let numbers = Numbers { of, low: 0.0, high: 1.0, beyond: [false; 2], has_unknown: false, measure: Measure::Plain, offset: 0.0 };
    scene.color_by(Arc::new(Coloring { title: String::new(), values: Values::Numbers(numbers) }));
    scene
}

/// Every picture: its name, its scene, and on what splats of it are made.
fn scenes() -> Vec<(&'static str, Scene, &'static [SplatEngine])> {
    use {Dimensions::*, SplatEngine::*, Theme::*, ViewKind::*};
    let mut hovered = wandering(7, 10, Three, Trajectories, Dark);
    hovered.hovered = Some(SegmentId(34));
    let mut averages = wandering(14, 20, Two, Averages, Dark);
    averages.refresh_averages();
    let mut chosen = wandering(8, 10, Two, Trajectories, Light);
    let rows = chosen.positions.len();
    chosen.choose(Some(Arc::new(ChosenRows::of(rows, |row| matches!(row / 10, 2 | 5)))));
    vec![
        ("segments-plane-dark", wandering(10, 20, Two, Segments, Dark), &[Auto]),
        ("trajectories-space-hovered-dark", hovered, &[Auto]),
        ("averages-plane-dark", averages, &[Auto]),
        ("chosen-trajectories-plane-light", chosen, &[Auto]),
        // Shaders and the CPU's threads draw one picture.
        ("density-plane-light", wandering(60, 50, Two, Density, Light), &[Gpu, Cpu]),
        ("colours-of-300000-plane-dark", many_colored(), &[Gpu, Cpu]),
    ]
}

/// A scene as it is seen: over the theme's ground.
fn draw(scene: &Scene, engine: SplatEngine) -> Rgb {
    let context = gpu();
    let mut renderer = MapRenderer::new(context).unwrap();
    renderer.set_engine(engine);
    let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
    renderer.show(context, MapBuffers::new(context, scene, positions).unwrap());
    let target = ViewTarget::new(context, SIZE, scene.camera.dimensions).unwrap();
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let drawn = renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
    context.queue.submit([encoder.finish()]);
    assert_eq!(drawn, scene.positions.len());
    let rgba = readback::read_texture(context, &target.color).unwrap();
    assert_eq!(context.errors.take(), Vec::<String>::new());
    let ground = scene.theme.background().0;
    let over = |pixel: &[u8]| -> [u8; 3] {
        let through = 1.0 - f32::from(pixel[3]) / 255.0;
        std::array::from_fn(|at| (f32::from(pixel[at]) + f32::from(ground[at]) * through).round() as u8)
    };
    rgba.chunks_exact(4).flat_map(over).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden")
}

fn write(path: &std::path::Path, rgb: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), SIZE[0], SIZE[1]);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(rgb).unwrap();
}

fn read(path: &std::path::Path) -> Result<Rgb, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}; TAGSCAPE_WRITE_GOLDEN=1 writes it", path.display());
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().map_err(|error| wrong(&error))?;
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).map_err(|error| wrong(&error))?;
    if ([info.width, info.height], info.color_type) != (SIZE, png::ColorType::Rgb) {
        return Err(wrong(&format!("{}x{} {:?}", info.width, info.height, info.color_type)));
    }
    Ok(rgb)
}

/// Says how two pictures differ, where that is more than is allowed.
fn compare(found: &[u8], expected: &[u8]) -> Result<(), String> {
    if found.len() != expected.len() || found.is_empty() {
        return Err(format!("{} bytes, not {}", found.len(), expected.len()));
    }
    let apart = || found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
    let mean = apart().map(f64::from).sum::<f64>() / found.len() as f64;
    let (at, worst) = apart().enumerate().max_by_key(|&(_, apart)| apart).unwrap_or_default();
    if mean <= MEAN && worst <= WORST {
        return Ok(());
    }
    let (x, y) = (at / 3 % SIZE[0] as usize, at / 3 / SIZE[0] as usize);
    Err(format!("{mean:.3} apart in the mean ({MEAN} allowed), {worst} at {x}, {y} ({WORST} allowed)"))
}

#[test]
fn scenes_look_as_they_did() {
    let is_written = std::env::var_os("TAGSCAPE_WRITE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (name, scene, engines) in scenes() {
        let path = folder().join(format!("{name}.png"));
        for (turn, &engine) in engines.iter().enumerate() {
            let rgb = draw(&scene, engine);
            if is_written && turn == 0 {
                write(&path, &rgb);
            }
            if let Err(reason) = read(&path).and_then(|golden| compare(&rgb, &golden)) {
                let seen = std::env::temp_dir().join(format!("tagscape-golden-{name}-{engine:?}.png").to_lowercase());
                write(&seen, &rgb);
                wrong.push(format!("{name}: {reason}; it is now {}", seen.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_golden_picture_is_of_a_scene() {
    let names: Vec<String> = scenes().iter().map(|(name, ..)| format!("{name}.png")).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let found = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(names.contains(&found), "{found} is of no scene");
    }
}

#[test]
fn the_comparer_rejects_a_shifted_picture_and_another_colour() {
    let shifted = |rgb: &[u8], by: usize| [&rgb[by * 3..], &rgb[..by * 3]].concat();
    for (name, scene, engines) in scenes() {
        let golden = draw(&scene, engines[0]);
        assert_eq!(compare(&golden, &golden), Ok(()));
        // What versions of an adapter differ by.
        let rounded: Rgb = golden.iter().enumerate().map(|(at, &byte)| if at % 7 == 0 { byte ^ 1 } else { byte }).collect();
        assert_eq!(compare(&rounded, &golden), Ok(()), "{name}");
        for (what, by) in [("to the left", 1), ("up", SIZE[0] as usize)] {
            assert!(compare(&shifted(&golden, by), &golden).is_err(), "{name}: a pixel {what}");
        }
        let exchanged: Rgb = golden.chunks_exact(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        assert!(compare(&exchanged, &golden).is_err(), "{name}: red for blue");
        let brighter: Rgb = golden.iter().map(|byte| byte.saturating_add(1)).collect();
        assert!(compare(&brighter, &golden).is_err(), "{name}: all of it brighter");
        assert!(compare(&golden[3..], &golden).is_err(), "{name}: a pixel less");
    }
}

#[test]
fn the_comparer_rejects_one_disc_too_few_and_one_track_in_another_colour() {
    let (_, scene, engines) = scenes().swap_remove(0);
    let golden = draw(&scene, engines[0]);
    let mut fewer = scene.clone();
    // The last one, whose neighbours of its own track do not hide all of it.
    fewer.positions = scene.positions.iter().enumerate().map(|(row, &at)| if row == 199 { [f32::NAN; 3] } else { at }).collect();
    assert!(compare(&draw(&fewer, SplatEngine::Auto), &golden).is_err(), "a disc is missing");
    let mut other = scene.clone();
    let classes =
        other.colors.of_rows.iter().enumerate().map(|(row, &color)| if row / 20 == 3 { scene.colors.of_rows[100] } else { color });
    other.colors.of_rows = classes.collect();
    assert!(compare(&draw(&other, SplatEngine::Auto), &golden).is_err(), "a track has another's colour");
}
