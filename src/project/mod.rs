//! From a feature matrix `[rows, dims]` to a [`Layout`] `[rows, 2 or 3 or more]` that can be drawn.
//!
//! A [`Projection`] says what to project and how, [`Compute`] on what. Each method has its own file or folder; those that have
//! compute shaders have a CPU engine of the same steps, and `tests/gpu_twins` holds the two together.

mod device;
mod error;
mod layout;
mod method;
mod original;
pub mod pca;
mod rows;
mod run;
pub mod tsne;

pub use device::{Compute, ComputeDevice, DeviceChoice};
pub use error::ProjectError;
pub use layout::{AxisLabel, EmbeddingReport, EmbeddingSeconds, Layout};
pub use method::Method;
pub use rows::SelectedRows;
pub use run::{NoObserver, Observer, Projection};

use crate::gpu::{Kernel, ShaderSource};

/// Every compute kernel of this module.
pub const KERNELS: &[&Kernel] = &[&pca::gpu::MEAN, &pca::gpu::COVARIANCE, &pca::gpu::TRANSFORM];

/// Every shader of this module.
pub const SHADERS: &[ShaderSource] = &[pca::gpu::MEAN.shader, pca::gpu::COVARIANCE.shader, pca::gpu::TRANSFORM.shader];
