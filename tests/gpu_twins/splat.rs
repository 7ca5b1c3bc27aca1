//! The splat's kernels beside plain loops in f64 and the CPU engine.

use glam::DVec3;
use tagscape::gpu::{BindingKind, Kernel, StorageBuffer};
use tagscape::render::gpu_data::{FrameUniform, NO_TRACK};
use tagscape::render::splat::cpu::{CpuSplat, Gridded, SplatRows};
use tagscape::render::splat::kernels::{self, WORKGROUP};
use tagscape::render::splat::params::{OUTSIDE_CELLS, RUN, SplatKind, SplatParams, SplatPlan};
use tagscape::scene::{AxisScale, ChosenRows, Dimensions, HeatMap, Scene, Theme};
use tagscape::seed::SplitMix64;

use super::splat_tone;
use super::tsne::Check;
use crate::common::gpu::gpu;

/// One entry for each kernel of the splat.
pub const CHECKS: &[Check] = &[
    Check { kernel: &kernels::COUNT, compare: count },
    Check { kernel: &kernels::COLOR, compare: color },
    Check { kernel: &kernels::LINES, compare: lines },
    Check { kernel: &kernels::SMOOTH_ROWS, compare: splat_tone::smooth_rows },
    Check { kernel: &kernels::SMOOTH_COLUMNS, compare: splat_tone::smooth_columns },
    Check { kernel: &kernels::HISTOGRAM, compare: splat_tone::histogram },
    Check { kernel: &kernels::CURVE, compare: splat_tone::curve },
    Check { kernel: &kernels::TOTAL, compare: splat_tone::total },
];

const SIZE: [u32; 2] = [37, 29];
const PIXELS: usize = 37 * 29;
/// Where classes are counted.
const CLASSES: usize = 5;
/// The ground, packed, where there is haze.
const GROUND: u32 = 0xff4d_331a;

