//! The twins of the search for neighbours: plain loops in `f64`, a sort, and the exact search on the CPU.

use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::neighbors;
use tagscape::project::nearest::gpu::{self as kernels, NearestParams, TILE};
use tagscape::project::{Compute, ProjectError, nearest};
use tagscape::seed::SplitMix64;

use super::dispatch::Job;
use super::tsne::{Check, same};

use crate::common::gpu::gpu;
use crate::common::layouts::Patient;
use crate::common::values::ValueSet;

/// One entry for each kernel.
pub const CHECKS: &[Check] =
    &[Check { kernel: &kernels::DISTANCES, compare: distances }, Check { kernel: &kernels::SELECT, compare: select }];

fn block(rows: usize, dims: usize, wanted: usize) -> NearestParams {
    let first = rows / 3;
    let (rows, dims, wanted) = (rows as u32, dims as u32, wanted as u32);
    NearestParams { rows, dims, first: first as u32, queries: rows - first as u32, wanted, ..NearestParams::default() }
}

/// Keys are the squared distances to within rounding; a query's own is the largest there is.
fn distances(rows: usize, kind: usize, mistake: bool) -> Result<(), String> {
    // Fewer columns than are staged at a time, and more.
    let dims = if kind == 2 { 5 } else { 37 };
    let matrix = ValueSet::Random.matrix(rows, dims);
    let params = block(rows, dims, 1);
    let (first, queries) = (params.first as usize, params.queries as usize);
    let job = Job::new(&kernels::DISTANCES, params).input(matrix.values()).output(queries * rows);
    let found = &job.run(queries.div_ceil(TILE) * rows.div_ceil(TILE))[0];
    for query in 0..queries {
        for row in 0..rows {
            let is = found[query * rows + row];
            let pairs = matrix.row(first + query).iter().zip(matrix.row(row));
            let mut should: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            if mistake && (query, row) == (queries - 1, 0) {
                should *= 1.001;
            }
            let off = (f64::from(f32::from_bits(is)) - should).abs();
            let is_right = if row == first + query { is == u32::MAX } else { off <= 1e-5 * should };
            if !is_right {
                return Err(format!("{} of {query} to {row}, not {should}", f32::from_bits(is)));
            }
        }
    }
    Ok(())
}

/// The smallest keys, of equal ones those of the smallest rows.
fn select(rows: usize, kind: usize, mistake: bool) -> Result<(), String> {
    let wanted = if kind == 2 { 7 } else { 300 }.min(rows - 1);
    if wanted == 0 {
        return Ok(());
    }
    let params = NearestParams { slot: 3, ..block(rows, 1, wanted) };
    let queries = params.queries as usize;
    let mut seed = SplitMix64::new(rows as u64);
    // Some queries with keys of any kind, some with few different ones, some with one alone.
    let keys: Vec<u32> = (0..queries * rows)
        .map(|at| match at / rows % 3 {
            0 => seed.next_f32().to_bits(),
            1 => (1.0 + seed.next_below(5) as f32).to_bits(),
            _ => 0x3f80_0000,
        })
        .collect();
    let written = Job::new(&kernels::SELECT, params).input(&keys).output((3 + queries) * wanted).run(queries).remove(0);
    let untouched = f32::NAN.to_bits();
    same("before the slot", &written[..3 * wanted], &vec![untouched; 3 * wanted])?;
    for (query, found) in written[3 * wanted..].chunks(wanted).enumerate() {
        let mut should: Vec<(u32, u32)> = keys[query * rows..(query + 1) * rows].iter().copied().zip(0..).collect();
        should.sort_unstable();
        let mut should: Vec<u32> = should.into_iter().map(|(_, row)| row).take(wanted).collect();
        if mistake && query == 2 {
            should[wanted - 1] += 1;
        }
        should.sort_unstable();
        let mut found = found.to_vec();
        found.sort_unstable();
        same(&format!("query {query} of {rows} rows"), &found, &should)?;
    }
    Ok(())
}

#[test]
fn the_gpus_neighbours_are_those_of_the_exact_search_on_the_cpu() {
    let duplicated = ValueSet::Duplicated;
    for (values, rows, dims, k) in [
        (ValueSet::Random, 2, 1, 5),
        (ValueSet::Random, 63, 3, 62),
        (ValueSet::Random, 64, 16, 9),
        (ValueSet::Random, 65, 17, 64),
        (ValueSet::FarFromZero, 257, 15, 30),
        (duplicated, 129, 4, 128),
        (duplicated, 700, 2, 20),
        (ValueSet::Constant, 300, 3, 4),
        (ValueSet::Random, 1100, 50, 90),
        (duplicated, 600, 5, 512),
    ] {
        let matrix = values.matrix(rows, dims);
        let should = neighbors::find(&matrix, k, neighbors::Metric::Euclidean, &Patient).unwrap();
        let found = nearest::find(&matrix, k, neighbors::Metric::Euclidean, &Compute::Gpu(gpu().clone()), &Patient).unwrap();
        assert_eq!(found.recall_measured, 1.0);
        assert_eq!((found.table.k, found.table.rows()), (k.min(rows - 1), rows));
        let off = (0..rows).find(|&row| found.table.of(row) != should.table.of(row));
        assert_eq!(off, None, "{values:?}, {rows} rows of {dims}: {:?}", off.map(|row| (found.table.of(row), should.table.of(row))));
        assert_eq!(found.table.distances, should.table.distances);
        // In blocks of queries, more of them than are read back together.
        let block = (rows / 18).max(1);
        assert_eq!(kernels::search_in_blocks(gpu(), &matrix, k, block, &Patient).unwrap(), found.table, "{rows} rows");
    }
}

#[test]
fn a_search_that_the_shaders_do_not_take_goes_to_the_cpu_and_a_wish_to_stop_is_heard() {
    let matrix = ValueSet::Random.matrix(700, 3);
    assert!(kernels::takes(gpu(), &matrix, kernels::MOST_NEIGHBORS) && !kernels::takes(gpu(), &matrix, kernels::MOST_NEIGHBORS + 1));
    let many = FeatureMatrix::new(kernels::MOST_ROWS + 1, 1, vec![0.0; kernels::MOST_ROWS + 1]);
    assert!(!kernels::takes(gpu(), &many, 5));
    let found = nearest::find(&matrix, 600, neighbors::Metric::Euclidean, &Compute::Gpu(gpu().clone()), &Patient).unwrap();
    assert_eq!((found.table.k, found.recall_measured, matrix.rows()), (600, 1.0, 700));

    struct Hasty;
    impl neighbors::Watch for Hasty {
        fn progress(&self, _: f64) {}

        fn cancelled(&self) -> bool {
            true
        }
    }
    assert!(matches!(kernels::search(gpu(), &matrix, 5, &Hasty), Err(ProjectError::Cancelled)));
}
