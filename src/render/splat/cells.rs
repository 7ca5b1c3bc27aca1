//! The cells of a splat on the CPU, and rows that are added to them in parts.

use rayon::prelude::*;

use super::params::{RUN, SplatParams};
use super::tone::Histogram;

/// Parts that rows are divided into at most; each has a picture's worth of cells.
const MOST_PARTS: usize = 8;
/// Cells that are added up or coloured in one go.
pub(super) const BAND: usize = 1 << 14;

/// A cell: a count, or the sums of red, green and blue with the count behind them.
pub(super) trait Cell: Copy + Default + Send + Sync {
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

/// How rows are gone over.
pub(super) struct Rows {
    /// Which of them, and into which cells.
    pub(super) params: SplatParams,
    /// How many there are.
    pub(super) rows: usize,
    /// Values that a cell has.
    pub(super) each: usize,
    /// Whether they come on top of what is in the cells.
    pub(super) goes_on: bool,
}

impl Rows {
    /// The same for cells that count classes.
    pub(super) fn of_classes(&self) -> Self {
        Self { each: self.params.sums_each(), ..*self }
    }

    /// Adds rows to the parts; returns how many fell outside. `add` adds a row to cells and says whether it is in one.
    pub(super) fn splat<C: Cell>(&self, parts: &mut Vec<Vec<C>>, add: impl Fn(&mut [C], usize) -> bool + Sync) -> usize {
        let runs = self.params.runs(self.rows);
        parts.resize_with(rayon::current_num_threads().clamp(1, MOST_PARTS), Vec::new);
        let runs_each = runs.div_ceil(parts.len());
        let (stride, values) = (self.params.stride.max(1) as usize, self.params.cells as usize * self.each);
        let first_run = self.params.phase as usize;
        let splat_rows = |cells: &mut [C], rows: std::ops::Range<usize>| -> usize { rows.map(|row| usize::from(!add(cells, row))).sum() };
        let splat_part = |(part, cells): (usize, &mut Vec<C>)| {
            // All parts but the first are empty since they were added to it.
            if cells.len() != values || (part == 0 && !self.goes_on) {
                cells.clear();
                cells.resize(values, C::default());
            }
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

/// Adds all parts to the first, and empties the others: what is splatted next comes on top.
pub(super) fn merge<C: Cell>(parts: &mut [Vec<C>]) {
    let Some((first, rest)) = parts.split_first_mut() else { return };
    for other in rest {
        first.par_chunks_mut(BAND).zip(other.par_chunks_mut(BAND)).for_each(|(cells, others)| {
            cells.iter_mut().zip(others).for_each(|(cell, more)| {
                cell.merge(more);
                *more = C::default();
            });
        });
    }
}

/// Own cells of `each` values by their counts.
pub(super) fn histogram_of<C: Cell>(parts: &[Vec<C>], each: usize, count: impl Fn(&[C]) -> u32 + Sync, params: &SplatParams) -> Histogram {
    let band = |cells: &[C]| {
        let mut histogram = Histogram::default();
        cells.chunks_exact(each).for_each(|cell| histogram.add(count(cell), 1));
        histogram
    };
    let cells = parts.first().map_or(&[][..], Vec::as_slice);
    if !params.owns_all() {
        let [left, top, right, bottom] = params.own.map(|cell| cell as usize);
        let rows = cells.par_chunks(params.width.max(1) as usize * each).take(bottom).skip(top);
        return rows
            .map(|row| band(row.get(left * each..right * each).unwrap_or_default()))
            .reduce(Histogram::default, |all, row| all.and(&row));
    }
    cells.par_chunks(BAND * each).map(band).reduce(Histogram::default, |all, band| all.and(&band))
}
