//! Principal component analysis (Pearson 1901; Hotelling 1933): the orthonormal directions of largest variance.
//!
//! Three steps go over all rows: column sums, the scatter matrix of the centred rows, and the transform. Each is an [`Engine`]'s:
//! compute shaders in [`gpu`], rayon and a matrix product in [`cpu`]. What lies between is small, done once, in `f64`, and the
//! same for both: combining the chunks' sums, and the eigenvectors of a `[dims, dims]` matrix.
//!
//! Rows are read in chunks and never all held, so that a matrix may be larger than memory or than a GPU's binding. Two passes
//! (mean, then covariance) instead of one with a correction: subtracting the squared mean loses all digits where the mean is large.
//!
//! STD-PCA is the same on standardised columns: the scatter matrix is divided by the columns' deviations, which makes the correlation
//! matrix of it without another pass, and the transform's weights carry the division.
//!
//! Rejected: a randomised SVD (Halko et al. 2011), which pays when dims go far past the 256 of these spaces, and gives no ratio for the
//! components that it leaves out.

pub mod cpu;
mod eigen;
mod engine;
pub mod gpu;

pub use engine::{Centring, ColumnSums, Engine, power_of_two_scale};

use super::device::Compute;
use super::error::ProjectError;
use super::run::Observer;
use crate::matrix::{FeatureMatrix, RowSource};

/// Most columns that [`Pca::fit`] takes: the eigenproblem grows with the cube.
pub const MAX_DIMS: usize = 4096;

/// What is done to the columns before their components are sought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// Centred: PCA of the covariance matrix.
    #[default]
    Centred,
    /// Centred and divided by their standard deviation (divisor rows): PCA of the correlation matrix, STD-PCA. A column that does not vary stays 0.
    Standardised,
}

/// The first `count` components of `source`, fitted on all its rows: `[rows, count]`.
///
/// # Errors
/// As [`Pca::fit`].
pub fn leading(source: &dyn RowSource, count: usize, compute: &Compute, observer: &dyn Observer) -> Result<FeatureMatrix, ProjectError> {
    with_engine(compute, |engine| {
        let fitted = Pca::fit(source, Columns::Centred, engine, observer)?;
        fitted.transform(source, &(0..count).collect::<Vec<_>>(), engine, observer)
    })
}

/// Does `work` with the engine of that device.
///
/// # Errors
/// Those of `work`; [`ProjectError::Gpu`] where the shaders do not compile.
pub fn with_engine<T>(compute: &Compute, work: impl FnOnce(&mut dyn Engine) -> Result<T, ProjectError>) -> Result<T, ProjectError> {
    match compute {
        Compute::Cpu => work(&mut cpu::CpuEngine),
        Compute::Gpu(context) => work(&mut gpu::GpuEngine::new(context)?),
    }
}

/// A fitted PCA.
#[derive(Clone, Debug)]
pub struct Pca {
    dims: usize,
    centring: Centring,
    /// `[dims]`: what a centred column is multiplied by: 1, or 1 / its deviation in the units of `centring`.
    column_scale: Vec<f64>,
    /// `[dims]`: every column's mean.
    mean: Vec<f64>,
    /// `[dims, dims]`, row `k` = component `k`'s loadings, largest variance first; the loading of largest magnitude is positive.
    components: Vec<f64>,
    /// `[dims]`: the variance (divisor rows - 1) along each component, descending, never negative.
    variances: Vec<f64>,
}

impl Pca {
    /// Fits all of `source`, `[rows, dims]`, with its columns prepared as `columns` says. One row has variance 0; with fewer rows than dims, the last components have.
    ///
    /// # Errors
    /// [`ProjectError::Empty`], [`ProjectError::TooManyDims`], [`ProjectError::NotFinite`], [`ProjectError::Cancelled`],
    /// [`ProjectError::Gpu`].
    pub fn fit(source: &dyn RowSource, columns: Columns, engine: &mut dyn Engine, observer: &dyn Observer) -> Result<Self, ProjectError> {
        let (rows, dims) = (source.rows(), source.dims());
        if rows == 0 || dims == 0 {
            return Err(ProjectError::Empty { rows, dims });
        }
        if dims > MAX_DIMS {
            return Err(ProjectError::TooManyDims { dims, limit: MAX_DIMS });
        }
        engine.forget();
        let chunk_rows = engine.chunk_rows(dims);

        let mut total = ColumnSums::zero(dims);
        for chunk in engine::chunks(rows, chunk_rows) {
            observer.progress(0.3 * chunk.start as f64 / rows as f64);
            stop_if(observer)?;
            total.add(&engine.column_sums(source, chunk)?);
        }
        let mean: Vec<f64> = total.sums.iter().map(|sum| sum / rows as f64).collect();
        let mut centring = Centring::new(&mean, total.largest);

        let mut scatter = vec![0.0; dims * dims];
        for chunk in engine::chunks(rows, chunk_rows) {
            observer.progress(0.3 + 0.5 * chunk.start as f64 / rows as f64);
            stop_if(observer)?;
            engine.add_scatter(source, chunk, &centring, &mut scatter)?;
        }
        centring.correct(&mut scatter, &mean, rows);
        let column_scale = match columns {
            Columns::Centred => vec![1.0; dims],
            Columns::Standardised => {
                let scale = standardise(&mut scatter, &centring, rows);
                // What is divided by a deviation has no units to go back to.
                centring = Centring { scale: centring.scale, unscale: 1.0, ..centring };
                scale
            }
        };

        let (values, components) = eigen::symmetric_eigen(&scatter, dims).ok_or(ProjectError::NoConvergence)?;
        let units = if columns == Columns::Standardised { 1.0 } else { f64::from(centring.scale).powi(2) };
        let divisor = (rows.max(2) - 1) as f64 * units;
        let variances = values.iter().map(|value| value.max(0.0) / divisor).collect();
        Ok(Self { dims, centring, column_scale, mean, components, variances })
    }

