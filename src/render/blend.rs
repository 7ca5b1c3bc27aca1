//! Transparency that does not depend on the order of rows.
//!
//! Every mark adds its colour, weighted by its opacity, to one texture, and the logarithm of what it lets through to another: sums, which are the
//! same in any order but for the rounding of their last bits. A pixel's colour is then the mean of its marks', and its opacity what all of them
//! together hide (Bavoil and Myers, "Order Independent Transparency with Dual Depth Peeling", 2008, "weighted average", with the exact opacity).
//!
//! Where marks have classes, few enough to tell apart, each class has a channel of its own instead, for its opacity: four of them are added up in a
//! pass, which draws their marks alone, and the colour is that of their mixture ([`crate::scene::mixture`]).

use bytemuck::{Pod, Zeroable};

use crate::gpu::{GpuContext, GpuError, ShaderSource, UniformBuffer};
use crate::render::triangle;
use crate::scene::mixture::MOST_CLASSES;
use crate::scene::{Dimensions, Scene, Srgb};
use crate::shader_part;

/// Sums of colour and opacity.
pub const SUM_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
/// Sums of logarithms of what marks let through.
pub const THROUGH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R16Float;
/// Classes that a pass adds up.
pub const CLASSES_EACH: usize = 4;
/// Textures of sums: for classes, rows in none, and what steps back.
pub const MOST_PASSES: usize = (MOST_CLASSES + 2).div_ceil(CLASSES_EACH);

/// Twin of `BlendParams` in `shaders/blend_resolve.wgsl`, whose layout `tests/shader_layout.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct BlendParams {
    /// Classes that were added up, the last of rows in none; 0: colours were added up.
    pub classes: u32,
    /// 1: the mean of colours is a colour that says something; 0: it is one of many classes.
    pub is_exact: u32,
    /// 1: all step back, for a track that stands out.
    pub is_dimmed: u32,
    /// 0.
    pub unused: u32,
    /// The ground, sRGB.
    pub background: [f32; 4],
    /// The colour of what steps back while rows are chosen, sRGB.
    pub back: [f32; 4],
    /// The classes' colours, packed sRGB.
    pub palette: [[u32; 4]; MOST_PASSES],
}

impl BlendParams {
    /// Those of a scene; `has_focus`: a track stands out of all others.
    #[must_use]
    pub fn of(scene: &Scene, has_focus: bool) -> Self {
        let (slots, ground) = (&scene.colors.slots, scene.theme.background());
        let mut palette = [[0; 4]; MOST_PASSES];
        palette.as_flattened_mut().iter_mut().zip(slots.iter()).for_each(|(packed, color)| *packed = color.to_packed());
        // As light as the classes are, in the mean, and as they are dimmed.
        let mean = slots.iter().map(|Srgb([r, g, b])| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)).sum::<f32>();
        let grey = Srgb([(mean / slots.len().max(1) as f32).round() as u8; 3]);
        Self {
            classes: slots.len() as u32,
            is_exact: u32::from(scene.coloring.is_exact()),
            is_dimmed: u32::from(has_focus),
            unused: 0,
            background: ground.to_unit(1.0),
            back: grey.mix(ground, if scene.camera.dimensions == Dimensions::Two { 0.55 } else { 0.78 }).to_unit(1.0),
            palette,
        }
    }

    /// Passes that it takes to add everything up.
    #[must_use]
    pub fn passes(&self) -> usize {
        if self.classes == 0 { 1 } else { (self.classes as usize + 1).div_ceil(CLASSES_EACH) }
    }
}

/// Sums to colours.
pub const RESOLVE: ShaderSource = ShaderSource {
    name: "map.blend",
    parts: &[shader_part!("shared/triangle.wgsl"), shader_part!("shared/mixture.wgsl"), shader_part!("blend_resolve.wgsl")],
};

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
    params: UniformBuffer<BlendParams>,
    sums: Option<Sums>,
}

#[derive(Debug)]
struct Sums {
    size: [u32; 2],
    colors: Vec<wgpu::TextureView>,
    through: wgpu::TextureView,
    group: wgpu::BindGroup,
}

impl Blend {
    /// Compiles it.
    ///
    /// # Errors
    /// A shader or pipeline that the device rejects.
    pub fn new(context: &GpuContext) -> Result<Self, GpuError> {
        let entry = |binding, ty| wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::FRAGMENT, ty, count: None };
        let texture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let uniform = wgpu::BindingType::Buffer { ty: wgpu::BufferBindingType::Uniform, has_dynamic_offset: false, min_binding_size: None };
        let textures = (1..MOST_PASSES as u32 + 2).map(|binding| entry(binding, texture));
        let entries: Vec<_> = std::iter::once(entry(0, uniform)).chain(textures).collect();
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(RESOLVE.name), entries: &entries };
        let layout = context.device.create_bind_group_layout(&descriptor);
        let pipeline = triangle::pipeline(context, &RESOLVE, &[Some(&layout)], Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING))?;
        let params = UniformBuffer::from_value(context, "map.blend", &BlendParams::zeroed())?;
        Ok(Self { pipeline, layout, params, sums: None })
    }

    /// Gets ready to add marks up, for a picture of `size` pixels.
    ///
    /// # Errors
    /// Out of memory.
    pub fn prepare(&mut self, context: &GpuContext, size: [u32; 2], params: &BlendParams) -> Result<(), GpuError> {
        let passes = params.passes();
        if self.sums.as_ref().is_none_or(|sums| sums.size != size || sums.colors.len() != passes) {
            // The old ones first, so that both need not be there at once.
            self.sums = None;
            self.sums = Some(self.sums(context, size, passes)?);
        }
        self.params.write(context, params)
    }

    /// Begins to add up what is added in one pass of those that [`BlendParams::passes`] counts; none before [`Self::prepare`].
    pub fn begin<'e>(
        &self,
        encoder: &'e mut wgpu::CommandEncoder,
        number: usize,
        timestamp_writes: Option<wgpu::RenderPassTimestampWrites<'_>>,
    ) -> Option<wgpu::RenderPass<'e>> {
        let sums = self.sums.as_ref()?;
        let attachment = |view, is_first| wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations {
                load: if is_first { wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT) } else { wgpu::LoadOp::Load },
                store: wgpu::StoreOp::Store,
            },
        };
        // What marks let through is one sum over all passes.
        let attachments = [Some(attachment(sums.colors.get(number)?, true)), Some(attachment(&sums.through, number == 0))];
        Some(encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("map.sums"),
            color_attachments: &attachments,
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

    fn sums(&self, context: &GpuContext, size: [u32; 2], passes: usize) -> Result<Sums, GpuError> {
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
        let colors = (0..passes).map(|_| texture("map.sums.color", SUM_FORMAT)).collect::<Result<Vec<_>, _>>()?;
        let through = texture("map.sums.through", THROUGH_FORMAT)?;
        // Where there are fewer, the last one stands for what is never read.
        let views = std::iter::once(&through).chain((0..MOST_PASSES).filter_map(|at| colors.get(at).or(colors.last())));
        let views = views.map(wgpu::BindingResource::TextureView);
        let resources = std::iter::once(self.params.buffer().as_entire_binding()).chain(views);
        let entries: Vec<_> = (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some("map.sums"), layout: &self.layout, entries: &entries };
        let group = context.device.create_bind_group(&descriptor);
        Ok(Sums { size, colors, through, group })
    }
}
