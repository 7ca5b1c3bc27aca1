//! The splat's kernels beside plain loops in f64 and the CPU engine.

use tagscape::gpu::{BindingKind, Kernel, StorageBuffer};
use tagscape::render::gpu_data::{FrameUniform, NO_TRACK};
use tagscape::render::splat::cpu::{CpuSplat, SplatRows};
use tagscape::render::splat::kernels::{self, CELLS_EACH, WORKGROUP};
use tagscape::render::splat::params::{OUTSIDE_CELLS, RUN, SplatKind, SplatParams, SplatPlan, UNIT};
use tagscape::render::splat::smooth::Smoother;
use tagscape::render::splat::tone::{self, BUCKETS, Histogram};
use tagscape::scene::{AxisScale, Dimensions, HeatMap, Scene, Theme};
use tagscape::seed::SplitMix64;

use super::tsne::Check;
use crate::common::gpu::gpu;

/// One entry for each kernel of the splat.
pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::COUNT, compare: count },
    Check { kernel: &kernels::COLOR, compare: color },
    Check { kernel: &kernels::SMOOTH_ROWS, compare: smooth_rows },
    Check { kernel: &kernels::SMOOTH_COLUMNS, compare: smooth_columns },
    Check { kernel: &kernels::HISTOGRAM, compare: histogram },
    Check { kernel: &kernels::CURVE, compare: curve },
    Check { kernel: &kernels::TOTAL, compare: total },
];

const SIZE: [u32; 2] = [37, 29];
const PIXELS: usize = 37 * 29;

/// Runs a kernel: uniforms by binding, then what the buffers of group 1 hold. Returns what it may write.
fn run(kernel: &'static Kernel, uniforms: [&[u8]; 2], data: &[Vec<u32>], workgroups: usize) -> Vec<Vec<u32>> {
    let context = gpu();
    let told = uniforms.map(|bytes| {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: Some("told"), size: bytes.len().max(16) as u64, usage, mapped_at_creation: false };
        let buffer = context.device.create_buffer(&descriptor);
        context.queue.write_buffer(&buffer, 0, bytes);
        buffer
    });
    let data: Vec<_> = data.iter().map(|values| StorageBuffer::from_values(context, "data", values).unwrap()).collect();
    let mut next = data.iter();
    let (mut buffers, mut written) = (Vec::new(), Vec::new());
    for binding in kernel.bindings {
        if binding.kind == BindingKind::Uniform {
            buffers.push(&told[binding.binding as usize]);
            continue;
        }
        let buffer = next.next().unwrap();
        if binding.kind == BindingKind::Output {
            written.push(buffer);
        }
        buffers.push(buffer.buffer());
    }
    assert!(next.next().is_none(), "{} takes fewer buffers", kernel.shader.name);
    let bound = kernel.pipeline(context).unwrap().bind(context, &buffers).unwrap();
    let mut encoder = context.device.create_command_encoder(&Default::default());
    bound.dispatch(&mut encoder.begin_compute_pass(&Default::default()), workgroups as u32);
    context.queue.submit([encoder.finish()]);
    written.into_iter().map(|buffer| buffer.read(context).unwrap()).collect()
}

fn bits(values: impl Iterator<Item = f32>) -> Vec<u32> {
    values.map(f32::to_bits).collect()
}

/// Rows to splat, with how they are seen.
struct Scattered {
    positions: Vec<[f32; 3]>,
    colors: Vec<u32>,
    tracks: Vec<u32>,
    dimensions: Dimensions,
    frame: FrameUniform,
}

