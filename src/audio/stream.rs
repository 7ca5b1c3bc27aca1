//! One audio stream of a file: opened, decoded packet by packet, placed on the track's time line, and checked at its end.
//!
//! A packet's place is its timestamp less the stream's origin, the timestamp of the first frame that sounds; every packet has to
//! begin where the one before it ended, so that a lost stretch is noticed where it is. Where a container's timestamps are too coarse for that, the
//! frames are counted instead:
//!
//! * wav, aiff, flac: timestamps are frame numbers.
//! * mp3: timestamps count the frames from the first on; the encoder's delay is before time 0.
//! * ogg: timestamps come from its pages, and encoders (ffmpeg's among them) write page positions that are off by up to a block wherever the block
//!   size changes: so frames are counted, as libvorbisfile does, and pages only have to agree roughly.
//! * mp4, matroska, caf, bare aac: frames are counted. What is before time 0 and behind the end comes from the container (edit lists, codec delay,
//!   packet tables), which `layout` reads; a jump of matroska's timestamps, in milliseconds, is a lost stretch.
//!
//! How a stretch is found without decoding all that is before it stands in `skip`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use super::codec::PacketDecoder;
use super::error::{AudioError, AudioErrorKind};
use super::layout::{Container, Extent};
use super::link::{Link, open};
use crate::catalog::TrackMetadata;

/// Frames by which an ogg's pages may differ from what was counted: half of the largest block.
const OGG_SLACK: i64 = 4096;
/// Seconds by which a packet's timestamp may jump where frames are counted: a pause of a live recording, and no lost cluster.
const MAX_JUMP_SECS: f64 = 1.0;
/// Longest track, in hours.
const MAX_HOURS: u64 = 12;

/// An open stream.
pub(super) struct AudioStream {
    pub(super) path: PathBuf,
    pub(super) reader: Box<dyn FormatReader>,
    pub(super) decoder: PacketDecoder,
    pub(super) container: Container,
    pub(super) track_id: u32,
    time_base: Option<TimeBase>,
    /// Channels of every block.
    pub channels: usize,
    /// Frames in a second.
    pub sample_rate_hz: u32,
    /// Tags of the file.
    pub metadata: TrackMetadata,
    /// Which frames are heard, where the container says it apart from its packets.
    pub(super) extent: Extent,
    /// Timestamp of the present link's first sounding frame.
    pub(super) origin: i64,
    /// Frames before the present link of a chained ogg; 0 elsewhere.
    pub(super) link_start: i64,
    /// Frame at which the next packet has to begin; negative within an encoder's delay.
    pub(super) next_frame: i64,
    /// Frames that the present link promises.
    promised_frames: Option<i64>,
    /// Frame at which the audio ends where padding follows it.
    padding_from: Option<i64>,
    /// Timestamp and length of the last packet in seconds, where jumps are looked for.
    last_place: Option<(f64, f64)>,
    silenced_packets: u64,
    packets: u64,
    /// Whether every packet so far was decoded, so that a checksum over all of them means something.
    pub(super) is_whole: bool,
    /// Packets that were read and not yet decoded.
    pub(super) pending: VecDeque<Packet>,
    scratch: Vec<f32>,
}

