//! The twins of t-SNE's kernels: plain loops in `f64` over the same buffers. What is counted must be the same to the last; the rest to rounding.

use tagscape::gpu::Kernel;
use tagscape::project::tsne::gpu::kernels;
use tagscape::project::tsne::gpu::params::{TsneParams, TsnePartial, TsnePlan};
use tagscape::project::tsne::gpu::partials;
use tagscape::project::tsne::split::{FINE_SPACING, Split};
use tagscape::seed::SplitMix64;

use super::dispatch::{Job, floats, floats4};

/// A kernel, and how to compare it at so many rows; with `mistake`, the expected values have one in them, and it must be found.
pub struct Check {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// How.
    pub compare: fn(rows: usize, dims: usize, mistake: bool) -> Result<(), String>,
}

/// One entry for each kernel that goes over points. Those of the grid are in `tsne_grid`.
pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::REPULSION, compare: repulsion },
    Check { kernel: &kernels::PLANNING, compare: planning },
    Check { kernel: &kernels::CELLS_COUNT, compare: cells_count },
    Check { kernel: &kernels::CELLS_SCAN, compare: cells_scan },
    Check { kernel: &kernels::CELLS_SCATTER, compare: cells_scatter },
    Check { kernel: &kernels::CELLS_ORDER, compare: cells_order },
    Check { kernel: &kernels::NEAR, compare: near },
    Check { kernel: &kernels::SUM, compare: sum },
    Check { kernel: &kernels::TOTAL, compare: total },
    Check { kernel: &kernels::MOVE, compare: motion },
    Check { kernel: &kernels::CENTRE, compare: centre },
];

/// Rows around every block border.
pub const ROWS: &[usize] = &[1, 2, 63, 64, 65, 255, 256, 257, 700];

pub fn points(rows: usize, dims: usize, width: f32) -> Vec<[f32; 4]> {
    let mut seed = SplitMix64::new((rows * 5 + dims) as u64);
    (0..rows).map(|_| std::array::from_fn(|axis| if axis < dims { width * seed.next_normal() } else { 0.0 })).collect()
}

pub fn params(rows: usize, dims: usize, log_size: u32) -> TsneParams {
    let (rows, dims) = (rows as u32, dims as u32);
    TsneParams { rows, dims, log_size, most_cells: 40, exaggeration: 3.0, momentum: 0.7, rate: 50.0, ..TsneParams::default() }
}

/// Cells of 0.5 about points of deviation 1.5, with a reach of two cells.
fn celled(at: &[[f32; 4]]) -> TsnePlan {
    let bound = |pick: fn(f32, f32) -> f32| -> [f32; 4] {
        std::array::from_fn(|axis| at.iter().map(|at| at[axis]).reduce(pick).unwrap_or_default())
    };
    let (low, high) = (bound(f32::min), bound(f32::max));
    let cells = |axis: usize| ((high[axis] - low[axis]) * 2.0) as u32 + 1;
    let plan = TsnePlan { origin: low, reach: 1.0, limit: 6.5, per_unit: 2.0, z: 7.5, ..TsnePlan::default() };
    TsnePlan { cells_x: cells(0), cells_y: cells(1), cells_z: cells(2), ..plan }
}

fn home(plan: &TsnePlan, at: &[f32; 4]) -> u32 {
    let counts = [plan.cells_x, plan.cells_y, plan.cells_z];
    let cell: [u32; 3] = std::array::from_fn(|axis| (((at[axis] - plan.origin[axis]) * plan.per_unit) as u32).min(counts[axis] - 1));
    (cell[2] * counts[1] + cell[1]) * counts[0] + cell[0]
}

/// Homes, starts, and rows in order of their cells.
fn sorted(plan: &TsnePlan, at: &[[f32; 4]]) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let homes: Vec<u32> = at.iter().map(|at| home(plan, at)).collect();
    let cells = plan.cells_x * plan.cells_y * plan.cells_z;
    let starts = (0..=cells).map(|cell| homes.iter().filter(|&&home| home < cell).count() as u32).collect();
    let mut order: Vec<u32> = (0..at.len() as u32).collect();
    order.sort_by_key(|&row| homes[row as usize]);
    (homes, starts, order)
}

