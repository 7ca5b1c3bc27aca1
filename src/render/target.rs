//! The textures that the map is drawn into.

use crate::gpu::{GpuContext, GpuError};
use crate::scene::Dimensions;

/// Colour of the map: sRGB numbers, premultiplied, not converted by the hardware, because egui blends in sRGB.
pub const COLOR_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// Depth, in 3-D.
pub const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// Samples a pixel: a plane's marks have analytic edges; in a space, edges come from samples.
#[must_use]
pub fn sample_count(dimensions: Dimensions) -> u32 {
    match dimensions {
        Dimensions::Two => 1,
        Dimensions::Three => 4,
    }
}

/// Where a map is drawn: its colour, and in 3-D the samples and depths behind it. All of a picture, or a tile of it.
#[derive(Debug)]
pub struct ViewTarget {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Width and height of the whole picture in pixels.
    pub picture: [u32; 2],
    /// Where its upper left corner lies in the picture, in pixels.
    pub origin: [u32; 2],
    /// Plane or space.
    pub dimensions: Dimensions,
    /// The finished picture.
    pub color: wgpu::Texture,
    /// A view of it.
    pub color_view: wgpu::TextureView,
    samples: Option<wgpu::TextureView>,
    depth: Option<wgpu::TextureView>,
}

impl ViewTarget {
    /// Textures of this size, at least 1 x 1 and at most what the device takes.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(context: &GpuContext, size: [u32; 2], dimensions: Dimensions) -> Result<Self, GpuError> {
        let limit = context.device.limits().max_texture_dimension_2d;
        let size = size.map(|edge| edge.clamp(1, limit));
        let samples = sample_count(dimensions);
        let texture = |label, format, sample_count, usage| {
            let descriptor = wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage,
                view_formats: &[],
            };
            context.scoped(label, || context.device.create_texture(&descriptor))
        };
        let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        let attachment = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let copies = wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST;
        let usage = attachment | wgpu::TextureUsages::TEXTURE_BINDING | copies;
        let color = texture("map.color", COLOR_FORMAT, 1, usage)?;
        let (samples, depth) = match dimensions {
            Dimensions::Two => (None, None),
            Dimensions::Three => (
                Some(view(&texture("map.samples", COLOR_FORMAT, samples, attachment)?)),
                Some(view(&texture("map.depth", DEPTH_FORMAT, samples, attachment | wgpu::TextureUsages::TEXTURE_BINDING)?)),
            ),
        };
        Ok(Self { size, picture: size, origin: [0, 0], dimensions, color_view: view(&color), color, samples, depth })
    }

    /// Makes it a tile of a picture of any size, with its upper left corner there.
    #[must_use]
    pub fn as_tile(self, origin: [u32; 2], picture: [u32; 2]) -> Self {
        Self { origin, picture, ..self }
    }

    /// Whether it is all of its picture.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.size == self.picture
    }

    /// Whether it can be drawn into as it is.
    #[must_use]
    pub fn fits(&self, size: [u32; 2], dimensions: Dimensions) -> bool {
        self.is_whole() && self.size == size.map(|edge| edge.max(1)) && self.dimensions == dimensions
    }

    /// Puts a finished picture in place, before anything that is submitted later: premultiplied, packed, `[height, width]`.
    ///
    /// # Errors
    /// [`GpuError::OutOfMemory`].
    pub fn write(&self, context: &GpuContext, pixels: &[u32]) -> Result<(), GpuError> {
        let [width, height] = self.size;
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4 * width), rows_per_image: None };
        let extent = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        context.scoped("the map's picture", || {
            context.queue.write_texture(self.color.as_image_copy(), bytemuck::cast_slice(pixels), layout, extent);
        })
    }

    /// Begins drawing on a transparent ground or over what is there, a sample a pixel and without depth, in 3-D too.
    pub fn begin_flat<'e>(
        &self,
        encoder: &'e mut wgpu::CommandEncoder,
        load: wgpu::LoadOp<wgpu::Color>,
        timestamp_writes: Option<wgpu::RenderPassTimestampWrites<'_>>,
    ) -> wgpu::RenderPass<'e> {
        let color = wgpu::RenderPassColorAttachment {
            view: &self.color_view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load, store: wgpu::StoreOp::Store },
        };
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("map.flat"),
            color_attachments: &[Some(color)],
            timestamp_writes,
            ..Default::default()
        })
    }

    /// The depths of the discs, four samples a pixel, in 3-D.
    #[must_use]
    pub fn depth(&self) -> Option<&wgpu::TextureView> {
        self.depth.as_ref()
    }

    /// Begins drawing on a transparent ground.
    pub fn begin<'e>(
        &self,
        encoder: &'e mut wgpu::CommandEncoder,
        timestamp_writes: Option<wgpu::RenderPassTimestampWrites<'_>>,
    ) -> wgpu::RenderPass<'e> {
        let color = wgpu::RenderPassColorAttachment {
            view: self.samples.as_ref().unwrap_or(&self.color_view),
            depth_slice: None,
            resolve_target: self.samples.as_ref().map(|_| &self.color_view),
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                store: if self.samples.is_some() { wgpu::StoreOp::Discard } else { wgpu::StoreOp::Store },
            },
        };
        let depth = self.depth.as_ref().map(|view| wgpu::RenderPassDepthStencilAttachment {
            view,
            depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Store }),
            stencil_ops: None,
        });
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("map"),
            color_attachments: &[Some(color)],
            depth_stencil_attachment: depth,
            timestamp_writes,
            ..Default::default()
        })
    }
}
