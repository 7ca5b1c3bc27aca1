//! The table of t-SNE's compute shaders.

use crate::gpu::kernel::Kernel;
use crate::gpu::{Binding, BindingKind, ShaderPart};
use crate::shader_part;

const ROWS: ShaderPart = shader_part!("shared/rows.wgsl");
const PARAMS: ShaderPart = shader_part!("shared/tsne_params.wgsl");
const SPLINE: ShaderPart = shader_part!("shared/tsne_spline.wgsl");
const CELLS: ShaderPart = shader_part!("shared/tsne_cells.wgsl");
const FREQUENCY: ShaderPart = shader_part!("shared/tsne_frequency.wgsl");

/// The plan, as kernels read it.
const PLAN: Binding = Binding { group: 0, binding: 1, kind: BindingKind::Uniform };
/// Which transforms.
const PASS: Binding = Binding { group: 0, binding: 2, kind: BindingKind::Uniform };

/// Forces of all pairs.
pub static REPULSION: Kernel = Kernel::linear(
    "tsne.repulsion",
    &[ROWS, PARAMS, shader_part!("tsne_repulsion.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// Mean, bounds, and how grid and cells lie.
pub static PLANNING: Kernel =
    Kernel::linear("tsne.plan", &[PARAMS, shader_part!("tsne_plan.wgsl")], 256, &[Binding::PARAMS, Binding::input(0), Binding::output(1)]);
/// The smooth kernel on the nodes.
pub static GRID_KERNEL: Kernel = Kernel::linear(
    "tsne.grid_kernel",
    &[ROWS, PARAMS, shader_part!("tsne_grid_kernel.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, Binding::output(0)],
);
/// Fourier transforms along an axis.
pub static FFT: Kernel = Kernel::linear(
    "tsne.fft",
    &[ROWS, PARAMS, shader_part!("tsne_fft.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, PASS, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// The kernel's spectrum over the splines' symbols.
pub static GRID_SPECTRUM: Kernel = Kernel::linear(
    "tsne.grid_spectrum",
    &[ROWS, PARAMS, FREQUENCY, shader_part!("tsne_grid_spectrum.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// What a point finds of itself.
pub static GRID_OWN: Kernel = Kernel::linear(
    "tsne.grid_own",
    &[ROWS, PARAMS, FREQUENCY, shader_part!("tsne_grid_own.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// Points onto the nodes.
pub static GRID_PUT: Kernel = Kernel::linear(
    "tsne.grid_put",
    &[ROWS, PARAMS, SPLINE, shader_part!("tsne_grid_put.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::output(1)],
);
/// The density into the transform's cube.
pub static GRID_LOAD: Kernel = Kernel::linear(
    "tsne.grid_load",
    &[ROWS, PARAMS, shader_part!("tsne_grid_load.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::output(1)],
);
/// The potential at the points.
pub static GRID_READ: Kernel = Kernel::linear(
    "tsne.grid_read",
    &[ROWS, PARAMS, SPLINE, shader_part!("tsne_grid_read.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// Points' cells.
pub static CELLS_COUNT: Kernel = Kernel::linear(
    "tsne.cells_count",
    &[ROWS, PARAMS, CELLS, shader_part!("tsne_cells_count.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::output(1), Binding::output(2)],
);
/// Where cells begin.
pub static CELLS_SCAN: Kernel = Kernel::linear(
    "tsne.cells_scan",
    &[PARAMS, shader_part!("tsne_cells_scan.wgsl")],
    256,
    &[Binding::PARAMS, PLAN, Binding::output(0), Binding::output(1)],
);
/// Points into their cells.
pub static CELLS_SCATTER: Kernel = Kernel::linear(
    "tsne.cells_scatter",
    &[ROWS, PARAMS, shader_part!("tsne_cells_scatter.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::output(1), Binding::output(2)],
);
/// Points in order within their cells.
pub static CELLS_ORDER: Kernel = Kernel::linear(
    "tsne.cells_order",
    &[ROWS, PARAMS, shader_part!("tsne_cells_order.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::input(2), Binding::input(3), Binding::output(4)],
);
/// Pairs that are near.
pub static NEAR: Kernel = Kernel::linear(
    "tsne.near",
    &[ROWS, PARAMS, CELLS, shader_part!("tsne_near.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// Sums of the points' shares of Z.
pub static SUM: Kernel = Kernel::linear(
    "tsne.sum",
    &[ROWS, PARAMS, shader_part!("tsne_sum.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// Z.
pub static TOTAL: Kernel = Kernel::linear(
    "tsne.total",
    &[PARAMS, shader_part!("tsne_total.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
);
/// Neighbours' conditional probabilities.
pub static CALIBRATE: Kernel = Kernel::linear(
    "tsne.calibrate",
    &[ROWS, PARAMS, shader_part!("tsne_calibrate.wgsl")],
    64,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// Of how many rows each row is a neighbour.
pub static LISTS_COUNT: Kernel = Kernel::linear(
    "tsne.lists_count",
    &[ROWS, PARAMS, shader_part!("tsne_lists_count.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// Sums of 256 counts.
pub static LISTS_SUM: Kernel = Kernel::linear(
    "tsne.lists_sum",
    &[ROWS, PARAMS, shader_part!("tsne_lists_sum.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// Entries before each 256 rows.
pub static LISTS_SCAN: Kernel =
    Kernel::linear("tsne.lists_scan", &[PARAMS, shader_part!("tsne_lists_scan.wgsl")], 256, &[Binding::PARAMS, Binding::output(0)]);
/// Where lists begin.
pub static LISTS_STARTS: Kernel = Kernel::linear(
    "tsne.lists_starts",
    &[ROWS, PARAMS, shader_part!("tsne_lists_starts.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1), Binding::output(2)],
);
/// Entries into their lists.
pub static LISTS_SCATTER: Kernel = Kernel::linear(
    "tsne.lists_scatter",
    &[ROWS, PARAMS, shader_part!("tsne_lists_scatter.wgsl")],
    256,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1), Binding::output(2)],
);
/// Entries in order within their lists.
pub static LISTS_ORDER: Kernel = Kernel::linear(
    "tsne.lists_order",
    &[ROWS, PARAMS, shader_part!("tsne_lists_order.wgsl")],
    64,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1)],
);
/// The gradient.
pub static GRADIENT: Kernel = Kernel::linear(
    "tsne.gradient",
    &[ROWS, PARAMS, shader_part!("tsne_gradient.wgsl")],
    64,
    &[
        Binding::PARAMS,
        PLAN,
        Binding::input(0),
        Binding::input(1),
        Binding::input(2),
        Binding::input(3),
        Binding::input(4),
        Binding::output(5),
    ],
);
/// The divergence.
pub static DIVERGENCE: Kernel = Kernel::linear(
    "tsne.divergence",
    &[ROWS, PARAMS, shader_part!("tsne_divergence.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::input(0), Binding::input(1), Binding::input(2), Binding::output(3)],
);
/// A step.
pub static MOVE: Kernel = Kernel::linear(
    "tsne.move",
    &[ROWS, PARAMS, shader_part!("tsne_move.wgsl")],
    64,
    &[Binding::PARAMS, Binding::input(0), Binding::output(1), Binding::output(2), Binding::output(3), Binding::output(4)],
);
/// Positions about their mean, and into columns.
pub static CENTRE: Kernel = Kernel::linear(
    "tsne.centre",
    &[ROWS, PARAMS, shader_part!("tsne_centre.wgsl")],
    64,
    &[Binding::PARAMS, PLAN, Binding::output(0), Binding::output(1), Binding::output(2), Binding::output(3)],
);

/// All of them, in the order in which a run and its steps run them.
pub const KERNELS: &[&Kernel] = &[
    &LISTS_COUNT,
    &LISTS_SUM,
    &LISTS_SCAN,
    &LISTS_STARTS,
    &LISTS_SCATTER,
    &LISTS_ORDER,
    &CALIBRATE,
    &REPULSION,
    &GRID_KERNEL,
    &FFT,
    &GRID_SPECTRUM,
    &GRID_OWN,
    &GRID_PUT,
    &GRID_LOAD,
    &GRID_READ,
    &CELLS_COUNT,
    &CELLS_SCAN,
    &CELLS_SCATTER,
    &CELLS_ORDER,
    &NEAR,
    &SUM,
    &TOTAL,
    &GRADIENT,
    &MOVE,
    &PLANNING,
    &CENTRE,
    &DIVERGENCE,
];