/// Near to within `tolerance` of each value's size, or of 1.
pub fn close(what: &str, found: &[f32], should: &[f64], tolerance: f64) -> Result<(), String> {
    if found.len() != should.len() {
        return Err(format!("{what}: {} values, not {}", found.len(), should.len()));
    }
    let off = |at: &usize| {
        let (found, should) = (f64::from(found[*at]), should[*at]);
        found.is_nan() || (found - should).abs() > tolerance * (1.0 + should.abs())
    };
    (0..found.len()).find(off).map_or(Ok(()), |at| Err(format!("{what}: {} at {at}, not {}", found[at], should[at])))
}

pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &[T], should: &[T]) -> Result<(), String> {
    let at = (0..found.len().max(should.len())).find(|&at| found.get(at) != should.get(at));
    at.map_or(Ok(()), |at| Err(format!("{what}: {:?} at {at}, not {:?}", found.get(at), should.get(at))))
}

/// The sum over pairs of a weight times the way, and of a share.
fn over_pairs(at: &[[f32; 4]], of_square: impl Fn(f64) -> Option<(f64, f64)>) -> Vec<f64> {
    let mut forces = vec![0.0; 4 * at.len()];
    for (row, force) in forces.chunks_exact_mut(4).enumerate() {
        for other in (0..at.len()).filter(|&other| other != row) {
            let away: [f64; 3] = std::array::from_fn(|axis| f64::from(at[row][axis]) - f64::from(at[other][axis]));
            if let Some((push, share)) = of_square(away.iter().map(|away| away * away).sum()) {
                (0..3).for_each(|axis| force[axis] += push * away[axis]);
                force[3] += share;
            }
        }
    }
    forces
}

fn repulsion(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 5.0);
    let mut should = over_pairs(&at, |square| Some(((1.0 + square).powi(-2), 1.0 / (1.0 + square))));
    should[3] += f64::from(u8::from(mistake));
    let found = Job::new(&kernels::REPULSION, params(rows, dims, 1)).input(&at).output(4 * rows).run(rows.div_ceil(256));
    close("forces", &floats(&found[0]), &should, 2e-5)
}

fn near(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.5);
    let plan = celled(&at);
    let limit = f64::from(plan.limit) * if mistake { 0.9 } else { 1.0 };
    let should = over_pairs(&at, |square| {
        let (inverse, gaussian) = (1.0 / (1.0 + square), (-limit * (1.0 + square)).exp());
        // At the reach's border rounding may let a pair in or out; its force is 5e-3 of the unit below.
        (square < 1.0).then_some((inverse * gaussian * (limit + inverse), inverse * gaussian))
    });
    let (_, starts, order) = sorted(&plan, &at);
    let points: Vec<[u32; 4]> = order
        .iter()
        .map(|&row| [at[row as usize][0].to_bits(), at[row as usize][1].to_bits(), at[row as usize][2].to_bits(), row])
        .collect();
    let job = Job::new(&kernels::NEAR, params(rows, dims, 1)).plan(plan).input(&starts).input(&points).input(&vec![0.0_f32; 4 * rows]);
    let found = floats(&job.run(rows.div_ceil(64))[0]);
    // All of them are small: in units of exp(-T).
    let unit = 6.5_f64.exp();
    let scaled: Vec<f32> = found.iter().map(|value| (f64::from(*value) * unit) as f32).collect();
    close("near forces", &scaled, &should.iter().map(|value| value * unit).collect::<Vec<_>>(), 1e-2)
}

