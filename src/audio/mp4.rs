//! What an MP4 says of its tracks besides their packets: which part of a track is to be heard, and whether the file is whole.
//!
//! symphonia gives all packets of a track and passes edit lists over. An encoder's delay and padding are in the edit list (`elst`), or in iTunes'
//! `iTunSMPB`; without them a segment would sound some 20 to 50 ms beside its place.
//! Facts: ISO/IEC 14496-12 (boxes, `mdhd`, `elst`, `stts`), Apple's technical note on AAC's encoder delay.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Largest `moov` that is read: 24 hours of the shortest packets take some 20 MB.
const MAX_MOOV: u64 = 256 << 20;

/// What is known of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mp4Layout {
    /// Whether a box reaches behind the file's end.
    pub is_cut_off: bool,
    /// The box that reaches behind the end: where it begins, and its kind.
    pub cut_box: Option<(u64, [u8; 4])>,
    /// Whether there is a `moov` at all.
    pub has_moov: bool,
    /// Whether a table points outside of the file, where symphonia would not stop at the file's end but panic.
    pub has_wild_offsets: bool,
    /// Ticks in a second of the edit lists' lengths.
    movie_timescale: u64,
    tracks: Vec<Mp4Track>,
    itunes: Option<Itunes>,
}

/// Which of a track's decoded frames are to be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HeardPart {
    /// Frames before the first one that sounds.
    pub delay: i64,
    /// Frames that sound, where that is known.
    pub frames: Option<i64>,
    /// Frames by which `frames` may be off, since it is given in coarser ticks.
    pub slack: i64,
    /// All frames of the track, as its header says.
    pub promised: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mp4Track {
    id: u32,
    timescale: u64,
    duration: u64,
    /// Sum of the packets' lengths.
    packets_duration: u64,
    /// Length in the movie's ticks and first tick in the track's, of each edit.
    edits: Vec<(u64, i64)>,
}

/// Delay, padding and length in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Itunes {
    delay: i64,
    frames: i64,
}

/// Reads the boxes of a file.
///
/// # Errors
/// Only what reading the file gives.
pub(super) fn read_layout(file: &File) -> io::Result<Mp4Layout> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let (mut at, mut layout) = (0_u64, Mp4Layout::default());
    while at < len {
        reader.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let read = read_up_to(&mut reader, &mut head)?;
        let Some((kind, head_len, size)) = box_head(&head[..read]) else {
            // Less than a box's head: padding of zeros is none.
            layout.is_cut_off |= head[..read].iter().any(|&byte| byte != 0);
            break;
        };
        // Without a size the box reaches to the end.
        let end = size.map_or(Some(len), |size| at.checked_add(size)).unwrap_or(u64::MAX);
        if end > len || size.is_some_and(|size| size < head_len) {
            layout.is_cut_off |= kind.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            layout.cut_box = Some((at, kind)).filter(|_| layout.is_cut_off);
            break;
        }
        if &kind == b"moov" && end - at <= MAX_MOOV && !layout.has_moov {
            let mut body = vec![0; (end - at - head_len) as usize];
            reader.seek(SeekFrom::Start(at + head_len))?;
            reader.read_exact(&mut body)?;
            layout.has_moov = true;
            layout.read_moov(&body);
            layout.has_wild_offsets |= chunk_offsets(&body).any(|offset| offset > len);
        } else if &kind == b"moof" && end - at <= MAX_MOOV {
            let mut body = vec![0; (end - at - head_len) as usize];
            reader.seek(SeekFrom::Start(at + head_len))?;
            reader.read_exact(&mut body)?;
            layout.has_wild_offsets |= fragment_offsets(&body, at).any(|offset| offset.is_none_or(|offset| offset > len));
        }
        at = end;
    }
    Ok(layout)
}

