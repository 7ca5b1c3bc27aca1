//! The map: background and grid, the picture, words over it; and what the pointer does on it.

use egui::{Color32, FontId, PointerButton, Rect, Sense, Stroke, TextureId, Ui};
use glam::Vec2;

use super::labels::draw_labels;
use super::lasso::{LassoState, lasso_ui};
use super::theme::color;
use crate::catalog::SegmentId;
use crate::command::{Command, Tool};
use crate::scene::guides::{TICK_SIZE, TITLE_SIZE};
use crate::scene::{Dimensions, Guides, LineKind, MapSize, Scene, Style, ViewKind, averages};

/// Draws the map into all the room that is left; `picture` is the rendered points. Returns the map's place in the window.
pub fn viewport_ui(
    ui: &mut Ui,
    scene: &Scene,
    picture: Option<TextureId>,
    (tool, lasso): (Tool, &mut LassoState),
    commands: &mut Vec<Command>,
) -> Rect {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
    let map = MapSize { width: rect.width(), height: rect.height() };
    let painter = ui.painter_at(rect);
    let theme = scene.theme;
    let place = |at: Vec2| rect.min + egui::vec2(at.x, at.y);
    let measure = |text: &str, size: f32| {
        let size = painter.layout_no_wrap(text.to_owned(), FontId::proportional(size), Color32::WHITE).size();
        Vec2::new(size.x, size.y)
    };
    let mut guides = Guides::of(scene, map, &measure);
    for line in &guides.lines {
        let (width, mix) = match line.kind {
            LineKind::Axis => (1.2, theme.grid().mix(theme.text(), 0.16)),
            LineKind::Grid => (1.0, theme.grid()),
            LineKind::Minor => (1.0, theme.background().mix(theme.grid(), 0.5)),
        };
        painter.line_segment([place(line.from), place(line.to)], Stroke::new(width, color(mix)));
    }
    if let Some(picture) = picture {
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        painter.image(picture, rect, whole, Color32::WHITE);
    }
    draw_labels(&painter, rect.min, scene, map, &mut guides.taken, &measure);
    for text in &guides.texts {
        let (size, ink) = if text.is_title { (TITLE_SIZE, theme.text()) } else { (TICK_SIZE, theme.faint_text()) };
        let galley = painter.layout_no_wrap(text.text.clone(), FontId::proportional(size), color(ink));
        let at = Rect::from_min_max(place(text.area.min), place(text.area.max));
        // Points may lie under a word; a veil of background keeps it readable.
        painter.rect_filled(at.expand2(egui::vec2(3.0, 1.0)), 3.0, color(theme.background()).gamma_multiply(0.72));
        painter.galley(at.min, galley, color(ink));
    }
    if let Some((at, radius)) = hovered_mark(scene, map) {
        painter.circle_stroke(place(at), radius, Stroke::new(3.5, color(theme.background())));
        painter.circle_stroke(place(at), radius, Stroke::new(1.8, color(theme.text())));
    }
    let is_drawing = lasso_ui(ui, rect, &response, (tool, theme), lasso, commands);
    input(ui, scene, rect, &response, is_drawing, commands);
    rect
}

/// Draws a ring around the segment that sounds, in the colour of what is active, where it is not the one under the pointer.
pub fn sounding_ui(ui: &Ui, rect: Rect, scene: &Scene, segment: Option<SegmentId>) {
    let Some(segment) = segment.filter(|segment| scene.hovered != Some(*segment) && scene.view != ViewKind::Averages) else { return };
    let map = MapSize { width: rect.width(), height: rect.height() };
    let Some(at) = scene.screen_of(segment, map).filter(|_| scene.morph.is_none()) else { return };
    let radius = Style::for_density(scene.positions.len(), map.width * map.height, false).point_radius + 4.5;
    let (painter, place) = (ui.painter_at(rect), rect.min + egui::vec2(at.x, at.y));
    painter.circle_stroke(place, radius, Stroke::new(4.5, color(scene.theme.background())));
    painter.circle_stroke(place, radius, Stroke::new(2.5, color(scene.theme.accent())));
}

/// Where the ring around what is under the pointer lies, and its radius.
fn hovered_mark(scene: &Scene, map: MapSize) -> Option<(Vec2, f32)> {
    let segment = scene.hovered?;
    if scene.view == ViewKind::Averages {
        let averages = scene.averages.as_deref()?;
        let average = averages.get(scene.track_position(segment)?)?;
        let at = scene.screen_from_layout(average.center.into(), map)?;
        return Some((at, averages::radius(average, averages.len(), map) + 2.5));
    }
    let radius = Style::for_density(scene.positions.len(), map.width * map.height, false).point_radius + 4.5;
    Some((scene.screen_of(segment, map)?, radius))
}

/// Drag, scroll, pinch and double click. Where the pointer merely is comes from the window at once, not from here.
fn input(ui: &Ui, scene: &Scene, rect: Rect, response: &egui::Response, is_drawing: bool, commands: &mut Vec<Command>) {
    let drag = response.drag_delta();
    // The other buttons move the map while the primary one draws on it.
    if drag != egui::Vec2::ZERO && !(is_drawing && response.dragged_by(PointerButton::Primary)) {
        let delta = Vec2::new(drag.x, drag.y);
        let turns = scene.camera.dimensions == Dimensions::Three
            && response.dragged_by(PointerButton::Primary)
            && !ui.input(|input| input.modifiers.shift);
        commands.push(if turns { Command::Orbit(delta) } else { Command::Pan(delta) });
    }
    if response.double_clicked() && !is_drawing {
        commands.push(Command::Fit);
    }
    if let Some(pointer) = response.hover_pos() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = (scroll * 0.004).exp() * pinch;
        if (factor - 1.0).abs() > 1e-4 {
            let at = pointer - rect.min;
            commands.push(Command::Zoom { factor, at: Vec2::new(at.x, at.y) });
        }
    }
}
