//! The window's shortcuts: they act where nothing has the keyboard, as it was when the key was pressed.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::test_bed::Window;
use crate::command::{Command, Tool};
use crate::scene::Combine;

const LETTERS: &str = "vmlriq";

#[test]
fn every_shortcut_acts_where_nothing_has_the_keyboard() {
    let mut window = Window::open();
    for (key, wish) in [
        (Key::V, Command::SetTool(Tool::Move)),
        (Key::L, Command::SetTool(Tool::Lasso)),
        (Key::R, Command::SetTool(Tool::Rectangle)),
        (Key::I, Command::InvertChosen),
        (Key::Q, Command::SetMuted(true)),
        (Key::Space, Command::PlayOrStop),
        (Key::ArrowLeft, Command::StepSegment(-1)),
        (Key::ArrowRight, Command::StepSegment(1)),
        (Key::Home, Command::Fit),
        (Key::F3, Command::ShowFigures(true)),
        (Key::Escape, Command::ClearChosen),
    ] {
        window.press(key);
        assert_eq!(window.take_commands(), [wish], "{key:?}");
        window.0.key_press_modifiers(Modifiers::COMMAND, key);
        window.0.run();
        assert_eq!(window.take_commands(), [], "{key:?} with Ctrl is something else");
    }
}

#[test]
fn what_is_typed_into_any_field_is_no_shortcut_and_escape_only_leaves_the_field() {
    // The text to choose by, and the folder of the music.
    let fields = Window::open().0.query_all_by_role(Role::TextInput).count();
    assert!(fields >= 2, "{fields} fields");
    for field in 0..fields {
        let mut window = Window::open();
        let at = window.0.query_all_by_role(Role::TextInput).nth(field).unwrap().rect().center();
        window.click_at(at.into());
        window.type_letters(LETTERS);
        for key in [Key::Space, Key::ArrowLeft, Key::Home, Key::Escape] {
            window.press(key);
            assert_eq!(window.take_commands(), [], "field {field}, {key:?}");
        }
        assert!(window.focused_field().is_none(), "field {field}: Escape leaves it");
        window.press(Key::Escape);
        assert_eq!(window.take_commands(), [Command::ClearChosen], "field {field}: the second Escape is the map's");
    }
}

#[test]
fn escape_folds_the_list_of_outputs_and_leaves_what_is_chosen() {
    let mut window = Window::open();
    window.click("Output");
    assert_eq!(window.take_commands(), [Command::ListOutputs]);
    assert!(window.has("Sound card"));
    window.press(Key::Escape);
    assert!(window.take_commands().is_empty() && !window.has("Sound card"));
}

#[test]
fn enter_chooses_by_the_text_and_gives_the_keyboard_back() {
    let mut window = Window::open();
    let at = window.0.query_all_by_role(Role::TextInput).next().unwrap().rect().center();
    window.click_at(at.into());
    window.type_letters("viral");
    window.press(Key::Enter);
    assert_eq!(window.take_commands(), [Command::ChooseText { text: "viral".into(), how: Combine::Replace }]);
    window.press(Key::V);
    assert_eq!(window.take_commands(), [Command::SetTool(Tool::Move)]);
}

#[test]
fn new_add_and_subtract_hold_for_the_legend_and_for_texts() {
    for (button, how) in [("New", Combine::Replace), ("Add", Combine::Add), ("Subtract", Combine::Subtract)] {
        let mut window = Window::open();
        window.click(&format!("Combine: {button}"));
        window.click("Beta: 5 segments");
        assert_eq!(window.take_commands(), [Command::ChooseClass { class: 1, how }], "{button}");
        let at = window.0.query_all_by_role(Role::TextInput).next().unwrap().rect().center();
        window.click_at(at.into());
        window.type_letters("x");
        window.press(Key::Enter);
        assert_eq!(window.take_commands(), [Command::ChooseText { text: "x".into(), how }], "{button}");
        // What is held says otherwise.
        window.0.get_by_label("Beta: 5 segments").click_modifiers(Modifiers::SHIFT);
        window.0.run();
        assert_eq!(window.take_commands(), [Command::ChooseClass { class: 1, how: Combine::Add }], "{button} with Shift");
    }
}
