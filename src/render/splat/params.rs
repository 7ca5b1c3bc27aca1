//! What the passes of a splat share: how its grid lies over the picture, and how its counts are smoothed.

use bytemuck::{Pod, Zeroable};

/// Cells behind the last one of the grid that count the rows outside of it. Twin of `OUTSIDE_CELLS` in `shaders/shared/splat.wgsl`.
pub const OUTSIDE_CELLS: usize = 256;
/// Rows that follow one another and are splatted together. Twin of `RUN` there.
pub const RUN: usize = 16;
/// What a row adds to a smoothed density, all cells together. Twin of `UNIT` there.
pub const UNIT: f32 = 4096.0;
/// The mode whose means are not brought away from grey. Twin of `EXACT_COLORS` there.
pub const EXACT_COLORS: u32 = 2;
/// Most cells that smoothing reaches to either side.
pub const MOST_REACH: usize = 10;

/// Deviations of the smoothing, in cells, within which cells are as large as a pixel; beyond, cells grow along.
const FINEST_CELLS: f32 = 2.0;
/// Deviations that smoothing reaches: 99 % of a row's weight.
const REACH_DEVIATIONS: f32 = 2.5;
/// Smoothing that is less than this many pixels is left out.
const LEAST_PIXELS: f32 = 0.8;
/// Smoothing from which on lines of equal density can be drawn: with less they would follow single rows.
const LINE_PIXELS: f32 = 4.0;
/// Steps of tone between which there are lines.
const LINES: u32 = 8;

/// What a picture shows of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SplatKind {
    /// A heat map of the counts.
    Density,
    /// The mean of the rows' colours, opaque where there are many.
    Colors,
    /// The same of the lines through each track's rows, a cell for each column or row of pixels that a line crosses.
    Lines,
}

impl SplatKind {
    /// Whether cells have sums of colours beside their counts.
    #[must_use]
    pub fn has_colors(self) -> bool {
        self != Self::Density
    }
}

/// Twin of `SplatParams` in `shaders/shared/splat.wgsl`, whose layout `tests/shader_layout.rs` compares with this one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SplatParams {
    /// Every `stride`-th run of [`RUN`] rows is splatted.
    pub stride: u32,
    /// The first run.
    pub phase: u32,
    /// Cells across.
    pub width: u32,
    /// Cells in all, without those outside.
    pub cells: u32,
    /// What a full colour channel adds to a sum.
    pub levels: u32,
    /// 0: [`SplatKind::Density`]; 1: [`SplatKind::Colors`] and [`SplatKind::Lines`]; [`EXACT_COLORS`]: these, but that means stay as they are.
    pub mode: u32,
    /// Edge of a cell in pixels.
    pub cell: u32,
    /// Cells around the picture, whose rows smoothing brings in.
    pub margin: u32,
    /// The least value of a cell that counts as lit; what is below fades out.
    pub faint: u32,
    /// Cells that smoothing reaches to either side; 0: none.
    pub reach: u32,
    /// Steps of tone with a line between each two; 0: no lines.
    pub lines: u32,
    /// What colours step back toward while a track stands out, packed sRGB; 0: they do not.
    pub veil: u32,
    /// Where in the counts those of the chosen rows begin, which are what is toned then; 0: nothing is chosen.
    pub first: u32,
    /// A count of so many octaves has the strongest grey of those that are not chosen.
    pub octaves: u32,
    /// That grey, packed sRGB.
    pub grey: u32,
    /// Classes that cells count, the last of which is of rows in none; 0: cells add up colours.
    pub classes: u32,
    /// Where a space's far rows go, packed sRGB: cells count their haze behind the classes; 0: they do not.
    pub haze: u32,
    /// 0.
    pub unused0: u32,
    /// 0.
    pub unused1: u32,
    /// 0.
    pub unused2: u32,
    /// Where the grid's first cell lies in the grid of the whole picture: 0 and 0 but for tiles.
    pub corner: [u32; 2],
    /// Where the target's first pixel lies in the whole picture.
    pub origin: [u32; 2],
    /// Left and top of the cells that are this grid's own, and right and bottom, past the last; tiles share the others.
    pub own: [u32; 4],
}

/// A grid over a picture, with the weights of its smoothing.
#[derive(Clone, Debug, PartialEq)]
pub struct SplatPlan {
    /// The parameters.
    pub params: SplatParams,
    /// The share of a row that cells along an axis get, by their distance; the shares of both sides add up to 1. Empty: no smoothing.
    pub weights: Vec<f32>,
}

