//! The mathematics of UMAP, and its layouts on both devices.

use tagscape::matrix::FeatureMatrix;
use tagscape::neighbors::{self, NeighborTable};
use tagscape::project::umap::gpu::check;
use tagscape::project::umap::{FuzzySet, UmapOptions};
use tagscape::project::{Compute, Embedding, EmbeddingReport, NoObserver, ProjectError, Tuning, descent};
use tagscape::seed::SplitMix64;

use crate::common::gpu::gpu;
use crate::common::layouts::{self, Patient};

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

fn embed(matrix: &FeatureMatrix, options: &UmapOptions, compute: &Compute) -> Result<(FeatureMatrix, EmbeddingReport), ProjectError> {
    layouts::embed(matrix, Embedding::Umap(options.clone()), compute)
}

fn devices() -> [Compute; 2] {
    [Compute::Cpu, Compute::Gpu(gpu().clone())]
}

/// The share of each row's `k` nearest rows that are also among its `k` nearest in the layout.
fn kept(matrix: &FeatureMatrix, layout: &FeatureMatrix, k: usize) -> f64 {
    let [before, after] = [matrix, layout].map(|matrix| neighbors::find(matrix, k, neighbors::Metric::Euclidean, &Patient).unwrap().table);
    let rows = before.indices.len() / k;
    let both: usize = (0..rows).map(|row| before.of(row).iter().filter(|other| after.of(row).contains(other)).count()).sum();
    both as f64 / before.indices.len() as f64
}

#[test]
fn an_edge_is_as_strong_as_one_or_the_other_direction_says() {
    // Row 0 has both others at distance 1: each is as near as can be. Row 1 has row 2 at 1 and row 0 at 2, and they sum to log2(3).
    let table = NeighborTable { k: 2, indices: vec![1, 2, 2, 0, 0, 1], distances: vec![1.0, 1.0, 1.0, 2.0, 1.0, 2.0] };
    let set = FuzzySet::new(3, &table);
    assert!(set.of(0).all(|(_, membership)| membership == 1.0) && set.entries() == 6);
    let far = 3.0_f32.log2() - 1.0;
    let of_2: Vec<(u32, f32)> = set.of(2).collect();
    assert!(of_2[0] == (0, 1.0) && of_2[1].0 == 1, "{of_2:?}");
    assert!((of_2[1].1 - 1.0).abs() < 1e-6 && far < 1.0, "row 1 has row 2 at its nearest: 1 + far - far = 1");
    // Without the way back only the one direction counts.
    let table = NeighborTable { k: 2, indices: vec![1, 2, 0, 3, 0, 3, 0, 1], distances: vec![1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0] };
    let set = FuzzySet::new(4, &table);
    let between = |a: usize, b: u32| set.of(a).find(|(other, _)| *other == b).map(|(_, membership)| membership);
    assert!((between(2, 3).unwrap() - far).abs() < 1e-4 && between(3, 2) == between(2, 3));
    assert!((between(1, 3).unwrap() - (2.0 * far - far * far)).abs() < 1e-4);
    assert_eq!(between(1, 2), None);
}

#[test]
fn a_set_is_the_same_on_any_number_of_threads() {
    let found = neighbors::find(&clusters(5000, 6), 14, neighbors::Metric::Euclidean, &Patient).unwrap();
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| FuzzySet::new(5000, &found.table))
    };
    let set = with(1);
    assert_eq!(set, with(3));
    for row in 0..5000 {
        assert!(set.of(row).all(|(other, membership)| other as usize != row && membership > 0.0 && membership <= 1.0));
    }
}

