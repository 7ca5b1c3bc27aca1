//! The splat on the CPU: what software adapters draw with, and the twin of `shaders/splat_count.wgsl` and `splat_color.wgsl`.
//!
//! Each part of the rows has cells of its own, so that no two threads write the same, and the cells are added up at the end. Sums of whole
//! numbers: the picture is the same whatever the number of threads, and whatever the order of rows.

use std::time::Instant;

use super::cells::{Cell, Rows, histogram_of, merge};
use super::ink::Mixer;
use super::lines;
use super::paint::{DensityPainter, paint_cells};
use super::params::{EXACT_COLORS, SplatKind, SplatParams, SplatPlan};
use super::project::{PlaneProjector, Projector, SpaceProjector};
use super::smooth::Smoother;
use super::tone::{self, BUCKETS, Histogram, Tones};
use crate::render::gpu_data::FrameUniform;
use crate::scene::{ChosenRows, Dimensions, HeatMap};

/// What a splat reads of a scene, a value a row.
#[derive(Clone, Copy, Debug)]
pub struct SplatRows<'a> {
    /// Layout positions. `[rows, 3]`
    pub positions: &'a [[f32; 3]],
    /// Packed sRGB; not read for [`SplatKind::Density`].
    pub colors: &'a [u32],
    /// The position of each row's track; not read for [`SplatKind::Density`].
    pub tracks: &'a [u32],
    /// The rows that stand out from all of them.
    pub chosen: Option<&'a ChosenRows>,
}

/// The grid that rows are splatted into.
#[derive(Clone, Copy, Debug)]
pub struct Gridded<'a> {
    /// How it lies over the picture.
    pub plan: &'a SplatPlan,
    /// What its cells hold.
    pub kind: SplatKind,
    /// Plane or space.
    pub dimensions: Dimensions,
    /// The colours of the classes that cells count, packed sRGB. `[params.classes]`
    pub palette: &'a [u32],
}

/// The cells of a picture and what becomes of them. Kept from frame to frame, so that nothing is allocated.
#[derive(Debug, Default)]
pub struct CpuSplat {
    // Of all rows, where the others are of the chosen ones.
    all: Vec<Vec<u32>>,
    has_chosen: bool,
    counts: Vec<Vec<u32>>,
    sums: Vec<Vec<[u32; 4]>>,
    // Where classes are counted: of each cell its classes, and its haze behind them.
    classes: Vec<Vec<u32>>,
    params: SplatParams,
    smoother: Smoother,
    picture: Vec<u32>,
    kind: Option<SplatKind>,
    tones: Vec<f32>,
    histogram: Histogram,
    veil: u32,
    outside: usize,
    stages: [f64; 3],
}

impl CpuSplat {
    /// Splats rows and returns the picture: premultiplied sRGB, packed, `[height, width]`. Where it goes on, they come on top of what is there.
    pub fn draw(&mut self, frame: &FrameUniform, grid: Gridded<'_>, rows: SplatRows<'_>, heat: &HeatMap, goes_on: bool) -> &[u32] {
        self.draw_tile(frame, frame.viewport.map(|edge| edge as usize), grid, (rows, heat), goes_on, Tones::Own)
    }

