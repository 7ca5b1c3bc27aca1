//! What the passes of a splat share as parameters.

use bytemuck::{Pod, Zeroable};

/// Cells behind the last pixel that count the rows outside of the picture. Twin of `OUTSIDE_CELLS` in `shaders/shared/splat.wgsl`.
pub const OUTSIDE_CELLS: usize = 256;
/// Rows that follow one another and are splatted together. Twin of `RUN` there.
pub const RUN: usize = 16;

/// What a picture shows of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SplatKind {
    /// A heat map of the counts.
    Density,
    /// The mean of the rows' colours, opaque where there are many.
    Colors,
}

/// Twin of `SplatParams` in `shaders/shared/splat.wgsl`, whose layout `tests/shader_layout.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SplatParams {
    /// Every `stride`-th run of [`RUN`] rows is splatted.
    pub stride: u32,
    /// The first run.
    pub phase: u32,
    /// Cells across.
    pub width: u32,
    /// Cells in all, without those outside.
    pub pixels: u32,
    /// What a full colour channel adds to a sum.
    pub levels: u32,
    /// 0: [`SplatKind::Density`]; 1: [`SplatKind::Colors`].
    pub mode: u32,
    /// Nothing.
    pub unused_a: u32,
    /// Nothing.
    pub unused_b: u32,
}

impl SplatParams {
    /// For a picture of `size` pixels of `rows` rows, all of them.
    #[must_use]
    pub fn new(size: [u32; 2], rows: usize, kind: SplatKind) -> Self {
        Self {
            stride: 1,
            phase: 0,
            width: size[0],
            pixels: size[0] * size[1],
            levels: color_levels(rows),
            mode: u32::from(kind == SplatKind::Colors),
            unused_a: 0,
            unused_b: 0,
        }
    }

    /// Runs that `rows` rows have in this part of them.
    #[must_use]
    pub fn runs(&self, rows: usize) -> usize {
        rows.div_ceil(RUN).saturating_sub(self.phase as usize).div_ceil(self.stride.max(1) as usize)
    }
}

/// What a full colour channel may add to a sum of 32 bits, so that all rows fit into one pixel: 255 up to 16.8 million rows.
#[must_use]
pub fn color_levels(rows: usize) -> u32 {
    u32::try_from(u32::MAX as usize / rows.max(1)).unwrap_or(u32::MAX).clamp(1, 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_all_rows_are_all_rows() {
        for rows in [0, 1, 15, 16, 17, 1000, 4097] {
            for stride in [1, 2, 3, 7] {
                let whole = SplatParams::new([10, 10], rows, SplatKind::Density);
                let runs: usize = (0..stride).map(|phase| SplatParams { stride, phase, ..whole }.runs(rows)).sum();
                assert_eq!(runs, rows.div_ceil(RUN), "{rows} rows in {stride} parts");
            }
        }
    }

    #[test]
    fn sums_of_colours_hold_every_row_in_one_pixel() {
        for rows in [1, 1_000_000, 16_843_009, 16_843_010, 100_000_000] {
            assert!(u64::from(color_levels(rows)) * rows as u64 <= u64::from(u32::MAX), "{rows}");
        }
        assert_eq!(color_levels(14_089_712), 255);
    }
}
