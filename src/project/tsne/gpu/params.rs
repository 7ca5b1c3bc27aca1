//! What t-SNE's kernels are told, and what they tell each other: as in `shaders/shared/tsne_params.wgsl`.

use bytemuck::{Pod, Zeroable};

/// What stays the same in a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct TsneParams {
    /// Points.
    pub rows: u32,
    /// 2 or 3.
    pub dims: u32,
    /// The transform has 2^`log_size` values along an axis; 0 where all pairs are taken and there is no grid.
    pub log_size: u32,
    /// Cells along an axis that there is room for.
    pub most_cells: u32,
    /// What attraction is multiplied by.
    pub exaggeration: f32,
    /// How much of a step is kept for the next.
    pub momentum: f32,
    /// The learning rate.
    pub rate: f32,
    /// Neighbours of each row, as the lists lie.
    pub neighbors: u32,
    /// How many of them count; the weights of the others are 0.
    pub counted: u32,
    /// That a row's probabilities are to have, in nats: the perplexity's logarithm.
    pub entropy: f32,
    /// Nothing.
    pub unused_a: u32,
    /// Nothing.
    pub unused_b: u32,
}

/// What the GPU finds out from the positions.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct TsnePlan {
    /// The lowest corner of the layout.
    pub origin: [f32; 4],
    /// The highest.
    pub high: [f32; 4],
    /// What is to be taken off the positions.
    pub mean: [f32; 4],
    /// Between nodes, in units of the layout.
    pub spacing: f32,
    /// T of [`super::super::split`].
    pub limit: f32,
    /// Of the near part; 0 where there is none.
    pub reach: f32,
    /// What was taken off the kernel everywhere.
    pub base: f32,
    /// Cells per unit of the layout.
    pub per_unit: f32,
    /// The sum over all ordered pairs of 1 / (1 + d²).
    pub z: f32,
    /// What a point finds of itself on the grid.
    pub own: f32,
    /// 1: the spacing is another than in the last step.
    pub changed: u32,
    /// Nodes along an axis.
    pub nodes: u32,
    /// Cells along the first axis; 0 where there is no near part.
    pub cells_x: u32,
    /// Along the second.
    pub cells_y: u32,
    /// Along the third.
    pub cells_z: u32,
}

/// What a workgroup of `tsne_move.wgsl` knows of its rows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct TsnePartial {
    /// Sum of the positions.
    pub sum: [f32; 4],
    /// Lowest coordinates.
    pub low: [f32; 4],
    /// Highest coordinates.
    pub high: [f32; 4],
}

/// Which transforms `tsne_fft.wgsl` makes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct FftPass {
    /// Along which axis.
    pub axis: u32,
    /// 0 forward, 1 inverse, 2 forward, times the kernel's spectrum, inverse.
    pub mode: u32,
    /// 1: all of the cube has values, and only a changed plan makes it worth it.
    pub whole: u32,
    /// Nothing.
    pub unused: u32,
}
