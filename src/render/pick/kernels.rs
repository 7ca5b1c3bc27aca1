//! Picking's compute kernels, as a table.

use crate::gpu::{Binding, Kernel, ShaderPart};
use crate::shader_part;

const PICK: ShaderPart = shader_part!("shared/pick.wgsl");

/// Invocations in a workgroup.
pub const WORKGROUP: usize = 256;
/// Rows that a workgroup of [`ROWS`] takes.
pub const RUN: usize = 16 * WORKGROUP;

/// The nearest of each run of rows.
pub const ROWS: Kernel = Kernel::linear(
    "pick.rows",
    &[shader_part!("shared/rows.wgsl"), PICK, shader_part!("pick_rows.wgsl")],
    WORKGROUP as u32,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::input(2), Binding::output(3)],
);

/// The nearest of all runs.
pub const FIRST: Kernel = Kernel::linear(
    "pick.first",
    &[PICK, shader_part!("pick_first.wgsl")],
    WORKGROUP as u32,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);

/// Every compute kernel of picking.
pub const KERNELS: &[&Kernel] = &[&ROWS, &FIRST];
