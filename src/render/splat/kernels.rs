//! The splat's compute kernels and its last pass, as tables.

use crate::gpu::{Binding, BindingKind, Kernel, ShaderPart, ShaderSource};
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const FRAME: ShaderPart = shader_part!("shared/frame.wgsl");
const SPLAT: ShaderPart = shader_part!("shared/splat.wgsl");
const CELL: ShaderPart = shader_part!("shared/splat_cell.wgsl");
const INK: ShaderPart = shader_part!("shared/splat_ink.wgsl");

/// `@group(0) @binding(1)`: [`super::SplatParams`]. The frame is at 0.
const PARAMS: Binding = Binding { group: 0, binding: 1, kind: BindingKind::Uniform };

/// Invocations in a workgroup, in all of them.
pub const WORKGROUP: usize = 256;
/// Cells that a workgroup of [`HISTOGRAM`] or [`TOTAL`] takes.
pub const CELLS_EACH: usize = 32 * WORKGROUP;

/// Rows a pixel.
pub const COUNT: Kernel = Kernel::linear(
    "splat.count",
    &[ROWS, FRAME, SPLAT, CELL, shader_part!("splat_count.wgsl")],
    WORKGROUP as u32,
    &[
        Binding::PARAMS,
        PARAMS,
        Binding::input(0),
        Binding::input(1),
        Binding::input(2),
        Binding::input(3),
        Binding::input(4),
        Binding::input(5),
        Binding::output(6),
    ],
);

/// Rows a pixel, and the sums of their colours or the counts of their classes.
pub const COLOR: Kernel = Kernel::linear(
    "splat.color",
    &[ROWS, FRAME, SPLAT, CELL, INK, shader_part!("splat_color.wgsl")],
    WORKGROUP as u32,
    &[
        Binding::PARAMS,
        PARAMS,
        Binding::input(0),
        Binding::input(1),
        Binding::input(2),
        Binding::input(3),
        Binding::input(4),
        Binding::input(5),
        Binding::output(6),
        Binding::output(7),
    ],
);

/// Lines a pixel, and the same of them.
pub const LINES: Kernel = Kernel {
    shader: ShaderSource { name: "splat.lines", parts: &[ROWS, FRAME, SPLAT, CELL, INK, shader_part!("splat_lines.wgsl")] },
    ..COLOR
};

/// Counts spread along rows.
pub const SMOOTH_ROWS: Kernel = Kernel::linear(
    "splat.smooth_rows",
    &[ROWS, SPLAT, shader_part!("splat_smooth_rows.wgsl")],
    WORKGROUP as u32,
    &[PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
);

/// And along columns.
pub const SMOOTH_COLUMNS: Kernel = Kernel::linear(
    "splat.smooth_columns",
    &[ROWS, SPLAT, shader_part!("splat_smooth_columns.wgsl")],
    WORKGROUP as u32,
    &[PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
);

/// Cells a bucket of values.
pub const HISTOGRAM: Kernel = Kernel::linear(
    "splat.histogram",
    &[ROWS, SPLAT, shader_part!("splat_histogram.wgsl")],
    WORKGROUP as u32,
    &[PARAMS, Binding::input(0), Binding::output(1)],
);

/// The tone of each bucket.
pub const CURVE: Kernel = Kernel::linear(
    "splat.curve",
    &[SPLAT, shader_part!("splat_curve.wgsl")],
    WORKGROUP as u32,
    &[PARAMS, Binding::input(0), Binding::output(1)],
);

/// All cells in one number.
pub const TOTAL: Kernel = Kernel::linear(
    "splat.total",
    &[ROWS, SPLAT, shader_part!("splat_total.wgsl")],
    WORKGROUP as u32,
    &[PARAMS, Binding::input(0), Binding::output(1)],
);

/// Cells to colours: drawn, not computed.
pub const RESOLVE: ShaderSource = ShaderSource {
    name: "splat.resolve",
    parts: &[shader_part!("shared/triangle.wgsl"), SPLAT, shader_part!("shared/mixture.wgsl"), shader_part!("splat_resolve.wgsl")],
};

/// Every compute kernel of the splat.
pub const KERNELS: &[&Kernel] = &[&COUNT, &COLOR, &LINES, &SMOOTH_ROWS, &SMOOTH_COLUMNS, &HISTOGRAM, &CURVE, &TOTAL];
