//! Which files are audio: by the ending of their names, or where there is none, by their first bytes.

use std::io::{self, Read};
use std::path::Path;

use super::adts;
use super::mpeg_frames::FrameHeader;
use crate::plain_file;

/// Endings of the files that a walk through a folder takes for audio. Films (`mp4`, `mkv`, `mov`) are read when they are named.
const AUDIO_ENDINGS: [&str; 17] =
    ["wav", "wave", "aif", "aiff", "aifc", "flac", "mp3", "ogg", "oga", "opus", "m4a", "m4b", "aac", "mka", "weba", "webm", "caf"];
/// Endings of other files of music, which are not read.
const UNREAD_ENDINGS: [&str; 25] = [
    "wma", "wv", "mp1", "mp2", "ac3", "eac3", "dts", "au", "snd", "tta", "w64", "ape", "mpc", "mpp", "dsf", "dff", "ra", "rm", "amr",
    "spx", "tak", "ofr", "shn", "aa", "aax",
];
/// Bytes that are looked at: two of the longest frames of a bare AAC stream.
const SNIFFED: u64 = 2 * 8192;
/// Kinds of `ftyp` of files that are pictures, and of QuickTime films.
const NO_AUDIO_BRANDS: [&[u8; 4]; 8] = [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"qt  ", b"crx "];

/// Whether a walk through a folder takes a file for audio: by its ending, in any case of letters; a file without one by its first bytes.
#[must_use]
pub fn is_audio_file(path: &Path) -> bool {
    match path.extension() {
        Some(ending) => ending.to_str().is_some_and(|ending| AUDIO_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))),
        None => first_bytes(path).is_ok_and(|bytes| begins_as_audio(&bytes)),
    }
}

/// The ending of a file of music of a kind that is not read, in small letters.
#[must_use]
pub fn unread_kind(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    UNREAD_ENDINGS.into_iter().find(|known| ending.eq_ignore_ascii_case(known))
}

fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    plain_file::open(path)?.take(SNIFFED).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether bytes are the beginning of a format that tagscape reads.
fn begins_as_audio(bytes: &[u8]) -> bool {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| <&[u8; 4]>::try_from(word).ok()).copied().unwrap_or_default();
    match (&word(0), &word(4), &word(8)) {
        (b"RIFF" | b"RF64" | b"BW64", _, b"WAVE") | (b"FORM", _, b"AIFF" | b"AIFC") | (b"fLaC" | b"OggS" | b"caff", ..) => true,
        (_, b"ftyp", brand) => !NO_AUDIO_BRANDS.contains(&brand),
        (b"\x1a\x45\xdf\xa3", ..) => {
            let head = &bytes[..bytes.len().min(64)];
            head.windows(8).any(|word| word == b"matroska") || head.windows(4).any(|word| word == b"webm")
        }
        ([b'I', b'D', b'3', 2..=4], ..) => true,
        _ => mpeg_frames(bytes) || adts_frames(bytes),
    }
}

fn mpeg_frames(bytes: &[u8]) -> bool {
    let header = |at: usize| {
        bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).and_then(|word| FrameHeader::parse(u32::from_be_bytes(word)))
    };
    let Some(first) = header(0) else { return false };
    header(first.bytes as usize).is_some_and(|second| second.is_like(first))
}

fn adts_frames(bytes: &[u8]) -> bool {
    let Some((length, kind)) = adts::frame_head(bytes) else { return false };
    bytes.get(length as usize..).and_then(adts::frame_head).is_some_and(|(_, second)| second == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_audio_by_its_ending_in_any_case() {
        for name in ["a.wav", "b.FLAC", "c.Mp3", "d e/f.ogg", "g.aiff", "h.m4a", "i.Opus", "j.webm"] {
            assert!(is_audio_file(Path::new(name)), "{name}");
        }
        for name in ["wav", "a.txt", ".flac", "b.flac.part", "cover.jpg", "film.mp4", "film.mkv", ""] {
            assert!(!is_audio_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn music_that_is_not_read_is_known_by_its_ending() {
        assert_eq!([Path::new("a/b.WMA"), Path::new("c.wv"), Path::new("d.mp2")].map(unread_kind), [Some("wma"), Some("wv"), Some("mp2")]);
        for name in ["a.mp3", "b.txt", "wma", ".ac3"] {
            assert_eq!(unread_kind(Path::new(name)), None, "{name}");
        }
        assert!(UNREAD_ENDINGS.iter().all(|ending| !AUDIO_ENDINGS.contains(ending)));
    }

    #[test]
    fn a_file_without_an_ending_is_audio_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("track");
        let is_audio = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            is_audio_file(&path)
        };
        let mpeg = [&[0xff, 0xfb, 0x90, 0][..], &[0; 413], &[0xff, 0xfb, 0x90, 0]].concat();
        let adts = [&[0xff, 0xf1, 0x50, 0x80, 1, 0x3f, 0xfc][..], &[9; 2], &[0xff, 0xf1, 0x50, 0x80, 1, 0x3f, 0xfc]].concat();
        let audio: [&[u8]; 9] = [
            b"RIFF\0\0\0\0WAVEfmt ",
            b"FORM\0\0\0\0AIFC",
            b"fLaC\0",
            b"OggS\0",
            b"\0\0\0\x20ftypM4A ",
            b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
            b"ID3\x04\0",
            &mpeg,
            &adts,
        ];
        for bytes in audio {
            assert!(is_audio(bytes), "{bytes:?}");
        }
        let other: [&[u8]; 8] = [
            b"",
            b"RIFF\0\0\0\0WEBP",
            b"#!/bin/sh\n",
            b"\x7fELF",
            b"\0\0\0\x20ftypheic",
            b"\x1a\x45\xdf\xa3 something else",
            &mpeg[..400],
            b"\xff\xfe U T F 1 6 text",
        ];
        for bytes in other {
            assert!(!is_audio(bytes), "{bytes:?}");
        }
        assert!(!is_audio_file(folder.path()), "a folder");
        let named = folder.path().join("text.txt");
        std::fs::write(&named, b"fLaC").unwrap();
        assert!(!is_audio_file(&named), "an ending of something else counts");
    }
}
