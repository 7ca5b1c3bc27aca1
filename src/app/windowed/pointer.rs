//! The pointer in the window: what it is on is found, told and let sound before anything is drawn.

use std::time::{Duration, Instant};

use glam::Vec2;

use super::{LONGEST_PICK, Session};
use crate::app::event_log::EventLog;
use crate::app::notices::Topic;
use crate::app::pointing::Ground;
use crate::app::state::Effect;
use crate::command::Command;

/// A place on the map, in UI points, and how the map lay under it.
pub(super) type Pointed = (Option<Vec2>, Option<Ground>);

impl Session {
    /// What is under the pointer sounds; while a button is held the map moves and nothing else.
    pub(super) fn point(&mut self, log: &mut EventLog) {
        if self.pressed_buttons > 0 {
            return;
        }
        let window_pixels = self.pointer.map_or([0.0, 0.0], |at| [at.x as f32, at.y as f32]);
        let at = self.place_on_map();
        self.pointed = Some((at, self.state.ground()));
        let began = Instant::now();
        let hovered = self.state.hovered();
        let effects = self.state.update(Command::Point { at, window_pixels });
        self.pointed_at = Some(began);
        if effects.iter().any(|effect| matches!(effect, Effect::Pick { .. })) {
            self.carry_out(effects, log);
            let longest = if self.context.caps.is_cpu() { Duration::ZERO } else { LONGEST_PICK };
            self.fetch_pick(longest, log);
            return;
        }
        self.state.stats.pick_ms = at.map(|_| began.elapsed().as_secs_f64() * 1e3).or(self.state.stats.pick_ms);
        if !effects.is_empty() || self.state.hovered() != hovered {
            self.carry_out(effects, log);
            self.ask_redraw();
        }
    }

    /// After a frame: finds anew what is under the pointer, where the map lies otherwise than when that was last asked. What moves by
    /// itself is asked about when it stands still.
    pub(super) fn renew_hover(&mut self, log: &mut EventLog) {
        if self.state.is_moving() || self.state.is_morphing() || self.pointer.is_none() {
            return;
        }
        if self.pointed.as_ref() != Some(&(self.place_on_map(), self.state.ground())) {
            self.point(log);
        }
    }

    /// Where on the map the pointer is, in UI points.
    pub(super) fn place_on_map(&self) -> Option<Vec2> {
        let scale = self.painter.egui.pixels_per_point();
        let at = self.pointer?;
        let place = egui::pos2(at.x as f32 / scale, at.y as f32 / scale);
        // A list that is open over the map is not the map.
        let is_map =
            self.map.contains(place) && self.painter.egui.layer_id_at(place).is_none_or(|layer| layer.order == egui::Order::Background);
        is_map.then(|| Vec2::new(place.x - self.map.min.x, place.y - self.map.min.y))
    }

    pub(super) fn is_on_map(&self) -> bool {
        self.place_on_map().is_some()
    }

    /// Takes what the pick on its way came to, if it does so within `longest`.
    pub(super) fn fetch_pick(&mut self, longest: Duration, log: &mut EventLog) {
        let hovered = self.state.hovered();
        let effects = match self.painter.map().picked(&self.context, longest) {
            Ok(None) => return,
            Ok(Some((number, found))) => self.state.picked(number, found),
            Err(error) => self.state.notify(Topic::Drawing, error.to_string()),
        };
        self.state.stats.pick_ms = self.pointed_at.map(|began| began.elapsed().as_secs_f64() * 1e3);
        if !effects.is_empty() || self.state.hovered() != hovered {
            self.carry_out(effects, log);
            self.ask_redraw();
        }
    }

    /// Lets go of what is being dragged.
    pub(super) fn release_buttons(&mut self) {
        if std::mem::take(&mut self.pressed_buttons) == 0 {
            return;
        }
        let scale = self.painter.egui.pixels_per_point();
        let pos = self.pointer.map_or(egui::Pos2::ZERO, |at| egui::pos2(at.x as f32 / scale, at.y as f32 / scale));
        for button in [egui::PointerButton::Primary, egui::PointerButton::Secondary, egui::PointerButton::Middle] {
            let released = egui::Event::PointerButton { pos, button, pressed: false, modifiers: egui::Modifiers::NONE };
            self.input.egui_input_mut().events.push(released);
        }
    }
}
