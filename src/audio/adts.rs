//! Where the frames of a bare AAC stream (ADTS) begin and end.
//!
//! Such a stream has no length and no end mark, as an MP3 has none: a last frame that the file does not hold whole is a file that is cut off.
//! Tags may stand before and after.
//! Facts: ISO/IEC 14496-3, 1.A.2.2.1 (ADTS header).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Frames that have to follow each other before they are taken for audio that goes on.
const FRAMES_THAT_FOLLOW: usize = 4;
/// Bytes behind the last frame in which they are looked for.
const SEARCHED: u64 = 4 << 20;

/// What a walk over all frames finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AdtsLayout {
    /// Byte behind the last whole frame.
    pub audio_end: u64,
    /// Whole frames.
    pub frames: u64,
    /// Whether the file ends inside of a frame.
    pub is_cut_off: bool,
    /// Whether frames follow that are not read: of another form, or behind a tag.
    pub goes_on: bool,
}

/// Length of the frame that begins with these bytes, and what all frames of a stream share.
pub(super) fn frame_head(head: &[u8]) -> Option<(u64, [u8; 2])> {
    let &[0xff, sync, profile, channels, length, ..] = head else { return None };
    let &low = head.get(5)?;
    let bytes = u64::from(channels & 3) << 11 | u64::from(length) << 3 | u64::from(low) >> 5;
    // Layer 0; sampling rates from 13 on are reserved.
    let is_frame = sync & 0xf6 == 0xf0 && (profile >> 2) & 15 < 13 && bytes > 7;
    is_frame.then_some((bytes, [sync & 0xf8, profile & 0xfd]))
}

/// Walks over all frames from `start` on.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<AdtsLayout> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut layout = AdtsLayout::default();
    let mut at = behind_id3v2(&mut reader)?;
    let mut kind = None;
    reader.seek(SeekFrom::Start(at))?;
    // What is left behind the last frame: less than a head can still be the beginning of one.
    while at < len {
        let left = usize::try_from(len - at).unwrap_or(usize::MAX).min(7);
        let mut head = [0; 7];
        reader.read_exact(&mut head[..left])?;
        match frame_head(&head).filter(|(_, found)| left == 7 && kind.is_none_or(|kind| kind == *found)) {
            Some((bytes, _)) if at + bytes > len => {
                layout.is_cut_off = true;
                return Ok(layout);
            }
            Some((bytes, found)) => {
                kind = Some(found);
                at += bytes;
                layout.audio_end = at;
                layout.frames += 1;
                reader.seek_relative(bytes as i64 - 7)?;
            }
            None if kind.is_none() => {
                // Junk before the first frame.
                at += 1;
                reader.seek_relative(1 - left as i64)?;
            }
            None => {
                layout.is_cut_off = left < 7 && head[0] == 0xff && (left < 2 || head[1] & 0xf6 == 0xf0);
                layout.goes_on = has_frames(&mut reader, at)?;
                return Ok(layout);
            }
        }
    }
    Ok(layout)
}

/// Whether frames of any form follow each other somewhere from `at` on.
fn has_frames(reader: &mut BufReader<&File>, at: u64) -> io::Result<bool> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    reader.by_ref().take(SEARCHED).read_to_end(&mut bytes)?;
    let follow = |at: usize| {
        let mut next = at;
        let mut form = None;
        (0..FRAMES_THAT_FOLLOW).all(|_| {
            let Some((length, found)) = bytes.get(next..).and_then(frame_head) else { return false };
            next += length as usize;
            *form.get_or_insert(found) == found
        })
    };
    Ok((0..bytes.len()).any(follow))
}

/// Where the tags end that stand before the audio.
fn behind_id3v2(reader: &mut BufReader<&File>) -> io::Result<u64> {
    let mut at = 0_u64;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let mut head = [0; 10];
        match reader.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(at),
            Err(error) => return Err(error),
        }
        let [b'I', b'D', b'3', _, _, flags, size @ ..] = head else { return Ok(at) };
        let size = size.iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
        at += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn frame(bytes: u64) -> Vec<u8> {
        let mut frame = vec![0xff, 0xf1, 0x50, 0x80 | (bytes >> 11) as u8, (bytes >> 3) as u8, (bytes << 5) as u8 | 0x1f, 0xfc];
        frame.resize(bytes as usize, 0x55);
        frame
    }

    fn layout_of(parts: &[&[u8]]) -> AdtsLayout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&parts.concat()).unwrap();
        read_layout(&file).unwrap()
    }

    #[test]
    fn frames_are_counted_between_tags_and_a_cut_is_seen() {
        let id3 = b"ID3\x04\0\0\0\0\0\x03abc";
        let found = layout_of(&[id3, &frame(100), &frame(300), b"TAG and so on"]);
        assert_eq!(found, AdtsLayout { audio_end: 413, frames: 2, ..AdtsLayout::default() });
        for left in [1, 2, 6, 7, 299] {
            assert!(layout_of(&[id3, &frame(100), &frame(300)[..left]]).is_cut_off, "{left}");
        }
        assert_eq!(layout_of(&[b"junk", &frame(100)]).frames, 1);
        assert_eq!(layout_of(&[&[0x55; 300]]), AdtsLayout::default());
    }

    #[test]
    fn frames_behind_a_tag_or_of_another_form_are_seen() {
        let mut other = frame(90);
        other[2] = 0x40;
        let tag = [&b"TAG"[..], &[b'x'; 125]].concat();
        assert!(layout_of(&[&frame(100), &frame(90), &tag, &frame(80), &frame(80), &frame(80), &frame(80)]).goes_on);
        assert!(layout_of(&[&frame(100), &frame(90), &other, &other, &other, &other]).goes_on);
        assert!(!layout_of(&[&frame(100), &frame(90), &tag]).goes_on);
    }
}
