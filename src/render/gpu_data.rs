//! What the GPU holds of a scene: one uniform a frame, and columns that are uploaded once.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use glam::Mat4;

use crate::gpu::{GpuContext, GpuError, PositionBuffer, StorageBuffer};
use crate::scene::{ChosenRows, ClipFromLayout, RowColors, Scene};

/// `focus_track` when no track has the focus.
pub const NO_TRACK: u32 = u32::MAX;

/// Twin of `Frame` in `shaders/shared/frame.wgsl`, whose layout `tests/render.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct FrameUniform {
    /// Layout, counted from the anchor, to clip space, by columns.
    pub clip_from_anchor: [[f32; 4]; 4],
    /// Background colour, sRGB.
    pub background: [f32; 3],
    /// Clip-space w of the layout's middle when all of it is seen; 1 in a plane.
    pub fitted_w: f32,
    /// A point of layout space near the middle of the picture ([`crate::scene::ClipFromLayout`]).
    pub anchor: [f32; 3],
    /// Radius of a disc in pixels.
    pub point_radius: f32,
    /// Width and height in pixels.
    pub viewport: [f32; 2],
    /// Opacity of a disc.
    pub point_opacity: f32,
    /// Width of a line in pixels.
    pub line_width: f32,
    /// Opacity of a line.
    pub line_opacity: f32,
    /// Width of a line's piece at its end, as a share of that at its start: lines point to where the music goes.
    pub line_taper: f32,
    /// Position of the track that keeps its colour, or [`NO_TRACK`].
    pub focus_track: u32,
    /// Number of rows.
    pub row_count: u32,
    /// 1: rows that are not chosen step back. 0: nothing is chosen.
    pub has_chosen: u32,
    /// 1: the tracks of chosen rows are curves. 0: they are lines as the others.
    pub curves_chosen: u32,
    /// Classes whose marks are added up each by itself, the last of rows in none; 0: colours are added up.
    pub classes: u32,
    /// The first of the four classes that a pass adds up.
    pub first_class: u32,
    /// The part of the picture that is drawn: left, top, width and height in pixels. All of it but for tiles.
    pub tile: [f32; 4],
}

impl FrameUniform {
    /// Layout to clip space.
    #[must_use]
    pub fn clip_from_layout(&self) -> ClipFromLayout {
        ClipFromLayout { anchor: self.anchor.into(), matrix: Mat4::from_cols_array_2d(&self.clip_from_anchor) }
    }
}

/// A scene's columns on the GPU, a value for each row.
#[derive(Debug)]
pub struct MapBuffers {
    /// Where the rows are.
    pub positions: PositionBuffer,
    /// Their colours, packed sRGB.
    pub colors: StorageBuffer<u32>,
    /// The position of the track that each belongs to.
    pub tracks: StorageBuffer<u32>,
    /// Which are chosen, a bit for each.
    pub chosen: StorageBuffer<u32>,
    chosen_revision: u64,
    revision: u64,
    layout_revision: u64,
    is_written_elsewhere: bool,
    is_on_host: bool,
    // Colours and tracks once more, where the CPU draws.
    host: Option<(Arc<[u32]>, Vec<u32>)>,
}

impl MapBuffers {
    /// Uploads a scene's columns; the positions are there already.
    ///
    /// # Errors
    /// Out of memory, or more rows than one binding takes.
    pub fn new(context: &GpuContext, scene: &Scene, positions: PositionBuffer) -> Result<Self, GpuError> {
        let (packed, tracks) = (colors_of(scene), tracks(scene));
        Ok(Self {
            positions,
            colors: StorageBuffer::from_values(context, "map.colors", &packed)?,
            tracks: StorageBuffer::from_values(context, "map.tracks", &tracks)?,
            chosen: StorageBuffer::zeroed(context, "map.chosen", scene.positions.len().div_ceil(32))?,
            // The first update brings them.
            chosen_revision: 0,
            revision: scene.revision,
            layout_revision: scene.layout_revision,
            is_written_elsewhere: false,
            is_on_host: false,
            host: context.caps.is_cpu().then_some((packed, tracks)),
        })
    }

