//! What can go wrong above the parts.

use std::path::PathBuf;

use crate::catalog::counted;
use crate::gpu::GpuError;
use crate::project::ProjectError;
use crate::store::StoreError;
use crate::whole_file::WriteError;

/// Why the program cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The collection cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A projection failed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The collection has no segments, or not that space.
    #[error("{collection} has no space '{wanted}'; it has: {there}")]
    NoSuchSpace {
        /// The collection's folder.
        collection: String,
        /// The space that was asked for.
        wanted: String,
        /// The spaces that it has.
        there: String,
    },
    /// A collection without segments.
    #[error("{0} has no segments yet; run `tagscape extract` to add music")]
    Empty(String),
    /// Neither beside the checkout nor beside the program.
    #[error("the demo collection is not here (looked in {0}); name a collection, or install with `make install`")]
    NoDemo(String),
    /// A layout file with another number of rows than the space, or of other than 2 or 3 dimensions.
    #[error("{}: a layout of {} and {} does not fit {space}, which has {}; give one of 2 or 3 dimensions made from this space", path.display(), counted(*rows, "row"), counted(*dims, "dimension"), counted(*expected, "row"))]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its rows.
        rows: usize,
        /// Its dimensions.
        dims: usize,
        /// The space shown.
        space: String,
        /// The space's rows.
        expected: usize,
    },
    /// A layout file in which no row has a place.
    #[error("{}: not one of its rows has a finite place; make the layout anew", path.display())]
    NoPlaces {
        /// The file.
        path: PathBuf,
    },
    /// Colours by something that is not there.
    #[error("{0}")]
    Coloring(String),
    /// A file that cannot be written, or a place where nothing may be.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Something else in the place of an event log.
    #[error("{} is there and is no event log; give another name", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// A picture that cannot be encoded.
    #[error("cannot write {}: {source}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        source: png::EncodingError,
    },
    /// The user wanted no more of it.
    #[error("stopped; nothing was written")]
    Stopped,
    /// No window can be opened.
    #[error("cannot open a window: {0}; without a display, `tagscape render` makes pictures")]
    Window(String),
    /// The system gives no thread.
    #[error("work in the background stopped: {0}")]
    Worker(String),
    /// A panic, which is a bug.
    #[error("a mistake in tagscape ended this work; please report it")]
    Mistake,
}
