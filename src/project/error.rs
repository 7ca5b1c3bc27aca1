//! Why there is no layout.

use crate::catalog::counted;
use crate::gpu::GpuError;
use crate::matrix::RowError;

/// Why a projection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A matrix without rows or columns has nothing to project.
    #[error("nothing to project: the matrix has {} and {}", counted(*rows, "row"), counted(*dims, "column"))]
    Empty {
        /// Its rows.
        rows: usize,
        /// Its columns.
        dims: usize,
    },
    /// The matrix's file was cut off or cannot be read any more.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// A value is NaN or infinite. Mend or leave out the row.
    #[error("row {row} has {value} in column {column} (both counted from 0); every value must be a finite number that float32 can hold")]
    NotFinite {
        /// The first row with such a value, from 0.
        row: usize,
        /// Its first such column, from 0.
        column: usize,
        /// The value.
        value: f32,
    },
    /// A row is so far from all others that float32 cannot have both. Leave it out.
    #[error(
        "row {row} has {value:e} in column {column} (both counted from 0), which is too large beside the other rows' values for float32; leave the row out, or \
         scale the matrix"
    )]
    TooFar {
        /// The row, from 0.
        row: usize,
        /// Its column of largest magnitude, from 0.
        column: usize,
        /// The value there.
        value: f32,
    },
    /// A row came to lie nowhere.
    #[error(
        "row {row} (from 0) came to lie at no finite place; look for values that are far larger than all others, and leave their rows out"
    )]
    NoPlace {
        /// The first such row.
        row: usize,
    },
    /// An axis was asked for that the space does not have.
    #[error("there is no {kind} {number}: there are {count}, counted from 1")]
    NoSuchAxis {
        /// `dimension` or `component`.
        kind: &'static str,
        /// The number asked for, from 1.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A row was asked for that the matrix does not have.
    #[error("there is no row {row}: the matrix has {rows}, counted from 0")]
    NoSuchRow {
        /// The row asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// PCA solves a dims x dims eigenproblem, which past this size would take hours. Reduce the matrix first.
    #[error("PCA takes matrices of at most {limit} columns, and this one has {dims}")]
    TooManyDims {
        /// The matrix's columns.
        dims: usize,
        /// The most that PCA takes.
        limit: usize,
    },
    /// Embeddings are made to be looked at.
    #[error("t-SNE and UMAP make layouts of 2 or 3 dimensions, not {given}")]
    EmbeddingDims {
        /// What was asked for.
        given: usize,
    },
    /// A perplexity below 1 is less than one neighbour.
    #[error("the perplexity must be a number from 1 on, not {given}")]
    Perplexity {
        /// What was asked for.
        given: f64,
    },
    /// A layout with more rows than the matrix is not of its first rows.
    #[error(
        "the layout has {} and the matrix {rows}: new rows go into a layout of the matrix's first rows, or of some with LAYOUT.rows.npy beside it",
        counted(*layout, "row")
    )]
    LayoutRows {
        /// Rows of the layout.
        layout: usize,
        /// Rows of the matrix.
        rows: usize,
    },
    /// The layout's row numbers are of another layout.
    #[error(
        "the layout has {}, and there are {} for it; they must be as many, each larger than the one before",
        counted(*layout, "row"),
        counted(*numbers, "row number")
    )]
    LayoutRowNumbers {
        /// Rows of the layout.
        layout: usize,
        /// Numbers given.
        numbers: usize,
    },
    /// A layout has a value that is NaN or infinite. Make it anew.
    #[error("row {row} of the layout (from 0) has a value that is no finite number; make the layout anew")]
    LayoutNotFinite {
        /// The first such row.
        row: usize,
    },
    /// A neighbourhood of one row is the row itself.
    #[error("UMAP takes 2 neighbours or more (the row itself is one), not {given}")]
    TooFewNeighbors {
        /// What was asked for.
        given: usize,
    },
    /// UMAP's curve has a scale of 1.
    #[error("UMAP's min-dist must be a number from 0 to 1, not {given}")]
    MinDist {
        /// What was asked for.
        given: f32,
    },
    /// An embedding's columns must fit a binding each.
    #[error(
        "{method} of {rows} rows needs {bytes} bytes in one buffer, and this GPU takes {limit}; compute it on the CPU (--device cpu), or show fewer rows (--tracks, --every)"
    )]
    TooLargeForGpu {
        /// t-SNE or UMAP.
        method: &'static str,
        /// The rows.
        rows: usize,
        /// Bytes wanted.
        bytes: u64,
        /// Bytes that the device allows.
        limit: u64,
    },
    /// There are no neighbours.
    #[error(transparent)]
    Neighbors(crate::neighbors::NeighborError),
    /// The eigenvalue iteration did not end. No matrix of finite numbers is known to cause it.
    #[error("the eigenvalues of the covariance matrix did not converge")]
    NoConvergence,
    /// The user stopped it.
    #[error("stopped")]
    Cancelled,
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
}

impl From<crate::neighbors::NeighborError> for ProjectError {
    fn from(error: crate::neighbors::NeighborError) -> Self {
        match error {
            crate::neighbors::NeighborError::Cancelled => Self::Cancelled,
            other => Self::Neighbors(other),
        }
    }
}
