//! The mathematics of t-SNE.

use tagscape::matrix::FeatureMatrix;
use tagscape::neighbors;
use tagscape::project::tsne::grid::Grid;
use tagscape::project::tsne::{Affinities, TsneOptions, TsneRun, exact};
use tagscape::project::{Compute, Embedding, EmbeddingReport, ProjectError};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;
use crate::common::layouts::{self, Patient, force_errors};

/// Points in five clusters of different width.
fn clusters(rows: usize, dims: usize) -> FeatureMatrix {
    let mut seed = SplitMix64::new(5);
    let centres: Vec<f32> = (0..5 * dims).map(|_| 4.0 * seed.next_normal()).collect();
    let values = (0..rows * dims).map(|at| {
        let cluster = at / dims % 5;
        centres[cluster * dims + at % dims] + (0.3 + 0.2 * cluster as f32) * seed.next_normal()
    });
    FeatureMatrix::new(rows, dims, values.collect())
}

/// A layout as t-SNE makes them: discs of about evenly spread points.
fn layout<const D: usize>(rows: usize, radius: f32) -> Vec<[f32; D]> {
    let mut seed = SplitMix64::new(6);
    let centres: Vec<[f32; D]> = (0..6).map(|_| std::array::from_fn(|_| radius * seed.next_normal())).collect();
    (0..rows).map(|row| std::array::from_fn(|axis| centres[row % 6][axis] + 0.4 * radius * (seed.next_f32() - 0.5))).collect()
}

/// A layout as t-SNE makes them of real features: many small islands over a wide range, and some points between them.
fn islands<const D: usize>(rows: usize, width: f32) -> Vec<[f32; D]> {
    let mut seed = SplitMix64::new(7);
    let centres: Vec<[f32; D]> = (0..150).map(|_| std::array::from_fn(|_| width * (seed.next_f32() - 0.5))).collect();
    let mut position = |row: usize| -> [f32; D] {
        let spread = if row.is_multiple_of(9) { 8.0 } else { 0.3 + 0.01 * (row % 150) as f32 };
        std::array::from_fn(|axis| centres[row % 150][axis] + spread * seed.next_normal())
    };
    (0..rows).map(&mut position).collect()
}

fn compare_grid<const D: usize>(name: &str, positions: &[[f32; D]]) {
    let (mut exact, mut grid) = (vec![[0.0; D]; 5000], vec![[0.0; D]; 5000]);
    let z = exact::repulsion(positions, &mut exact);
    let on_grid = Grid::default().repulsion(positions, &mut grid);
    let found = force_errors(&grid, &exact);
    println!("{D}-D, {name}: median {}, p99 {}, Z off by {}", found[2500], found[4950], on_grid / z - 1.0);
    assert!(found[2500] < 0.01 && found[4950] < 0.05, "{D}-D, {name}: median {}, p99 {}", found[2500], found[4950]);
    assert!((on_grid / z - 1.0).abs() < 0.001, "{D}-D, {name}: Z {on_grid} for {z}");
    // The measure can tell: forces of a layout that is a little wider are others.
    let wider: Vec<[f32; D]> = positions.iter().map(|position| position.map(|value| 1.1 * value)).collect();
    Grid::default().repulsion(&wider, &mut grid);
    assert!(force_errors(&grid, &exact)[2500] > 0.01);
    // Forces are between pairs, and cancel out: to rounding, and on the grid to its error.
    for (forces, allowed) in [(&exact, 1e-4), (&grid, 1e-2)] {
        let total: f64 = forces.iter().map(|force| f64::from(force[0])).sum();
        let size: f64 = forces.iter().map(|force| f64::from(force[0]).abs()).sum();
        assert!(total.abs() < allowed * size, "{D}-D: {total} of {size}");
    }
}

