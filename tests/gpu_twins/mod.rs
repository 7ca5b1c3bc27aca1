//! Every compute shader beside its twins: the oracle (plain loops in `f64`), and the CPU engine.
//!
//! A new kernel needs an entry in [`TWINS`], or a check in [`CHECKS`]: a test finds every `@compute` entry point that has none.

mod dispatch;
mod morph;
mod neighbors;
mod networks;
mod pca;
mod pick;
mod runner;
mod select;
mod splat;
mod splat_tone;
mod tsne;
mod tsne_grid;
mod tsne_lists;
mod umap;

use tagscape::{nn, project, render};

use runner::Twin;
use tsne::Check;

use crate::common::shaders;

/// One entry for each kernel that goes over a matrix.
const TWINS: &[Twin] = &[pca::MEAN, pca::COVARIANCE, pca::TRANSFORM];
/// And for each of t-SNE, of the splat, of the search for neighbours, of picking, of choosing, of morphing, of UMAP, and of the networks.
const CHECKS: [&[Check]; 10] = [
    tsne::CHECKS,
    tsne_grid::CHECKS,
    tsne_lists::CHECKS,
    splat::CHECKS,
    neighbors::CHECKS,
    pick::CHECKS,
    select::CHECKS,
    morph::CHECKS,
    umap::CHECKS,
    networks::CHECKS,
];

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
    let checks = CHECKS.into_iter().flatten().map(|check| check.kernel);
    let mut with_twins: Vec<_> = TWINS.iter().map(|twin| twin.kernel).chain(checks).map(|kernel| kernel.shader.name).collect();
    with_twins.sort_unstable();
    assert_eq!(compute_shaders, with_twins);
    let listed = project::KERNELS.iter().chain(render::KERNELS).chain(nn::KERNELS).map(|kernels| kernels.len()).sum::<usize>();
    assert_eq!(listed, with_twins.len());
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

/// At every size.
fn assert_agree(checks: &[Check]) {
    for check in checks {
        for dims in [2, 3] {
            for &rows in tsne::ROWS {
                let outcome = (check.compare)(rows, dims, false);
                assert_eq!(outcome, Ok(()), "{} on {rows} rows in {dims}-D", check.kernel.shader.name);
            }
        }
    }
}

fn assert_mistakes_are_found(checks: &[Check]) {
    for check in checks {
        for dims in [2, 3] {
            assert!((check.compare)(700, dims, true).is_err(), "{} agreed with a mistake", check.kernel.shader.name);
        }
    }
}

#[test]
fn the_shaders_of_tsne_and_of_the_splat_agree_with_plain_loops_at_every_size() {
    CHECKS[..8].iter().for_each(|checks| assert_agree(checks));
}

#[test]
fn a_mistake_in_what_the_shaders_of_tsne_and_of_the_splat_should_give_is_found() {
    CHECKS[..8].iter().for_each(|checks| assert_mistakes_are_found(checks));
}

#[test]
fn the_shaders_of_umap_agree_with_plain_loops_at_every_size_and_past_65535_workgroups() {
    assert_agree(umap::CHECKS);
    assert_mistakes_are_found(umap::CHECKS);
    assert_eq!(umap::step(65_535 * 64 + 1, 2, false), Ok(()));
}

#[test]
fn the_shaders_of_tsne_agree_at_their_largest_and_past_65535_workgroups() {
    assert_eq!(tsne::centre(65_535 * 64 + 1, 2, false), Ok(()));
    assert_eq!(tsne_lists::count_of(1000, 16_778, false), Ok(()));
    assert_eq!(tsne_lists::order_of_hubs(70_000, false), Ok(()));
    assert_eq!(tsne_grid::grid_kernel_of(8, 3, false), Ok(()));
    for (log_size, dims) in [(7, 2), (9, 2), (10, 2), (11, 2), (7, 3)] {
        assert_eq!(tsne_grid::transforms_of(log_size, dims, false), Ok(()));
    }
}

#[test]
fn splats_count_every_row_past_65535_workgroups() {
    assert_eq!(splat::count_past_the_dispatch_limit(), Ok(()));
}

#[test]
fn picks_agree_with_plain_loops_around_every_run_of_rows() {
    assert_agree(pick::CHECKS);
    assert_mistakes_are_found(pick::CHECKS);
    for rows in [4095, 4096, 4097, 8192, 8193, 70_001] {
        for dims in [2, 3] {
            assert_eq!(pick::rows(rows, dims, false), Ok(()), "{rows} rows in {dims}-D");
            assert_eq!(pick::whole(rows, dims), Ok(()), "{rows} rows in {dims}-D");
        }
    }
}

#[test]
fn a_pick_sees_positions_that_a_kernel_wrote_and_the_newest_pointer_wins() {
    pick::moved_positions_and_newest_pointer();
}

#[test]
fn the_shader_that_finds_the_rows_of_a_region_agrees_at_every_size_and_past_65535_workgroups() {
    assert_agree(select::CHECKS);
    assert_mistakes_are_found(select::CHECKS);
    assert_eq!(select::past_the_dispatch_limit(), Ok(()));
}

#[test]
fn the_shaders_of_the_networks_agree_with_plain_loops_around_every_block_border() {
    for check in networks::CHECKS {
        for case in 0..networks::cases(check.kernel) {
            assert_eq!((check.compare)(case, 0, false), Ok(()), "{}, case {case}", check.kernel.shader.name);
        }
        // The last is the one past 65,535 workgroups, which takes long.
        for case in 0..networks::cases(check.kernel) - 1 {
            assert!((check.compare)(case, 0, true).is_err(), "{} agreed with a mistake, case {case}", check.kernel.shader.name);
        }
    }
}

#[test]
fn what_the_networks_shaders_make_of_an_image_does_not_depend_on_the_others() {
    networks::images_are_independent();
}
