//! The mathematics of PCA, on both engines.

use std::sync::atomic::{AtomicUsize, Ordering};

use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::project::pca::cpu::CpuEngine;
use tagscape::project::pca::gpu::GpuEngine;
use tagscape::project::pca::{Columns, Engine, MAX_DIMS, Pca};
use tagscape::project::{Compute, ComputeDevice, Method, NoObserver, Observer, ProjectError, Projection};

use crate::common::gpu::gpu;
use crate::common::values::ValueSet;

/// Both engines, and the shaders once more with chunks of one slab of which none or one stays on the GPU.
fn engines() -> Vec<(&'static str, Box<dyn Engine>)> {
    let shaders = || GpuEngine::new(gpu()).unwrap();
    vec![
        ("cpu", Box::new(CpuEngine)),
        ("gpu", Box::new(shaders())),
        ("gpu, small chunks", Box::new(shaders().with_memory(0, 0))),
        ("gpu, one small chunk resident", Box::new(shaders().with_memory(0, 512 * 4 * 5))),
    ]
}

fn fit(matrix: &FeatureMatrix, engine: &mut dyn Engine) -> Pca {
    Pca::fit(matrix, Columns::Centred, engine, &NoObserver).unwrap()
}

/// Mean and covariance (divisor rows - 1) by plain loops in `f64`.
fn oracle(matrix: &FeatureMatrix) -> (Vec<f64>, Vec<f64>) {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let at = |row: usize, column: usize| f64::from(matrix.row(row)[column]);
    let mean: Vec<f64> = (0..dims).map(|column| (0..rows).map(|row| at(row, column)).sum::<f64>() / rows as f64).collect();
    let divisor = rows.max(2) as f64 - 1.0;
    let element = |i: usize, j: usize| (0..rows).map(|row| (at(row, i) - mean[i]) * (at(row, j) - mean[j])).sum::<f64>() / divisor;
    let covariance = (0..dims * dims).map(|at| element(at / dims, at % dims)).collect();
    (mean, covariance)
}

/// All that makes a PCA right: the mean, an orthonormal basis, ordered variances, and C v = variance v for the oracle's C.
fn assert_is_the_pca_of(matrix: &FeatureMatrix, pca: &Pca, label: &str) {
    let dims = matrix.dims();
    let (mean, covariance) = oracle(matrix);
    let spread = (0..dims).map(|i| covariance[i * dims + i]).fold(0.0, f64::max);
    let size = mean.iter().fold(spread.sqrt(), |size, mean| size.max(mean.abs()));
    for (is, should) in pca.mean().iter().zip(&mean) {
        assert!((is - should).abs() <= 1e-6 * size, "{label}: mean {is} for {should}");
    }
    for i in 0..dims {
        for j in 0..dims {
            let dot: f64 = pca.component(i).iter().zip(pca.component(j)).map(|(a, b)| a * b).sum();
            assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-10, "{label}: components {i} and {j} have product {dot}");
        }
        let leading =
            pca.component(i).iter().fold(0.0, |leading: f64, &loading| if loading.abs() > leading.abs() { loading } else { leading });
        assert!(leading > 0.0, "{label}: component {i} points the wrong way");
        let variance = pca.variances()[i];
        assert!(variance >= 0.0 && (i == 0 || variance <= pca.variances()[i - 1]), "{label}: variances {:?}", pca.variances());
        for row in 0..dims {
            let product: f64 = (0..dims).map(|column| covariance[row * dims + column] * pca.component(i)[column]).sum();
            let off = (product - variance * pca.component(i)[row]).abs();
            assert!(off <= 1e-5 * spread, "{label}: component {i} is no eigenvector, off by {off} of {spread}");
        }
    }
}

#[test]
fn components_are_the_covariance_matrixs_eigenvectors_at_every_block_border() {
    for rows in [2, 511, 512, 513, 1023, 1024, 1025, 1537] {
        let matrix = ValueSet::Random.matrix(rows, 5);
        for (name, mut engine) in engines() {
            assert_is_the_pca_of(&matrix, &fit(&matrix, engine.as_mut()), &format!("{rows} rows on {name}"));
        }
    }
}

