//! Names on the map, each with a halo, so that it is read over points of any colour.

use egui::{FontId, Painter, Pos2, Vec2};

use super::reading_order::as_seen;
use super::theme::color;
use crate::scene::labels::{opacity, place};
use crate::scene::words::{Measure, Taken};
use crate::scene::{MapSize, Scene};

/// Where a halo's copies of a word lie around it, in UI points.
const HALO: [Vec2; 8] = [
    Vec2::new(-1.4, 0.0),
    Vec2::new(1.4, 0.0),
    Vec2::new(0.0, -1.4),
    Vec2::new(0.0, 1.4),
    Vec2::new(-1.0, -1.0),
    Vec2::new(1.0, -1.0),
    Vec2::new(-1.0, 1.0),
    Vec2::new(1.0, 1.0),
];

/// Draws a scene's names where nothing is `taken`; `origin` is the map's upper left corner in the window.
pub fn draw_labels(painter: &Painter, origin: Pos2, scene: &Scene, map: MapSize, taken: &mut Taken, measure: Measure<'_>) {
    // Points on their way to another layout are not where their names would be.
    if scene.labels.is_empty() || scene.morph.is_some() {
        return;
    }
    let placed = place(scene, map, taken, measure);
    let strength = opacity(placed.len());
    let ink = color(scene.theme.background().mix(scene.theme.text(), strength));
    let halo = color(scene.theme.background()).gamma_multiply(0.62);
    for label in placed {
        let galley = painter.layout_no_wrap(as_seen(&label.text).into_owned(), FontId::proportional(label.size), ink);
        let at = origin + egui::vec2(label.area.min.x, label.area.min.y);
        for offset in HALO {
            painter.galley_with_override_text_color(at + offset, galley.clone(), halo);
        }
        painter.galley(at, galley, ink);
    }
}
