//! Passes that go over the whole picture once: one triangle that covers it.

use super::target::COLOR_FORMAT;
use crate::gpu::{GpuContext, GpuError, ShaderSource};

/// The pipeline of such a pass: `shared/triangle.wgsl` is the vertices' part of its shader, `fs_main` the pixels'. `blend`: how it lies over what is there; `None`: in
/// its place.
///
/// # Errors
/// A shader or pipeline that the device rejects.
pub(super) fn pipeline(
    context: &GpuContext,
    source: &ShaderSource,
    groups: &[Option<&wgpu::BindGroupLayout>],
    blend: Option<wgpu::BlendState>,
) -> Result<wgpu::RenderPipeline, GpuError> {
    let module = source.create_module(context)?;
    let device = &context.device;
    context.scoped(source.name, || {
        let descriptor = wgpu::PipelineLayoutDescriptor { label: Some(source.name), bind_group_layouts: groups, immediate_size: 0 };
        let layout = device.create_pipeline_layout(&descriptor);
        device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(source.name),
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vs_main"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fs_main"),
                compilation_options: Default::default(),
                targets: &[Some(wgpu::ColorTargetState { format: COLOR_FORMAT, blend, write_mask: wgpu::ColorWrites::ALL })],
            }),
            multiview_mask: None,
            cache: None,
        })
    })
}
