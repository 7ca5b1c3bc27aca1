//! Tags that stand around a stream's audio: where they begin and end.
//!
//! Facts: ID3v2.4 structure (3.1, header; 3.4, footer), ID3v1 and its enhanced form, APEv1 and APEv2, Lyrics3 v2.00.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of an ID3v1 tag, and of the enhanced one that may stand before it.
const ID3V1: u64 = 128;
const ID3V1_ENHANCED: u64 = 227;
/// Bytes of an APE tag's header, and of its footer.
const APE_HEAD: u64 = 32;
/// Bytes of a Lyrics3 tag's end: its size and `LYRICS200`.
const LYRICS_END: u64 = 15;

/// The `N` bytes at `at`, or `None` where fewer are there.
pub(super) fn array_at<const N: usize>(reader: &mut (impl Read + Seek), at: u64) -> io::Result<Option<[u8; N]>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Length of the ID3v2 tag that begins with these bytes.
pub(super) fn id3v2_len(head: [u8; 10]) -> Option<u64> {
    let [b'I', b'D', b'3', major, minor, flags, a, b, c, d] = head else { return None };
    if major == 0xff || minor == 0xff || [a, b, c, d].iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    let size = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte));
    Some(10 + size + if flags & 0x10 == 0 { 0 } else { 10 })
}

/// Where the ID3v2 tags end that begin at `at`; `at` where there are none.
///
/// # Errors
/// Only what reading gives.
pub(super) fn behind_id3v2(reader: &mut (impl Read + Seek), mut at: u64) -> io::Result<u64> {
    while let Some(len) = array_at::<10>(reader, at)?.and_then(id3v2_len) {
        at += len;
    }
    Ok(at)
}

/// Length of the APE tag whose header or footer these bytes are: with its header, from there on or up to there.
pub(super) fn ape_len(head: [u8; 32]) -> Option<u64> {
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if &head[..8] != b"APETAGEX" || !(1000..=2000).contains(&word(8)) {
        return None;
    }
    // The size counts the items and the footer.
    Some(u64::from(word(12)) + if word(20) & 1 << 31 == 0 { 0 } else { APE_HEAD })
}

/// Where the audio ends of which tags are the rest of the file: ID3v1, APE and Lyrics3, in any order.
///
/// # Errors
/// Only what reading gives.
pub(super) fn audio_end(reader: &mut (impl Read + Seek), len: u64) -> io::Result<u64> {
    let mut end = len;
    loop {
        let before = end;
        if let Some(at) = end.checked_sub(ID3V1)
            && array_at::<3>(reader, at)? == Some(*b"TAG")
        {
            end = at;
            if let Some(at) = end.checked_sub(ID3V1_ENHANCED)
                && array_at::<4>(reader, at)? == Some(*b"TAG+")
            {
                end = at;
            }
        }
        if let Some(at) = end.checked_sub(APE_HEAD)
            && let Some(len) = array_at::<32>(reader, at)?.and_then(ape_len)
            && len >= APE_HEAD
        {
            end = end.checked_sub(len).unwrap_or(at);
        }
        if let Some(at) = end.checked_sub(LYRICS_END)
            && let Some(tail) = array_at::<15>(reader, at)?
            && &tail[6..] == b"LYRICS200"
            && let Some(size) = std::str::from_utf8(&tail[..6]).ok().and_then(|digits| digits.parse::<u64>().ok())
        {
            end = at.saturating_sub(size);
        }
        if end == before {
            return Ok(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn ape(flags: u32, items: &[u8]) -> Vec<u8> {
        let part = |flags: u32| {
            let mut part = b"APETAGEX".to_vec();
            [2000, items.len() as u32 + 32, 1, flags].iter().for_each(|word: &u32| part.extend(word.to_le_bytes()));
            part.extend([0; 8]);
            part
        };
        let head = if flags & 1 << 31 == 0 { Vec::new() } else { part(flags | 1 << 29) };
        [head, items.to_vec(), part(flags)].concat()
    }

    #[test]
    fn tags_behind_the_audio_are_found_in_any_order() {
        let audio = vec![0x11; 500];
        let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
        let enhanced = [&b"TAG+"[..], &[b'y'; 223]].concat();
        let lyrics = [&b"LYRICSBEGININD00003110"[..], b"000022LYRICS200"].concat();
        for tags in [
            vec![],
            id3v1.clone(),
            [enhanced, id3v1.clone()].concat(),
            ape(1 << 31, &[7; 90]),
            [ape(0, &[7; 90]), id3v1.clone()].concat(),
            [lyrics, id3v1.clone()].concat(),
            [id3v1, ape(0, &[])].concat(),
        ] {
            let bytes = [&audio[..], &tags].concat();
            assert_eq!(audio_end(&mut Cursor::new(&bytes), bytes.len() as u64).unwrap(), 500, "{} bytes of tags", tags.len());
        }
    }

    #[test]
    fn a_tag_that_says_it_is_longer_than_the_file_leaves_nothing() {
        let mut tag = ape(0, &[]);
        tag[12] = 0xff;
        assert_eq!(audio_end(&mut Cursor::new(&tag), tag.len() as u64).unwrap(), 0);
        assert_eq!(behind_id3v2(&mut Cursor::new(b"ID3\x04\0\0\x7f\x7f\x7f\x7f"), 0).unwrap(), 10 + (1 << 28) - 1);
        assert_eq!(behind_id3v2(&mut Cursor::new(b"ID3"), 0).unwrap(), 0);
    }
}
