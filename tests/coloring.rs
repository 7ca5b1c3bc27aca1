//! What rows are coloured by, from the command line to the picture, on a collection made of numbers.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use tagscape::app::coloring_job;
use tagscape::app::coloring_job::ColoringRequest;
use tagscape::app::headless;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::catalog::SegmentId;
use tagscape::command::{Command as Wish, Listen, MethodKind};
use tagscape::matrix::RowSource;
use tagscape::project::{Compute, NoObserver};
use tagscape::scene::coloring::{Column, Values};
use tagscape::scene::row_colors::unknown_color;
use tagscape::scene::{ColorBy, Combine, MapSize, Palette, Scale, Theme};
use tagscape::store::Collection;

use crate::common::collection::{wandering, wandering_in};

const TRACKS: usize = 12;
const SEGMENTS: usize = 10;

fn choices(by: &str) -> Choices {
    Choices { color_by: by.parse().unwrap(), listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) }
}

fn opened(path: &Path, by: &str) -> AppState {
    let (mut state, effects) = AppState::open(Collection::open(path).unwrap(), choices(by), None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state.set_map_size(MapSize { width: 800.0, height: 600.0 });
    state
}

fn npy(folder: &Path, descr: &str, shape: &str, data: &[u8]) -> String {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    let path = folder.join(format!("{}.npy", bytes.len()));
    std::fs::write(&path, bytes).unwrap();
    format!("file:{}", path.display())
}

fn render(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagscape")).arg("render").args(arguments).output().unwrap()
}

#[test]
fn a_tags_activations_are_on_the_scale_at_each_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = wandering(folder.path(), TRACKS, SEGMENTS);
    let mut state = opened(&path, "tag:rock");
    let key = "msd-musicnn-taggrams".parse().unwrap();
    let matrix = Collection::open(&path).unwrap().matrix(key).unwrap();
    let mut row_values = vec![0.0; matrix.dims()];
    let shown = state.shown.as_ref().unwrap();
    let Values::Numbers(numbers) = &shown.scene.coloring.values else { panic!("{:?}", shown.scene.coloring) };
    let scale = Scale::of(Theme::Dark);
    for row in 0..TRACKS * SEGMENTS {
        matrix.read_rows(row..row + 1, &mut row_values).unwrap();
        let expected = scale.at(numbers.place(row_values[0])).unwrap();
        assert_eq!(shown.scene.color_of(SegmentId(row as u32)), expected, "row {row}");
    }
    // Another layout of the same rows keeps the colours, without reading them again.
    let before = shown.scene.coloring.clone();
    let effects = state.update(Wish::SetMethod(MethodKind::StdPca));
    headless::settle(&mut state, effects).unwrap();
    assert!(Arc::ptr_eq(&before, &state.shown.as_ref().unwrap().scene.coloring));
}

#[test]
fn colours_change_the_colours_column_and_nothing_else_and_follow_the_theme() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = opened(&wandering(folder.path(), TRACKS, SEGMENTS), "track");
    let scene = |state: &AppState| state.shown.as_ref().unwrap().scene.clone();
    let before = scene(&state);
    assert_eq!(before.colors.swatches.len(), TRACKS);
    assert_eq!(before.color_of(SegmentId(0)), Palette::new(Theme::Dark, TRACKS).color(0));
    assert!(state.update(Wish::SetColorBy(ColorBy::Duration)).is_empty(), "what tracks say needs no work");
    let after = scene(&state);
    assert_ne!(before.revision, after.revision);
    assert_eq!(before.layout_revision, after.layout_revision);
    assert!(Arc::ptr_eq(&before.positions, &after.positions));
    assert_ne!(before.colors.of_rows, after.colors.of_rows);
    state.update(Wish::SetTheme(Theme::Light));
    let light = scene(&state);
    assert_eq!(light.colors.swatches.as_ref(), Scale::of(Theme::Light).colors());
    // None of these tracks has a genre: all are of no class.
    state.update(Wish::SetColorBy(ColorBy::Genre));
    let genre = scene(&state);
    assert!(genre.coloring.classes().is_empty() && genre.color_of(SegmentId(3)) == unknown_color(Theme::Light));
}

