//! A track's path as text: what the collection's `path` column holds of a file name that need not be Unicode.
//!
//! Paths are written as they are, with `/` between names. Only where a path is not UTF-8, or where it could be taken for one that was
//! written in this way, each `\` is doubled and each byte that is no part of UTF-8 becomes `\xHH`, two capital hexadecimal digits from 80 on:
//!
//! | file name | text |
//! |---|---|
//! | `Café.ogg` in UTF-8 | `Café.ogg` |
//! | `Café.ogg` in Latin-1, the bytes `43 61 66 E9 2E 6F 67 67` | `Caf\xE9.ogg` |
//! | `AC\DC.ogg` | `AC\DC.ogg` |
//! | `Caf\xE9.ogg`, a backslash and letters | `Caf\\xE9.ogg` |
//!
//! A text is thus an escaped one exactly where `\xHH` stands in it, and every path has one text. Where file names are no bytes
//! (Windows), a path that is not Unicode has none.

use std::path::{Path, PathBuf};

/// The text of a path; none where the system's names are no bytes and this one is not Unicode.
#[must_use]
pub fn path_to_text(path: &Path) -> Option<String> {
    match path.to_str() {
        Some(text) if !has_escape(text) => Some(text.to_owned()),
        _ => Some(escape(path_bytes(path)?)),
    }
}

/// The path of a text. Every text has one: what is no escape stands for itself.
#[must_use]
pub fn path_from_text(text: &str) -> PathBuf {
    if has_escape(text) { path_of_bytes(unescape(text)) } else { PathBuf::from(text) }
}

/// Whether `\xHH` stands somewhere, as only escaped texts have it.
fn has_escape(text: &str) -> bool {
    text.as_bytes().windows(4).any(|window| escaped_byte(window).is_some())
}

/// The byte that `\xHH` stands for at the start of `text`.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    };
    match text {
        [b'\\', b'x', high, low, ..] => Some(digit(*high)? * 16 + digit(*low)?).filter(|&byte| byte >= 0x80),
        _ => None,
    }
}

fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02X}"));
        }
    }
    text
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let Some(byte) = escaped_byte(rest) {
            bytes.push(byte);
            rest = &rest[4..];
        } else {
            bytes.push(*first);
            rest = if rest.starts_with(b"\\\\") { &rest[2..] } else { tail };
        }
    }
    bytes
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Option<&[u8]> {
    Some(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Option<&[u8]> {
    path.to_str().map(str::as_bytes)
}

/// A collection from another system may name bytes that cannot be a name here; such a file is not found.
#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_their_own_text() {
        for name in ["a/Café 東京.ogg", "AC\\DC.ogg", "\\\\server", "a\\x7F", "\\xe9", "\\x", ""] {
            assert_eq!(path_to_text(Path::new(name)).as_deref(), Some(name));
            assert_eq!(path_from_text(name), Path::new(name));
        }
    }

    #[cfg(unix)]
    #[test]
    fn any_bytes_come_back_and_no_two_paths_have_one_text() {
        let parts: [&[u8]; 9] = [b"\\", b"\\x", b"E9", b"\xe9", b"x", b"\xc3\xa9", b"\xc3", b"/", b"\\xFF"];
        let mut texts = std::collections::BTreeMap::new();
        for number in 0..9_usize.pow(4) {
            let bytes: Vec<u8> = (0..4).flat_map(|place| parts[number / 9_usize.pow(place) % 9]).copied().collect();
            let path = path_of_bytes(bytes);
            let text = path_to_text(&path).unwrap();
            assert_eq!(path_from_text(&text), path, "{text}");
            let other = texts.entry(text.clone()).or_insert_with(|| path.clone());
            assert_eq!(*other, path, "{text}");
        }
        assert_eq!(path_to_text(&path_of_bytes(b"Caf\xe9.ogg".to_vec())).as_deref(), Some("Caf\\xE9.ogg"));
        assert_eq!(path_to_text(Path::new("Caf\\xE9.ogg")).as_deref(), Some("Caf\\\\xE9.ogg"));
    }
}
