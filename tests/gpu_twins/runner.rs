//! Runs a kernel as its table says, on outputs full of NaN, and compares.

use tagscape::gpu::{BindingKind, Kernel, KernelPipeline, StorageBuffer};
use tagscape::matrix::FeatureMatrix;

use crate::common::gpu::gpu;
use crate::common::values::ValueSet;

/// A kernel and how to judge it.
pub struct Twin {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Sizes around its block borders.
    pub rows: &'static [usize],
    /// Sizes around its tile borders.
    pub dims: &'static [usize],
    /// Rows that make more than 65,535 workgroups when each has as little as it can have, with one column.
    pub rows_past_the_limit: usize,
    /// What to run on a matrix, and what should come of it.
    pub case: fn(&FeatureMatrix, Grain) -> Case,
    /// A case whose expected values have a mistake in them.
    pub perturbed: fn(&FeatureMatrix) -> Case,
}

/// How much a workgroup has to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// As in the program.
    Usual,
    /// As little as possible.
    Finest,
}

/// From a kernel's output to what is compared.
pub type Gather = Box<dyn Fn(&[f32]) -> Vec<f64>>;

/// One run of a kernel.
pub struct Case {
    /// The uniform's bytes.
    pub params: Vec<u8>,
    /// The input buffers, in the order of the bindings.
    pub inputs: Vec<Vec<f32>>,
    /// Values of the output buffer.
    pub output_len: usize,
    /// Workgroups.
    pub workgroups: u32,
    /// See there.
    pub gather: Gather,
    /// What the oracle says.
    pub oracle: Vec<f64>,
    /// What the CPU engine says.
    pub engine: Vec<f64>,
    /// For each value, the error that rounding may make.
    pub tolerance: Vec<f64>,
}

/// All sizes and kinds of values; returns how many comparisons were made.
pub fn compare_everywhere(twin: &Twin) -> usize {
    let mut compared = 0;
    let pipeline = twin.kernel.pipeline(gpu()).unwrap();
    for &rows in twin.rows {
        for &dims in twin.dims {
            for set in ValueSet::ALL {
                let case = (twin.case)(&set.matrix(rows, dims), Grain::Usual);
                let label = format!("{} on [{rows}, {dims}], {set:?}", twin.kernel.shader.name);
                judge(&label, &case, &run(twin.kernel, &pipeline, &case));
                compared += 1;
            }
        }
    }
    compared
}

/// More workgroups than a dispatch has along one dimension.
pub fn compare_past_the_dispatch_limit(twin: &Twin) {
    let case = (twin.case)(&ValueSet::Random.matrix(twin.rows_past_the_limit, 1), Grain::Finest);
    assert!(case.workgroups > 65_535, "{} has {} workgroups", twin.kernel.shader.name, case.workgroups);
    let pipeline = twin.kernel.pipeline(gpu()).unwrap();
    judge(twin.kernel.shader.name, &case, &run(twin.kernel, &pipeline, &case));
}

/// The comparer must see a mistake, in the shader's place and in the engine's.
pub fn reject_the_perturbed(twin: &Twin) {
    let matrix = ValueSet::Random.matrix(1000, 33);
    let name = twin.kernel.shader.name;
    let pipeline = twin.kernel.pipeline(gpu()).unwrap();
    let wrong = (twin.perturbed)(&matrix);
    let shader = (wrong.gather)(&run(twin.kernel, &pipeline, &wrong));
    assert!(first_difference(&shader, &wrong.oracle, &wrong.tolerance).is_some(), "{name}: the shader agreed with a mistake");
    assert!(first_difference(&wrong.engine, &wrong.oracle, &wrong.tolerance).is_some(), "{name}: the engine agreed with a mistake");
    let right = (twin.case)(&matrix, Grain::Usual);
    let untouched = vec![f64::NAN; right.oracle.len()];
    assert!(first_difference(&untouched, &right.oracle, &right.tolerance).is_some(), "{name}: NaN passed");
}

fn judge(label: &str, case: &Case, output: &[f32]) {
    let shader = (case.gather)(output);
    for (who, values) in [("shader", &shader), ("engine", &case.engine)] {
        assert_eq!(values.len(), case.oracle.len(), "{label}: {who}");
        if let Some(at) = first_difference(values, &case.oracle, &case.tolerance) {
            let (is, should, allowed) = (values[at], case.oracle[at], case.tolerance[at]);
            panic!("{label}: {who} has {is:e} at {at}, the oracle {should:e}; off by {:e}, allowed {allowed:e}", (is - should).abs());
        }
    }
}

/// The first place where values differ by more than is allowed; NaN differs from everything.
fn first_difference(values: &[f64], oracle: &[f64], tolerance: &[f64]) -> Option<usize> {
    (0..oracle.len()).find(|&at| values[at].is_nan() || (values[at] - oracle[at]).abs() > tolerance[at])
}

fn run(kernel: &Kernel, pipeline: &KernelPipeline, case: &Case) -> Vec<f32> {
    let context = gpu();
    // Every value starts as NaN: what the kernel does not write is seen.
    let output = StorageBuffer::from_values(context, "output", &vec![f32::NAN; case.output_len]).unwrap();
    let params = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("params"),
        size: case.params.len() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&params, 0, &case.params);
    let inputs: Vec<_> = case.inputs.iter().map(|values| StorageBuffer::from_values(context, "input", values).unwrap()).collect();
    let mut next_input = inputs.iter();
    let buffers: Vec<_> = kernel
        .bindings
        .iter()
        .map(|binding| match binding.kind {
            BindingKind::Uniform => &params,
            BindingKind::Input => next_input.next().unwrap().buffer(),
            BindingKind::Output => output.buffer(),
        })
        .collect();
    let bound = pipeline.bind(context, &buffers).unwrap();
    let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    bound.dispatch(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), case.workgroups);
    context.queue.submit([encoder.finish()]);
    output.read(context).unwrap()
}