/// Runs a kernel: uniforms by binding, then what the buffers of group 1 hold. Returns what it may write.
pub fn run(kernel: &'static Kernel, uniforms: [&[u8]; 2], data: &[Vec<u32>], workgroups: usize) -> Vec<Vec<u32>> {
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

pub fn bits(values: impl Iterator<Item = f32>) -> Vec<u32> {
    values.map(f32::to_bits).collect()
}

/// Rows to splat, with how they are seen.
struct Scattered {
    positions: Vec<[f32; 3]>,
    colors: Vec<u32>,
    tracks: Vec<u32>,
    chosen: Option<ChosenRows>,
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
        scene.camera.target = DVec3::new(0.11, -0.07, 0.03);
        let clip = scene.clip_from_layout(37.0 / 29.0);
        let frame = FrameUniform {
            clip_from_anchor: clip.matrix.to_cols_array_2d(),
            anchor: clip.anchor.to_array(),
            background: [0.1, 0.2, 0.3],
            fitted_w: if dims == 3 { scene.camera.distance() } else { 1.0 },
            viewport: SIZE.map(|edge| edge as f32),
            point_radius: 1.0,
            point_opacity: 0.5,
            line_width: 1.0,
            line_opacity: 0.5,
            line_taper: 1.0,
            focus_track: if rows % 2 == 1 { 1 } else { NO_TRACK },
            row_count: rows as u32,
            has_chosen: u32::from(rows % 3 == 1),
            curves_chosen: 0,
            classes: 0,
            first_class: 0,
            tile: [0.0, 0.0, SIZE[0] as f32, SIZE[1] as f32],
        };
        let chosen = (frame.has_chosen == 1).then(|| ChosenRows::of(rows, |row| row * 7 % 11 < 4));
        let mut made = Self { positions: Vec::new(), colors: Vec::new(), tracks: Vec::new(), chosen, dimensions, frame };
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
                // Classes there are as many as CLASSES; what names a later one is in the last.
                let slot = made.colors.len() as u32 % (CLASSES as u32 + 2);
                made.colors.push(seed.next_u64() as u32 & 0x00ff_ffff | slot << 24);
                made.tracks.push(seed.next_below(3) as u32);
            }
        }
        made
    }

    fn clip(&self, position: [f32; 3]) -> [f64; 4] {
        let columns = self.frame.clip_from_anchor;
        let [x, y, z] = std::array::from_fn(|axis| f64::from(position[axis]) - f64::from(self.frame.anchor[axis]));
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
        if self.chosen.is_none() && self.frame.focus_track != NO_TRACK && self.tracks[row] != self.frame.focus_track {
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            color = std::array::from_fn(|at| mix(mix(color[at], grey, 0.7), ground[at], 0.55));
        }
        let depth = ((self.clip(self.positions[row])[3] / f64::from(self.frame.fitted_w) - 1.0) / 0.6).clamp(0.0, 1.0);
        std::array::from_fn(|at| mix(color[at], ground[at], depth * 0.55) * 255.0)
    }

    fn plan(&self, kind: SplatKind) -> SplatPlan {
        self.with_chosen(SplatPlan::new(SIZE, self.positions.len(), kind))
    }

    fn with_chosen(&self, mut plan: SplatPlan) -> SplatPlan {
        if self.chosen.is_some() {
            plan.params = plan.params.with_chosen(self.positions.len(), 0x00aa_bbcc);
        }
        plan
    }

    /// The class of a row.
    fn class(&self, row: usize) -> usize {
        (self.colors[row] >> 24).min(CLASSES as u32 - 1) as usize
    }

    /// How far a row is in the haze, 0 to 255.
    fn haze(&self, row: usize) -> f64 {
        255.0 * ((self.clip(self.positions[row])[3] / f64::from(self.frame.fitted_w) - 1.0) / 0.6).clamp(0.0, 1.0)
    }

    /// The same plan for cells that count classes.
    fn of_classes(&self, plan: &SplatPlan) -> SplatPlan {
        let haze = if self.dimensions == Dimensions::Three { GROUND } else { 0 };
        SplatPlan { params: plan.params.with_classes(CLASSES, haze), ..plan.clone() }
    }

    /// Holds counts of classes and sums of haze from both engines against those that are expected, in cells that are not open.
    fn classes_agree(
        &self,
        kernel: &'static Kernel,
        kind: SplatKind,
        expected: &[[f64; CLASSES + 1]],
        open: &[bool],
    ) -> Result<(), String> {
        let plan = self.of_classes(&self.plan(kind));
        let params = plan.params;
        let each = params.sums_each();
        let gpu = self.on_gpu(kernel, params, &[params.counts(), each * PIXELS]);
        let cpu = self.on_cpu(&plan, kind);
        for (what, cells) in [("the shader", gpu[1].chunks_exact(each).collect::<Vec<_>>()), ("the CPU", cpu.classes().collect())] {
            if cells.len() != PIXELS {
                return Err(format!("{what}: {} cells", cells.len()));
            }
            for cell in (0..PIXELS).filter(|&cell| !open[cell]) {
                let (found, wanted) = (cells[cell], expected[cell]);
                let is_same = (0..CLASSES).all(|class| f64::from(found[class]) == wanted[class]);
                let total: f64 = wanted[..CLASSES].iter().sum();
                let haze = found.get(CLASSES).map_or(0.0, |&sum| (f64::from(sum) - wanted[CLASSES]).abs());
                if !is_same || haze > 0.51 * total {
                    return Err(format!("{what}'s classes in cell {cell}: {found:?}, not {wanted:?}"));
                }
            }
        }
        same("the CPU's counts of what is toned", &cpu.counts(), &self.on_cpu(&self.plan(kind), kind).counts())
    }

    /// Whether a row adds a colour.
    fn is_bright(&self, row: usize) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(row))
    }

    fn columns(&self) -> Vec<Vec<u32>> {
        let words = self.chosen.as_ref().map_or_else(|| vec![u32::MAX], |chosen| chosen.words().to_vec());
        let axis = |axis: usize| bits(self.positions.iter().map(|position| position[axis]));
        vec![axis(0), axis(1), axis(2), self.colors.clone(), self.tracks.clone(), words]
    }

    fn on_gpu(&self, kernel: &'static Kernel, params: SplatParams, outputs: &[usize]) -> Vec<Vec<u32>> {
        let mut data = self.columns();
        // What lies past a buffer's end is dropped by some drivers and written elsewhere by others.
        let words = data.last().map_or(0, Vec::len);
        let has_chosen = self.frame.has_chosen != 0;
        assert_eq!(has_chosen, self.chosen.is_some(), "{}: the frame and the rows differ", kernel.shader.name);
        assert!(!has_chosen || words * 32 >= self.positions.len(), "{}: {words} words of bits", kernel.shader.name);
        assert!(outputs[0] >= if has_chosen { params.counts() } else { params.cells as usize + OUTSIDE_CELLS });
        assert!(!has_chosen || params.first > 0, "{}: no place for chosen rows", kernel.shader.name);
        data.extend(outputs.iter().map(|&len| vec![0; len]));
        let workgroups = (params.runs(self.positions.len()) * RUN).div_ceil(WORKGROUP);
        run(kernel, [bytemuck::bytes_of(&self.frame), bytemuck::bytes_of(&params)], &data, workgroups)
    }

    fn on_cpu(&self, plan: &SplatPlan, kind: SplatKind) -> CpuSplat {
        let rows = SplatRows { positions: &self.positions, colors: &self.colors, tracks: &self.tracks, chosen: self.chosen.as_ref() };
        let mut cpu = CpuSplat::default();
        let palette = [0xff00_00ff, 0xff00_ff00, 0xffff_0000, 0xff00_ffff, 0xff80_8080];
        let grid = Gridded { plan, kind, dimensions: self.dimensions, palette: &palette };
        cpu.draw(&self.frame, grid, rows, &HeatMap::of(Theme::Dark), false);
        cpu
    }
}

pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &[T], expected: &[T]) -> Result<(), String> {
    match found.iter().zip(expected).position(|(a, b)| a != b) {
        _ if found.len() != expected.len() => Err(format!("{what}: {} values, not {}", found.len(), expected.len())),
        Some(at) => Err(format!("{what}: {:?} at {at}, not {:?}", found[at], expected[at])),
        None => Ok(()),
    }
}

/// Counts of all rows, of parts of them, and in cells of several pixels, from both engines.
fn count(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let scattered = Scattered::new(rows, dims);
    let smooth = |pixels: f32| scattered.with_chosen(SplatPlan::smooth(SIZE, rows, pixels));
    for (mut plan, stride, phase) in
        [(smooth(0.0), 1, 0), (smooth(0.0), 3, 0), (smooth(0.0), 3, 2), (smooth(2.0), 1, 0), (smooth(9.5), 1, 0)]
    {
        plan.params = SplatParams { stride, phase, ..plan.params };
        let params = plan.params;
        let cells = params.cells as usize;
        let mut expected = vec![0; params.counts()];
        let is_in = |row: &usize| (row / RUN) as u32 % stride == phase;
        for row in (0..rows).filter(is_in) {
            let cell = scattered.cell(row, &params);
            expected[cell] += 1;
            if scattered.chosen.is_some() && scattered.is_bright(row) && cell < cells {
                expected[cells + OUTSIDE_CELLS + cell] += 1;
            }
        }
        expected[5] += u32::from(mistake);
        let found = scattered.on_gpu(&kernels::COUNT, params, &[params.counts()]);
        same("counts", &found[0], &expected)?;
        let cpu = scattered.on_cpu(&plan, SplatKind::Density);
        same("the CPU's counts", &cpu.all_counts(), &expected[..cells])?;
        same("the CPU's counts of what is toned", &cpu.counts(), &expected[params.first as usize..][..cells])?;
        same("rows on the CPU", &[cpu.total()], &[(0..rows).filter(is_in).count()])?;
    }
    Ok(())
}

