//! The frames of an MP3, one after the other.
//!
//! Tags and junk between frames are passed over. A frame of another form than those before (channels, rate, version) begins another part, if others follow it.
//! Facts: ISO/IEC 11172-3, 2.4.1.3 and 2.4.3.1 (header, frame size); the Xing and VBRI headers as LAME and Fraunhofer write them.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::tags_behind;

/// Frames of another form than those before that have to follow each other before they are taken for a part, and not for junk.
const FRAMES_OF_A_PART: usize = 4;
/// Longest Lyrics3 tag.
const MAX_LYRICS: u64 = 1 << 20;

/// A Layer III frame header, as far as framing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    version: u32,
    /// Frames in a second.
    pub sample_rate_hz: u32,
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

    /// Channels of the frame.
    pub(super) fn channels(self) -> usize {
        if self.is_mono { 1 } else { 2 }
    }

    fn side_info_bytes(self) -> u64 {
        match (self.version == 3, self.is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        }
    }
}

/// A frame that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Where it begins.
    pub at: u64,
    pub header: FrameHeader,
    /// Whether it is an encoder's note and no audio.
    pub is_info: bool,
    /// Frames that the note promises.
    pub promised_frames: Option<u64>,
    /// Whether a tag or junk lies before it.
    pub is_joined: bool,
}

/// Goes over the frames of a file, one after the other.
pub(super) struct Frames<R> {
    bytes: Bytes<R>,
    /// Where the tags before the first frame end.
    start: u64,
    /// Where the next frame is looked for.
    at: u64,
    /// The form of the frames before.
    form: Option<FrameHeader>,
    /// Whether the file ends inside of a frame.
    pub is_cut_off: bool,
}

impl<R: Read + Seek> Frames<R> {
    /// At the start of a file of `len` bytes.
    pub(super) fn new(reader: R, len: u64) -> io::Result<Self> {
        let mut bytes = Bytes::new(reader, len);
        let start = tags_behind::behind_id3v2(&mut bytes.reader, 0)?;
        bytes.position = u64::MAX;
        Ok(Self { bytes, start, at: start, form: None, is_cut_off: false })
    }

    /// Goes back to the first frame.
    pub(super) fn rewind(&mut self) {
        (self.at, self.form, self.is_cut_off) = (self.start, None, false);
    }

    /// The next whole frame, or `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut is_joined = false;
        loop {
            let header = match self.bytes.header_at(self.at)? {
                Some(header) if self.form.is_some_and(|form| header.is_like(form)) => header,
                _ => {
                    let behind = self.bytes.behind_tags(self.at)?;
                    if behind > self.at {
                        (self.at, is_joined) = (behind, true);
                        continue;
                    }
                    let Some((at, header)) = self.bytes.find_frame(self.at, self.form)? else { return Ok(None) };
                    is_joined |= at > self.at;
                    (self.at, self.form) = (at, Some(header));
                    header
                }
            };
            if self.at + header.bytes > self.bytes.len {
                self.is_cut_off = true;
                self.at = self.bytes.len;
                return Ok(None);
            }
            let at = self.at;
            self.at += header.bytes;
            let is_info = self.bytes.info_at(at, header)?.is_some();
            let promised_frames = if is_info { self.bytes.promised_frames(at, header)? } else { None };
            return Ok(Some(Frame { at, header, is_info, promised_frames, is_joined }));
        }
    }

    /// The bytes of a frame.
    pub(super) fn data(&mut self, frame: Frame) -> io::Result<Vec<u8>> {
        let mut data = vec![0; usize::try_from(frame.header.bytes).unwrap_or(0)];
        self.bytes.move_to(frame.at)?;
        self.bytes.reader.read_exact(&mut data)?;
        self.bytes.position += data.len() as u64;
        Ok(data)
    }

    /// The file.
    pub(super) fn into_inner(self) -> R {
        self.bytes.reader.into_inner()
    }
}

struct Bytes<R> {
    reader: BufReader<R>,
    /// Where `reader` stands; `u64::MAX` where that is not known.
    position: u64,
    len: u64,
}

