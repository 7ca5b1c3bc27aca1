//! A list that unfolds below a button, with a field at its top: what is typed there narrows the list down.

use std::borrow::Cow;

use egui::{Align, Button, Id, Key, Layout, Modifiers, Popup, PopupCloseBehavior, Response, ScrollArea, TextEdit, TextWrapMode, Ui, Vec2};

use super::widgets::list_button;

/// The unfolded list's width in UI points, at least.
const WIDTH: f32 = 260.0;
/// The most rows in sight.
const IN_SIGHT: usize = 12;
/// Rows that Page Up and Page Down go.
const PAGE: isize = 10;

/// What the list says while it is folded, and of itself.
#[derive(Clone, Copy, Debug)]
pub struct SearchList<'a> {
    /// Tells it from the panel's other lists.
    pub id: &'a str,
    /// What is chosen.
    pub chosen: &'a str,
    /// What stands in the empty field.
    pub hint: &'a str,
}

/// An entry of the unfolded list.
#[derive(Clone, Debug)]
pub struct ListEntry<'a, T> {
    /// What choosing it means.
    pub value: T,
    /// Its words.
    pub label: Cow<'a, str>,
    /// Whether it is the one that is chosen.
    pub is_chosen: bool,
    /// Why it cannot be chosen, or `None` where it can.
    pub not_there: Option<&'a str>,
}

/// What the list remembers between frames.
#[derive(Clone, Debug, Default)]
pub struct SearchListState {
    text: String,
    /// The entry that Enter takes.
    marked: Option<usize>,
    is_open: bool,
    /// How far the list was scrolled, in UI points.
    offset: f32,
}

/// The keys of a list, as often as they were pressed.
#[derive(Clone, Copy, Debug, Default)]
struct ListKeys {
    steps: isize,
    is_enter: bool,
}

/// Draws the list, and returns the value of the entry that was chosen with the pointer or with Enter. `found` has the entries that a text means.
pub fn search_list_ui<'a, T>(
    ui: &mut Ui,
    list: SearchList<'_>,
    state: &mut SearchListState,
    found: impl FnOnce(&str) -> Vec<ListEntry<'a, T>>,
) -> (Response, Option<T>) {
    let button = list_button(ui, list.chosen, true);
    let id = Popup::default_response_id(&button);
    let field = Id::unique(("search", list.id));
    let width = button.rect.width().max(WIDTH);
    let popup = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .layout(Layout::top_down_justified(Align::Min))
        .width(width)
        .gap(2.0);
    let shown = popup.show(|ui| {
        ui.set_width(width);
        let is_new = !std::mem::replace(&mut state.is_open, true);
        if is_new {
            state.text.clear();
        }
        let keys = take_keys(ui);
        let response = ui.add(TextEdit::singleline(&mut state.text).id(field).hint_text(list.hint).desired_width(f32::INFINITY));
        // Whatever is clicked on in the list, letters go into its field.
        response.request_focus();
        let entries = found(&state.text);
        let is_other = is_new || response.changed();
        let chosen = entries_ui(ui, entries, state, keys, is_other);
        if chosen.is_some() {
            ui.close();
        }
        chosen
    });
    if state.is_open && !Popup::is_id_open(ui.ctx(), id) {
        state.is_open = false;
        ui.memory_mut(|memory| memory.surrender_focus(field));
    }
    (button, shown.and_then(|shown| shown.inner))
}

/// Takes the keys that move through the list, so that the field does not.
fn take_keys(ui: &mut Ui) -> ListKeys {
    ui.input_mut(|input| {
        let mut count = |key| input.count_and_consume_key(Modifiers::NONE, key) as isize;
        let steps = count(Key::ArrowDown) - count(Key::ArrowUp) + PAGE * (count(Key::PageDown) - count(Key::PageUp));
        ListKeys { steps, is_enter: count(Key::Enter) > 0 }
    })
}

/// The entries below the field. `is_other`: they are not those of the pass before.
fn entries_ui<T>(ui: &mut Ui, entries: Vec<ListEntry<'_, T>>, state: &mut SearchListState, keys: ListKeys, is_other: bool) -> Option<T> {
    if entries.is_empty() {
        ui.label(egui::RichText::new("Nothing like it").weak());
    }
    if is_other {
        // What is chosen as long as nothing is looked for, else the first that can be had.
        let is_there = |entry: &ListEntry<'_, T>| entry.not_there.is_none();
        let is_marked = |entry: &ListEntry<'_, T>| is_there(entry) && (!state.text.trim().is_empty() || entry.is_chosen);
        state.marked = entries.iter().position(is_marked).or_else(|| entries.iter().position(is_there));
    }
    state.marked =
        moved(state.marked, keys.steps, entries.len(), |place| entries.get(place).is_some_and(|entry| entry.not_there.is_none()));
    let height = ui.spacing().interact_size.y;
    let pitch = height + ui.spacing().item_spacing.y;
    let seen = pitch * IN_SIGHT as f32;
    let mut area = ScrollArea::vertical().max_height(seen).auto_shrink([false, true]);
    if is_other || keys.steps != 0 {
        let top = pitch * state.marked.unwrap_or(0) as f32;
        let nearest = if is_other { top - 0.5 * (seen - pitch) } else { state.offset.clamp(top - seen + pitch, top) };
        area = area.vertical_scroll_offset(nearest.clamp(0.0, (pitch * entries.len() as f32 - seen).max(0.0)));
    }
    let mut clicked = keys.is_enter.then_some(state.marked).flatten();
    // Only what is in sight is laid out: a space may have hundreds of dimensions.
    let output = area.show_rows(ui, height, entries.len(), |ui, rows| {
        ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
        for (place, entry) in entries.iter().enumerate().take(rows.end).skip(rows.start) {
            let mut button = Button::selectable(entry.is_chosen, entry.label.as_ref()).min_size(Vec2::new(ui.available_width(), height));
            if state.marked == Some(place) && !entry.is_chosen {
                button = button.fill(ui.visuals().widgets.hovered.weak_bg_fill);
            }
            let response = ui.add_enabled(entry.not_there.is_none(), button).on_disabled_hover_text(entry.not_there.unwrap_or_default());
            if response.clicked() {
                clicked = Some(place);
            }
        }
    });
    state.offset = output.state.clamped_offset().y;
    clicked.and_then(|place| entries.into_iter().nth(place)).map(|entry| entry.value)
}

/// The mark so many steps on, over what cannot be chosen; it stays where there is nothing more that way.
fn moved(marked: Option<usize>, steps: isize, count: usize, is_there: impl Fn(usize) -> bool) -> Option<usize> {
    let mut marked = marked;
    for _ in 0..steps.unsigned_abs() {
        let next = match marked {
            Some(place) if steps < 0 => (0..place).rev().find(|&place| is_there(place)),
            Some(place) => (place + 1..count).find(|&place| is_there(place)),
            None => (0..count).find(|&place| is_there(place)),
        };
        marked = next.or(marked);
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_steps_over_what_is_not_there_and_stays_at_the_ends() {
        let is_there = |place: usize| place != 1 && place != 4;
        let steps = |from, steps| moved(from, steps, 5, is_there);
        assert_eq!([steps(Some(0), 1), steps(Some(2), 1), steps(Some(3), 1)], [Some(2), Some(3), Some(3)]);
        assert_eq!([steps(Some(2), -1), steps(Some(0), -1), steps(None, 1)], [Some(0), Some(0), Some(0)]);
        assert_eq!([steps(Some(0), 9), moved(None, 3, 0, is_there)], [Some(3), None]);
    }
}
