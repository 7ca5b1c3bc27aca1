//! The twins of the kernels over neighbours: plain loops over the same tables. Each check goes through several numbers of neighbours.

use tagscape::project::tsne::gpu::kernels;
use tagscape::project::tsne::gpu::params::{TsneParams, TsnePlan};
use tagscape::seed::SplitMix64;

use super::dispatch::{Job, floats};
use super::tsne::{Check, close, params, points, same};

pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::CALIBRATE, compare: calibrate },
    Check { kernel: &kernels::LISTS_COUNT, compare: |rows, _, mistake| of_each(|k| count_of(rows, k, mistake)) },
    Check { kernel: &kernels::LISTS_SUM, compare: |rows, _, mistake| sum(rows, mistake) },
    Check { kernel: &kernels::LISTS_SCAN, compare: |rows, _, mistake| scan(rows, mistake) },
    Check { kernel: &kernels::LISTS_STARTS, compare: |rows, _, mistake| of_each(|k| starts(rows, k, mistake)) },
    Check { kernel: &kernels::LISTS_SCATTER, compare: |rows, _, mistake| of_each(|k| scatter(rows, k, mistake)) },
    Check { kernel: &kernels::LISTS_ORDER, compare: |rows, _, mistake| of_each(|k| order(rows, k, mistake)) },
    Check { kernel: &kernels::GRADIENT, compare: |rows, dims, mistake| of_each(|k| gradient(rows, dims, k, mistake)) },
    Check { kernel: &kernels::DIVERGENCE, compare: |rows, dims, mistake| of_each(|k| divergence(rows, dims, k, mistake)) },
];

/// One neighbour, few, and more than lanes.
fn of_each(compare: impl Fn(usize) -> Result<(), String>) -> Result<(), String> {
    [1, 3, 90].into_iter().try_for_each(|k| compare(k).map_err(|off| format!("{k} neighbours: {off}")))
}

fn told(rows: usize, dims: usize, k: usize) -> TsneParams {
    TsneParams { neighbors: k as u32, counted: k as u32, ..params(rows, dims, 0) }
}

/// Some neighbours of each row, `[rows, k]`; some rows are a neighbour of many.
fn table(rows: usize, k: usize) -> Vec<u32> {
    let mut seed = SplitMix64::new((rows * 91 + k) as u64);
    let mut other = |at: usize| if at.is_multiple_of(7) { 0.0 } else { seed.next_f32() * seed.next_f32() };
    (0..rows * k).map(|at| ((other(at) * rows as f32) as u32).min(rows as u32 - 1)).collect()
}

/// The same with every neighbour once in its row and none its own, as a search gives it.
fn distinct(rows: usize, k: usize) -> Vec<u32> {
    let other = move |row: usize, step: usize| if row.is_multiple_of(2) { row + step } else { row + rows - step };
    (0..rows).flat_map(|row| (1..=k.min(rows - 1)).map(move |step| (other(row, step) % rows) as u32)).collect()
}

/// Where lists begin, and which entries are in them.
fn transposed(rows: usize, table: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut entries: Vec<u32> = (0..table.len() as u32).collect();
    entries.sort_by_key(|&entry| table[entry as usize]);
    let mut starts = vec![0_u32; rows + 1];
    table.iter().for_each(|&other| starts[other as usize + 1] += 1);
    (0..rows).for_each(|row| starts[row + 1] += starts[row]);
    (starts, entries)
}

