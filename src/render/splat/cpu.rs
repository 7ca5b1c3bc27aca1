//! The splat on the CPU: what software adapters draw with, and the twin of `shaders/splat_count.wgsl` and `splat_color.wgsl`.
//!
//! Each part of the rows has cells of its own, so that no two threads write the same, and the cells are added up at the end. Sums of whole
//! numbers: the picture is the same whatever the number of threads, and whatever the order of rows.

use std::time::Instant;

use glam::Mat4;

use super::cells::{Cell, Rows, merge};
use super::ink::Mixer;
use super::paint::{resolve, resolve_smooth};
use super::params::{SplatKind, SplatParams, SplatPlan};
use super::project::{PlaneProjector, Projector, SpaceProjector};
use super::smooth::Smoother;
use super::tone::{self, Histogram};
use crate::render::gpu_data::FrameUniform;
use crate::scene::{Dimensions, HeatMap};

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

/// The cells of a picture and what becomes of them. Kept from frame to frame, so that nothing is allocated.
#[derive(Debug, Default)]
pub struct CpuSplat {
    counts: Vec<Vec<u32>>,
    sums: Vec<Vec<[u32; 4]>>,
    smoother: Smoother,
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
        plan: &SplatPlan,
        kind: SplatKind,
        dimensions: Dimensions,
        rows: SplatRows<'_>,
        heat: &HeatMap,
    ) -> &[u32] {
        let started = Instant::now();
        let params = plan.params;
        let size = frame.viewport;
        let clip = Mat4::from_cols_array_2d(&frame.clip_from_layout);
        self.kind = Some(kind);
        self.outside = match dimensions {
            Dimensions::Two => self.accumulate(&PlaneProjector::new(clip, size, &params), frame, params, kind, rows),
            Dimensions::Three => self.accumulate(&SpaceProjector::new(clip, size, &params), frame, params, kind, rows),
        };
        let splatted = Instant::now();
        let mut histogram = match kind {
            SplatKind::Density => merge(&mut self.counts),
            SplatKind::Colors => merge(&mut self.sums),
        };
        if params.reach > 0 {
            let counts = self.counts.first().map_or(&[][..], Vec::as_slice);
            self.smoother.smooth(plan, counts);
            histogram = Histogram::of(&self.smoother.values, params.faint);
        }
        let merged = Instant::now();
        let tones = tone::curve(&histogram, params.faint);
        match kind {
            SplatKind::Density => {
                let colors = tone::heat_colors(&tones, heat);
                if params.reach > 0 {
                    let [width, height] = size.map(|edge| edge as usize);
                    self.picture.resize(width * height, 0);
                    resolve_smooth(&self.smoother.values, params, &colors, &mut self.picture, width);
                } else {
                    resolve(&self.counts, &mut self.picture, |&count| colors[tone::bucket_of(count)]);
                }
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

    /// The newest grid's counts, `[height, width]`.
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        match self.kind {
            None => Vec::new(),
            Some(SplatKind::Density) => self.counts.first().cloned().unwrap_or_default(),
            Some(SplatKind::Colors) => self.sums.first().map_or_else(Vec::new, |cells| cells.iter().map(Cell::count).collect()),
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
        let plan = Rows { params, rows: rows.positions.len() };
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