    /// The same of positions that someone else writes, on the same device.
    ///
    /// # Errors
    /// As [`MapBuffers::new`].
    pub fn following(context: &GpuContext, scene: &Scene, positions: PositionBuffer) -> Result<Self, GpuError> {
        Ok(Self { is_written_elsewhere: true, ..Self::new(context, scene, positions)? })
    }

    /// Nothing on the GPU: for a scene that does not fit there. The CPU counts its rows into pixels.
    ///
    /// # Errors
    /// Out of memory.
    pub fn on_host(context: &GpuContext, scene: &Scene) -> Result<Self, GpuError> {
        let none = PositionBuffer::from_positions(context, &[])?;
        Ok(Self {
            positions: PositionBuffer { len: scene.positions.len(), ..none },
            colors: StorageBuffer::zeroed(context, "map.colors", 0)?,
            tracks: StorageBuffer::zeroed(context, "map.tracks", 0)?,
            chosen: StorageBuffer::zeroed(context, "map.chosen", 0)?,
            chosen_revision: 0,
            revision: scene.revision,
            layout_revision: scene.layout_revision,
            is_written_elsewhere: false,
            is_on_host: true,
            host: Some((colors_of(scene), tracks(scene))),
        })
    }

    /// Uploads what changed since; nothing, most of the time.
    ///
    /// # Errors
    /// Out of memory.
    pub fn update(&mut self, context: &GpuContext, scene: &Scene) -> Result<(), GpuError> {
        if self.revision != scene.revision {
            if !self.is_on_host {
                self.colors.write(context, 0, &colors_of(scene))?;
            }
            if let Some((host, _)) = &mut self.host {
                *host = colors_of(scene);
            }
            self.revision = scene.revision;
        }
        if self.layout_revision != scene.layout_revision {
            if !self.is_written_elsewhere && !self.is_on_host {
                self.positions.write(context, &scene.positions)?;
            }
            self.layout_revision = scene.layout_revision;
        }
        if self.chosen_revision != scene.chosen_revision {
            if let Some(chosen) = chosen_of(scene).filter(|_| !self.is_on_host) {
                self.chosen.write(context, 0, chosen.words())?;
            }
            self.chosen_revision = scene.chosen_revision;
        }
        Ok(())
    }
}

impl MapBuffers {
    /// Whether kernels write the positions, so that they may change at any time.
    #[must_use]
    pub fn is_written_elsewhere(&self) -> bool {
        self.is_written_elsewhere
    }

    /// Whether the GPU has none of the rows.
    #[must_use]
    pub fn is_on_host(&self) -> bool {
        self.is_on_host
    }

    /// Colour and track of each row on the CPU, where the CPU draws and knows the positions too.
    #[must_use]
    pub fn host_columns(&self, scene: &Scene) -> Option<(&[u32], &[u32])> {
        let (colors, tracks) = self.host.as_ref()?;
        (!self.is_written_elsewhere && colors.len() == scene.positions.len()).then_some((&**colors, tracks.as_slice()))
    }
}

/// The rows that are chosen, if any are and they are of this layout.
#[must_use]
pub fn chosen_of(scene: &Scene) -> Option<&ChosenRows> {
    scene.chosen.as_deref().filter(|chosen| chosen.rows() == scene.positions.len())
}

/// The colour of each row, packed sRGB; of a scene whose rows were exchanged under its colours, what they would be.
#[must_use]
pub fn colors_of(scene: &Scene) -> Arc<[u32]> {
    let rows = scene.positions.len();
    if scene.colors.of_rows.len() == rows {
        return scene.colors.of_rows.clone();
    }
    RowColors::new(&scene.coloring, scene.theme, &scene.track_rows, rows).of_rows
}

/// The track of each row. A row of no track counts as one of its own.
fn tracks(scene: &Scene) -> Vec<u32> {
    let mut tracks = vec![NO_TRACK - 1; scene.positions.len()];
    for (position, rows) in scene.track_rows.iter().enumerate() {
        let range = rows.first_row.min(tracks.len())..(rows.first_row + rows.row_count).min(tracks.len());
        tracks[range].fill(position as u32);
    }
    tracks
}
