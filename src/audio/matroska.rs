//! What a Matroska or WebM file says besides its packets: encoder delays, padding, its length, and whether it is whole.
//!
//! symphonia gives the packets and passes over the padding of a last block, and takes the end of a file for the end of the stream. So all elements' heads
//! are walked over once; of the blocks only the head and a few bytes are read.
//! Facts: RFC 8794 (EBML), RFC 9559 (Matroska elements).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_a966;
const TIMESTAMP_SCALE: u64 = 0x2a_d7b1;
const DURATION: u64 = 0x4489;
const TITLE: u64 = 0x7ba9;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_NUMBER: u64 = 0xd7;
const CODEC_DELAY: u64 = 0x56aa;
const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const SIMPLE_BLOCK: u64 = 0xa3;
const BLOCK: u64 = 0xa1;
const DISCARD_PADDING: u64 = 0x75a2;

/// Longest title that is read, in bytes.
const MAX_TITLE: u64 = 1000;

/// What a walk over all elements finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MatroskaLayout {
    /// Whether an element reaches behind the file's end.
    pub is_cut_off: bool,
    /// The file's title.
    pub title: Option<String>,
    /// Length of the longest track in seconds, where the file says it.
    pub duration_secs: Option<f64>,
    tracks: Vec<MatroskaTrack>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct MatroskaTrack {
    number: u64,
    codec_delay_ns: u64,
    /// Padding of the last block.
    discard_ns: i64,
}

/// Walks over the elements of a file.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<MatroskaLayout> {
    let len = file.metadata()?.len();
    let mut bytes = Elements { reader: BufReader::with_capacity(1 << 16, file), at: 0, len };
    bytes.reader.rewind()?;
    let mut layout = MatroskaLayout::default();
    let (mut scale_ns, mut duration, mut block_track) = (1_000_000, None, 0);
    while bytes.at < len {
        let Some((id, size)) = bytes.head()? else {
            layout.is_cut_off |= bytes.at >= len;
            break;
        };
        // An element of unknown size ends where what cannot be in it begins: walked over flat, that needs no more thought.
        let end = size.map(|size| bytes.at.saturating_add(size));
        if end.is_some_and(|end| end > len) {
            layout.is_cut_off = true;
            break;
        }
        match id {
            SEGMENT | INFO | TRACKS | CLUSTER | BLOCK_GROUP => continue,
            TRACK_ENTRY => {
                layout.tracks.push(MatroskaTrack::default());
                continue;
            }
            _ => {}
        }
        // Only containers may be of unknown size.
        let Some(size) = size else { break };
        if id == TITLE && size <= MAX_TITLE {
            let mut title = vec![0; size as usize];
            bytes.read(&mut title)?;
            layout.title =
                String::from_utf8(title).ok().map(|title| title.trim_matches(['\0', ' ']).to_owned()).filter(|title| !title.is_empty());
            continue;
        }
        let mut word = [0; 8];
        let small = usize::try_from(size).unwrap_or(usize::MAX).min(8);
        if matches!(id, TIMESTAMP_SCALE | DURATION | TRACK_NUMBER | CODEC_DELAY | SIMPLE_BLOCK | BLOCK | DISCARD_PADDING) {
            bytes.read(&mut word[8 - small..])?;
            bytes.skip(size - small as u64)?;
        } else {
            bytes.skip(size)?;
        }
        let value = u64::from_be_bytes(word);
        let track = layout.tracks.last_mut();
        match (id, track) {
            (TIMESTAMP_SCALE, _) => scale_ns = value,
            (DURATION, _) if small == 4 => duration = Some(f64::from(f32::from_bits(value as u32))),
            (DURATION, _) => duration = Some(f64::from_bits(value)),
            (TRACK_NUMBER, Some(track)) => track.number = value,
            (CODEC_DELAY, Some(track)) => track.codec_delay_ns = value,
            (SIMPLE_BLOCK | BLOCK, _) => {
                block_track = vint(&word[8 - small..]).map_or(0, |(number, _)| number);
                if let Some(track) = layout.tracks.iter_mut().find(|track| track.number == block_track) {
                    track.discard_ns = 0;
                }
            }
            (DISCARD_PADDING, _) => {
                // Signed, in as few bytes as it takes.
                let shift = 64 - 8 * small as u32;
                let signed = if small == 0 { 0 } else { ((value << shift) as i64) >> shift };
                if let Some(track) = layout.tracks.iter_mut().find(|track| track.number == block_track) {
                    track.discard_ns = signed;
                }
            }
            _ => {}
        }
    }
    layout.duration_secs =
        duration.map(|ticks| ticks * scale_ns as f64 * 1e-9).filter(|secs| secs.is_finite() && *secs > 0.0 && *secs < 1e9);
    Ok(layout)
}

impl MatroskaLayout {
    /// Whether there is one track only, so that the file's length is its.
    pub(super) fn is_alone(&self) -> bool {
        self.tracks.len() == 1
    }

    /// Frames of a track before the first that sounds, where it says so.
    pub(super) fn delay(&self, number: u32, rate_hz: u32) -> Option<i64> {
        let delay_ns = self.track(number)?.codec_delay_ns;
        Some(frames_of(i64::try_from(delay_ns).ok()?, rate_hz)).filter(|&frames| frames > 0)
    }

