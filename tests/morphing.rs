//! Morphs at work in the state: from the layout that is shown to another of the same rows, as the window lets them.

use glam::{Vec2, Vec3};
use tagscape::app::headless;
use tagscape::app::pointing::GpuPicks;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command, MethodKind};
use tagscape::project::Compute;
use tagscape::scene::{Dimensions, MapSize, Scene};
use tagscape::store::Collection;
use tagscape::ui::Chrome;

use crate::common::collection::wandering_in;
use crate::common::gpu::gpu;

const MAP: MapSize = MapSize { width: 400.0, height: 300.0 };
const DIMENSIONS: [Dimensions; 2] = [Dimensions::Two, Dimensions::Three];
/// The first one has other rows.
const SPACES: [(&str, usize); 3] = [("mtt-musicnn-embeddings", 9), ("msd-musicnn-taggrams", 12), ("msd-musicnn-embeddings", 12)];

fn opened(folder: &std::path::Path, method: MethodKind, dimensions: Dimensions) -> AppState {
    let path = folder.join("wander.tagscape");
    let path = if path.exists() { path } else { wandering_in(folder, &SPACES, 8) };
    let choices = Choices { method, dimensions, ..Choices::of(SPACES[2].0.parse().unwrap()) };
    let (mut state, effects) = AppState::open(Collection::open(&path).unwrap(), choices, None, Compute::Cpu).unwrap();
    headless::settle(&mut state, effects).unwrap();
    state.set_map_size(MAP);
    state
}

fn change(state: &mut AppState, command: Command) {
    let effects = state.update(command);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Project(_))), "another layout is asked for");
    headless::settle(state, effects).unwrap();
}

fn scene(state: &AppState) -> &Scene {
    &state.shown.as_ref().unwrap().scene
}

/// Where each row is on the map now.
fn on_screen(state: &AppState) -> Vec<Vec2> {
    let scene = scene(state);
    scene.shown_positions().iter().map(|&at| scene.screen_from_layout(Vec3::from(at), MAP).unwrap()).collect()
}

/// The longest way between two pictures' places of a row.
fn apart(one: &[Vec2], other: &[Vec2]) -> f32 {
    assert!(!one.is_empty() && one.len() == other.len());
    one.iter().zip(other).map(|(one, other)| one.distance(*other)).fold(0.0, f32::max)
}

#[test]
fn another_layout_of_the_same_rows_begins_where_they_are_and_ends_exactly_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    for dimensions in DIMENSIONS {
        let mut state = opened(folder.path(), MethodKind::Pca, dimensions);
        state.set_morphing(true);
        state.update(Command::Zoom { factor: 1.3, at: Vec2::new(150.0, 120.0) });
        let before = on_screen(&state);
        change(&mut state, Command::SetMethod(MethodKind::StdPca));
        assert!(state.is_morphing());
        assert!(apart(&before, &on_screen(&state)) < 0.1, "{dimensions:?}: {}", apart(&before, &on_screen(&state)));
        let end = scene(&state).positions.clone();
        let revision = scene(&state).layout_revision;
        let mut share = -1.0;
        // The clock of the first frame, whatever it says, is the beginning.
        for time in [71.0, 71.2, 71.45, 71.7, 71.89] {
            state.advance(time);
            let now = scene(&state).morph.as_ref().expect("it is on its way").share;
            assert!(now > share && now < 1.0, "{time}: {now} after {share}");
            share = now;
            assert!(scene(&state).shown_positions()[..] != end[..]);
        }
        state.advance(71.91);
        assert!(!state.is_morphing());
        assert!(scene(&state).shown_positions()[..] == end[..] && scene(&state).layout_revision > revision);
        let mut fitted = scene(&state).clone();
        fitted.fit(MAP.aspect());
        assert_eq!(scene(&state).camera, fitted.camera);
        // It has an end: time that goes on changes nothing.
        state.advance(99.0);
        assert_eq!(scene(&state).camera, fitted.camera);
    }
}

