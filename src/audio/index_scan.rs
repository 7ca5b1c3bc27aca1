//! Makes the seek index of a track: every packet that the container's reader gives is found again in the file.
//!
//! No container is parsed a second time for it (but for ogg's pages, into which packets are cut): a packet's place is the first behind the one before it
//! where the file has its bytes. Were that, by chance, another place than the container meant, it would decode to the same samples all the same. What
//! cannot be found (a Matroska block without the bytes that all blocks share, streams that change midway) has no index, and is read as
//! before, from the start.

use std::fs::File;
use std::path::Path;

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::packet::Packet;

use super::decode::guarded;
use super::error::{AudioError, AudioErrorKind};
use super::file_window::FileWindow;
use super::layout::Container;
use super::link::audio_track;
use super::ogg_pages::OggPackets;
use super::seek_index::{FileMark, PacketPlace, Piece, SeekIndex};
use super::stream::AudioStream;
use crate::plain_file;

/// Codecs whose decoders need nothing but their headers and packets.
const INDEXED: [symphonia::core::codecs::audio::AudioCodecId; 6] =
    [CODEC_ID_MP3, CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_VORBIS, CODEC_ID_OPUS];
/// How far behind the last packet the next one is looked for: a film's pictures lie between.
const MAX_GAP: u64 = 4 << 20;
/// Packets beyond which no track is: twelve hours of the shortest.
const MAX_PACKETS: usize = 1 << 25;

impl SeekIndex {
    /// Reads a file once and makes its index. `None` where it needs none (uncompressed audio is found by counting bytes) or can have none.
    ///
    /// # Errors
    /// As [`decode_file`](super::decode_file) for what can be known without decoding.
    pub fn scan(path: &Path) -> Result<Option<Self>, AudioError> {
        guarded(path, || {
            let file = plain_file::open(path).map_err(|error| AudioErrorKind::of_file(error).at(path))?;
            let about = file.metadata().map_err(|error| AudioErrorKind::Io(error).at(path))?;
            let stream = AudioStream::open(path)?;
            Scan::of(stream, file, FileMark::of(&about)).map_err(|kind| kind.at(path))
        })
    }
}

struct Scan {
    stream: AudioStream,
    finder: Finder,
    index: SeekIndex,
}

enum Finder {
    Anywhere { window: FileWindow, at: u64 },
    Ogg(OggPackets),
}

impl Scan {
    fn of(stream: AudioStream, file: File, mark: FileMark) -> Result<Option<SeekIndex>, AudioErrorKind> {
        let Some(params) = audio_track(stream.reader.as_ref(), &stream.container)
            .and_then(|track| track.codec_params.as_ref()?.audio())
            .filter(|params| INDEXED.contains(&params.codec))
            .cloned()
        else {
            return Ok(None);
        };
        let finder = if stream.container.is_ogg() {
            Finder::Ogg(OggPackets::new(FileWindow::new(file, mark.bytes)))
        } else {
            Finder::Anywhere { window: FileWindow::new(file, mark.bytes), at: 0 }
        };
        let (channels, rate_hz) = (stream.channels, stream.sample_rate_hz);
        let index = SeekIndex { mark, params, channels, rate_hz, end: 0, lead_trim: 0, packets: Vec::new(), pieces: Vec::new() };
        let mut scan = Self { stream, finder, index };
        Ok(scan.run()?.then_some(scan.index))
    }

    /// False where the track cannot have an index.
    fn run(&mut self) -> Result<bool, AudioErrorKind> {
        while let Some(packet) = self.stream.next_packet()? {
            if self.stream.link_number > 0 || self.stream.reshaper.is_some() || self.index.packets.len() >= MAX_PACKETS {
                return Ok(false);
            }
            let Some(frames) = self.frames_of(&packet)? else { return Ok(false) };
            let first_piece = self.index.pieces.len() as u32;
            if !self.find(&packet.data).map_err(AudioErrorKind::Io)? {
                return Ok(false);
            }
            let start = self.stream.next_frame;
            // Without a gap, as a decode from the start demands it.
            let due = self.index.packets.last().map_or(start, |last| last.start + i64::from(last.frames));
            if start != due {
                return Ok(false);
            }
            self.index.packets.push(PacketPlace { first_piece, frames, start });
            self.stream.next_frame = start + i64::from(frames);
        }
        let end = self.stream.next_frame - self.stream.extent.tail_padding;
        self.index.end = self.stream.padding_from.map_or(end, |padding| padding.min(end));
        Ok(!self.index.packets.is_empty() && self.index.end > 0)
    }

    /// Frames that a packet adds to the time line, as [`AudioStream::next_block`] counts them.
    fn frames_of(&mut self, packet: &Packet) -> Result<Option<u32>, AudioErrorKind> {
        let is_trimmed = packet.trim_start.get() > 0 || packet.trim_end.get() > 0;
        match &self.stream.container {
            Container::Indexed => {
                // The decoder itself would cut these.
                if is_trimmed {
                    return Ok(None);
                }
                self.stream.next_frame = self.stream.start_of(packet);
                return Ok(u32::try_from(packet.dur.get()).ok());
            }
            Container::Mpeg(_) => self.stream.next_frame = self.stream.start_of(packet),
            Container::Ogg(_) if packet.trim_start.get() > 0 && !self.stream.decoder.is_opus() => {
                if !self.index.packets.is_empty() {
                    return Ok(None);
                }
                self.index.lead_trim = u32::try_from(packet.trim_start.get()).unwrap_or(u32::MAX);
            }
            _ => {}
        }
        match self.stream.frames_of(packet) {
            Some(frames) => Ok(u32::try_from(frames).ok()),
            // Known only once it is decoded.
            None => self.stream.decode(packet).map(|frames| u32::try_from(frames).ok()),
        }
    }

    fn find(&mut self, data: &[u8]) -> std::io::Result<bool> {
        match &mut self.finder {
            Finder::Ogg(packets) => packets.find(data, &mut self.index.pieces),
            Finder::Anywhere { window, at } => {
                // The first packet stands behind tags with pictures.
                let reach = if self.index.packets.is_empty() { u64::MAX } else { MAX_GAP };
                let Some(found) = window.find(data, *at, reach)? else { return Ok(false) };
                let bytes = data.len() as u32;
                self.index.pieces.push(Piece { at: found, bytes });
                *at = found + u64::from(bytes);
                Ok(true)
            }
        }
    }
}