impl Mp4Layout {
    fn read_moov(&mut self, body: &[u8]) {
        for (kind, body) in boxes(body) {
            match &kind {
                b"mvhd" => self.movie_timescale = timescale_and_duration(body).map_or(0, |(timescale, _)| timescale),
                b"trak" => self.tracks.push(Mp4Track::read(body)),
                b"udta" => {
                    // `meta` is a box with a version here, and one without in QuickTime files.
                    let meta = boxes(body).find(|(kind, _)| kind == b"meta").map_or(&[][..], |(_, body)| body);
                    let children = if meta.get(4..8) == Some(b"hdlr") { meta } else { meta.get(4..).unwrap_or(&[]) };
                    let list = boxes(children).find(|(kind, _)| kind == b"ilst").map_or(&[][..], |(_, body)| body);
                    self.itunes = boxes(list).filter(|(kind, _)| kind == b"----").find_map(|(_, body)| Itunes::read(body));
                }
                _ => {}
            }
        }
    }

    /// What is to be heard of the track `id`, or why that cannot be said.
    pub(super) fn heard_part(&self, id: u32, rate_hz: u32) -> Result<HeardPart, &'static str> {
        let Some(track) = self.tracks.iter().find(|track| track.id == id && track.timescale > 0) else { return Ok(HeardPart::default()) };
        let in_frames = |ticks: u64, timescale: u64| -> i64 {
            let frames = (u128::from(ticks) * u128::from(rate_hz) + u128::from(timescale) / 2) / u128::from(timescale.max(1));
            i64::try_from(frames).unwrap_or(i64::MAX)
        };
        let all = in_frames(track.packets_duration, track.timescale);
        let promised = Some(in_frames(track.duration, track.timescale)).filter(|&frames| frames > 0);
        let mut heard = HeardPart { delay: 0, frames: None, slack: 0, promised };
        // An edit from tick -1 is a pause before the track's beginning, which players pass over where there is but one track.
        let edits: Vec<_> = track.edits.iter().filter(|(_, first)| *first >= 0).collect();
        match edits[..] {
            [] => {}
            [&(length, first)] => {
                heard.delay = in_frames(first.unsigned_abs(), track.timescale);
                heard.slack = i64::from(rate_hz) / i64::try_from(self.movie_timescale.max(1)).unwrap_or(i64::MAX) + 1;
                let frames = in_frames(length, self.movie_timescale);
                // A length of 0 is one that was not known yet; one that is the packets' up to its rounding is better told by them.
                let left = all.saturating_sub(heard.delay);
                let is_all = left > 0 && left.abs_diff(frames) <= heard.slack.unsigned_abs();
                heard.frames = if is_all { Some(left) } else { Some(frames).filter(|&frames| frames > 0) };
                if is_all {
                    heard.slack = 0;
                }
            }
            _ => return Err("an edit list of several pieces"),
        }
        if let Some(itunes) = self.itunes.filter(|itunes| heard.delay == 0 && self.tracks.len() == 1 && itunes.delay + itunes.frames <= all)
        {
            (heard.delay, heard.frames, heard.slack) = (itunes.delay, Some(itunes.frames), 0);
        }
        if heard.frames.is_none() && all > heard.delay {
            heard.frames = Some(all - heard.delay);
        }
        Ok(heard)
    }
}