#[test]
fn what_is_on_its_way_is_not_under_the_pointer() {
    let folder = tempfile::tempdir().unwrap();
    for (dimensions, picks) in [(DIMENSIONS[0], GpuPicks::None), (DIMENSIONS[1], GpuPicks::None), (DIMENSIONS[1], GpuPicks::All)] {
        let mut state = opened(folder.path(), MethodKind::Pca, dimensions);
        state.gpu_picks = picks;
        state.set_morphing(true);
        change(&mut state, Command::SetMethod(MethodKind::StdPca));
        let point = |state: &mut AppState, at: Vec2| state.update(Command::Point { at: Some(at), window_pixels: [0.0; 2] });
        for time in [0.0, 0.45, 0.8] {
            state.advance(time);
            let ends: Vec<Vec2> =
                scene(&state).positions.iter().map(|&at| scene(&state).screen_from_layout(at.into(), MAP).unwrap()).collect();
            for at in on_screen(&state).into_iter().chain(ends) {
                let effects = point(&mut state, at);
                let is_silent = effects.iter().all(|effect| matches!(effect, Effect::StopAudio));
                assert!(is_silent && scene(&state).hovered.is_none(), "{dimensions:?} at {time}: {effects:?}");
            }
        }
        state.advance(1.0);
        let at = on_screen(&state)[7];
        let effects = point(&mut state, at);
        let is_found = effects.iter().any(|effect| matches!(effect, Effect::Audition { .. } | Effect::Pick { .. }));
        assert!(is_found, "{dimensions:?}: once there, it is found: {effects:?}");
    }
}

#[test]
fn a_second_change_on_the_way_begins_from_where_points_are() {
    let folder = tempfile::tempdir().unwrap();
    for dimensions in DIMENSIONS {
        let mut state = opened(folder.path(), MethodKind::Pca, dimensions);
        state.set_morphing(true);
        let start = on_screen(&state);
        change(&mut state, Command::SetMethod(MethodKind::Original));
        state.advance(10.0);
        state.advance(10.4);
        let between = on_screen(&state);
        let first = scene(&state).morph.as_ref().unwrap().serial;
        change(&mut state, Command::SetMethod(MethodKind::StdPca));
        let morph = scene(&state).morph.as_ref().expect("it goes on");
        assert!(morph.serial != first && morph.share == 0.0);
        assert!(apart(&between, &on_screen(&state)) < 0.1, "{dimensions:?}: {}", apart(&between, &on_screen(&state)));
        assert!(apart(&between, &start) > 5.0, "{dimensions:?}: the first change was on its way");
        // Its time is its own.
        state.advance(10.5);
        assert!(apart(&between, &on_screen(&state)) < 0.1);
        state.advance(11.2);
        assert!(state.is_morphing());
        let end = scene(&state).positions.clone();
        state.advance(11.5);
        assert!(!state.is_morphing() && scene(&state).shown_positions()[..] == end[..]);
    }
}

#[test]
fn planes_become_spaces_but_other_rows_and_unwanted_morphs_are_there_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = opened(folder.path(), MethodKind::Pca, Dimensions::Two);
    change(&mut state, Command::SetMethod(MethodKind::StdPca));
    assert!(!state.is_morphing(), "nobody asked for it");
    state.set_morphing(true);
    let [other, same, here] = [0, 1, 2].map(|at| Command::SetSpace(SPACES[at].0.parse().unwrap()));
    change(&mut state, same);
    assert!(state.is_morphing(), "another space with the same rows");
    change(&mut state, Command::SetDimensions(Dimensions::Three));
    assert!(state.is_morphing(), "a plane becomes a space");
    state.advance(0.0);
    state.advance(0.3);
    // Even while others are on their way.
    for command in [other, here] {
        change(&mut state, command);
        assert!(!state.is_morphing(), "other rows");
        let mut fitted = scene(&state).clone();
        fitted.fit(MAP.aspect());
        assert_eq!(scene(&state).camera, fitted.camera);
    }
    state.set_morphing(false);
    change(&mut state, Command::SetMethod(MethodKind::Pca));
    assert!(!state.is_morphing());
}

#[test]
fn a_picture_file_never_has_points_on_their_way() {
    let folder = tempfile::tempdir().unwrap();
    for dimensions in DIMENSIONS {
        let mut changed = opened(folder.path(), MethodKind::Pca, dimensions);
        change(&mut changed, Command::SetMethod(MethodKind::StdPca));
        assert!(!changed.is_morphing());
        let mut direct = opened(folder.path(), MethodKind::StdPca, dimensions);
        let [one, other] = [&mut changed, &mut direct].map(|state| headless::draw(gpu(), state, [320, 240], Chrome::MapOnly).unwrap());
        assert!(one == other, "{dimensions:?}: it shows what was before");
    }
}
