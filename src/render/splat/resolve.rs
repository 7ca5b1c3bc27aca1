//! The pass that colours a splat's cells: one triangle over the picture.

use super::kernels::RESOLVE;
use super::params::SplatParams;
use crate::gpu::{GpuContext, GpuError, UniformBuffer};
use crate::render::target::COLOR_FORMAT;

/// The pipeline with its parameters in place.
#[derive(Debug)]
pub struct ResolvePass {
    pipeline: wgpu::RenderPipeline,
    cells: wgpu::BindGroupLayout,
    params: wgpu::BindGroup,
}

impl ResolvePass {
    /// Compiles it.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext, params: &UniformBuffer<SplatParams>) -> Result<Self, GpuError> {
        let device = &context.device;
        let module = RESOLVE.create_module(context)?;
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let layout =
            |entries: &[_]| device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(RESOLVE.name), entries });
        let storage = wgpu::BufferBindingType::Storage { read_only: true };
        context.scoped(RESOLVE.name, || {
            let first = layout(&[entry(1, wgpu::BufferBindingType::Uniform)]);
            let cells = layout(&(0..5).map(|binding| entry(binding, storage)).collect::<Vec<_>>());
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(RESOLVE.name),
                bind_group_layouts: &[Some(&first), Some(&cells)],
                immediate_size: 0,
            });
            let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(RESOLVE.name),
                layout: Some(&pipeline_layout),
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
                    targets: &[Some(wgpu::ColorTargetState {
                        format: COLOR_FORMAT,
                        // Nothing is below it.
                        blend: None,
                        write_mask: wgpu::ColorWrites::ALL,
                    })],
                }),
                multiview_mask: None,
                cache: None,
            });
            let params = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(RESOLVE.name),
                layout: &first,
                entries: &[wgpu::BindGroupEntry { binding: 1, resource: params.buffer().as_entire_binding() }],
            });
            Self { pipeline, cells, params }
        })
    }

    /// Puts values, sums, tones, colours and counts in place.
    #[must_use]
    pub fn bind(&self, context: &GpuContext, buffers: [&wgpu::Buffer; 5]) -> wgpu::BindGroup {
        let entries: Vec<_> =
            (0..).zip(buffers).map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }).collect();
        context.device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(RESOLVE.name), layout: &self.cells, entries: &entries })
    }

    /// Draws.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, cells: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.params, &[]);
        pass.set_bind_group(1, cells, &[]);
        pass.draw(0..3, 0..1);
    }
}
