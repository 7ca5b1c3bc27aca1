//! Every compute shader beside its twins: the oracle (plain loops in `f64`), and the CPU engine.
//!
//! A new kernel needs an entry in [`TWINS`]: a test finds every `@compute` entry point that has none.

mod pca;
mod runner;

use tagscape::project;

use runner::Twin;

use crate::common::shaders;

/// One entry for each kernel of the program.
const TWINS: &[Twin] = &[pca::MEAN, pca::COVARIANCE, pca::TRANSFORM];

#[test]
fn every_compute_entry_point_has_a_twin() {
    let mut compute_shaders = Vec::new();
    for source in shaders::all() {
        let module = source.parse().unwrap();
        if module.entry_points.iter().any(|entry| entry.stage == wgpu::naga::ShaderStage::Compute) {
            compute_shaders.push(source.name);
        }
    }
    compute_shaders.sort_unstable();
    let mut with_twins: Vec<_> = TWINS.iter().map(|twin| twin.kernel.shader.name).collect();
    with_twins.sort_unstable();
    assert_eq!(compute_shaders, with_twins);
    assert_eq!(project::KERNELS.len(), TWINS.len());
}

#[test]
fn shaders_engines_and_oracles_agree_at_every_size_and_on_every_kind_of_values() {
    let compared: usize = TWINS.iter().map(runner::compare_everywhere).sum();
    println!("{compared} comparisons");
    assert!(compared > 100, "{compared}");
}

#[test]
fn shaders_agree_one_past_65535_workgroups() {
    for twin in TWINS {
        runner::compare_past_the_dispatch_limit(twin);
    }
}

#[test]
fn a_reference_with_a_mistake_in_it_is_rejected() {
    for twin in TWINS {
        runner::reject_the_perturbed(twin);
    }
}
