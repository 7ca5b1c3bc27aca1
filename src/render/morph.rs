//! Rows on their way from one layout to another, mixed on the GPU: both ends are uploaded once, a frame brings one number.

use bytemuck::{Pod, Zeroable};

use crate::gpu::{Binding, BoundKernel, GpuContext, GpuError, Kernel, PositionBuffer, UniformBuffer};
use crate::scene::Scene;
use crate::shader_part;

/// Invocations in a workgroup.
pub const WORKGROUP: usize = 256;

/// Mixes one axis.
pub const MIX: Kernel = Kernel::linear(
    "map.morph",
    &[shader_part!("shared/rows.wgsl"), shader_part!("morph.wgsl")],
    WORKGROUP as u32,
    &[Binding::PARAMS, Binding::input(0), Binding::input(1), Binding::output(2)],
);

/// Twin of `MorphParams` in `shaders/morph.wgsl`, whose layout `tests/shader_layout.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct MorphParams {
    /// Number of rows.
    pub rows: u32,
    /// How far they are, 0..1.
    pub way: f32,
}

/// A way, on the GPU.
#[derive(Debug)]
pub struct MorphColumns {
    serial: u64,
    layout_revision: u64,
    ends: PositionBuffer,
    params: UniformBuffer<MorphParams>,
    axes: [BoundKernel; 3],
}

impl MorphColumns {
    /// The way that a scene is on, into `places`; what is there already where it is the same.
    ///
    /// # Errors
    /// Out of memory.
    pub fn of(old: Option<Self>, context: &GpuContext, scene: &Scene, places: &PositionBuffer) -> Result<Option<Self>, GpuError> {
        let Some(morph) = &scene.morph else { return Ok(None) };
        let mut columns = match old {
            Some(old) if old.serial == morph.serial => old,
            _ => {
                let starts = PositionBuffer::from_positions(context, &morph.from)?;
                let ends = PositionBuffer::from_positions(context, &scene.positions)?;
                let params = UniformBuffer::from_value(context, "map.morph", &MorphParams::zeroed())?;
                let pipeline = MIX.pipeline(context)?;
                let axis = |start, end, place| pipeline.bind(context, &[params.buffer(), start, end, place]);
                let axes =
                    [axis(&starts.x, &ends.x, &places.x)?, axis(&starts.y, &ends.y, &places.y)?, axis(&starts.z, &ends.z, &places.z)?];
                Self { serial: morph.serial, layout_revision: scene.layout_revision, ends, params, axes }
            }
        };
        if columns.layout_revision != scene.layout_revision {
            // An embedding on the CPU went on meanwhile.
            columns.ends.write(context, &scene.positions)?;
            columns.layout_revision = scene.layout_revision;
        }
        columns.params.write(context, &MorphParams { rows: columns.ends.len as u32, way: morph.way() })?;
        Ok(Some(columns))
    }

    /// Puts the rows where they are now.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("map.morph"), timestamp_writes: None });
        for axis in &self.axes {
            axis.dispatch(&mut pass, self.ends.len.div_ceil(WORKGROUP) as u32);
        }
    }
}
