//! The methods that place rows by their neighbours, step by step.

use super::descent::Descent;
use super::device::Compute;
use super::error::ProjectError;
use super::layout::AxisLabel;
use super::run::Observer;
use super::tsne::{self, TsneOptions};
use super::umap::{self, UmapOptions};
use crate::matrix::RowSource;

/// A method that places rows by their neighbours, with its options.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Embedding {
    /// t-SNE.
    Tsne(TsneOptions),
    /// UMAP.
    Umap(UmapOptions),
}

impl Embedding {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tsne(_) => "tsne",
            Self::Umap(_) => "umap",
        }
    }

    /// Dimensions of its layout.
    #[must_use]
    pub fn dims(&self) -> usize {
        match self {
            Self::Tsne(options) => options.dims,
            Self::Umap(options) => options.dims,
        }
    }

    /// Labels of its axes.
    #[must_use]
    pub fn axes(&self) -> Vec<AxisLabel> {
        let name = match self {
            Self::Tsne(_) => "t-SNE",
            Self::Umap(_) => "UMAP",
        };
        (1..=self.dims()).map(|axis| AxisLabel { name: format!("{name} {axis}"), explained_variance_ratio: None }).collect()
    }

    /// What is left of a choice that was left to the program: the CPU where the device does not take so many rows, with the reason.
    #[must_use]
    pub fn automatic(&self, rows: usize, compute: Compute) -> (Compute, Option<ProjectError>) {
        let checked = match self {
            Self::Tsne(options) => tsne::check_device(rows, options, &compute),
            Self::Umap(options) => umap::check_device(rows, options, &compute),
        };
        match checked {
            Ok(()) => (compute, None),
            Err(reason) => (Compute::Cpu, Some(reason)),
        }
    }

    /// Seeks neighbours and places the rows of `source`, `[rows, dims]`, for the first step. `is_tunable`: keep what other parameters need.
    ///
    /// # Errors
    /// [`ProjectError`]: values that are no finite numbers, parameters out of range, too many rows, a failing GPU, the observer's wish.
    pub fn begin(
        &self,
        source: &dyn RowSource,
        is_tunable: bool,
        compute: &Compute,
        observer: &dyn Observer,
    ) -> Result<Box<dyn Descent>, ProjectError> {
        Ok(match self {
            Self::Tsne(options) => Box::new(tsne::prepare(source, options, is_tunable, compute, observer)?),
            Self::Umap(options) => Box::new(umap::prepare(source, options, compute, observer)?),
        })
    }
}
