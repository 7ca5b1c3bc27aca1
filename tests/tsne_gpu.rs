//! t-SNE's compute shaders as a whole, beside the CPU: forces, steps, and where a run ends. Each shader by itself is in `gpu_twins`.

use tagscape::matrix::FeatureMatrix;
use tagscape::neighbors::{self, NeighborTable};
use tagscape::project::descent::bounds_of;
use tagscape::project::tsne::gpu::lists::Lists;
use tagscape::project::tsne::gpu::repulsion::Sizes;
use tagscape::project::tsne::gpu::{TsneGpuRun, check};
use tagscape::project::tsne::{Affinities, TsneOptions, TsneRun, exact};
use tagscape::project::{Compute, Embedding, ProjectError};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;
use crate::common::layouts::{Patient, embed, force_errors};

const EXACT: Sizes = Sizes { log_size: 0, most_cells: 0, dims: 0 };

fn clusters(rows: usize, dims: usize) -> FeatureMatrix {
    let mut seed = SplitMix64::new(5);
    let centres: Vec<f32> = (0..8 * dims).map(|_| 3.0 * seed.next_normal()).collect();
    let values = (0..rows * dims).map(|at| centres[at / dims % 8 * dims + at % dims] + seed.next_normal());
    FeatureMatrix::new(rows, dims, values.collect())
}

fn neighbors_of(rows: usize, perplexity: f64) -> NeighborTable {
    neighbors::find(&clusters(rows, 6), (3.0 * perplexity) as usize, neighbors::Metric::Euclidean, &Patient).unwrap().table
}

fn lists(rows: usize, table: &NeighborTable, perplexity: f64) -> Lists {
    Lists::new(gpu(), rows, table, perplexity).unwrap()
}

/// Islands over a wide range, and some points between them.
fn islands<const D: usize>(rows: usize, width: f32) -> Vec<[f32; D]> {
    let mut seed = SplitMix64::new(7);
    let centres: Vec<[f32; D]> = (0..60).map(|_| std::array::from_fn(|_| width * (seed.next_f32() - 0.5))).collect();
    let mut position = |row: usize| -> [f32; D] {
        let spread = if row.is_multiple_of(9) { 0.05 * width } else { 0.004 * width };
        std::array::from_fn(|axis| centres[row % 60][axis] + spread * seed.next_normal())
    };
    (0..rows).map(&mut position).collect()
}

fn run<const D: usize>(positions: &[[f32; D]], sizes: Sizes) -> TsneGpuRun {
    let none = lists(positions.len(), &NeighborTable::default(), 1.0);
    TsneGpuRun::with_sizes(gpu(), none, positions, 12.0, Sizes { dims: D as u32, ..sizes }).unwrap()
}

/// Median and 99th percentile of the forces' relative errors, and Z's.
fn errors<const D: usize>(positions: &[[f32; D]], sizes: Sizes) -> [f64; 3] {
    off(positions, &run(positions, sizes).repulsion().unwrap())
}

fn off<const D: usize>(positions: &[[f32; D]], (forces, found_z): &(Vec<[f32; 3]>, f64)) -> [f64; 3] {
    let mut should = vec![[0.0; D]; positions.len()];
    let z = exact::repulsion(positions, &mut should);
    let found: Vec<[f32; D]> = forces.iter().map(|force| std::array::from_fn(|axis| force[axis])).collect();
    let errors = force_errors(&found, &should);
    let rows = errors.len();
    [errors[rows / 2], errors[(rows * 99) / 100], (found_z / z - 1.0).abs()]
}

#[test]
fn all_pairs_on_the_gpu_are_all_pairs_on_the_cpu() {
    for rows in [2, 3, 63, 64, 65, 255, 256, 257, 1500] {
        let [median, p99, z] = errors(&islands::<2>(rows, 40.0), EXACT);
        assert!(median < 1e-5 && p99 < 1e-3 && z < 1e-5, "{rows}: {median}, {p99}, {z}");
        let [median, p99, z] = errors(&islands::<3>(rows, 20.0), EXACT);
        assert!(median < 1e-5 && p99 < 1e-3 && z < 1e-5, "{rows}: {median}, {p99}, {z}");
    }
}

fn check_grid<const D: usize>(width: f32) {
    let positions = islands::<D>(3000, width);
    let [median, p99, z] = errors(&positions, Sizes::of_grid(3000, D));
    println!("{D}-D, {width} wide: median {median}, p99 {p99}, Z off by {z}");
    assert!(median < 0.01 && p99 < 0.05 && z < 0.002, "{D}-D, {width} wide: median {median}, p99 {p99}, Z off by {z}");
    // The measure can tell: forces that are 2 % too large.
    let (mut forces, z) = run(&positions, Sizes::of_grid(3000, D)).repulsion().unwrap();
    forces.iter_mut().for_each(|force| *force = force.map(|value| 1.02 * value));
    let [median, _, z] = off(&positions, &(forces, 1.01 * z));
    assert!(median > 0.01 && z > 0.002, "{median}, {z}");
}