#[test]
fn clusters_come_apart_and_neighbours_are_kept_on_both_devices() {
    for dims in [2, 3] {
        let matrix = clusters(1500, 8);
        for compute in devices() {
            let (layout, report) = embed(&matrix, &UmapOptions { dims, ..UmapOptions::default() }, &compute).unwrap();
            assert_eq!((report.iterations, report.kl, report.perplexity, report.knn_recall_measured), (500, None, None, 1.0));
            let found = neighbors::find(&layout, 5, neighbors::Metric::Euclidean, &Patient).unwrap().table;
            let of_own = (0..1500).flat_map(|row| found.of(row).iter().map(move |&other| (row, other as usize)));
            let of_own = of_own.filter(|(a, b)| a % 5 == b % 5).count();
            assert!(of_own > 7425, "{dims}-D: {of_own} of 7500");
            let share = kept(&matrix, &layout, 15);
            println!("{dims}-D on {}: {share} kept", compute.device());
            assert!(share > [0.25, 0.35][dims - 2], "{dims}-D on {}: {share}", compute.device());
            // The measure can tell.
            let few = embed(&matrix, &UmapOptions { dims, iterations: Some(0), ..UmapOptions::default() }, &compute).unwrap().0;
            assert!(kept(&matrix, &few, 15) < share);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads_and_another_gives_others() {
    let matrix = clusters(2100, 6);
    let with = |threads: usize, dims: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = UmapOptions { seed, dims, iterations: Some(60), ..UmapOptions::default() };
        pool.install(|| embed(&matrix, &options, &Compute::Cpu).unwrap().0)
    };
    for dims in [2, 3] {
        assert_eq!(with(1, dims, 0), with(3, dims, 0));
        assert_ne!(with(1, dims, 0), with(1, dims, 1));
    }
    let options = UmapOptions { iterations: Some(40), ..UmapOptions::default() };
    let on_gpu = || embed(&matrix, &options, &Compute::Gpu(gpu().clone())).unwrap().0;
    assert_eq!(on_gpu(), on_gpu());
}

#[test]
fn few_rows_equal_rows_and_one_column_give_a_layout() {
    let line = |rows: usize| FeatureMatrix::new(rows, 1, (0..rows).map(|row| row as f32).collect());
    let duplicated = FeatureMatrix::new(60, 2, (0..120).map(|at| (at / 40) as f32).collect());
    let same = |value: f32| FeatureMatrix::new(40, 3, vec![value; 120]);
    let huge = FeatureMatrix::new(20, 2, (0..40).map(|at| (at as f32 - 20.0) * 1e37).collect());
    for matrix in [line(1), line(2), line(3), line(50), duplicated, same(0.0), same(3.0), huge] {
        for dims in [2, 3] {
            for compute in devices() {
                for neighbors in [2, 15, 1000] {
                    let options = UmapOptions { dims, neighbors, iterations: Some(100), ..UmapOptions::default() };
                    let (layout, report) = embed(&matrix, &options, &compute).unwrap();
                    assert!(layout.values().iter().all(|value| value.is_finite() && value.abs() < 1e4), "{report:?}");
                    let first = &layout.values()[..dims];
                    let has_others = layout.values().len() == dims || layout.values().chunks(dims).skip(1).any(|at| at != first);
                    assert!(has_others, "rows that are equal part as well");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let run = |matrix: &FeatureMatrix, options: UmapOptions| embed(matrix, &options, &Compute::Cpu);
    let defaults = UmapOptions::default;
    let matrix = clusters(20, 3);
    assert!(matches!(run(&FeatureMatrix::new(0, 3, Vec::new()), defaults()), Err(ProjectError::Empty { .. })));
    assert!(matches!(run(&matrix, UmapOptions { dims: 4, ..defaults() }), Err(ProjectError::EmbeddingDims { given: 4 })));
    for neighbors in [0, 1] {
        assert!(matches!(run(&matrix, UmapOptions { neighbors, ..defaults() }), Err(ProjectError::TooFewNeighbors { .. })));
    }
    for min_dist in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        assert!(matches!(run(&matrix, UmapOptions { min_dist, ..defaults() }), Err(ProjectError::MinDist { .. })));
    }
    let mut broken = matrix.clone();
    broken.values_mut()[16] = f32::NAN;
    assert!(matches!(run(&broken, defaults()), Err(ProjectError::NotFinite { row: 5, column: 1, .. })));
}

#[test]
fn more_rows_than_the_device_takes_are_refused_before_any_work_and_told_what_to_do() {
    let mut caps = gpu().caps.clone();
    caps.limits.max_storage_buffer_binding_size = 128 << 20;
    let most = (128 << 20) / (8 * 14);
    assert!(check(&caps, most, 14).is_ok() && check(&caps, 3, 2).is_ok());
    let refused = check(&caps, most + 1, 14).unwrap_err();
    assert!(matches!(refused, ProjectError::TooLargeForGpu { method: "UMAP", rows, .. } if rows == most + 1));
    assert!(refused.to_string().contains("UMAP of") && refused.to_string().contains("--device cpu"), "{refused}");
}

#[test]
fn min_dist_can_be_changed_on_the_way_and_a_reheated_run_begins_its_schedule_anew() {
    let matrix = clusters(400, 5);
    for compute in devices() {
        let options = UmapOptions { iterations: Some(120), ..UmapOptions::default() };
        let ends = [0.0, 0.9].map(|min_dist| {
            let mut run = Embedding::Umap(options.clone()).begin(&matrix, true, &compute, &NoObserver).unwrap();
            (0..60).for_each(|_| run.step().unwrap());
            run.tune(&Tuning { min_dist, ..Tuning::default() }, &NoObserver).unwrap();
            descent::finish(&mut *run, &NoObserver).unwrap();
            assert_eq!((run.iteration(), run.planned(), run.divergence().unwrap()), (120, 120, None));
            run.reheat();
            assert_eq!((run.iteration(), run.planned()), (120, 240));
            descent::finish(&mut *run, &NoObserver).unwrap();
            let positions = run.positions().unwrap();
            assert_eq!(run.bounds().unwrap(), descent::bounds_of(&positions));
            assert_eq!(run.columns().is_some(), matches!(compute, Compute::Gpu(_)));
            let values = positions.iter().flat_map(|at| at[..2].to_vec()).collect();
            let found = neighbors::find(&FeatureMatrix::new(400, 2, values), 1, neighbors::Metric::Euclidean, &Patient).unwrap().table;
            let mut nearest = found.distances.clone();
            nearest.sort_by(f32::total_cmp);
            nearest[200]
        });
        // The nearest neighbour of half of the rows lies closer where it may.
        assert!(ends[0] < 0.7 * ends[1], "{ends:?}");
    }
}
