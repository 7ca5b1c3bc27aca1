//! `--into`: the layout that new rows go into, and the rows that it has.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use super::row_numbers;
use crate::catalog::counted;
use crate::matrix::{FeatureMatrix, RowSource};
use crate::project::{DeviceChoice, Insertion, Layout, NewcomerOptions, Observer};
use crate::store::MatrixFile;

/// An earlier layout, and how new rows go into it.
pub struct EarlierLayout {
    positions: FeatureMatrix,
    /// From the file of row numbers, where there is one.
    rows: Option<Vec<usize>>,
    options: NewcomerOptions,
}

impl EarlierLayout {
    /// Reads the layout, and `LAYOUT.rows.npy` where it lies beside it. What does not go with it is refused: a GPU, other dimensions.
    pub fn open(path: &Path, dims: Option<usize>, device: DeviceChoice, options: NewcomerOptions) -> anyhow::Result<Self> {
        if device == DeviceChoice::Gpu {
            bail!("--into computes on the CPU; leave --device gpu out");
        }
        let told = || format!("--into {}", path.display());
        let file = MatrixFile::open(path).with_context(told)?;
        if !file.is_float32() {
            bail!("--into {} is not float32, as layouts are", path.display());
        }
        if !(2..=3).contains(&file.dims()) {
            bail!("--into {} has {}, and t-SNE's layouts have 2 or 3", path.display(), counted(file.dims(), "column"));
        }
        if let Some(dims) = dims.filter(|&dims| dims != file.dims()) {
            let found = counted(file.dims(), "dimension");
            bail!("--dims {dims} and --into {} of {found} contradict each other; leave --dims out", path.display());
        }
        let beside = row_numbers::path_beside(path);
        let rows = if beside.exists() {
            Some(row_numbers::read(&beside).map_err(|why| anyhow!("--into: {} {why}", beside.display()))?)
        } else {
            None
        };
        Ok(Self { positions: file.to_matrix()?, rows, options })
    }

    /// The layout of the rows shown of `space`.
    pub fn grow(&self, space: &dyn RowSource, shown: Option<&[usize]>, observer: &dyn Observer) -> anyhow::Result<Layout> {
        let insertion = Insertion { space, shown, old: &self.positions, old_rows: self.rows.as_deref(), options: self.options.clone() };
        insertion.run(observer).context("--into")
    }
}
