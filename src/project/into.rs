//! New rows into a layout that is there already: the old ones keep their places, so that a collection that grows keeps its map.

use std::collections::HashMap;
use std::time::Instant;

use super::device::{Compute, ComputeDevice};
use super::error::ProjectError;
use super::layout::{AxisLabel, EmbeddingReport, EmbeddingSeconds, Layout};
use super::pca::{self, Columns, Pca};
use super::rows::SelectedRows;
use super::run::{Observer, Part};
use super::tsne::{self, NewcomerOptions};
use crate::matrix::{FeatureMatrix, RowSource};
use crate::neighbors;

/// A t-SNE layout, and the matrix that has more rows than it.
pub struct Insertion<'a> {
    /// The space, `[rows, dims]`.
    pub space: &'a dyn RowSource,
    /// The rows that the new layout has, by number; `None`: all.
    pub shown: Option<&'a [usize]>,
    /// The layout, `[old rows, 2 or 3]`.
    pub old: &'a FeatureMatrix,
    /// The numbers of its rows in the space; `None`: the first.
    pub old_rows: Option<&'a [usize]>,
    /// How.
    pub options: NewcomerOptions,
}

impl Insertion<'_> {
    /// The layout of all rows shown, on the CPU: those that `old` has, as they are there, and the others among their neighbours. Old rows that are not
    /// shown count as neighbours all the same.
    ///
    /// # Errors
    /// [`ProjectError`]: a layout of other rows or dimensions, values that are no finite numbers (with the row), a perplexity below 1, the observer's wish.
    pub fn run(&self, observer: &dyn Observer) -> Result<Layout, ProjectError> {
        let start = Instant::now();
        let all: Vec<usize>;
        let shown = match self.shown {
            Some(shown) => shown,
            None => {
                all = (0..self.space.rows()).collect();
                &all
            }
        };
        let old_rows = self.check()?;
        let places: HashMap<usize, usize> = old_rows.iter().enumerate().map(|(place, &row)| (row, place)).collect();
        let new_rows: Vec<usize> = shown.iter().copied().filter(|row| !places.contains_key(row)).collect();

        let (settled, report) = match self.old.dims() {
            2 => self.settle::<2>(&old_rows, &new_rows, observer)?,
            _ => self.settle::<3>(&old_rows, &new_rows, observer)?,
        };
        let dims = self.old.dims();
        let mut values = Vec::with_capacity(shown.len() * dims);
        let mut settled = settled.chunks_exact(dims);
        for row in shown {
            match places.get(row) {
                Some(&place) => values.extend_from_slice(self.old.row(place)),
                None => values.extend_from_slice(settled.next().unwrap_or_default()),
            }
        }
        observer.progress(1.0);
        let layout = Layout {
            coordinates: FeatureMatrix::new(shown.len(), dims, values),
            axes: (1..=dims).map(|axis| AxisLabel { name: format!("t-SNE {axis}"), explained_variance_ratio: None }).collect(),
            explained_variance_ratio: Vec::new(),
            embedding: Some(report),
            device: ComputeDevice::Cpu,
            seconds: start.elapsed().as_secs_f64(),
        };
        layout.check_finite()?;
        Ok(layout)
    }

    /// The numbers of the old rows, if the layout can be one of them.
    fn check(&self) -> Result<Vec<usize>, ProjectError> {
        let (rows, dims) = (self.space.rows(), self.space.dims());
        if rows == 0 || dims == 0 {
            return Err(ProjectError::Empty { rows, dims });
        }
        if !(self.options.perplexity >= 1.0 && self.options.perplexity.is_finite()) {
            return Err(ProjectError::Perplexity { given: self.options.perplexity });
        }
        if !(2..=3).contains(&self.old.dims()) {
            return Err(ProjectError::EmbeddingDims { given: self.old.dims() });
        }
        let count = self.old.rows();
        if count == 0 || count > rows {
            return Err(ProjectError::LayoutRows { layout: count, rows });
        }
        if let Some(at) = self.old.values().iter().position(|value| !value.is_finite()) {
            return Err(ProjectError::LayoutNotFinite { row: at / self.old.dims() });
        }
        let Some(old_rows) = self.old_rows else { return Ok((0..count).collect()) };
        if old_rows.len() != count || !old_rows.is_sorted_by(|a, b| a < b) {
            return Err(ProjectError::LayoutRowNumbers { layout: count, numbers: old_rows.len() });
        }
        match old_rows.last() {
            Some(&row) if row >= rows => Err(ProjectError::NoSuchRow { row, rows }),
            _ => Ok(old_rows.to_vec()),
        }
    }

    /// The new rows' positions, `[new, D]` in a row, and how they came about.
    fn settle<const D: usize>(
        &self,
        old_rows: &[usize],
        new_rows: &[usize],
        observer: &dyn Observer,
    ) -> Result<(Vec<f32>, EmbeddingReport), ProjectError> {
        let perplexity = tsne::within_reach(self.options.perplexity, old_rows.len() + 1);
        let options = NewcomerOptions { perplexity, ..self.options };
        let start = Instant::now();
        let (references, queries) = self.features(old_rows, new_rows, &Part::new(observer, 0.0, 0.2))?;
        let pca = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let counted = tsne::neighbors_for(perplexity);
        let sought = counted.max(tsne::FIRST_NEIGHBORS);
        let found = neighbors::among(&references, &queries, sought, &Part::new(observer, 0.2, 0.6))?;
        let knn = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let old: Vec<[f32; D]> = self.old.values().as_chunks::<D>().0.to_vec();
        let settled = tsne::settle(&old, &found.table, counted, &options, &Part::new(observer, 0.6, 1.0))?;
        let seconds = EmbeddingSeconds { pca, knn, affinities: 0.0, optimize: start.elapsed().as_secs_f64() };
        let report = EmbeddingReport {
            iterations: options.iterations,
            kl: None,
            perplexity: Some(perplexity),
            knn_recall_measured: found.recall_measured,
            seconds,
        };
        Ok((settled.into_flattened(), report))
    }

    /// What neighbours are sought in, of the old and of the new rows: the leading components of the old ones, as when the layout was made, or the
    /// rows themselves where those have no more dimensions; both scaled by the same power of two, so that squares neither overflow nor vanish.
    fn features(
        &self,
        old_rows: &[usize],
        new_rows: &[usize],
        observer: &dyn Observer,
    ) -> Result<(FeatureMatrix, FeatureMatrix), ProjectError> {
        let old = SelectedRows::try_new(self.space, old_rows)?.to_matrix()?;
        let new = SelectedRows::try_new(self.space, new_rows)?.to_matrix()?;
        finite(&old, old_rows)?;
        finite(&new, new_rows)?;
        let kept = self.options.pca_dims.max(self.old.dims()).min(self.space.dims());
        let (mut old, mut new) = if self.space.dims() > kept {
            pca::with_engine(&Compute::Cpu, |engine| {
                let fitted = Pca::fit(&old, Columns::Centred, engine, observer)?;
                let components: Vec<usize> = (0..kept).collect();
                let old = fitted.transform(&old, &components, engine, observer)?;
                // Other rows have the numbers that the engine may still hold.
                engine.forget();
                Ok((old, fitted.transform(&new, &components, engine, observer)?))
            })?
        } else {
            (old, new)
        };
        let largest = old.values().iter().chain(new.values()).fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = pca::power_of_two_scale(largest);
        for matrix in [&mut old, &mut new] {
            matrix.values_mut().iter_mut().for_each(|value| *value *= scale);
        }
        Ok((old, new))
    }
}

fn finite(matrix: &FeatureMatrix, numbers: &[usize]) -> Result<(), ProjectError> {
    match matrix.values().iter().position(|value| !value.is_finite()) {
        Some(at) => {
            let (row, column) = (numbers[at / matrix.dims()], at % matrix.dims());
            Err(ProjectError::NotFinite { row, column, value: matrix.values()[at] })
        }
        None => Ok(()),
    }
}
