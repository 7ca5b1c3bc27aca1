//! One audio stream of a file: opened, decoded packet by packet, placed on the track's time line, and checked at its end.
//!
//! A stream that ends too early, or has another length than it declares, is read as far as it is sound, and remarked on at its end. Damage inside is an error.
//!
//! A packet's place is its timestamp less the stream's origin, the timestamp of the first frame that sounds; every packet has to
//! begin where the one before it ended, so that a lost stretch is noticed where it is. Where a container's timestamps are too coarse for that, the
//! frames are counted instead:
//!
//! * wav, aiff, flac: timestamps are frame numbers.
//! * mp3: timestamps count the frames of a part from the first on; the encoder's delay is before time 0.
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
use super::link::{FileEnd, Link, open};
use super::remark::AudioRemark;
use super::reshape::Reshaper;
use crate::catalog::TrackMetadata;

/// Frames by which an ogg's pages may differ from what was counted: half of the largest block.
pub(super) const OGG_SLACK: i64 = 4096;
/// Seconds by which a packet's timestamp may jump where frames are counted: a pause of a live recording, and no lost cluster.
const MAX_JUMP_SECS: f64 = 1.0;
/// Longest track, in hours.
const MAX_HOURS: u64 = 12;
/// Samples beyond this are no sound: a million million times full scale, of which a spectrum can still be a number.
const MAX_SAMPLE: f32 = 1e12;

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
    /// Frames before the present link: of a chained ogg, a part of an MP3; 0 elsewhere, and in a link of another form than the track's.
    pub(super) link_start: i64,
    /// Which link is read, from 0.
    pub(super) link_number: usize,
    /// Brings a link of another form to the track's.
    pub(super) reshaper: Option<Reshaper>,
    /// What a link of another form gave at its end, and where it begins.
    pub(super) tail: Option<(u64, Vec<f32>)>,
    /// Frame at which the next packet has to begin; negative within an encoder's delay.
    pub(super) next_frame: i64,
    /// Frames that the present link promises.
    pub(super) promised_frames: Option<i64>,
    /// Frame at which the audio ends where padding follows it.
    pub(super) padding_from: Option<i64>,
    /// Timestamp and length of the last packet in seconds, where jumps are looked for.
    last_place: Option<(f64, f64)>,
    pub(super) silenced_packets: u64,
    pub(super) packets: u64,
    /// Whether every packet so far was decoded, so that a checksum over all of them means something.
    pub(super) is_whole: bool,
    /// Packets that were read and not yet decoded.
    pub(super) pending: VecDeque<Packet>,
    scratch: Vec<f32>,
    /// What the file's bytes say of its end.
    pub(super) file_end: FileEnd,
    /// Whether the reader gives no more packets.
    is_drained: bool,
    /// Whether it met the file's end within something.
    pub(super) is_cut: bool,
    is_over: bool,
    /// How many samples were no numbers, and when the first one sounds.
    pub(super) not_numbers: Option<(u64, f64)>,
    pub(super) remarks: Vec<AudioRemark>,
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
        let channels = opened.container.channels().unwrap_or(link.decoder.channels);
        let mut stream = Self {
            path: path.to_owned(),
            reader: opened.reader,
            channels,
            sample_rate_hz: link.decoder.rate_hz,
            decoder: link.decoder,
            container: opened.container,
            track_id: link.track_id,
            time_base: link.time_base,
            metadata: opened.metadata,
            extent,
            origin: 0,
            link_start: 0,
            link_number: 0,
            reshaper: None,
            tail: None,
            next_frame: 0,
            promised_frames: None,
            padding_from: None,
            last_place: None,
            silenced_packets: 0,
            packets: 0,
            is_whole: true,
            pending: VecDeque::new(),
            scratch: Vec::new(),
            file_end: opened.end,
            is_drained: false,
            is_cut: false,
            is_over: false,
            not_numbers: None,
            remarks: Vec::new(),
        };
        stream.take_form(0)?;
        stream.begin_link(link.num_frames, link.has_padded_end)?;
        Ok(stream)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is odd about the file: known once all of it was read.
    pub(super) fn remarks(&self) -> &[AudioRemark] {
        &self.remarks
    }

    /// Appends the next block's interleaved samples to `into`; gives the frame at which the block begins, or `None` behind the end.
    ///
    /// # Errors
    /// A damaged packet, a missing stretch, a stream without a sample.
    pub(super) fn next_block(&mut self, into: &mut Vec<f32>) -> Result<Option<u64>, AudioError> {
        self.next_block_kind(into).map_err(|kind| kind.at(&self.path))
    }

    fn next_block_kind(&mut self, into: &mut Vec<f32>) -> Result<Option<u64>, AudioErrorKind> {
        loop {
            let packet = self.next_packet()?;
            if packet.is_none() && !std::mem::replace(&mut self.is_over, true) {
                self.close_link(true)?;
            }
            if let Some((start, tail)) = self.tail.take() {
                into.extend_from_slice(&tail);
                if let Some(packet) = packet {
                    self.pending.push_front(packet);
                }
                return Ok(Some(start));
            }
            let Some(packet) = packet else { return Ok(None) };
            self.check_place(&packet)?;
            let start = self.next_frame;
            let frames = match self.decode(&packet) {
                // What a file that is cut off holds of its last packet cannot be decoded.
                Err(AudioErrorKind::Damaged { .. }) if start > 0 && self.may_end_here()? => {
                    (self.is_cut, self.is_drained) = (true, true);
                    continue;
                }
                decoded => decoded?,
            };
            self.next_frame += frames as i64;
            if self.now_secs() >= (MAX_HOURS * 3600) as f64 {
                return Err(AudioErrorKind::TooLong(MAX_HOURS));
            }
            let first = usize::try_from(-start).unwrap_or(0).min(frames);
            let mut last = self.padding_from.map_or(frames, |end| usize::try_from(end - start).unwrap_or(0).min(frames));
            if self.extent.tail_padding > 0 && self.is_last_packet()? {
                last = last.min(frames.saturating_sub(usize::try_from(self.extent.tail_padding).unwrap_or(usize::MAX)));
            }
            if first < last {
                let channels = self.decoder.channels;
                self.quiet_not_numbers(start + first as i64, first * channels..last * channels);
                let heard = &self.scratch[first * channels..last * channels];
                let Some(reshaper) = &mut self.reshaper else {
                    into.extend_from_slice(heard);
                    return Ok(Some(start.max(0) as u64));
                };
                let (at, had) = (reshaper.position(), into.len());
                reshaper.push(heard, into)?;
                if into.len() > had {
                    return Ok(Some(at));
                }
            }
        }
    }

    /// Makes samples that are no numbers silent, in a stretch of `scratch` that begins at frame `start` of the link.
    fn quiet_not_numbers(&mut self, start: i64, stretch: std::ops::Range<usize>) {
        let is_number = |sample: &f32| sample.abs() <= MAX_SAMPLE;
        let rate = f64::from(self.decoder.rate_hz);
        let Some(heard) = self.scratch.get_mut(stretch).filter(|heard| !heard.iter().all(is_number)) else { return };
        let before = self.reshaper.as_ref().map_or(0.0, |reshaper| reshaper.start() as f64 / f64::from(self.sample_rate_hz));
        for (number, sample) in heard.iter_mut().enumerate().filter(|(_, sample)| !is_number(sample)) {
            *sample = 0.0;
            let frame = start as f64 + (number / self.decoder.channels.max(1)) as f64;
            self.not_numbers.get_or_insert((0, before + frame / rate)).0 += 1;
        }
    }

    /// Whether a packet that cannot be decoded is the last of a stream that may be cut off there.
    fn may_end_here(&mut self) -> Result<bool, AudioErrorKind> {
        let is_one_link = !self.container.is_ogg() && !matches!(self.container, Container::Mpeg(_));
        Ok(is_one_link && self.is_last_packet()?)
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
            let frames = self.frames_of(packet).unwrap_or(0) as f64 / f64::from(self.decoder.rate_hz);
            let due = self.last_place.replace((at, frames)).map_or(at, |(before, frames)| before + frames);
            if (at - due).abs() > MAX_JUMP_SECS {
                return missing(self.now_secs(), format!("{:.2} s", (at - due).abs()));
            }
            return Ok(());
        }
        let start = self.start_of(packet);
        if start.abs_diff(self.next_frame) > self.slack() {
            return missing(self.now_secs(), format!("{} samples", start.abs_diff(self.next_frame)));
        }
        Ok(())
    }

    /// Frames that a packet will give, where that can be known without decoding it.
    pub(super) fn frames_of(&self, packet: &Packet) -> Option<u64> {
        if self.container.is_ogg() && !self.decoder.is_opus() {
            // What a page's end trims is heard all the same, but for the last page's; see `decode`.
            return Some(packet.dur.saturating_add(packet.trim_end).get());
        }
        if self.container.has_exact_lengths() && self.time_base == TimeBase::try_from_recip(self.decoder.rate_hz) {
            return self.decoder.frames_of(packet).or_else(|| Some(packet.dur.get()).filter(|&frames| frames > 0));
        }
        self.decoder.frames_of(packet)
    }

    /// Frames by which a packet's timestamp may be off.
    fn slack(&self) -> u64 {
        if self.container.is_ogg() { OGG_SLACK.unsigned_abs() } else { 0 }
    }

    fn is_last_packet(&mut self) -> Result<bool, AudioErrorKind> {
        if self.pending.is_empty()
            && let Some(packet) = self.next_packet()?
        {
            self.pending.push_back(packet);
        }
        Ok(self.pending.is_empty())
    }

    /// Forgets the last packet's place, when the stream goes on elsewhere.
    pub(super) fn forget_place(&mut self) {
        self.last_place = None;
    }

    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, AudioErrorKind> {
        if let Some(packet) = self.pending.pop_front() {
            return Ok(Some(packet));
        }
        while !self.is_drained {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track_id => {}
                Ok(Some(packet)) => return Ok(Some(packet)),
                Ok(None) => self.is_drained = true,
                Err(Error::ResetRequired) => {
                    self.close_link(false)?;
                    self.next_link()?;
                    return Ok(self.pending.pop_front());
                }
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    (self.is_cut, self.is_drained) = (!self.file_end.is_measured && !self.container.may_end_anywhere(), true);
                }
                Err(Error::IoError(error)) => return Err(AudioErrorKind::Io(error)),
                // The parts of a file that is cut off may not fit together at its end.
                Err(_) if self.extent.is_cut_off => (self.is_cut, self.is_drained) = (true, true),
                Err(error) => {
                    return Err(AudioErrorKind::Damaged { at_secs: self.now_secs(), reason: error.to_string() });
                }
            }
        }
        Ok(None)
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
            Ok(frames) if self.container.is_ogg() && !self.decoder.is_opus() => {
                let silent = usize::try_from(packet.trim_start.get()).unwrap_or(usize::MAX).min(frames);
                self.scratch.drain(..silent * self.decoder.channels);
                Ok(frames - silent)
            }
            Ok(frames) => Ok(frames),
            // One frame of an MP3 that cannot be decoded is silent, as in every player, and time goes on; `close_link` counts them.
            Err(AudioErrorKind::Damaged { .. }) if self.decoder.is_mp3() => {
                self.silenced_packets += 1;
                let frames = self.decoder.frames_of(packet).map_or(1152, |frames| frames as usize);
                self.scratch.clear();
                self.scratch.resize(frames * self.decoder.channels, 0.0);
                Ok(frames)
            }
            Err(AudioErrorKind::Damaged { reason, .. }) => Err(AudioErrorKind::Damaged { at_secs: self.now_secs(), reason }),
            Err(error) => Err(error),
        }
    }

    /// Frame of the present link behind the last that is heard.
    pub(super) fn heard_end(&self) -> i64 {
        self.next_frame.min(self.padding_from.unwrap_or(i64::MAX))
    }

    /// Goes over to the next link of a chained ogg, or part of an MP3.
    fn next_link(&mut self) -> Result<(), AudioErrorKind> {
        let link = Link::of(self.reader.as_ref(), &self.container)?;
        let end = match &self.reshaper {
            Some(reshaper) => i64::try_from(reshaper.position()).unwrap_or(i64::MAX),
            None => self.heard_end(),
        };
        (self.decoder, self.track_id) = (link.decoder, link.track_id);
        self.link_number += 1;
        self.take_form(end)?;
        self.begin_link(link.num_frames, link.has_padded_end)
    }

    /// Begins a link at frame `start` of the track: one of the track's own form counts on, another one from 0.
    fn take_form(&mut self, start: i64) -> Result<(), AudioErrorKind> {
        let (link, track) = ((self.decoder.channels, self.decoder.rate_hz), (self.channels, self.sample_rate_hz));
        (self.link_start, self.reshaper) =
            if link == track { (start, None) } else { (0, Some(Reshaper::try_new(link, track, start.max(0) as u64)?)) };
        Ok(())
    }

    /// Reads the first packet, whose place is the link's origin.
    fn begin_link(&mut self, num_frames: Option<u64>, has_padded_end: bool) -> Result<(), AudioErrorKind> {
        let promised = num_frames.map(|frames| i64::try_from(frames).unwrap_or(i64::MAX));
        self.promised_frames = promised;
        let Some(packet) = self.next_packet()? else { return Ok(()) };
        if let Container::Mpeg(_) = &self.container {
            // The first part's timestamps begin at minus the encoder's delay, the others' at 0.
            self.promised_frames = None;
            self.padding_from = promised.filter(|_| self.link_number == 0);
            (self.origin, self.next_frame) = (0, self.start_of(&packet));
        } else if self.container.is_counted() {
            (self.promised_frames, self.padding_from) = (self.extent.frames, self.extent.frames);
            self.next_frame = -self.extent.delay;
        } else {
            (self.origin, self.next_frame, self.padding_from) = (0, self.link_start, None);
            self.origin = self.start_of(&packet) - self.link_start;
            if let Container::Ogg(layout) = &self.container {
                if self.origin.abs() <= OGG_SLACK {
                    self.origin = 0;
                }
                // What opus needs to get going is on its clock, and before time 0.
                let pre_skip = self.decoder.pre_skip.unwrap_or(0);
                self.origin += pre_skip;
                self.next_frame -= pre_skip;
                // The last page tells where on the stream's own clock it ends; the last block's rest is padding.
                let end = promised.or_else(|| i64::try_from(layout.end_of(self.track_id)?).ok());
                self.promised_frames = end.map(|end| end.saturating_sub(self.origin));
                self.padding_from = self.promised_frames.map(|frames| self.link_start.saturating_add(frames));
            } else if has_padded_end {
                self.padding_from = promised;
            }
        }
        self.pending.push_front(packet);
        Ok(())
    }

    /// Seconds of a number of frames of the present link.
    pub(super) fn secs(&self, frames: i64) -> f64 {
        frames.max(0) as f64 / f64::from(self.decoder.rate_hz.max(1))
    }

    /// Seconds of the track that were read.
    pub(super) fn now_secs(&self) -> f64 {
        let before = self.reshaper.as_ref().map_or(0.0, |reshaper| reshaper.start() as f64 / f64::from(self.sample_rate_hz));
        before + self.secs(self.heard_end())
    }
}
