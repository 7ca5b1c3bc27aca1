//! A FLAC file with a header that does not say more than its frames do.
//!
//! The bounds of block and frame sizes in `STREAMINFO` help players to allocate, and encoders leave them empty or wrong; symphonia refuses such files. What
//! decoding needs stands in each frame. Tags behind the last frame would be taken for a part of it.
//! Facts: RFC 9639, 8.2 (streaminfo), 9.1 (frame header), 9.3 (frame footer).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::source::FileStretch;
use super::tags_behind::{self, array_at};

/// Bytes of the marker, the first block's header and `STREAMINFO`.
const HEAD: u64 = 4 + 4 + 34;
/// Most metadata blocks.
const MAX_BLOCKS: usize = 1000;
/// Bytes at the end in which the last frame has to lie where its end is looked for.
const LAST_BYTES: u64 = 1 << 18;

/// What is known of a file before it is decoded.
#[derive(Debug)]
pub(super) struct FlacFile {
    head: Vec<u8>,
    /// Byte at which the stream begins, behind tags.
    pub start: u64,
    /// Byte behind the last frame.
    pub end: u64,
    /// Length of the file.
    pub len: u64,
    /// Whether a stream of undeclared length ends inside of a frame.
    pub is_ragged: bool,
}

impl FlacFile {
    /// Reads the header; `None` where the file is no FLAC, or one whose header cannot be made out.
    ///
    /// # Errors
    /// Only what reading the file gives.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let len = file.metadata()?.len();
        let mut reader = BufReader::new(file);
        let start = tags_behind::behind_id3v2(&mut reader, 0)?;
        let Some(head) = array_at::<{ HEAD as usize }>(&mut reader, start)? else { return Ok(None) };
        if &head[..4] != b"fLaC" || head[4] & 0x7f != 0 || head[5..8] != [0, 0, 34] {
            return Ok(None);
        }
        let Some(frames) = first_frame(&mut reader, start)? else { return Ok(None) };
        let Some(blocks) = array_at::<16>(&mut reader, frames)?.and_then(|frame| block_sizes(&frame)) else { return Ok(None) };
        let end = tags_behind::audio_end(&mut reader, len)?.max(frames);
        let mut head = head.to_vec();
        head[8..10].copy_from_slice(&blocks[0].to_be_bytes());
        head[10..12].copy_from_slice(&blocks[1].to_be_bytes());
        // 0: not known.
        head[12..18].fill(0);
        let has_length = head[21] & 0x0f != 0 || head[22..26] != [0; 4];
        let is_ragged = !has_length && !ends_with_frame(&mut reader, frames, end)?;
        Ok(Some(Self { head, start, end, len, is_ragged }))
    }

    /// The stream up to its last frame, or with the tags behind it.
    pub(super) fn open(&self, file: File, with_tags: bool) -> FileStretch {
        FileStretch::behind(self.head.clone(), file, self.start + HEAD..if with_tags { self.len } else { self.end })
    }
}

