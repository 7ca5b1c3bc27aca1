//! Cells to pixels on the CPU: the twin of `shaders/splat_resolve.wgsl`.

use rayon::prelude::*;

use super::cells::{BAND, Cell};
use super::params::SplatParams;
use super::tone::{self, BUCKETS};

/// Colours the first part's cells; empty ones are transparent.
pub(super) fn resolve<C: Cell>(parts: &[Vec<C>], picture: &mut Vec<u32>, color: impl Fn(&C) -> u32 + Sync) {
    let cells = parts.first().map_or(&[][..], Vec::as_slice);
    picture.resize(cells.len(), 0);
    picture.par_chunks_mut(BAND).zip(cells.par_chunks(BAND)).for_each(|(pixels, cells)| {
        pixels.iter_mut().zip(cells).for_each(|(pixel, cell)| *pixel = if cell.count() == 0 { 0 } else { color(cell) });
    });
}

/// Colours a smoothed density, `width` pixels a row; between the middles of cells that are larger than pixels it is bilinear.
pub(super) fn resolve_smooth(values: &[u32], params: SplatParams, colors: &[u32; BUCKETS], picture: &mut [u32], width: usize) {
    let (across, margin, cell) = (params.width as usize, params.margin as usize, params.cell as f32);
    let color = |value: u32| {
        let color = if value == 0 { 0 } else { colors[tone::bucket_of(value)] };
        if value >= params.faint { color } else { tone::faded(color, value as f32 / params.faint as f32) }
    };
    let row_of = |y: usize| values.get(y * across..(y + 1) * across).unwrap_or_default();
    // A pixel's middle in cells, from the middle of the first.
    let place = |pixel: usize| (pixel as f32 + 0.5) / cell + margin as f32 - 0.5;
    let color_row = |(y, pixels): (usize, &mut [u32])| {
        if params.cell == 1 {
            let cells = row_of(y + margin).get(margin..).unwrap_or_default();
            pixels.iter_mut().zip(cells).for_each(|(pixel, &value)| *pixel = color(value));
            return;
        }
        let at = place(y);
        let (above, below) = (row_of(at as usize), row_of(at as usize + 1));
        let mixed: Vec<f32> = above.iter().zip(below).map(|(&a, &b)| a as f32 + (b as f32 - a as f32) * at.fract()).collect();
        for (x, pixel) in pixels.iter_mut().enumerate() {
            let at = place(x);
            let (left, right) = (mixed.get(at as usize), mixed.get(at as usize + 1));
            let (left, right) = (left.copied().unwrap_or(0.0), right.copied().unwrap_or(0.0));
            *pixel = color((left + (right - left) * at.fract()) as u32);
        }
    };
    picture.par_chunks_mut(width.max(1)).enumerate().for_each(color_row);
}