#[test]
fn forces_on_the_grid_are_those_of_all_pairs() {
    // From the first positions, of deviation 1e-4, to wide layouts, where nodes lie further apart than the kernel is wide.
    for radius in [1e-4, 0.02, 1.0, 5.0, 30.0] {
        compare_grid(&format!("radius {radius}"), &layout::<2>(5000, radius));
    }
    for radius in [1e-4, 0.02, 1.0, 5.0, 12.0] {
        compare_grid(&format!("radius {radius}"), &layout::<3>(5000, radius));
    }
    for width in [60.0, 250.0, 1000.0] {
        compare_grid(&format!("islands, {width} wide"), &islands::<2>(5000, width));
        compare_grid(&format!("islands, {width} wide"), &islands::<3>(5000, width));
    }
    let mut alone = islands::<2>(5000, 150.0);
    alone[17] = [2000.0, 0.0];
    compare_grid("islands and a point far away", &alone);
}

#[test]
fn a_grid_that_was_used_before_gives_the_forces_of_the_layout_at_hand() {
    let mut grid = Grid::default();
    let (mut used, mut exact) = (vec![[0.0; 2]; 3000], vec![[0.0; 2]; 3000]);
    for width in [20.0, 24.0, 200.0, 230.0, 180.0, 1.0] {
        let positions = islands::<2>(3000, width);
        let (z, on_grid) = (exact::repulsion(&positions, &mut exact), grid.repulsion(&positions, &mut used));
        let found = force_errors(&used, &exact);
        assert!(found[1500] < 0.01 && found[2970] < 0.05 && (on_grid / z - 1.0).abs() < 0.001, "{width}: {} {}", found[1500], found[2970]);
    }
}

fn affinities_of(matrix: &FeatureMatrix, rows: usize, perplexity: f64) -> Affinities {
    let found = neighbors::find(matrix, (3.0 * perplexity) as usize, neighbors::Metric::Euclidean, &Patient).unwrap();
    assert_eq!(found.recall_measured, 1.0);
    Affinities::new(rows, &found.table, perplexity)
}

/// KL(P || Q) by all pairs in `f64`.
fn oracle_kl(p: &Affinities, positions: &[[f64; 2]]) -> f64 {
    let share = |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    let rows = positions.len();
    let z: f64 = (0..rows)
        .flat_map(|i| (0..rows).filter(move |&j| j != i).map(move |j| (i, j)))
        .map(|(i, j)| share(positions[i], positions[j]))
        .sum();
    let entry = |row: usize, (other, p): (usize, f32)| f64::from(p) * (f64::from(p) * z / share(positions[row], positions[other])).ln();
    (0..rows).map(|row| p.of(row).filter(|(_, p)| *p > 0.0).map(|at| entry(row, at)).sum::<f64>()).sum()
}

#[test]
fn the_gradient_is_the_slope_of_the_divergence() {
    let p = affinities_of(&clusters(60, 4), 60, 6.0);
    let positions = layout::<2>(60, 3.0);
    let precise: Vec<[f64; 2]> = positions.iter().map(|position| position.map(f64::from)).collect();
    let mut run = TsneRun::new(p.clone(), positions, 12.0);
    let gradient = run.gradient(1.0);
    assert!((run.kl() - oracle_kl(&p, &precise)).abs() < 1e-4);
    let largest = gradient.as_flattened().iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    for (row, gradient) in gradient.iter().enumerate() {
        for axis in 0..2 {
            let moved = |by: f64| {
                let mut moved = precise.clone();
                moved[row][axis] += by;
                oracle_kl(&p, &moved)
            };
            let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            assert!((slope - f64::from(gradient[axis])).abs() < 1e-3 * f64::from(largest), "{slope}, {}", gradient[axis]);
        }
    }
    // Exaggeration is another gradient.
    assert!(run.gradient(2.0).iter().zip(&gradient).any(|(a, b)| (a[0] - b[0]).abs() > 0.05 * largest));
}

fn embed(matrix: &FeatureMatrix, options: &TsneOptions, compute: &Compute) -> Result<(FeatureMatrix, EmbeddingReport), ProjectError> {
    layouts::embed(matrix, Embedding::Tsne(options.clone()), compute)
}

fn options(dims: usize, iterations: usize) -> TsneOptions {
    TsneOptions { dims, iterations, perplexity: 10.0, ..TsneOptions::default() }
}

