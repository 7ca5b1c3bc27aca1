//! A glance: of a large space a layout of all rows that is there soon, and then the exact one under the same number.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tagscape::app::jobs::{Jobs, Outcome};
use tagscape::app::projection_job::ProjectionRequest;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::app::worker::Wake;
use tagscape::command::{Command, Listen, MethodKind};
use tagscape::project::{Compute, NoObserver, Observer};
use tagscape::scene::{ColorBy, MapSize};
use tagscape::store::Collection;

use crate::common::collection::wandering_in;

const SPACE: &str = "msd-musicnn-taggrams";
const MAP: MapSize = MapSize { width: 800.0, height: 600.0 };
const TRACKS: usize = 20;
/// Of a track: half a million rows in all, and a few more.
const SEGMENTS: usize = 25_050;

fn opened(folder: &Path, segments: usize) -> (AppState, ProjectionRequest) {
    let collection = Collection::open(&wandering_in(folder, &[(SPACE, segments)], TRACKS)).unwrap();
    let choices = Choices { color_by: ColorBy::None, listen: Listen::Off, ..Choices::of(SPACE.parse().unwrap()) };
    let (mut state, effects) = AppState::open(collection, choices, None, Compute::Cpu).unwrap();
    state.set_map_size(MAP);
    (state, asked(&effects))
}

/// The projection that effects ask for.
fn asked(effects: &[Effect]) -> ProjectionRequest {
    let request = effects.iter().find_map(|effect| match effect {
        Effect::Project(request) => Some((**request).clone()),
        _ => None,
    });
    request.expect("a projection is asked for")
}

/// The next outcome, waited for.
fn next(jobs: &Jobs, woken: &Receiver<()>) -> Outcome {
    loop {
        if let Some(outcome) = jobs.finished().next() {
            return outcome;
        }
        // Longer than that it hangs.
        woken.recv_timeout(Duration::from_secs(100)).expect("an outcome comes");
    }
}

