//! What the map's picture was drawn of, so that a frame in which nothing of it changed does not draw it again.

use super::economy::Economy;
use super::state::{AppState, Shown};
use crate::scene::{MapSize, Theme, ViewKind};

/// Everything that the picture depends on. Two that are equal have the same pixels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DrawnMap {
    layout: (u64, bool),
    revisions: [u64; 3],
    /// Camera, bounds and scales, as the renderer takes them.
    clip: ([f32; 16], [f32; 3], f32),
    view: ViewKind,
    theme: Theme,
    /// The track that is drawn over the others.
    focus: Option<usize>,
    /// Rows whose colours are kept.
    is_chosen: bool,
    size: [u32; 2],
    pixels_per_point: f32,
    economy: Economy,
}

impl DrawnMap {
    /// Of a picture that stands still; `None` where points move by themselves, so that it is drawn in each frame.
    pub(super) fn of(state: &AppState, shown: &Shown, size: [u32; 2], pixels_per_point: f32, economy: Economy) -> Option<Self> {
        if state.is_moving() || state.is_morphing() || state.shows_figures {
            return None;
        }
        let scene = &shown.scene;
        let aspect = MapSize { width: size[0] as f32, height: size[1] as f32 }.aspect();
        let clip = scene.clip_from_layout(aspect);
        Some(Self {
            layout: (shown.serial, shown.is_glance),
            revisions: [scene.revision, scene.layout_revision, scene.chosen_revision],
            clip: (clip.matrix.to_cols_array(), clip.anchor.to_array(), scene.fitted_w(aspect)),
            view: scene.view,
            theme: scene.theme,
            focus: scene.hovered.and_then(|segment| scene.track_position(segment)),
            is_chosen: scene.chosen.is_some(),
            size,
            pixels_per_point,
            economy,
        })
    }
}