#[test]
fn components_are_right_past_the_cpu_engines_chunk_and_past_a_tile() {
    for (rows, dims) in [(65_537, 3), (700, 33), (300, 70)] {
        let matrix = ValueSet::Random.matrix(rows, dims);
        for (name, mut engine) in engines() {
            assert_is_the_pca_of(&matrix, &fit(&matrix, engine.as_mut()), &format!("[{rows}, {dims}] on {name}"));
        }
    }
}

#[test]
fn values_far_from_zero_huge_or_tiny_lose_nothing() {
    let plain = fit(&ValueSet::Random.matrix(600, 7), &mut CpuEngine).explained_variance_ratio();
    for (set, allowed) in [(ValueSet::Huge, 1e-5), (ValueSet::Tiny, 1e-5), (ValueSet::FarFromZero, 1e-3)] {
        for (name, mut engine) in engines() {
            let ratio = fit(&set.matrix(600, 7), engine.as_mut()).explained_variance_ratio();
            let off = ratio.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off < allowed, "{set:?} on {name}: {ratio:?} for {plain:?}");
        }
    }
}

#[test]
fn points_on_a_line_have_one_component_along_it() {
    let matrix = FeatureMatrix::new(4, 2, vec![1.0, 12.0, 2.0, 14.0, 3.0, 16.0, 4.0, 18.0]);
    for (name, mut engine) in engines() {
        let pca = fit(&matrix, engine.as_mut());
        let coordinates = pca.transform(&matrix, &[0, 1], engine.as_mut(), &NoObserver).unwrap();
        let ratio = pca.explained_variance_ratio();
        assert!((ratio[0] - 1.0).abs() < 1e-6 && ratio[1].abs() < 1e-6, "{name}: {ratio:?}");
        let step = 5f32.sqrt();
        for (row, steps) in [-1.5, -0.5, 0.5, 1.5].into_iter().enumerate() {
            let [along, across] = [coordinates.row(row)[0], coordinates.row(row)[1]];
            assert!((along - steps * step).abs() < 1e-5 && across.abs() < 1e-5, "{name}: row {row} at {along}, {across}");
        }
    }
}

#[test]
fn coordinates_are_the_centred_rows_along_the_components_asked_for_in_that_order() {
    let matrix = ValueSet::Random.matrix(1500, 6);
    for (name, mut engine) in engines() {
        let pca = fit(&matrix, engine.as_mut());
        let coordinates = pca.transform(&matrix, &[4, 0], engine.as_mut(), &NoObserver).unwrap();
        for row in 0..matrix.rows() {
            for (axis, component) in [4, 0].into_iter().enumerate() {
                let centred = matrix.row(row).iter().zip(pca.mean()).map(|(&value, mean)| f64::from(value) - mean);
                let should: f64 = centred.zip(pca.component(component)).map(|(value, loading)| value * loading).sum();
                let is = f64::from(coordinates.row(row)[axis]);
                assert!((is - should).abs() < 1e-5, "{name}: row {row}, component {component} at {is}, not {should}");
            }
        }
    }
}

#[test]
fn columns_that_do_not_vary_have_no_part_in_the_first_components() {
    let mut matrix = ValueSet::Random.matrix(400, 3);
    matrix.values_mut().chunks_exact_mut(3).for_each(|row| row[1] = 7.5);
    for (name, mut engine) in engines() {
        let pca = fit(&matrix, engine.as_mut());
        assert!(pca.component(0)[1].abs() < 1e-6 && pca.component(1)[1].abs() < 1e-6, "{name}");
        assert!(pca.explained_variance_ratio()[2] < 1e-9, "{name}: {:?}", pca.explained_variance_ratio());
    }
}

