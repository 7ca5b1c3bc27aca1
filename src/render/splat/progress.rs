//! What of a splat is drawn in a frame: a moving picture is a fair part of the rows, a still one goes on until all of them are in.

use super::params::{SplatKind, SplatParams};
use crate::render::gpu_data::FrameUniform;
use crate::scene::Theme;

/// Most parts that rows are divided into.
const MOST_PARTS: f64 = 64.0;

/// All that a picture depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// The eye and the picture's size.
    pub frame: FrameUniform,
    /// The grid.
    pub params: SplatParams,
    /// Colours.
    pub theme: Theme,
    /// What cells hold.
    pub kind: SplatKind,
    /// The scene's revision, its layout's, its choice's, and how far a morph is.
    pub revisions: [u64; 4],
    /// Whether the CPU draws.
    pub is_cpu: bool,
}

/// A frame's share of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Rows are divided into so many parts.
    pub stride: u32,
    /// And this one is added; `None`: all were.
    pub phase: Option<u32>,
    /// Whether it comes on top of earlier ones.
    pub goes_on: bool,
}

impl Part {
    /// All rows at once.
    pub const WHOLE: Self = Self { stride: 1, phase: Some(0), goes_on: false };

    /// Rows that are drawn once this part is.
    #[must_use]
    pub fn rows_after(&self, rows: usize) -> usize {
        let params = |phase| SplatParams { stride: self.stride, phase, ..SplatParams::default() };
        self.phase.map_or(rows, |phase| (0..=phase).map(|phase| params(phase).rows_of(rows)).sum())
    }
}

/// How far the picture of a view is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    view: Option<View>,
    stride: u32,
    next: u32,
}

impl Progress {
    /// Begins anew at the next frame.
    pub fn forget(&mut self) {
        self.view = None;
    }

    /// The share of the next frame, of which about `affordable` rows fit; `None`: all do.
    ///
    /// Every `stride`-th run of rows is a systematic sample: each track has its share in each part.
    pub fn next(&mut self, view: View, rows: usize, affordable: Option<f64>) -> Part {
        let goes_on = self.view == Some(view);
        if !goes_on {
            let parts = affordable.map_or(1.0, |affordable| (rows as f64 / affordable.max(1.0)).ceil().clamp(1.0, MOST_PARTS));
            (self.view, self.stride, self.next) = (Some(view), parts as u32, 0);
        }
        let phase = (self.next < self.stride).then_some(self.next);
        self.next = (self.next + 1).min(self.stride);
        Part { stride: self.stride, phase, goes_on }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(azimuth: f32) -> View {
        let mut frame: FrameUniform = bytemuck::Zeroable::zeroed();
        frame.clip_from_anchor[0][0] = azimuth;
        View { frame, params: SplatParams::default(), theme: Theme::Dark, kind: SplatKind::Colors, revisions: [1, 1, 1, 0], is_cpu: true }
    }

    #[test]
    fn a_still_picture_goes_on_to_the_last_row_and_a_new_view_begins_again() {
        let rows = 100_003;
        let mut progress = Progress::default();
        let mut drawn = Vec::new();
        for frame in 0..6 {
            let part = progress.next(view(0.0), rows, Some(30_000.0));
            assert_eq!((part.stride, part.goes_on, part.phase.is_some()), (4, frame > 0, frame < 4));
            drawn.push(part.rows_after(rows));
        }
        assert!(drawn[0] > rows / 5 && drawn[..4].windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
        assert_eq!(drawn[3..], [rows; 3]);
        let part = progress.next(view(0.1), rows, Some(30_000.0));
        assert_eq!((part.phase, part.goes_on), (Some(0), false));
        assert_eq!(progress.next(view(0.2), rows, None), Part::WHOLE);
    }
}
