//! The networks: patches of a log-mel spectrogram to tag activations and embeddings.
//!
//! On the CPU the convolutions are this module's own: transformed, so that they multiply 3 to 4 times less (`toom_cook`), and
//! computed in blocks that stay in a core's first caches (`product`), with the vector instructions that the CPU has (`simd`). What
//! remains runs in burn on its `flex` device. A patch is inferred on the thread that asks: so threads that work on different tracks
//! do not wait for each other, and a segment's bytes depend on its patch alone.
//!
//! On a GPU, [`Networks`] gathers the patches of all threads into batches (`batch`) for compute kernels of our own (`gpu`). `plain` has the
//! networks once more in burn's operations: the tests' oracle.

mod batch;
mod conv3x3;
mod conv_weights;
mod dense;
mod epilogue;
mod error;
mod first_conv;
pub mod gpu;
mod infer;
mod layers;
mod musicnn;
mod networks;
mod norm;
#[cfg(test)]
mod oracle;
mod plain;
mod product;
mod simd;
mod spec;
mod temporal;
mod timbral;
mod time_conv;
mod toom_cook;
mod trial;
mod vgg;
pub mod vggish;
pub mod weights;

pub use error::NnError;
pub use infer::{SegmentFeatures, Tagger};
pub use layers::{LayerTrace, LayerValues};
pub use networks::{GpuVerdict, NetworkGroup, Networks, TestDevice, WeightSource};
pub use spec::{ModelSpec, MusicnnLayer, spec};

use crate::gpu::{Kernel, ShaderSource};

/// Every compute kernel of this module.
pub const KERNELS: &[&[&Kernel]] = &[gpu::kernels::KERNELS];

/// Every shader of this module.
pub fn shaders() -> impl Iterator<Item = ShaderSource> {
    KERNELS.iter().flat_map(|kernels| kernels.iter()).map(|kernel| kernel.shader)
}
