//! Embeddings that form in front of the user: the worker's thread, the user's hand on it, and what comes of it on the map.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tagscape::app::descent_job::{DescentFrame, Steering};
use tagscape::app::jobs::Jobs;
use tagscape::app::state::{AppState, Choices, Effect};
use tagscape::command::{Command, Listen, MethodKind, Tuning};
use tagscape::project::{Compute, NoObserver, descent};
use tagscape::scene::{Bounds, Dimensions, MapSize};
use tagscape::store::Collection;

use crate::common::collection::wandering;
use crate::common::gpu::gpu;

/// A window without a window: the state, its worker, and what it does with effects.
struct Session {
    state: AppState,
    jobs: Jobs,
    /// The logged projections: their steps.
    told: Vec<Option<usize>>,
    /// The last steering that was sent to the worker.
    steering: Steering,
}

impl Session {
    fn open(method: MethodKind, dimensions: Dimensions, compute: Compute) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::open(&wandering(folder.path(), 12, 25)).unwrap();
        let choices = Choices { method, dimensions, listen: Listen::Off, ..Choices::of("msd-musicnn-embeddings".parse().unwrap()) };
        let (mut state, effects) = AppState::open(collection, choices, None, compute).unwrap();
        state.set_map_size(MapSize { width: 800.0, height: 600.0 });
        let mut session = Self { state, jobs: Jobs::start(Arc::new(|| {})).unwrap(), told: Vec::new(), steering: Steering::default() };
        session.carry_out(effects);
        (session, folder)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Project(request) => {
                    self.steering = Steering { tuning: request.tuning, ..Steering::default() };
                    self.jobs.request(*request);
                }
                Effect::Cancel(serial) => self.jobs.cancel(serial),
                Effect::Steer(steering) => {
                    self.steering = steering;
                    self.jobs.steer(steering);
                }
                Effect::Log(tagscape::app::event_log::Event::Projection { iterations, .. }) => self.told.push(iterations),
                Effect::Log(event) => println!("{event:?}"),
                _ => {}
            }
        }
    }

    fn wish(&mut self, command: Command) {
        let effects = self.state.update(command);
        self.carry_out(effects);
    }

    /// Fetches what the worker has done until `is_enough`; how many layouts of an embedding came.
    fn fetch(&mut self, is_enough: impl Fn(&AppState) -> bool) -> usize {
        let until = Instant::now() + Duration::from_secs(120);
        let mut frames = 0;
        while !is_enough(&self.state) {
            assert!(Instant::now() < until, "nothing came: {:?}", self.state.notices);
            self.state.progress = self.jobs.progress();
            let outcomes: Vec<_> = self.jobs.finished().collect();
            let mut effects: Vec<Effect> = outcomes.into_iter().flat_map(|outcome| self.state.finish(outcome)).collect();
            if let Some(frame) = self.jobs.frame() {
                frames += 1;
                effects.extend(self.state.follow(frame));
            }
            self.carry_out(effects);
            std::thread::sleep(Duration::from_millis(1));
        }
        frames
    }

    fn iteration(&self) -> usize {
        self.state.shown.as_ref().and_then(|shown| shown.descent).map_or(0, |descent| descent.iteration)
    }

    /// Returns whether the worker does no step any more, although it answers.
    fn stands_still(&mut self) -> bool {
        self.fetch(|state| !state.is_moving());
        self.answers_without_a_step()
    }

    /// Sends three wishes that need no step, and returns whether the answers show none.
    fn answers_without_a_step(&mut self) -> bool {
        let before = self.iteration();
        let wanted = self.steering;
        let other = Tuning { rate: wanted.tuning.rate * 0.5, ..wanted.tuning };
        // The last of them leaves the worker as it was.
        let wishes = [other, wanted.tuning, other, wanted.tuning].map(|tuning| Steering { tuning, ..wanted });
        let answers = wishes.map(|steering| self.answer_to(steering));
        answers.iter().all(|&iteration| iteration == before)
    }

    /// Waits for the first layout that obeys `steering`, and returns its step.
    fn answer_to(&mut self, steering: Steering) -> usize {
        self.jobs.steer(steering);
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < until, "the worker does not answer");
            let Some(frame) = self.jobs.frame() else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            let (obeyed, iteration) = (frame.obeyed, frame.iteration);
            let effects = self.state.follow(frame);
            self.carry_out(effects);
            if obeyed == steering {
                return iteration;
            }
        }
    }
}

fn iterations_of(state: &AppState) -> usize {
    state.shown.as_ref().and_then(|shown| shown.descent).map_or(0, |descent| descent.iteration)
}