fn counts_of(starts: &[u32]) -> Vec<u32> {
    starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn calibrate(rows: usize, _: usize, mistake: bool) -> Result<(), String> {
    // Plain, of a wide range, nearly equal, equal, and 0.
    let of_kind = |kind: usize, k: usize| -> Vec<f32> {
        let mut seed = SplitMix64::new((rows * 3 + k) as u64);
        let mut row = |number: usize| {
            let mut row: Vec<f32> = (0..k)
                .map(|_| match kind {
                    0 => 0.1 + seed.next_f32(),
                    1 => (20.0 * (seed.next_f32() - 0.5)).exp(),
                    2 => 3.0 + 1e-3 * seed.next_f32(),
                    3 => number as f32,
                    _ => 0.0,
                })
                .collect();
            row.sort_by(f32::total_cmp);
            row
        };
        (0..rows).flat_map(&mut row).collect()
    };
    for (k, counted, perplexity) in [(1, 1, 1.0), (3, 3, 1.5), (3, 2, 1.2), (90, 90, 30.0), (90, 30, 10.0), (90, 90, 2.0), (30, 30, 60.0)] {
        for kind in 0..5 {
            let distances = of_kind(kind, k);
            let entropy = f64::ln(perplexity);
            let told = TsneParams { counted: counted as u32, entropy: entropy as f32, ..told(rows, 2, k) };
            let found = Job::new(&kernels::CALIBRATE, told).input(&distances).output(rows * k).run(rows.div_ceil(64)).remove(0);
            let p: Vec<f64> = floats(&found).iter().map(|p| f64::from(*p) * 2.0 * rows as f64).collect();
            for (row, (p, distances)) in p.chunks_exact(k).zip(distances.chunks_exact(k)).enumerate() {
                let mut should = widest(&distances[..counted], entropy);
                should.resize(k, 0.0);
                should[0] += if mistake { 0.01 } else { 0.0 };
                // f32's exponent of a neighbour that is a hundred deviations away.
                let off = p.iter().zip(&should).map(|(p, should)| (p - should).abs() / (1e-3 + should)).fold(0.0, f64::max);
                if off.is_nan() || off > 3e-4 {
                    return Err(format!("kind {kind}, {counted} of {k}, row {row}: off by {off}, {p:?}, not {should:?}"));
                }
            }
        }
    }
    Ok(())
}

/// Conditional probabilities of one row in `f64`, by bisection on the logarithm of the width.
fn widest(distances: &[f32], entropy: f64) -> Vec<f64> {
    let squares: Vec<f64> = distances.iter().map(|distance| f64::from(*distance).powi(2)).collect();
    let nearest = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = squares.iter().map(|square| square - nearest).sum::<f64>() / squares.len() as f64;
    let unit = if mean > 0.0 { mean } else { 1.0 };
    let at = |exponent: f64| -> Vec<f64> {
        let weights: Vec<f64> = squares.iter().map(|square| (-(square - nearest) / unit * exponent.exp2()).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    };
    let (mut low, mut high) = (-64.0, 63.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        let is: f64 = at(middle).iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 }).sum();
        if is > entropy { low = middle } else { high = middle }
    }
    at(0.5 * (low + high))
}

/// Also with more than 65,535 workgroups.
pub fn count_of(rows: usize, k: usize, mistake: bool) -> Result<(), String> {
    let table = table(rows, k);
    let mut should = vec![0_u32; rows];
    table.iter().for_each(|&other| should[other as usize] += 1);
    should[0] += u32::from(mistake);
    let job = Job::new(&kernels::LISTS_COUNT, told(rows, 2, k)).input(&table).input(&vec![0_u32; rows]);
    same("counts", &job.run(table.len().div_ceil(256))[0], &should)
}

fn sum(rows: usize, mistake: bool) -> Result<(), String> {
    let counts: Vec<u32> = (0..rows as u32).map(|row| row % 11).collect();
    let mut should: Vec<u32> = counts.chunks(256).map(|counts| counts.iter().sum()).collect();
    should[0] += u32::from(mistake);
    let job = Job::new(&kernels::LISTS_SUM, told(rows, 2, 3)).input(&counts).output(should.len());
    same("sums", &job.run(should.len())[0], &should)
}

fn scan(rows: usize, mistake: bool) -> Result<(), String> {
    // As many blocks as points elsewhere: around the border where a lane gets a second one.
    let sums: Vec<u32> = (0..rows as u32).map(|block| block % 13).collect();
    let mut should: Vec<u32> = (0..rows).map(|block| sums[..block].iter().sum()).collect();
    should[0] += u32::from(mistake);
    let found = Job::new(&kernels::LISTS_SCAN, told(rows * 256 - 17, 2, 3)).input(&sums).run(1).remove(0);
    same("entries before", &found, &should)
}

fn starts(rows: usize, k: usize, mistake: bool) -> Result<(), String> {
    let (mut should, _) = transposed(rows, &table(rows, k));
    let counts = counts_of(&should);
    let before: Vec<u32> = should[..rows].iter().copied().step_by(256).collect();
    let job = Job::new(&kernels::LISTS_STARTS, told(rows, 2, k)).input(&before).input(&counts).output(rows + 1);
    let found = job.run(rows.div_ceil(256));
    same("next places", &found[0], &should[..rows])?;
    should[0] += u32::from(mistake);
    same("starts", &found[1], &should)
}

fn scatter(rows: usize, k: usize, mistake: bool) -> Result<(), String> {
    let table = table(rows, k);
    let (starts, mut entries) = transposed(rows, &table);
    let job = Job::new(&kernels::LISTS_SCATTER, told(rows, 2, k)).input(&table).input(&starts[..rows]).output(table.len());
    let mut found = job.run(table.len().div_ceil(256));
    same("ends", &found[0], &starts[1..])?;
    // In a list they may come in any order.
    for pair in starts.windows(2) {
        found[1][pair[0] as usize..pair[1] as usize].sort_unstable();
    }
    entries[0] += u32::from(mistake);
    same("entries", &found[1], &entries)
}

fn order(rows: usize, k: usize, mistake: bool) -> Result<(), String> {
    let (starts, entries) = transposed(rows, &table(rows, k));
    ordered(starts, entries, k, mistake)
}