#[test]
fn the_divergence_falls_and_clusters_stay_together() {
    // Below and above the size from which a grid is used.
    for (rows, dims) in [(300, 2), (300, 3), (2100, 2), (1500, 3)] {
        let matrix = clusters(rows, 8);
        let (layout, report) = embed(&matrix, &options(dims, 400), &Compute::Cpu).unwrap();
        // Right after the exaggeration it may rise for a few steps; in the end it is far below the start.
        let first = embed(&matrix, &options(dims, 0), &Compute::Cpu).unwrap().1.kl.unwrap();
        let last = report.kl.unwrap();
        assert!(last < 0.6 * first, "{rows} rows, {dims}-D: {first}, {last}");
        assert_eq!((report.iterations, report.knn_recall_measured), (400, 1.0));
        let found = neighbors::find(&layout, 5, neighbors::Metric::Euclidean, &Patient).unwrap().table;
        let of_own =
            (0..rows).flat_map(|row| found.of(row).iter().map(move |&other| (row, other as usize))).filter(|(a, b)| a % 5 == b % 5).count();
        assert!(of_own as f64 > 0.98 * 5.0 * rows as f64, "{rows} rows, {dims}-D: {of_own}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads_and_another_gives_others() {
    let matrix = clusters(2100, 6);
    let with = |threads: usize, dims: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| embed(&matrix, &TsneOptions { seed, ..options(dims, 60) }, &Compute::Cpu).unwrap().0)
    };
    for dims in [2, 3] {
        assert_eq!(with(1, dims, 0), with(3, dims, 0));
        assert_ne!(with(1, dims, 0), with(1, dims, 1));
    }
    let in_space = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut forces = vec![[0.0; 3]; 3000];
        (pool.install(|| Grid::default().repulsion(&layout::<3>(3000, 5.0), &mut forces)), forces)
    };
    assert_eq!(in_space(1), in_space(3));
    let in_plane = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut forces = vec![[0.0; 2]; 3000];
        (pool.install(|| Grid::default().repulsion(&islands::<2>(3000, 250.0), &mut forces)), forces)
    };
    assert_eq!(in_plane(1), in_plane(3));
}

#[test]
fn few_rows_equal_rows_and_one_column_give_a_layout() {
    let line = |rows: usize| FeatureMatrix::new(rows, 1, (0..rows).map(|row| row as f32).collect());
    let duplicated = FeatureMatrix::new(30, 2, (0..60).map(|at| (at / 6) as f32).collect());
    let same = |value: f32| FeatureMatrix::new(40, 3, vec![value; 120]);
    let huge = FeatureMatrix::new(20, 2, (0..40).map(|at| (at as f32 - 20.0) * 1e37).collect());
    for matrix in [line(1), line(2), line(3), line(50), duplicated, same(0.0), same(3.0), huge] {
        for dims in [2, 3] {
            for compute in [Compute::Cpu, Compute::Gpu(gpu().clone())] {
                let options = TsneOptions { dims, iterations: 300, ..TsneOptions::default() };
                let (layout, report) = embed(&matrix, &options, &compute).unwrap();
                assert!(layout.values().iter().all(|value| value.is_finite()), "{report:?}");
                assert!(report.kl.is_some_and(|kl| kl.is_finite() && kl > -1e-3), "{report:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let run = |matrix: &FeatureMatrix, options: TsneOptions| embed(matrix, &options, &Compute::Cpu);
    let defaults = TsneOptions::default;
    let matrix = clusters(20, 3);
    assert!(matches!(run(&FeatureMatrix::new(0, 3, Vec::new()), defaults()), Err(ProjectError::Empty { .. })));
    assert!(matches!(run(&matrix, TsneOptions { dims: 4, ..defaults() }), Err(ProjectError::EmbeddingDims { given: 4 })));
    for perplexity in [0.5, f64::NAN, f64::INFINITY] {
        assert!(matches!(run(&matrix, TsneOptions { perplexity, ..defaults() }), Err(ProjectError::Perplexity { .. })));
    }
    let mut broken = matrix.clone();
    broken.values_mut()[16] = f32::NAN;
    assert!(matches!(run(&broken, defaults()), Err(ProjectError::NotFinite { row: 5, column: 1, .. })));
    let (_, report) = run(&matrix, TsneOptions { iterations: 10, ..defaults() }).unwrap();
    // 19 other rows, a third of them.
    assert!((report.perplexity.unwrap() - 19.0 / 3.0).abs() < 1e-9);
}
