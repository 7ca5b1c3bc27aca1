//! The splat on the CPU: what software adapters draw with, and the twin of `shaders/splat_count.wgsl` and `splat_color.wgsl`.
//!
//! Each part of the rows has cells of its own, so that no two threads write the same, and the cells are added up at the end. Sums of whole
//! numbers: the picture is the same whatever the number of threads, and whatever the order of rows.

use std::time::Instant;

use glam::Mat4;
use rayon::prelude::*;

use super::params::{RUN, SplatKind, SplatParams};
use super::project::{PlaneProjector, Projector, SpaceProjector};
use super::tone::{self, Histogram};
use crate::render::gpu_data::{FrameUniform, NO_TRACK};
use crate::scene::{Dimensions, HeatMap};

/// Parts that rows are divided into at most; each has a picture's worth of cells.
const MOST_PARTS: usize = 8;
/// Cells that are added up and coloured in one go.
const BAND: usize = 1 << 14;

/// What a splat reads of a scene, a value a row.
#[derive(Clone, Copy, Debug)]
pub struct SplatRows<'a> {
    /// Layout positions. `[rows, 3]`
    pub positions: &'a [[f32; 3]],
    /// Packed sRGB; not read for [`SplatKind::Density`].
    pub colors: &'a [u32],
    /// The position of each row's track; not read for [`SplatKind::Density`].
    pub tracks: &'a [u32],
}

/// A cell: a count, or the sums of red, green and blue with the count behind them.
trait Cell: Copy + Default + Send + Sync {
    type Ink;
    fn add(&mut self, ink: Self::Ink);
    fn merge(&mut self, other: &Self);
    fn count(&self) -> u32;
}

impl Cell for u32 {
    type Ink = ();

    #[inline]
    fn add(&mut self, (): ()) {
        *self += 1;
    }

    #[inline]
    fn merge(&mut self, other: &Self) {
        *self += other;
    }

    #[inline]
    fn count(&self) -> u32 {
        *self
    }
}

impl Cell for [u32; 4] {
    type Ink = [u32; 4];

    #[inline]
    fn add(&mut self, ink: [u32; 4]) {
        self.merge(&ink);
    }

    #[inline]
    fn merge(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(own, more)| *own += more);
    }

    #[inline]
    fn count(&self) -> u32 {
        self[3]
    }
}

/// The cells of a picture and what becomes of them. Kept from frame to frame, so that nothing is allocated.
#[derive(Debug, Default)]
pub struct CpuSplat {
    counts: Vec<Vec<u32>>,
    sums: Vec<Vec<[u32; 4]>>,
    picture: Vec<u32>,
    kind: Option<SplatKind>,
    outside: usize,
    stages: [f64; 3],
}

impl CpuSplat {
    /// Splats rows and returns the picture: premultiplied sRGB, packed, `[height, width]`.
    pub fn draw(
        &mut self,
        frame: &FrameUniform,
        params: SplatParams,
        kind: SplatKind,
        dimensions: Dimensions,
        rows: SplatRows<'_>,
        heat: &HeatMap,
    ) -> &[u32] {
        let started = Instant::now();
        let size = [params.width, params.pixels / params.width.max(1)];
        let clip = Mat4::from_cols_array_2d(&frame.clip_from_layout);
        self.kind = Some(kind);
        self.outside = match dimensions {
            Dimensions::Two => self.accumulate(&PlaneProjector::new(clip, size), frame, params, kind, rows),
            Dimensions::Three => self.accumulate(&SpaceProjector::new(clip, size), frame, params, kind, rows),
        };
        let splatted = Instant::now();
        let histogram = match kind {
            SplatKind::Density => merge(&mut self.counts),
            SplatKind::Colors => merge(&mut self.sums),
        };
        let merged = Instant::now();
        let tones = tone::curve(&histogram);
        match kind {
            SplatKind::Density => {
                let colors = tone::heat_colors(&tones, heat);
                resolve(&self.counts, &mut self.picture, |&count| colors[tone::bucket_of(count)]);
            }
            SplatKind::Colors => {
                let alphas = tone::opacities(&tones);
                let levels = params.levels;
                resolve(&self.sums, &mut self.picture, |&[r, g, b, count]| {
                    tone::mean_color([r, g, b], count, levels, alphas[tone::bucket_of(count)])
                });
            }
        }
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        self.stages = [ms(started, splatted), ms(splatted, merged), ms(merged, Instant::now())];
        &self.picture
    }

    /// Milliseconds of the newest picture's stages.
    #[must_use]
    pub fn stages_ms(&self) -> [(&'static str, f64); 3] {
        let [splat, sum, resolve] = self.stages;
        [("splat", splat), ("sum", sum), ("resolve", resolve)]
    }

    /// The newest picture's counts, `[height, width]`.
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        match self.kind {
            None => Vec::new(),
            Some(SplatKind::Density) => self.counts.first().cloned().unwrap_or_default(),
            Some(SplatKind::Colors) => self.sums.first().map_or_else(Vec::new, |cells| cells.iter().map(Cell::count).collect()),
        }
    }

    /// The newest picture's sums of red, green and blue. `[height, width, 3]`
    #[must_use]
    pub fn sums(&self) -> Vec<[u32; 3]> {
        self.sums.first().map_or_else(Vec::new, |cells| cells.iter().map(|&[r, g, b, _]| [r, g, b]).collect())
    }