    /// The same of a tile of `tile` pixels; its tones are told by what all tiles have.
    pub(super) fn draw_tile(
        &mut self,
        frame: &FrameUniform,
        tile: [usize; 2],
        grid: Gridded<'_>,
        (rows, heat): (SplatRows<'_>, &HeatMap),
        goes_on: bool,
        tones: Tones,
    ) -> &[u32] {
        let started = Instant::now();
        let Gridded { plan, kind, dimensions, .. } = grid;
        let params = plan.params;
        let size = frame.viewport;
        let clip = frame.clip_from_layout();
        (self.kind, self.params) = (Some(kind), params);
        let before = if goes_on { self.outside } else { 0 };
        let splat = |cpu: &mut Self| match dimensions {
            Dimensions::Two => cpu.accumulate(&PlaneProjector::new(clip, size, &params), frame, (params, kind, goes_on), rows),
            Dimensions::Three => cpu.accumulate(&SpaceProjector::new(clip, size, &params), frame, (params, kind, goes_on), rows),
        };
        self.has_chosen = rows.chosen.is_some();
        self.outside = before + splat(self);
        merge(&mut self.all);
        let splatted = Instant::now();
        let histogram = match kind {
            SplatKind::Density => {
                merge(&mut self.counts);
                let counts = self.counts.first().map_or(&[][..], Vec::as_slice);
                if params.reach > 0 {
                    self.smoother.smooth(plan, counts);
                    Histogram::of_own(&self.smoother.values, &params)
                } else {
                    Histogram::of_own(counts, &params)
                }
            }
            SplatKind::Colors | SplatKind::Lines if params.classes > 0 => {
                merge(&mut self.classes);
                histogram_of(&self.classes, params.sums_each(), |cell| class_count(cell, &params), &params)
            }
            SplatKind::Colors | SplatKind::Lines => {
                merge(&mut self.sums);
                histogram_of(&self.sums, 1, |cell| cell.iter().map(Cell::count).sum(), &params)
            }
        };
        let merged = Instant::now();
        match tones {
            Tones::Own | Tones::Gathered { is_first: true } => self.histogram = histogram,
            Tones::Gathered { is_first: false } => self.histogram = std::mem::take(&mut self.histogram).and(&histogram),
            Tones::Kept => {}
        }
        self.tones = tone::curve(&self.histogram, params.faint).to_vec();
        self.paint(grid, tile, heat);
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        self.stages = [ms(started, splatted), ms(splatted, merged), ms(merged, Instant::now())];
        &self.picture
    }

    /// Colours the cells once more, where the veil is another than before.
    pub fn repaint(&mut self, grid: Gridded<'_>, size: [u32; 2], heat: &HeatMap) {
        if self.veil != grid.plan.params.veil {
            self.paint(grid, size.map(|edge| edge as usize), heat);
        }
    }

    fn paint(&mut self, Gridded { plan, kind, palette, .. }: Gridded<'_>, size: [usize; 2], heat: &HeatMap) {
        let params = plan.params;
        self.veil = params.veil;
        let Ok(tones) = <&[f32; BUCKETS]>::try_from(self.tones.as_slice()) else { return };
        let alphas = tone::opacities(tones);
        let veiled = |color: u32| if params.veil == 0 { color } else { tone::veiled(color, params.veil) };
        if kind == SplatKind::Density {
            let counts = self.counts.first().map_or(&[][..], Vec::as_slice);
            let values = if params.reach > 0 { &self.smoother.values } else { counts };
            DensityPainter { values, params, tones, heat }.paint(&mut self.picture, size);
        } else if params.classes > 0 {
            let palette: Vec<[f32; 3]> = palette
                .iter()
                .map(|color| color.to_le_bytes().map(|channel| f32::from(channel) / 255.0))
                .map(|[r, g, b, _]| [r, g, b])
                .collect();
            paint_cells((&self.classes, params.sums_each()), &params, size, &mut self.picture, |cell| {
                let count = class_count(cell, &params);
                if count == 0 { 0 } else { veiled(tone::class_color(cell, &palette, &params, alphas[tone::bucket_of(count)])) }
            });
        } else {
            let is_exact = params.mode == EXACT_COLORS;
            paint_cells((&self.sums, 1), &params, size, &mut self.picture, |cell| match cell {
                &[[r, g, b, count]] if count > 0 => {
                    veiled(tone::mean_color([r, g, b], count, params.levels, alphas[tone::bucket_of(count)], is_exact))
                }
                _ => 0,
            });
        }
        if self.has_chosen {
            let values = self.all.first().map_or(&[][..], Vec::as_slice);
            DensityPainter { values, params, tones, heat }.lay_grey_under(&mut self.picture, size);
        }
    }

    /// The tone of each bucket of the newest picture's values.
    #[must_use]
    pub fn tones(&self) -> Option<&[f32; BUCKETS]> {
        self.tones.as_slice().try_into().ok()
    }

    /// The newest picture.
    #[must_use]
    pub fn picture(&self) -> &[u32] {
        &self.picture
    }

    /// Milliseconds of the newest picture's stages.
    #[must_use]
    pub fn stages_ms(&self) -> [(&'static str, f64); 3] {
        let [splat, sum, resolve] = self.stages;
        [("splat", splat), ("sum", sum), ("resolve", resolve)]
    }

    /// The newest grid's counts, of the chosen rows where some are. `[height, width]`
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        match self.kind {
            None => Vec::new(),
            Some(SplatKind::Density) => self.counts.first().cloned().unwrap_or_default(),
            Some(SplatKind::Colors | SplatKind::Lines) if self.params.classes > 0 => {
                self.classes().map(|cell| class_count(cell, &self.params)).collect()
            }
            Some(SplatKind::Colors | SplatKind::Lines) => {
                self.sums.first().map_or_else(Vec::new, |cells| cells.iter().map(Cell::count).collect())
            }
        }
    }

    /// The newest grid's smoothed densities, where it was smoothed. `[height, width]`
    #[must_use]
    pub fn smoothed(&self) -> &[u32] {
        &self.smoother.values
    }

    /// The newest grid's sums of red, green and blue. `[height, width, 3]`
    #[must_use]
    pub fn sums(&self) -> Vec<[u32; 3]> {
        self.sums.first().map_or_else(Vec::new, |cells| cells.iter().map(|&[r, g, b, _]| [r, g, b]).collect())
    }

    /// Of each cell of the newest grid the rows of each class, and the sum of haze behind them. `[height, width, params.sums_each()]`
    pub fn classes(&self) -> impl Iterator<Item = &[u32]> {
        self.classes.first().map_or(&[][..], Vec::as_slice).chunks_exact(self.params.sums_each())
    }

    /// Rows that were splatted, those outside of the picture among them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.all_counts().into_iter().map(|count| count as usize).sum::<usize>() + self.outside
    }

