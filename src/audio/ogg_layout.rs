//! Which streams an ogg has, and how each of them ends.
//!
//! Facts: RFC 3533, section 6 (page header); the first bytes of each codec's first packet.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Bytes of a page's header before its segment table, and of a whole page at most.
const HEAD: usize = 27;
const MAX_PAGE: u64 = 27 + 255 + 255 * 255;
/// Most streams of a file.
const MAX_STREAMS: usize = 64;
/// Codecs by the beginning of their first packets.
const CODECS: [(&[u8], &str); 12] = [
    (b"\x01vorbis", VORBIS),
    (b"OpusHead", OPUS),
    (b"\x7fFLAC", FLAC),
    (b"Speex   ", "Speex"),
    (b"CELT    ", "CELT"),
    (b"PCM     ", "PCM"),
    (b"\x80theora", "Theora video"),
    (b"BBCD\0", "Dirac video"),
    (b"OVP80", "VP8 video"),
    (b"\x80kate", "Kate text"),
    (b"CMML", "CMML text"),
    (b"fishead\0", SKELETON),
];
const VORBIS: &str = "Vorbis";
const OPUS: &str = "Opus";
const FLAC: &str = "FLAC";
/// An index of the other streams.
const SKELETON: &str = "Skeleton";

/// What is known of an ogg's streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OggLayout {
    /// Names of the codecs of the first streams.
    codecs: Vec<&'static str>,
    /// Of each stream that reaches into the last pages: its number, where its last whole page ends, and whether that is marked as the last.
    ends: Vec<(u32, u64, bool)>,
    /// Byte behind the last whole page, where one was found.
    pub whole_end: u64,
}

/// Reads the first and the last pages of a file; empty where it is no ogg.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<OggLayout> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(MAX_PAGE as usize, file);
    let mut layout = OggLayout::default();
    let mut bytes_at = |at: u64, count: u64| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.seek(SeekFrom::Start(at))?;
        reader.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let mut at = 0;
    while layout.codecs.len() < MAX_STREAMS {
        let bytes = bytes_at(at, MAX_PAGE)?;
        let Some(page) = Page::parse(&bytes).filter(|page| page.is_first) else { break };
        let body = &bytes[page.head_bytes..page.bytes];
        layout.codecs.push(CODECS.iter().find(|(start, _)| body.starts_with(start)).map_or("an unknown codec", |(_, name)| name));
        at += page.bytes as u64;
    }
    if layout.codecs.is_empty() {
        return Ok(layout);
    }
    // Two pages for each stream: one may hold no end of a packet, and so no time.
    let reach = (layout.codecs.len() as u64 + 1) * 2 * MAX_PAGE;
    let start = len.saturating_sub(reach);
    let bytes = bytes_at(start, reach)?;
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| rest.windows(4).position(|word| word == b"OggS")) {
        let Some(page) = bytes.get(from + found..).and_then(Page::parse) else {
            from += found + 4;
            continue;
        };
        from += found + page.bytes;
        layout.whole_end = start + from as u64;
        let known = layout.ends.iter_mut().find(|(serial, ..)| *serial == page.serial);
        match (known, page.end) {
            (Some(known), Some(end)) => (known.1, known.2) = (end, page.is_last),
            (Some(known), None) => known.2 = page.is_last,
            (None, end) => layout.ends.push((page.serial, end.unwrap_or(0), page.is_last)),
        }
    }
    Ok(layout)
}

impl OggLayout {
    /// The codecs, where none of them is audio that can be decoded.
    pub(super) fn unreadable(&self) -> Option<String> {
        let is_readable = self.codecs.iter().any(|codec| [VORBIS, OPUS, FLAC].contains(codec));
        let mut names: Vec<_> = self.codecs.iter().copied().filter(|name| *name != SKELETON).collect();
        names.dedup();
        (!is_readable && !names.is_empty()).then(|| names.join(", "))
    }

    /// Whether a stream's last page is marked as the last.
    pub(super) fn has_end_mark(&self, serial: u32) -> bool {
        self.ends.iter().any(|&(known, _, is_last)| known == serial && is_last)
    }

    /// Where a stream ends on its own clock, as the last of its pages says.
    pub(super) fn end_of(&self, serial: u32) -> Option<u64> {
        self.ends.iter().find(|(known, end, _)| *known == serial && *end > 0).map(|&(_, end, _)| end)
    }
}

struct Page {
    serial: u32,
    is_first: bool,
    is_last: bool,
    /// Time at its end, where a packet ends in it.
    end: Option<u64>,
    head_bytes: usize,
    bytes: usize,
}

impl Page {
    /// The page that begins with these bytes, if it is whole.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD)?;
        if &head[..5] != b"OggS\0" {
            return None;
        }
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let end = u64::from(word(10)) << 32 | u64::from(word(6));
        let segments = bytes.get(HEAD..HEAD + usize::from(head[26]))?;
        let head_bytes = HEAD + segments.len();
        let all = head_bytes + segments.iter().map(|&segment| usize::from(segment)).sum::<usize>();
        (all <= bytes.len()).then_some(Self {
            serial: word(14),
            is_first: head[5] & 2 != 0,
            is_last: head[5] & 4 != 0,
            // All ones: no packet ends here. Beyond what a signed number holds, nothing is a time.
            end: Some(end).filter(|&end| i64::try_from(end).is_ok()),
            head_bytes,
            bytes: all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn page(serial: u32, flags: u8, end: u64, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(end.to_le_bytes());
        page.extend(serial.to_le_bytes());
        page.extend([0; 8]);
        page.extend([1, body.len() as u8]);
        page.extend(body);
        page
    }

    fn layout_of(bytes: &[u8]) -> OggLayout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read_layout(&file).unwrap()
    }

    #[test]
    fn codecs_that_are_not_read_are_named() {
        let speex = page(1, 2, 0, b"Speex   1.2");
        let theora = page(2, 2, 0, b"\x80theora\x03\x02");
        let skeleton = page(3, 2, 0, b"fishead\0\x04");
        assert_eq!(layout_of(&speex).unreadable().as_deref(), Some("Speex"));
        assert_eq!(layout_of(&[skeleton, theora.clone()].concat()).unreadable().as_deref(), Some("Theora video"));
        assert_eq!(layout_of(&[theora, page(4, 2, 0, b"\x01vorbis")].concat()).unreadable(), None);
        assert_eq!(layout_of(b"no ogg").unreadable(), None);
    }

    #[test]
    fn the_end_is_that_of_the_last_whole_page_of_the_stream() {
        let begin = [page(7, 2, 0, b"OpusHead"), page(9, 2, 0, b"\x80theora")].concat();
        let middle =
            [page(7, 0, 960, b"abc"), page(7, 0, 1920, b"OggS and more"), page(7, 0, u64::MAX, b"half"), page(9, 4, 5, b"v")].concat();
        let open = layout_of(&[&begin[..], &middle].concat());
        assert_eq!((open.end_of(7), open.has_end_mark(7), open.has_end_mark(9)), (Some(1920), false, true));
        let last = page(7, 4, 2500, b"last");
        let closed = layout_of(&[&begin[..], &middle, &last].concat());
        assert_eq!((closed.end_of(7), closed.has_end_mark(7)), (Some(2500), true));
        let cut = layout_of(&[&begin[..], &middle, &last[..last.len() - 2]].concat());
        assert_eq!(cut, open, "a page that is not whole is none");
        assert_eq!(cut.whole_end, (begin.len() + middle.len()) as u64);
        assert_eq!(closed.end_of(8), None);
    }
}
