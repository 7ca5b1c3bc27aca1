//! The pass that colours a splat's cells: one triangle over the picture.

use super::kernels::RESOLVE;
use super::params::SplatParams;
use crate::gpu::{GpuContext, GpuError, UniformBuffer};
use crate::render::triangle;

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
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let layout =
            |entries: &[_]| device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(RESOLVE.name), entries });
        let storage = wgpu::BufferBindingType::Storage { read_only: true };
        let first = layout(&[entry(1, wgpu::BufferBindingType::Uniform)]);
        let cells = layout(&(0..6).map(|binding| entry(binding, storage)).collect::<Vec<_>>());
        // Nothing is below it.
        let pipeline = triangle::pipeline(context, &RESOLVE, &[Some(&first), Some(&cells)], None)?;
        let params = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(RESOLVE.name),
            layout: &first,
            entries: &[wgpu::BindGroupEntry { binding: 1, resource: params.buffer().as_entire_binding() }],
        });
        Ok(Self { pipeline, cells, params })
    }

    /// Puts values, sums, tones, colours of tones, counts and colours of classes in place.
    #[must_use]
    pub fn bind(&self, context: &GpuContext, buffers: [&wgpu::Buffer; 6]) -> wgpu::BindGroup {
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
