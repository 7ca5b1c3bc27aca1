//! The kernel that finds the rows of a region, as a table.

use bytemuck::{Pod, Zeroable};

use crate::gpu::{Binding, BindingKind, Kernel};
use crate::shader_part;

/// Rows that a workgroup takes.
pub const WORKGROUP: usize = 256;

/// Twin of `SelectParams` in `shaders/select_inside.wgsl`, whose layout `tests/shader_layout.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SelectParams {
    /// Cells across.
    pub width: u32,
    /// 0.
    pub unused0: u32,
    /// 0.
    pub unused1: u32,
    /// 0.
    pub unused2: u32,
}

/// Which rows are inside.
pub const INSIDE: Kernel = Kernel::linear(
    "select.inside",
    &[shader_part!("shared/rows.wgsl"), shader_part!("shared/frame.wgsl"), shader_part!("select_inside.wgsl")],
    WORKGROUP as u32,
    &[
        Binding::PARAMS,
        Binding { group: 0, binding: 1, kind: BindingKind::Uniform },
        Binding::input(0),
        Binding::input(1),
        Binding::input(2),
        Binding::input(3),
        Binding::input(4),
        Binding::input(5),
        Binding::input(6),
        Binding::output(7),
    ],
);

/// Every kernel of choosing.
pub const KERNELS: &[&Kernel] = &[&INSIDE];