#[test]
fn colours_under_way_are_dropped_when_something_else_is_wanted_and_stop_keeps_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = opened(&wandering(folder.path(), TRACKS, SEGMENTS), "track");
    let request = |effects: Vec<Effect>| -> ColoringRequest {
        let found = effects.into_iter().find_map(|effect| if let Effect::Color(request) = effect { Some(*request) } else { None });
        found.expect("colours are asked for")
    };
    let first = request(state.update(Wish::SetColorBy(ColorBy::Dim(0))));
    let second = request(state.update(Wish::SetColorBy(ColorBy::Density)));
    state.finish_coloring((first.serial, first.run(&NoObserver)));
    assert!(state.is_coloring(), "the first is stale");
    let stopped = state.update(Wish::StopColoring);
    assert!(matches!(stopped[..], [Effect::CancelColoring]) && !state.is_coloring());
    state.finish_coloring((second.serial, second.run(&NoObserver)));
    assert_eq!(state.choices.color_by, ColorBy::Track);
    assert_eq!(state.shown.as_ref().unwrap().scene.coloring.classes().len(), TRACKS);
    // The window's thread does the same work and answers under its number.
    let worker = coloring_job::start(Arc::new(|| {})).unwrap();
    let third = request(state.update(Wish::SetColorBy(ColorBy::Projection(None))));
    worker.request(third.serial, third);
    let outcome = loop {
        if let Some(outcome) = worker.finished().last() {
            break outcome;
        }
        std::thread::yield_now();
    };
    state.finish_coloring(outcome);
    assert!(
        matches!(&state.shown.as_ref().unwrap().scene.coloring.values, Values::Places(Column::Rows(places)) if places.len() == TRACKS * SEGMENTS)
    );
    // What cannot be done leaves what is shown, and says why.
    let missing = request(state.update(Wish::SetColorBy(ColorBy::File("nowhere.npy".into()))));
    state.finish_coloring((missing.serial, missing.run(&NoObserver)));
    assert_eq!(state.choices.color_by, ColorBy::Projection(None));
    assert!(state.notices.newest().is_some_and(|text| text.contains("nowhere.npy")));
}

#[test]
fn a_wish_that_a_space_has_nothing_of_is_kept_for_the_next_space_that_has() {
    let folder = tempfile::tempdir().unwrap();
    const OWN: &str = "msd-musicnn-embeddings";
    let (wide, longer) = (("msd-vgg-embeddings", SEGMENTS), ("mtt-vgg-embeddings", 2 * SEGMENTS));
    let spaces = [("msd-musicnn-taggrams", SEGMENTS), (OWN, SEGMENTS), longer, wide];
    let path = wandering_in(folder.path(), &spaces, TRACKS);
    let file = npy(folder.path(), "<f4", "(120,)", &vec![0; 480]);
    for (by, back, to) in [
        ("tag:rock", OWN, "msd-vgg-embeddings"),
        ("dim:230", "msd-vgg-embeddings", OWN),
        ("projection:msd-musicnn-taggrams", OWN, "mtt-vgg-embeddings"),
        (file.as_str(), OWN, "mtt-vgg-embeddings"),
    ] {
        let by: ColorBy = by.parse().unwrap();
        let is_wish = |state: &AppState| state.choices.color_by == by && *state.color_view().by == by;
        let mut state = opened(&path, "track");
        let show = |state: &mut AppState, space: &str| {
            let mut effects = state.update(Wish::SetSpace(space.parse().unwrap()));
            // As in a window: colours that cannot be made are told and nothing else.
            while let Some(effect) = effects.pop() {
                match effect {
                    Effect::Color(request) => effects.extend(state.finish_coloring((request.serial, request.run(&NoObserver)))),
                    effect => {
                        let color = |effects: Vec<Effect>| effects.into_iter().filter(|effect| matches!(effect, Effect::Color(_)));
                        if let Effect::Project(request) = effect {
                            effects.extend(color(state.finish((request.serial, request.run(&NoObserver)))));
                        }
                    }
                }
            }
        };
        show(&mut state, back);
        let effects = state.update(Wish::SetColorBy(by.clone()));
        headless::settle(&mut state, effects).unwrap();
        assert!(is_wish(&state) && state.color_view().instead.is_none(), "{by}");
        let wished = state.shown.as_ref().unwrap().scene.coloring.title.clone();
        show(&mut state, to);
        assert!(is_wish(&state), "{by} is still what is wished");
        assert_eq!(state.color_view().instead, Some(&ColorBy::Track), "{by}: no genre is known, so tracks stand in");
        assert_eq!(state.shown.as_ref().unwrap().scene.coloring.classes().len(), TRACKS, "{by}");
        show(&mut state, back);
        assert!(is_wish(&state) && state.color_view().instead.is_none(), "{by}");
        assert_eq!(state.shown.as_ref().unwrap().scene.coloring.title, wished, "{by} is back");
        assert_eq!(state.color_view().trouble, None, "{by}: what was told is over");
    }
    // What is asked for and is not there is told, and what is shown stays.
    let mut state = opened(&path, "tag:jazz");
    assert!(!state.update(Wish::SetColorBy("tag:no such tag".parse().unwrap())).is_empty());
    assert!(state.choices.color_by == "tag:jazz".parse().unwrap() && state.color_view().trouble.is_some());
    state.update(Wish::SetColorBy(ColorBy::Track));
    assert_eq!(state.color_view().trouble, None, "it goes with the next success");
}

