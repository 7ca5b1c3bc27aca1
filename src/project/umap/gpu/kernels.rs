//! The table of UMAP's compute shaders.

use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, ShaderPart, ShaderSource};
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const PARAMS: ShaderPart = shader_part!("shared/umap_params.wgsl");

/// A step.
pub static STEP: Kernel = Kernel {
    shader: ShaderSource { name: "umap.step", parts: &[ROWS, PARAMS, shader_part!("umap_step.wgsl")] },
    workgroup_size: [64, 1, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::input(2), Binding::input(3), Binding::output(4)],
};
/// Positions into columns, and their bounds by workgroup.
pub static SETTLE: Kernel = Kernel {
    shader: ShaderSource { name: "umap.settle", parts: &[ROWS, PARAMS, shader_part!("umap_settle.wgsl")] },
    workgroup_size: [256, 1, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::output(1), Binding::output(2), Binding::output(3), Binding::output(4)],
};
/// The bounds of all.
pub static BOUNDS: Kernel = Kernel {
    shader: ShaderSource { name: "umap.bounds", parts: &[PARAMS, shader_part!("umap_bounds.wgsl")] },
    workgroup_size: [256, 1, 1],
    bindings: &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
};

/// All of them.
pub const KERNELS: &[&Kernel] = &[&STEP, &SETTLE, &BOUNDS];
