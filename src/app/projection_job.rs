//! From a space of a collection to a layout that can be shown: the work that the window does in the background.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::AppError;
use super::steering::DescentState;
use crate::catalog::{SpaceKey, TrackRows};
use crate::command::MethodKind;
use crate::gpu::PositionBuffer;
use crate::matrix::{RowError, RowSource};
use crate::project::tsne::TsneOptions;
use crate::project::umap::UmapOptions;
use crate::project::{Compute, Descent, Embedding, Layout, Method, Observer, ProjectError, Projection, Tuning, descent};
use crate::scene::{AxisScale, Dimensions, PickTree, Scaling};
use crate::store::{Collection, MatrixFile};

/// Rows from which on a layout takes so long that a glance comes before it.
const GLANCE_FROM_ROWS: usize = 500_000;
/// Rows that a glance's components are fitted on.
const GLANCE_SAMPLE: usize = 100_000;

/// How far from the middle a row of a layout may lie: float32 has no squares of larger numbers.
const FARTHEST: f32 = 1e18;

/// Whether a layout is wanted soon, or exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Haste {
    None,
    Glance,
}

/// What to show.
#[derive(Clone, Debug)]
pub struct ProjectionRequest {
    /// The caller's number; a newer one makes an older one stale.
    pub serial: u64,
    /// Of what.
    pub collection: Arc<Collection>,
    /// Which space.
    pub space: SpaceKey,
    /// How.
    pub method: MethodKind,
    /// Columns or components on the axes, from 0; `None`: the first components, or the columns that vary most.
    pub axes: Option<[usize; 3]>,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// Whether the axes are to be logarithmic; embeddings have no values to take logarithms of.
    pub log: bool,
    /// On what.
    pub compute: Compute,
    /// Parameters of an embedding.
    pub tuning: Tuning,
    /// A layout made before, instead of a projection.
    pub layout_file: Option<PathBuf>,
}

/// A layout to be shown, and what moves it from now on.
pub struct Begun {
    /// The layout as it is now.
    pub ready: LayoutReady,
    /// The embedding under way; none where the layout is finished.
    pub descent: Option<Box<dyn Descent>>,
}