#[test]
fn forces_on_the_gpus_grid_are_those_of_all_pairs() {
    // From the first positions to wide layouts, where most of the kernel is in the near pairs.
    for width in [3e-4, 0.05, 1.0, 3.0, 5.0, 12.0, 30.0, 250.0, 1000.0] {
        check_grid::<2>(width);
    }
    for width in [3e-4, 0.05, 3.0, 6.0, 30.0, 250.0] {
        check_grid::<3>(width);
    }
}

fn after<const D: usize>(rows: usize, steps: usize, sizes: Sizes) -> (Vec<[f32; D]>, Vec<[f32; D]>) {
    let table = neighbors_of(rows, 8.0);
    let first = islands::<D>(rows, 3.0);
    let mut cpu = TsneRun::new(Affinities::new(rows, &table, 8.0), first.clone(), 12.0);
    let mut on_gpu = TsneGpuRun::with_sizes(gpu(), lists(rows, &table, 8.0), &first, 12.0, Sizes { dims: D as u32, ..sizes }).unwrap();
    for _ in 0..steps {
        cpu.step();
        on_gpu.step().unwrap();
    }
    (cpu.positions().to_vec(), on_gpu.positions().unwrap())
}

fn farthest<const D: usize>((cpu, on_gpu): &(Vec<[f32; D]>, Vec<[f32; D]>)) -> f32 {
    let pairs = cpu.as_flattened().iter().zip(on_gpu.as_flattened());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, |far, off| if off.is_nan() { f32::INFINITY } else { far.max(off) })
}

#[test]
fn a_step_on_the_gpu_is_a_step_on_the_cpu() {
    for rows in [30, 63, 64, 65, 128, 300] {
        for steps in [1, 3] {
            let (flat, deep) = (after::<2>(rows, steps, EXACT), after::<3>(rows, steps, EXACT));
            assert!(
                farthest(&flat) < 1e-3 && farthest(&deep) < 1e-3,
                "{rows} rows, {steps} steps: {} {}",
                farthest(&flat),
                farthest(&deep)
            );
        }
    }
    // The measure can tell: a step more is somewhere else.
    let (one, two) = (after::<2>(128, 1, EXACT), after::<2>(128, 2, EXACT));
    assert!(farthest(&(one.0, two.1)) > 1e-2);
}

#[test]
fn the_gpu_gives_the_same_bytes_every_time() {
    let grid = Sizes::of_grid(1200, 2);
    assert_eq!(after::<2>(1200, 20, grid).1, after::<2>(1200, 20, grid).1);
    assert_eq!(after::<3>(600, 6, Sizes::of_grid(600, 3)).1, after::<3>(600, 6, Sizes::of_grid(600, 3)).1);
}

#[test]
fn runs_on_both_devices_end_equally_well() {
    for (dims, rows) in [(2, 3000), (3, 3000)] {
        let matrix = clusters(rows, 12);
        let embedding = Embedding::Tsne(TsneOptions { dims, ..TsneOptions::default() });
        let kl = |compute: &Compute| embed(&matrix, embedding.clone(), compute).unwrap().1.kl.unwrap();
        let (cpu, on_gpu) = (kl(&Compute::Cpu), kl(&Compute::Gpu(gpu().clone())));
        println!("{dims}-D, {rows} rows: {cpu} on the CPU, {on_gpu} on the GPU");
        assert!((on_gpu / cpu - 1.0).abs() < 0.02, "{dims}-D, {rows} rows: {cpu} on the CPU, {on_gpu} on the GPU");
    }
}