impl Scattered {
    /// Some rows are outside, behind the eye, or no numbers; none is so near to a pixel's border that rounding decides.
    fn new(rows: usize, dims: usize) -> Self {
        let mut seed = SplitMix64::new((rows * 7 + dims) as u64);
        let dimensions = if dims == 3 { Dimensions::Three } else { Dimensions::Two };
        let corners = [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]];
        let mut scene = Scene::new(corners.into(), [].into(), vec![], AxisScale::Uniform, dimensions, 37.0 / 29.0);
        scene.camera.half_height *= 0.6;
        let clip = scene.clip_from_layout(37.0 / 29.0).to_cols_array_2d();
        let frame = FrameUniform {
            clip_from_layout: clip,
            background: [0.1, 0.2, 0.3],
            fitted_w: if dims == 3 { scene.camera.distance() } else { 1.0 },
            viewport: SIZE.map(|edge| edge as f32),
            point_radius: 1.0,
            point_opacity: 0.5,
            line_width: 1.0,
            line_opacity: 0.5,
            focus_track: if rows % 2 == 1 { 1 } else { NO_TRACK },
            row_count: rows as u32,
        };
        let mut made = Self { positions: Vec::new(), colors: Vec::new(), tracks: Vec::new(), dimensions, frame };
        while made.positions.len() < rows {
            let z = if dims == 3 { seed.next_normal() } else { 0.0 };
            let mut position = [0.8 * seed.next_normal(), 0.8 * seed.next_normal(), z];
            match made.positions.len() % 50 {
                7 => position[0] = f32::NAN,
                11 => position[1] = f32::INFINITY,
                13 => position = [0.0, 0.0, if dims == 3 { 40.0 } else { 0.0 }],
                _ => {}
            }
            if made.is_clear(position) {
                made.positions.push(position);
                made.colors.push(seed.next_u64() as u32 | 0xff00_0000);
                made.tracks.push(seed.next_below(3) as u32);
            }
        }
        made
    }

    fn clip(&self, position: [f32; 3]) -> [f64; 4] {
        let columns = self.frame.clip_from_layout;
        let [x, y, z] = position.map(f64::from);
        std::array::from_fn(|row| {
            let of = |column: usize| f64::from(columns[column][row]);
            of(0) * x + of(1) * y + of(2) * z + of(3)
        })
    }

    fn pixel(&self, position: [f32; 3]) -> [f64; 2] {
        let [x, y, _, w] = self.clip(position);
        [(x / w * 0.5 + 0.5) * f64::from(SIZE[0]), (y / w * -0.5 + 0.5) * f64::from(SIZE[1])]
    }

    /// A pixel's border is one of a larger cell's as well.
    fn is_clear(&self, position: [f32; 3]) -> bool {
        let clear = |at: f64| !at.is_finite() || (at - at.round()).abs() > 1e-3;
        self.pixel(position).into_iter().all(clear)
    }

    fn cell(&self, row: usize, params: &SplatParams) -> usize {
        let position = self.positions[row];
        let [_, _, z, w] = self.clip(position);
        let [x, y] = self.pixel(position).map(|at| at / f64::from(params.cell) + f64::from(params.margin));
        let is_inside = (0.0..f64::from(params.width)).contains(&x) && (0.0..f64::from(params.height())).contains(&y);
        let is_seen = w > 1e-5 && z >= 0.0 && z <= w && is_inside;
        if is_seen { y as usize * params.width as usize + x as usize } else { params.cells as usize + row % OUTSIDE_CELLS }
    }

    /// A row's colour, 0 to 255.
    fn ink(&self, row: usize) -> [f64; 3] {
        let [r, g, b, _] = self.colors[row].to_le_bytes().map(|channel| f64::from(channel) / 255.0);
        let mix = |a: f64, b: f64, amount: f64| a + (b - a) * amount;
        let ground = self.frame.background.map(f64::from);
        let mut color = [r, g, b];
        if self.frame.focus_track != NO_TRACK && self.tracks[row] != self.frame.focus_track {
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            color = std::array::from_fn(|at| mix(mix(color[at], grey, 0.7), ground[at], 0.55));
        }
        let depth = ((self.clip(self.positions[row])[3] / f64::from(self.frame.fitted_w) - 1.0) / 0.6).clamp(0.0, 1.0);
        std::array::from_fn(|at| mix(color[at], ground[at], depth * 0.55) * 255.0)
    }

    fn plan(&self, kind: SplatKind) -> SplatPlan {
        SplatPlan::new(SIZE, self.positions.len(), kind)
    }

    fn columns(&self) -> Vec<Vec<u32>> {
        let axis = |axis: usize| bits(self.positions.iter().map(|position| position[axis]));
        vec![axis(0), axis(1), axis(2), self.colors.clone(), self.tracks.clone()]
    }

    fn on_gpu(&self, kernel: &'static Kernel, params: SplatParams, outputs: &[usize]) -> Vec<Vec<u32>> {
        let mut data = self.columns();
        data.extend(outputs.iter().map(|&len| vec![0; len]));
        let workgroups = (params.runs(self.positions.len()) * RUN).div_ceil(WORKGROUP);
        run(kernel, [bytemuck::bytes_of(&self.frame), bytemuck::bytes_of(&params)], &data, workgroups)
    }

    fn on_cpu(&self, plan: &SplatPlan, kind: SplatKind) -> CpuSplat {
        let rows = SplatRows { positions: &self.positions, colors: &self.colors, tracks: &self.tracks };
        let mut cpu = CpuSplat::default();
        cpu.draw(&self.frame, plan, kind, self.dimensions, rows, &HeatMap::of(Theme::Dark));
        cpu
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &[T], expected: &[T]) -> Result<(), String> {
    match found.iter().zip(expected).position(|(a, b)| a != b) {
        _ if found.len() != expected.len() => Err(format!("{what}: {} values, not {}", found.len(), expected.len())),
        Some(at) => Err(format!("{what}: {:?} at {at}, not {:?}", found[at], expected[at])),
        None => Ok(()),
    }
}

