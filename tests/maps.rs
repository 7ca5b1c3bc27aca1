//! `tagscape render` and the window's state, on collections made of numbers.

use std::process::{Command, Output};

use tagscape::app::headless;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command as Wish, Listen, MethodKind};
use tagscape::gpu::{AdapterChoice, GpuContext};
use tagscape::project::Compute;
use tagscape::scene::{Dimensions, MapSize, Theme, ViewKind};
use tagscape::store::Collection;
use tagscape::ui::Chrome;

use crate::common::collection::wandering;
use crate::common::gpu::gpu;

fn tagscape(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagscape")).args(arguments).output().unwrap()
}

/// A picture's size and its RGBA.
fn read_png(path: &std::path::Path) -> ([u32; 2], Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap())).read_info().unwrap();
    let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgba).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgba);
    ([info.width, info.height], rgba)
}

fn choices(view: ViewKind, dimensions: Dimensions) -> Choices {
    Choices { dimensions, view, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) }
}

fn opened(path: &std::path::Path, view: ViewKind, dimensions: Dimensions) -> AppState {
    let (mut state, effects) = AppState::open(Collection::open(path).unwrap(), choices(view, dimensions), None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state.set_map_size(MapSize { width: 800.0, height: 600.0 });
    state
}

#[test]
fn all_of_100_000_segments_are_drawn_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let collection = wandering(folder.path(), 100, 1000);
    for (name, options) in [("plane", &["--view", "segments"][..]), ("space", &["--view", "trajectories", "--3d", "--theme", "light"])] {
        let out = folder.path().join(format!("{name}.png"));
        let mut arguments = vec!["render", collection.to_str().unwrap(), "--size", "640x480", "--out", out.to_str().unwrap()];
        arguments.extend(options);
        let output = tagscape(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("100000 segments"), "{}", String::from_utf8_lossy(&output.stdout));
        let (size, rgba) = read_png(&out);
        assert_eq!(size, [640, 480]);
        let ground = if name == "plane" { Theme::Dark } else { Theme::Light }.background().0;
        let marked = rgba.chunks_exact(4).filter(|pixel| pixel[..3].iter().zip(ground).any(|(&a, b)| a.abs_diff(b) > 40)).count();
        assert!(marked > 20_000, "{name}: only {marked} pixels are marked");
    }
}

#[test]
fn the_demo_is_drawn_in_every_view_and_theme_and_each_picture_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let rows = {
        let collection = Collection::open(&tagscape::app::resources::demo_collection().unwrap()).unwrap();
        let space = "msd-musicnn-embeddings".parse().unwrap();
        collection.rows(space).unwrap().iter().map(|track| track.row_count).sum::<usize>()
    };
    let mut pictures: Vec<(String, Vec<u8>)> = Vec::new();
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for view in ["segments", "trajectories", "averages", "density"] {
            let case = format!("{view} {name}");
            let out = folder.path().join(format!("{view}-{name}.png"));
            // Without a collection it is the demo.
            let output = tagscape(&["render", "--view", view, "--theme", name, "--size", "320x240", "--out", out.to_str().unwrap()]);
            assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.contains(&format!("{rows} segments")), "{case}: {said}");
            let ([width, height], rgba) = read_png(&out);
            assert_eq!([width, height], [320, 240]);
            assert!(rgba.chunks_exact(4).all(|pixel| pixel[3] == 255), "{case}: pictures are opaque");
            let ground = theme.background().0;
            let ground_pixels = rgba.chunks_exact(4).filter(|pixel| pixel[..3].iter().zip(ground).all(|(&a, b)| a.abs_diff(b) < 8)).count();
            let marked = rgba.chunks_exact(4).filter(|pixel| pixel[..3].iter().zip(ground).any(|(&a, b)| a.abs_diff(b) > 40)).count();
            assert!(ground_pixels > 10_000 && marked > 1_000, "{case}: {ground_pixels} pixels of ground, {marked} marked");
            for (other, before) in &pictures {
                let unlike = before.chunks_exact(4).zip(rgba.chunks_exact(4)).filter(|(a, b)| a != b).count();
                assert!(unlike > 1_000, "{case} is as {other}, but for {unlike} pixels");
            }
            pictures.push((case, rgba));
        }
    }
}

