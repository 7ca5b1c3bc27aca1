//! The table of UMAP's compute shaders.

use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, ShaderPart};
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const PARAMS: ShaderPart = shader_part!("shared/umap_params.wgsl");

/// A step.
pub static STEP: Kernel = Kernel::linear(
    "umap.step",
    &[ROWS, PARAMS, shader_part!("umap_step.wgsl")],
    64,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::input(2), Binding::input(3), Binding::output(4)],
);
/// Positions into columns, and their bounds by workgroup.
pub static SETTLE: Kernel = Kernel::linear(
    "umap.settle",
    &[ROWS, PARAMS, shader_part!("umap_settle.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1), Binding::output(2), Binding::output(3), Binding::output(4)],
);
/// The bounds of all.
pub static BOUNDS: Kernel = Kernel::linear(
    "umap.bounds",
    &[PARAMS, shader_part!("umap_bounds.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);

/// All of them.
pub const KERNELS: &[&Kernel] = &[&STEP, &SETTLE, &BOUNDS];
