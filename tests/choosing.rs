//! Choosing: regions on both engines, texts, what the state makes of them, and how the chosen rows look.

use std::sync::Arc;

use glam::Vec2;
use tagscape::app::drawing_trial::normal_scene;
use tagscape::app::event_log::Event;
use tagscape::app::headless::settle;
use tagscape::app::notices::Topic;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command, Listen, MethodKind, Tool};
use tagscape::gpu::{PositionBuffer, readback};
use tagscape::matrix::RowSource as _;
use tagscape::project::Compute;
use tagscape::render::{DrawOptions, MapBuffers, MapRenderer, SplatEngine, ViewTarget};
use tagscape::scene::{ChosenRows, Coloring, Combine, Dimensions, MapSize, Region, ViewKind};
use tagscape::store::Collection;

use crate::common::collection::wandering;
use crate::common::gpu::gpu;

const SIZE: [u32; 2] = [320, 240];
const MAP: MapSize = MapSize { width: 320.0, height: 240.0 };
const LASSO: [Vec2; 5] =
    [Vec2::new(150.0, 60.0), Vec2::new(260.0, 90.0), Vec2::new(180.0, 130.0), Vec2::new(270.0, 200.0), Vec2::new(120.0, 170.0)];

#[test]
fn both_engines_find_the_same_rows_of_a_lasso() {
    let context = gpu();
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        let scene = normal_scene(100_003, dimensions, ViewKind::Segments, MAP.aspect());
        let region = Region::inside(&LASSO, MAP);
        let [by_cpu, by_gpu] = [SplatEngine::Cpu, SplatEngine::Gpu].map(|engine| {
            let mut renderer = MapRenderer::new(context).unwrap();
            renderer.set_engine(engine);
            let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
            renderer.show(context, MapBuffers::new(context, &scene, positions).unwrap());
            renderer.select(context, &scene, &region).unwrap();
            let found = (0..100_000).find_map(|_| renderer.selected(context).unwrap()).expect("the answer comes");
            assert_eq!(renderer.selected(context).unwrap(), None, "once");
            found
        });
        assert!((5_000..99_000).contains(&by_cpu.count()), "{}", by_cpu.count());
        // A row within rounding of a cell's border may fall to either side of it.
        let differ = (0..scene.positions.len()).filter(|&row| by_cpu.contains(row) != by_gpu.contains(row)).count();
        assert!(differ <= 3, "{dimensions:?}: {differ} rows differ");
    }
}

#[test]
fn chosen_rows_keep_their_colours_the_others_are_grey_and_all_are_drawn() {
    let context = gpu();
    for (rows, view) in [(3_000, ViewKind::Segments), (250_000, ViewKind::Segments), (60_000, ViewKind::Density)] {
        for engine in [SplatEngine::Gpu, SplatEngine::Cpu] {
            let mut scene = normal_scene(rows, Dimensions::Two, view, MAP.aspect());
            // One colour: of many tracks that meet in a pixel none would be left.
            scene.color_by(Arc::new(Coloring::none()));
            let left: ChosenRows = ChosenRows::of(rows, |row| scene.positions[row][0] < -0.05);
            let draw = |chosen: Option<ChosenRows>, scene: &mut tagscape::scene::Scene| {
                scene.choose(chosen.map(Arc::new));
                let mut renderer = MapRenderer::new(context).unwrap();
                renderer.set_engine(engine);
                let positions = PositionBuffer::from_positions(context, &scene.positions).unwrap();
                renderer.show(context, MapBuffers::new(context, scene, positions).unwrap());
                let target = ViewTarget::new(context, SIZE, Dimensions::Two).unwrap();
                let mut encoder = context.device.create_command_encoder(&Default::default());
                let drawn = renderer.encode(context, &mut encoder, scene, &target, DrawOptions { pixels_per_point: 1.0 }).unwrap();
                context.queue.submit([encoder.finish()]);
                assert_eq!(renderer.splatted(context).unwrap().unwrap_or(drawn), rows);
                readback::read_texture(context, &target.color).unwrap()
            };
            let plain = draw(None, &mut scene);
            let picture = draw(Some(left), &mut scene);
            // How far from grey the pixels of a side of the picture are in the mean, and how many are lit.
            let side = |rgba: &[u8], is_left: bool| {
                let pixels = rgba.chunks_exact(4).enumerate().filter(|(at, pixel)| {
                    let x = at % SIZE[0] as usize;
                    pixel[3] > 0 && if is_left { x < 150 } else { x > 170 }
                });
                let colours: Vec<f64> =
                    pixels.map(|(_, p)| f64::from(p[0].max(p[1]).max(p[2]) - p[0].min(p[1]).min(p[2])) / f64::from(p[3])).collect();
                (colours.iter().sum::<f64>() / colours.len().max(1) as f64, colours.len())
            };
            let ((left, _), (right, lit)) = (side(&picture, true), side(&picture, false));
            let case = format!("{rows} rows as {view} by {engine:?}");
            assert!(left > 0.2 && right < 0.12, "{case}: colour {left} left and {right} right");
            // A density's faint rest is not smoothed: it lights fewer pixels.
            let share = if view == ViewKind::Density { 3 } else { 7 };
            let before = side(&plain, false).1;
            assert!(lit * 10 > before * share, "{case}: what is not chosen stays: {lit} of {before} pixels");
        }
    }
}

