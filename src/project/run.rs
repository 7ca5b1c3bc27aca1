//! A projection from start to end: the one call that the command line, the window and the benchmarks make.

use std::time::Instant;

use super::device::{Compute, ComputeDevice};
use super::error::ProjectError;
use super::layout::{AxisLabel, Layout};
use super::method::Method;
use super::pca::{self, Columns, Pca};
use super::tsne::{self, TsneOptions};
use super::{SelectedRows, original};
use crate::matrix::RowSource;

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

/// What to project, and how.
pub struct Projection<'a> {
    /// The space, `[rows, dims]`. PCA and STD-PCA are fitted on all of it, t-SNE on the rows that are shown.
    pub space: &'a dyn RowSource,
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
            Method::Tsne(options) => Self::tsne(shown, options, compute, observer)?,
            Method::StdPca { components } => {
                pca::with_engine(compute, |engine| self.pca(shown, Columns::Standardised, components, engine, observer))?
            }
        };
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

    fn tsne(shown: &dyn RowSource, options: &TsneOptions, compute: &Compute, observer: &dyn Observer) -> Result<Layout, ProjectError> {
        let (coordinates, report) = tsne::embed(shown, options, compute, observer)?;
        let label = |axis: usize| AxisLabel { name: format!("t-SNE {}", axis + 1), explained_variance_ratio: None };
        Ok(Layout {
            coordinates,
            axes: (0..options.dims).map(label).collect(),
            explained_variance_ratio: Vec::new(),
            embedding: Some(report),
            device: compute.device(),
            seconds: 0.0,
        })
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
        let fitted = Pca::fit(self.space, columns, engine, observer)?;
        if self.shown.is_some() {
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
