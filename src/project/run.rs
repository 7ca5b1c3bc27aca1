//! A projection from start to end: the one call that the command line, the window and the benchmarks make.

use std::time::Instant;

use super::descent;
use super::device::{Compute, ComputeDevice};
use super::embedding::Embedding;
use super::error::ProjectError;
use super::layout::{AxisLabel, Layout};
use super::method::Method;
use super::pca::{self, Columns, Pca};
use super::{SelectedRows, original};
use crate::matrix::{FeatureMatrix, RowSource};

/// Someone who watches long work, and may stop it.
pub trait Observer: Sync {
    /// How much is done, 0 to 1.
    fn progress(&self, fraction: f64);

    /// Whether to stop; asked between chunks of rows.
    fn cancelled(&self) -> bool;
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn progress(&self, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// A part of an observer's progress.
pub struct Part<'a> {
    observer: &'a dyn Observer,
    from: f64,
    to: f64,
}

impl<'a> Part<'a> {
    /// The part from `from` to `to`, 0 to 1.
    #[must_use]
    pub fn new(observer: &'a dyn Observer, from: f64, to: f64) -> Self {
        Self { observer, from, to }
    }
}

impl Observer for Part<'_> {
    fn progress(&self, fraction: f64) {
        self.observer.progress(self.from + (self.to - self.from) * fraction);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}

/// What to project, and how.
pub struct Projection<'a> {
    /// The space, `[rows, dims]`. PCA and STD-PCA are fitted on all of it, t-SNE and UMAP on the rows that are shown.
    pub space: &'a dyn RowSource,
    /// What PCA and STD-PCA are fitted on instead, a sample of the space's rows, where a glance is wanted; `None`: all of it.
    pub fitted_on: Option<&'a dyn RowSource>,
    /// The rows that the layout has, by number; `None`: all.
    pub shown: Option<&'a [usize]>,
    /// Names of the space's columns, where they have some.
    pub column_names: &'a [String],
    /// How.
    pub method: Method,
}

impl Projection<'_> {
    /// Computes the layout.
    ///
    /// # Errors
    /// [`ProjectError`]: no rows, values that are no finite numbers (with the row), axes that are not there, a failing GPU, or
    /// the observer's wish to stop.
    pub fn run(&self, compute: &Compute, observer: &dyn Observer) -> Result<Layout, ProjectError> {
        let start = Instant::now();
        let (rows, dims) = (self.space.rows(), self.space.dims());
        if rows == 0 || dims == 0 {
            return Err(ProjectError::Empty { rows, dims });
        }
        let selected = self.shown.map(|shown| SelectedRows::try_new(self.space, shown)).transpose()?;
        let shown: &dyn RowSource = selected.as_ref().map_or(self.space, |selected| selected);
        let mut layout = match &self.method {
            Method::Original { axes } => self.original(shown, axes)?,
            Method::Pca { components } => {
                pca::with_engine(compute, |engine| self.pca(shown, Columns::Centred, components, engine, observer))?
            }
            Method::StdPca { components } => {
                pca::with_engine(compute, |engine| self.pca(shown, Columns::Standardised, components, engine, observer))?
            }
            Method::Embedding(embedding) => embed(shown, embedding, compute, observer)?,
        };
        layout.check_finite()?;
        layout.seconds = start.elapsed().as_secs_f64();
        observer.progress(1.0);
        Ok(layout)
    }

    fn original(&self, shown: &dyn RowSource, axes: &[usize]) -> Result<Layout, ProjectError> {
        let coordinates = original::columns(shown, axes)?;
        let name = |axis: usize| self.column_names.get(axis).cloned().unwrap_or_else(|| format!("dimension {}", axis + 1));
        let axes = axes.iter().map(|&axis| AxisLabel { name: name(axis), explained_variance_ratio: None }).collect();
        Ok(Layout { coordinates, axes, explained_variance_ratio: Vec::new(), embedding: None, device: ComputeDevice::Cpu, seconds: 0.0 })
    }

    fn pca(
        &self,
        shown: &dyn RowSource,
        columns: Columns,
        components: &[usize],
        engine: &mut dyn pca::Engine,
        observer: &dyn Observer,
    ) -> Result<Layout, ProjectError> {
        let dims = self.space.dims();
        if let Some(&component) = components.iter().find(|&&component| component >= dims) {
            return Err(ProjectError::NoSuchAxis { kind: "component", number: component + 1, count: dims });
        }
        let fitted = Pca::fit(self.fitted_on.unwrap_or(self.space), columns, engine, observer)?;
        if self.shown.is_some() || self.fitted_on.is_some() {
            // Other rows have the numbers that the engine may still hold.
            engine.forget();
        }
        let coordinates = fitted.transform(shown, components, engine, observer)?;
        let ratio = fitted.explained_variance_ratio();
        let axes = components
            .iter()
            .map(|&component| AxisLabel {
                name: format!("component {}", component + 1),
                explained_variance_ratio: Some(ratio[component] as f32),
            })
            .collect();
        Ok(Layout { coordinates, axes, explained_variance_ratio: ratio, embedding: None, device: engine.device(), seconds: 0.0 })
    }
}

fn embed(shown: &dyn RowSource, embedding: &Embedding, compute: &Compute, observer: &dyn Observer) -> Result<Layout, ProjectError> {
    let mut descent = embedding.begin(shown, false, compute, &Part::new(observer, 0.0, 0.3))?;
    descent::finish(&mut *descent, &Part::new(observer, 0.3, 1.0))?;
    let report = descent.report()?;
    let dims = descent.dims();
    let values = descent.positions()?.iter().flat_map(|at| at[..dims].iter().copied()).collect();
    Ok(Layout {
        coordinates: FeatureMatrix::new(descent.rows(), dims, values),
        axes: embedding.axes(),
        explained_variance_ratio: Vec::new(),
        embedding: Some(report),
        device: compute.device(),
        seconds: 0.0,
    })
}
