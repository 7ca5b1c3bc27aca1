//! Compute kernels: a table entry for each (shader, workgroup size, bindings), a pipeline made of it, and dispatches of any length.
//!
//! WebGPU allows 65,535 workgroups along a dimension. [`grid_of`] splits a longer run into a rectangle, and the WGSL function
//! `workgroup_number` (`shaders/shared/rows.wgsl`) puts the pieces in line again; a kernel leaves when its number is past the end.

use super::context::GpuContext;
use super::error::GpuError;
use super::shader::{ShaderPart, ShaderSource};

/// What a kernel does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// `var<uniform>`: parameters.
    Uniform,
    /// `var<storage, read>`.
    Input,
    /// `var<storage, read_write>`.
    Output,
}

/// A buffer that a kernel binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// `@group`: 0 for parameters, 1 for data.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// What the kernel does with it.
    pub kind: BindingKind,
}

/// A compute shader as Rust sees it. `tests/shader_layout.rs` holds it against the WGSL.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The shader; its only compute entry point is `main`.
    pub shader: ShaderSource,
    /// Invocations in a workgroup.
    pub workgroup_size: [u32; 3],
    /// The buffers, sorted by group and binding.
    pub bindings: &'static [Binding],
}

impl Binding {
    /// `@group(0) @binding(0) var<uniform>`.
    pub const PARAMS: Self = Self { group: 0, binding: 0, kind: BindingKind::Uniform };

    /// `@group(1) @binding(N) var<storage, read>`.
    #[must_use]
    pub const fn input(binding: u32) -> Self {
        Self { group: 1, binding, kind: BindingKind::Input }
    }

    /// `@group(1) @binding(N) var<storage, read_write>`.
    #[must_use]
    pub const fn output(binding: u32) -> Self {
        Self { group: 1, binding, kind: BindingKind::Output }
    }

    fn layout_entry(self) -> wgpu::BindGroupLayoutEntry {
        let ty = match self.kind {
            BindingKind::Uniform => wgpu::BufferBindingType::Uniform,
            BindingKind::Input => wgpu::BufferBindingType::Storage { read_only: true },
            BindingKind::Output => wgpu::BufferBindingType::Storage { read_only: false },
        };
        wgpu::BindGroupLayoutEntry {
            binding: self.binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        }
    }
}

/// A kernel compiled for a device.
#[derive(Clone, Debug)]
pub struct KernelPipeline {
    kernel: &'static Kernel,
    pipeline: wgpu::ComputePipeline,
    layouts: Vec<wgpu::BindGroupLayout>,
}

/// A kernel with its buffers in place.
#[derive(Clone, Debug)]
pub struct BoundKernel {
    pipeline: wgpu::ComputePipeline,
    groups: Vec<wgpu::BindGroup>,
}

impl Kernel {
    /// One with `size` invocations in a line in a workgroup.
    #[must_use]
    pub const fn linear(name: &'static str, parts: &'static [ShaderPart], size: u32, bindings: &'static [Binding]) -> Self {
        Self { shader: ShaderSource { name, parts }, workgroup_size: [size, 1, 1], bindings }
    }

    /// Compiles it.
    ///
    /// # Errors
    /// [`GpuError::Shader`], [`GpuError::Rejected`].
    pub fn pipeline(&'static self, context: &GpuContext) -> Result<KernelPipeline, GpuError> {
        let device = &context.device;
        let name = self.shader.name;
        let module = self.shader.create_module(context)?;
        let group_count = self.bindings.iter().map(|binding| binding.group + 1).max().unwrap_or(0);
        context.scoped(name, || {
            let layouts: Vec<_> = (0..group_count)
                .map(|group| {
                    let entries: Vec<_> =
                        self.bindings.iter().filter(|binding| binding.group == group).map(|binding| binding.layout_entry()).collect();
                    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(name), entries: &entries })
                })
                .collect();
            let borrowed: Vec<_> = layouts.iter().map(Some).collect();
            let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &borrowed,
                immediate_size: 0,
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                // Zeroing takes Direct3D's compiler minutes and other drivers run time. Kernels write their
                // workgroup memory before they read it; `tests/shader_validation.rs` holds them to it.
                compilation_options: wgpu::PipelineCompilationOptions { zero_initialize_workgroup_memory: false, ..Default::default() },
                cache: None,
            });
            KernelPipeline { kernel: self, pipeline, layouts }
        })
    }
}

