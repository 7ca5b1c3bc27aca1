//! A stretch of a stream without decoding all that is before it.
//!
//! What is given has to be, to the bit, what a decode from the start has there:
//!
//! * wav, aiff, flac: symphonia seeks to the packet; the first packet's own timestamp is what counts, and a seek that
//!   overshoots is given up for reading from the start.
//! * mp3 of several parts, and links of other forms: all is decoded.
//! * mp3: the accurate seek counts frame headers from the start (no index can be trusted); decoding begins 32 frames early, so that
//!   the bit reservoir and the filters' memories are what they are in a decode from the start.
//! * all others: packets are read and their lengths counted from the start, and only those near the goal are decoded. How many before it depends on the
//!   codec ([`Preroll`]); opus' voice coder alone may differ in last bits, and only beyond its first two minutes. Where a packet's length is only known once it is decoded (flac and vorbis in matroska), all are.

use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

use super::codec::Preroll;
use super::error::{AudioError, AudioErrorKind};
use super::layout::Container;
use super::stream::AudioStream;

/// Frames decoded before an MP3's wanted stretch: more than the bit reservoir can reach back at the lowest bit rates.
const MPEG_PREROLL: i64 = 32 * 1152;

impl AudioStream {
    /// Goes on so that the next blocks hold frame `target`, as early as that can be had.
    ///
    /// # Errors
    /// As [`next_block`](Self::next_block).
    pub(super) fn skip_to(&mut self, target: u64) -> Result<(), AudioError> {
        let target = i64::try_from(target).unwrap_or(i64::MAX);
        let goal = match &self.container {
            // In a link of another form than the track's, all is decoded from its start.
            _ if self.reshaper.is_some() => return Ok(()),
            Container::Mpeg(layout) if layout.parts > 1 => return Ok(()),
            Container::Ogg(_) if !self.decoder.is_opus() => return self.skip_packets(target).map_err(|kind| kind.at(&self.path)),
            Container::Indexed => self.origin.saturating_add(target),
            Container::Mpeg(_) => target.saturating_sub(MPEG_PREROLL),
            _ => return self.skip_counted(target).map_err(|kind| kind.at(&self.path)),
        };
        if goal <= self.next_frame {
            return Ok(());
        }
        let to = SeekTo::Timestamp { ts: Timestamp::new(goal), track_id: self.track_id };
        let sought = self.reader.seek(SeekMode::Accurate, to).and_then(|_| self.reader.next_packet());
        if let Ok(Some(packet)) = sought
            && self.start_of(&packet) <= target
        {
            self.decoder.restart(0, None);
            self.is_whole = false;
            self.next_frame = self.start_of(&packet);
            self.pending.clear();
            self.pending.push_back(packet);
            return Ok(());
        }
        // The container's index is wrong: what is asked for is found by reading from the start.
        *self = Self::open(&self.path)?;
        Ok(())
    }

    /// Reads an ogg's packets without decoding them up to the one that holds `target`, and readies the decoder with the one before.
    fn skip_packets(&mut self, target: i64) -> Result<(), AudioErrorKind> {
        let mut before: Option<Packet> = None;
        self.is_whole = false;
        let mut link = self.link_number;
        while let Some(packet) = self.next_packet()? {
            if self.link_number != link {
                (before, link) = (None, self.link_number);
            }
            if self.reshaper.is_some() {
                self.pending.push_front(packet);
                return Ok(());
            }
            let frames = self.frames_of(&packet).unwrap_or(0);
            let end = self.next_frame.saturating_add(i64::try_from(frames).unwrap_or(i64::MAX));
            if end > target {
                if let Some(before) = before {
                    self.decoder.restart(0, None);
                    // What overlaps into the wanted packet is kept inside of the decoder; a damaged one is noticed by `decode_file`.
                    let _ = self.decoder.decode(&before, &mut Vec::new());
                }
                self.pending.push_front(packet);
                return Ok(());
            }
            self.next_frame = end;
            before = Some(packet);
        }
        Ok(())
    }

    /// Reads packets without decoding them up to the one that holds `target`, and goes back as far as the codec's memory reaches.
    fn skip_counted(&mut self, target: i64) -> Result<(), AudioErrorKind> {
        let mut held: std::collections::VecDeque<(i64, Packet)> = std::collections::VecDeque::new();
        let (mut number, mut link, mut is_passed) = (0_u64, self.link_number, false);
        while let Some(packet) = self.next_packet()? {
            if self.link_number != link {
                (link, number, is_passed) = (self.link_number, 0, false);
                held.clear();
            }
            if self.reshaper.is_some() {
                self.pending.push_front(packet);
                return Ok(());
            }
            let start = self.next_frame;
            let Some(frames) = self.frames_of(&packet) else {
                // What was passed over so far is decoded after all.
                self.next_frame = held.front().map_or(start, |&(first, _)| first);
                held.push_back((start, packet));
                self.go_on_with(held);
                return Ok(());
            };
            let end = start.saturating_add(i64::try_from(frames).unwrap_or(i64::MAX));
            let preroll = self.decoder.preroll(held.front().map_or(&packet, |(_, first)| first));
            match preroll {
                Preroll::Frames(wanted) => {
                    while held.get(1).is_some_and(|&(second, _)| second <= target.saturating_sub(wanted)) {
                        held.pop_front();
                        is_passed = true;
                    }
                }
                Preroll::From(multiple) => {
                    if number.is_multiple_of(multiple) && number > 0 {
                        // The one before stays, to warm up.
                        held.drain(..held.len() - 1);
                        is_passed = true;
                    }
                }
            }
            held.push_back((start, packet));
            if end > target {
                break;
            }
            self.next_frame = end;
            number += 1;
        }
        if let Some((_, packet)) = held.front().filter(|_| is_passed) {
            self.is_whole = false;
            let preroll = self.decoder.preroll(packet);
            let warm_up = match preroll {
                Preroll::From(_) => held.pop_front().map(|(_, packet)| packet),
                Preroll::Frames(_) => None,
            };
            let next = match preroll {
                Preroll::From(multiple) => number / multiple * multiple,
                Preroll::Frames(_) => 0,
            };
            self.decoder.restart(next, warm_up);
        }
        if let Some(&(first, _)) = held.front() {
            self.next_frame = first;
        }
        self.go_on_with(held);
        Ok(())
    }

    fn go_on_with(&mut self, held: std::collections::VecDeque<(i64, Packet)>) {
        self.forget_place();
        for (_, packet) in held.into_iter().rev() {
            self.pending.push_front(packet);
        }
    }
}
