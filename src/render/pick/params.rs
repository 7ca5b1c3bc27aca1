//! What picking's kernels know of a pointer.

use bytemuck::{Pod, Zeroable};

use super::kernels::RUN;
use crate::scene::Aim;

/// Twin of `PickParams` in `shaders/shared/pick.wgsl`: an [`Aim`], and how many rows there are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct PickParams {
    /// See [`Aim::across`].
    pub across: [f32; 4],
    /// See [`Aim::down`].
    pub down: [f32; 4],
    /// See [`Aim::depth`].
    pub depth: [f32; 4],
    /// See [`Aim::anchor`].
    pub anchor: [f32; 3],
    /// Rows.
    pub row_count: u32,
    /// See [`Aim::seen`].
    pub seen: [f32; 2],
    /// See [`Aim::radius2`].
    pub radius2: f32,
    /// See [`Aim::disc`].
    pub disc: f32,
    /// See [`Aim::fitted`].
    pub fitted: f32,
    /// Runs of rows, of each of which the nearest is a candidate.
    pub candidates: u32,
    /// Fills the struct up.
    pub unused_a: u32,
    /// Fills the struct up.
    pub unused_b: u32,
}

impl PickParams {
    /// For an aim at so many rows.
    #[must_use]
    pub fn new(aim: &Aim, rows: usize) -> Self {
        let &Aim { anchor, across, down, depth, seen, radius2, disc, fitted } = aim;
        let (row_count, candidates) = (rows as u32, rows.div_ceil(RUN) as u32);
        Self { across, down, depth, anchor, row_count, seen, radius2, disc, fitted, candidates, unused_a: 0, unused_b: 0 }
    }
}