/// Counts of all rows, of parts of them, and in cells of several pixels, from both engines.
fn count(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let scattered = Scattered::new(rows, dims);
    let smooth = |pixels: f32| SplatPlan::smooth(SIZE, rows, pixels);
    for (mut plan, stride, phase) in
        [(smooth(0.0), 1, 0), (smooth(0.0), 3, 0), (smooth(0.0), 3, 2), (smooth(2.0), 1, 0), (smooth(9.5), 1, 0)]
    {
        plan.params = SplatParams { stride, phase, ..plan.params };
        let params = plan.params;
        let cells = params.cells as usize;
        let mut expected = vec![0; cells + OUTSIDE_CELLS];
        let is_in = |row: &usize| (row / RUN) as u32 % stride == phase;
        (0..rows).filter(is_in).for_each(|row| expected[scattered.cell(row, &params)] += 1);
        expected[5] += u32::from(mistake);
        let found = scattered.on_gpu(&kernels::COUNT, params, &[cells + OUTSIDE_CELLS]);
        same("counts", &found[0], &expected)?;
        let cpu = scattered.on_cpu(&plan, SplatKind::Density);
        same("the CPU's counts", &cpu.counts(), &expected[..cells])?;
        same("rows on the CPU", &[cpu.total()], &[(0..rows).filter(is_in).count()])?;
    }
    Ok(())
}

/// Counts are equal; sums of colours too, where nothing but whole numbers goes into them, and else within one step a row.
fn color(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let scattered = Scattered::new(rows, dims);
    let plan = scattered.plan(SplatKind::Colors);
    let params = plan.params;
    let mut counts = vec![0u32; PIXELS + OUTSIDE_CELLS];
    let mut sums = vec![[0.0f64; 3]; PIXELS];
    for row in 0..rows {
        let cell = scattered.cell(row, &params);
        counts[cell] += 1;
        if let Some(sum) = sums.get_mut(cell) {
            sum.iter_mut().zip(scattered.ink(row)).for_each(|(sum, ink)| *sum += ink);
        }
    }
    sums[PIXELS / 2][1] += if mistake { 1.0 + f64::from(counts[PIXELS / 2]) } else { 0.0 };
    let gpu = scattered.on_gpu(&kernels::COLOR, params, &[PIXELS + OUTSIDE_CELLS, 3 * PIXELS]);
    let cpu = scattered.on_cpu(&plan, SplatKind::Colors);
    same("counts", &gpu[0], &counts)?;
    same("the CPU's counts", &cpu.counts(), &counts[..PIXELS])?;
    let is_exact = dims == 2 && scattered.frame.focus_track == NO_TRACK;
    let near = |what: &str, pixel: usize, found: [u32; 3]| {
        let slack = if is_exact { 1e-6 } else { 0.51 * f64::from(counts[pixel]) };
        let is_near = found.iter().zip(sums[pixel]).all(|(&found, sum)| (f64::from(found) - sum).abs() <= slack);
        is_near.then_some(()).ok_or_else(|| format!("{what}: {found:?} in pixel {pixel}, not {:?}", sums[pixel]))
    };
    for (pixel, &found) in cpu.sums().iter().enumerate() {
        near("sums", pixel, std::array::from_fn(|at| gpu[1][3 * pixel + at]))?;
        near("the CPU's sums", pixel, found)?;
    }
    Ok(())
}

