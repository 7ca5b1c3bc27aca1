//! Cells to pixels on the CPU: the twin of `shaders/splat_resolve.wgsl`.

use rayon::prelude::*;

use super::cells::Cell;
use super::params::SplatParams;
use super::tone::{self, BUCKETS};
use crate::scene::HeatMap;

/// Rows of a picture that one thread colours in one go.
const BAND_ROWS: usize = 16;
/// Steps a pixel below which a line fades: on a summit that just reaches a step it would be a speck.
const FLAT: f32 = 0.006;

/// Colours the first part's cells of `each` values, of which a picture of `size` pixels shows those from `params.origin` on; empty ones are
/// transparent.
pub(super) fn paint_cells<C: Cell>(
    (parts, each): (&[Vec<C>], usize),
    params: &SplatParams,
    size: [usize; 2],
    picture: &mut Vec<u32>,
    color: impl Fn(&[C]) -> u32 + Sync,
) {
    let cells = parts.first().map_or(&[][..], Vec::as_slice);
    let across = params.width as usize;
    let [left, top] = [0, 1].map(|axis| (params.origin[axis] - params.corner[axis]) as usize);
    picture.resize(size[0] * size[1], 0);
    picture.par_chunks_mut((BAND_ROWS * size[0]).max(1)).enumerate().for_each(|(band, pixels)| {
        for (y, pixels) in (band * BAND_ROWS + top..).zip(pixels.chunks_mut(size[0].max(1))) {
            let cells = cells.get((y * across + left) * each..).unwrap_or_default();
            pixels.iter_mut().zip(cells.chunks_exact(each)).for_each(|(pixel, cell)| *pixel = color(cell));
        }
    });
}

/// A density to colour.
pub(super) struct DensityPainter<'a> {
    /// Counts, or what smoothing made of them. `[height, width]`
    pub(super) values: &'a [u32],
    /// How they lie over the picture.
    pub(super) params: SplatParams,
    /// The tone of each bucket.
    pub(super) tones: &'a [f32; BUCKETS],
    /// The colour of each tone.
    pub(super) heat: &'a HeatMap,
}

impl DensityPainter<'_> {
    /// Colours a picture of `size` pixels.
    pub(super) fn paint(&self, picture: &mut Vec<u32>, size: [usize; 2]) {
        let [width, height] = size;
        picture.resize(width * height, 0);
        picture.par_chunks_mut((BAND_ROWS * width).max(1)).enumerate().for_each(|(band, pixels)| {
            let (mut here, mut below) = (Row::default(), Row::default());
            let first = band * BAND_ROWS;
            self.fill(&mut here, first, width + 1);
            for (y, pixels) in (first..).zip(pixels.chunks_mut(width.max(1))) {
                if self.params.lines > 0 {
                    self.fill(&mut below, y + 1, width + 1);
                } else if y > first {
                    self.fill(&mut here, y, width + 1);
                }
                for (x, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = self.color(&here, &below, x);
                }
                if self.params.lines > 0 {
                    std::mem::swap(&mut here, &mut below);
                }
            }
        });
    }

    /// Lays all rows in one grey under a picture of the chosen ones; the values are the counts of all.
    pub(super) fn lay_grey_under(&self, picture: &mut [u32], size: [usize; 2]) {
        let [width, _] = size;
        picture.par_chunks_mut((BAND_ROWS * width).max(1)).enumerate().for_each(|(band, pixels)| {
            let mut here = Row::default();
            for (y, pixels) in (band * BAND_ROWS..).zip(pixels.chunks_mut(width.max(1))) {
                self.fill(&mut here, y, width);
                for (pixel, &count) in pixels.iter_mut().zip(&here.values) {
                    *pixel = tone::over_grey(*pixel, count, &self.params);
                }
            }
        });
    }

    /// Values and tones of a row of pixels.
    fn fill(&self, row: &mut Row, y: usize, width: usize) {
        let (across, margin, cell) = (self.params.width as usize, self.params.margin as usize, self.params.cell as f32);
        let ([left, top], [first_x, first_y]) =
            (self.params.origin.map(|pixel| pixel as usize), self.params.corner.map(|cell| cell as usize));
        // Rows of cells by their number in the whole picture's grid, as is all that follows.
        let cells = |y: usize| {
            let y = y.saturating_sub(first_y);
            self.values.get(y * across..(y + 1) * across).unwrap_or_default()
        };
        let y = y + top;
        row.values.clear();
        if self.params.cell == 1 {
            let cells = cells(y + margin).get(margin + left - first_x..).unwrap_or_default();
            row.values.extend(cells.iter().take(width).map(|&value| value as f32));
        } else {
            // A pixel's middle in cells, from the middle of the first.
            let place = |pixel: usize| (pixel as f32 + 0.5) / cell + margin as f32 - 0.5;
            let at = place(y);
            row.between.clear();
            let pairs = cells(at as usize).iter().zip(cells(at as usize + 1));
            row.between.extend(pairs.map(|(&a, &b)| a as f32 + (b as f32 - a as f32) * at.fract()));
            let between = |at: usize| row.between.get(at.saturating_sub(first_x)).copied().unwrap_or(0.0);
            row.values.extend((left..left + width).map(|x| {
                let at = place(x);
                let left = between(at as usize);
                left + (between(at as usize + 1) - left) * at.fract()
            }));
        }
        row.tones.clear();
        row.tones.extend(row.values.iter().map(|&value| tone::tone_of(self.tones, value)));
    }

    /// A pixel's colour, with the line that is there.
    #[inline]
    fn color(&self, here: &Row, below: &Row, x: usize) -> u32 {
        let (Some(&value), Some(&tone)) = (here.values.get(x), here.tones.get(x)) else { return 0 };
        if value < 1.0 {
            return 0;
        }
        let mut color = tone::heat_color(self.heat, tone);
        if self.params.lines > 0 {
            let steps = self.params.lines as f32;
            let of = |row: &Row, x: usize| row.tones.get(x).map_or(0.0, |other| other - tone);
            let (right, down) = (of(here, x + 1), of(below, x));
            let nearest = (tone * steps + 0.5).floor();
            let rise = (right * right + down * down).sqrt() * steps;
            let away = (tone * steps - nearest).abs() / rise.max(1e-5);
            if nearest >= 1.0 && away < 1.0 {
                let part = 0.6 * (1.0 - away) * (rise / FLAT).min(1.0);
                color = tone::mixed(color, tone::heat_color(self.heat, tone::line_tone(tone)), part);
            }
        }
        let faint = self.params.faint as f32;
        if value >= faint { color } else { tone::faded(color, value / faint) }
    }
}

/// A row of pixels.
#[derive(Default)]
struct Row {
    values: Vec<f32>,
    tones: Vec<f32>,
    between: Vec<f32>,
}