#[test]
fn pointing_at_each_segment_finds_it_shows_it_and_lets_it_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 6, 5);
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let mut state = opened(&path, ViewKind::Segments, dimensions);
        let map = MapSize { width: 800.0, height: 600.0 };
        let mut found = 0;
        for row in 0..30u32 {
            state.update(Wish::Point { at: None, window_pixels: [0.0; 2] });
            let scene = &state.shown.as_ref().unwrap().scene;
            let at = scene.screen_of(tagscape::catalog::SegmentId(row), map).unwrap();
            let effects = state.update(Wish::Point { at: Some(at), window_pixels: [1.0, 2.0] });
            let hovered = state.shown.as_ref().unwrap().scene.hovered.unwrap();
            // In a space the disc of another may lie in front.
            let its_place = state.shown.as_ref().unwrap().scene.screen_of(hovered, map).unwrap();
            let is_in_front = dimensions == Dimensions::Three && its_place.distance(at) < 15.0;
            found += u32::from(hovered.0 == row || is_in_front);
            let audition = effects.iter().find_map(|effect| match effect {
                Effect::Audition { path, span, .. } => Some((path.clone(), *span)),
                _ => None,
            });
            let (file, span) = audition.expect("a segment under the pointer sounds");
            assert!(file.ends_with(format!("track-{:05}.ogg", hovered.0 / 5)), "{}", file.display());
            assert!((span.start_secs - f64::from(hovered.0 % 5) * 2.992).abs() < 1e-9 && (span.duration_secs - 2.992).abs() < 1e-9);
            let view = state.track_view().unwrap();
            assert_eq!(view.title, format!("Track {}", hovered.0 / 5));
            assert_eq!(view.tags.len(), 8);
            assert!(view.tags.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        }
        assert_eq!(found, 30, "{dimensions:?}: so many of 30 found themselves or what hides them");
        let effects = state.update(Wish::Point { at: None, window_pixels: [0.0; 2] });
        assert!(matches!(effects[..], [Effect::StopAudio]), "leaving is silence");
        state.update(Wish::SetListen(Listen::Off));
        let at = state.shown.as_ref().unwrap().scene.screen_of(tagscape::catalog::SegmentId(0), map);
        let effects = state.update(Wish::Point { at, window_pixels: [0.0; 2] });
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Audition { .. })), "off is silence");
    }
}

#[test]
fn an_outcome_that_is_no_longer_wanted_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 3, 4);
    let mut state = opened(&path, ViewKind::Segments, Dimensions::Two);
    let first = state.update(Wish::SetMethod(MethodKind::Original));
    let second = state.update(Wish::SetDimensions(Dimensions::Three));
    assert!(state.is_busy());
    let run = |effects: &[Effect]| match effects {
        [Effect::Project(request)] => (request.serial, request.run(&tagscape::project::NoObserver)),
        _ => panic!("a projection is asked for"),
    };
    assert!(state.finish(run(&first)).is_empty() && state.is_busy());
    assert_eq!(state.finish(run(&second)).len(), 1);
    assert!(!state.is_busy());
    let shown = state.shown.as_ref().unwrap();
    assert_eq!((shown.scene.camera.dimensions, shown.scene.axis_names.len()), (Dimensions::Three, 3));
}

#[test]
fn the_whole_window_is_drawn_with_its_panels() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), 20, 30);
    let context: &GpuContext = gpu();
    let mut state = opened(&path, ViewKind::Trajectories, Dimensions::Two);
    let picture = headless::draw(context, &mut state, [1200, 800], Chrome::Panels).unwrap();
    assert_eq!(picture.drawn, 600);
    let at = |x: usize, y: usize| &picture.rgba[(y * 1200 + x) * 4..][..3];
    assert_eq!(at(3, 400), Theme::Dark.panel().0, "the left panel");
    assert_eq!(at(1197, 400), Theme::Dark.panel().0, "the right panel");
    let again = headless::draw(context, &mut state, [1200, 800], Chrome::Panels).unwrap();
    assert!(picture == again, "two pictures of one state differ");
}

#[test]
fn a_command_line_that_makes_no_sense_is_answered_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let collection = wandering(folder.path(), 2, 3);
    let collection = collection.to_str().unwrap();
    let out = folder.path().join("x.png");
    let out = out.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["paint"], "paint"),
        (&["render", "--out", out, "/no/such/collection"], "/no/such/collection"),
        (&["render", collection], "--out"),
        (&["render", collection, "--out", "map.bmp"], ".png"),
        (&["render", collection, "--out", "/no/such/folder/map.png"], "/no/such/folder"),
        (&["render", collection, "--out", out, "--size", "0x9"], "1600x1000"),
        (&["render", collection, "--out", out, "--size", "99999x9"], "pixels"),
        (&["render", collection, "--out", out, "--space", "mtt-vgg-taggrams"], "msd-musicnn-taggrams"),
        (&["render", collection, "--out", out, "--space", "polka"], "polka"),
        (&["render", collection, "--out", out, "--method", "original", "--axes", "1,9999"], "9999"),
        (&["render", collection, "--out", out, "--layout", "/no/such.npy"], "/no/such.npy"),
        (&["explore", "/no/such/collection"], "/no/such/collection"),
    ];
    for (arguments, mentioned) in cases {
        let output = tagscape(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = error.lines().filter(|line| !line.contains("XDG_RUNTIME_DIR")).collect();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(said.len(), 1, "{arguments:?}: {error}");
        assert!(said[0].starts_with("tagscape: ") && said[0].contains(mentioned), "{arguments:?}: {error}");
    }
    assert!(GpuContext::headless(AdapterChoice::Named("no such adapter".into())).is_err());
}
