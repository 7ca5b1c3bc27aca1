//! Tests that need the machine to themselves: windows on a virtual screen, and sound through a device.
//!
//! Beside other tests a null sink drops out and a window misses its frames. `tests/setup/run-tests.sh`
//! runs these one at a time, after all the others. [`assert_is_exclusive`] keeps them in here.

mod player_device;
mod window;
mod window_changes;
mod window_choosing;
mod window_ends;
mod window_listening;
mod window_use;

/// Fails for a test outside of this module, which would run beside others.
pub fn assert_is_exclusive(what: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    // libtest names a test's thread after it; one test at a time runs on the main thread.
    assert!(name == "main" || name.starts_with("exclusive::"), "{what}: move {name} into tests/exclusive");
}

#[test]
fn a_test_outside_of_this_module_gets_no_screen() {
    let ask = || std::panic::catch_unwind(|| assert_is_exclusive("a screen")).is_ok();
    let named = |name: &str| std::thread::Builder::new().name(name.to_owned()).spawn(ask).unwrap().join().unwrap();
    assert!(named("exclusive::window::a_test") && named("main"));
    assert!(!named("maps::a_test"));
}