#[test]
fn a_matrix_in_which_nothing_varies_lies_on_one_point() {
    for matrix in [ValueSet::Constant.matrix(700, 4), ValueSet::Random.matrix(1, 4), FeatureMatrix::new(3, 4, vec![0.0; 12])] {
        for (name, mut engine) in engines() {
            let pca = fit(&matrix, engine.as_mut());
            assert_eq!(pca.explained_variance_ratio(), [0.0; 4], "{name}");
            let coordinates = pca.transform(&matrix, &[0, 1], engine.as_mut(), &NoObserver).unwrap();
            assert!(coordinates.values().iter().all(|value| value.abs() < 1e-6), "{name}: {:?}", coordinates.values());
        }
    }
}

#[test]
fn fewer_rows_than_columns_leave_the_last_components_without_variance() {
    let matrix = ValueSet::Random.matrix(3, 40);
    for (name, mut engine) in engines() {
        let pca = fit(&matrix, engine.as_mut());
        assert_is_the_pca_of(&matrix, &pca, name);
        let ratio = pca.explained_variance_ratio();
        assert!(ratio[..2].iter().sum::<f64>() > 1.0 - 1e-6 && ratio[1] > 0.01, "{name}: {ratio:?}");
    }
}

#[test]
fn a_matrix_without_rows_or_columns_or_with_too_many_columns_is_refused() {
    for (rows, dims) in [(0, 3), (3, 0), (0, 0)] {
        let error = Pca::fit(&FeatureMatrix::new(rows, dims, Vec::new()), Columns::Centred, &mut CpuEngine, &NoObserver).unwrap_err();
        assert!(matches!(error, ProjectError::Empty { .. }), "{error}");
    }
    let wide = FeatureMatrix::new(1, MAX_DIMS + 1, vec![0.0; MAX_DIMS + 1]);
    assert!(matches!(Pca::fit(&wide, Columns::Centred, &mut CpuEngine, &NoObserver), Err(ProjectError::TooManyDims { .. })));
}

#[test]
fn the_first_row_with_a_value_that_is_no_number_is_named() {
    let mut matrix = ValueSet::Random.matrix(3000, 5);
    matrix.values_mut()[2900 * 5] = f32::NAN;
    matrix.values_mut()[1700 * 5 + 2] = f32::NEG_INFINITY;
    for (name, mut engine) in engines() {
        let error = Pca::fit(&matrix, Columns::Centred, engine.as_mut(), &NoObserver).unwrap_err();
        assert!(matches!(error, ProjectError::NotFinite { row: 1700, column: 2, .. }), "{name}: {error}");
        assert!(error.to_string().contains("row 1700") && error.to_string().contains("-inf"), "{error}");
    }
}

#[test]
fn the_cpu_engine_gives_the_same_bits_on_any_number_of_threads() {
    let matrix = ValueSet::Random.matrix(5000, 9);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let pca = fit(&matrix, &mut CpuEngine);
            (pca.variances().to_vec(), pca.transform(&matrix, &[0, 1], &mut CpuEngine, &NoObserver).unwrap())
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(5));
}

#[test]
fn the_shaders_give_the_same_bits_every_time() {
    let matrix = ValueSet::Random.matrix(3000, 9);
    let mut engine = GpuEngine::new(gpu()).unwrap();
    assert_eq!(fit(&matrix, &mut engine).variances(), fit(&matrix, &mut engine).variances());
}

fn project(
    matrix: &FeatureMatrix,
    shown: Option<&[usize]>,
    method: Method,
    compute: &Compute,
) -> Result<tagscape::project::Layout, ProjectError> {
    Projection { space: matrix, fitted_on: None, shown, column_names: &["guitar".to_owned()], method }.run(compute, &NoObserver)
}

#[test]
fn rows_left_out_are_fitted_all_the_same() {
    let matrix = ValueSet::Random.matrix(2000, 6);
    let shown: Vec<usize> = (0..2000).step_by(7).collect();
    for compute in [Compute::Cpu, Compute::Gpu(gpu().clone())] {
        let method = Method::Pca { components: vec![0, 1, 2] };
        let all = project(&matrix, None, method.clone(), &compute).unwrap();
        let some = project(&matrix, Some(&shown), method, &compute).unwrap();
        assert_eq!(some.explained_variance_ratio, all.explained_variance_ratio);
        for (at, &row) in shown.iter().enumerate() {
            let off = some.coordinates.row(at).iter().zip(all.coordinates.row(row)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "row {row} is off by {off}");
        }
    }
}

