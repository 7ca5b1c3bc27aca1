//! An embedding under way: what t-SNE and UMAP have in common for whoever runs them to their end, or watches and steers them.

use std::time::{Duration, Instant};

use super::error::ProjectError;
use super::layout::EmbeddingReport;
use super::run::Observer;
use crate::gpu::PositionBuffer;

/// What may be changed while an embedding is under way. Each method takes what it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// t-SNE: what attraction is multiplied by; `None`: as planned, more at the beginning.
    pub exaggeration: Option<f32>,
    /// What the method's own learning rate is multiplied by.
    pub rate: f32,
    /// t-SNE: the perplexity.
    pub perplexity: f64,
    /// UMAP: how near rows that belong together may lie.
    pub min_dist: f32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { exaggeration: None, rate: 1.0, perplexity: 30.0, min_dist: 0.1 }
    }
}

/// An embedding under way, on whatever it runs.
pub trait Descent: Send {
    /// Rows of the layout.
    fn rows(&self) -> usize;

    /// Dimensions of the layout, 2 or 3.
    fn dims(&self) -> usize;

    /// Steps done, or on their way.
    fn iteration(&self) -> usize;

    /// The step after which it is done, if nobody reheats it.
    fn planned(&self) -> usize;

    /// One step; on a GPU it may still be on its way when this returns.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn step(&mut self) -> Result<(), ProjectError>;

    /// Waits until all steps are done.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn wait(&mut self) -> Result<(), ProjectError>;

    /// The layout as it is, `[rows]`; the third coordinate is 0 in a plane.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn positions(&mut self) -> Result<Vec<[f32; 3]>, ProjectError>;

    /// Where a GPU's steps write the layout, for a renderer on the same device; none on the CPU.
    fn columns(&self) -> Option<&PositionBuffer>;

    /// The lowest and the highest coordinates; `[0; 3]` twice where there are no rows.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn bounds(&mut self) -> Result<[[f32; 3]; 2], ProjectError> {
        Ok(bounds_of(&self.positions()?))
    }

    /// What attraction is multiplied by in the next step; none for a method that has no such factor.
    fn exaggeration(&self) -> Option<f32> {
        None
    }

    /// The divergence of the layout, in nats; none for a method that has no such measure.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn divergence(&mut self) -> Result<Option<f64>, ProjectError>;

    /// Takes other parameters from now on, without starting over. What has to be calculated anew for it may be stopped by the observer.
    ///
    /// # Errors
    /// [`ProjectError`]; the parameters are the old ones then.
    fn tune(&mut self, tuning: &Tuning, observer: &dyn Observer) -> Result<(), ProjectError>;

    /// Begins the schedule anew, from the layout as it is.
    fn reheat(&mut self);

    /// How it came about.
    ///
    /// # Errors
    /// [`ProjectError::Gpu`].
    fn report(&mut self) -> Result<EmbeddingReport, ProjectError>;
}

/// Looks whether every row has a place.
///
/// # Errors
/// [`ProjectError::NoPlace`] with the first row that has none.
pub fn check_finite(positions: &[[f32; 3]]) -> Result<(), ProjectError> {
    match positions.iter().position(|position| !position.iter().all(|value| value.is_finite())) {
        Some(row) => Err(ProjectError::NoPlace { row }),
        None => Ok(()),
    }
}

/// The lowest and the highest coordinates of positions; `[0; 3]` twice where there are none.
#[must_use]
pub fn bounds_of(positions: &[[f32; 3]]) -> [[f32; 3]; 2] {
    let first = positions.first().copied().unwrap_or_default();
    let mut bounds = [first; 2];
    for position in positions {
        for axis in 0..3 {
            bounds[0][axis] = bounds[0][axis].min(position[axis]);
            bounds[1][axis] = bounds[1][axis].max(position[axis]);
        }
    }
    bounds
}

/// Does steps until `budget` is used up or `most` are done, at least one, unless it has come to its end.
///
/// # Errors
/// As [`Descent::step`].
pub fn advance(descent: &mut dyn Descent, budget: Duration, most: usize) -> Result<(), ProjectError> {
    let start = Instant::now();
    for _ in 0..most.max(1) {
        if descent.iteration() >= descent.planned() || start.elapsed() >= budget {
            break;
        }
        descent.step()?;
        // A queue that grows would keep the picture waiting.
        descent.wait()?;
    }
    Ok(())
}

/// Does all steps that are left.
///
/// # Errors
/// As [`Descent::step`]; [`ProjectError::Cancelled`].
pub fn finish(descent: &mut dyn Descent, observer: &dyn Observer) -> Result<(), ProjectError> {
    while descent.iteration() < descent.planned() {
        descent.step()?;
        observer.progress(descent.iteration() as f64 / descent.planned() as f64);
        if observer.cancelled() {
            return Err(ProjectError::Cancelled);
        }
    }
    descent.wait()
}