#[test]
fn more_rows_than_the_device_takes_are_refused_before_any_work_and_told_what_to_do() {
    let mut caps = gpu().caps.clone();
    caps.limits.max_storage_buffer_binding_size = 128 << 20;
    let most = (128 << 20) / (4 * 90);
    assert!(check(&caps, most, 90).is_ok() && check(&caps, 3, 2).is_ok());
    let refused = check(&caps, most + 1, 90).unwrap_err();
    assert!(matches!(refused, ProjectError::TooLargeForGpu { rows, .. } if rows == most + 1));
    assert!(refused.to_string().contains("--device cpu"), "{refused}");
    assert!(check(&caps, (8 << 20) + 1, 1).is_err(), "positions of more than 128 MiB");
    assert!(check(&caps, 1_000_000, 30).is_ok(), "a million rows at perplexity 10 fit WebGPU's defaults");
    // Where a binding may be as large as it likes, entries are still counted in 32 bits.
    (caps.limits.max_storage_buffer_binding_size, caps.limits.max_buffer_size) = (u64::from(u32::MAX), u64::MAX);
    assert!(check(&caps, 20_000_000, 200).is_err());
    // Where the choice is left to the program, it is the CPU then.
    let mut context = gpu().clone();
    context.caps.limits.max_storage_buffer_binding_size = 128 << 20;
    let embedding = Embedding::Tsne(TsneOptions { perplexity: 30.0, ..TsneOptions::default() });
    let (compute, reason) = embedding.automatic(1_000_000, Compute::Gpu(context.clone()));
    assert!(matches!(compute, Compute::Cpu) && matches!(reason, Some(ProjectError::TooLargeForGpu { .. })));
    let (compute, reason) = embedding.automatic(100_000, Compute::Gpu(context));
    assert!(matches!(compute, Compute::Gpu(_)) && reason.is_none());
}

/// The divergence on both devices, at other positions than those of a run's start.
fn divergences<const D: usize>(rows: usize, k: usize, width: f32) -> [f64; 2] {
    let table = neighbors_of(rows, k as f64 / 3.0 + 0.1);
    let perplexity = (k as f64 / 3.0).max(1.0);
    let at = islands::<D>(rows, width);
    let cpu = TsneRun::new(Affinities::new(rows, &table, perplexity), at.clone(), 12.0).kl();
    let sizes = Sizes { dims: D as u32, ..EXACT };
    [cpu, TsneGpuRun::with_sizes(gpu(), lists(rows, &table, perplexity), &at, 12.0, sizes).unwrap().divergence().unwrap()]
}

#[test]
fn the_divergence_on_the_gpu_is_that_on_the_cpu() {
    for (rows, k) in [(2, 1), (63, 3), (64, 3), (65, 3), (257, 90), (1025, 30), (1025, 90)] {
        for width in [1e-3, 3.0, 60.0] {
            for [cpu, on_gpu] in [divergences::<2>(rows, k, width), divergences::<3>(rows, k, width)] {
                assert!((on_gpu - cpu).abs() < 1e-4 * cpu.abs().max(0.01), "{rows} rows, {k} neighbours, {width} wide: {on_gpu} for {cpu}");
            }
        }
    }
    let [first, other] = [divergences::<2>(257, 3, 3.0)[1], divergences::<2>(257, 3, 3.3)[1]];
    assert!((first - other).abs() > 1e-3 * first, "the measure can tell: {first}, {other}");
}

#[test]
fn another_perplexity_is_calibrated_from_the_lists_that_are_there() {
    let rows = 500;
    let table = neighbors_of(rows, 10.0);
    let first = islands::<2>(rows, 3.0);
    let mut run = TsneGpuRun::with_sizes(gpu(), lists(rows, &table, 10.0), &first, 12.0, Sizes { dims: 2, ..EXACT }).unwrap();
    for perplexity in [10.0, 4.0, 1.0, 7.0] {
        let counted = (3.0 * perplexity) as usize;
        run.calibrate(perplexity, counted).unwrap();
        let should = TsneRun::new(Affinities::new(rows, &table.nearest(counted), perplexity), first.clone(), 12.0).kl();
        let found = run.divergence().unwrap();
        assert!((found / should - 1.0).abs() < 1e-4, "perplexity {perplexity}: {found}, not {should}");
    }
    // A wider table takes the place of the old one.
    let wider = neighbors_of(rows, 20.0);
    run.set_neighbors(&wider, 20.0).unwrap();
    let should = TsneRun::new(Affinities::new(rows, &wider, 20.0), first, 12.0).kl();
    assert!((run.divergence().unwrap() / should - 1.0).abs() < 1e-4);
    // What has forgotten its distances stays as it is.
    let mut lists = lists(rows, &table, 10.0);
    lists.forget_distances();
    let before = lists.weights.read(gpu()).unwrap();
    assert!(!lists.calibrate(4.0, 12).unwrap());
    assert_eq!(lists.weights.read(gpu()).unwrap(), before);
}

#[test]
fn bounds_are_those_of_the_positions_before_and_after_steps() {
    for sizes in [EXACT, Sizes::of_grid(300, 2)] {
        let table = neighbors_of(300, 5.0);
        let first = islands::<2>(300, 3.0);
        let mut run = TsneGpuRun::with_sizes(gpu(), lists(300, &table, 5.0), &first, 12.0, Sizes { dims: 2, ..sizes }).unwrap();
        for _ in 0..3 {
            assert_eq!(run.bounds().unwrap(), bounds_of(&run.positions::<3>().unwrap()));
            run.step().unwrap();
        }
        assert!(run.bounds().unwrap()[0][0] < -0.1);
    }
}
