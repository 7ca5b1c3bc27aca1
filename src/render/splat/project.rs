//! Where a row's splat goes: the twin of `shaders/shared/splat_cell.wgsl`.

use glam::{Mat4, Vec3, Vec4};

/// Positions to cells, and how far away they are.
pub trait Projector: Sync {
    /// The cell of a position, and its clip-space w; `None` outside of the picture, behind the eye, or where it is not a number.
    fn cell(&self, position: [f32; 3]) -> Option<(usize, f32)>;
}

/// Width and height of the picture, as a pixel's borders are compared with them.
#[derive(Clone, Copy, Debug)]
struct Grid {
    width: f32,
    height: f32,
    across: usize,
}

impl Grid {
    fn new(size: [u32; 2]) -> Self {
        Self { width: size[0] as f32, height: size[1] as f32, across: size[0] as usize }
    }

    #[inline]
    fn cell(&self, x: f32, y: f32) -> Option<usize> {
        // What is not a number compares false.
        let is_inside = x >= 0.0 && x < self.width && y >= 0.0 && y < self.height;
        is_inside.then(|| y as i32 as usize * self.across + x as i32 as usize)
    }
}

/// A plane seen from above: each axis on its own.
#[derive(Clone, Copy, Debug)]
pub struct PlaneProjector {
    grid: Grid,
    scale: [f32; 2],
    offset: [f32; 2],
}

/// A space in perspective.
#[derive(Clone, Copy, Debug)]
pub struct SpaceProjector {
    grid: Grid,
    clip_from_layout: Mat4,
}

impl PlaneProjector {
    /// For a picture of `size` pixels; `clip_from_layout` moves and stretches axes, no more.
    #[must_use]
    pub fn new(clip_from_layout: Mat4, size: [u32; 2]) -> Self {
        let grid = Grid::new(size);
        let (x, y, moved) = (clip_from_layout.x_axis.x, clip_from_layout.y_axis.y, clip_from_layout.w_axis);
        Self {
            grid,
            scale: [x * 0.5 * grid.width, y * -0.5 * grid.height],
            offset: [(moved.x * 0.5 + 0.5) * grid.width, (moved.y * -0.5 + 0.5) * grid.height],
        }
    }
}

impl Projector for PlaneProjector {
    #[inline]
    fn cell(&self, [x, y, _]: [f32; 3]) -> Option<(usize, f32)> {
        let at = [x * self.scale[0] + self.offset[0], y * self.scale[1] + self.offset[1]];
        self.grid.cell(at[0], at[1]).map(|cell| (cell, 1.0))
    }
}

impl SpaceProjector {
    /// For a picture of `size` pixels.
    #[must_use]
    pub fn new(clip_from_layout: Mat4, size: [u32; 2]) -> Self {
        Self { grid: Grid::new(size), clip_from_layout }
    }
}

impl Projector for SpaceProjector {
    #[inline]
    fn cell(&self, position: [f32; 3]) -> Option<(usize, f32)> {
        let clip: Vec4 = self.clip_from_layout * Vec3::from(position).extend(1.0);
        if !(clip.w > 1e-5 && clip.z >= 0.0 && clip.z <= clip.w) {
            return None;
        }
        let nearness = 0.5 / clip.w;
        let (x, y) = ((clip.x * nearness + 0.5) * self.grid.width, (0.5 - clip.y * nearness) * self.grid.height);
        self.grid.cell(x, y).map(|cell| (cell, clip.w))
    }
}