    /// Frames at the end of a track that do not sound.
    pub(super) fn padding(&self, number: u32, rate_hz: u32) -> i64 {
        self.track(number).map_or(0, |track| frames_of(track.discard_ns.max(0), rate_hz))
    }

    fn track(&self, number: u32) -> Option<&MatroskaTrack> {
        self.tracks.iter().find(|track| track.number == u64::from(number))
    }
}

fn frames_of(ns: i64, rate_hz: u32) -> i64 {
    ((i128::from(ns) * i128::from(rate_hz) + 500_000_000) / 1_000_000_000) as i64
}

/// A number of variable length without its marker bit, and its bytes.
fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let &first = bytes.first()?;
    let count = first.leading_zeros() as usize + 1;
    if count > 8 {
        return None;
    }
    let rest = bytes.get(1..count)?;
    Some((rest.iter().fold(u64::from(first) & ((1 << (8 - count)) - 1), |word, &byte| word << 8 | u64::from(byte)), count))
}

struct Elements<'f> {
    reader: BufReader<&'f File>,
    at: u64,
    len: u64,
}

impl Elements<'_> {
    /// An element's id, with its marker bits, and its size where it has one; `None` where no head can be read.
    fn head(&mut self) -> io::Result<Option<(u64, Option<u64>)>> {
        let Some((_, id)) = self.number(4)? else { return Ok(None) };
        let Some((size, raw)) = self.number(8)? else { return Ok(None) };
        let is_unknown = raw.count_ones() == raw.ilog2() + 1 && (raw.ilog2() % 7) == 0;
        Ok(Some((id, if is_unknown { None } else { Some(size) })))
    }

    /// A number of variable length of at most `most` bytes: without its marker, and with it.
    fn number(&mut self, most: usize) -> io::Result<Option<(u64, u64)>> {
        let mut bytes = [0; 8];
        if self.at >= self.len {
            return Ok(None);
        }
        self.read(&mut bytes[..1])?;
        let count = bytes[0].leading_zeros() as usize + 1;
        if count > most {
            return Ok(None);
        }
        if self.at + count as u64 - 1 > self.len {
            self.at = self.len;
            return Ok(None);
        }
        self.read(&mut bytes[1..count])?;
        let raw = bytes[..count].iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Ok(vint(&bytes[..count]).map(|(number, _)| (number, raw)))
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact(into)?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        self.reader.seek_relative(i64::try_from(count).unwrap_or(i64::MAX))?;
        self.at += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn element(id: u64, body: &[u8]) -> Vec<u8> {
        let id_bytes = id.to_be_bytes();
        let first = id_bytes.iter().position(|&byte| byte != 0).unwrap();
        [&id_bytes[first..], &[0x80 | body.len() as u8], body].concat()
    }

    fn file_with(segment_size: &[u8], body: &[u8]) -> Vec<u8> {
        [element(0x1a45_dfa3, b"\x42\x82\x84webm"), vec![0x18, 0x53, 0x80, 0x67], segment_size.to_vec(), body.to_vec()].concat()
    }

    fn body() -> Vec<u8> {
        let info = element(INFO, &[element(TIMESTAMP_SCALE, &[0x0f, 0x42, 0x40]), element(DURATION, &2500_f32.to_be_bytes())].concat());
        let track = [element(TRACK_NUMBER, &[1]), element(0x83, &[2]), element(CODEC_DELAY, &6_500_000_u32.to_be_bytes())].concat();
        let group = element(BLOCK_GROUP, &[element(BLOCK, &[0x81, 0, 0, 0, 9, 9]), element(DISCARD_PADDING, &[0x13, 0x12, 0xd0])].concat());
        let cluster = [element(0xe7, &[0]), element(SIMPLE_BLOCK, &[0x81, 0, 0, 0, 9, 9, 9, 9, 9, 9]), group].concat();
        [info, element(TRACKS, &element(TRACK_ENTRY, &track)), element(CLUSTER, &cluster)].concat()
    }

    fn layout_of(bytes: &[u8]) -> MatroskaLayout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read_layout(&file).unwrap()
    }

    #[test]
    fn delay_padding_and_length_are_found_with_and_without_sizes() {
        let size = [0x40 | (body().len() >> 8) as u8, body().len() as u8];
        for size in [&size[..], &[0xff], &[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
            let found = layout_of(&file_with(size, &body()));
            assert_eq!((found.is_cut_off, found.is_alone(), found.duration_secs), (false, true, Some(2.5)), "{size:?}");
            assert_eq!((found.delay(1, 48_000), found.padding(1, 48_000)), (Some(312), 60), "{size:?}");
            assert_eq!((found.delay(2, 48_000), found.padding(2, 48_000)), (None, 0));
        }
    }

    #[test]
    fn a_file_that_ends_within_an_element_is_cut_off() {
        let whole = file_with(&[0x40, body().len() as u8], &body());
        for cut in 1..30 {
            assert!(layout_of(&whole[..whole.len() - cut]).is_cut_off, "{cut}");
        }
        // Without a size of the whole, only an end within an element shows.
        let endless = file_with(&[0xff], &body());
        assert!(layout_of(&endless[..endless.len() - 3]).is_cut_off);
    }

    #[test]
    fn no_byte_can_make_the_walk_fail() {
        let whole = file_with(&[0xff], &body());
        for at in 0..whole.len() {
            for value in [0, 1, 0x40, 0x7f, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                layout_of(&broken);
            }
        }
    }
}
