//! Text that strangers wrote, made fit to be shown: characters that steer a terminal or reorder the letters around them are spelled out.

use std::borrow::Cow;

/// Whether a character steers a terminal, ends a line or reorders text instead of showing itself.
///
/// These are the controls (C0, DEL and C1), the line and paragraph separators, and the bidirectional embeddings, overrides and isolates
/// of the Unicode standard (annex 9, table 4). All of them lie in the basic plane.
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text in one line, with each steering character spelled out as in Rust: `\n`, `\u{1b}`.
#[must_use]
pub fn plain_text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_steering(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// `1 track`, `2 tracks`: a number with a noun that takes an `s`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_spelled_out_and_all_else_stays() {
        let cases = [
            ("a\u{1b}]52;c;aGk=\u{7}b", "a\\u{1b}]52;c;aGk=\\u{7}b"),
            ("one\ntagscape: two\r\t", "one\\ntagscape: two\\r\\t"),
            ("\u{9b}31m\u{7f}\u{85}", "\\u{9b}31m\\u{7f}\\u{85}"),
            ("gpj\u{202e}3pm\u{2066}\u{2069}", "gpj\\u{202e}3pm\\u{2066}\\u{2069}"),
            ("a\u{2028}b\u{2029}c\0", "a\\u{2028}b\\u{2029}c\\u{0}"),
        ];
        for (text, plain) in cases {
            assert_eq!(plain_text(text), plain);
            assert!(!plain_text(text).contains(is_steering));
        }
        for text in ["", "Café \\n 'x'", "שלום‏", "日本語 👩‍👧", "é\u{301}"] {
            assert!(matches!(plain_text(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn one_takes_no_s() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "track")), ["0 tracks", "1 track", "2 tracks"]);
    }
}
