//! An embedding under way in the background: its steps, the user's hand on it, and the layouts that it tells.
//!
//! Steps are done under a time budget; then a [`DescentFrame`] is put down for the window, and the next steps wait until it was taken (or
//! for a moment, where nobody looks): the picture keeps its pace, whatever a step costs. Where the steps run on the window's own GPU, the
//! layout stays there and the frame has its bounds alone; four times a second the positions are read as well, for the pointer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::AppError;
use crate::project::{Descent, Observer, Tuning, descent};
use crate::scene::{Bounds, PickTree};

/// Time for steps between two pictures, at least; where pictures take longer, steps have half of the time.
const BUDGET: Duration = Duration::from_millis(12);
/// Pictures that take longer than this do not get longer steps.
const SLOWEST: Duration = Duration::from_millis(200);
/// Steps in a sixtieth of a second at most, so that a small layout is seen to form.
const STEPS_OF_FRAME: usize = 5;
const FRAME: Duration = Duration::from_micros(16_667);
/// How long steps wait for a picture to be taken.
const PATIENCE: Duration = Duration::from_millis(100);
/// Between two readings of what costs as much as a step: the divergence, and positions that are on a GPU.
const DIVERGENCE_EVERY: Duration = Duration::from_millis(500);
const READ_EVERY: Duration = Duration::from_millis(250);

/// What the user wants of an embedding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steering {
    /// Whether its steps are held.
    pub is_paused: bool,
    /// How often its schedule was begun anew.
    pub reheats: u32,
    /// Its parameters.
    pub tuning: Tuning,
}

/// An embedding's layout at a moment.
#[derive(Debug)]
pub struct DescentFrame {
    /// The request's number.
    pub serial: u64,
    /// What was wanted of the steps that led to it.
    pub obeyed: Steering,
    /// Steps done.
    pub iteration: usize,
    /// The step after which it is done.
    pub planned: usize,
    /// The divergence in nats, as it was last measured.
    pub divergence: Option<f64>,
    /// What attraction is multiplied by.
    pub exaggeration: Option<f32>,
    /// The box around the positions.
    pub bounds: Bounds,
    /// The positions, `[rows]`; none where they are on the GPU and were not read.
    pub positions: Option<Arc<[[f32; 3]]>>,
    /// For finding what is under the pointer, of a plane that stands still.
    pub tree: Option<PickTree>,
    /// Whether it stands still: paused, done or given up.
    pub is_settled: bool,
    /// Time since the layout was asked for, in seconds.
    pub seconds: f64,
    /// Why something that was asked for did not come about.
    pub trouble: Option<String>,
    /// Whether it failed: nobody moves it any more.
    pub is_over: bool,
}

/// The window's side, as the steps see it.
pub trait Pilot: Observer {
    /// What is wanted now.
    fn steering(&self) -> Steering;

    /// Puts a layout down to be taken; one that was not taken is replaced.
    fn tell(&self, frame: DescentFrame);

    /// Waits until the last layout was taken, at most so long.
    fn wait_until_taken(&self, longest: Duration);

    /// Sleeps until something else than `known` is wanted, or nothing any more.
    fn wait_for_change(&self, known: &Steering);
}

/// Runs an embedding until it is no longer wanted. It does not end by itself: it may be reheated.
pub fn run(mut descent: Box<dyn Descent>, serial: u64, start: Instant, first: Steering, pilot: &dyn Pilot) {
    let mut flight = Flight { serial, start, known: first, divergence: None, began: None, measured: None, read: None, trouble: None };
    while !pilot.cancelled() {
        if let Err(error) = flight.go_on(&mut *descent, pilot) {
            if pilot.cancelled() {
                return;
            }
            // A device that failed will not do better in the next step.
            let bounds = Bounds::UNIT;
            let (iteration, planned) = (descent.iteration(), descent.iteration());
            let (divergence, trouble) = (flight.divergence, Some(error.to_string()));
            pilot.tell(DescentFrame {
                serial,
                obeyed: pilot.steering(),
                iteration,
                planned,
                divergence,
                exaggeration: None,
                bounds,
                positions: None,
                tree: None,
                is_settled: true,
                seconds: start.elapsed().as_secs_f64(),
                trouble,
                is_over: true,
            });
            return;
        }
    }
}

struct Flight {
    serial: u64,
    start: Instant,
    known: Steering,
    divergence: Option<f64>,
    /// When steps last began.
    began: Option<Instant>,
    measured: Option<Instant>,
    read: Option<Instant>,
    trouble: Option<String>,
}

impl Flight {
    fn go_on(&mut self, descent: &mut dyn Descent, pilot: &dyn Pilot) -> Result<(), AppError> {
        let wanted = pilot.steering();
        if wanted.tuning != self.known.tuning
            && let Err(error) = descent.tune(&wanted.tuning, pilot)
        {
            // The old parameters hold; what went wrong is told with the next layout.
            self.trouble = Some(error.to_string());
        }
        pilot.progress(1.0);
        if wanted.reheats != self.known.reheats {
            descent.reheat();
        }
        self.known = wanted;
        if !wanted.is_paused {
            let since = self.began.map_or(FRAME, |began| began.elapsed().min(SLOWEST));
            self.began = Some(Instant::now());
            let frames = since.as_secs_f64() / FRAME.as_secs_f64();
            descent::advance(descent, BUDGET.max(since / 2), (STEPS_OF_FRAME as f64 * frames).round() as usize)?;
        } else {
            self.began = None;
        }
        let is_settled = wanted.is_paused || descent.iteration() >= descent.planned();
        let frame = self.frame(descent, is_settled)?;
        pilot.wait_until_taken(PATIENCE);
        pilot.tell(frame);
        if is_settled {
            pilot.wait_for_change(&self.known);
        }
        Ok(())
    }

    fn frame(&mut self, descent: &mut dyn Descent, is_settled: bool) -> Result<DescentFrame, AppError> {
        let is_due = |last: Option<Instant>, every: Duration| is_settled || last.is_none_or(|last| last.elapsed() >= every);
        if is_due(self.measured, DIVERGENCE_EVERY) {
            self.divergence = descent.divergence()?;
            self.measured = Some(Instant::now());
        }
        let is_read = descent.columns().is_none() || is_due(self.read, READ_EVERY);
        let positions: Option<Arc<[[f32; 3]]>> = if is_read {
            self.read = Some(Instant::now());
            let positions = descent.positions()?;
            descent::check_finite(&positions)?;
            Some(positions.into())
        } else {
            None
        };
        let bounds = match &positions {
            Some(positions) => Bounds::of(positions),
            None => {
                let [min, max] = descent.bounds()?;
                Bounds { min: min.into(), max: max.into() }
            }
        };
        let tree = positions.as_ref().filter(|_| is_settled && descent.dims() == 2).map(|positions| PickTree::new(positions));
        Ok(DescentFrame {
            serial: self.serial,
            obeyed: self.known,
            iteration: descent.iteration(),
            planned: descent.planned(),
            divergence: self.divergence,
            exaggeration: descent.exaggeration(),
            bounds,
            positions,
            tree,
            is_settled,
            seconds: self.start.elapsed().as_secs_f64(),
            trouble: self.trouble.take(),
            is_over: false,
        })
    }
}
