//! The twins of UMAP's kernels: plain loops in `f64` over the same buffers, and the CPU engine's step.

use tagscape::neighbors::NeighborTable;
use tagscape::project::umap::gpu::{Bounds, UmapParams, kernels};
use tagscape::project::umap::{Curve, FuzzySet, Step, UmapRun};

use super::dispatch::{Job, floats, floats4};
use super::tsne::{Check, close, points, same};

/// One entry for each kernel of UMAP.
pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::STEP, compare: step },
    Check { kernel: &kernels::SETTLE, compare: settle },
    Check { kernel: &kernels::BOUNDS, compare: bounds },
];

const STEP: Step = Step { iteration: 7, rate: 0.1, seed: 5, curve: Curve { a: 1.577, b: 0.895 } };

fn params(rows: usize) -> UmapParams {
    let Step { iteration, rate, seed, curve: Curve { a, b } } = STEP;
    UmapParams { rows: rows as u32, iteration, seed, rate, a, b, ..UmapParams::default() }
}

/// Rows with up to three neighbours each, some of them at equal distance.
fn fuzzy_set(rows: usize) -> FuzzySet {
    let k = 3.min(rows - 1);
    let indices = (0..rows).flat_map(|row| (1..=k).map(move |step| ((row + step * step) % rows) as u32)).collect();
    let distances = (0..rows).flat_map(|row| (1..=k).map(move |step| ((row * 7) % 5) as f32 * 0.1 + step as f32 * 0.4)).collect();
    // Of nine rows or fewer, some steps lead back to the row itself; and of millions, the loops take long.
    let table = if (10..1_000_000).contains(&rows) { NeighborTable { k, indices, distances } } else { NeighborTable::default() };
    FuzzySet::new(rows, &table)
}

fn drawn(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// One row after the other, from the formulas.
fn stepped(set: &FuzzySet, before: &[[f32; 4]]) -> Vec<[f64; 3]> {
    let (a, b, rate) = (f64::from(STEP.curve.a), f64::from(STEP.curve.b), f64::from(STEP.rate));
    let rows = before.len();
    let place = |row: usize| -> [f64; 3] { std::array::from_fn(|axis| f64::from(before[row][axis])) };
    let mut after = Vec::new();
    for row in 0..rows {
        let mut at = place(row);
        let salt = drawn(row as u32 ^ drawn(STEP.iteration ^ drawn(STEP.seed)));
        let mut draws = 0_u32;
        for (other, membership) in set.of(row) {
            let due = |steps: u32| (membership * steps as f32).floor();
            if due(STEP.iteration + 1) <= due(STEP.iteration) {
                continue;
            }
            let goal = place(other as usize);
            let away = |at: &[f64; 3], goal: &[f64; 3]| -> ([f64; 3], f64) {
                let away: [f64; 3] = std::array::from_fn(|axis| at[axis] - goal[axis]);
                (away, away.iter().map(|away| away * away).sum::<f64>().max(2.0_f64.powi(-40)))
            };
            for _ in 0..2 {
                let (away, square) = away(&at, &goal);
                let pull = -2.0 * a * b * square.powf(b - 1.0) / (1.0 + a * square.powf(b));
                (0..3).for_each(|axis| at[axis] += rate * (pull * away[axis]).clamp(-4.0, 4.0));
            }
            let from = at;
            for _ in 0..5 {
                let off = (u64::from(drawn(salt.wrapping_add(draws))) * rows as u64) >> 32;
                draws += 1;
                if off as usize == row {
                    continue;
                }
                let (away, square) = away(&from, &place(off as usize));
                let push = 2.0 * b / ((1e-3 + square) * (1.0 + a * square.powf(b)));
                (0..3).for_each(|axis| at[axis] += rate * (push * away[axis]).clamp(-4.0, 4.0));
            }
        }
        after.push(at);
    }
    after
}

/// Also with more than 65,535 workgroups.
pub fn step(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let before = points(rows, dims, 3.0);
    let set = fuzzy_set(rows);
    let (offsets, others, memberships) = set.columns().ok_or("too many edges")?;
    // A buffer has a value, if nobody reads it.
    let (others, memberships) = if set.entries() == 0 { (&[0_u32][..], &[0.0_f32][..]) } else { (others, memberships) };
    let job = Job::new(&kernels::STEP, params(rows)).input(&before).input(&offsets).input(others).input(memberships).output(4 * rows);
    let found: Vec<f32> = floats4(&job.run(rows.div_ceil(64))[0]).iter().flat_map(|at| at[..3].to_vec()).collect();
    let mut should = stepped(&set, &before);
    should[0][0] += 0.1 * f64::from(u8::from(mistake));
    // What is pushed off a row very near goes far, in a direction of which rounding decides.
    close("the shader's step", &found, should.as_flattened(), 2e-3)?;
    let flat = |at: &[f32; 4]| -> [f32; 3] { [at[0], at[1], at[2]] };
    let engine: Vec<f32> = if dims == 2 {
        let mut run = UmapRun::<2>::new(set, before.iter().map(|at| [at[0], at[1]]).collect());
        run.step(&STEP);
        run.positions().iter().flat_map(|&[x, y]| [x, y, 0.0]).collect()
    } else {
        let mut run = UmapRun::<3>::new(set, before.iter().map(flat).collect());
        run.step(&STEP);
        run.positions().as_flattened().to_vec()
    };
    close("the engine's step", &engine, should.as_flattened(), 2e-3)
}

fn bounds_of(at: &[[f32; 4]]) -> Bounds {
    let fold = |pick: fn(f32, f32) -> f32| std::array::from_fn(|axis| at.iter().map(|at| at[axis]).reduce(pick).unwrap_or_default());
    Bounds { low: fold(f32::min), high: fold(f32::max) }
}

fn settle(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 40.0);
    let groups = rows.div_ceil(256);
    let job = Job::new(&kernels::SETTLE, params(rows)).input(&at).output(rows).output(rows).output(rows).output(8 * groups);
    let found = job.run(groups);
    for (axis, column) in found[..3].iter().enumerate() {
        let should: Vec<f32> = at.iter().map(|at| at[if mistake { (axis + 1) % 3 } else { axis }]).collect();
        same("column", &floats(column), &should)?;
    }
    let told: Vec<Bounds> = bytemuck::pod_collect_to_vec(&found[3]);
    same("bounds", &told, &at.chunks(256).map(bounds_of).collect::<Vec<_>>())
}

fn bounds(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    // So many rows that there are more workgroups than the one has lanes.
    let at = points(rows, dims, 40.0);
    let partials: Vec<Bounds> =
        at.iter().map(|at| Bounds { low: at.map(|value| value - 1.0), high: at.map(|value| value + 1.0) }).collect();
    let found: Vec<Bounds> =
        bytemuck::pod_collect_to_vec(&Job::new(&kernels::BOUNDS, params(256 * rows)).input(&partials).output(8).run(1)[0]);
    let mut should = bounds_of(&at);
    should = Bounds { low: should.low.map(|value| value - 1.0), high: should.high.map(|value| value + 1.0) };
    should.high[1] += f32::from(u8::from(mistake));
    same("bounds of all", &found, &[should])
}