impl<R: Read + Seek> Bytes<R> {
    fn new(reader: R, len: u64) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), position: u64::MAX, len }
    }

    fn move_to(&mut self, at: u64) -> io::Result<()> {
        match i64::try_from(i128::from(at) - i128::from(self.position)) {
            Ok(step) if self.position != u64::MAX => self.reader.seek_relative(step)?,
            _ => {
                self.reader.seek(SeekFrom::Start(at))?;
            }
        }
        self.position = at;
        Ok(())
    }

    /// The `N` bytes at `at`, or `None` where the file ends before.
    fn array_at<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>> {
        if at.checked_add(N as u64).is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        self.move_to(at)?;
        let mut into = [0; N];
        self.reader.read_exact(&mut into)?;
        self.position += N as u64;
        Ok(Some(into))
    }

    fn header_at(&mut self, at: u64) -> io::Result<Option<FrameHeader>> {
        Ok(self.array_at(at)?.and_then(|word| FrameHeader::parse(u32::from_be_bytes(word))))
    }

    /// The first frame from `from` on that others like it follow, or the file's end, or a tag. One of another form than those before needs more of
    /// them, or every stretch of noise would end a part.
    fn find_frame(&mut self, from: u64, before: Option<FrameHeader>) -> io::Result<Option<(u64, FrameHeader)>> {
        for at in from..self.len.saturating_sub(FrameHeader::BYTES - 1) {
            let Some(header) = self.header_at(at)? else { continue };
            if before.is_none_or(|before| header.is_like(before)) {
                let next = at + header.bytes;
                if next >= self.len || self.behind_tags(next)? > next || self.header_at(next)?.is_some_and(|next| next.is_like(header)) {
                    return Ok(Some((at, header)));
                }
            } else if self.are_frames(at, header)? {
                return Ok(Some((at, header)));
            }
        }
        Ok(None)
    }

    /// Whether enough frames of one form follow each other from `at` on.
    fn are_frames(&mut self, mut at: u64, header: FrameHeader) -> io::Result<bool> {
        for _ in 0..FRAMES_OF_A_PART {
            match self.header_at(at)? {
                Some(next) if next.is_like(header) => at += next.bytes,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Where the tag ends that begins at `at`; `at` where none does.
    fn behind_tags(&mut self, at: u64) -> io::Result<u64> {
        let Some(start) = self.array_at::<3>(at)? else { return Ok(at) };
        Ok(match &start {
            b"ID3" => at + self.array_at::<10>(at)?.and_then(tags_behind::id3v2_len).unwrap_or(0),
            b"TAG" => (at + if self.array_at::<4>(at)? == Some(*b"TAG+") { 227 } else { 128 }).min(self.len),
            b"APE" => match self.array_at::<32>(at)? {
                // A header; behind a footer nothing more of the tag follows.
                Some(head) if head[23] & 0x20 != 0 => at + tags_behind::ape_len(head).unwrap_or(0),
                Some(head) if tags_behind::ape_len(head).is_some() => at + 32,
                _ => at,
            },
            b"LYR" => self.behind_lyrics(at)?,
            _ => at,
        })
    }

    /// Behind the Lyrics3 tag that begins at `at`: its end says how long it is.
    fn behind_lyrics(&mut self, at: u64) -> io::Result<u64> {
        if self.array_at::<11>(at)? != Some(*b"LYRICSBEGIN") {
            return Ok(at);
        }
        for end in at + 11..(at + MAX_LYRICS).min(self.len.saturating_sub(8)) {
            if self.array_at::<9>(end)?.is_some_and(|word| &word == b"LYRICS200" || &word == b"LYRICSEND") {
                return Ok(end + 9);
            }
        }
        Ok(at + 11)
    }

    /// Where the info frame's own header is, behind side information of zeros, and its name.
    fn info_at(&mut self, at: u64, header: FrameHeader) -> io::Result<Option<(u64, [u8; 4])>> {
        let Some(bytes) = self.array_at::<40>(at)? else { return Ok(None) };
        let has = |offset: u64, names: [&[u8; 4]; 2]| {
            let offset = offset as usize;
            let name = *bytes.get(offset..)?.first_chunk::<4>()?;
            // Two bytes behind the header may be a checksum.
            (names.contains(&&name) && bytes[6..offset].iter().all(|&byte| byte == 0)).then_some((at + offset as u64, name))
        };
        let xing = has(FrameHeader::BYTES + header.side_info_bytes(), [b"Xing", b"Info"]);
        Ok(xing.or_else(|| has(FrameHeader::BYTES + 32, [b"VBRI"; 2])))
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

/// The headers of free format, but for padding and stereo mode, in a stream's first `reach` bytes, and where they stand.
///
/// # Errors
/// Only what reading gives.
pub(super) fn free_format_words(reader: impl Read + Seek, reach: u64) -> io::Result<Vec<(u64, u32)>> {
    let mut reader = BufReader::new(reader);
    let start = tags_behind::behind_id3v2(&mut reader, 0)?;
    reader.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    reader.take(reach).read_to_end(&mut bytes)?;
    let has_form = |word: u32| word >> 21 == 0x7ff && (word >> 17) & 3 == 1 && (word >> 19) & 3 != 1 && (word >> 10) & 3 != 3;
    let words =
        bytes.windows(4).enumerate().map(|(at, word)| (start + at as u64, u32::from_be_bytes([word[0], word[1], word[2], word[3]])));
    Ok(words.filter(|&(_, word)| has_form(word) && (word >> 12) & 15 == 0).map(|(at, word)| (at, word & 0xffff_fdcf)).collect())
}
