//! The averages' columns on the GPU: a row for each track, the widest first, so that none lies hidden under a wider one.

use std::sync::Arc;

use super::gpu_data::{FrameUniform, chosen_of};
use super::passes::Layouts;
use crate::gpu::{GpuContext, GpuError, PositionBuffer, StorageBuffer, UniformBuffer};
use crate::scene::averages::radius;
use crate::scene::{MapSize, Scene};

/// All that the columns depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    revisions: [u64; 3],
    map: MapSize,
    pixels_per_point: f32,
}

/// The discs of all tracks.
#[derive(Debug)]
pub struct AverageDiscs {
    state: State,
    frame: UniformBuffer<FrameUniform>,
    frame_group: wgpu::BindGroup,
    columns: wgpu::BindGroup,
    radii: wgpu::BindGroup,
    tracks: u32,
}

impl AverageDiscs {
    /// The columns of a scene whose averages are there, or the ones that are there already where nothing changed. `colors`: of the rows.
    ///
    /// # Errors
    /// Out of memory.
    pub fn of(
        old: Option<Self>,
        context: &GpuContext,
        layouts: &Layouts,
        scene: &Scene,
        (size, pixels_per_point): ([u32; 2], f32),
        colors: impl FnOnce() -> Arc<[u32]>,
    ) -> Result<Self, GpuError> {
        let [width, height] = size.map(|edge| edge as f32 / pixels_per_point);
        let map = MapSize { width, height };
        let state = State { revisions: [scene.revision, scene.layout_revision, scene.chosen_revision], map, pixels_per_point };
        match old {
            Some(old) if old.state == state => Ok(old),
            _ => Self::new(context, layouts, scene, state, &colors()),
        }
    }

    fn new(context: &GpuContext, layouts: &Layouts, scene: &Scene, state: State, colors: &[u32]) -> Result<Self, GpuError> {
        let averages = scene.averages.as_deref().unwrap_or_default();
        let mut order: Vec<usize> = (0..averages.len()).collect();
        order.sort_by(|&a, &b| averages[b].diameter.total_cmp(&averages[a].diameter).then(a.cmp(&b)));
        let chosen = chosen_of(scene);
        let mut words = vec![0u32; order.len().div_ceil(32)];
        for (place, &track) in order.iter().enumerate() {
            let rows = scene.track_rows[track].range();
            let half = rows.len() / 2;
            if chosen.is_some_and(|chosen| rows.filter(|&row| chosen.contains(row)).count() > half) {
                words[place / 32] |= 1 << (place % 32);
            }
        }
        let centers: Vec<[f32; 3]> = order.iter().map(|&track| averages[track].center).collect();
        let is_exact = scene.coloring.is_exact();
        let of_track = |&track: &usize| colors.get(scene.track_rows[track].range()).unwrap_or_default();
        let colors: Vec<u32> = order.iter().map(|track| scene.colors.mixed(of_track(track), is_exact).to_packed()).collect();
        let tracks: Vec<u32> = order.iter().map(|&track| track as u32).collect();
        let of_track = |&track: &usize| radius(&averages[track], averages.len(), state.map) * state.pixels_per_point;
        let radii: Vec<f32> = order.iter().map(of_track).collect();
        let positions = PositionBuffer::from_positions(context, &centers)?;
        let colors = StorageBuffer::from_values(context, "averages.colors", &colors)?;
        let track_column = StorageBuffer::from_values(context, "averages.tracks", &tracks)?;
        let chosen = StorageBuffer::from_values(context, "averages.chosen", &words)?;
        let radii = StorageBuffer::from_values(context, "averages.radii", &radii)?;
        let frame = UniformBuffer::from_value(context, "averages.frame", &bytemuck::Zeroable::zeroed())?;
        let columns = [&positions.x, &positions.y, &positions.z, colors.buffer(), track_column.buffer(), chosen.buffer()];
        Ok(Self {
            state,
            frame_group: layouts.bind(context, "averages.frame", &layouts.frame, &[frame.buffer()]),
            columns: layouts.bind(context, "averages", &layouts.columns, &columns),
            radii: layouts.bind(context, "averages.radii", &layouts.radii, &[radii.buffer()]),
            frame,
            tracks: order.len() as u32,
        })
    }

    /// Takes the frame's uniform.
    ///
    /// # Errors
    /// Out of memory.
    pub fn set_frame(&self, context: &GpuContext, frame: FrameUniform) -> Result<(), GpuError> {
        self.frame.write(context, &FrameUniform { row_count: self.tracks, ..frame })
    }

    /// Draws them.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, pipeline: &wgpu::RenderPipeline) {
        if self.tracks > 0 {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &self.frame_group, &[]);
            pass.set_bind_group(1, &self.columns, &[]);
            pass.set_bind_group(2, &self.radii, &[]);
            pass.draw(0..6, 0..self.tracks);
        }
    }
}
