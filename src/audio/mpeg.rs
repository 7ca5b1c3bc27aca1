//! Where an MP3's frames begin and end, and how many there are.
//!
//! An MPEG audio stream has no length and no end mark. What can be known is this: each frame says how long it is, so that a last
//! frame that the file does not hold whole means a file that is cut off; and an encoder's info frame (Xing, Info, VBRI) says how
//! many frames follow. Tags stand before (ID3v2) and after (ID3v1, APE, Lyrics3) and are no audio.
//! Facts: ISO/IEC 11172-3, 2.4.1.3 and 2.4.3.1 (header, frame size); the Xing and VBRI headers as LAME and Fraunhofer write them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// What a walk over all frames finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MpegLayout {
    /// Byte behind the last whole frame.
    pub audio_end: u64,
    /// Whole frames, the info frame not counted.
    pub frames: u64,
    /// Frames that the info frame promises.
    pub promised_frames: Option<u64>,
    /// Samples of a channel in a frame: 1152, or 576 at the low sample rates.
    pub frame_samples: u64,
    /// Whether the file ends inside of a frame.
    pub is_cut_off: bool,
}

/// A Layer III frame header, as far as framing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    version: u32,
    sample_rate_hz: u32,
    is_mono: bool,
    /// Length of the frame with its header.
    pub bytes: u64,
}

impl FrameHeader {
    const BYTES: u64 = 4;
    const KBPS_MPEG1: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const KBPS_MPEG2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

    /// Reads a header's four bytes.
    pub(super) fn parse(word: u32) -> Option<Self> {
        let (version, layer) = ((word >> 19) & 3, (word >> 17) & 3);
        let (rate_index, kbps_index) = ((word >> 10) & 3, ((word >> 12) & 15) as usize);
        // Layer III is 1; version 1 and sample rate 3 are reserved; bit rate 0 is the free format.
        if word >> 21 != 0x7ff || layer != 1 || version == 1 || rate_index == 3 || kbps_index == 0 || kbps_index == 15 {
            return None;
        }
        let is_mpeg1 = version == 3;
        let base_hz = [44_100, 48_000, 32_000][rate_index as usize];
        let sample_rate_hz = base_hz >> [2, 0, 1, 0][version as usize];
        let kbps = if is_mpeg1 { Self::KBPS_MPEG1 } else { Self::KBPS_MPEG2 }[kbps_index];
        let bytes = u64::from((if is_mpeg1 { 144 } else { 72 }) * kbps * 1000 / sample_rate_hz + ((word >> 9) & 1));
        Some(Self { version, sample_rate_hz, is_mono: (word >> 6) & 3 == 3, bytes })
    }

    /// Whether the other can follow in the same stream.
    pub(super) fn is_like(self, other: Self) -> bool {
        (self.version, self.sample_rate_hz, self.is_mono) == (other.version, other.sample_rate_hz, other.is_mono)
    }

    /// Samples of a channel in the frame.
    pub(super) fn samples(self) -> u64 {
        if self.version == 3 { 1152 } else { 576 }
    }

    fn side_info_bytes(self) -> u64 {
        match (self.version == 3, self.is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        }
    }
}

/// Walks over all frames of an MP3 file.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<MpegLayout> {
    let len = file.metadata()?.len();
    let mut bytes = Bytes { reader: BufReader::with_capacity(1 << 16, file), position: u64::MAX, len };
    let mut layout = MpegLayout::default();
    let behind_tags = bytes.skip_id3v2(0)?;
    let Some((mut position, first)) = bytes.find_frame(behind_tags, None)? else { return Ok(layout) };
    layout.frame_samples = first.samples();
    layout.promised_frames = bytes.promised_frames(position, first)?;
    let mut is_info = layout.promised_frames.is_some() || bytes.is_info_frame(position, first)?;
    loop {
        match bytes.header_at(position)? {
            Some(header) if header.is_like(first) => {
                if position + header.bytes > len {
                    layout.is_cut_off = true;
                    return Ok(layout);
                }
                position += header.bytes;
                layout.audio_end = position;
                layout.frames += u64::from(!is_info);
                is_info = false;
            }
            _ if bytes.is_tag(position)? => return Ok(layout),
            _ => {
                let behind_tags = bytes.skip_id3v2(position)?;
                let Some((next, _)) = bytes.find_frame(behind_tags, Some(first))? else { return Ok(layout) };
                position = next;
            }
        }
    }
}

struct Bytes<'f> {
    reader: BufReader<&'f File>,
    /// Where `reader` stands; `u64::MAX` before the first read.
    position: u64,
    len: u64,
}

