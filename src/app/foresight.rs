//! What the pointer may come to next: decoded ahead, so that it sounds at once.

use glam::Vec2;

use super::pointing::POINTING_SLACK;
use super::state::{AppState, Effect};
use crate::catalog::{SegmentId, path_from_text};
use crate::command::{Course, Listen};
use crate::scene::{Aim, ViewKind};

/// Steps of the pointer's last motion that are looked ahead.
const STEPS_AHEAD: usize = 4;
/// Rings around the pointer that are looked at, in UI points, at eight places each.
const RINGS: [f32; 2] = [12.0, 28.0];
/// How far around such a place a segment is looked for, in UI points.
const REACH: f32 = 8.0 + POINTING_SLACK;
/// Most segments at a time: those of a motion, of the rings, and the segment's own neighbours on its track.
const MOST: usize = 22;

impl AppState {
    /// After the pointer came from `before` to `at`, onto `segment`: the segments to decode ahead, the likeliest first.
    ///
    /// Each place costs one look into the tree, 5 to 20 microseconds at 4.5 million rows; without a tree (3-D, layouts that move) nothing is looked for.
    pub(super) fn foresee(&self, segment: SegmentId, at: Vec2, before: Option<Vec2>) -> Option<Effect> {
        let shown = self.shown.as_ref()?;
        let tree = shown.tree.as_ref()?;
        if self.listening.is_silent
            || self.choices.listen != Listen::OnHover
            || self.listening.course == Course::Onward
            || shown.scene.view == ViewKind::Averages
        {
            return None;
        }
        let mut found = vec![segment];
        let mut look = |place: Vec2| {
            let aim = Aim::new(&shown.scene, self.map, place, REACH);
            found.extend(tree.nearest(&aim, &shown.scene.positions).filter(|nearest| !found.contains(nearest)));
        };
        let motion = before.map_or(Vec2::ZERO, |before| at - before);
        if motion.length() > 0.5 {
            (1..=STEPS_AHEAD).for_each(|step| look(at + motion * step as f32));
        }
        for ring in RINGS {
            (0..8_u8).for_each(|eighth| look(at + Vec2::from_angle(std::f32::consts::FRAC_PI_4 * f32::from(eighth)) * ring));
        }
        let next = segment.0.checked_add(1).map(SegmentId);
        found.extend(next.filter(|next| !found.contains(next)));
        let stretches = found.iter().skip(1).take(MOST).filter_map(|near| {
            let (track, span) = self.collection.span(shown.space, near.0 as usize)?;
            Some((self.audio_root.join(path_from_text(&track.path)), span))
        });
        Some(Effect::Prefetch(stretches.collect()))
    }
}
