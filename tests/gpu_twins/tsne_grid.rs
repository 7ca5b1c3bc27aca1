//! The twins of the kernels of t-SNE's grid. Here a check's rows are points, and the transform has 4 to 64 values along an axis.

use std::f64::consts::TAU;

use tagscape::project::tsne::gpu::kernels;
use tagscape::project::tsne::gpu::params::{FftPass, TsnePlan};
use tagscape::project::tsne::gpu::repulsion::turns;
use tagscape::seed::SplitMix64;

use super::dispatch::{Job, floats};
use super::tsne::{Check, close, params, points, same};

pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::GRID_KERNEL, compare: grid_kernel },
    Check { kernel: &kernels::FFT, compare: transforms },
    Check { kernel: &kernels::GRID_SPECTRUM, compare: spectrum },
    Check { kernel: &kernels::GRID_OWN, compare: own },
    Check { kernel: &kernels::GRID_PUT, compare: put },
    Check { kernel: &kernels::GRID_LOAD, compare: load },
    Check { kernel: &kernels::GRID_READ, compare: read },
];

fn log_size(rows: usize) -> u32 {
    2 + (rows as u32) % 5
}

fn random(len: usize) -> Vec<f32> {
    let mut seed = SplitMix64::new(len as u64);
    (0..len).map(|_| seed.next_normal()).collect()
}

/// The place with its bits turned round.
fn reversed(place: usize, log_size: u32) -> usize {
    place.reverse_bits() >> (usize::BITS - log_size)
}

/// A place's coordinates along the axes.
fn nodes_of(at: usize, dims: usize, log_size: u32) -> Vec<usize> {
    (0..dims).map(|axis| at >> (axis * log_size as usize) & ((1 << log_size) - 1)).collect()
}

fn grid_kernel(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    grid_kernel_of(log_size(rows), dims, mistake)
}

/// Also with more than 65,535 workgroups.
pub fn grid_kernel_of(log_size: u32, dims: usize, mistake: bool) -> Result<(), String> {
    let (size, values) = (1_usize << log_size, 1_usize << (dims as u32 * log_size));
    for (spacing, base) in [(0.5_f32, 0.0_f32), (4.0, 0.0), (0.01, 1.0), (1e-5, 1.0)] {
        let limit = 0.15 / (spacing * spacing);
        let plan = TsnePlan { spacing, limit, base, changed: 1, ..TsnePlan::default() };
        let job = Job::new(&kernels::GRID_KERNEL, params(1, dims, log_size)).plan(plan).output(2 * values);
        let found = floats(&job.run(values.div_ceil(256))[0]);
        let step = if values > 1 << 20 { 9973 } else { 1 };
        for at in (0..values).step_by(step).chain([values - 1]) {
            let square: f64 =
                nodes_of(at, dims, log_size).iter().map(|&node| (node.min(size - node) as f64 * f64::from(spacing)).powi(2)).sum();
            let gaussian = (-f64::from(limit) * (1.0 + square)).exp();
            let off = if mistake { 0.01 } else { 0.0 };
            // Near the start, differences of squares of 1e-10 are what counts.
            let should = if base > 0.0 { -(square + gaussian) / (1.0 + square) } else { (1.0 - gaussian) / (1.0 + square) } + off;
            let value = f64::from(found[2 * at]);
            if value.is_nan() || (value - should).abs() > 2e-5 * should.abs() + 1e-30 || found[2 * at + 1] != 0.0 {
                return Err(format!("{value} at {at} of {size}, {spacing} apart, not {should}"));
            }
        }
    }
    Ok(())
}

/// The transform of a line of complex numbers by its definition, in bit-reversed order.
fn by_definition(line: &[[f64; 2]], log_size: u32) -> Vec<[f64; 2]> {
    let size = line.len();
    let of = |frequency: usize| {
        line.iter().enumerate().fold([0.0, 0.0], |[re, im], (at, [a, b])| {
            let (sin, cos) = (-TAU * (at * frequency % size) as f64 / size as f64).sin_cos();
            [re + a * cos - b * sin, im + a * sin + b * cos]
        })
    };
    (0..size).map(|place| of(reversed(place, log_size))).collect()
}

fn transforms(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    transforms_of(log_size(rows), dims, mistake)
}