impl AudioStream {
    /// Opens a file's first audio stream.
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        Self::open_kind(path).map_err(|kind| kind.at(path))
    }

    fn open_kind(path: &Path) -> Result<Self, AudioErrorKind> {
        let opened = open(path)?;
        let link = Link::of(opened.reader.as_ref(), &opened.container)?;
        let extent = opened.container.extent(link.track_id, &link)?;
        let mut stream = Self {
            path: path.to_owned(),
            reader: opened.reader,
            channels: link.decoder.channels,
            sample_rate_hz: link.decoder.rate_hz,
            decoder: link.decoder,
            container: opened.container,
            track_id: link.track_id,
            time_base: link.time_base,
            metadata: opened.metadata,
            extent,
            origin: 0,
            link_start: 0,
            next_frame: 0,
            promised_frames: None,
            padding_from: None,
            last_place: None,
            silenced_packets: 0,
            packets: 0,
            is_whole: true,
            pending: VecDeque::new(),
            scratch: Vec::new(),
        };
        stream.begin_link(link.num_frames, link.has_padded_end)?;
        Ok(stream)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the next block's interleaved samples to `into`; gives the frame at which the block begins, or `None` behind the end.
    ///
    /// # Errors
    /// A damaged packet, a missing stretch, an end before or behind the promised one.
    pub(super) fn next_block(&mut self, into: &mut Vec<f32>) -> Result<Option<u64>, AudioError> {
        self.next_block_kind(into).map_err(|kind| kind.at(&self.path))
    }

    fn next_block_kind(&mut self, into: &mut Vec<f32>) -> Result<Option<u64>, AudioErrorKind> {
        loop {
            let Some(packet) = self.next_packet()? else {
                self.check_end()?;
                return Ok(None);
            };
            self.check_place(&packet)?;
            let start = self.next_frame;
            let frames = self.decode(&packet)?;
            self.next_frame += frames as i64;
            if self.next_frame / i64::from(self.sample_rate_hz) >= (MAX_HOURS * 3600) as i64 {
                return Err(AudioErrorKind::TooLong(MAX_HOURS));
            }
            let first = usize::try_from(-start).unwrap_or(0).min(frames);
            let mut last = self.padding_from.map_or(frames, |end| usize::try_from(end - start).unwrap_or(0).min(frames));
            if self.extent.tail_padding > 0 && self.is_last_packet()? {
                last = last.min(frames.saturating_sub(usize::try_from(self.extent.tail_padding).unwrap_or(usize::MAX)));
            }
            if first < last {
                into.extend_from_slice(&self.scratch[first * self.channels..last * self.channels]);
                return Ok(Some(start.max(0) as u64));
            }
        }
    }

    /// Where a packet's first sounding frame lies on the track's time line.
    pub(super) fn start_of(&self, packet: &Packet) -> i64 {
        let trimmed = match self.container {
            Container::Mpeg(_) => 0,
            _ if self.decoder.is_opus() => 0,
            _ => i64::try_from(packet.trim_start.get()).unwrap_or(0),
        };
        packet.pts.get().saturating_add(trimmed).saturating_sub(self.origin).saturating_add(self.link_start)
    }

    /// Holds a packet's timestamp against where the one before it ended.
    fn check_place(&mut self, packet: &Packet) -> Result<(), AudioErrorKind> {
        let missing =
            |at_secs: f64, count: String| Err(AudioErrorKind::Damaged { at_secs, reason: format!("{count} are missing or out of order") });
        if self.container.is_counted() {
            let base = self.time_base.map_or(0.0, |base| f64::from(base.numer.get()) / f64::from(base.denom.get()));
            let at = packet.pts.get() as f64 * base;
            let frames = self.frames_of(packet).unwrap_or(0) as f64 / f64::from(self.sample_rate_hz);
            let due = self.last_place.replace((at, frames)).map_or(at, |(before, frames)| before + frames);
            if (at - due).abs() > MAX_JUMP_SECS {
                return missing(self.secs(self.next_frame), format!("{:.2} s", (at - due).abs()));
            }
            return Ok(());
        }
        let start = self.start_of(packet);
        if start.abs_diff(self.next_frame) > self.slack() {
            return missing(self.secs(self.next_frame), format!("{} samples", start.abs_diff(self.next_frame)));
        }
        Ok(())
    }

    /// Frames that a packet will give, where that can be known without decoding it.
    pub(super) fn frames_of(&self, packet: &Packet) -> Option<u64> {
        if self.container == Container::Ogg && !self.decoder.is_opus() {
            // What a page's end trims is heard all the same, but for the last page's; see `decode`.
            return Some(packet.dur.saturating_add(packet.trim_end).get());
        }
        if self.container.has_exact_lengths() && self.time_base == TimeBase::try_from_recip(self.sample_rate_hz) {
            return self.decoder.frames_of(packet).or_else(|| Some(packet.dur.get()).filter(|&frames| frames > 0));
        }
        self.decoder.frames_of(packet)
    }

    /// Frames by which a packet's timestamp may be off.
    fn slack(&self) -> u64 {
        if self.container == Container::Ogg { OGG_SLACK.unsigned_abs() } else { 0 }
    }

    fn is_last_packet(&mut self) -> Result<bool, AudioErrorKind> {
        if self.pending.is_empty()
            && let Some(packet) = self.next_packet()?
        {
            self.pending.push_back(packet);
        }
        Ok(self.pending.is_empty())
    }

    /// Frame at which the audio ends where padding follows it.
    pub(super) fn padding_from(&self) -> Option<i64> {
        self.padding_from
    }

    /// Forgets the last packet's place, when the stream goes on elsewhere.
    pub(super) fn forget_place(&mut self) {
        self.last_place = None;
    }

    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, AudioErrorKind> {
        if let Some(packet) = self.pending.pop_front() {
            return Ok(Some(packet));
        }
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track_id => {}
                Ok(packet) => return Ok(packet),
                Err(Error::ResetRequired) => {
                    self.check_end()?;
                    self.next_link()?;
                    return Ok(self.pending.pop_front());
                }
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Err(self.cut_off());
                }
                Err(Error::IoError(error)) => return Err(AudioErrorKind::Io(error)),
                Err(error) => {
                    return Err(AudioErrorKind::Damaged { at_secs: self.secs(self.next_frame), reason: error.to_string() });
                }
            }
        }
    }

    /// Decodes into `scratch`; gives the number of frames.
    pub(super) fn decode(&mut self, packet: &Packet) -> Result<usize, AudioErrorKind> {
        self.packets += 1;
        self.scratch.clear();
        match self.decoder.decode(packet, &mut self.scratch) {
            // A first packet has nothing to overlap with: its frames are none yet.
            Ok(_) if self.container.is_counted() && self.decoder.is_priming() => {
                self.scratch.clear();
                Ok(0)
            }
            Ok(frames) if self.container == Container::Ogg && !self.decoder.is_opus() => {
                let silent = usize::try_from(packet.trim_start.get()).unwrap_or(usize::MAX).min(frames);
                self.scratch.drain(..silent * self.channels);
                Ok(frames - silent)
            }
            Ok(frames) => Ok(frames),
            // One frame of an MP3 that cannot be decoded is silent, as in every player, and time goes on; `check_end` counts them.
            Err(AudioErrorKind::Damaged { .. }) if self.decoder.is_mp3() => {
                self.silenced_packets += 1;
                let frames = match &self.container {
                    Container::Mpeg(layout) => layout.frame_samples as usize,
                    _ => self.frames_of(packet).map_or(1152, |frames| frames as usize),
                };
                self.scratch.clear();
                self.scratch.resize(frames * self.channels, 0.0);
                Ok(frames)
            }
            Err(AudioErrorKind::Damaged { reason, .. }) => Err(AudioErrorKind::Damaged { at_secs: self.secs(self.next_frame), reason }),
            Err(error) => Err(error),
        }
    }

    /// Holds what came against what was promised.
    fn check_end(&mut self) -> Result<(), AudioErrorKind> {
        if let Container::Mpeg(layout) = &self.container {
            let promised = layout.promised_frames.unwrap_or(layout.frames);
            // An info frame's count may hold the info frame itself.
            if layout.is_cut_off || promised > layout.frames + 1 {
                return Err(self.cut_off());
            }
            if promised + 1 < layout.frames {
                let secs = |frames: u64| (frames * layout.frame_samples) as f64 / f64::from(self.sample_rate_hz);
                return Err(AudioErrorKind::WrongLength { promised_secs: secs(promised), found_secs: secs(layout.frames) });
            }
        }
        if self.silenced_packets > 2 + self.packets / 100 {
            let reason = format!("{} of {} frames cannot be decoded", self.silenced_packets, self.packets);
            return Err(AudioErrorKind::Damaged { at_secs: 0.0, reason });
        }
        if self.extent.is_cut_off {
            return Err(self.cut_off());
        }
        if let Some((promised, slack)) = self.extent.all_frames {
            let all = self.next_frame + self.extent.delay;
            if all < promised - slack {
                return Err(self.cut_off());
            }
            if all > promised + slack {
                return Err(AudioErrorKind::WrongLength { promised_secs: self.secs(promised), found_secs: self.secs(all) });
            }
        }
        let found = self.next_frame.min(self.padding_from.unwrap_or(i64::MAX)) - self.link_start;
        let slack = if self.container == Container::Ogg { OGG_SLACK } else { self.extent.slack };
        match self.promised_frames {
            Some(promised) if found < promised && found + slack >= promised && found > 0 => {}
            Some(promised) if found < promised => return Err(self.cut_off()),
            Some(promised) if found > promised => {
                return Err(AudioErrorKind::WrongLength { promised_secs: self.secs(promised), found_secs: self.secs(found) });
            }
            _ if found <= 0 => return Err(AudioErrorKind::NoSamples),
            _ => {}
        }
        if self.is_whole && self.decoder.is_checksum_wrong() {
            let reason = "its checksum is not that of its audio".to_owned();
            return Err(AudioErrorKind::Damaged { at_secs: 0.0, reason });
        }
        Ok(())
    }

    fn cut_off(&self) -> AudioErrorKind {
        let promised_frames = match &self.container {
            Container::Mpeg(layout) => layout.promised_frames.map(|frames| (frames * layout.frame_samples) as i64),
            _ => self.promised_frames.or(self.extent.all_frames.map(|(frames, _)| frames)),
        };
        AudioErrorKind::CutOff {
            found_secs: self.secs((self.next_frame - self.link_start).max(0)),
            promised_secs: promised_frames.map(|frames| self.secs(frames)),
        }
    }

    /// Goes over to the next link of a chained ogg.
    fn next_link(&mut self) -> Result<(), AudioErrorKind> {
        let link = Link::of(self.reader.as_ref(), &self.container)?;
        if (link.decoder.channels, link.decoder.rate_hz) != (self.channels, self.sample_rate_hz) {
            return Err(AudioErrorKind::Unsupported("its channels or sample rate change midway".to_owned()));
        }
        (self.decoder, self.track_id, self.link_start) = (link.decoder, link.track_id, self.next_frame);
        self.begin_link(link.num_frames, link.has_padded_end)
    }

    /// Reads the first packet, whose place is the link's origin.
    fn begin_link(&mut self, num_frames: Option<u64>, has_padded_end: bool) -> Result<(), AudioErrorKind> {
        let promised = num_frames.map(|frames| i64::try_from(frames).unwrap_or(i64::MAX));
        self.promised_frames = promised;
        let Some(packet) = self.next_packet()? else { return Ok(()) };
        if let Container::Mpeg(layout) = &self.container {
            // Timestamps begin at minus the encoder's delay. Without an info frame symphonia guesses the length: not to be used.
            self.promised_frames = None;
            self.padding_from = promised.filter(|_| layout.promised_frames.is_some());
            self.next_frame = packet.pts.get();
        } else if self.container.is_counted() {
            (self.promised_frames, self.padding_from) = (self.extent.frames, self.extent.frames);
            self.next_frame = -self.extent.delay;
        } else {
            (self.origin, self.next_frame, self.padding_from) = (0, self.link_start, None);
            self.origin = self.start_of(&packet) - self.link_start;
            if self.container == Container::Ogg {
                if self.origin.abs() <= OGG_SLACK {
                    self.origin = 0;
                }
                // What opus needs to get going is on its clock, and before time 0.
                let pre_skip = self.decoder.pre_skip.unwrap_or(0);
                self.origin += pre_skip;
                self.next_frame -= pre_skip;
                // The last page tells where on the stream's own clock it ends; the last block's rest is padding.
                self.promised_frames = promised.map(|end| end.saturating_sub(self.origin));
                self.padding_from = self.promised_frames.map(|frames| self.link_start.saturating_add(frames));
            } else if has_padded_end {
                self.padding_from = promised;
            }
        }
        self.pending.push_front(packet);
        Ok(())
    }

    pub(super) fn secs(&self, frames: i64) -> f64 {
        frames.max(0) as f64 / f64::from(self.sample_rate_hz)
    }
}
