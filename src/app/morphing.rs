//! From the layout that was shown to the one that is: points move there before the user's eyes.

use super::state::AppState;
use crate::scene::{Morph, Scene};

/// How long a morph takes, in seconds.
const SECONDS: f64 = 0.9;

/// A morph's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MorphClock {
    /// Whether layouts morph at all: in a window, not in a picture.
    is_wanted: bool,
    serial: u64,
    /// When the first frame of the one under way was drawn.
    started: Option<f64>,
}

impl AppState {
    /// Lets layouts morph into one another from now on.
    pub fn set_morphing(&mut self, is_wanted: bool) {
        self.morph_clock.is_wanted = is_wanted;
    }

    /// Whether points are on their way from one layout to another.
    #[must_use]
    pub fn is_morphing(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.scene.morph.is_some())
    }

    /// Begins the way from the scene that was shown to another, where both have the same rows and nobody else moves them.
    pub(super) fn begin_morph(&mut self, old: &Scene, is_moved_elsewhere: bool) {
        let Some(shown) = self.shown.as_mut().filter(|_| self.morph_clock.is_wanted && !is_moved_elsewhere) else { return };
        self.morph_clock.serial += 1;
        self.morph_clock.started = None;
        shown.scene.morph = Morph::between(old, &shown.scene, self.map.aspect(), self.morph_clock.serial);
        if let Some(morph) = &shown.scene.morph {
            shown.scene.camera = morph.camera();
        }
    }

    /// Goes on to the time of the frame that is to be drawn, in seconds.
    pub fn advance(&mut self, time: f64) {
        let Some(shown) = &mut self.shown else { return };
        let Some(morph) = &mut shown.scene.morph else { return };
        let started = *self.morph_clock.started.get_or_insert(time);
        morph.share = ((time - started) / SECONDS).clamp(0.0, 1.0) as f32;
        // Whoever takes the camera in hand keeps it.
        if self.is_fitted {
            shown.scene.camera = morph.camera();
        }
        if morph.share >= 1.0 {
            shown.scene.morph = None;
            shown.scene.layout_revision += 1;
            // The map may have another size by now.
            if self.is_fitted {
                shown.scene.fit(self.map.aspect());
            }
        }
    }
}