/// A grid to smooth, its counts, and plain loops over both axes: what rows give, and then columns.
fn smoothing(rows: usize, dims: usize) -> (SplatPlan, Vec<u32>, [Vec<f64>; 2]) {
    let plan = SplatPlan::smooth([(rows as u32 % 90) + 1, (rows as u32 / 20) + 1], rows, [1.0, 5.9][dims - 2]);
    let (width, height) = (plan.params.width as usize, plan.params.height() as usize);
    let counts: Vec<u32> = made_counts(width * height).into_iter().map(|count| count % 50).collect();
    let spread = |from: &[f64], along: [usize; 2]| -> Vec<f64> {
        let of = |x: i64, y: i64| {
            let is_inside = (0..width as i64).contains(&x) && (0..height as i64).contains(&y);
            if is_inside { from[y as usize * width + x as usize] } else { 0.0 }
        };
        let reach = plan.params.reach as i64;
        let share = |away: i64| f64::from(plan.weights[away.unsigned_abs() as usize]);
        let at = |cell: usize| ((cell % width) as i64, (cell / width) as i64);
        let [dx, dy] = along.map(|step| step as i64);
        let sum = |(x, y): (i64, i64)| (-reach..=reach).map(|away| share(away) * of(x + dx * away, y + dy * away)).sum();
        (0..width * height).map(|cell| sum(at(cell))).collect()
    };
    let in_rows = spread(&counts.iter().map(|&count| f64::from(count)).collect::<Vec<_>>(), [1, 0]);
    let in_both = spread(&in_rows, [0, 1]);
    (plan, counts, [in_rows, in_both])
}

fn smooth_rows(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let (plan, counts, [mut expected, _]) = smoothing(rows, dims);
    expected[0] += if mistake { 0.01 } else { 0.0 };
    let data = [counts, bits(plan.weights.iter().copied()), bits(std::iter::repeat_n(f32::NAN, expected.len()))];
    let workgroups = expected.len().div_ceil(WORKGROUP);
    let found = run(&kernels::SMOOTH_ROWS, [&[], bytemuck::bytes_of(&plan.params)], &data, workgroups);
    let off = (0..expected.len()).find(|&cell| (f64::from(f32::from_bits(found[0][cell])) - expected[cell]).abs() > 1e-4);
    off.map_or(Ok(()), |cell| Err(format!("cell {cell}: {}, not {}", f32::from_bits(found[0][cell]), expected[cell])))
}

/// Within a step and rounding; the CPU's as well, which does rows and columns.
fn smooth_columns(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let (plan, counts, [in_rows, mut expected]) = smoothing(rows, dims);
    expected[0] += if mistake { 0.01 } else { 0.0 };
    let spread = bits(in_rows.iter().map(|&value| value as f32));
    let data = [spread, bits(plan.weights.iter().copied()), vec![7; expected.len()]];
    let workgroups = expected.len().div_ceil(WORKGROUP);
    let found = run(&kernels::SMOOTH_COLUMNS, [&[], bytemuck::bytes_of(&plan.params)], &data, workgroups);
    let mut cpu = Smoother::default();
    cpu.smooth(&plan, &counts);
    for (what, values) in [("value", &found[0]), ("the CPU's value", &cpu.values)] {
        for (cell, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
            let wanted = expected * f64::from(UNIT);
            if (f64::from(value) - wanted).abs() > 1.0 + 1e-5 * wanted {
                return Err(format!("{what} of cell {cell}: {value}, not {wanted}"));
            }
        }
        same("cells", &[values.len()], &[expected.len()])?;
    }
    Ok(())
}

/// Counts of every size: each octave comes, and every third is none.
fn made_counts(len: usize) -> Vec<u32> {
    let mut seed = SplitMix64::new(len as u64);
    (0..len).map(|at| if at % 3 == 0 { 0 } else { (seed.next_u64() >> (32 + seed.next_below(31))) as u32 }).collect()
}

fn params_of(pixels: usize) -> SplatParams {
    SplatPlan::new([pixels as u32, 1], 1, SplatKind::Density).params
}

