//! Pictures in tiles: the same to the bit as in one piece, whatever is drawn and on whichever engine; and files that are whole or not there.

use std::path::Path;
use std::process::{Command, Stdio};

use tagscape::app::headless;
use tagscape::app::state::{AppState, Choices};
use tagscape::app::tiles::{self, Tiling};
use tagscape::command::{Command as Wish, Listen};
use tagscape::gpu::GpuContext;
use tagscape::project::Compute;
use tagscape::scene::{Combine, Dimensions, Theme, ViewKind};
use tagscape::store::Collection;

use crate::common::collection::wandering;
use crate::common::gpu::gpu;
use crate::common::program::growing;

const SIZE: [u32; 2] = [700, 500];

fn opened(path: &Path, view: ViewKind, dimensions: Dimensions, theme: Theme) -> AppState {
    let choices = Choices { dimensions, view, theme, listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
    let (mut state, effects) = AppState::open(Collection::open(path).unwrap(), choices, None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state
}

fn draw(context: &GpuContext, state: &mut AppState, tile: [u32; 2]) -> Vec<u8> {
    let mut rgba = Vec::new();
    let drawn = tiles::draw(context, state, SIZE, Tiling { tile }, &mut |rows, _| {
        rgba.extend_from_slice(rows);
        Ok(())
    });
    assert!(drawn.unwrap() > 0);
    assert_eq!(context.errors.take(), Vec::<String>::new());
    rgba
}

/// How many pixels of two pictures differ, and the first of them.
fn differing(one: &[u8], other: &[u8]) -> Option<(usize, usize, usize)> {
    assert_eq!(one.len(), other.len());
    let mut unlike = one.chunks_exact(4).zip(other.chunks_exact(4)).enumerate().filter(|(_, (one, other))| one != other);
    let first = unlike.next()?.0;
    Some((unlike.count() + 1, first % SIZE[0] as usize, first / SIZE[0] as usize))
}

#[test]
fn a_picture_in_tiles_is_the_picture_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 30, 40);
    // Whoever shows no adapter as a CPU draws the density in compute shaders.
    let mut shaders = gpu().clone();
    shaders.caps.device_type = wgpu::DeviceType::Other;
    for context in [gpu(), &shaders] {
        for view in [ViewKind::Density, ViewKind::Segments, ViewKind::Trajectories, ViewKind::Averages] {
            // Few marks are drawn alike on both.
            if !context.caps.is_cpu() && view != ViewKind::Density {
                continue;
            }
            for dimensions in [Dimensions::Two, Dimensions::Three] {
                let theme = if dimensions == Dimensions::Two { Theme::Dark } else { Theme::Light };
                let mut state = opened(&path, view, dimensions, theme);
                let whole = draw(context, &mut state, SIZE);
                let ground = theme.background().0;
                let lit = whole.chunks_exact(4).filter(|pixel| pixel[..3].iter().zip(ground).any(|(&a, b)| a.abs_diff(b) > 30)).count();
                // A disc for each of 30 tracks is not as much as 1,200 marks.
                let least = if view == ViewKind::Averages { 1500 } else { 4000 };
                assert!(lit > least, "{view:?} {dimensions:?}: {lit} pixels");
                // One that divides nothing, one of single rows of tiles, one of odd edges.
                for tile in [[256, 256], [700, 93], [131, 500]] {
                    let tiled = draw(context, &mut state, tile);
                    let unlike = differing(&whole, &tiled);
                    assert_eq!(unlike, None, "{view:?} {dimensions:?} in tiles of {tile:?}: pixels, and the first one");
                }
            }
        }
    }
}

