//! Drawing an outline on the map with the pointer.

use egui::{CursorIcon, Event, Modifiers, PointerButton, Pos2, Rect, Response, Shape, Stroke, Ui};
use glam::Vec2;

use super::theme::color;
use crate::command::{Command, Tool};
use crate::scene::{Combine, Theme};

/// Between corners of an outline, in UI points, at least.
const STEP: f32 = 2.0;
/// What is smaller than this along both axes is a click, in UI points.
const LEAST_SIZE: f32 = 5.0;

/// An outline that is being drawn.
#[derive(Clone, Debug, Default)]
pub struct LassoState {
    /// What becomes of what was chosen before, unless Shift or Alt say otherwise.
    pub how: Combine,
    corners: Vec<Pos2>,
    held: Option<Combine>,
}

impl LassoState {
    /// Gives up the outline that is being drawn; whether there was one.
    pub fn give_up(&mut self) -> bool {
        !std::mem::take(&mut self.corners).is_empty()
    }
}

/// Lets the pointer draw, and shows it; whether it has the primary button's drag for itself.
pub fn lasso_ui(
    ui: &Ui,
    rect: Rect,
    response: &Response,
    (tool, theme): (Tool, Theme),
    state: &mut LassoState,
    commands: &mut Vec<Command>,
) -> bool {
    if tool != Tool::Move && response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
    }
    // Every place that the pointer was at, in order: a slow frame may hold a whole outline.
    let is_on_map = response.contains_pointer() || response.is_pointer_button_down_on();
    let (events, is_down) = ui.input(|input| (input.events.clone(), input.pointer.primary_down()));
    for event in events {
        match event {
            Event::PointerButton { pos, button: PointerButton::Primary, pressed: true, modifiers }
                if tool != Tool::Move && is_on_map && rect.contains(pos) =>
            {
                state.corners = vec![pos];
                state.held = meant_by(modifiers);
            }
            Event::PointerMoved(at) if state.corners.last().is_some_and(|last| last.distance(at) >= STEP) => state.corners.push(at),
            Event::PointerButton { button: PointerButton::Primary, pressed: false, modifiers, .. } => {
                let corners = outline(tool, &std::mem::take(&mut state.corners));
                let size = Rect::from_points(&corners).size();
                if corners.len() >= 3 && size.max_elem() >= LEAST_SIZE {
                    let outline = corners.into_iter().map(|at| Vec2::new(at.x - rect.min.x, at.y - rect.min.y)).collect();
                    let how = state.held.or_else(|| meant_by(modifiers)).unwrap_or(state.how);
                    commands.push(Command::ChooseInside { outline, tool, how });
                }
            }
            _ => {}
        }
    }
    if tool == Tool::Move {
        state.corners.clear();
        return false;
    }
    if is_down {
        show(ui, rect, &outline(tool, &state.corners), theme);
    } else {
        state.corners.clear();
    }
    true
}

/// What the keys that are held say: Shift adds, Alt takes away.
pub(super) fn combination(ui: &Ui) -> Option<Combine> {
    meant_by(ui.input(|input| input.modifiers))
}

fn meant_by(held: Modifiers) -> Option<Combine> {
    if held.alt { Some(Combine::Subtract) } else { held.shift.then_some(Combine::Add) }
}

/// The corners of what is drawn: a rectangle's lie between where the pointer was pressed and where it is.
fn outline(tool: Tool, corners: &[Pos2]) -> Vec<Pos2> {
    match (tool, corners) {
        (Tool::Rectangle, [first, .., last]) => {
            let drawn = Rect::from_two_pos(*first, *last);
            vec![drawn.left_top(), drawn.right_top(), drawn.right_bottom(), drawn.left_bottom()]
        }
        (Tool::Rectangle, _) => Vec::new(),
        _ => corners.to_vec(),
    }
}

fn show(ui: &Ui, rect: Rect, corners: &[Pos2], theme: Theme) {
    let painter = ui.painter_at(rect);
    // Light on dark points and dark on light ones: a line within a line.
    for (width, ink) in [(3.5, theme.background()), (1.5, theme.accent())] {
        painter.add(Shape::closed_line(corners.to_vec(), Stroke::new(width, color(ink))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_has_four_corners_whichever_way_it_was_drawn() {
        let at = |x: f32, y: f32| egui::pos2(x, y);
        let expected = vec![at(1.0, 2.0), at(9.0, 2.0), at(9.0, 7.0), at(1.0, 7.0)];
        assert_eq!(outline(Tool::Rectangle, &[at(9.0, 2.0), at(4.0, 4.0), at(1.0, 7.0)]), expected);
        assert_eq!(outline(Tool::Rectangle, &[at(1.0, 7.0), at(9.0, 2.0)]), expected);
        assert!(outline(Tool::Rectangle, &[at(1.0, 7.0)]).is_empty());
        assert_eq!(outline(Tool::Lasso, &expected), expected);
    }
}