impl Bytes<'_> {
    /// The `N` bytes at `at`, or `None` where the file ends before.
    fn array_at<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>> {
        if at.checked_add(N as u64).is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        match i64::try_from(i128::from(at) - i128::from(self.position)) {
            Ok(step) if self.position != u64::MAX => self.reader.seek_relative(step)?,
            _ => {
                self.reader.seek(SeekFrom::Start(at))?;
            }
        }
        let mut into = [0; N];
        self.position = at;
        self.reader.read_exact(&mut into)?;
        self.position += N as u64;
        Ok(Some(into))
    }

    fn header_at(&mut self, at: u64) -> io::Result<Option<FrameHeader>> {
        Ok(self.array_at(at)?.and_then(|word| FrameHeader::parse(u32::from_be_bytes(word))))
    }

    /// The first frame from `from` on that another of its kind follows, or the file's end, or a tag.
    fn find_frame(&mut self, from: u64, like: Option<FrameHeader>) -> io::Result<Option<(u64, FrameHeader)>> {
        for at in from..self.len.saturating_sub(FrameHeader::BYTES - 1) {
            let Some(header) = self.header_at(at)? else { continue };
            if like.is_some_and(|like| !header.is_like(like)) {
                continue;
            }
            let next = at + header.bytes;
            if next >= self.len || self.is_tag(next)? || self.header_at(next)?.is_some_and(|next| next.is_like(header)) {
                return Ok(Some((at, header)));
            }
        }
        Ok(None)
    }

    /// Behind the ID3v2 tags that begin at `at`, or `at`.
    fn skip_id3v2(&mut self, mut at: u64) -> io::Result<u64> {
        while let Some([b'I', b'D', b'3', _, _, flags, a, b, c, d]) = self.array_at::<10>(at)? {
            let size = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
            at += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
        }
        Ok(at)
    }

    /// Whether a tag that stands behind the audio begins at `at`.
    fn is_tag(&mut self, at: u64) -> io::Result<bool> {
        Ok(self.array_at::<3>(at)?.is_some_and(|word| &word == b"TAG")
            || self.array_at::<8>(at)?.is_some_and(|word| &word == b"APETAGEX" || &word == b"LYRICSBE"))
    }

    /// Where the info frame's own header is, behind side information of zeros, and its name.
    fn info_at(&mut self, at: u64, header: FrameHeader) -> io::Result<Option<(u64, [u8; 4])>> {
        let xing = at + FrameHeader::BYTES + header.side_info_bytes();
        if let Some(name) = self.array_at::<4>(xing)?.filter(|name| name == b"Xing" || name == b"Info") {
            return Ok(Some((xing, name)));
        }
        let vbri = at + FrameHeader::BYTES + 32;
        Ok(self.array_at::<4>(vbri)?.filter(|name| name == b"VBRI").map(|name| (vbri, name)))
    }

    fn is_info_frame(&mut self, at: u64, header: FrameHeader) -> io::Result<bool> {
        Ok(self.info_at(at, header)?.is_some())
    }

    fn promised_frames(&mut self, at: u64, header: FrameHeader) -> io::Result<Option<u64>> {
        let Some((info, name)) = self.info_at(at, header)? else { return Ok(None) };
        let count_at = if &name == b"VBRI" {
            info + 14
        } else {
            let flags = self.array_at(info + 4)?.map_or(0, u32::from_be_bytes);
            if flags & 1 == 0 {
                return Ok(None);
            }
            info + 8
        };
        Ok(self.array_at(count_at)?.map(|count| u64::from(u32::from_be_bytes(count))).filter(|&count| count > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// MPEG 1, 44.1 kHz, stereo, 128 kbit/s: 417 bytes.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x90, 0x00];

    fn frame() -> Vec<u8> {
        let mut frame = HEADER.to_vec();
        frame.resize(417, 0);
        frame
    }

    fn info_frame(count: u32) -> Vec<u8> {
        let mut info = frame();
        info[36..40].copy_from_slice(b"Xing");
        info[43] = 1;
        info[44..48].copy_from_slice(&count.to_be_bytes());
        info
    }

    fn layout_of(parts: &[&[u8]]) -> MpegLayout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&parts.concat()).unwrap();
        read_layout(&file).unwrap()
    }

    #[test]
    fn frames_are_counted_between_the_tags() {
        let id3 = [b"ID3\x04\0\0\0\0\0\x05", b"\xff\xfb\x90\0\0".as_slice()].concat();
        let mut id3v1 = b"TAG".to_vec();
        id3v1.resize(128, 0);
        let found = layout_of(&[&id3, &frame(), &frame(), &frame(), &id3v1]);
        let expected = MpegLayout { audio_end: 15 + 3 * 417, frames: 3, promised_frames: None, frame_samples: 1152, is_cut_off: false };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_info_frame_is_no_audio_and_its_promise_is_read() {
        let found = layout_of(&[&info_frame(2), &frame(), &frame()]);
        assert_eq!((found.frames, found.promised_frames, found.is_cut_off), (2, Some(2), false));
    }

    #[test]
    fn a_file_that_ends_inside_of_a_frame_is_cut_off() {
        let found = layout_of(&[&frame(), &frame(), &frame()[..300]]);
        assert_eq!((found.frames, found.audio_end, found.is_cut_off), (2, 834, true));
    }

    #[test]
    fn junk_between_frames_is_passed_and_junk_behind_them_is_no_audio() {
        let found = layout_of(&[&[0x55; 1000], &frame(), &frame(), &[0xff; 77], &frame(), &frame(), &[0; 500]]);
        assert_eq!((found.frames, found.audio_end), (4, 1000 + 4 * 417 + 77));
        assert_eq!(layout_of(&[&[0x55; 1000]]), MpegLayout::default());
        assert_eq!(layout_of(&[]), MpegLayout::default());
    }

    #[test]
    fn a_tag_that_claims_to_be_longer_than_the_file_ends_the_search() {
        assert_eq!(layout_of(&[b"ID3\x04\0\0\x7f\x7f\x7f\x7f", &frame(), &frame()]).frames, 0);
    }
}