/// Every axis and mode, all of the cube and a corner of it.
pub fn transforms_of(log_size: u32, dims: usize, mistake: bool) -> Result<(), String> {
    let (size, values) = (1_usize << log_size, 1_usize << (dims as u32 * log_size));
    let field = random(2 * values);
    let kernel: Vec<f32> = random(values + 1).split_off(1);
    let told = params(1, dims, log_size);
    let corner = size / 2;
    for axis in 0..dims {
        for (mode, whole) in [(0, 1), (0, 0), (1, 0), (2, 0)] {
            let nodes = if whole == 1 { size } else { corner };
            let plan = TsnePlan { nodes: corner as u32, changed: 1, ..TsnePlan::default() };
            let pass = FftPass { axis: axis as u32, mode, whole, unused: 0 };
            let job = Job::new(&kernels::FFT, told).plan(plan).pass(pass).input(&turns(size)).input(&kernel).input(&field);
            let found = floats(&job.run((values / 2048).max(1))[0]);
            let stride = size.pow(axis as u32);
            // Large cubes: some lines by their definition are enough.
            let firsts = (0..values).filter(|at| at / stride % size == 0).enumerate();
            for (_, first) in firsts.filter(|(number, _)| size < 512 || number % 701 == 3) {
                let place = nodes_of(first, dims, log_size);
                // Axes before this one are transformed already where it goes forward, and those behind it still to come.
                let is_wanted = whole == 1 || (axis + 1..dims).all(|later| place[later] < nodes) && (axis > 0 || place[0] < nodes);
                if !is_wanted {
                    continue;
                }
                let at = |step: usize| 2 * (first + step * stride);
                let line: Vec<[f64; 2]> = (0..size)
                    .map(|step| {
                        let is_there = step < nodes || mode == 1;
                        if is_there { [f64::from(field[at(step)]), f64::from(field[at(step) + 1])] } else { [0.0, 0.0] }
                    })
                    .collect();
                let mut should = match mode {
                    0 => by_definition(&line, log_size),
                    1 => inverse(&line, log_size),
                    _ => {
                        let weigh = |(step, [re, im]): (usize, [f64; 2])| {
                            let weight = f64::from(kernel[first + step * stride]);
                            [re * weight, im * weight]
                        };
                        let there: Vec<_> = by_definition(&line, log_size).into_iter().enumerate().map(weigh).collect();
                        inverse(&there, log_size)
                    }
                };
                should[0][0] += if mistake { 0.1 * size as f64 } else { 0.0 };
                for (step, should) in should.iter().enumerate().filter(|(step, _)| *step < nodes || mode == 0) {
                    let is = [found[at(step)], found[at(step) + 1]];
                    let what = format!("axis {axis}, mode {mode}, whole {whole}, size {size}, line {first}, place {step}");
                    let room = 1e-5 * size as f64;
                    close(&what, &is, should, room)?;
                }
            }
        }
    }
    Ok(())
}

/// The inverse, times the size, of values in bit-reversed order.
fn inverse(line: &[[f64; 2]], log_size: u32) -> Vec<[f64; 2]> {
    let size = line.len();
    let ordered: Vec<[f64; 2]> = (0..size).map(|frequency| line[reversed(frequency, log_size)]).map(|[re, im]| [re, -im]).collect();
    let there = by_definition(&ordered, log_size);
    (0..size).map(|place| there[reversed(place, log_size)]).map(|[re, im]| [re, -im]).collect()
}

fn spectrum(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let log_size = log_size(rows);
    let (size, values) = (1_usize << log_size, 1_usize << (dims as u32 * log_size));
    let field = random(2 * values);
    let job = Job::new(&kernels::GRID_SPECTRUM, params(rows, dims, log_size)).input(&turns(size)).input(&field).output(values);
    let found = floats(&job.run(values.div_ceil(256))[0]);
    let angle = |place: usize| TAU * reversed(place, log_size) as f64 / size as f64;
    let symbol = |at: usize| -> f64 {
        nodes_of(at, dims, log_size).iter().map(|&place| (2.0 + angle(place).cos()) / if mistake { 3.1 } else { 3.0 }).product()
    };
    let scaled: Vec<f32> = found.iter().map(|value| value * values as f32).collect();
    let should: Vec<f64> = (0..values).map(|at| f64::from(field[2 * at]) / symbol(at).powi(2)).collect();
    close("spectrum", &scaled, &should, 1e-4)
}

fn own(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let log_size = 4 + (rows as u32) % 3;
    let (size, values) = (1_usize << log_size, 1_usize << (dims as u32 * log_size));
    let kernel = random(values);
    let job = Job::new(&kernels::GRID_OWN, params(rows, dims, log_size)).input(&turns(size)).input(&kernel).output(256);
    let found: f32 = floats(&job.run(256)[0]).iter().sum();
    let angle = |place: usize| TAU * reversed(place, log_size) as f64 / size as f64;
    let of = |angle: f64| (2416.0 + 2382.0 * angle.cos() + 240.0 * (2.0 * angle).cos() + 2.0 * (3.0 * angle).cos()) / 5040.0;
    let weight = |at: usize| -> f64 { nodes_of(at, dims, log_size).iter().map(|&place| of(angle(place))).product() };
    let should: f64 = (0..values).map(|at| f64::from(kernel[at]) * weight(at)).sum::<f64>() + f64::from(u8::from(mistake));
    close("own share", &[found], &[should], 1e-4)
}