/// Counts are equal; sums of colours too, where nothing but whole numbers goes into them, and else within one step a row.
fn color(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let scattered = Scattered::new(rows, dims);
    let plan = scattered.plan(SplatKind::Colors);
    let params = plan.params;
    let first = params.first as usize;
    let mut counts = vec![0u32; params.counts()];
    let mut sums = vec![[0.0f64; 3]; PIXELS];
    let mut classes = vec![[0.0; CLASSES + 1]; PIXELS];
    for row in 0..rows {
        let cell = scattered.cell(row, &params);
        counts[cell] += 1;
        if let Some(sum) = sums.get_mut(cell).filter(|_| scattered.is_bright(row)) {
            if first > 0 {
                counts[first + cell] += 1;
            }
            sum.iter_mut().zip(scattered.ink(row)).for_each(|(sum, ink)| *sum += ink);
            classes[cell][scattered.class(row)] += 1.0;
            classes[cell][CLASSES] += scattered.haze(row);
        }
    }
    classes[PIXELS / 3][1] += if mistake { 1.0 } else { 0.0 };
    scattered.classes_agree(&kernels::COLOR, SplatKind::Colors, &classes, &[false; PIXELS])?;
    sums[PIXELS / 2][1] += if mistake { 1.0 + f64::from(counts[first + PIXELS / 2]) } else { 0.0 };
    let gpu = scattered.on_gpu(&kernels::COLOR, params, &[params.counts(), 3 * PIXELS]);
    let cpu = scattered.on_cpu(&plan, SplatKind::Colors);
    same("counts", &gpu[0], &counts)?;
    same("the CPU's counts", &cpu.all_counts(), &counts[..PIXELS])?;
    same("the CPU's counts of what is toned", &cpu.counts(), &counts[first..][..PIXELS])?;
    let is_exact = dims == 2 && (scattered.frame.focus_track == NO_TRACK || first > 0);
    let near = |what: &str, pixel: usize, found: [u32; 3]| {
        let slack = if is_exact { 1e-6 } else { 0.51 * f64::from(counts[first + pixel]) };
        let is_near = found.iter().zip(sums[pixel]).all(|(&found, sum)| (f64::from(found) - sum).abs() <= slack);
        is_near.then_some(()).ok_or_else(|| format!("{what}: {found:?} in pixel {pixel}, not {:?}", sums[pixel]))
    };
    for (pixel, &found) in cpu.sums().iter().enumerate() {
        near("sums", pixel, std::array::from_fn(|at| gpu[1][3 * pixel + at]))?;
        near("the CPU's sums", pixel, found)?;
    }
    Ok(())
}

