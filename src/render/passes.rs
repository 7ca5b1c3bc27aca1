//! The drawing pipelines: discs and lines, each for a plane and for a space.

use super::target::{COLOR_FORMAT, DEPTH_FORMAT, sample_count};
use crate::gpu::{GpuContext, GpuError, ShaderSource};
use crate::scene::Dimensions;
use crate::shader_part;

/// Discs.
pub const POINTS: ShaderSource =
    ShaderSource { name: "map.points", parts: &[shader_part!("shared/frame.wgsl"), shader_part!("points.wgsl")] };
/// Lines.
pub const TRAJECTORIES: ShaderSource =
    ShaderSource { name: "map.trajectories", parts: &[shader_part!("shared/frame.wgsl"), shader_part!("trajectories.wgsl")] };

/// Storage columns that a pass reads: x, y, z, colour, track, chosen or not.
pub const COLUMN_COUNT: u32 = 6;

/// The bind group layouts that all passes share: the frame, and the columns.
#[derive(Debug)]
pub struct Layouts {
    /// Group 0.
    pub frame: wgpu::BindGroupLayout,
    /// Group 1.
    pub columns: wgpu::BindGroupLayout,
}

impl Layouts {
    /// Makes them.
    #[must_use]
    pub fn new(context: &GpuContext) -> Self {
        let entry = |binding, ty, visibility| wgpu::BindGroupLayoutEntry {
            binding,
            visibility,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let storage = wgpu::BufferBindingType::Storage { read_only: true };
        let columns: Vec<_> = (0..COLUMN_COUNT).map(|binding| entry(binding, storage, wgpu::ShaderStages::VERTEX)).collect();
        let layout = |label, entries: &[_]| {
            context.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries })
        };
        Self {
            frame: layout("map.frame", &[entry(0, wgpu::BufferBindingType::Uniform, wgpu::ShaderStages::VERTEX_FRAGMENT)]),
            columns: layout("map.columns", &columns),
        }
    }
}

/// The pipelines of one kind of picture.
#[derive(Debug)]
pub struct Passes {
    /// Discs.
    pub points: wgpu::RenderPipeline,
    /// Lines.
    pub trajectories: wgpu::RenderPipeline,
    /// Curves through the rows of a few tracks.
    pub curves: wgpu::RenderPipeline,
}

impl Passes {
    /// Compiles them.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext, layouts: &Layouts, dimensions: Dimensions) -> Result<Self, GpuError> {
        let discs = if dimensions == Dimensions::Three { "fs_opaque" } else { "fs_main" };
        Ok(Self {
            points: pipeline(context, layouts, &POINTS, ["vs_main", discs], dimensions, true)?,
            // Lines are blended in a space too; they hide behind discs and hide nothing.
            trajectories: pipeline(context, layouts, &TRAJECTORIES, ["vs_main", "fs_main"], dimensions, false)?,
            curves: pipeline(context, layouts, &TRAJECTORIES, ["vs_curve", "fs_main"], dimensions, false)?,
        })
    }
}

fn pipeline(
    context: &GpuContext,
    layouts: &Layouts,
    source: &ShaderSource,
    [vertex, fragment]: [&str; 2],
    dimensions: Dimensions,
    writes_depth: bool,
) -> Result<wgpu::RenderPipeline, GpuError> {
    let module = source.create_module(context)?;
    let depth_stencil = (dimensions == Dimensions::Three).then(|| wgpu::DepthStencilState {
        format: DEPTH_FORMAT,
        depth_write_enabled: Some(writes_depth),
        depth_compare: Some(wgpu::CompareFunction::LessEqual),
        stencil: wgpu::StencilState::default(),
        bias: wgpu::DepthBiasState::default(),
    });
    context.scoped(source.name, || {
        let layout = context.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(source.name),
            bind_group_layouts: &[Some(&layouts.frame), Some(&layouts.columns)],
            immediate_size: 0,
        });
        context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(source.name),
            layout: Some(&layout),
            vertex: wgpu::VertexState { module: &module, entry_point: Some(vertex), compilation_options: Default::default(), buffers: &[] },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil,
            multisample: wgpu::MultisampleState { count: sample_count(dimensions), ..Default::default() },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(fragment),
                compilation_options: Default::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: COLOR_FORMAT,
                    blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
    })
}