#[test]
fn layouts_say_what_their_axes_are_and_what_ran() {
    let matrix = ValueSet::Random.matrix(50, 3);
    let layout = project(&matrix, None, Method::Original { axes: vec![0, 2] }, &Compute::Cpu).unwrap();
    assert_eq!(layout.axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>(), ["guitar", "dimension 3"]);
    assert!(layout.explained_variance_ratio.is_empty() && layout.axes[0].explained_variance_ratio.is_none());

    let layout = project(&matrix, None, Method::Pca { components: vec![1] }, &Compute::Gpu(gpu().clone())).unwrap();
    assert_eq!((layout.device, layout.axes[0].name.as_str()), (ComputeDevice::Gpu, "component 2"));
    assert_eq!(layout.axes[0].explained_variance_ratio, Some(layout.explained_variance_ratio[1] as f32));
    assert!((layout.explained_variance_ratio.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn axes_that_are_not_there_are_refused_before_any_work() {
    let matrix = ValueSet::Random.matrix(50, 3);
    let error = project(&matrix, None, Method::Pca { components: vec![0, 3] }, &Compute::Cpu).unwrap_err();
    assert_eq!(error.to_string(), "there is no component 4: there are 3, counted from 1");
    let error = project(&matrix, None, Method::Original { axes: vec![3] }, &Compute::Cpu).unwrap_err();
    assert_eq!(error.to_string(), "there is no dimension 4: there are 3, counted from 1");
}

#[test]
fn the_gpu_is_left_alone_where_it_is_a_cpu_in_disguise() {
    assert!(matches!(Compute::automatic(gpu().clone()), Compute::Cpu));
}

/// Stops after a number of questions.
struct Impatient {
    questions: AtomicUsize,
}

impl Observer for Impatient {
    fn progress(&self, fraction: f64) {
        assert!((0.0..=1.0).contains(&fraction), "{fraction}");
    }

    fn cancelled(&self) -> bool {
        self.questions.fetch_add(1, Ordering::Relaxed) >= 3
    }
}

#[test]
fn long_work_can_be_stopped() {
    let matrix = ValueSet::Random.matrix(3000, 3);
    let mut engine = GpuEngine::new(gpu()).unwrap().with_memory(0, 0);
    let error = Pca::fit(&matrix, Columns::Centred, &mut engine, &Impatient { questions: AtomicUsize::new(0) }).unwrap_err();
    assert!(matches!(error, ProjectError::Cancelled), "{error}");
}

/// Columns that hang together, of very different size and far from zero; the last does not vary.
fn uneven(rows: usize) -> FeatureMatrix {
    let noise = ValueSet::Random.matrix(rows, 7);
    let size = [1e-3, 1.0, 1e3, 40.0, 0.2, 7.0];
    let values = (0..rows).flat_map(|row| {
        let from = noise.row(row);
        let common = from[6];
        (0..7).map(move |column| if column == 6 { 12_345.678 } else { size[column] * (3.0 + common * column as f32 + from[column]) })
    });
    FeatureMatrix::new(rows, 7, values.collect())
}

/// Columns centred and divided by their deviation (divisor rows), in `f64`; one that does not vary is 0.
fn standardised(matrix: &FeatureMatrix) -> Vec<Vec<f64>> {
    let rows = matrix.rows() as f64;
    let column = |column: usize| -> Vec<f64> { (0..matrix.rows()).map(|row| f64::from(matrix.row(row)[column])).collect() };
    (0..matrix.dims())
        .map(|number| {
            let values = column(number);
            let mean = values.iter().sum::<f64>() / rows;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / rows).sqrt();
            values.iter().map(|value| if deviation > 1e-9 * mean.abs() { (value - mean) / deviation } else { 0.0 }).collect()
        })
        .collect()
}

/// The largest difference of a scalar product of two rows between all components' coordinates and the oracle's columns: no rotation hides in it.
fn largest_difference(coordinates: &FeatureMatrix, oracle: &[Vec<f64>]) -> f64 {
    let rows = coordinates.rows().min(60);
    let mut largest = 0.0_f64;
    for a in 0..rows {
        for b in 0..=a {
            let is: f64 = coordinates.row(a).iter().zip(coordinates.row(b)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let should: f64 = oracle.iter().map(|column| column[a] * column[b]).sum();
            largest = largest.max((is - should).abs());
        }
    }
    largest
}

#[test]
fn std_pca_is_the_pca_of_standardised_columns() {
    let all: Vec<usize> = (0..7).collect();
    for rows in [60, 513, 1025] {
        let matrix = uneven(rows);
        let oracle = standardised(&matrix);
        for (name, mut engine) in engines() {
            let pca = Pca::fit(&matrix, Columns::Standardised, engine.as_mut(), &NoObserver).unwrap();
            let coordinates = pca.transform(&matrix, &all, engine.as_mut(), &NoObserver).unwrap();
            let off = largest_difference(&coordinates, &oracle);
            assert!(off < 2e-2, "{rows} rows on {name}: off by {off}");
            for (component, &variance) in pca.variances().iter().enumerate() {
                let along: Vec<f64> = (0..rows).map(|row| f64::from(coordinates.row(row)[component])).collect();
                let mean = along.iter().sum::<f64>() / rows as f64;
                let is = along.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (rows - 1) as f64;
                assert!((is - variance).abs() < 2e-3, "{rows} rows on {name}: component {component} has variance {is}, said {variance}");
            }
            // Six columns vary, each with variance rows / (rows - 1).
            let total: f64 = pca.variances().iter().sum();
            assert!((total - 6.0 * rows as f64 / (rows - 1) as f64).abs() < 1e-3, "{total}");
            assert!(pca.variances()[6] < 1e-6 && (0..6).all(|component| pca.component(component)[6].abs() < 1e-6));
            assert!((pca.explained_variance_ratio().iter().sum::<f64>() - 1.0).abs() < 1e-9);
            // The measure can tell: without standardising, the column of size 1000 is nearly all.
            let plain = fit(&matrix, engine.as_mut()).transform(&matrix, &all, engine.as_mut(), &NoObserver).unwrap();
            assert!(largest_difference(&plain, &oracle) > 1.0);
        }
    }
}

#[test]
fn std_pca_of_columns_none_of_which_varies_lies_on_one_point() {
    for value in [0.0, 0.1, -7e30, 1e-40] {
        let matrix = FeatureMatrix::new(20, 3, vec![value; 60]);
        for (name, mut engine) in engines() {
            let pca = Pca::fit(&matrix, Columns::Standardised, engine.as_mut(), &NoObserver).unwrap();
            let coordinates = pca.transform(&matrix, &[0, 1], engine.as_mut(), &NoObserver).unwrap();
            assert!(coordinates.values().iter().all(|&coordinate| coordinate == 0.0), "{name}: {value}");
            assert!(pca.explained_variance_ratio().iter().all(|&ratio| ratio == 0.0), "{name}: {value}");
        }
    }
}

#[test]
fn std_pca_does_not_care_for_the_units_of_a_column() {
    let matrix = ValueSet::Random.matrix(300, 4);
    let units = [1.0 / 4096.0, 1.0, 1024.0, 64.0];
    let scaled = FeatureMatrix::new(300, 4, matrix.values().iter().zip(units.iter().cycle()).map(|(value, unit)| value * unit).collect());
    let ratio =
        |matrix: &FeatureMatrix, columns| Pca::fit(matrix, columns, &mut CpuEngine, &NoObserver).unwrap().explained_variance_ratio();
    let largest = |columns| {
        let (plain, scaled) = (ratio(&matrix, columns), ratio(&scaled, columns));
        plain.iter().zip(&scaled).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    assert!(largest(Columns::Standardised) < 1e-4, "{}", largest(Columns::Standardised));
    assert!(largest(Columns::Centred) > 0.1);
}
