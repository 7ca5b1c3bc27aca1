//! A seek index as bytes, two or three a packet: what a collection keeps.
//!
//! Version, the file's length, codec, and then for each packet its length, with a mark where it does not follow the one before it without a gap or lies in several
//! pieces; at last runs of packets of the same number of frames. Numbers are written in groups of seven bits, lowest first (LEB128). Nothing that is
//! read is trusted: lengths are held against the file's. The file's time is not written down: the bytes are the same for every copy of a file, and it is for
//! whoever keeps them to know that a file is the one that was indexed.

use std::path::Path;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

use super::seek_index::{FileMark, PacketPlace, Piece, SeekIndex};

/// Which packets there are, and how they are written.
const VERSION: u64 = 2;
/// By number in the file.
const CODECS: [AudioCodecId; 6] = [CODEC_ID_MP3, CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_VORBIS, CODEC_ID_OPUS];
/// Pieces of a packet and frames of a packet, at most.
const MAX_PIECES: u64 = 1 << 16;
const MAX_FRAMES: u64 = 1 << 20;

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Numbers one after the other.
struct Numbers<'b>(&'b [u8]);

impl Numbers<'_> {
    fn take(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn below(&mut self, bound: u64) -> Option<u64> {
        self.take().filter(|&value| value < bound)
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let count = usize::try_from(self.take()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl SeekIndex {
    /// What is kept, in the place of an index, of a file that needs none or can have none: the version that came to know it.
    pub const NONE: &'static [u8] = &[VERSION as u8];

    /// What is to be kept of a file: its index, or [`NONE`](Self::NONE). `None` where no index could be made, or one that is not written down.
    #[must_use]
    pub fn bytes_for(path: &Path) -> Option<Vec<u8>> {
        match Self::scan(path) {
            Ok(Some(index)) => index.to_bytes(),
            Ok(None) => Some(Self::NONE.to_vec()),
            Err(_) => None,
        }
    }

    /// The index as bytes; `None` for a stream that is not written down (channels without known places).
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let codec = CODECS.iter().position(|&codec| codec == self.params.codec)? as u64;
        let (layout, channels) = match &self.params.channels {
            None => (0, 0),
            Some(Channels::Positioned(places)) => (1, places.bits()),
            Some(Channels::Discrete(count)) => (2, u64::from(*count)),
            Some(_) => return None,
        };
        let first = self.packets.first()?.start;
        let mut bytes = Vec::with_capacity(3 * self.packets.len() + 256);
        // A start of time lines is at or before 0.
        let head = [VERSION, self.mark.bytes, codec, layout, channels, self.channels as u64, u64::from(self.rate_hz)];
        let params = [self.params.sample_rate, self.params.bits_per_sample].map(|value| value.map_or(0, |value| u64::from(value) + 1));
        let line = [u64::try_from(-first).ok()?, u64::try_from(self.end).ok()?, u64::from(self.lead_trim), self.packets.len() as u64];
        head.iter().chain(&params).chain(&line).for_each(|&value| put(&mut bytes, value));
        let extra = self.params.extra_data.as_deref().unwrap_or_default();
        put(&mut bytes, extra.len() as u64);
        bytes.extend(extra);
        let mut at = 0;
        for number in 0..self.packets.len() {
            match self.pieces_of(number) {
                [piece] if piece.at == at => put(&mut bytes, u64::from(piece.bytes) << 1),
                pieces => {
                    put(&mut bytes, (pieces.len() as u64) << 1 | 1);
                    for piece in pieces {
                        put(&mut bytes, piece.at - at);
                        put(&mut bytes, u64::from(piece.bytes));
                        at = piece.at + u64::from(piece.bytes);
                    }
                    continue;
                }
            }
            at += self.bytes_of(number) as u64;
        }
        for run in self.packets.chunk_by(|a, b| a.frames == b.frames) {
            put(&mut bytes, run.len() as u64);
            put(&mut bytes, u64::from(run[0].frames));
        }
        Some(bytes)
    }

    /// What [`to_bytes`](Self::to_bytes) wrote, for a file that the caller knows to be the one that was indexed: from now on it is so for as long as it is
    /// not written again. `None` where the bytes are of another version, damaged, or of a file of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Option<Self> {
        Self::of_mark(bytes, FileMark::of(&std::fs::metadata(path).ok()?))
    }

    fn of_mark(bytes: &[u8], mark: FileMark) -> Option<Self> {
        let mut numbers = Numbers(bytes);
        if numbers.take()? != VERSION || numbers.take()? != mark.bytes {
            return None;
        }
        let mut params = AudioCodecParameters::new();
        params.for_codec(*CODECS.get(usize::try_from(numbers.take()?).ok()?)?);
        match (numbers.take()?, numbers.take()?) {
            (0, _) => {}
            (1, places) => {
                params.with_channels(Channels::Positioned(Position::from_bits(places)?));
            }
            (2, count) => {
                params.with_channels(Channels::Discrete(u16::try_from(count).ok()?));
            }
            _ => return None,
        }
        let (channels, rate_hz) = (numbers.below(65)? as usize, u32::try_from(numbers.take()?).ok()?);
        let (sample_rate, bits) = (numbers.take()?, numbers.take()?);
        params.sample_rate = sample_rate.checked_sub(1).and_then(|rate| u32::try_from(rate).ok());
        params.bits_per_sample = bits.checked_sub(1).and_then(|bits| u32::try_from(bits).ok());
        let mut start = -i64::try_from(numbers.below(1 << 40)?).ok()?;
        let end = i64::try_from(numbers.below(1 << 40)?).ok()?;
        let lead_trim = u32::try_from(numbers.take()?).ok()?;
        // Each packet takes a byte at least.
        let count = usize::try_from(numbers.take()?).ok().filter(|&count| count > 0 && count <= bytes.len())?;
        let extra = numbers.bytes()?;
        if !extra.is_empty() {
            params.extra_data = Some(extra.into());
        }
        if channels == 0 || rate_hz == 0 {
            return None;
        }
        let (mut packets, mut pieces) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut at = 0_u64;
        for _ in 0..count {
            packets.push(PacketPlace { first_piece: u32::try_from(pieces.len()).ok()?, frames: 0, start: 0 });
            let head = numbers.take()?;
            let parts = if head & 1 == 0 { 1 } else { Some(head >> 1).filter(|&parts| parts < MAX_PIECES)? };
            for _ in 0..parts {
                let (gap, length) = if head & 1 == 0 { (0, head >> 1) } else { (numbers.take()?, numbers.take()?) };
                let from = at.checked_add(gap)?;
                at = from.checked_add(length).filter(|&end| end <= mark.bytes)?;
                pieces.push(Piece { at: from, bytes: u32::try_from(length).ok()? });
            }
        }
        let mut rest = &mut packets[..];
        while !rest.is_empty() {
            let run = usize::try_from(numbers.take()?).ok().filter(|&run| run > 0)?;
            let frames = numbers.below(MAX_FRAMES)?;
            let (part, behind) = rest.split_at_mut_checked(run)?;
            for packet in part {
                (packet.start, packet.frames) = (start, frames as u32);
                start += frames as i64;
            }
            rest = behind;
        }
        numbers.0.is_empty().then_some(Self { mark, params, channels, rate_hz, end, lead_trim, packets, pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    fn index() -> SeekIndex {
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_VORBIS).with_sample_rate(44_100).with_extra_data(vec![1, 2, 3].into());
        params.with_channels(Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT));
        let pieces = [(100, 50), (150, 60), (300, 255), (600, 7), (607, 0), (607, 9)].map(|(at, bytes)| Piece { at, bytes });
        let packets = [(0, 0, -10), (1, 20, -10), (2, 20, 10), (4, 5, 30), (5, 5, 35)];
        SeekIndex {
            mark: FileMark { bytes: 700, written_ns: u64::MAX },
            params,
            channels: 2,
            rate_hz: 44_100,
            end: 38,
            lead_trim: 3,
            packets: packets.map(|(first_piece, frames, start)| PacketPlace { first_piece, frames, start }).into(),
            pieces: pieces.into(),
        }
    }

    #[test]
    fn an_index_comes_back_as_it_was() {
        let written = index();
        let bytes = written.to_bytes().unwrap();
        let read = SeekIndex::of_mark(&bytes, written.mark).unwrap();
        assert_eq!((read.mark, read.channels, read.rate_hz, read.end, read.lead_trim), (written.mark, 2, 44_100, 38, 3));
        assert_eq!((&read.packets, &read.pieces), (&written.packets, &written.pieces));
        assert_eq!((read.params.codec, read.params.sample_rate, read.params.bits_per_sample), (CODEC_ID_VORBIS, Some(44_100), None));
        assert_eq!((read.params.channels, read.params.extra_data), (written.params.channels, written.params.extra_data));
    }

    #[test]
    fn hostile_bytes_are_no_index_and_never_one_beyond_the_file() {
        let bytes = index().to_bytes().unwrap();
        let mark = index().mark;
        (0..bytes.len()).for_each(|cut| assert!(SeekIndex::of_mark(&bytes[..cut], mark).is_none(), "{cut}"));
        assert!(SeekIndex::of_mark(&bytes, FileMark { bytes: 701, ..mark }).is_none(), "of a file of another length");
        let mut random = SplitMix64::new(3);
        for _ in 0..20_000 {
            let mut broken = bytes.clone();
            let at = random.next_below(broken.len() as u64) as usize;
            broken[at] = random.next_u64() as u8;
            if let Some(read) = SeekIndex::of_mark(&broken, mark) {
                assert!(read.pieces.iter().all(|piece| piece.at + u64::from(piece.bytes) <= read.mark.bytes));
                (0..read.packets.len()).for_each(|number| assert!(read.pieces_of(number).len() <= read.pieces.len()));
            }
        }
    }
}