/// Pearson's correlation of a coordinate of two layouts.
fn correlation(one: &[[f32; 3]], other: &[[f32; 3]], axis: usize) -> f64 {
    let column = |rows: &[[f32; 3]]| -> Vec<f64> {
        let mean = rows.iter().map(|row| f64::from(row[axis])).sum::<f64>() / rows.len() as f64;
        rows.iter().map(|row| f64::from(row[axis]) - mean).collect()
    };
    let (a, b) = (column(one), column(other));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn a_glance_of_all_rows_comes_first_and_the_exact_layout_takes_its_place_under_the_users_eye() {
    let folder = tempfile::tempdir().unwrap();
    let (mut state, request) = opened(folder.path(), SEGMENTS);
    // As in the window.
    state.set_morphing(true);
    let (sender, woken) = channel();
    let sender = Mutex::new(sender);
    // Nobody hears the last ones.
    let wake: Wake = Arc::new(move || _ = sender.lock().unwrap().send(()));
    let jobs = Jobs::start(wake).unwrap();
    jobs.request(request.clone());

    let (serial, glance) = next(&jobs, &woken);
    let glance = glance.unwrap();
    assert_eq!((serial, glance.serial, glance.is_glance), (request.serial, request.serial, true));
    assert_eq!(glance.positions.len(), TRACKS * SEGMENTS);
    assert!(glance.explained.is_empty() && glance.axis_names.iter().all(|name| !name.contains('%')), "{:?}", glance.axis_names);
    let seen = glance.positions.clone();
    state.finish((serial, Ok(glance)));
    assert!(state.is_busy() && state.shown.as_ref().unwrap().is_glance, "more is to come");

    state.update(Command::Zoom { factor: 3.0, at: glam::vec2(500.0, 200.0) });
    state.update(Command::Pan(glam::vec2(-31.0, 17.0)));
    let camera = state.shown.as_ref().unwrap().scene.camera;

    let (again, exact) = next(&jobs, &woken);
    let exact = exact.unwrap();
    assert_eq!((again, exact.serial, exact.is_glance), (serial, serial, false));
    assert_eq!(exact.explained.len(), 50);
    for axis in 0..2 {
        let alike = correlation(&seen, &exact.positions, axis);
        assert!(alike > 0.99, "axis {axis}: {alike}");
    }
    assert!(seen[..] != exact.positions[..], "the exact one is another");
    state.finish((again, Ok(exact)));
    assert!(!state.is_busy() && !state.shown.as_ref().unwrap().is_glance);
    assert!(!state.is_morphing(), "what hardly moves does not travel");
    for time in [0.0, 0.5, 5.0] {
        state.advance(time);
        assert_eq!(state.shown.as_ref().unwrap().scene.camera, camera, "the user's camera stays, {time} s after");
    }
    assert!(!state.is_morphing());

    // A camera in nobody's hand shows all of what is there; so does one of another layout, whoever had it before.
    state.set_morphing(false);
    let is_fitted = |state: &AppState| {
        let scene = &state.shown.as_ref().unwrap().scene;
        let mut fitted = scene.clone();
        fitted.fit(MAP.aspect());
        fitted.camera == scene.camera
    };
    assert!(!is_fitted(&state));
    let other = asked(&state.update(Command::SetMethod(MethodKind::StdPca)));
    assert!(other.serial != serial);
    state.finish((other.serial, Ok(other.glance(&NoObserver).unwrap().unwrap())));
    assert!(is_fitted(&state) && state.is_busy());
    state.finish((other.serial, Ok(other.run(&NoObserver).unwrap())));
    assert!(is_fitted(&state) && !state.is_busy());
    // A glance that comes too late changes nothing.
    assert!(state.finish((serial, Ok(request.glance(&NoObserver).unwrap().unwrap()))).is_empty());
    assert!(!state.is_busy() && state.shown.as_ref().unwrap().serial == other.serial);
}

/// Wants nothing any more.
struct GivenUp;

impl Observer for GivenUp {
    fn progress(&self, _: f64) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn of_a_request_that_was_given_up_neither_glance_nor_layout_comes() {
    let [large, small] = [SEGMENTS, 5].map(|segments| {
        let folder = tempfile::tempdir().unwrap();
        let (_, request) = opened(folder.path(), segments);
        (request, folder)
    });
    assert!(large.0.glance(&GivenUp).is_err() && large.0.run(&GivenUp).is_err());
    let numbered = |request: &ProjectionRequest, serial| ProjectionRequest { serial, ..request.clone() };

    // The worker stands still at each of its first two calls until it is let go.
    let (reached, is_there) = channel();
    let (go, wait) = channel();
    let gate = Mutex::new((2, reached, wait));
    let wake: Wake = Arc::new(move || {
        let mut gate = gate.lock().unwrap();
        if gate.0 > 0 {
            gate.0 -= 1;
            gate.1.send(()).unwrap();
            gate.2.recv().unwrap();
        }
    });
    let jobs = Jobs::start(wake).unwrap();
    let arrive = || is_there.recv_timeout(Duration::from_secs(100)).expect("the worker comes by");
    let whole = |outcome: Outcome| (outcome.0, outcome.1.unwrap().is_glance);

    // Given up before it is begun: the worker is at the gate with what was before.
    jobs.request(numbered(&small.0, 1));
    arrive();
    jobs.request(numbered(&large.0, 2));
    jobs.cancel(2);
    // Given up on the way, or with the glance there.
    jobs.request(numbered(&large.0, 3));
    go.send(()).unwrap();
    arrive();
    let first: Vec<_> = jobs.finished().map(whole).collect();
    assert!(first.iter().all(|outcome| [(1, false), (3, true)].contains(outcome)), "{first:?}");
    jobs.cancel(3);
    jobs.request(numbered(&small.0, 4));
    go.send(()).unwrap();
    // It does all in turn: what would still come of the others comes before the last one.
    let last = (0..50_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(2));
        jobs.finished().next()
    });
    assert_eq!(last.map(whole), Some((4, false)));
}

#[test]
fn there_is_no_glance_of_what_is_there_soon_or_has_nothing_to_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (_, small) = opened(folder.path(), 30);
    assert!(small.glance(&NoObserver).unwrap().is_none());
    let folder = tempfile::tempdir().unwrap();
    let (_, large) = opened(folder.path(), SEGMENTS);
    for method in [MethodKind::Original, MethodKind::Tsne, MethodKind::Umap] {
        assert!(ProjectionRequest { method, ..large.clone() }.glance(&NoObserver).unwrap().is_none(), "{method:?}");
    }
}