/// Lists of 0, 1, 2, 3, ... and of very many entries, also in more than 65,535 workgroups.
pub fn order_of_hubs(rows: usize, mistake: bool) -> Result<(), String> {
    let mut starts = vec![0_u32; rows + 1];
    for row in 0..rows {
        let length = if row == 7 {
            5000
        } else if row < 200 {
            row as u32
        } else {
            (row % 3) as u32
        };
        starts[row + 1] = starts[row] + length;
    }
    let entries = (0..starts[rows]).collect();
    ordered(starts, entries, 1, mistake)
}

fn ordered(starts: Vec<u32>, mut entries: Vec<u32>, k: usize, mistake: bool) -> Result<(), String> {
    let rows = starts.len() - 1;
    let mut mixed = entries.clone();
    let mut seed = SplitMix64::new(rows as u64);
    for pair in starts.windows(2) {
        let list = &mut mixed[pair[0] as usize..pair[1] as usize];
        for at in (1..list.len()).rev() {
            list.swap(at, (seed.next_f32() * (at + 1) as f32) as usize % (at + 1));
        }
    }
    entries[0] += u32::from(mistake);
    let found = Job::new(&kernels::LISTS_ORDER, told(rows, 2, k)).input(&starts).input(&mixed).run(rows).remove(0);
    same("entries", &found, &entries)
}

/// Weights of which some are 0, as behind the neighbours that count.
fn weights(rows: usize, k: usize, counted: usize) -> Vec<f32> {
    (0..rows * k).map(|at| if at % k < counted { (1 + at % 5) as f32 / (rows * k) as f32 } else { 0.0 }).collect()
}

fn away(at: &[[f32; 4]], a: usize, b: usize) -> ([f64; 3], f64) {
    let away: [f64; 3] = std::array::from_fn(|axis| f64::from(at[a][axis]) - f64::from(at[b][axis]));
    (away, 1.0 + away.iter().map(|away| away * away).sum::<f64>())
}

fn gradient(rows: usize, dims: usize, k: usize, mistake: bool) -> Result<(), String> {
    let (at, forces) = (points(rows, dims, 2.0), points(rows, 4, 1.0));
    let plan = TsnePlan { z: 7.5, ..TsnePlan::default() };
    let counted = k.min(50);
    let (table, weights) = (table(rows, k), weights(rows, k, counted));
    let (starts, entries) = transposed(rows, &table);
    let told = TsneParams { counted: counted as u32, ..told(rows, dims, k) };
    let mut should = vec![0.0; 4 * rows];
    for (entry, (&other, &weight)) in table.iter().zip(&weights).enumerate() {
        let (row, other) = (entry / k, other as usize);
        let (away, square) = away(&at, row, other);
        for axis in 0..3 {
            let pull = 4.0 * f64::from(told.exaggeration) * f64::from(weight) / square * away[axis];
            should[4 * row + axis] += pull;
            should[4 * other + axis] -= pull;
        }
    }
    for row in 0..rows {
        (0..3).for_each(|axis| should[4 * row + axis] -= 4.0 * f64::from(forces[row][axis]) / 7.5);
    }
    should[0] += 0.01 * f64::from(u8::from(mistake));
    let job = Job::new(&kernels::GRADIENT, told).plan(plan).input(&at).input(&table).input(&weights).input(&starts).input(&entries);
    close("gradient", &floats(&job.input(&forces).run(rows.div_ceil(64))[0]), &should, 2e-5)
}

fn divergence(rows: usize, dims: usize, k: usize, mistake: bool) -> Result<(), String> {
    let k = k.min(rows - 1);
    if k == 0 {
        return Ok(());
    }
    let at = points(rows, dims, 2.0);
    let z = 0.3 * (rows * rows) as f32;
    let (table, weights) = (distinct(rows, k), weights(rows, k, k.min(50)));
    let mut p = vec![0.0_f64; rows * rows];
    for (entry, (&other, &weight)) in table.iter().zip(&weights).enumerate() {
        p[entry / k * rows + other as usize] += f64::from(weight);
        p[other as usize * rows + entry / k] += f64::from(weight);
    }
    let of_pair = |(pair, p): (usize, &f64)| p * (p * f64::from(z) * away(&at, pair / rows, pair % rows).1).ln();
    let should: f64 = p.iter().enumerate().filter(|(_, p)| **p > 0.0).map(of_pair).sum();
    let told = TsneParams { counted: k.min(50) as u32, ..told(rows, dims, k) };
    let job = Job::new(&kernels::DIVERGENCE, told).plan(TsnePlan { z, ..TsnePlan::default() }).input(&at).input(&table).input(&weights);
    let found: f64 = floats(&job.output(rows.div_ceil(64)).run(rows.div_ceil(64))[0]).iter().map(|sum| 2.0 * f64::from(*sum)).sum();
    close("divergence", &[found as f32], &[should * if mistake { 1.01 } else { 1.0 }], 1e-4)
}
