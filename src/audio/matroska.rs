//! What a Matroska or WebM file says besides its packets: encoder delays, padding, its length, and whether it is whole.
//!
//! symphonia gives the packets and passes over the padding of a last block, and takes the end of a file for the end of the stream. So all elements' heads
//! are walked over once; of the blocks only the head and a few bytes are read.
//! Facts: RFC 8794 (EBML), RFC 9559 (Matroska elements).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

const SEGMENT: u64 = 0x1853_8067;
const SEEK_HEAD: u64 = 0x114d_9b74;
const INFO: u64 = 0x1549_a966;
const TIMESTAMP_SCALE: u64 = 0x2a_d7b1;
const DURATION: u64 = 0x4489;
const TITLE: u64 = 0x7ba9;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_NUMBER: u64 = 0xd7;
const TRACK_TYPE: u64 = 0x83;
const FLAG_DEFAULT: u64 = 0x88;
const CODEC_ID: u64 = 0x86;
const CODEC_DELAY: u64 = 0x56aa;
const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const SIMPLE_BLOCK: u64 = 0xa3;
const BLOCK: u64 = 0xa1;
const DISCARD_PADDING: u64 = 0x75a2;

/// Longest text that is read, in bytes.
const MAX_TEXT: u64 = 1000;
/// Most tracks of a file.
const MAX_TRACKS: usize = 1000;
/// The type of a track of audio.
const AUDIO: u64 = 2;

/// What a walk over all elements finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MatroskaLayout {
    /// Whether a cluster or a block reaches behind the file's end.
    pub is_cut_off: bool,
    /// Whether the file is shorter than its outermost element, or lacks the end of one that is no audio.
    pub is_short: bool,
    /// Whether the outermost element is of unknown size, as that of a stream is.
    pub is_open: bool,
    /// Where the outermost element's size stands, and in how many bytes.
    pub segment_size: Option<(u64, usize)>,
    /// Where the table of the elements' places stands.
    pub seek_head_at: Option<u64>,
    /// The file's title.
    pub title: Option<String>,
    /// Length of the longest track in seconds, where the file says it.
    pub duration_secs: Option<f64>,
    tracks: Vec<MatroskaTrack>,
}

#[derive(Clone, Debug, PartialEq)]
struct MatroskaTrack {
    number: u64,
    kind: u64,
    /// Whether it is one that plays where the user chooses none: so unless it says otherwise.
    is_default: bool,
    codec: String,
    codec_delay_ns: u64,
    /// Padding of the last block.
    discard_ns: i64,
}

impl Default for MatroskaTrack {
    fn default() -> Self {
        Self { number: 0, kind: 0, is_default: true, codec: String::new(), codec_delay_ns: 0, discard_ns: 0 }
    }
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
        let begin = bytes.at;
        let Some((id, size)) = bytes.head()? else {
            layout.is_cut_off |= bytes.at >= len;
            break;
        };
        // An element of unknown size ends where what cannot be in it begins: walked over flat, that needs no more thought.
        let end = size.map(|size| bytes.at.saturating_add(size));
        if end.is_some_and(|end| end > len) {
            let is_audio = matches!(id, CLUSTER | BLOCK_GROUP | SIMPLE_BLOCK | BLOCK);
            (layout.is_cut_off, layout.is_short) = (layout.is_cut_off || is_audio, true);
            if !matches!(id, SEGMENT | CLUSTER | BLOCK_GROUP) {
                break;
            }
        }
        match id {
            SEGMENT => {
                layout.is_open = size.is_none();
                layout.segment_size = Some((begin + 4, usize::try_from(bytes.at - begin - 4).unwrap_or(0)));
                continue;
            }
            SEEK_HEAD => layout.seek_head_at = layout.seek_head_at.or(Some(begin)),
            INFO | TRACKS | CLUSTER | BLOCK_GROUP => continue,
            TRACK_ENTRY if layout.tracks.len() < MAX_TRACKS => {
                layout.tracks.push(MatroskaTrack::default());
                continue;
            }
            _ => {}
        }
        // Only containers may be of unknown size.
        let Some(size) = size else { break };
        if matches!(id, TITLE | CODEC_ID) && size <= MAX_TEXT {
            let mut text = vec![0; size as usize];
            bytes.read(&mut text)?;
            let text = String::from_utf8(text).ok().map(|text| text.trim_matches(['\0', ' ']).to_owned()).filter(|text| !text.is_empty());
            match (id, layout.tracks.last_mut()) {
                (TITLE, _) => layout.title = text,
                (_, Some(track)) => track.codec = text.unwrap_or_default(),
                _ => {}
            }
            continue;
        }
        let mut word = [0; 8];
        let small = usize::try_from(size).unwrap_or(usize::MAX).min(8);
        if matches!(
            id,
            TIMESTAMP_SCALE | DURATION | TRACK_NUMBER | TRACK_TYPE | FLAG_DEFAULT | CODEC_DELAY | SIMPLE_BLOCK | BLOCK | DISCARD_PADDING
        ) {
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
            (TRACK_TYPE, Some(track)) => track.kind = value,
            // Empty: the default, which is 1.
            (FLAG_DEFAULT, Some(track)) => track.is_default = small == 0 || value != 0,
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

    /// Numbers of the tracks of audio, those that play by default first.
    pub(super) fn audio_tracks(&self) -> impl Iterator<Item = u64> {
        let of_kind = |is_default: bool| self.tracks.iter().filter(move |track| track.kind == AUDIO && track.is_default == is_default);
        of_kind(true).chain(of_kind(false)).map(|track| track.number)
    }

    /// Codecs of all tracks, as the file names them.
    pub(super) fn codecs(&self) -> String {
        self.tracks.iter().map(|track| track.codec.as_str()).filter(|codec| !codec.is_empty()).collect::<Vec<_>>().join(", ")
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

    #[test]
    fn the_track_that_plays_by_default_comes_first_also_where_the_flag_is_left_out() {
        let track = |number: u8, kind: u8, flag: Option<&[u8]>| {
            let flag = flag.map_or(Vec::new(), |flag| element(FLAG_DEFAULT, flag));
            element(
                TRACK_ENTRY,
                &[element(TRACK_NUMBER, &[number]), element(TRACK_TYPE, &[kind]), element(CODEC_ID, b"A_X"), flag].concat(),
            )
        };
        let order =
            |tracks: &[Vec<u8>]| layout_of(&file_with(&[0xff], &element(TRACKS, &tracks.concat()))).audio_tracks().collect::<Vec<_>>();
        assert_eq!(order(&[track(1, 1, None), track(2, 2, Some(&[0])), track(3, 2, None)]), [3, 2]);
        assert_eq!(order(&[track(2, 2, Some(&[0])), track(3, 2, Some(&[1])), track(4, 2, Some(&[]))]), [3, 4, 2]);
        assert_eq!(order(&[track(2, 2, None), track(3, 2, None)]), [2, 3]);
    }

    #[test]
    fn a_whole_that_says_it_is_longer_is_short_and_its_audio_is_not_cut_off() {
        let found = layout_of(&file_with(&[0x41, 0xff], &body()));
        assert_eq!((found.is_cut_off, found.is_short, found.padding(1, 48_000)), (false, true, 60));
        let cues = [0x1c, 0x53, 0xbb, 0x6b, 0x90, 1, 2];
        let found = layout_of(&file_with(&[0xff], &[&body()[..], &cues].concat()));
        assert_eq!((found.is_cut_off, found.is_short), (false, true));
    }
}
