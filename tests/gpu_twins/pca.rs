//! The twins of PCA's kernels.
//!
//! Tolerances: a sum of n rounded terms in `f32` is off by about √n roundings of the sum of the terms' magnitudes; 4 + 2 √n are allowed. The
//! magnitude of a centred value counts as that of the value and of its centre together, since the difference has both their roundings.

use tagscape::gpu::Kernel;
use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::project::pca::cpu::{block_scatter, block_sums, block_transform};
use tagscape::project::pca::gpu::{self, PcaParams};
use tagscape::project::pca::{
    Centring,
    gpu::{sum_slabs, sums_from_differences},
};

use super::runner::{Case, Grain, Twin};

const EPSILON: f64 = f32::EPSILON as f64;

/// Column sums.
pub const MEAN: Twin = Twin {
    kernel: kernel(0),
    rows: &[0, 1, 2, 511, 512, 513, 1000],
    dims: &[1, 3, 63, 64, 65, 200],
    rows_past_the_limit: 65_537,
    case: |matrix, grain| mean_case(matrix, grain, matrix.rows()),
    perturbed: |matrix| mean_case(matrix, Grain::Usual, matrix.rows() - 1),
};

/// Scatter matrices.
pub const COVARIANCE: Twin = Twin {
    kernel: kernel(1),
    rows: &[0, 1, 15, 16, 17, 511, 512, 513, 1000],
    dims: &[1, 2, 31, 32, 33, 50],
    rows_past_the_limit: 65_537,
    case: |matrix, grain| covariance_case(matrix, grain, matrix.rows()),
    perturbed: |matrix| covariance_case(matrix, Grain::Usual, matrix.rows() - 1),
};

/// Coordinates; as many axes as there are dims, but at most 17, one past a block.
pub const TRANSFORM: Twin = Twin {
    kernel: kernel(2),
    rows: &[0, 1, 63, 64, 65, 1000],
    dims: &[1, 2, 16, 17, 31, 32, 33, 200],
    rows_past_the_limit: 65_535 * 64 + 1,
    case: |matrix, _| transform_case(matrix, matrix.dims()),
    perturbed: |matrix| transform_case(matrix, matrix.dims() - 1),
};

const fn kernel(at: usize) -> &'static Kernel {
    [&gpu::MEAN, &gpu::COVARIANCE, &gpu::TRANSFORM][at]
}

fn allowance(terms: usize) -> f64 {
    EPSILON * (4.0 + 2.0 * (terms as f64).sqrt())
}

fn slab_rows(matrix: &FeatureMatrix, grain: Grain) -> usize {
    if grain == Grain::Finest { 1 } else { gpu::slab_rows(matrix.dims()) }
}

/// Around the true mean, in the scale that the program would take.
fn centring(matrix: &FeatureMatrix) -> Centring {
    let (rows, dims) = (matrix.rows().max(1) as f64, matrix.dims());
    let mut mean = vec![0.0; dims];
    let mut largest = 0.0f32;
    for (at, &value) in matrix.values().iter().enumerate() {
        mean[at % dims] += f64::from(value) / rows;
        largest = largest.max(value.abs());
    }
    Centring::new(&mean, largest)
}

fn params(matrix: &FeatureMatrix, centring: &Centring, slab_rows: usize, axes: usize) -> Vec<u8> {
    let params = PcaParams {
        rows: matrix.rows() as u32,
        dims: matrix.dims() as u32,
        axes: axes as u32,
        slab_rows: slab_rows as u32,
        scale: centring.scale,
        unscale: centring.unscale,
        ..PcaParams::default()
    };
    bytemuck::bytes_of(&params).to_vec()
}

/// The scaled, centred value and the magnitude that its roundings go by.
fn centred(matrix: &FeatureMatrix, centring: &Centring, row: usize, column: usize) -> (f64, f64) {
    let value = f64::from(matrix.values()[row * matrix.dims() + column]) * f64::from(centring.scale);
    let center = f64::from(centring.center[column]);
    (value - center, value.abs() + center.abs())
}

