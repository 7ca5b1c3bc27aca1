//! Where the time of the steps goes.

use std::time::Instant;

/// Wall time of a run's steps so far by what was done, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepSeconds {
    /// Repulsion of all pairs, where there are few rows.
    pub all_pairs: f64,
    /// Points onto the grid.
    pub put: f64,
    /// Fourier transforms, and the kernel's own where it changed.
    pub transform: f64,
    /// The potential at the points.
    pub read: f64,
    /// Pairs that are near.
    pub near: f64,
    /// Attraction along the affinities.
    pub attraction: f64,
    /// Momentum, gains, the step itself.
    pub motion: f64,
}

impl StepSeconds {
    /// All parts with their names, in the order of a step.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, f64); 7] {
        let Self { all_pairs, put, transform, read, near, attraction, motion } = *self;
        [
            ("all pairs", all_pairs),
            ("put", put),
            ("transform", transform),
            ("read", read),
            ("near", near),
            ("attraction", attraction),
            ("motion", motion),
        ]
    }
}

/// Measures one part after the other.
pub(super) struct Lap(Instant);

impl Lap {
    /// The first part begins.
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// A part ends here, and the next begins.
    pub(super) fn end(&mut self, part: &mut f64) {
        let now = Instant::now();
        *part += (now - self.0).as_secs_f64();
        self.0 = now;
    }
}