impl SplatPlan {
    /// For a picture of `size` pixels of `rows` rows, each cell a pixel.
    #[must_use]
    pub fn new(size: [u32; 2], rows: usize, kind: SplatKind) -> Self {
        let params = SplatParams {
            stride: 1,
            phase: 0,
            width: size[0],
            cells: size[0] * size[1],
            levels: color_levels(rows),
            mode: u32::from(kind.has_colors()),
            cell: 1,
            margin: 0,
            faint: 1,
            reach: 0,
            lines: 0,
            veil: 0,
            first: 0,
            octaves: 1,
            grey: 0,
            classes: 0,
            haze: 0,
            unused0: 0,
            unused1: 0,
            unused2: 0,
            corner: [0, 0],
            origin: [0, 0],
            own: [0, 0, size[0], size[1]],
        };
        Self { params, weights: Vec::new() }
    }

    /// For a density whose rows are spread by a normal distribution (a kernel density estimate: Silverman, "Density Estimation for Statistics
    /// and Data Analysis", 1986) of a deviation of `pixels`; where that is many, a cell is several pixels.
    #[must_use]
    pub fn smooth(size: [u32; 2], rows: usize, pixels: f32) -> Self {
        let plan = Self::new(size, rows, SplatKind::Density);
        if pixels.is_nan() || pixels < LEAST_PIXELS {
            return plan;
        }
        let cell = (pixels / FINEST_CELLS).floor().max(1.0);
        let deviation = (pixels / cell).min(MOST_REACH as f32 / REACH_DEVIATIONS);
        let reach = (REACH_DEVIATIONS * deviation).ceil() as usize;
        let mut weights: Vec<f32> = (0..=reach).map(|away| (-0.5 * (away as f32 / deviation).powi(2)).exp()).collect();
        let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let [width, height] = size.map(|edge| edge.div_ceil(cell as u32) + 2 * reach as u32);
        let params = SplatParams {
            width,
            cells: width * height,
            cell: cell as u32,
            margin: reach as u32,
            // Half of what the middle of a single row has.
            faint: ((0.5 * UNIT * weights[0] * weights[0]) as u32).max(1),
            reach: reach as u32,
            lines: if pixels >= LINE_PIXELS { LINES } else { 0 },
            own: [0, 0, width, height],
            ..plan.params
        };
        Self { params, weights }
    }

    /// The part of the grid that a tile of the picture needs: what its pixels show and what smoothing brings in there. Together, the tiles' own
    /// cells are the grid's, each once.
    #[must_use]
    pub fn of_tile(&self, origin: [u32; 2], size: [u32; 2], picture: [u32; 2]) -> Self {
        let whole = self.params;
        let (cell, margin, reach) = (whole.cell, whole.margin, whole.reach);
        let along = |axis: usize, cells: u32| {
            let (begin, end) = (origin[axis], origin[axis] + size[axis]);
            // Pixels lie between cells' middles where cells are larger, and lines look at the next pixel.
            let first = (begin / cell + margin).saturating_sub(1 + reach);
            let last = (end / cell + margin + 3 + reach).min(cells);
            let own_first = if begin == 0 { 0 } else { begin / cell + margin };
            let own_last = if end >= picture[axis] { cells } else { end / cell + margin };
            [first, last - first, own_first - first, own_last - first]
        };
        let ([x, width, left, right], [y, height, top, bottom]) = (along(0, whole.width), along(1, whole.height()));
        let params = SplatParams { width, cells: width * height, corner: [x, y], origin, own: [left, top, right, bottom], ..whole };
        Self { params, weights: self.weights.clone() }
    }
}

impl SplatParams {
    /// The same where some of `rows` rows are chosen: they are counted a second time, and stand out from all of them in `grey`.
    #[must_use]
    pub fn with_chosen(self, rows: usize, grey: u32) -> Self {
        Self { first: self.cells + OUTSIDE_CELLS as u32, octaves: rows.max(1).ilog2() + 1, grey, ..self }
    }

    /// The same for cells that count so many classes; `haze`: see [`Self::haze`].
    #[must_use]
    pub fn with_classes(self, classes: usize, haze: u32) -> Self {
        Self { classes: classes as u32, haze: if classes > 0 { haze } else { 0 }, ..self }
    }

    /// Values that a cell has beside its count: sums of red, green and blue, or counts of classes and the sum of haze.
    #[must_use]
    pub fn sums_each(&self) -> usize {
        if self.classes == 0 { 3 } else { self.classes as usize + usize::from(self.haze != 0) }
    }

    /// Counts that there are: of all cells, of what is outside, and of the chosen rows once more.
    #[must_use]
    pub fn counts(&self) -> usize {
        self.cells as usize + OUTSIDE_CELLS + if self.first > 0 { self.cells as usize } else { 0 }
    }