fn mean_case(matrix: &FeatureMatrix, grain: Grain, oracle_rows: usize) -> Case {
    let dims = matrix.dims();
    let (slab, centring) = (slab_rows(matrix, grain), centring(matrix));
    let mut oracle = vec![0.0; dims];
    let mut tolerance = vec![0.0; dims];
    for (at, &value) in matrix.values().iter().enumerate() {
        if at / dims < oracle_rows {
            oracle[at % dims] += f64::from(value);
        }
        // What is summed is the difference from the first row, which has the roundings of both.
        tolerance[at % dims] += (f64::from(value).abs() + f64::from(matrix.values()[at % dims]).abs()) * allowance(slab);
    }
    let (rows, scale) = (matrix.rows(), centring.scale);
    let first_row = if rows > 0 { matrix.row(0).to_vec() } else { vec![0.0; dims] };
    let slabs = matrix.rows().div_ceil(slab);
    Case {
        params: params(matrix, &centring, slab, 0),
        inputs: vec![matrix.values().to_vec()],
        output_len: slabs * dims,
        workgroups: slabs as u32,
        gather: Box::new(move |partials| sums_from_differences(partials, &first_row, rows, scale)),
        oracle,
        engine: block_sums(matrix.values(), dims, 0).unwrap().sums,
        tolerance,
    }
}

fn covariance_case(matrix: &FeatureMatrix, grain: Grain, oracle_rows: usize) -> Case {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let (slab, centring) = (slab_rows(matrix, grain), centring(matrix));
    let mut oracle = vec![0.0; dims * dims];
    let mut tolerance = vec![0.0; dims * dims];
    for row in 0..rows {
        let line: Vec<_> = (0..dims).map(|column| centred(matrix, &centring, row, column)).collect();
        for (i, left) in line.iter().enumerate() {
            for (j, right) in line.iter().enumerate() {
                if row < oracle_rows {
                    oracle[i * dims + j] += left.0 * right.0;
                }
                tolerance[i * dims + j] += left.1 * right.1 * allowance(rows);
            }
        }
    }
    let slabs = rows.div_ceil(slab);
    let workgroups = if grain == Grain::Finest { slabs as u32 } else { gpu::covariance_workgroups(rows, dims) };
    Case {
        params: params(matrix, &centring, slab, 0),
        inputs: vec![matrix.values().to_vec(), centring.center.clone()],
        output_len: slabs * dims * dims,
        workgroups,
        gather: Box::new(move |partials| {
            let mut scatter = vec![0.0; dims * dims];
            gpu::add_mirrored(&sum_slabs(partials, dims * dims), dims, &mut scatter);
            scatter
        }),
        oracle,
        engine: block_scatter(&mut matrix.values().to_vec(), dims, &centring).into_iter().map(f64::from).collect(),
        tolerance,
    }
}

fn transform_case(matrix: &FeatureMatrix, oracle_dims: usize) -> Case {
    let (rows, dims) = (matrix.rows(), matrix.dims());
    let (axes, centring) = (dims.min(17), centring(matrix));
    let weights: Vec<f32> = (0..dims * axes).map(|at| ((at * 7 % 13) as f32 - 6.0) / 6.5).collect();
    let mut oracle = vec![0.0; rows * axes];
    let mut tolerance = vec![0.0; rows * axes];
    let unscale = f64::from(centring.unscale);
    for at in 0..rows * axes {
        for column in 0..dims {
            let (value, magnitude) = centred(matrix, &centring, at / axes, column);
            let weight = f64::from(weights[column * axes + at % axes]) * unscale;
            if column < oracle_dims {
                oracle[at] += value * weight;
            }
            tolerance[at] += magnitude * weight.abs() * allowance(dims);
        }
    }
    let mut engine = vec![f32::NAN; rows * axes];
    block_transform(&mut matrix.values().to_vec(), &centring, &weights, &mut engine);
    Case {
        params: params(matrix, &centring, 0, axes),
        inputs: vec![matrix.values().to_vec(), centring.center.clone(), gpu::padded_weights(&weights, axes)],
        output_len: rows * axes,
        workgroups: gpu::transform_workgroups(rows, axes),
        gather: Box::new(|coordinates| coordinates.iter().map(|&value| f64::from(value)).collect()),
        oracle,
        engine: engine.into_iter().map(f64::from).collect(),
        tolerance,
    }
}