    /// Positions of the rows of `source` along `components` (from 0), `[rows, components]`. An engine that has worked on another
    /// source must be told to [`Engine::forget`] it first.
    ///
    /// # Errors
    /// [`ProjectError::TooFar`], [`ProjectError::Cancelled`], [`ProjectError::Gpu`].
    ///
    /// # Panics
    /// If `source` has other dims than were fitted, or there is no such component: a caller's mistake.
    pub fn transform(
        &self,
        source: &dyn RowSource,
        components: &[usize],
        engine: &mut dyn Engine,
        observer: &dyn Observer,
    ) -> Result<FeatureMatrix, ProjectError> {
        assert_eq!(source.dims(), self.dims, "the matrix has other dims than the fitted one");
        let (rows, kept) = (source.rows(), components.len());
        let mut weights = vec![0.0; self.dims * kept];
        for (axis, &component) in components.iter().enumerate() {
            for (dim, loading) in self.component(component).iter().enumerate() {
                weights[dim * kept + axis] = (*loading * self.column_scale[dim]) as f32;
            }
        }
        let mut coordinates = vec![0.0; rows * kept];
        if kept > 0 {
            for chunk in engine::chunks(rows, engine.chunk_rows(self.dims)) {
                observer.progress(0.8 + 0.2 * chunk.start as f64 / rows as f64);
                stop_if(observer)?;
                let into = &mut coordinates[chunk.start * kept..chunk.end * kept];
                engine.transform(source, chunk, &self.centring, &weights, into)?;
            }
        }
        if let Some(at) = coordinates.iter().position(|value| !value.is_finite()) {
            return Err(too_far(source, at / kept));
        }
        Ok(FeatureMatrix::new(rows, kept, coordinates))
    }

    /// The columns' means, `[dims]`.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The loadings of component `component` (from 0), `[dims]`, of length 1.
    ///
    /// # Panics
    /// If there is no such component.
    #[must_use]
    pub fn component(&self, component: usize) -> &[f64] {
        &self.components[component * self.dims..(component + 1) * self.dims]
    }

    /// The variance along each component, `[dims]`, descending.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// Each component's share of the whole variance, `[dims]`, descending; all 0 where nothing varies.
    #[must_use]
    pub fn explained_variance_ratio(&self) -> Vec<f64> {
        let total: f64 = self.variances.iter().sum();
        self.variances.iter().map(|variance| if total > 0.0 { variance / total } else { 0.0 }).collect()
    }
}

/// Divides `scatter`, `[dims, dims]`, by the columns' deviations (divisor rows), in place, and returns their inverses.
///
/// A column whose deviation is below the rounding of its mean does not vary: its row and column become 0, and its inverse too.
fn standardise(scatter: &mut [f64], centring: &Centring, rows: usize) -> Vec<f64> {
    let dims = centring.center.len();
    let inverse: Vec<f64> = (0..dims)
        .map(|column| {
            let deviation = (scatter[column * dims + column].max(0.0) / rows as f64).sqrt();
            let rounding = f64::from(f32::EPSILON) * f64::from(centring.center[column]).abs();
            // A mean of 0 leaves the smallest of what the scatter's own sums could tell from nothing.
            if deviation > rounding.max(f64::from(f32::MIN_POSITIVE)) { 1.0 / deviation } else { 0.0 }
        })
        .collect();
    for (row, a) in scatter.chunks_exact_mut(dims).zip(&inverse) {
        for (value, b) in row.iter_mut().zip(&inverse) {
            *value *= a * b;
        }
    }
    inverse
}

/// The error for a row whose values are too large.
pub(super) fn too_far(source: &dyn RowSource, row: usize) -> ProjectError {
    let mut values = vec![0.0; source.dims()];
    if let Err(error) = source.read_rows(row..row + 1, &mut values) {
        return error.into();
    }
    let largest = values.iter().copied().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    largest.map_or(ProjectError::NoPlace { row }, |(column, value)| ProjectError::TooFar { row, column, value })
}

fn stop_if(observer: &dyn Observer) -> Result<(), ProjectError> {
    if observer.cancelled() { Err(ProjectError::Cancelled) } else { Ok(()) }
}