    /// Cells from top to bottom.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.cells / self.width.max(1)
    }

    /// Whether all cells are the grid's own.
    #[must_use]
    pub fn owns_all(&self) -> bool {
        self.own == [0, 0, self.width, self.height()]
    }

    /// Runs that `rows` rows have in this part of them.
    #[must_use]
    pub fn runs(&self, rows: usize) -> usize {
        rows.div_ceil(RUN).saturating_sub(self.phase as usize).div_ceil(self.stride.max(1) as usize)
    }
}

impl SplatParams {
    /// Rows of `rows` that are in this part of them.
    #[must_use]
    pub fn rows_of(&self, rows: usize) -> usize {
        let stride = self.stride.max(1) as usize;
        let last_run = rows.div_ceil(RUN).saturating_sub(1);
        // The last run may be shorter than the others.
        let missing = if last_run % stride == self.phase as usize { (last_run + 1) * RUN - rows } else { 0 };
        (self.runs(rows) * RUN).saturating_sub(missing)
    }
}

/// What a full colour channel may add to a sum of 32 bits, so that all rows fit into one pixel: 255 up to 16.8 million rows.
#[must_use]
pub fn color_levels(rows: usize) -> u32 {
    u32::try_from(u32::MAX as usize / rows.max(1)).unwrap_or(u32::MAX).clamp(1, 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_all_rows_are_all_rows() {
        for rows in [0, 1, 15, 16, 17, 1000, 4097] {
            for stride in [1, 2, 3, 7] {
                let whole = SplatPlan::new([10, 10], rows, SplatKind::Density).params;
                let parts: Vec<_> = (0..stride).map(|phase| SplatParams { stride, phase, ..whole }).collect();
                let runs: usize = parts.iter().map(|part| part.runs(rows)).sum();
                assert_eq!(runs, rows.div_ceil(RUN), "{rows} rows in {stride} parts");
                let counted: usize = parts.iter().map(|part| part.rows_of(rows)).sum();
                assert_eq!(counted, rows, "in {stride} parts");
            }
        }
    }

    #[test]
    fn sums_of_colours_hold_every_row_in_one_pixel() {
        for rows in [1, 1_000_000, 16_843_009, 16_843_010, 100_000_000] {
            assert!(u64::from(color_levels(rows)) * rows as u64 <= u64::from(u32::MAX), "{rows}");
        }
        assert_eq!(color_levels(14_089_712), 255);
    }

    #[test]
    fn smoothing_has_the_deviation_that_is_asked_for_and_covers_the_picture() {
        assert_eq!(SplatPlan::smooth([64, 48], 10, 0.3), SplatPlan::new([64, 48], 10, SplatKind::Density));
        for pixels in [0.9, 2.0, 5.9, 6.0, 17.0, 40.0] {
            let SplatPlan { params, weights } = SplatPlan::smooth([641, 480], 10, pixels);
            let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
            let variance: f32 = (0..).zip(&weights).map(|(away, weight)| 2.0 * (away as f32).powi(2) * weight).sum();
            let deviation = variance.sqrt() * params.cell as f32;
            assert!((sum - 1.0).abs() < 1e-5 && (deviation / pixels - 1.0).abs() < 0.08, "{pixels}: {deviation}");
            assert!(weights.len() <= MOST_REACH + 1);
            assert!((params.width - 2 * params.margin) * params.cell >= 641 && (params.height() - 2 * params.margin) * params.cell >= 480);
        }
    }

    #[test]
    fn tiles_own_each_cell_once_and_have_what_smoothing_needs_around_it() {
        for pixels in [0.0, 0.9, 3.0, 9.7, 23.0] {
            let picture = [301, 190];
            let plan = SplatPlan::smooth(picture, 500, pixels);
            for tile in [[64, 64], [100, 37], [301, 190]] {
                let mut owners = vec![0; plan.params.cells as usize];
                for y in (0..picture[1]).step_by(tile[1] as usize) {
                    for x in (0..picture[0]).step_by(tile[0] as usize) {
                        let size = [tile[0].min(picture[0] - x), tile[1].min(picture[1] - y)];
                        let SplatParams { corner: first, own, width, reach, .. } = plan.of_tile([x, y], size, picture).params;
                        let height = plan.of_tile([x, y], size, picture).params.height();
                        for row in own[1]..own[3] {
                            for column in own[0]..own[2] {
                                owners[((first[1] + row) * plan.params.width + first[0] + column) as usize] += 1;
                            }
                        }
                        let is_far = |from: u32, first: u32| first == 0 || from >= reach;
                        assert!(is_far(own[0], first[0]) && is_far(own[1], first[1]));
                        assert!(own[2] + reach <= width || first[0] + width == plan.params.width);
                        assert!(own[3] + reach <= height || first[1] + height == plan.params.height());
                    }
                }
                assert!(owners.iter().all(|&count| count == 1), "{pixels} {tile:?}");
            }
        }
    }
}
