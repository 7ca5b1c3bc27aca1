//! Smoothing on the CPU: the twin of `shaders/splat_smooth_rows.wgsl` and `splat_smooth_columns.wgsl`.

use rayon::prelude::*;

use super::params::{SplatParams, SplatPlan, UNIT};

/// What smoothing needs between its two passes, and what comes of it. Kept from frame to frame.
#[derive(Debug, Default)]
pub struct Smoother {
    rows: Vec<f32>,
    /// The smoothed density, [`UNIT`] for a row. `[height, width]`
    pub values: Vec<u32>,
}

impl Smoother {
    /// Spreads counts along both axes.
    pub fn smooth(&mut self, plan: &SplatPlan, counts: &[u32]) {
        let SplatPlan { params: SplatParams { width, .. }, weights } = plan;
        let (width, Some((&middle, sides))) = (*width as usize, weights.split_first()) else { return };
        let reach = sides.len();
        self.rows.resize(counts.len(), 0.0);
        self.rows.par_chunks_mut(width).zip(counts.par_chunks(width)).for_each(|(row, counts)| {
            if counts.iter().all(|&count| count == 0) {
                row.fill(0.0);
                return;
            }
            let mut padded = vec![0.0; width + 2 * reach];
            padded[reach..reach + width].iter_mut().zip(counts).for_each(|(value, &count)| *value = count as f32);
            row.iter_mut().zip(&padded[reach..]).for_each(|(sum, value)| *sum = middle * value);
            for (away, &weight) in (1..).zip(sides) {
                let (left, right) = (&padded[reach - away..], &padded[reach + away..]);
                row.iter_mut().zip(left).zip(right).for_each(|((sum, left), right)| *sum += weight * (left + right));
            }
        });
        self.values.resize(counts.len(), 0);
        let rows = &self.rows;
        let row_of = |y: usize| rows.get(y * width..(y + 1) * width).unwrap_or_default();
        self.values.par_chunks_mut(width).enumerate().for_each(|(y, values)| {
            let mut sums: Vec<f32> = row_of(y).iter().map(|value| middle * value).collect();
            for (away, &weight) in (1..).zip(sides) {
                for other in [y.checked_sub(away), Some(y + away)].into_iter().flatten() {
                    sums.iter_mut().zip(row_of(other)).for_each(|(sum, value)| *sum += weight * value);
                }
            }
            values.iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum * UNIT) as u32);
        });
    }
}
