//! Scene and position buffer to pixels. It knows `gpu` and `scene`, never `project`: the two meet in the position buffer.
//!
//! The map is drawn on a transparent ground, premultiplied, in sRGB numbers, as egui blends: grid and background are egui's,
//! behind it, words are egui's, over it. So text and lines are crisp at any scale, and a window and a picture file share all of it.

pub mod averages;
pub mod blend;
mod chosen_curves;
mod frames;
pub mod gpu_data;
pub mod marks;
pub mod morph;
mod nearby;
pub mod passes;
pub mod pick;
pub mod renderer;
pub mod select;
pub mod splat;
pub mod target;
mod triangle;
mod watch;

pub use gpu_data::MapBuffers;
pub use renderer::{DrawOptions, MapRenderer};
pub use splat::SplatEngine;
pub use target::ViewTarget;

use crate::gpu::{Kernel, ShaderSource};

/// Every shader of this module, for the tests.
pub const SHADERS: &[ShaderSource] = &[
    passes::POINTS,
    passes::TRAJECTORIES,
    blend::RESOLVE,
    morph::MIX.shader,
    splat::kernels::COUNT.shader,
    splat::kernels::COLOR.shader,
    splat::kernels::LINES.shader,
    splat::kernels::SMOOTH_ROWS.shader,
    splat::kernels::SMOOTH_COLUMNS.shader,
    splat::kernels::HISTOGRAM.shader,
    splat::kernels::CURVE.shader,
    splat::kernels::TOTAL.shader,
    splat::kernels::RESOLVE,
    pick::kernels::ROWS.shader,
    pick::kernels::FIRST.shader,
    select::kernels::INSIDE.shader,
];

/// Every table of compute kernels of this module, for the tests.
pub const KERNELS: &[&[&Kernel]] = &[splat::kernels::KERNELS, pick::kernels::KERNELS, select::kernels::KERNELS, &[&morph::MIX]];