    /// The newest grid's counts of all rows, chosen or not. `[height, width]`
    #[must_use]
    pub fn all_counts(&self) -> Vec<u32> {
        if self.has_chosen { self.all.first().cloned().unwrap_or_default() } else { self.counts() }
    }

    /// Adds up rows in as many parts as there are threads; returns how many fell outside.
    fn accumulate(
        &mut self,
        projector: &impl Projector,
        frame: &FrameUniform,
        (params, kind, goes_on): (SplatParams, SplatKind, bool),
        rows: SplatRows<'_>,
    ) -> usize {
        let plan = Rows { params, rows: rows.positions.len(), each: 1, goes_on };
        let Some(chosen) = rows.chosen else { return self.accumulate_those(projector, frame, (&plan, kind), rows, |_| true) };
        let SplatRows { positions, tracks, .. } = rows;
        let outside = if kind == SplatKind::Lines {
            plan.splat(&mut self.all, |cells, row| {
                line_from(projector, positions, tracks, row, |begin, end, _| {
                    lines::walk(begin, end, &params, |cell| add_to(cells, cell, ()))
                });
                true
            })
        } else {
            plan.splat(&mut self.all, |cells, row| {
                let cell = projector.cell(positions[row]).and_then(|(cell, _)| cells.get_mut(cell));
                cell.map(|cell| cell.add(())).is_some()
            })
        };
        self.accumulate_those(projector, frame, (&plan, kind), rows, |row| chosen.contains(row));
        outside
    }

