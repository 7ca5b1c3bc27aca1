//! The drawing pipelines of discs and lines.

use super::blend;
use super::target::{COLOR_FORMAT, DEPTH_FORMAT, sample_count};
use crate::gpu::{GpuContext, GpuError, ShaderSource};
use crate::scene::Dimensions;
use crate::shader_part;

/// Discs.
pub const POINTS: ShaderSource = ShaderSource {
    name: "map.points",
    parts: &[shader_part!("shared/frame.wgsl"), shader_part!("shared/sums.wgsl"), shader_part!("points.wgsl")],
};
/// Lines.
pub const TRAJECTORIES: ShaderSource = ShaderSource {
    name: "map.trajectories",
    parts: &[shader_part!("shared/frame.wgsl"), shader_part!("shared/sums.wgsl"), shader_part!("trajectories.wgsl")],
};

/// Storage columns that a pass reads: x, y, z, colour, track, chosen or not.
pub const COLUMN_COUNT: u32 = 6;

/// The bind group layouts that passes share: the frame, the columns, and depths.
#[derive(Debug)]
pub struct Layouts {
    /// Group 0.
    pub frame: wgpu::BindGroupLayout,
    /// Group 1.
    pub columns: wgpu::BindGroupLayout,
    /// Group 2 of discs whose radii differ.
    pub radii: wgpu::BindGroupLayout,
    /// Group 2 of what lies behind discs.
    pub depth: wgpu::BindGroupLayout,
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
            radii: layout("map.radii", &[entry(0, storage, wgpu::ShaderStages::VERTEX)]),
            depth: layout(
                "map.depth",
                &[wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Depth,
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: true,
                    },
                    count: None,
                }],
            ),
        }
    }
}

impl Layouts {
    /// Binds buffers to one of them.
    #[must_use]
    pub fn bind(&self, context: &GpuContext, label: &str, layout: &wgpu::BindGroupLayout, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<_> =
            (0..).zip(buffers).map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }).collect();
        context.device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(label), layout, entries: &entries })
    }
}

/// The pipelines of discs and lines.
#[derive(Debug)]
pub struct Passes {
    /// Discs of all rows but the focus', added up: in a plane.
    pub discs_summed: wgpu::RenderPipeline,
    /// Discs over what is there.
    pub discs_over: wgpu::RenderPipeline,
    /// Averages over one another: in a plane.
    pub averages_over: wgpu::RenderPipeline,
    /// Averages that hide one another: in a space.
    pub averages_opaque: wgpu::RenderPipeline,
    /// Discs that hide one another: in a space.
    pub discs_opaque: wgpu::RenderPipeline,
    /// Lines of all tracks but the focus', added up.
    pub lines_summed: wgpu::RenderPipeline,
    /// Of these, what discs do not hide.
    pub lines_summed_behind: wgpu::RenderPipeline,
    /// Curves through the rows of a track, over what is there.
    pub curves_over: wgpu::RenderPipeline,
    /// Of these, what discs do not hide.
    pub curves_over_behind: wgpu::RenderPipeline,
}

/// How a pass puts its marks into the picture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Summed,
    SummedBehind,
    Over,
    OverBehind,
    Opaque,
    AverageOver,
    AverageOpaque,
}

impl Passes {
    /// Compiles them.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext, layouts: &Layouts) -> Result<Self, GpuError> {
        let [points, lines] = [POINTS, TRAJECTORIES].map(|source| source.create_module(context).map(|module| (source.name, module)));
        let (points, lines) = (points?, lines?);
        Ok(Self {
            discs_summed: pipeline(context, layouts, &points, "vs_others", Manner::Summed)?,
            discs_over: pipeline(context, layouts, &points, "vs_main", Manner::Over)?,
            discs_opaque: pipeline(context, layouts, &points, "vs_main", Manner::Opaque)?,
            averages_over: pipeline(context, layouts, &points, "vs_average", Manner::AverageOver)?,
            averages_opaque: pipeline(context, layouts, &points, "vs_average", Manner::AverageOpaque)?,
            lines_summed: pipeline(context, layouts, &lines, "vs_main", Manner::Summed)?,
            lines_summed_behind: pipeline(context, layouts, &lines, "vs_main", Manner::SummedBehind)?,
            curves_over: pipeline(context, layouts, &lines, "vs_curve", Manner::Over)?,
            curves_over_behind: pipeline(context, layouts, &lines, "vs_curve", Manner::OverBehind)?,
        })
    }
}

fn pipeline(
    context: &GpuContext,
    layouts: &Layouts,
    (name, module): &(&'static str, wgpu::ShaderModule),
    vertex: &str,
    manner: Manner,
) -> Result<wgpu::RenderPipeline, GpuError> {
    let over = wgpu::ColorTargetState {
        format: COLOR_FORMAT,
        blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
        write_mask: wgpu::ColorWrites::ALL,
    };
    let (fragment, targets) = match manner {
        Manner::Summed => ("fs_sums", blend::sum_targets().to_vec()),
        Manner::SummedBehind => ("fs_sums_behind", blend::sum_targets().to_vec()),
        Manner::Over => ("fs_main", vec![Some(over)]),
        Manner::OverBehind => ("fs_main_behind", vec![Some(over)]),
        Manner::Opaque => ("fs_opaque", vec![Some(over)]),
        Manner::AverageOver => ("fs_average", vec![Some(over)]),
        Manner::AverageOpaque => ("fs_ball", vec![Some(over)]),
    };
    let reads_depth = matches!(manner, Manner::SummedBehind | Manner::OverBehind);
    let is_opaque = matches!(manner, Manner::Opaque | Manner::AverageOpaque);
    let depth_stencil = is_opaque.then(|| wgpu::DepthStencilState {
        format: DEPTH_FORMAT,
        depth_write_enabled: Some(true),
        depth_compare: Some(wgpu::CompareFunction::LessEqual),
        stencil: wgpu::StencilState::default(),
        bias: wgpu::DepthBiasState::default(),
    });
    let samples = if is_opaque { sample_count(Dimensions::Three) } else { 1 };
    context.scoped(name, || {
        let mut groups = vec![Some(&layouts.frame), Some(&layouts.columns)];
        groups.extend(reads_depth.then_some(Some(&layouts.depth)));
        groups.extend(matches!(manner, Manner::AverageOver | Manner::AverageOpaque).then_some(Some(&layouts.radii)));
        let layout = context.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(name),
            bind_group_layouts: &groups,
            immediate_size: 0,
        });
        context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(name),
            layout: Some(&layout),
            vertex: wgpu::VertexState { module, entry_point: Some(vertex), compilation_options: Default::default(), buffers: &[] },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil,
            multisample: wgpu::MultisampleState { count: samples, ..Default::default() },
            fragment: Some(wgpu::FragmentState {
                module,
                entry_point: Some(fragment),
                compilation_options: Default::default(),
                targets: &targets,
            }),
            multiview_mask: None,
            cache: None,
        })
    })
}