/// A plan whose nodes hold points of deviation 1.
fn around(at: &[[f32; 4]], dims: usize) -> TsnePlan {
    let lowest: [f32; 4] = std::array::from_fn(|axis| at.iter().map(|at| at[axis]).fold(f32::INFINITY, f32::min));
    let highest: [f32; 4] = std::array::from_fn(|axis| at.iter().map(|at| at[axis]).fold(f32::NEG_INFINITY, f32::max));
    let range = (0..dims).map(|axis| highest[axis] - lowest[axis]).fold(0.0, f32::max);
    TsnePlan { origin: lowest, spacing: 0.3, nodes: ((range / 0.3) as u32 + 4).min(32), ..TsnePlan::default() }
}

/// A point's weights on the nodes, and their slopes along an axis (3: none), in f64.
fn weights(at: &[f32; 4], plan: &TsnePlan, dims: usize, sloped: usize) -> Vec<([usize; 3], f64)> {
    let mut found = vec![([0; 3], 1.0)];
    for axis in 0..dims {
        let along = f64::from((at[axis] - plan.origin[axis]) / plan.spacing);
        let first = (along as usize).min(plan.nodes as usize - 4);
        let t = along - first as f64;
        let s = 1.0 - t;
        let four = if axis == sloped {
            [-0.5 * s * s, (1.5 * t - 2.0) * t, (2.0 - 1.5 * s) * s, 0.5 * t * t]
        } else {
            [s * s * s, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * s - 6.0) * s * s + 4.0, t * t * t].map(|weight| weight / 6.0)
        };
        found = found
            .into_iter()
            .flat_map(|(mut place, weight)| {
                four.iter().enumerate().map(move |(step, factor)| {
                    place[axis] = first + step;
                    (place, weight * factor)
                })
            })
            .collect();
    }
    found
}

fn put(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.0);
    let plan = around(&at, dims);
    let nodes = plan.nodes as usize;
    let mut should = vec![0.0; nodes.pow(dims as u32)];
    for at in &at {
        for (place, weight) in weights(at, &plan, dims, 3) {
            should[(place[2] * nodes + place[1]) * nodes + place[0]] += weight;
        }
    }
    should[0] += 0.01 * f64::from(u8::from(mistake));
    let job = Job::new(&kernels::GRID_PUT, params(rows, dims, 6)).plan(plan).input(&at).input(&vec![0_u32; 2 * should.len()]);
    let found = job.run(rows.div_ceil(64)).remove(0);
    let values: Vec<f32> =
        found.chunks_exact(2).map(|pair| ((f64::from(pair[0]) + f64::from(pair[1]) * 2_f64.powi(32)) / 2_f64.powi(24)) as f32).collect();
    // The place within a cell is in f32.
    close("density", &values, &should, 1e-4)
}

fn load(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let log_size = log_size(rows) + 2;
    let (size, nodes) = (1_usize << log_size, 5 + rows % 4);
    let density: Vec<[u32; 2]> = (0..nodes.pow(dims as u32)).map(|at| [(at as u32).wrapping_mul(2_654_435_761), at as u32 % 7]).collect();
    let plan = TsnePlan { nodes: nodes as u32, ..TsnePlan::default() };
    let job = Job::new(&kernels::GRID_LOAD, params(rows, dims, log_size)).plan(plan).input(&density).output(2 << (dims as u32 * log_size));
    let found = floats(&job.run((1_usize << (dims as u32 * (log_size - 1))).div_ceil(256))[0]);
    for (at, [low, high]) in density.iter().enumerate() {
        let into = (at / nodes / nodes * size + at / nodes % nodes) * size + at % nodes;
        let should = f64::from(*low) / 2_f64.powi(24) + f64::from(*high) * 256.0 + f64::from(u8::from(mistake));
        close("value", &found[2 * into..2 * into + 2], &[should, 0.0], 1e-6)?;
    }
    // Nothing is written beside the corner.
    let written = found.chunks_exact(2).filter(|value| !value[0].is_nan()).count();
    same("values written", &[written], &[density.len()])
}

fn read(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let at = points(rows, dims, 1.0);
    let plan = around(&at, dims);
    let field = random(2 << (dims * 6));
    let mut should = vec![0.0; 4 * rows];
    for (row, at) in at.iter().enumerate() {
        for sloped in (0..dims).chain([3]) {
            let sum: f64 = weights(at, &plan, dims, sloped)
                .into_iter()
                .map(|(place, weight)| weight * f64::from(field[2 * ((place[2] * 64 + place[1]) * 64 + place[0])]))
                .sum();
            should[4 * row + sloped] = if sloped == 3 { sum } else { -0.5 * sum / 0.3 };
        }
    }
    should[0] += 0.1 * f64::from(u8::from(mistake));
    let job = Job::new(&kernels::GRID_READ, params(rows, dims, 6)).plan(plan).input(&at).input(&field).output(4 * rows);
    close("forces", &floats(&job.run(rows.div_ceil(64))[0]), &should, 1e-4)
}