#[test]
fn an_embedding_forms_in_front_of_the_user_and_is_told_when_it_is_done() {
    for (dimensions, compute) in
        [(Dimensions::Two, Compute::Cpu), (Dimensions::Three, Compute::Cpu), (Dimensions::Two, Compute::Gpu(gpu().clone()))]
    {
        let (mut session, _folder) = Session::open(MethodKind::Tsne, dimensions, compute.clone());
        session.fetch(|state| state.shown.is_some());
        assert!(session.state.is_moving() && !session.state.is_busy());
        assert!(!session.answers_without_a_step(), "what moves does not stand still");
        let frames = session.fetch(|state| !state.is_moving());
        assert!(frames > 20, "{frames} layouts of 750 steps");
        let shown = session.state.shown.as_ref().unwrap();
        let descent = shown.descent.unwrap();
        assert_eq!((descent.iteration, descent.planned, descent.is_settled), (750, 750, true));
        assert!(descent.divergence.is_some_and(|kl| (0.0..2.0).contains(&kl)), "{descent:?}");
        assert_eq!(shown.scene.bounds, Bounds::of(&shown.scene.positions), "what stands still is seen whole");
        assert!(shown.scene.bounds.extent().max_element() > 1.0, "{:?}", shown.scene.bounds);
        assert_eq!(session.told, [Some(0), Some(750)]);
        assert_eq!(shown.columns.is_some(), matches!(compute, Compute::Gpu(_)), "a GPU's steps write where the renderer reads");
        if let Some(columns) = &shown.columns {
            assert_eq!(columns.read(gpu()).unwrap(), shown.scene.positions.to_vec());
        }
        assert!(session.stands_still());
    }
}

#[test]
fn it_is_paused_goes_on_is_reheated_and_tuned_without_starting_over() {
    let (mut session, _folder) = Session::open(MethodKind::Tsne, Dimensions::Two, Compute::Cpu);
    session.fetch(|state| iterations_of(state) > 20);
    session.wish(Command::SetPaused(true));
    assert!(session.stands_still(), "paused");
    let (paused_at, positions) = (session.iteration(), session.state.shown.as_ref().unwrap().scene.positions.clone());
    assert!(paused_at < 750);

    // Another perplexity is calibrated while it is held: the layout stays, the measure of it changes.
    let before = session.state.shown.as_ref().unwrap().descent.unwrap().divergence.unwrap();
    session.wish(Command::Tune(Tuning { perplexity: 5.0, ..Tuning::default() }));
    let has_other =
        |state: &AppState| state.shown.as_ref().unwrap().descent.unwrap().divergence.is_some_and(|kl| (kl - before).abs() > 1e-3);
    session.fetch(has_other);
    assert_eq!(session.state.shown.as_ref().unwrap().scene.positions, positions);
    assert_eq!(session.iteration(), paused_at);

    session.wish(Command::SetPaused(false));
    assert!(session.state.is_moving());
    session.fetch(|state| iterations_of(state) > paused_at);
    // More neighbours than were sought are sought now.
    session.wish(Command::Tune(Tuning { perplexity: 60.0, exaggeration: Some(4.0), ..Tuning::default() }));
    session.fetch(|state| state.shown.as_ref().unwrap().descent.unwrap().exaggeration == Some(4.0));
    session.fetch(|state| !state.is_moving());
    assert_eq!(session.iteration(), 750);
    assert!(session.stands_still());

    session.wish(Command::Reheat);
    assert!(session.state.is_moving());
    session.fetch(|state| !state.is_moving());
    assert_eq!(session.iteration(), 1500);
    assert_eq!(session.told, [Some(0), Some(750), Some(1500)]);
    assert!(session.state.notices.newest().is_none(), "{:?}", session.state.notices);
}

#[test]
fn a_slider_of_what_is_done_sets_it_in_motion_and_is_seen() {
    for method in [MethodKind::Tsne, MethodKind::Umap] {
        let (mut session, _folder) = Session::open(method, Dimensions::Two, Compute::Cpu);
        session.fetch(|state| !state.is_moving() && !state.is_busy());
        let planned = session.state.shown.as_ref().unwrap().descent.unwrap().planned;
        assert_eq!(session.iteration(), planned, "{method:?}");
        let before = session.state.shown.as_ref().unwrap().scene.positions.clone();
        // A drag: many values, one after the other, and the steps begin once.
        for rate in [1.5, 2.0, 2.5] {
            session.wish(Command::Tune(Tuning { rate, ..Tuning::default() }));
            assert!(session.state.is_moving(), "{method:?}, {rate}");
        }
        session.fetch(|state| !state.is_moving());
        assert_eq!(session.iteration(), 2 * planned, "{method:?}");
        assert_ne!(session.state.shown.as_ref().unwrap().scene.positions, before, "{method:?}");
        // What it has already changes nothing.
        session.wish(Command::Tune(Tuning { rate: 2.5, ..Tuning::default() }));
        assert!(!session.state.is_moving() && session.stands_still(), "{method:?}");
    }
}