impl Mp4Track {
    fn read(body: &[u8]) -> Self {
        let mut track = Self::default();
        for (kind, body) in boxes(body) {
            match &kind {
                b"tkhd" => track.id = body.first().and_then(|&version| u32_at(body, if version == 1 { 20 } else { 12 })).unwrap_or(0),
                b"edts" => {
                    if let Some((_, list)) = boxes(body).find(|(kind, _)| kind == b"elst") {
                        track.edits = edits(list);
                    }
                }
                b"mdia" => {
                    for (kind, body) in boxes(body) {
                        match &kind {
                            b"mdhd" => (track.timescale, track.duration) = timescale_and_duration(body).unwrap_or_default(),
                            b"minf" => {
                                let tables = boxes(body).find(|(kind, _)| kind == b"stbl").map_or(&[][..], |(_, body)| body);
                                let times = boxes(tables).find(|(kind, _)| kind == b"stts").map_or(&[][..], |(_, body)| body);
                                let runs = times.get(8..).unwrap_or(&[]).chunks_exact(8);
                                track.packets_duration = runs
                                    .map(|run| u64::from(u32_at(run, 0).unwrap_or(0)) * u64::from(u32_at(run, 4).unwrap_or(0)))
                                    .fold(0, u64::saturating_add);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        track
    }
}

impl Itunes {
    /// `mean`, `name` and `data` of an entry: ` 00000000 00000840 000001C4 0000000000046E00 ...`, delay, padding and length in hexadecimal.
    fn read(entry: &[u8]) -> Option<Self> {
        let part =
            |wanted: &[u8; 4], skipped: usize| boxes(entry).find(|(kind, _)| kind == wanted).and_then(|(_, body)| body.get(skipped..));
        if part(b"name", 4)? != b"iTunSMPB" {
            return None;
        }
        let text = std::str::from_utf8(part(b"data", 8)?).ok()?;
        let words: Vec<i64> = text.split_whitespace().take(4).map_while(|word| i64::from_str_radix(word, 16).ok()).collect();
        let &[_, delay, _, frames] = &words[..] else { return None };
        Some(Self { delay, frames }).filter(|_| (0..1 << 20).contains(&delay) && (1..1 << 48).contains(&frames))
    }
}

fn read_up_to(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match reader.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// A box's kind, the length of its head, and its size with the head, or `None` where it reaches to the end.
fn box_head(head: &[u8]) -> Option<([u8; 4], u64, Option<u64>)> {
    let kind = head.get(4..8)?.try_into().ok()?;
    match u32_at(head, 0)? {
        0 => Some((kind, 8, None)),
        1 => Some((kind, 16, Some(u64::from_be_bytes(head.get(8..16)?.try_into().ok()?)))),
        size => Some((kind, 8, Some(u64::from(size)))),
    }
}

/// The boxes that lie in a box's body, as far as they are whole.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, head, size) = box_head(bytes)?;
        let size = size.map_or(Some(bytes.len()), |size| usize::try_from(size).ok())?;
        let body = bytes.get(head as usize..size)?;
        bytes = &bytes[size..];
        Some((kind, body))
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_be_bytes)
}

/// Of `mvhd` and `mdhd`, which begin alike. A duration of all ones is one that is not known.
fn timescale_and_duration(body: &[u8]) -> Option<(u64, u64)> {
    let (timescale, duration) = match body.first()? {
        1 => (u32_at(body, 20)?, u64_at(body, 24)?),
        _ => (u32_at(body, 12)?, u64::from(u32_at(body, 16)?)),
    };
    let is_known = duration != u64::MAX && duration != u64::from(u32::MAX);
    Some((u64::from(timescale), if is_known { duration } else { 0 }))
}

/// Where a `moov`'s chunks begin, as far as they are told in 64 bits.
fn chunk_offsets(moov: &[u8]) -> impl Iterator<Item = u64> {
    let inside = |wanted: &'static [u8; 4]| move |body| boxes(body).filter(move |(kind, _)| kind == wanted).map(|(_, body)| body);
    let tables =
        inside(b"trak")(moov).flat_map(inside(b"mdia")).flat_map(inside(b"minf")).flat_map(inside(b"stbl")).flat_map(inside(b"co64"));
    tables.flat_map(|table| table.get(8..).unwrap_or(&[]).chunks_exact(8).filter_map(|offset| u64_at(offset, 0)))
}

/// Where the runs of a `moof` at `at` begin; `None` before the file.
fn fragment_offsets(moof: &[u8], at: u64) -> impl Iterator<Item = Option<u64>> {
    boxes(moof).filter(|(kind, _)| kind == b"traf").flat_map(move |(_, traf)| {
        let head = boxes(traf).find(|(kind, _)| kind == b"tfhd").map_or(&[][..], |(_, body)| body);
        let base = if head.get(3).is_some_and(|flags| flags & 1 != 0) { u64_at(head, 8).unwrap_or(u64::MAX) } else { at };
        let runs = boxes(traf).filter(|(kind, _)| kind == b"trun").map(move |(_, run)| {
            let has_offset = run.get(3).is_some_and(|flags| flags & 1 != 0);
            base.checked_add_signed(if has_offset { i64::from(u32_at(run, 8).unwrap_or(0) as i32) } else { 0 })
        });
        std::iter::once(Some(base)).chain(runs)
    })
}

fn edits(list: &[u8]) -> Vec<(u64, i64)> {
    let body = list.get(8..).unwrap_or(&[]);
    if list.first() == Some(&1) {
        body.chunks_exact(20).filter_map(|edit| Some((u64_at(edit, 0)?, u64_at(edit, 8)? as i64))).collect()
    } else {
        body.chunks_exact(12).filter_map(|edit| Some((u64::from(u32_at(edit, 0)?), i64::from(u32_at(edit, 4)? as i32)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn a_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// 10 packets of 1024 ticks at 44.1 kHz.
    fn movie(edit: &[u32], itunes: Option<&str>) -> Vec<u8> {
        let mdhd = a_box(b"mdhd", &words(&[0, 0, 0, 44_100, 10_240, 0]));
        let minf = a_box(b"minf", &a_box(b"stbl", &a_box(b"stts", &words(&[0, 1, 10, 1024]))));
        let edts = a_box(b"edts", &a_box(b"elst", &words(&[&[0, edit.len() as u32 / 3], edit].concat())));
        let trak = a_box(b"trak", &[a_box(b"tkhd", &words(&[0, 0, 0, 7, 0])), edts, a_box(b"mdia", &[mdhd, minf].concat())].concat());
        let data = itunes.map_or(Vec::new(), |text| {
            let entry = [a_box(b"name", b"\0\0\0\0iTunSMPB"), a_box(b"data", &[&[0; 8], text.as_bytes()].concat())].concat();
            a_box(b"udta", &a_box(b"meta", &[&[0; 4][..], &a_box(b"ilst", &a_box(b"----", &entry))].concat()))
        });
        let moov = a_box(b"moov", &[a_box(b"mvhd", &words(&[0, 0, 0, 1000, 232, 0])), trak, data].concat());
        [a_box(b"ftyp", b"M4A \0\0\0\0"), moov, a_box(b"mdat", &[1; 50])].concat()
    }

    fn layout_of(bytes: &[u8]) -> Mp4Layout {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read_layout(&file).unwrap()
    }

    fn heard(bytes: &[u8]) -> Result<(i64, Option<i64>), &'static str> {
        layout_of(bytes).heard_part(7, 44_100).map(|heard| (heard.delay, heard.frames))
    }

    #[test]
    fn the_part_that_is_heard_comes_from_the_edit_list_or_from_itunes() {
        assert_eq!(heard(&movie(&[], None)), Ok((0, Some(10_240))));
        assert_eq!(heard(&movie(&[209, 1024, 0x1_0000], None)), Ok((1024, Some(9216))), "209 ms is all that is left");
        assert_eq!(heard(&movie(&[100, 1024, 0x1_0000], None)), Ok((1024, Some(4410))));
        assert_eq!(heard(&movie(&[50, u32::MAX, 0x1_0000, 0, 2112, 0x1_0000], None)), Ok((2112, Some(8128))), "a pause, and no length");
        let text = " 00000000 00000840 000001C4 0000000000001B00 00000000";
        assert_eq!(heard(&movie(&[], Some(text))), Ok((2112, Some(0x1b00))));
        assert_eq!(
            heard(&movie(&[], Some(" 00000000 00000840 000001C4 0FFFFFFFFFFFFFFF"))),
            Ok((0, Some(10_240))),
            "longer than the track"
        );
        assert!(heard(&movie(&[50, 0, 1, 60, 1024, 1], None)).is_err());
    }

    #[test]
    fn a_box_behind_the_end_is_a_file_that_is_cut_off() {
        let whole = movie(&[], None);
        let found = layout_of(&whole);
        assert!(!found.is_cut_off && found.has_moov);
        for cut in 1..50 {
            assert!(layout_of(&whole[..whole.len() - cut]).is_cut_off, "{cut}");
        }
        assert_eq!(layout_of(&whole[..16]), Mp4Layout::default());
        assert!(!layout_of(&[&whole[..], &[0; 5]].concat()).is_cut_off);
    }

    #[test]
    fn no_byte_of_a_movie_can_make_the_walk_fail() {
        let whole = movie(&[209, 1024, 0x1_0000], Some(" 0 0 0 0"));
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                let _ = heard(&broken);
            }
        }
    }
}
