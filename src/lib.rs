//! tagscape: a GPU-accelerated explorer of the latent and tag spaces of music auto-tagging models.
//!
//! The layers, from the ground up (`ARCHITECTURE.md` has the picture, `tests/architecture.rs` enforces it):
//!
//! | layer | modules |
//! |---|---|
//! | 0 | [`catalog`], [`matrix`], [`plain_file`], [`seed`], [`whole_file`] |
//! | 1 | [`audio`], [`mel`], [`store`], [`tensors`], [`gpu`], [`matmul`], [`neighbors`] |
//! | 2 | [`nn`], [`project`], [`scene`], [`player`] |
//! | 3 | [`render`], [`ui`], [`command`] |
//! | 4 | [`app`], [`cli`] |
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod app;
pub mod audio;
pub mod catalog;
pub mod cli;
pub mod command;
pub mod gpu;
pub mod matmul;
pub mod matrix;
pub mod mel;
pub mod neighbors;
pub mod nn;
pub mod plain_file;
pub mod player;
pub mod project;
pub mod render;
pub mod scene;
pub mod seed;
pub mod store;
pub mod tensors;
pub mod ui;
pub mod whole_file;