#[test]
fn umap_forms_is_paused_tuned_and_reheated_as_well() {
    for (dimensions, compute) in [(Dimensions::Two, Compute::Cpu), (Dimensions::Three, Compute::Gpu(gpu().clone()))] {
        let is_on_gpu = matches!(compute, Compute::Gpu(_));
        let (mut session, _folder) = Session::open(MethodKind::Umap, dimensions, compute);
        session.fetch(|state| iterations_of(state) > 5);
        session.wish(Command::SetPaused(true));
        assert!(session.stands_still(), "paused");
        assert!(session.iteration() < 500);
        session.wish(Command::Tune(Tuning { min_dist: 0.9, rate: 0.5, ..Tuning::default() }));
        session.wish(Command::SetPaused(false));
        session.fetch(|state| !state.is_moving());
        let shown = session.state.shown.as_ref().unwrap();
        let (descent, wide) = (shown.descent.unwrap(), shown.scene.bounds.extent().max_element());
        assert_eq!((descent.iteration, descent.planned, descent.divergence, descent.exaggeration), (500, 500, None, None));
        assert_eq!(shown.scene.bounds, Bounds::of(&shown.scene.positions), "what stands still is seen whole");
        assert_eq!(shown.columns.is_some(), is_on_gpu, "a GPU's steps write where the renderer reads");
        if let Some(columns) = &shown.columns {
            assert_eq!(columns.read(gpu()).unwrap(), shown.scene.positions.to_vec());
        }
        let before = shown.scene.positions.clone();
        session.wish(Command::Reheat);
        session.wish(Command::Tune(Tuning { min_dist: 0.0, ..Tuning::default() }));
        assert!(session.state.is_moving());
        session.fetch(|state| !state.is_moving());
        assert_eq!((session.iteration(), session.told.last()), (1000, Some(&Some(1000))));
        let shown = session.state.shown.as_ref().unwrap();
        assert!(shown.scene.positions != before && wide > 1.0 && session.state.notices.newest().is_none(), "{:?}", session.state.notices);
    }
}

#[test]
fn another_projection_ends_it_and_a_request_that_is_given_up_leaves_the_map_as_it_is() {
    let (mut session, _folder) = Session::open(MethodKind::Tsne, Dimensions::Two, Compute::Cpu);
    session.fetch(|state| iterations_of(state) > 5);
    session.wish(Command::SetMethod(MethodKind::Pca));
    session.fetch(|state| state.shown.as_ref().is_some_and(|shown| shown.method == MethodKind::Pca));
    assert!(session.state.descent_view().is_none() && !session.state.is_moving());
    assert!(session.jobs.frame().is_none(), "no layout of an embedding that is over");

    // The request is carried out here, so that its outcome is there after it was given up.
    let effects = session.state.update(Command::SetMethod(MethodKind::Original));
    let mut requests = effects.into_iter().filter_map(|effect| match effect {
        Effect::Project(request) => Some(*request),
        _ => None,
    });
    let request = requests.next().unwrap();
    assert!(session.state.is_busy());
    let outcome = request.run(&NoObserver).unwrap();
    session.wish(Command::StopProjecting);
    assert!(!session.state.is_busy());
    assert_eq!(session.state.choices.method, MethodKind::Pca);
    session.state.finish((request.serial, Ok(outcome)));
    assert_eq!(session.state.shown.as_ref().unwrap().method, MethodKind::Pca);
    // It is not stuck.
    session.wish(Command::SetMethod(MethodKind::StdPca));
    session.fetch(|state| state.shown.as_ref().is_some_and(|shown| shown.method == MethodKind::StdPca));
}

#[test]
fn a_layout_of_another_request_is_not_shown() {
    let (mut session, _folder) = Session::open(MethodKind::Pca, Dimensions::Two, Compute::Cpu);
    session.fetch(|state| state.shown.is_some());
    let before = session.state.shown.as_ref().unwrap().scene.positions.clone();
    let stale = DescentFrame {
        serial: 0,
        obeyed: Steering::default(),
        iteration: 3,
        planned: 4,
        divergence: None,
        exaggeration: None,
        bounds: Bounds::UNIT,
        positions: Some(vec![[9.0; 3]; before.len()].into()),
        tree: None,
        is_settled: false,
        seconds: 0.0,
        trouble: Some("stale".to_owned()),
        is_over: false,
    };
    assert!(session.state.follow(stale).is_empty());
    assert_eq!(session.state.shown.as_ref().unwrap().scene.positions, before);
    assert!(session.state.notices.newest().is_none());
}

#[test]
fn steps_keep_to_their_number_and_to_their_time() {
    let matrix = tagscape::matrix::FeatureMatrix::new(30, 4, (0..120_u8).map(|at| f32::from(at % 7)).collect());
    let embedding = tagscape::project::Embedding::Tsne(tagscape::project::tsne::TsneOptions { iterations: 12, ..Default::default() });
    let mut run = embedding.begin(&matrix, true, &Compute::Cpu, &tagscape::project::NoObserver).unwrap();
    descent::advance(&mut *run, Duration::from_secs(60), 5).unwrap();
    assert_eq!(run.iteration(), 5);
    descent::advance(&mut *run, Duration::ZERO, 5).unwrap();
    assert_eq!(run.iteration(), 5);
    for _ in 0..3 {
        descent::advance(&mut *run, Duration::from_secs(60), 5).unwrap();
    }
    assert_eq!((run.iteration(), run.planned()), (12, 12));
}