fn histogram(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    // Around a workgroup's 8,192 cells as well.
    for (cells, faint) in [(rows, 1), (rows, 70), (CELLS_EACH * (dims - 1) - 350 + rows, 1)] {
        let mut counts = made_counts(cells);
        let mut expected = [0; BUCKETS];
        let octave = |count: u32| (0..32).rfind(|bit| count >> bit & 1 == 1).unwrap();
        for &count in counts.iter().filter(|&&count| count >= faint) {
            let octave = octave(count);
            let below = (f64::from(count) / f64::from(1u32 << octave) - 1.0) * 16.0;
            expected[(octave * 16) as usize + below as usize] += 1;
        }
        expected[17] += u32::from(mistake);
        let on_cpu = Histogram::of(&counts, faint);
        // What lies behind the last cell is not counted.
        counts.extend([500; OUTSIDE_CELLS]);
        let params = SplatParams { faint, ..params_of(cells) };
        let data = [counts, vec![0; BUCKETS]];
        let found = run(&kernels::HISTOGRAM, [&[], bytemuck::bytes_of(&params)], &data, cells.div_ceil(CELLS_EACH));
        same("the histogram", &found[0], &expected)?;
        same("the CPU's histogram", &on_cpu.0, &expected)?;
    }
    Ok(())
}

fn curve(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let faint = if dims == 3 { 70 } else { 1 };
    let histogram = Histogram::of(&made_counts(rows), faint);
    let lit: f64 = histogram.0.iter().map(|&cells| f64::from(cells)).sum::<f64>().max(1.0);
    // 70 is 6 octaves and 1 sixteenth.
    let least = if dims == 3 { 97.0 } else { 0.0 };
    let highest = ((0..BUCKETS).rfind(|&bucket| histogram.0[bucket] > 0).unwrap_or(0) as f64).max(least);
    let on_cpu = tone::curve(&histogram, faint);
    let data = [histogram.0.to_vec(), bits(std::iter::repeat_n(f32::NAN, BUCKETS))];
    let params = SplatParams { faint, ..params_of(rows) };
    let found = run(&kernels::CURVE, [&[], bytemuck::bytes_of(&params)], &data, 1);
    let mut below = 0.0;
    for bucket in 0..BUCKETS {
        let own = f64::from(histogram.0[bucket]);
        let octaves = ((bucket as f64 + 16.0 - least) / (highest - least + 16.0)).clamp(0.0, 1.0);
        let expected = 0.5 * ((below + 0.5 * own) / lit + octaves);
        below += own;
        for (what, tone) in [("tone", f32::from_bits(found[0][bucket])), ("the CPU's tone", on_cpu[bucket])] {
            let expected = expected + if mistake && bucket == 300 { 1e-3 } else { 0.0 };
            if (f64::from(tone) - expected).abs() > 1e-6 {
                return Err(format!("{what} of bucket {bucket}: {tone}, not {expected}"));
            }
        }
    }
    Ok(())
}

fn total(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    for pixels in [rows, CELLS_EACH * (dims - 1) - 600 + rows] {
        let counts: Vec<u32> = made_counts(pixels + OUTSIDE_CELLS).into_iter().map(|count| count % 1000).collect();
        let expected = counts.iter().sum::<u32>() + u32::from(mistake);
        let data = [counts, vec![0]];
        let workgroups = (pixels + OUTSIDE_CELLS).div_ceil(CELLS_EACH);
        let found = run(&kernels::TOTAL, [&[], bytemuck::bytes_of(&params_of(pixels))], &data, workgroups);
        same("the total", &found[0], &[expected])?;
    }
    Ok(())
}

/// One row more than 65,535 workgroups take.
pub fn count_past_the_dispatch_limit() -> Result<(), String> {
    let rows = 65_535 * WORKGROUP + 1;
    let mut scattered = Scattered::new(1, 2);
    let center = scattered.positions[0];
    scattered.positions = vec![center; rows];
    scattered.frame.row_count = rows as u32;
    // The count reads no colours and no tracks.
    (scattered.colors, scattered.tracks) = (vec![0], vec![0]);
    let found = scattered.on_gpu(&kernels::COUNT, scattered.plan(SplatKind::Density).params, &[PIXELS + OUTSIDE_CELLS]);
    same("rows", &[found[0].iter().sum::<u32>() as usize], &[rows])
}