    /// Rows that were splatted, those outside of the picture among them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts().into_iter().map(|count| count as usize).sum::<usize>() + self.outside
    }

    /// Adds up rows in as many parts as there are threads; returns how many fell outside.
    fn accumulate(
        &mut self,
        projector: &impl Projector,
        frame: &FrameUniform,
        params: SplatParams,
        kind: SplatKind,
        rows: SplatRows<'_>,
    ) -> usize {
        let plan = Plan { params, rows: rows.positions.len(), pixels: params.pixels as usize };
        let SplatRows { positions, colors, tracks } = rows;
        match kind {
            SplatKind::Density => plan.splat(&mut self.counts, positions, projector, |_, _| ()),
            SplatKind::Colors => {
                let mixer = Mixer::new(frame, params.levels);
                if mixer.is_plain() {
                    plan.splat(&mut self.sums, positions, projector, |row, _| {
                        let [r, g, b, _] = colors[row].to_le_bytes().map(u32::from);
                        [r, g, b, 1]
                    })
                } else {
                    plan.splat(&mut self.sums, positions, projector, |row, w| mixer.ink(colors[row], tracks[row], w))
                }
            }
        }
    }
}

/// How rows are gone over.
struct Plan {
    params: SplatParams,
    rows: usize,
    pixels: usize,
}

impl Plan {
    fn splat<C: Cell>(
        &self,
        parts: &mut Vec<Vec<C>>,
        positions: &[[f32; 3]],
        projector: &impl Projector,
        ink: impl Fn(usize, f32) -> C::Ink + Sync,
    ) -> usize {
        let runs = self.params.runs(self.rows);
        parts.resize_with(rayon::current_num_threads().clamp(1, MOST_PARTS), Vec::new);
        let runs_each = runs.div_ceil(parts.len());
        let stride = self.params.stride.max(1) as usize;
        let first_run = self.params.phase as usize;
        let splat_rows = |cells: &mut [C], rows: std::ops::Range<usize>| {
            let mut outside = 0;
            for (row, position) in rows.clone().zip(&positions[rows]) {
                match projector.cell(*position).and_then(|(cell, w)| cells.get_mut(cell).map(|cell| (cell, w))) {
                    Some((cell, w)) => cell.add(ink(row, w)),
                    None => outside += 1,
                }
            }
            outside
        };
        let splat_part = |(part, cells): (usize, &mut Vec<C>)| {
            cells.clear();
            cells.resize(self.pixels, C::default());
            let (begin, end) = ((part * runs_each).min(runs), ((part + 1) * runs_each).min(runs));
            if stride == 1 {
                let row = |run: usize| ((run + first_run) * RUN).min(self.rows);
                return splat_rows(cells, row(begin)..row(end));
            }
            let run_rows = |run: usize| {
                let row = (run * stride + first_run) * RUN;
                row.min(self.rows)..(row + RUN).min(self.rows)
            };
            (begin..end).map(|run| splat_rows(cells, run_rows(run))).sum()
        };
        parts.par_iter_mut().enumerate().map(splat_part).sum()
    }
}

/// A row's colour as `color_of_row` in `shaders/shared/frame.wgsl` makes it, in whole numbers.
struct Mixer {
    levels: f32,
    background: [f32; 3],
    fitted_w: f32,
    focus_track: u32,
    is_deep: bool,
}

impl Mixer {
    fn new(frame: &FrameUniform, levels: u32) -> Self {
        Self {
            levels: levels as f32,
            background: frame.background,
            fitted_w: frame.fitted_w,
            focus_track: frame.focus_track,
            is_deep: frame.fitted_w != 1.0,
        }
    }

    /// Whether rows keep their own colours.
    fn is_plain(&self) -> bool {
        self.focus_track == NO_TRACK && !self.is_deep && self.levels == 255.0
    }

    #[inline]
    fn ink(&self, color: u32, track: u32, w: f32) -> [u32; 4] {
        let [r, g, b, _] = color.to_le_bytes().map(|channel| f32::from(channel) / 255.0);
        let mut color = [r, g, b];
        let mix = |a: f32, b: f32, amount: f32| a + (b - a) * amount;
        if self.focus_track != NO_TRACK && track != self.focus_track {
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            color = std::array::from_fn(|at| mix(mix(color[at], grey, 0.7), self.background[at], 0.55));
        }
        let depth = ((w / self.fitted_w - 1.0) / 0.6).clamp(0.0, 1.0);
        let [r, g, b] = std::array::from_fn(|at| (mix(color[at], self.background[at], depth * 0.55) * self.levels + 0.5) as u32);
        [r, g, b, 1]
    }
}

/// Adds all parts to the first and counts its pixels by their counts.
fn merge<C: Cell>(parts: &mut [Vec<C>]) -> Histogram {
    let Some((first, rest)) = parts.split_first_mut() else { return Histogram::default() };
    let rest = &*rest;
    let merge_band = |(band, cells): (usize, &mut [C])| {
        for other in rest {
            let others = other.get(band * BAND..).unwrap_or_default();
            cells.iter_mut().zip(others).for_each(|(cell, more)| cell.merge(more));
        }
        let mut histogram = Histogram::default();
        cells.iter().for_each(|cell| histogram.add(cell.count()));
        histogram
    };
    first.par_chunks_mut(BAND).enumerate().map(merge_band).reduce(Histogram::default, |all, band| all.and(&band))
}

/// Colours the first part's cells; empty ones are transparent.
fn resolve<C: Cell>(parts: &[Vec<C>], picture: &mut Vec<u32>, color: impl Fn(&C) -> u32 + Sync) {
    let cells = parts.first().map_or(&[][..], Vec::as_slice);
    picture.resize(cells.len(), 0);
    picture.par_chunks_mut(BAND).zip(cells.par_chunks(BAND)).for_each(|(pixels, cells)| {
        pixels.iter_mut().zip(cells).for_each(|(pixel, cell)| *pixel = if cell.count() == 0 { 0 } else { color(cell) });
    });
}