#[test]
fn a_class_of_the_legend_is_chosen_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let data: Vec<u8> = (0..(TRACKS * SEGMENTS) as i32).flat_map(|row| (row % 3 - 1).to_le_bytes()).collect();
    let by = npy(folder.path(), "<i4", "(120,)", &data);
    let mut state = opened(&wandering(folder.path(), TRACKS, SEGMENTS), &by);
    let names = |state: &AppState| {
        state.shown.as_ref().unwrap().scene.coloring.classes().iter().map(|class| class.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&state), ["0", "1"]);
    let color = |state: &AppState, row| state.shown.as_ref().unwrap().scene.color_of(SegmentId(row));
    assert_eq!(color(&state, 0), unknown_color(Theme::Dark));
    let chosen = |state: &AppState| state.shown.as_ref().unwrap().scene.chosen.as_ref().map(|chosen| chosen.iter().collect::<Vec<_>>());
    let wish = |class, how| Wish::ChooseClass { class, how };
    let of = |rests: &[usize]| Some((0..TRACKS * SEGMENTS).filter(|row| rests.contains(&(row % 3))).collect::<Vec<_>>());
    state.update(wish(1, Combine::Replace));
    assert_eq!((chosen(&state), state.shown.as_ref().unwrap().scene.chosen_class), (of(&[2]), Some(1)));
    state.update(wish(0, Combine::Add));
    assert_eq!((chosen(&state), state.shown.as_ref().unwrap().scene.chosen_class), (of(&[1, 2]), None));
    state.update(wish(1, Combine::Subtract));
    state.update(wish(99, Combine::Replace));
    assert_eq!(chosen(&state), of(&[1]), "there is no class 99");
    for _ in 0..2 {
        state.update(wish(0, Combine::Replace));
    }
    assert_eq!(chosen(&state), None, "once more: all again");
    // Classes of tracks likewise; colours themselves stay as they are.
    state.update(Wish::SetColorBy(ColorBy::Track));
    state.update(wish(3, Combine::Replace));
    assert_eq!(chosen(&state), Some((3 * SEGMENTS..4 * SEGMENTS).collect()));
    state.update(Wish::SetColorBy(ColorBy::Duration));
    assert!(state.update(wish(0, Combine::Replace)).is_empty(), "numbers have no classes");
}

#[test]
fn the_program_colours_a_picture_and_says_in_a_line_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let collection = wandering(folder.path(), TRACKS, SEGMENTS);
    let collection = collection.to_str().unwrap();
    let out = folder.path().join("map.png");
    let out = out.to_str().unwrap();
    let mut pictures = Vec::new();
    for by in ["track", "tag:Rock", "density", "projection:msd-musicnn-taggrams"] {
        let output = render(&[collection, "--size", "320x240", "--out", out, "--color-by", by]);
        assert!(output.status.success(), "{by}: {}", String::from_utf8_lossy(&output.stderr));
        pictures.push(std::fs::read(out).unwrap());
    }
    assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]));
    let short = npy(folder.path(), "<f4", "(2,)", &[0; 8]);
    for (by, words) in [
        ("tag:rok", &["'rok'", "rock"][..]),
        ("dim:201", &["201", "1 to 200"]),
        ("year", &["year"]),
        ("nonsense", &["nonsense", "tag:NAME"]),
        (&short, &["2 rows", "120"]),
        ("projection:mtt-vgg-taggrams", &["mtt-vgg-taggrams"]),
    ] {
        let output = render(&[collection, "--out", out, "--color-by", by]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{by}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{by}: {said}");
    }
}
