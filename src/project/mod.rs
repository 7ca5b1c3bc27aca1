//! From a feature matrix `[rows, dims]` to a [`Layout`] `[rows, 2 or 3 or more]` that can be drawn.
//!
//! A [`Projection`] says what to project and how, [`Compute`] on what. Each method has its own file or folder; those that have
//! compute shaders have a CPU engine of the same steps, and `tests/gpu_twins` holds the two together.

pub mod descent;
mod device;
mod embedding;
mod error;
mod into;
mod joined_rows;
mod layout;
mod method;
pub mod nearest;
mod neighborhood;
mod original;
pub mod pca;
mod rows;
mod run;
pub mod tsne;
pub mod umap;

pub use descent::{Descent, Tuning};
pub use device::{Compute, ComputeDevice, DeviceChoice};
pub use embedding::Embedding;
pub use error::ProjectError;
pub use into::Insertion;
pub use layout::{AxisLabel, EmbeddingReport, EmbeddingSeconds, Layout};
pub use method::Method;
pub use neighborhood::Neighborhood;
pub use rows::SelectedRows;
pub use run::{NoObserver, Observer, Part, Projection};
pub use tsne::NewcomerOptions;

pub use crate::neighbors::Metric;

use crate::gpu::{Kernel, ShaderSource};

/// Every compute kernel of this module, by method.
pub const KERNELS: &[&[&Kernel]] = &[nearest::gpu::KERNELS, pca::gpu::KERNELS, tsne::gpu::kernels::KERNELS, umap::gpu::kernels::KERNELS];

/// Every shader of this module.
pub fn shaders() -> impl Iterator<Item = ShaderSource> {
    KERNELS.iter().flat_map(|kernels| kernels.iter()).map(|kernel| kernel.shader)
}
