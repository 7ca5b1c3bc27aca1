//! Transparency that does not depend on the order of rows.
//!
//! Every mark adds its colour, weighted by its opacity, to one texture, and the logarithm of what it lets through to another: sums, which are the
//! same in any order but for the rounding of their last bits. A pixel's colour is then the mean of its marks', and its opacity what all of them
//! together hide (Bavoil and Myers, "Order Independent Transparency with Dual Depth Peeling", 2008, "weighted average", with the exact opacity).

use crate::gpu::{GpuContext, GpuError, ShaderSource};
use crate::render::triangle;
use crate::shader_part;

/// Sums of colour and opacity.
pub const SUM_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Sums of logarithms of what marks let through.
pub const THROUGH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R16Float;

/// Sums to colours.
pub const RESOLVE: ShaderSource =
    ShaderSource { name: "map.blend", parts: &[shader_part!("shared/triangle.wgsl"), shader_part!("blend_resolve.wgsl")] };

/// The colour targets of a pass whose marks add themselves up.
#[must_use]
pub fn sum_targets() -> [Option<wgpu::ColorTargetState>; 2] {
    let add = wgpu::BlendComponent {
        src_factor: wgpu::BlendFactor::One,
        dst_factor: wgpu::BlendFactor::One,
        operation: wgpu::BlendOperation::Add,
    };
    let blend = Some(wgpu::BlendState { color: add, alpha: add });
    [SUM_FORMAT, THROUGH_FORMAT].map(|format| Some(wgpu::ColorTargetState { format, blend, write_mask: wgpu::ColorWrites::ALL }))
}

/// The pass that lays the sums over a picture, and the textures of the newest size.
#[derive(Debug)]
pub struct Blend {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    sums: Option<Sums>,
}

#[derive(Debug)]
struct Sums {
    size: [u32; 2],
    color: wgpu::TextureView,
    through: wgpu::TextureView,
    group: wgpu::BindGroup,
}

impl Blend {
    /// Compiles it.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let entry = |binding| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            count: None,
        };
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(RESOLVE.name), entries: &[entry(0), entry(1)] };
        let layout = context.device.create_bind_group_layout(&descriptor);
        let pipeline = triangle::pipeline(context, &RESOLVE, &[Some(&layout)], Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING))?;
        Ok(Self { pipeline, layout, sums: None })
    }

    /// Begins to add marks up, for a picture of `size` pixels.
    ///
    /// # Errors
    /// Out of memory.
    pub fn begin<'e>(
        &mut self,
        context: &GpuContext,
        encoder: &'e mut wgpu::CommandEncoder,
        size: [u32; 2],
        timestamp_writes: Option<wgpu::RenderPassTimestampWrites<'_>>,
    ) -> Result<wgpu::RenderPass<'e>, GpuError> {
        if self.sums.as_ref().is_none_or(|sums| sums.size != size) {
            // The old ones first, so that both need not be there at once.
            self.sums = None;
        }
        let sums = match self.sums.take() {
            Some(sums) => sums,
            None => self.sums(context, size)?,
        };
        let sums = self.sums.insert(sums);
        let attachment = |view| wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT), store: wgpu::StoreOp::Store },
        };
        Ok(encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("map.sums"),
            color_attachments: &[Some(attachment(&sums.color)), Some(attachment(&sums.through))],
            timestamp_writes,
            ..Default::default()
        }))
    }

    /// Lays what was added up over what the pass's target holds.
    pub fn resolve(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(sums) = &self.sums {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &sums.group, &[]);
            pass.draw(0..3, 0..1);
        }
    }

    fn sums(&self, context: &GpuContext, size: [u32; 2]) -> Result<Sums, GpuError> {
        let texture = |label, format| {
            let descriptor = wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            };
            let texture = context.scoped(label, || context.device.create_texture(&descriptor))?;
            Ok::<_, GpuError>(texture.create_view(&wgpu::TextureViewDescriptor::default()))
        };
        let (color, through) = (texture("map.sums.color", SUM_FORMAT)?, texture("map.sums.through", THROUGH_FORMAT)?);
        let entries = [&color, &through];
        let entries: Vec<_> = (0..)
            .zip(entries)
            .map(|(binding, view)| wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::TextureView(view) })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some("map.sums"), layout: &self.layout, entries: &entries };
        let group = context.device.create_bind_group(&descriptor);
        Ok(Sums { size, color, through, group })
    }
}