fn planning(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    for width in [1e-6_f32, 1e-3, 0.5, 20.0, 3000.0] {
        let at = points(rows, dims, width);
        let told = params(rows, dims, 8);
        let job = |kept: TsnePlan| Job::new(&kernels::PLANNING, told).input(&partials(&at)).input(&[kept]).run(1).remove(0);
        let first: TsnePlan = bytemuck::pod_read_unaligned(bytemuck::cast_slice(&job(TsnePlan::default())));
        let again: TsnePlan = bytemuck::pod_read_unaligned(bytemuck::cast_slice(&job(first)));
        same("a plan that is kept", &[TsnePlan { changed: 1, ..again }], &[first])?;
        same("changed", &[first.changed, again.changed], &[1, 0])?;
        let mean: Vec<f64> = (0..4).map(|axis| at.iter().map(|at| f64::from(at[axis])).sum::<f64>() / rows as f64).collect();
        let scaled = |values: &[f32]| -> Vec<f32> { values.iter().map(|value| value / width).collect() };
        close("mean", &scaled(&first.mean), &mean.iter().map(|mean| mean / f64::from(width)).collect::<Vec<_>>(), 1e-5)?;
        let of = |axis: usize, pick: fn(f32, f32) -> f32| at.iter().map(|at| at[axis] - first.mean[axis]).reduce(pick).unwrap_or(0.0);
        let lows: Vec<f32> = (0..4).map(|axis| of(axis, f32::min)).collect();
        same("origin", &first.origin, &lows)?;
        let highs: Vec<f32> = (0..4).map(|axis| of(axis, f32::max)).collect();
        same("highest corner", &first.high, &highs)?;
        let range = (0..3).map(|axis| of(axis, f32::max) - of(axis, f32::min)).fold(0.0, f32::max);
        let cells = range / first.spacing;
        let most = if mistake { 16.0 } else { 128.0 };
        let is_wide = cells + 4.0 > most / 1.1 - 1.0;
        let is_narrow = cells >= 15.9 || first.spacing < 1e-6;
        if cells + 4.0 > most * 1.001 || first.nodes > 128 || (first.spacing > 0.121 && !is_wide) || (first.spacing < 0.06 && !is_narrow) {
            return Err(format!("{} nodes at {} for a range of {range}", first.nodes, first.spacing));
        }
        let split = Split::new(first.spacing);
        close("T", &[first.limit], &[split.limit()], 1e-4)?;
        close("reach", &[first.reach], &[f64::from(split.reach())], 1e-4)?;
        same("base", &[first.base], &[if first.spacing < FINE_SPACING { 1.0 } else { 0.0 }])?;
        // Without a grid there is nothing to plan but the mean and the bounds.
        let bare = Job::new(&kernels::PLANNING, params(rows, dims, 0)).input(&partials(&at)).input(&[TsnePlan::default()]).run(1);
        let bare: TsnePlan = bytemuck::pod_read_unaligned(bytemuck::cast_slice(&bare[0]));
        same(
            "a plan without a grid",
            &[bare],
            &[TsnePlan { mean: first.mean, origin: first.origin, high: first.high, ..TsnePlan::default() }],
        )?;
    }
    Ok(())
}

fn cells_count(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.5);
    let plan = celled(&at);
    let (mut homes, starts, _) = sorted(&plan, &at);
    let counts: Vec<u32> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let job = Job::new(&kernels::CELLS_COUNT, params(rows, dims, 1)).plan(plan).input(&at).output(rows).input(&vec![0_u32; counts.len()]);
    let found = job.run(rows.div_ceil(64));
    homes[0] += u32::from(mistake);
    same("homes", &found[0], &homes)?;
    same("counts", &found[1], &counts)
}

fn cells_scan(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.5);
    let plan = celled(&at);
    let (_, mut starts, _) = sorted(&plan, &at);
    let counts: Vec<u32> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let found = Job::new(&kernels::CELLS_SCAN, params(rows, dims, 1)).plan(plan).input(&counts).output(starts.len()).run(1);
    same("next places", &found[0], &starts[..counts.len()])?;
    starts[0] += u32::from(mistake);
    same("starts", &found[1], &starts)
}

fn cells_scatter(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.5);
    let plan = celled(&at);
    let (homes, starts, mut order) = sorted(&plan, &at);
    let next = &starts[..starts.len() - 1];
    let job = Job::new(&kernels::CELLS_SCATTER, params(rows, dims, 1)).plan(plan).input(&homes).input(next).output(rows);
    let mut found = job.run(rows.div_ceil(64));
    same("ends", &found[0], &starts[1..])?;
    // In a cell they may come in any order.
    for pair in starts.windows(2) {
        found[1][pair[0] as usize..pair[1] as usize].sort_unstable();
    }
    order[0] += u32::from(mistake);
    same("rows", &found[1], &order)
}

fn cells_order(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.5);
    let plan = celled(&at);
    let (homes, starts, mut order) = sorted(&plan, &at);
    let mut unordered = order.clone();
    for pair in starts.windows(2) {
        unordered[pair[0] as usize..pair[1] as usize].reverse();
    }
    let job = Job::new(&kernels::CELLS_ORDER, params(rows, dims, 1)).plan(plan).input(&at).input(&homes).input(&starts).input(&unordered);
    let found = job.output(4 * rows).run(rows.div_ceil(64)).remove(0);
    let numbers: Vec<u32> = found.chunks_exact(4).map(|point| point[3]).collect();
    for point in found.chunks_exact(4) {
        let row = &at[point[3] as usize];
        same("position", &floats(&point[..3]), &row[..3])?;
    }
    order[0] += u32::from(mistake);
    same("order", &numbers, &order)
}