#[test]
fn a_picture_seen_from_near_with_a_track_that_stands_out_has_no_seams() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 30, 40);
    for (view, dimensions) in
        [(ViewKind::Trajectories, Dimensions::Two), (ViewKind::Trajectories, Dimensions::Three), (ViewKind::Density, Dimensions::Two)]
    {
        let mut state = opened(&path, view, dimensions, Theme::Dark);
        draw(gpu(), &mut state, SIZE);
        state.update(Wish::Zoom { factor: 37.0, at: glam::vec2(340.0, 260.0) });
        state.shown.as_mut().unwrap().scene.hovered = Some(tagscape::catalog::SegmentId(415));
        let whole = draw(gpu(), &mut state, SIZE);
        let tiled = draw(gpu(), &mut state, [120, 90]);
        assert_eq!(differing(&whole, &tiled), None, "{view:?} {dimensions:?}");
    }
}

#[test]
fn colours_and_lines_of_a_splat_in_tiles_are_the_same_on_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 12, 40);
    for view in [ViewKind::Segments, ViewKind::Trajectories] {
        for dimensions in [Dimensions::Two, Dimensions::Three] {
            let mut state = opened(&path, view, dimensions, Theme::Dark);
            let mut small = gpu().clone();
            // No room for 480 rows: the CPU splats them, a mark a pixel.
            small.caps.limits.max_storage_buffer_binding_size = 1000;
            let result = tiles::draw(&small, &mut state, SIZE, Tiling { tile: SIZE }, &mut |_, _| Ok(()));
            assert!(result.is_ok(), "{result:?}");
            let (whole, tiled) = (draw(&small, &mut state, SIZE), draw(&small, &mut state, [99, 140]));
            assert_eq!(differing(&whole, &tiled), None, "{view:?} {dimensions:?}");
        }
    }
}

#[test]
fn highlighted_rows_in_tiles_stand_out_as_they_do_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 30, 40);
    let mut shaders = gpu().clone();
    shaders.caps.device_type = wgpu::DeviceType::Other;
    // On the CPU's threads and in shaders; and marks a row.
    let mut small = gpu().clone();
    small.caps.limits.max_storage_buffer_binding_size = 1000;
    use {Dimensions::*, ViewKind::*};
    let cases = [
        (gpu(), Segments, Two),
        (gpu(), Trajectories, Three),
        (gpu(), Averages, Two),
        (gpu(), Density, Two),
        (&shaders, Density, Three),
        (&small, Segments, Two),
        (&small, Trajectories, Three),
    ];
    for (context, view, dimensions) in cases {
        let mut state = opened(&path, view, dimensions, Theme::Dark);
        let plain = draw(context, &mut state, SIZE);
        // As `--highlight` does.
        let effects = state.update(Wish::ChooseText { text: "artist-03/".into(), how: Combine::Replace });
        headless::settle(&mut state, effects).unwrap();
        assert_eq!(state.chosen_count(), Some(80));
        let whole = draw(context, &mut state, SIZE);
        let changed = differing(&plain, &whole).map_or(0, |(pixels, ..)| pixels);
        assert!(changed > 1000, "{view:?} {dimensions:?}: the others step back: {changed} pixels");
        for tile in [[256, 256], [131, 500]] {
            assert_eq!(differing(&whole, &draw(context, &mut state, tile)), None, "{view:?} {dimensions:?} in tiles of {tile:?}");
        }
    }
}

#[test]
fn a_file_has_the_same_bytes_every_time_and_ctrl_c_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let collection = wandering(folder.path(), 10, 30);
    let render = |out: &str, size: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
        command.args(["render", collection.to_str().unwrap(), "--size", size, "--out"]).arg(folder.path().join(out));
        command.stdout(Stdio::null());
        command
    };
    for out in ["one.png", "two.png"] {
        assert!(render(out, "2500x1300").status().unwrap().success());
    }
    let bytes = |out: &str| std::fs::read(folder.path().join(out)).unwrap();
    assert!(bytes("one.png") == bytes("two.png"));

    let mut child = render("three.png", "16384x16384").stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while growing(&folder.path().join("three.png")).is_none() {
        assert!(begun.elapsed().as_secs() < 60 && child.try_wait().unwrap().is_none(), "it has not begun to write");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupted = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("three")), "{left:?}");
}
