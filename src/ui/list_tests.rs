//! The lists with a search field, used with pointer and keyboard: in process, by the names of the widgets.

use egui::Key;

use super::test_bed::Window;
use crate::command::{Command, Tool};
use crate::scene::ColorBy;

/// Each list: its name, what is typed into it, the entry that is found, one that is not, and what taking the first hit means.
fn lists() -> [(&'static str, &'static str, &'static str, &'static str, Command); 4] {
    let axis = |axis, column| Command::SetAxis { axis, column };
    [
        ("X", "nt 7", "component 7", "component 8", axis(0, 6)),
        ("Y", "nt 33", "component 33", "component 3", axis(1, 32)),
        ("Z", "NT 40", "component 40", "component 4", axis(2, 39)),
        ("By", "gui", "Tag: guitar", "Tag: rock", Command::SetColorBy(ColorBy::Tag("guitar".into()))),
    ]
}

#[test]
fn every_list_with_a_search_field_takes_what_is_typed_and_no_letter_is_a_shortcut() {
    for (name, typed, found, other, wish) in lists() {
        let mut window = Window::open();
        window.click(name);
        assert!(window.focused_field().is_some(), "{name}: its field has the keyboard");
        assert!(window.has(found) && window.has(other) || name != "By", "{name}: all are listed");
        // The field itself may be clicked on.
        let at = window.focused_field().unwrap().rect().center();
        window.click_at(at.into());
        assert!(window.focused_field().is_some(), "{name}: it stays open");
        window.type_letters(typed);
        assert_eq!(window.focused_field().and_then(|field| field.value()).as_deref(), Some(typed), "{name}");
        assert!(window.has(found) && !window.has(other), "{name}");
        assert_eq!(window.take_commands(), [], "{name}: typing wishes nothing");
        window.press(Key::Enter);
        assert_eq!(window.take_commands(), [wish], "{name}: Enter takes the first hit");
        assert!(window.focused_field().is_none() && !window.has(found), "{name}: it is folded");
        window.press(Key::L);
        assert_eq!(window.take_commands(), [Command::SetTool(Tool::Lasso)], "{name}: the keyboard is the map's again");
    }
}

#[test]
fn an_entry_is_taken_with_the_pointer_or_with_the_arrows() {
    for (name, typed, found, _, wish) in lists() {
        let mut window = Window::open();
        window.click(name);
        window.type_letters(typed);
        window.click(found);
        assert_eq!(window.take_commands(), [wish], "{name}");
        assert!(!window.has(found), "{name}: it is folded");
    }
    let mut window = Window::open();
    // From what is chosen on: "component 1" is on X.
    window.click("X");
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowDown, Key::ArrowUp, Key::Enter] {
        window.press(key);
    }
    assert_eq!(window.take_commands(), [Command::SetAxis { axis: 0, column: 2 }]);
    // Past the rows in sight, the list follows.
    window.click("Y");
    for key in [Key::PageDown, Key::PageDown, Key::PageDown] {
        window.press(key);
    }
    assert!(window.has("component 32"), "the marked entry is in sight");
    window.press(Key::Enter);
    assert_eq!(window.take_commands(), [Command::SetAxis { axis: 1, column: 31 }]);
    // An entry that is not there is passed over: "Artist" comes after "Track".
    window.click("By");
    window.press(Key::ArrowDown);
    window.press(Key::Enter);
    assert_eq!(window.take_commands(), [Command::SetColorBy(ColorBy::Tag("rock".into()))]);
}

#[test]
fn a_click_elsewhere_folds_a_list_and_wishes_nothing_and_so_does_escape() {
    for (name, typed, found, ..) in lists() {
        let mut window = Window::open();
        for is_click in [true, false] {
            window.click(name);
            window.type_letters(typed);
            assert!(window.has(found), "{name}");
            if is_click {
                window.click_at([900.0, 1000.0])
            } else {
                window.press(Key::Escape)
            }
            assert!(window.focused_field().is_none() && !window.has(found), "{name}");
            assert_eq!(window.take_commands(), [], "{name}, by a click: {is_click}");
        }
        window.click(name);
        assert_eq!(window.focused_field().and_then(|field| field.value()).unwrap_or_default(), "", "{name}: it opens empty");
    }
}

#[test]
fn a_path_typed_into_the_list_of_colours_is_an_entry() {
    let mut window = Window::open();
    window.click("By");
    window.type_letters("a/b.npy");
    window.press(Key::Enter);
    assert_eq!(window.take_commands(), [Command::SetColorBy(ColorBy::File("a/b.npy".into()))]);
    window.click("By");
    window.type_letters("zzz");
    assert!(window.has("Nothing like it"));
    window.press(Key::Enter);
    assert!(window.take_commands().is_empty() && window.focused_field().is_some(), "there is nothing to take");
}
