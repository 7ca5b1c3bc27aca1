//! Where each packet of a track lies in its file, and where on the track's time line its samples begin.
//!
//! With it a stretch is decoded without opening the container and without reading what is before it: one open, one read, the packets that the codec
//! needs to get going, and the stretch (see `indexed_stream`). `index_scan` makes it, `index_bytes` keeps it.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use symphonia::core::codecs::audio::AudioCodecParameters;

/// By what a file is known to be the one that was indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileMark {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970; 0 where the system does not say.
    pub written_ns: u64,
}

impl FileMark {
    /// Of an open file.
    pub(super) fn of(about: &Metadata) -> Self {
        let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self { bytes: about.len(), written_ns: written.and_then(|time| u64::try_from(time.as_nanos()).ok()).unwrap_or(0) }
    }
}

/// A run of bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins.
    pub at: u64,
    /// Its length.
    pub bytes: u32,
}

/// A packet: its pieces are those from `first_piece` up to the next packet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketPlace {
    /// Number of its first piece.
    pub first_piece: u32,
    /// Frames that it decodes to; `trim_start` of them, in the first packets of some streams, are no audio and not counted.
    pub frames: u32,
    /// Frame at which it begins, on the track's time line; negative within an encoder's delay.
    pub start: i64,
}

/// The seek index of one track.
#[derive(Clone, Debug)]
pub struct SeekIndex {
    pub(super) mark: FileMark,
    pub(super) params: AudioCodecParameters,
    pub(super) channels: usize,
    pub(super) rate_hz: u32,
    /// Frame behind the last that is heard.
    pub(super) end: i64,
    /// Frames that the first packet decodes to and that are neither heard nor counted.
    pub(super) lead_trim: u32,
    pub(super) packets: Vec<PacketPlace>,
    pub(super) pieces: Vec<Piece>,
}

impl SeekIndex {
    /// Whether a file is, by its length and its time, still the one that was indexed.
    #[must_use]
    pub fn is_of(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|about| FileMark::of(&about) == self.mark)
    }

    /// Length of the track in seconds.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        self.end.max(0) as f64 / f64::from(self.rate_hz.max(1))
    }

    /// Packets of the track.
    #[must_use]
    pub fn packet_count(&self) -> usize {
        self.packets.len()
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.packets.len() * size_of::<PacketPlace>() + self.pieces.len() * size_of::<Piece>()
    }

    /// The packet that holds frame `target`, or the last one before it.
    pub(super) fn packet_at(&self, target: i64) -> usize {
        self.packets.partition_point(|packet| packet.start <= target).saturating_sub(1)
    }

    /// The pieces of packet `number`.
    pub(super) fn pieces_of(&self, number: usize) -> &[Piece] {
        let first = |number: usize| self.packets.get(number).map_or(self.pieces.len(), |packet| packet.first_piece as usize);
        self.pieces.get(first(number)..first(number + 1)).unwrap_or_default()
    }

    /// Length of packet `number` in bytes.
    pub(super) fn bytes_of(&self, number: usize) -> usize {
        self.pieces_of(number).iter().map(|piece| piece.bytes as usize).sum()
    }
}
