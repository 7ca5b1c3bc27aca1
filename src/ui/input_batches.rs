//! A frame's input in batches, so that each key and each button meets the widgets as they were when it was pressed.
//!
//! A slow frame may hold a click into a field and what was typed there, or a word and the Escape after it. Widgets look at all events of
//! a pass together; a pass for each press gives them the order back. Laying out is cheap beside drawing.

use egui::{Event, RawInput};

/// The most batches of a frame: what a hand does in a second. What comes after them is in the last one.
const MOST: usize = 64;

/// The same events in the same order, at most one press or release of a button, one key that goes down or one change of the modifiers in
/// each batch, and at its beginning. There is at least one batch.
#[must_use]
pub fn batches(mut raw: RawInput) -> Vec<RawInput> {
    let events = std::mem::take(&mut raw.events);
    let mut batches: Vec<Vec<Event>> = vec![Vec::new()];
    for event in events {
        let is_first = batches.last().is_none_or(Vec::is_empty);
        if is_decisive(&event) && !is_first && batches.len() < MOST {
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(event);
        }
    }
    // Files are dropped once.
    let rest = RawInput { dropped_files: Vec::new(), ..raw.clone() };
    let mut batches = batches.into_iter();
    let first = RawInput { events: batches.next().unwrap_or_default(), ..raw };
    std::iter::once(first).chain(batches.map(|events| RawInput { events, ..rest.clone() })).collect()
}

/// Whether an event may change what a later one means.
fn is_decisive(event: &Event) -> bool {
    matches!(event, Event::PointerButton { .. } | Event::Key { pressed: true, .. } | Event::ModifiersChanged(_))
}

#[cfg(test)]
mod tests {
    use egui::{Key, Modifiers, PointerButton, pos2};

    use super::*;

    fn key(key: Key, pressed: bool) -> Event {
        Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE }
    }

    #[test]
    fn each_press_begins_a_batch_and_nothing_is_lost_or_overtaken() {
        let button =
            |pressed| Event::PointerButton { pos: pos2(1.0, 2.0), button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        let events = vec![
            Event::PointerMoved(pos2(1.0, 2.0)),
            button(true),
            button(false),
            key(Key::V, true),
            Event::Text("v".into()),
            key(Key::V, false),
            Event::ModifiersChanged(Modifiers::SHIFT),
            key(Key::Escape, true),
        ];
        let found = batches(RawInput { events: events.clone(), ..RawInput::default() });
        assert_eq!(found.iter().map(|batch| batch.events.len()).collect::<Vec<_>>(), [1, 1, 1, 3, 1, 1]);
        assert_eq!(found.into_iter().flat_map(|batch| batch.events).collect::<Vec<_>>(), events);
        assert_eq!(batches(RawInput::default()).len(), 1, "a frame without events is laid out as well");
        let many = RawInput { events: vec![key(Key::I, true); 1000], ..RawInput::default() };
        assert_eq!(batches(many).iter().map(|batch| batch.events.len()).sum::<usize>(), 1000);
    }
}
