//! What the legend says the map's colours mean.

use tagscape::app::headless;
use tagscape::app::resources::demo_collection;
use tagscape::app::state::{AppState, Choices};
use tagscape::catalog::SegmentId;
use tagscape::command::{Command, Listen};
use tagscape::project::Compute;
use tagscape::scene::{ColorBy, MapSize, ViewKind};
use tagscape::store::Collection;

use crate::common::widgets::words;

const SIZE: [u32; 2] = [1440, 900];

/// The demo, coloured by genre.
fn opened(view: ViewKind) -> AppState {
    let collection = Collection::open(&demo_collection().unwrap()).unwrap();
    let space = "msd-musicnn-embeddings".parse().unwrap();
    let choices = Choices { color_by: ColorBy::Genre, view, listen: Listen::Off, ..Choices::of(space) };
    let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state
}

#[test]
fn the_legend_of_classes_says_what_grey_is_and_whose_rows_are_at_the_pointer() {
    let mut state = opened(ViewKind::Segments);
    let before = words(&mut state, SIZE);
    assert!(before.iter().any(|word| word == "mixed: grey") && before.iter().any(|word| word.starts_with("electronic: ")), "{before:?}");
    // A segment in the crowd.
    let map = MapSize { width: 936.0, height: 804.0 };
    let scene = &state.shown.as_ref().unwrap().scene;
    let crowded = |segment: &u32| {
        let at = scene.screen_of(SegmentId(*segment), map).unwrap();
        scene.positions.iter().filter(|&&position| scene.screen_from_layout(position.into(), map).unwrap().distance(at) < 12.0).count() > 20
    };
    let crowded = (0..scene.positions.len() as u32).find(crowded).unwrap();
    state.set_map_size(map);
    let at = state.shown.as_ref().unwrap().scene.screen_of(SegmentId(crowded), map);
    state.update(Command::Point { at, window_pixels: [0.0, 0.0] });
    let after = words(&mut state, SIZE);
    let said = after.iter().find(|word| word.starts_with("mixed: grey · ")).unwrap_or_else(|| panic!("{after:?}"));
    let count: usize = said.trim_start_matches("mixed: grey · ").split(' ').next().unwrap().parse().unwrap();
    assert!(count > 20 && said.ends_with("at the pointer"), "{said}");
}

#[test]
fn the_legend_of_a_density_is_a_scale_of_its_own() {
    let mut state = opened(ViewKind::Density);
    let found = words(&mut state, SIZE);
    assert!(found.iter().any(|word| word == "DENSITY") && found.iter().any(|word| word.starts_with("Segments in ")), "{found:?}");
    assert!(!found.iter().any(|word| word.starts_with("electronic: ") || word == "mixed: grey"), "{found:?}");
}