impl KernelPipeline {
    /// Puts buffers in place, in the order of [`Kernel::bindings`].
    ///
    /// # Errors
    /// [`GpuError::Rejected`] where a buffer does not fit its binding; [`GpuError::TooLarge`] where one is larger than a binding may be.
    ///
    /// # Panics
    /// If there are more or fewer buffers than bindings: a caller's mistake.
    pub fn bind(&self, context: &GpuContext, buffers: &[&wgpu::Buffer]) -> Result<BoundKernel, GpuError> {
        let name = self.kernel.shader.name;
        assert_eq!(buffers.len(), self.kernel.bindings.len(), "{name} binds {} buffers", self.kernel.bindings.len());
        let limit = context.caps.storage_binding_bytes();
        if let Some(large) = buffers.iter().find(|buffer| buffer.size() > limit) {
            return Err(GpuError::TooLarge { what: name.to_owned(), bytes: large.size(), limit });
        }
        let groups = context.scoped(name, || {
            (0..)
                .zip(&self.layouts)
                .map(|(group, layout)| {
                    let entries: Vec<_> = self
                        .kernel
                        .bindings
                        .iter()
                        .zip(buffers)
                        .filter(|(binding, _)| binding.group == group)
                        .map(|(binding, buffer)| wgpu::BindGroupEntry { binding: binding.binding, resource: buffer.as_entire_binding() })
                        .collect();
                    context.device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(name), layout, entries: &entries })
                })
                .collect::<Vec<_>>()
        })?;
        Ok(BoundKernel { pipeline: self.pipeline.clone(), groups })
    }
}

impl BoundKernel {
    /// Adds a run of `workgroups` workgroups to a pass; none where it is 0.
    pub fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, workgroups: u32) {
        if workgroups == 0 {
            return;
        }
        pass.set_pipeline(&self.pipeline);
        for (index, group) in (0..).zip(&self.groups) {
            pass.set_bind_group(index, group, &[]);
        }
        let [x, y] = grid_of(workgroups);
        pass.dispatch_workgroups(x, y, 1);
    }
}

/// Most workgroups along one dimension, in WebGPU's default limits.
pub const MAX_WORKGROUPS: u32 = 65_535;

/// The rectangle with the least surplus that holds `workgroups` workgroups.
///
/// # Panics
/// Past 65,535 squared, over 4.29 billion: no buffer holds so much.
#[must_use]
pub fn grid_of(workgroups: u32) -> [u32; 2] {
    if workgroups == 0 {
        return [0, 0];
    }
    let y = workgroups.div_ceil(MAX_WORKGROUPS);
    assert!(y <= MAX_WORKGROUPS, "{workgroups} workgroups do not fit a dispatch");
    [workgroups.div_ceil(y), y]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_hold_every_workgroup_with_less_than_a_row_to_spare() {
        for workgroups in [0, 1, 2, 65_534, 65_535, 65_536, 65_537, 131_071, 1_000_003, 4_000_000_007] {
            let [x, y] = grid_of(workgroups);
            let held = u64::from(x) * u64::from(y);
            assert!(x <= MAX_WORKGROUPS && y <= MAX_WORKGROUPS, "{workgroups} as {x} x {y}");
            assert!(held >= u64::from(workgroups) && held < u64::from(workgroups) + u64::from(y.max(1)), "{workgroups} as {x} x {y}");
        }
    }
}
