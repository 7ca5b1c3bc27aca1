//! A stretch of a track by its seek index: the packets that it needs are read and decoded, and nothing else.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::aac::RESTART_PACKETS;
use super::codec::PacketDecoder;
use super::error::{AudioError, AudioErrorKind};
use super::opus::is_voice;
use super::seek_index::{FileMark, SeekIndex};
use crate::plain_file;

/// Bytes that are read at a time: two seconds of a common MP3.
const READ_BYTES: usize = 1 << 16;
/// Opus frames before a stretch, at 48 kHz, of the transform coder and of the voice coder. RFC 7845, 4.6, asks for 80 ms, after which no difference can be
/// heard; these leave a difference of 1/500 and of 3/100 of full scale at most (`tests/seeking.rs`). `decode_span` goes back further, to the bit.
const OPUS_PREROLL: [i64; 2] = [12_000, 48_000];
/// Bytes that an MP3's frame may borrow from the frames before it (ISO/IEC 11172-3, 2.4.2.7: nine bits), twice: a frame that cannot be decoded for
/// want of them empties the decoder's reservoir.
const RESERVOIR: usize = 2 * 511;
/// Header, checksum and side information of an MP3's frame, at most.
const MPEG_OVERHEAD: usize = 4 + 2 + 32;
/// Frames of an MP3 before a stretch whose spectra have to be right: the hybrid filter bank overlaps with one, and in the small frames of
/// the low rates the synthesis reaches back to another.
const MPEG_OVERLAP: usize = 2;
/// Most frames of an MP3 that are decoded before a stretch.
const MPEG_PREROLL: usize = 64;

/// A track opened at a frame by its seek index.
pub(super) struct IndexedStream {
    index: Arc<SeekIndex>,
    reader: BufReader<File>,
    /// Where `reader` stands.
    at: u64,
    decoder: PacketDecoder,
    /// The packet to decode next.
    next: usize,
    scratch: Vec<f32>,
}

impl IndexedStream {
    /// Opens a file so that its next blocks hold frame `target`. `None` where it is not the file that was indexed.
    ///
    /// # Errors
    /// A file that cannot be opened, and packets before the stretch that cannot be read.
    pub(super) fn open(path: &Path, index: &Arc<SeekIndex>, target: u64) -> Result<Option<Self>, AudioError> {
        Self::open_kind(path, index, i64::try_from(target).unwrap_or(i64::MAX)).map_err(|kind| kind.at(path))
    }

    fn open_kind(path: &Path, index: &Arc<SeekIndex>, target: i64) -> Result<Option<Self>, AudioErrorKind> {
        let file = plain_file::open(path).map_err(AudioErrorKind::of_file)?;
        if FileMark::of(&file.metadata().map_err(AudioErrorKind::Io)?) != index.mark {
            return Ok(None);
        }
        let decoder = PacketDecoder::of(&index.params, false)?;
        let reader = BufReader::with_capacity(READ_BYTES, file);
        let mut stream = Self { index: Arc::clone(index), reader, at: 0, decoder, next: 0, scratch: Vec::new() };
        stream.get_going(target)?;
        Ok(Some(stream))
    }

    /// Channels of every block.
    pub(super) fn channels(&self) -> usize {
        self.index.channels
    }

    /// Frames in a second.
    pub(super) fn rate_hz(&self) -> u32 {
        self.index.rate_hz
    }

