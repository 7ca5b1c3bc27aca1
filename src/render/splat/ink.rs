//! The colours that rows add to a splat on the CPU.

use crate::render::gpu_data::{FrameUniform, NO_TRACK};

/// A row's colour as `color_of_row` in `shaders/shared/frame.wgsl` makes it, in whole numbers.
pub(super) struct Mixer {
    levels: f32,
    background: [f32; 3],
    fitted_w: f32,
    focus_track: u32,
    is_deep: bool,
}

impl Mixer {
    pub(super) fn new(frame: &FrameUniform, levels: u32) -> Self {
        Self {
            levels: levels as f32,
            background: frame.background,
            fitted_w: frame.fitted_w,
            // Chosen rows do not step back, and no others add colours.
            focus_track: if frame.has_chosen == 0 { frame.focus_track } else { NO_TRACK },
            is_deep: frame.fitted_w != 1.0,
        }
    }

    /// Whether rows keep their own colours.
    pub(super) fn is_plain(&self) -> bool {
        self.focus_track == NO_TRACK && !self.is_deep && self.levels == 255.0
    }

    /// How far a row is in the haze, `levels` for wholly.
    #[inline]
    pub(super) fn haze(&self, w: f32) -> u32 {
        (self.depth(w) * self.levels + 0.5) as u32
    }

    fn depth(&self, w: f32) -> f32 {
        ((w / self.fitted_w - 1.0) / 0.6).clamp(0.0, 1.0)
    }

    #[inline]
    pub(super) fn ink(&self, color: u32, track: u32, w: f32) -> [u32; 4] {
        let [r, g, b, _] = color.to_le_bytes().map(|channel| f32::from(channel) / 255.0);
        let mut color = [r, g, b];
        let mix = |a: f32, b: f32, amount: f32| a + (b - a) * amount;
        if self.focus_track != NO_TRACK && track != self.focus_track {
            let grey = 0.299 * r + 0.587 * g + 0.114 * b;
            color = std::array::from_fn(|at| mix(mix(color[at], grey, 0.7), self.background[at], 0.55));
        }
        let depth = self.depth(w);
        let [r, g, b] = std::array::from_fn(|at| (mix(color[at], self.background[at], depth * 0.55) * self.levels + 0.5) as u32);
        [r, g, b, 1]
    }
}