/// Where the metadata blocks end.
fn first_frame(reader: &mut BufReader<&File>, start: u64) -> io::Result<Option<u64>> {
    let mut at = start + 4;
    for _ in 0..MAX_BLOCKS {
        let Some([kind, a, b, c]) = array_at::<4>(reader, at)? else { return Ok(None) };
        at += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & 0x80 != 0 {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Smallest and largest block of a stream that begins with this frame, in samples.
fn block_sizes(frame: &[u8; 16]) -> Option<[u16; 2]> {
    let &[0xff, sync, codes, ..] = frame else { return None };
    match sync {
        // Blocks of any size: a stream of them has two bounds that differ.
        0xf9 => return Some([16, u16::MAX]),
        0xf8 => {}
        _ => return None,
    }
    // The frame's number is written as UTF-8 writes letters; that of the first is one byte, of a later one in a stream that was cut more.
    let number = match frame[4].leading_ones() as usize {
        0 => 1,
        count @ 2..=7 => count,
        _ => return None,
    };
    let behind = 4 + number;
    let size = match codes >> 4 {
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => u32::from(frame[behind]) + 1,
        7 => u32::from(u16::from_be_bytes([frame[behind], frame[behind + 1]])) + 1,
        code @ 8..=15 => 256 << (code - 8),
        _ => return None,
    };
    let size = u16::try_from(size).ok()?.max(16);
    Some([size, size])
}

/// Whether the bytes before `end` are a whole frame, by its checksum.
fn ends_with_frame(reader: &mut BufReader<&File>, frames: u64, end: u64) -> io::Result<bool> {
    let from = frames.max(end.saturating_sub(LAST_BYTES));
    reader.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    reader.by_ref().take(end - from).read_to_end(&mut bytes)?;
    let is_sync = |&at: &usize| bytes[at] == 0xff && bytes.get(at + 1).is_some_and(|byte| byte & 0xfe == 0xf8);
    Ok((0..bytes.len()).rev().filter(is_sync).any(|at| crc16(&bytes[at..]) == 0))
}

/// The checksum of a frame; 0 over a frame with its own checksum behind it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn with_crc(mut frame: Vec<u8>) -> Vec<u8> {
        let crc = crc16(&frame);
        frame.extend(crc.to_be_bytes());
        frame
    }

    fn stream(min: u16, max: u16, total: u32, frames: &[Vec<u8>], behind: &[u8]) -> Vec<u8> {
        let mut bytes = b"fLaC\x80\0\0\x22".to_vec();
        bytes.extend(min.to_be_bytes());
        bytes.extend(max.to_be_bytes());
        bytes.extend([0, 9, 9, 0, 1, 1]);
        bytes.extend([0x03, 0xe8, 0x00, 0xf0]);
        bytes.extend(total.to_be_bytes());
        bytes.extend([0; 16]);
        bytes.extend(frames.concat());
        bytes.extend(behind);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<FlacFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        FlacFile::read(&file).unwrap()
    }

    #[test]
    fn the_bounds_of_a_stream_come_from_its_first_frame() {
        let frame = |sync: u8, codes: u8| with_crc([&[0xff, sync, codes, 0x08, 0x00, 0x0f, 0xff][..], &[0x11; 40]].concat());
        for (frame, bounds) in [
            (frame(0xf8, 0xc9), [4096, 4096]),
            (frame(0xf8, 0x79), [4096, 4096]),
            (frame(0xf8, 0x69), [16, 16]),
            (frame(0xf8, 0x59), [4608, 4608]),
            (frame(0xf9, 0xc9), [16, 65535]),
        ] {
            for stated in [[0, 4096], [4096, 4096], [4096, 0], [9, 9]] {
                let found = read(&stream(stated[0], stated[1], 8192, &[frame.clone(), frame.clone()], &[])).unwrap();
                let word = |at: usize| u16::from_be_bytes([found.head[at], found.head[at + 1]]);
                assert_eq!(([word(8), word(10)], &found.head[12..18]), (bounds, &[0; 6][..]), "{stated:?}");
            }
        }
    }

    #[test]
    fn tags_behind_are_no_frame_and_a_frame_that_is_cut_is_seen_without_a_length() {
        let frame = with_crc([&[0xff, 0xf8, 0xc9, 0x08, 0x00][..], &[0x22; 90]].concat());
        let tag = [&b"TAG"[..], &[b'x'; 125]].concat();
        let whole = stream(4096, 4096, 0, &[frame.clone(), frame.clone()], &[]);
        let found = read(&[&whole[..], &tag].concat()).unwrap();
        assert_eq!((found.end, found.is_ragged), (whole.len() as u64, false));
        for cut in [1, 2, 50] {
            assert!(read(&whole[..whole.len() - cut]).unwrap().is_ragged, "{cut}");
        }
        assert!(!read(&stream(4096, 4096, 8192, &[frame[..50].to_vec()], &[])).unwrap().is_ragged, "a length is declared");
        assert!(read(b"fLaC").is_none() && read(b"RIFF").is_none());
    }
}
