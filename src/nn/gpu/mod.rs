//! The networks on a GPU: three compute kernels, and each network as a list of their dispatches.
//!
//! A convolution is a product of matrices whose left one is never written down
//! (`shaders/nn_convolve.wgsl`); a fully connected layer is a convolution of 1 x 1. Images lie with
//! their features together, `[count, height, width, features]`, as in TensorFlow, so that weights
//! and flattened rows keep the order of their files. Every value is a sum in one order over its own
//! patch: the bits of a row do not depend on the other rows of a batch.

pub mod kernels;
mod musicnn;
pub(super) mod network;
mod plan;
mod vgg;
mod vggish;