/// What is to be shown, ready.
#[derive(Debug)]
pub struct LayoutReady {
    /// The request's number.
    pub serial: u64,
    /// The space.
    pub space: SpaceKey,
    /// How it was made; `file` for a layout made before.
    pub method_name: &'static str,
    /// The method.
    pub method: MethodKind,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// Columns or components on the axes.
    pub axes: [usize; 3],
    /// What an axis can show.
    pub column_names: Vec<String>,
    /// The axes' names.
    pub axis_names: Vec<String>,
    /// How values became positions, by axis.
    pub scalings: [Scaling; 3],
    /// Share of the variance of each component; empty where there is no such thing.
    pub explained: Vec<f32>,
    /// Where each row is.
    pub positions: Arc<[[f32; 3]]>,
    /// Where an embedding under way on the window's GPU writes its layout; `positions` are what it was in the beginning.
    pub columns: Option<PositionBuffer>,
    /// How far an embedding is; none of a layout that is finished.
    pub descent: Option<DescentState>,
    /// Which rows are whose.
    pub track_rows: Arc<[TrackRows]>,
    /// For finding what is under the pointer; `None` in 3-D.
    pub tree: Option<PickTree>,
    /// Whether axes are to be stretched on their own.
    pub scale: AxisScale,
    /// The same network's tag activations, for what is under the pointer.
    pub taggrams: Option<MatrixFile>,
    /// Whether a more exact one follows under the same number.
    pub is_glance: bool,
    /// What the user should know of how it came about.
    pub remark: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl ProjectionRequest {
    /// Does all of the work, an embedding's steps among it.
    ///
    /// # Errors
    /// What the store, the projection or the GPU say; [`AppError::Layout`] where a layout file does not fit.
    pub fn run(&self, observer: &dyn Observer) -> Result<LayoutReady, AppError> {
        let start = std::time::Instant::now();
        let Begun { mut ready, descent } = self.begin(false, observer)?;
        if let Some(mut under_way) = descent {
            descent::finish(&mut *under_way, observer)?;
            let positions = under_way.positions()?;
            descent::check_finite(&positions)?;
            ready.positions = positions.into();
            ready.columns = None;
            ready.descent = None;
            ready.tree = (ready.dimensions == Dimensions::Two).then(|| PickTree::new(&ready.positions));
        }
        ready.seconds = start.elapsed().as_secs_f64();
        Ok(ready)
    }

    /// Makes a layout, or, of an embedding, the first one and what moves it. `is_tunable`: its parameters may change on the way.
    ///
    /// # Errors
    /// As [`ProjectionRequest::run`].
    pub fn begin(&self, is_tunable: bool, observer: &dyn Observer) -> Result<Begun, AppError> {
        self.make(Haste::None, is_tunable, observer)
    }

    /// Of a large space, a layout of all its rows that is there soon: its components are those of a sample. `None` where the layout itself is there soon, or where
    /// there is nothing of the kind.
    ///
    /// # Errors
    /// As [`ProjectionRequest::run`].
    pub fn glance(&self, observer: &dyn Observer) -> Result<Option<LayoutReady>, AppError> {
        let is_fitted = matches!(self.method, MethodKind::Pca | MethodKind::StdPca) && self.layout_file.is_none();
        if !is_fitted || self.collection.matrix(self.space)?.rows() < GLANCE_FROM_ROWS {
            return Ok(None);
        }
        self.make(Haste::Glance, false, observer).map(|begun| Some(begun.ready))
    }

    fn make(&self, haste: Haste, is_tunable: bool, observer: &dyn Observer) -> Result<Begun, AppError> {
        let start = std::time::Instant::now();
        let Self { collection, space, .. } = self;
        let matrix = collection.matrix(*space)?;
        if matrix.rows() == 0 {
            return Err(AppError::Empty(collection.path().display().to_string()));
        }
        let tags = collection.tags(*space)?.map(|tags| tags.names().to_vec()).unwrap_or_default();
        let track_rows: Arc<[TrackRows]> = collection.rows(*space)?.into();
        let taggrams = match space.taggrams() {
            Some(key) if collection.spaces().iter().any(|there| there.key == key) => Some(collection.matrix(key)?),
            _ => None,
        };
        let mut remark = None;
        let (mut made, descent) = match (&self.layout_file, self.embedding()) {
            (Some(path), _) => (self.layout_of_file(path, matrix.rows())?, None),
            (None, Some(embedding)) => {
                // A map that is slower to come is better than none.
                let (compute, reason) = embedding.automatic(matrix.rows(), self.compute.clone());
                remark = reason.map(|reason| format!("computed on the CPU: {reason}"));
                let mut descent = embedding.begin(&matrix, is_tunable, &compute, observer)?;
                let positions = descent.positions()?;
                descent::check_finite(&positions)?;
                (self.embedded(&embedding, positions), Some(descent))
            }
            (None, None) => (self.project(haste, &matrix, &tags, observer)?, None),
        };
        let scalings = if self.log && (self.layout_file.is_some() || !self.method.is_embedding()) {
            Scaling::take_logarithms(&mut made.positions, made.dimensions.count())
        } else {
            made.scalings
        };
        remark = remark.or(made.remark);
        let positions: Arc<[[f32; 3]]> = made.positions.into();
        // Of a layout that moves, no tree would stay true.
        let tree = (made.dimensions == Dimensions::Two && descent.is_none() && haste == Haste::None).then(|| PickTree::new(&positions));
        let ready = LayoutReady {
            serial: self.serial,
            space: *space,
            method_name: made.name,
            method: self.method,
            dimensions: made.dimensions,
            axes: made.axes,
            column_names: made.column_names,
            axis_names: made.axis_names,
            explained: made.explained,
            scalings,
            positions,
            columns: descent.as_ref().and_then(|descent| descent.columns().cloned()),
            descent: descent.as_ref().map(|descent| DescentState { planned: descent.planned(), ..DescentState::default() }),
            track_rows,
            tree,
            scale: made.scale,
            taggrams,
            is_glance: haste == Haste::Glance,
            remark,
            seconds: start.elapsed().as_secs_f64(),
        };
        Ok(Begun { ready, descent })
    }

    /// The embedding that is asked for, if it is one.
    fn embedding(&self) -> Option<Embedding> {
        let dims = self.dimensions.count();
        match self.method {
            MethodKind::Tsne => Some(Embedding::Tsne(TsneOptions { dims, perplexity: self.tuning.perplexity, ..TsneOptions::default() })),
            MethodKind::Umap => Some(Embedding::Umap(UmapOptions { dims, min_dist: self.tuning.min_dist, ..UmapOptions::default() })),
            MethodKind::Original | MethodKind::Pca | MethodKind::StdPca => None,
        }
    }

    fn embedded(&self, embedding: &Embedding, positions: Vec<[f32; 3]>) -> Made {
        Made {
            name: self.method.name(),
            dimensions: self.dimensions,
            axes: [0, 1, 2],
            // Its axes are not columns of anything.
            column_names: Vec::new(),
            axis_names: embedding.axes().into_iter().map(|axis| axis.name).collect(),
            explained: Vec::new(),
            scale: AxisScale::Uniform,
            scalings: [Scaling::Linear; 3],
            positions,
            remark: None,
        }
    }

    fn project(&self, haste: Haste, matrix: &MatrixFile, tags: &[String], observer: &dyn Observer) -> Result<Made, AppError> {
        let count = self.dimensions.count().min(matrix.dims());
        let (axes, method) = match self.method {
            MethodKind::Original => {
                let axes = self.axes.map_or_else(|| most_varied(matrix), Ok).map_err(ProjectError::Rows)?;
                (axes, Method::Original { axes: axes[..count].to_vec() })
            }
            kind => {
                let axes = self.axes.unwrap_or([0, 1, 2]);
                let components = axes[..count].to_vec();
                (axes, if kind == MethodKind::StdPca { Method::StdPca { components } } else { Method::Pca { components } })
            }
        };
        let sample = (haste == Haste::Glance).then(|| matrix.sample(GLANCE_SAMPLE)).transpose().map_err(ProjectError::Rows)?;
        let fitted_on = sample.as_ref().map(|sample| sample as &dyn RowSource);
        let layout: Layout =
            Projection { space: matrix, fitted_on, shown: None, column_names: tags, method }.run(&self.compute, observer)?;
        // What a sample says of the variance is not told: the true figures follow.
        let ratios = if haste == Haste::Glance { &[] } else { layout.explained_variance_ratio.as_slice() };
        let explained: Vec<f32> = ratios.iter().map(|&ratio| ratio as f32).collect();
        let axis_names = layout.axes.iter().map(|axis| match axis.explained_variance_ratio {
            Some(ratio) if haste == Haste::None => format!("{} ({:.1} %)", axis.name, ratio * 100.0),
            _ => axis.name.clone(),
        });
        let column_names = (0..matrix.dims()).map(|column| match (self.method, tags.get(column)) {
            (MethodKind::Original, Some(tag)) => tag.clone(),
            (MethodKind::Original, None) => format!("dimension {}", column + 1),
            (_, _) => format!("component {}", column + 1),
        });
        Ok(Made {
            name: self.method.name(),
            dimensions: self.dimensions,
            axes,
            column_names: column_names.collect(),
            axis_names: axis_names.collect(),
            explained,
            scale: if self.method == MethodKind::Original { AxisScale::PerAxis } else { AxisScale::Uniform },
            scalings: [Scaling::Linear; 3],
            positions: layout.positions(),
            remark: None,
        })
    }

    fn layout_of_file(&self, path: &std::path::Path, expected: usize) -> Result<Made, AppError> {
        let file = MatrixFile::open(path)?;
        let (rows, dims) = (file.rows(), file.dims());
        let dimensions = match dims {
            2 => Dimensions::Two,
            3 => Dimensions::Three,
            _ => return Err(AppError::Layout { path: path.to_owned(), rows, dims, space: self.space.to_string(), expected }),
        };
        if rows != expected {
            return Err(AppError::Layout { path: path.to_owned(), rows, dims, space: self.space.to_string(), expected });
        }
        let (matrix, offsets) = if self.log {
            // Logarithms are of the values themselves.
            file.check_float32(&(0..dims).collect::<Vec<_>>())?;
            (file.to_matrix().map_err(ProjectError::Rows)?, vec![0.0; dims])
        } else {
            let centred = file.centred()?;
            (centred.to_matrix().map_err(ProjectError::Rows)?, centred.offsets().to_vec())
        };
        let mut positions: Vec<[f32; 3]> =
            matrix.values().chunks_exact(dims).map(|row| [row[0], row[1], row.get(2).copied().unwrap_or(0.0)]).collect();
        let unplaced = leave_out_unplaced(&mut positions);
        if unplaced.len() == rows {
            return Err(AppError::NoPlaces { path: path.to_owned() });
        }
        let remark = unplaced.first().map(|first| {
            format!(
                "{}: {} of {rows} rows have no place that can be drawn (NaN, infinite, or beyond 1e18; the first is row {first}, from 0), and are left out",
                path.display(),
                unplaced.len()
            )
        });
        let scaling = |axis: usize| match offsets.get(axis) {
            Some(&offset) if offset != 0.0 => Scaling::Beyond(offset),
            _ => Scaling::Linear,
        };
        Ok(Made {
            name: "file",
            dimensions,
            axes: [0, 1, 2],
            column_names: Vec::new(),
            axis_names: (1..=dims).map(|axis| axis.to_string()).collect(),
            explained: Vec::new(),
            scale: AxisScale::Uniform,
            scalings: [0, 1, 2].map(scaling),
            positions,
            remark,
        })
    }
}

struct Made {
    name: &'static str,
    dimensions: Dimensions,
    axes: [usize; 3],
    column_names: Vec<String>,
    axis_names: Vec<String>,
    explained: Vec<f32>,
    scale: AxisScale,
    scalings: [Scaling; 3],
    positions: Vec<[f32; 3]>,
    /// What the user should know of the file.
    remark: Option<String>,
}

/// Takes from rows that cannot be drawn what they have of a place, and returns their numbers.
fn leave_out_unplaced(positions: &mut [[f32; 3]]) -> Vec<usize> {
    let mut unplaced = Vec::new();
    for (row, position) in positions.iter_mut().enumerate() {
        if !position.iter().all(|value| value.abs() <= FARTHEST) {
            *position = [f32::NAN; 3];
            unplaced.push(row);
        }
    }
    unplaced
}

/// The three columns with the largest variance, the largest first: what there is to see in a space of which nothing is known.
/// Of a large space a regular sample of rows decides.
fn most_varied(matrix: &dyn RowSource) -> Result<[usize; 3], RowError> {
    const SAMPLED_ROWS: usize = 20_000;
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let step = rows.div_ceil(SAMPLED_ROWS).max(1);
    let (mut sum, mut squares, mut row) = (vec![0.0f64; dims], vec![0.0f64; dims], vec![0.0; dims]);
    let mut count = 0.0;
    for number in (0..rows).step_by(step) {
        matrix.read_rows(number..number + 1, &mut row)?;
        count += 1.0;
        for (column, &value) in row.iter().enumerate() {
            sum[column] += f64::from(value);
            squares[column] += f64::from(value).powi(2);
        }
    }
    let variance = |column: usize| squares[column] / count - (sum[column] / count).powi(2);
    let mut columns: Vec<usize> = (0..dims).collect();
    columns.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)).then(a.cmp(&b)));
    Ok([0, 1, 2].map(|place| columns.get(place).copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::FeatureMatrix;

    #[test]
    fn the_columns_that_vary_most_are_shown_first() {
        let matrix = FeatureMatrix::new(3, 4, vec![0.0, 1.0, 5.0, 0.1, 0.0, 1.0, 0.0, 0.9, 0.0, 1.0, -5.0, 0.1]);
        assert_eq!(most_varied(&matrix), Ok([2, 3, 0]));
        assert_eq!(most_varied(&FeatureMatrix::new(1, 1, vec![1.0])), Ok([0, 0, 0]));
    }
}