fn sum(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let forces = points(rows, 4, 3.0);
    let mut should: Vec<f64> = forces.chunks(256).map(|rows| rows.iter().map(|force| f64::from(force[3])).sum()).collect();
    should[0] += 0.1 * f64::from(u8::from(mistake));
    let job = Job::new(&kernels::SUM, params(rows, dims, 1)).input(&forces).output(should.len());
    close("sums", &floats(&job.run(should.len())[0]), &should, 1e-4)
}

fn total(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let sums: Vec<f32> = (0..rows.div_ceil(256)).map(|at| 100.0 + at as f32).collect();
    let own: Vec<f32> = (0..256).map(|at| at as f32 / 32_640.0).collect();
    for base in [0.0, 1.0] {
        let plan = TsnePlan { base, ..TsnePlan::default() };
        let job = Job::new(&kernels::TOTAL, params(rows, dims, 1)).input(&sums).input(&own).input(&[plan]);
        let found: TsnePlan = bytemuck::pod_read_unaligned(bytemuck::cast_slice(&job.run(1)[0]));
        let pairs = rows as f64 * ((rows as f64 - 1.0) * f64::from(base) - 1.0);
        let should = sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() + pairs;
        let should = should.max(1e-30) + if mistake { 1000.0 } else { 0.0 };
        close("Z and own share", &[found.z, found.own], &[should, 1.0], 1e-5)?;
    }
    Ok(())
}

fn motion(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let told = params(rows, dims, 1);
    let slopes = points(rows, dims, 0.05);
    let at = points(rows + 1, dims, 2.0).split_off(1);
    let speeds = points(rows + 2, dims, 1.0).split_off(2);
    let gains: Vec<[f32; 4]> = points(rows, 4, 1.0).iter().map(|gain| gain.map(|value| value.abs().max(0.01))).collect();
    let job = Job::new(&kernels::MOVE, told).input(&slopes).input(&at).input(&speeds).input(&gains).output(12 * rows.div_ceil(64));
    let found = job.run(rows.div_ceil(64));
    let (mut moved, mut rushed, mut gained) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let mut speed = [0.0; 3];
        for axis in 0..3 {
            let (slope, before) = (f64::from(slopes[row][axis]), f64::from(speeds[row][axis]));
            let gain = f64::from(gains[row][axis]);
            let gain = if (slope > 0.0) == (before > 0.0) { (0.8 * gain).max(0.01) } else { gain + 0.2 };
            gained.push(gain);
            speed[axis] = f64::from(told.momentum) * before - f64::from(told.rate) * gain * slope;
        }
        let length = speed.iter().map(|speed| speed * speed).sum::<f64>().sqrt();
        let shorten = if length > 5.0 && !mistake { 5.0 / length } else { 1.0 };
        for axis in 0..3 {
            rushed.push(speed[axis] * shorten);
            moved.push(f64::from(at[row][axis]) + speed[axis] * shorten);
        }
    }
    let first_three = |bits: &[u32]| -> Vec<f32> { floats(bits).chunks_exact(4).flat_map(|four| four[..3].to_vec()).collect() };
    close("positions", &first_three(&found[0]), &moved, 1e-4)?;
    close("speeds", &first_three(&found[1]), &rushed, 1e-4)?;
    close("gains", &first_three(&found[2]), &gained, 1e-5)?;
    let reached = partials(&floats4(&found[0]));
    let told: Vec<TsnePartial> = bytemuck::pod_collect_to_vec(&found[3]);
    for (found, should) in told.iter().zip(&reached) {
        same("bounds", &[found.low, found.high], &[should.low, should.high])?;
        close("sum", &found.sum, &should.sum.map(f64::from), 1e-4)?;
    }
    if mistake { Err("no step was too long".to_owned()) } else { Ok(()) }
}

/// Also with more than 65,535 workgroups.
pub fn centre(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 2.0);
    let mean = [0.5, -0.25, 1.0, 0.0];
    let plan = TsnePlan { mean, ..TsnePlan::default() };
    let job = Job::new(&kernels::CENTRE, params(rows, dims, 1)).plan(plan).input(&at).output(rows).output(rows).output(rows);
    let found = job.run(rows.div_ceil(64));
    let should: Vec<[f32; 4]> = at.iter().map(|at| std::array::from_fn(|axis| at[axis] - mean[axis])).collect();
    same("positions", &floats4(&found[0]), &should)?;
    for (axis, column) in found[1..].iter().enumerate() {
        let should: Vec<f32> = should.iter().map(|at| at[if mistake { (axis + 1) % 3 } else { axis }]).collect();
        same("column", &floats(column), &should)?;
    }
    Ok(())
}
