//! A file that is cut off, as symphonia can read it up to there.
//!
//! It would look for tables behind the end, refuse a box or an element that reaches there, and look for the last page of an ogg where none begins. So such
//! files are read with other sizes, or up to the last thing that is whole.

use std::fs::File;
use std::io::{self, Read, Seek};

use super::matroska;
use super::mp4;
use super::ogg_layout;
use super::source::FileStretch;
use super::tags_behind::array_at;

/// The name of no element of Matroska, as long as that of the table of the elements' places.
const UNKNOWN_ELEMENT: [u8; 4] = [0x11, 0x4d, 0x9b, 0x75];
/// Most chunks of a core audio file that are walked over.
const MAX_CHUNKS: usize = 10_000;
/// Place of the size of a core audio file's packets: behind the file's header, the first chunk's, the rate and the format (Core Audio Format 1.0).
const PACKET_SIZE_AT: u64 = 36;
/// Most bytes, and most frames, of a packet of fixed size.
const MOST_IN_PACKET: u32 = 1 << 16;

/// A file with other sizes where they reach behind its end.
pub(super) struct Repaired {
    pub source: FileStretch,
    /// Whether something reached there, so that a reader that finds nothing may have lost it.
    pub is_cut_off: bool,
    /// The declared length of the audio by the true one, which its container cannot tell any more.
    pub promised_ratio: Option<f64>,
}

impl Repaired {
    /// Looks for what is cut off; `file` is read, `again` is the same file.
    ///
    /// # Errors
    /// Only what reading the file gives.
    pub(super) fn of(file: File, mut again: &File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let source = FileStretch::first(file, len);
        let whole = |source: FileStretch| Self { source, is_cut_off: false, promised_ratio: None };
        let mut head = [0; 8];
        again.rewind()?;
        match again.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(whole(source)),
            Err(error) => return Err(error),
        }
        Ok(match head {
            [_, _, _, _, b'f', b't', b'y', b'p'] => {
                let layout = mp4::read_layout(again)?;
                let source = match layout.cut_box {
                    // A size of 0: to the end.
                    Some((at, kind)) if &kind == b"mdat" => source.with_patch(at, vec![0; 4]),
                    Some((at, _)) => source.first_bytes(at),
                    None => source,
                };
                Self { source, is_cut_off: layout.is_cut_off, promised_ratio: None }
            }
            [0x1a, 0x45, 0xdf, 0xa3, ..] => {
                let layout = matroska::read_layout(again)?;
                let is_cut_off = layout.is_cut_off || layout.is_short;
                // The table of a stream that was cut off at some element's end points behind that.
                if !is_cut_off && !layout.is_open {
                    return Ok(whole(source));
                }
                let source = match layout.seek_head_at {
                    Some(at) => source.with_patch(at, UNKNOWN_ELEMENT.to_vec()),
                    None => source,
                };
                let source = match layout.segment_size {
                    Some((at, count)) => source.with_patch(at, unknown_size(count)),
                    None => source,
                };
                Self { source, is_cut_off, promised_ratio: None }
            }
            [b'O', b'g', b'g', b'S', ..] => match ogg_layout::read_layout(again)?.whole_end {
                end if end > 0 && end < len => whole(source.first_bytes(end)),
                _ => whole(source),
            },
            // Room for a packet is taken before its bytes are read. Without a size there is none to read.
            [b'c', b'a', b'f', b'f', ..] if packet_size(again)?.iter().any(|&size| size > MOST_IN_PACKET) => {
                whole(source.with_patch(PACKET_SIZE_AT, vec![0; 8]))
            }
            [b'c', b'a', b'f', b'f', ..] => match cut_data(again, len)? {
                Some((at, promised)) => {
                    // The size counts four bytes before the samples.
                    let there = len.saturating_sub(at + 8);
                    let promised_ratio = Some(promised as f64 / there.max(1) as f64);
                    Self { source: source.with_patch(at, there.to_be_bytes().to_vec()), is_cut_off: true, promised_ratio }
                }
                None => whole(source),
            },
            _ => whole(source),
        })
    }
}

/// A size that is not known, in so many bytes (RFC 8794, 6.2).
fn unknown_size(count: usize) -> Vec<u8> {
    let mut size = vec![0xff; count];
    if let Some(first) = size.first_mut() {
        *first = (0x1ff_u16 >> count) as u8;
    }
    size
}

/// Bytes and frames that a core audio file declares for each of its packets; 0 for packets of many sizes.
fn packet_size(mut file: &File) -> io::Result<[u32; 2]> {
    let size = array_at::<8>(&mut file, PACKET_SIZE_AT)?.unwrap_or_default();
    let [a, b, c, d, rest @ ..] = size;
    Ok([[a, b, c, d], rest].map(u32::from_be_bytes))
}

/// Where the size of a core audio file's samples stands, and that size, if they reach behind the file's end (Apple, Core Audio Format 1.0: chunk header).
fn cut_data(mut file: &File, len: u64) -> io::Result<Option<(u64, i64)>> {
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let Some([a, b, c, d, size @ ..]) = array_at::<12>(&mut file, at)? else { break };
        let size = i64::from_be_bytes(size);
        let end = u64::try_from(size).ok().and_then(|size| (at + 12).checked_add(size));
        if [a, b, c, d] == *b"data" {
            return Ok(end.is_some_and(|end| end > len).then_some((at + 4, size)));
        }
        let Some(end) = end.filter(|&end| end <= len) else { break };
        at = end;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_size_that_is_not_known_is_all_ones_behind_its_marker() {
        assert_eq!((unknown_size(1), unknown_size(2)), (vec![0xff], vec![0x7f, 0xff]));
        assert_eq!(unknown_size(8), [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn the_samples_of_a_core_audio_file_are_cut_off_where_they_reach_behind_its_end() {
        let found = |size: i64, there: usize| {
            let mut file = tempfile::tempfile().unwrap();
            let desc = [b"desc".as_slice(), &3_i64.to_be_bytes(), b"abc"].concat();
            let bytes = [b"caff\0\x01\0\0", &desc[..], b"data", &size.to_be_bytes(), &vec![7; there]].concat();
            file.write_all(&bytes).unwrap();
            cut_data(&file, bytes.len() as u64).unwrap()
        };
        assert_eq!((found(100, 100), found(-1, 100), found(100, 99)), (None, None, Some((27, 100))));
    }
}
