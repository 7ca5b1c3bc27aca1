//! Where a row's splat goes: the twin of `shaders/shared/splat_cell.wgsl`.

use glam::{Vec3, Vec4};

use super::params::SplatParams;
use crate::scene::ClipFromLayout;

/// Positions to cells, and how far away they are.
pub trait Projector: Sync {
    /// Where a position is, in cells from the corner of the whole picture's grid, anywhere, and its clip-space w; `None` behind the eye. It may be no number.
    fn place(&self, position: [f32; 3]) -> Option<([f32; 2], f32)>;

    /// The cell of a position, and its clip-space w; `None` outside of the grid, behind the eye, or where it is not a number.
    fn cell(&self, position: [f32; 3]) -> Option<(usize, f32)>;
}

/// The grid's borders in cells, as a place is compared with them, and how pixels lie in it.
#[derive(Clone, Copy, Debug)]
struct Grid {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    first: [usize; 2],
    across: usize,
    cells_per_pixel: f32,
    margin: f32,
}

impl Grid {
    fn new(params: &SplatParams) -> Self {
        Self {
            left: params.corner[0] as f32,
            top: params.corner[1] as f32,
            right: (params.corner[0] + params.width) as f32,
            bottom: (params.corner[1] + params.height()) as f32,
            first: params.corner.map(|cell| cell as usize),
            across: params.width as usize,
            cells_per_pixel: 1.0 / params.cell as f32,
            margin: params.margin as f32,
        }
    }

    #[inline]
    fn cell(&self, x: f32, y: f32) -> Option<usize> {
        // What is not a number compares false.
        let is_inside = x >= self.left && x < self.right && y >= self.top && y < self.bottom;
        let [left, top] = self.first;
        is_inside.then(|| (y as i32 as usize - top) * self.across + x as i32 as usize - left)
    }
}

/// A plane seen from above: each axis on its own.
#[derive(Clone, Copy, Debug)]
pub struct PlaneProjector {
    grid: Grid,
    anchor: [f32; 2],
    scale: [f32; 2],
    offset: [f32; 2],
}

/// A space in perspective.
#[derive(Clone, Copy, Debug)]
pub struct SpaceProjector {
    grid: Grid,
    size: [f32; 2],
    clip_from_layout: ClipFromLayout,
}

impl PlaneProjector {
    /// For a picture of `size` pixels; `clip_from_layout` moves and stretches axes, no more.
    #[must_use]
    pub fn new(clip_from_layout: ClipFromLayout, size: [f32; 2], params: &SplatParams) -> Self {
        let grid = Grid::new(params);
        let [width, height] = size.map(|edge| edge * grid.cells_per_pixel);
        let (x, y, moved) = (clip_from_layout.matrix.x_axis.x, clip_from_layout.matrix.y_axis.y, clip_from_layout.matrix.w_axis);
        Self {
            grid,
            anchor: [clip_from_layout.anchor.x, clip_from_layout.anchor.y],
            scale: [x * 0.5 * width, y * -0.5 * height],
            offset: [(moved.x * 0.5 + 0.5) * width + grid.margin, (moved.y * -0.5 + 0.5) * height + grid.margin],
        }
    }
}

impl Projector for PlaneProjector {
    #[inline]
    fn place(&self, [x, y, _]: [f32; 3]) -> Option<([f32; 2], f32)> {
        let from_anchor = [x - self.anchor[0], y - self.anchor[1]];
        Some(([from_anchor[0] * self.scale[0] + self.offset[0], from_anchor[1] * self.scale[1] + self.offset[1]], 1.0))
    }

    #[inline]
    fn cell(&self, position: [f32; 3]) -> Option<(usize, f32)> {
        self.place(position).and_then(|([x, y], w)| self.grid.cell(x, y).map(|cell| (cell, w)))
    }
}

impl SpaceProjector {
    /// For a picture of `size` pixels.
    #[must_use]
    pub fn new(clip_from_layout: ClipFromLayout, size: [f32; 2], params: &SplatParams) -> Self {
        let grid = Grid::new(params);
        Self { size: size.map(|edge| edge * grid.cells_per_pixel), grid, clip_from_layout }
    }
}

impl Projector for SpaceProjector {
    #[inline]
    fn place(&self, position: [f32; 3]) -> Option<([f32; 2], f32)> {
        let clip: Vec4 = self.clip_from_layout.clip_of(Vec3::from(position));
        if !(clip.w > 1e-5 && clip.z >= 0.0 && clip.z <= clip.w) {
            return None;
        }
        let nearness = 0.5 / clip.w;
        let (x, y) = ((clip.x * nearness + 0.5) * self.size[0], (0.5 - clip.y * nearness) * self.size[1]);
        Some(([x + self.grid.margin, y + self.grid.margin], clip.w))
    }

    #[inline]
    fn cell(&self, position: [f32; 3]) -> Option<(usize, f32)> {
        self.place(position).and_then(|([x, y], w)| self.grid.cell(x, y).map(|cell| (cell, w)))
    }
}
