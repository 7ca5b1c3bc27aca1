//! One kernel on buffers of any content: what it wrote comes back as bits.

use bytemuck::{NoUninit, Pod};
use tagscape::gpu::{BindingKind, Kernel, StorageBuffer};
use tagscape::project::tsne::gpu::params::{FftPass, TsnePlan};

use crate::common::gpu::gpu;

/// A run of a kernel of t-SNE, UMAP or the search for neighbours.
pub struct Job {
    kernel: &'static Kernel,
    params: Vec<u8>,
    plan: TsnePlan,
    pass: FftPass,
    data: Vec<Vec<u32>>,
}

impl Job {
    pub fn new(kernel: &'static Kernel, params: impl NoUninit) -> Self {
        let plan = TsnePlan { changed: 1, ..TsnePlan::default() };
        Self { kernel, params: bytemuck::bytes_of(&params).to_vec(), plan, pass: FftPass::default(), data: Vec::new() }
    }

    pub fn plan(self, plan: TsnePlan) -> Self {
        Self { plan, ..self }
    }

    pub fn pass(self, pass: FftPass) -> Self {
        Self { pass, ..self }
    }

    /// The next buffer of group 1.
    pub fn input<T: Pod>(mut self, values: &[T]) -> Self {
        self.data.push(bytemuck::pod_collect_to_vec(values));
        self
    }

    /// The next buffer of group 1: so many values that are no numbers, so that what the kernel does not write is seen.
    pub fn output(mut self, len: usize) -> Self {
        self.data.push(vec![f32::NAN.to_bits(); len]);
        self
    }

    /// What is in the buffers that the kernel may write, in their order.
    pub fn run(self, workgroups: usize) -> Vec<Vec<u32>> {
        let context = gpu();
        let uniform = |bytes: &[u8]| {
            let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
            let size = bytes.len() as u64;
            let buffer =
                context.device.create_buffer(&wgpu::BufferDescriptor { label: Some("told"), size, usage, mapped_at_creation: false });
            context.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let told = [&self.params[..], bytemuck::bytes_of(&self.plan), bytemuck::bytes_of(&self.pass)].map(uniform);
        let data: Vec<_> = self.data.iter().map(|values| StorageBuffer::from_values(context, "data", values).unwrap()).collect();
        let mut next = data.iter();
        let mut written = Vec::new();
        let mut buffers = Vec::new();
        for binding in self.kernel.bindings {
            if binding.kind == BindingKind::Uniform {
                buffers.push(&told[binding.binding as usize]);
                continue;
            }
            let buffer = next.next().unwrap();
            if binding.kind == BindingKind::Output {
                written.push(buffer);
            }
            buffers.push(buffer.buffer());
        }
        assert!(next.next().is_none(), "{} takes fewer buffers", self.kernel.shader.name);
        let bound = self.kernel.pipeline(context).unwrap().bind(context, &buffers).unwrap();
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        bound.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), workgroups as u32);
        context.queue.submit([encoder.finish()]);
        written.into_iter().map(|buffer| buffer.read(context).unwrap()).collect()
    }
}

pub fn floats(bits: &[u32]) -> Vec<f32> {
    bits.iter().map(|&bits| f32::from_bits(bits)).collect()
}

pub fn floats4(bits: &[u32]) -> Vec<[f32; 4]> {
    bits.chunks_exact(4).map(|four| std::array::from_fn(|at| f32::from_bits(four[at]))).collect()
}