/// Lines' counts and sums from both engines, and plain loops in f64. Where a line passes a cell's border within a thousandth of a cell, rounding
/// decides, and the cells on both sides of it are not compared.
fn lines(rows: usize, dims: usize, mistake: bool) -> Result<(), String> {
    let scattered = Scattered::new(rows, dims);
    let plan = scattered.plan(SplatKind::Lines);
    let (width, height) = (i64::from(SIZE[0]), i64::from(SIZE[1]));
    let first = plan.params.first as usize;
    let mut bright = vec![0u32; PIXELS];
    let (mut counts, mut sums, mut open) = (vec![0u32; PIXELS], vec![[0.0f64; 3]; PIXELS], vec![false; PIXELS]);
    let mut classes = vec![[0.0; CLASSES + 1]; PIXELS];
    for row in 0..rows.saturating_sub(1) {
        let seen = |row: usize| {
            let [_, _, z, w] = scattered.clip(scattered.positions[row]);
            w > 1e-5 && z >= 0.0 && z <= w && scattered.pixel(scattered.positions[row]).iter().all(|at| at.is_finite())
        };
        if scattered.tracks[row] != scattered.tracks[row + 1] || !seen(row) || !seen(row + 1) {
            continue;
        }
        let [mut from, mut to] = [row, row + 1].map(|row| scattered.pixel(scattered.positions[row]));
        let is_steep = (to[1] - from[1]).abs() > (to[0] - from[0]).abs();
        if is_steep {
            from.reverse();
            to.reverse();
        }
        for column in from[0].min(to[0]).floor() as i64..=from[0].max(to[0]).floor() as i64 {
            let along = ((column as f64 + 0.5 - from[0]) / (to[0] - from[0])).clamp(0.0, 1.0);
            let across = from[1] + along * (to[1] - from[1]);
            let cell_at = |across: i64| {
                let [x, y] = if is_steep { [across, column] } else { [column, across] };
                ((0..width).contains(&x) && (0..height).contains(&y)).then_some((y * width + x) as usize)
            };
            if let Some(cell) = cell_at(across.floor() as i64) {
                counts[cell] += 1;
                if !scattered.is_bright(row) {
                    continue;
                }
                bright[cell] += 1;
                sums[cell].iter_mut().zip(scattered.ink(row)).for_each(|(sum, ink)| *sum += ink);
                classes[cell][scattered.class(row)] += 1.0;
                classes[cell][CLASSES] += scattered.haze(row);
            }
            // What is far outside is known less well.
            let doubt = 1e-3 + 1e-6 * from.iter().chain(&to).fold(0.0, |most: f64, at| most.max(at.abs()));
            if (across - across.round()).abs() < doubt {
                [across.round() as i64, across.round() as i64 - 1].into_iter().filter_map(cell_at).for_each(|cell| open[cell] = true);
            }
        }
    }
    scattered.classes_agree(&kernels::LINES, SplatKind::Lines, &classes, &open)?;
    // A mistake in a cell that is compared.
    let wrong = (0..PIXELS).find(|&cell| !open[cell]).filter(|_| mistake);
    wrong.into_iter().for_each(|cell| counts[cell] += 1);
    let gpu = scattered.on_gpu(&kernels::LINES, plan.params, &[plan.params.counts(), 3 * PIXELS]);
    let cpu = scattered.on_cpu(&plan, SplatKind::Lines);
    let cpu_sums = cpu.sums();
    for (what, found, found_sums) in [
        (
            "the shader",
            [&gpu[0][..PIXELS], &gpu[0][first..][..PIXELS]],
            gpu[1].chunks_exact(3).map(|sum| [sum[0], sum[1], sum[2]]).collect(),
        ),
        ("the CPU", [&cpu.all_counts()[..], &cpu.counts()[..]], cpu_sums),
    ] {
        for cell in (0..PIXELS).filter(|&cell| !open[cell]) {
            same(&format!("{what}'s lines in cell {cell}"), &found.map(|counts| counts[cell]), &[counts[cell], bright[cell]])?;
            let slack = 0.51 * f64::from(bright[cell]) + 1e-6;
            let is_near = found_sums[cell].iter().zip(sums[cell]).all(|(&found, sum)| (f64::from(found) - sum).abs() <= slack);
            if !is_near {
                return Err(format!("{what}: {:?} in cell {cell}, not {:?}", found_sums[cell], sums[cell]));
            }
        }
    }
    let closed = open.iter().filter(|&&open| !open).count();
    if closed * 10 < PIXELS * 8 { Err(format!("only {closed} cells were compared")) } else { Ok(()) }
}

/// One row more than 65,535 workgroups take.
pub fn count_past_the_dispatch_limit() -> Result<(), String> {
    let rows = 65_535 * WORKGROUP + 1;
    let mut scattered = Scattered::new(1, 2);
    let center = scattered.positions[0];
    scattered.positions = vec![center; rows];
    scattered.frame.row_count = rows as u32;
    // Nothing is chosen: of so many rows that would be another buffer, and counts of its own.
    (scattered.frame.has_chosen, scattered.chosen) = (0, None);
    // The count reads no colours and no tracks.
    (scattered.colors, scattered.tracks) = (vec![0], vec![0]);
    let found = scattered.on_gpu(&kernels::COUNT, scattered.plan(SplatKind::Density).params, &[PIXELS + OUTSIDE_CELLS]);
    same("rows", &[found[0].iter().sum::<u32>() as usize], &[rows])
}
