//! The only place that writes to standard output and standard error.
//!
//! Nothing that is written steers the terminal: names, titles and reasons come from strangers, so control characters and the like are
//! spelled out ([`plain_text`]). Nothing that cannot be written stops the work. A reader that has gone (`| head -1`) is no failure; any
//! other failure of standard output is kept for the end of the program, where it decides on the exit code. Remarks and progress that
//! cannot be written are lost: the work does not depend on them. Standard streams that are closed count as `/dev/null`, as which Rust's
//! runtime opens them.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::catalog::{is_steering, plain_text};

/// Back to the start of the line, and the line cleared.
const CLEAR: &str = "\r\x1b[2K";

/// Why standard output took no more, the first time that it did not.
static FAILURE: OnceLock<std::io::Error> = OnceLock::new();
/// Whether a line of progress is on the terminal.
static IS_PROGRESS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Prints a line of a result.
pub(super) fn line(text: &str) {
    print(&format!("{}\n", plain_text(text)));
}

/// Prints a result of several lines, each of which ends with a line feed.
pub(super) fn lines(text: &str) {
    print(&text.lines().fold(String::new(), |all, line| all + &plain_text(line) + "\n"));
}

/// Prints a JSON value on one line.
pub(super) fn json(value: &Value) {
    print(&format!("{}\n", plain_json(value)));
}

/// Takes what became of something that was printed elsewhere.
pub(super) fn note(printed: std::io::Result<()>) {
    if let Err(error) = printed.and_then(|()| std::io::stdout().flush()) {
        // Only the first reason counts.
        let _ = FAILURE.set(error);
    }
}

/// Why standard output could not be written; a reader that has gone is no reason.
pub(super) fn failure() -> Option<&'static std::io::Error> {
    FAILURE.get().filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// Tells the user something in a line of its own on standard error, over the line of progress where there is one.
pub(super) fn remark(text: &str) {
    clear_progress();
    tell(&format!("tagscape: {}\n", plain_text(text)));
}

/// Whether standard error is a terminal, which shows progress.
pub(super) fn shows_progress() -> bool {
    std::io::stderr().is_terminal()
}

/// Shows how far the work is, in place of what was shown before; nothing where standard error is no terminal.
pub(super) fn progress(text: &str) {
    if shows_progress() {
        IS_PROGRESS_SHOWN.store(true, Ordering::Relaxed);
        tell(&format!("{CLEAR}{}", plain_text(text)));
    }
}

/// Clears the line of progress where there is one.
pub(super) fn clear_progress() {
    if IS_PROGRESS_SHOWN.swap(false, Ordering::Relaxed) {
        tell(CLEAR);
    }
}

fn print(text: &str) {
    // What comes after a failure would leave a hole.
    if FAILURE.get().is_none() {
        note(std::io::stdout().lock().write_all(text.as_bytes()));
    }
}

fn tell(text: &str) {
    // See the file's header.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// JSON text whose strings have no steering character in them, and mean the same. Outside of strings there is none.
fn plain_json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(is_steering) {
        return text;
    }
    text.chars().fold(String::new(), |mut plain, character| {
        if is_steering(character) {
            plain.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            plain.push(character);
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_has_no_steering_characters_and_means_the_same() {
        let value = json!({ "path\u{202e}": ["a\u{9b}31m\u{7f}", "b\n\u{1b}[2J", "\u{2028}\u{2069}é👩"] });
        let text = plain_json(&value);
        assert!(!text.contains(is_steering) && text.contains("\\u009b31m\\u007f"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
