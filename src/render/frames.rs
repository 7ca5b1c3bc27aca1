//! The uniforms of a frame: one for each pass that adds marks up, which differ in the classes that they add.

use bytemuck::Zeroable;

use super::blend::{BlendParams, CLASSES_EACH};
use super::gpu_data::FrameUniform;
use super::passes::Layouts;
use crate::gpu::{GpuContext, GpuError, UniformBuffer};

/// Uniform buffers, bound.
#[derive(Debug)]
pub struct Frames {
    first: UniformBuffer<FrameUniform>,
    others: Vec<UniformBuffer<FrameUniform>>,
    groups: Vec<wgpu::BindGroup>,
}

impl Frames {
    /// So many of them, at least one.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(context: &GpuContext, layouts: &Layouts, label: &str, passes: usize) -> Result<Self, GpuError> {
        let buffer = || UniformBuffer::from_value(context, label, &FrameUniform::zeroed());
        let (first, others) = (buffer()?, (1..passes).map(|_| buffer()).collect::<Result<Vec<_>, _>>()?);
        let bind = |buffer: &UniformBuffer<FrameUniform>| layouts.bind(context, label, &layouts.frame, &[buffer.buffer()]);
        let groups = std::iter::once(&first).chain(&others).map(bind).collect();
        Ok(Self { first, others, groups })
    }

    /// The first one's buffer.
    #[must_use]
    pub fn first(&self) -> &UniformBuffer<FrameUniform> {
        &self.first
    }

    /// All of them, bound, one a pass.
    #[must_use]
    pub fn groups(&self) -> &[wgpu::BindGroup] {
        &self.groups
    }

    /// Writes those that a frame needs.
    ///
    /// # Errors
    /// Out of memory.
    pub fn write(&self, context: &GpuContext, frame: FrameUniform, blend: &BlendParams) -> Result<(), GpuError> {
        let passes = std::iter::once(&self.first).chain(&self.others).take(blend.passes());
        for (first_class, buffer) in (0u32..).step_by(CLASSES_EACH).zip(passes) {
            buffer.write(context, &FrameUniform { classes: blend.classes, first_class, ..frame })?;
        }
        Ok(())
    }
}