fn open(folder: &std::path::Path) -> AppState {
    let collection = Collection::open(&wandering(folder, 12, 25)).unwrap();
    let choices = Choices { listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
    let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
    settle(&mut state, effects).unwrap();
    state.set_map_size(MAP);
    state
}

/// Carries a wish out, and returns what was logged of choosing.
fn wish(state: &mut AppState, command: Command) -> Vec<(usize, &'static str)> {
    let mut waiting = state.update(command);
    if let Some(wanted) = state.take_region() {
        let rows = wanted.region.rows(&state.shown.as_ref().unwrap().scene);
        waiting.extend(state.finish_region(&wanted, rows));
    }
    let mut told = Vec::new();
    while let Some(effect) = waiting.pop() {
        match effect {
            Effect::Search(request) => waiting.extend(state.finish_search(request.run())),
            Effect::Log(Event::Select { count, tool }) => told.push((count, tool)),
            _ => {}
        }
    }
    told
}

#[test]
fn the_state_chooses_by_region_text_and_inversion_and_logs_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path());
    let rows = state.shown.as_ref().unwrap().scene.positions.len();
    let outline =
        |left: f32, right: f32| vec![Vec2::new(left, 0.0), Vec2::new(right, 0.0), Vec2::new(right, 240.0), Vec2::new(left, 240.0)];
    let inside = |outline, how| Command::ChooseInside { outline, tool: Tool::Rectangle, how };
    let all = wish(&mut state, inside(outline(0.0, 320.0), Combine::Replace));
    assert_eq!(all, [(rows, "rectangle")]);
    let left = wish(&mut state, inside(outline(0.0, 160.0), Combine::Replace))[0].0;
    assert!(left > 0 && left < rows);
    assert_eq!(wish(&mut state, Command::InvertChosen), [(rows - left, "invert")]);
    assert_eq!(wish(&mut state, inside(outline(0.0, 160.0), Combine::Add)), [(rows, "rectangle")]);
    assert_eq!(wish(&mut state, inside(outline(0.0, 160.0), Combine::Subtract)), [(rows - left, "rectangle")]);
    assert_eq!(wish(&mut state, Command::ClearChosen), [(0, "clear")]);
    assert_eq!((state.chosen_count(), wish(&mut state, Command::ClearChosen)), (None, vec![]));

    let path = state.collection.tracks()[3].path.to_uppercase();
    let text = |text: &str, how| Command::ChooseText { text: text.to_owned(), how };
    let by_path = wish(&mut state, text(&path, Combine::Replace));
    assert_eq!(by_path, [(state.collection.rows(state.choices.space).unwrap()[3].row_count, "text")]);
    // The same rows in another layout of them: they stay chosen.
    let effects = state.update(Command::SetMethod(MethodKind::StdPca));
    settle(&mut state, effects).unwrap();
    assert_eq!(state.chosen_count(), Some(by_path[0].0));
    // The tagger of the space shown says which segments a tag is on.
    let key = "msd-musicnn-taggrams".parse().unwrap();
    let (taggrams, column) =
        (state.collection.matrix(key).unwrap(), state.collection.tags(key).unwrap().unwrap().position("jazz").unwrap());
    let mut activations = vec![0.0; taggrams.dims()];
    let jazz = (0..rows).filter(|&row| {
        taggrams.read_rows(row..row + 1, &mut activations).unwrap();
        activations[column] > 0.5
    });
    let jazz = jazz.count();
    assert_eq!(wish(&mut state, text("tag:Jazz > 0.5", Combine::Replace)), [(jazz, "text")]);
    assert_eq!(wish(&mut state, text("tag:kazoo>0.5", Combine::Replace)), []);
    assert!(state.notices.newest().unwrap().contains("no tag \"kazoo\"; it has rock, pop"), "{:?}", state.notices);
    wish(&mut state, text(&path, Combine::Replace));
    // What matches nothing changes nothing and says so.
    assert_eq!(wish(&mut state, text("no such words anywhere", Combine::Replace)), []);
    assert!(state.notices.newest().unwrap().starts_with("Nothing matches"), "{:?}", state.notices);
    assert_eq!(state.chosen_count(), Some(by_path[0].0));
    // A line about a text is short, whatever was typed, is not in the status bar, and goes with the next text that chooses something.
    for (typed, near) in [("tag:jaz>0.5", "near it: jazz"), ("tag:xylophon>0.5", "and 47 others"), ("tag:rock>99", "try a smaller number")]
    {
        assert_eq!(wish(&mut state, text(typed, Combine::Replace)), []);
        let told = state.notices.about(Topic::Choice).unwrap().to_owned();
        assert!(told.contains(near) && told.len() < 120, "{typed}: {told}");
        assert_eq!(state.notices.for_status_bar(), None, "{typed}");
    }
    wish(&mut state, text(&path, Combine::Replace));
    assert_eq!(state.notices.newest(), None);
    wish(&mut state, text("no such words anywhere", Combine::Replace));
    wish(&mut state, Command::ClearChosen);
    assert_eq!(state.notices.newest(), None, "what is given up needs no line");
}

#[test]
fn a_search_that_was_overtaken_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path());
    let search = |state: &mut AppState| match state.update(Command::ChooseText { text: "a".into(), how: Combine::Replace }).remove(0) {
        Effect::Search(request) => request,
        other => panic!("{other:?}"),
    };
    let (first, second) = (search(&mut state), search(&mut state));
    assert!(state.finish_search(first.run()).is_empty() && state.is_searching());
    assert!(state.update(Command::ClearChosen).is_empty());
    assert!(state.finish_search(second.run()).is_empty());
    assert_eq!((state.chosen_count(), state.is_searching()), (None, false));
}