    /// Readies the decoder so that from the packet that holds `target` on it gives what a decode from the start gives.
    fn get_going(&mut self, target: i64) -> Result<(), AudioErrorKind> {
        let goal = self.index.packet_at(target);
        let index = Arc::clone(&self.index);
        self.next = match index.params.codec {
            CODEC_ID_MP3 => {
                let first = goal.saturating_sub(MPEG_OVERLAP);
                let mut from = first;
                let mut borrowed = 0;
                while from > goal.saturating_sub(MPEG_PREROLL) && borrowed < RESERVOIR {
                    from -= 1;
                    borrowed += index.bytes_of(from).saturating_sub(MPEG_OVERHEAD);
                }
                from
            }
            CODEC_ID_AAC => {
                let from = goal - goal % RESTART_PACKETS as usize;
                if let Some(before) = from.checked_sub(1) {
                    let before = self.read_packet(before)?;
                    self.decoder.restart(from as u64, Some(before));
                }
                from
            }
            CODEC_ID_OPUS => {
                let first = self.read_packet(goal)?;
                let preroll = OPUS_PREROLL[usize::from(is_voice(&first.data))];
                index.packet_at(target.saturating_sub(preroll))
            }
            CODEC_ID_VORBIS => {
                if let Some(before) = goal.checked_sub(1) {
                    let before = self.read_packet(before)?;
                    // What overlaps into the wanted packet stays inside of the decoder.
                    let _ = self.decoder.decode(&before, &mut Vec::new());
                }
                goal
            }
            _ => goal,
        };
        Ok(())
    }

    /// Appends the next block's interleaved samples to `into`; gives the frame at which the block begins, or `None` behind the end.
    ///
    /// # Errors
    /// A packet that cannot be read or decoded.
    pub(super) fn next_block(&mut self, into: &mut Vec<f32>) -> Result<Option<u64>, AudioErrorKind> {
        loop {
            let number = self.next;
            let Some(&place) = self.index.packets.get(number).filter(|place| place.start < self.index.end) else { return Ok(None) };
            let packet = self.read_packet(number)?;
            self.next += 1;
            self.scratch.clear();
            let channels = self.index.channels;
            let mut frames = match self.decoder.decode(&packet, &mut self.scratch) {
                Ok(frames) => frames,
                // As in `stream`: one frame of an MP3 that cannot be decoded is silent in every player.
                Err(AudioErrorKind::Damaged { .. }) if self.decoder.is_mp3() => {
                    self.scratch.clear();
                    self.scratch.resize(place.frames as usize * channels, 0.0);
                    place.frames as usize
                }
                // The last packet of a file that is cut off: there the audio ends.
                Err(AudioErrorKind::Damaged { .. }) if number > 0 && number + 1 == self.index.packets.len() => return Ok(None),
                Err(AudioErrorKind::Damaged { reason, .. }) => {
                    let at_secs = place.start.max(0) as f64 / f64::from(self.index.rate_hz);
                    return Err(AudioErrorKind::Damaged { at_secs, reason });
                }
                Err(error) => return Err(error),
            };
            if number == 0 {
                // What is trimmed, and what a first packet of vorbis gives without one before it to overlap with.
                let lead = frames.saturating_sub(place.frames as usize);
                self.scratch.drain(..lead * channels);
                frames -= lead;
            }
            let first = usize::try_from(-place.start).unwrap_or(0).min(frames);
            let last = usize::try_from(self.index.end - place.start).unwrap_or(0).min(frames);
            if first < last {
                into.extend_from_slice(&self.scratch[first * channels..last * channels]);
                return Ok(Some(place.start.max(0) as u64));
            }
        }
    }

    fn read_packet(&mut self, number: usize) -> Result<Packet, AudioErrorKind> {
        let index = Arc::clone(&self.index);
        let mut data = vec![0; index.bytes_of(number)];
        let mut rest = &mut data[..];
        for piece in index.pieces_of(number) {
            let (part, behind) = rest.split_at_mut(piece.bytes as usize);
            self.read_at(piece.at, part).map_err(AudioErrorKind::Io)?;
            rest = behind;
        }
        let place = index.packets.get(number).copied().ok_or(AudioErrorKind::NoSamples)?;
        Ok(Packet::new(0, Timestamp::new(place.start), Duration::new(u64::from(place.frames)), data))
    }

    fn read_at(&mut self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        match i64::try_from(i128::from(at) - i128::from(self.at)) {
            // Within what is buffered nothing is read again.
            Ok(step) if self.at > 0 => self.reader.seek_relative(step)?,
            _ => {
                self.reader.seek(SeekFrom::Start(at))?;
            }
        }
        self.at = at;
        self.reader.read_exact(into)?;
        self.at += into.len() as u64;
        Ok(())
    }
}