    /// The same of the rows that `is_wanted` says alone; the others do not count as outside.
    fn accumulate_those(
        &mut self,
        projector: &impl Projector,
        frame: &FrameUniform,
        (plan, kind): (&Rows, SplatKind),
        rows: SplatRows<'_>,
        is_wanted: impl Fn(usize) -> bool + Sync,
    ) -> usize {
        let params = plan.params;
        let SplatRows { positions, colors, tracks, .. } = rows;
        let mixer = Mixer::new(frame, params.levels);
        let is_plain = mixer.is_plain();
        let ink = |row: usize, w: f32| {
            if is_plain {
                let [r, g, b, _] = colors[row].to_le_bytes().map(u32::from);
                return [r, g, b, 1];
            }
            mixer.ink(colors[row], tracks[row], w)
        };
        match kind {
            SplatKind::Density => plan.splat(&mut self.counts, |cells, row| {
                if !is_wanted(row) {
                    return true;
                }
                let cell = projector.cell(positions[row]).and_then(|(cell, _)| cells.get_mut(cell));
                cell.map(|cell| cell.add(())).is_some()
            }),
            SplatKind::Colors if params.classes > 0 => {
                let (plan, each) = (plan.of_classes(), params.sums_each());
                plan.splat(&mut self.classes, |cells, row| {
                    if !is_wanted(row) {
                        return true;
                    }
                    let cell = projector
                        .cell(positions[row])
                        .and_then(|(cell, w)| cells.get_mut(cell * each..(cell + 1) * each).map(|cell| (cell, w)));
                    cell.map(|(cell, w)| add_class(cell, colors[row], &params, || mixer.haze(w))).is_some()
                })
            }
            SplatKind::Lines if params.classes > 0 => {
                let (plan, each) = (plan.of_classes(), params.sums_each());
                plan.splat(&mut self.classes, |cells, row| {
                    if is_wanted(row) {
                        line_from(projector, positions, tracks, row, |begin, end, w| {
                            let haze = mixer.haze(w);
                            lines::walk(begin, end, &params, |cell| {
                                if let Some(cell) = cells.get_mut(cell * each..(cell + 1) * each) {
                                    add_class(cell, colors[row], &params, || haze);
                                }
                            });
                        });
                    }
                    true
                })
            }
            SplatKind::Colors => plan.splat(&mut self.sums, |cells, row| {
                if !is_wanted(row) {
                    return true;
                }
                let cell = projector.cell(positions[row]).and_then(|(cell, w)| cells.get_mut(cell).map(|cell| (cell, w)));
                cell.map(|(cell, w)| cell.add(ink(row, w))).is_some()
            }),
            SplatKind::Lines => plan.splat(&mut self.sums, |cells, row| {
                if is_wanted(row) {
                    line_from(projector, positions, tracks, row, |begin, end, w| {
                        let ink = ink(row, w);
                        lines::walk(begin, end, &params, |cell| add_to(cells, cell, ink));
                    });
                }
                true
            }),
        }
    }
}

/// Hands on the ends of the line from a row to the next of its track, where both are seen, and clip-space w of the first.
#[inline]
fn line_from(projector: &impl Projector, positions: &[[f32; 3]], tracks: &[u32], row: usize, draw: impl FnOnce([f32; 2], [f32; 2], f32)) {
    let next = positions.get(row + 1).filter(|_| tracks[row] == tracks[row + 1]);
    if let Some(&next) = next
        && let (Some((begin, w)), Some((end, _))) = (projector.place(positions[row]), projector.place(next))
    {
        draw(begin, end, w);
    }
}

#[inline]
fn add_to<C: Cell>(cells: &mut [C], cell: usize, ink: C::Ink) {
    if let Some(cell) = cells.get_mut(cell) {
        cell.add(ink);
    }
}

/// Adds a row to a cell that counts classes.
#[inline]
fn add_class(cell: &mut [u32], color: u32, params: &SplatParams, haze: impl FnOnce() -> u32) {
    let slot = (color >> 24).min(params.classes.saturating_sub(1)) as usize;
    if let Some(count) = cell.get_mut(slot) {
        *count += 1;
    }
    if params.haze != 0
        && let Some(sum) = cell.get_mut(params.classes as usize)
    {
        *sum += haze();
    }
}

/// Rows in a cell that counts classes.
#[inline]
fn class_count(cell: &[u32], params: &SplatParams) -> u32 {
    cell.iter().take(params.classes as usize).sum()
}
