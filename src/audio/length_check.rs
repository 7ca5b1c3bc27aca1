//! The end of a stream: what came is held against what its container declares.

use super::error::AudioErrorKind;
use super::layout::Container;
use super::mpeg::Promise;
use super::remark::AudioRemark;
use super::stream::{AudioStream, OGG_SLACK};

impl AudioStream {
    /// Holds what came against what was promised, at the end of a link; at that of the file, remarks on it.
    pub(super) fn close_link(&mut self, is_final: bool) -> Result<(), AudioErrorKind> {
        if self.silenced_packets > 2 + self.packets / 100 {
            let reason = format!("{} of {} frames cannot be decoded", self.silenced_packets, self.packets);
            return Err(AudioErrorKind::Damaged { at_secs: 0.0, reason });
        }
        let found = self.heard_end() - self.link_start;
        if found <= 0 && self.link_number == 0 {
            let is_short = self.file_end.promised_ratio.is_some_and(|ratio| ratio > 1.0);
            let is_cut = self.is_cut || is_short || self.extent.is_cut_off || self.promised_frames.is_some_and(|promised| promised > 0);
            return Err(if is_cut { self.cut_off() } else { AudioErrorKind::NoSamples });
        }
        let length = self.length_remark(found, is_final);
        if length.is_none() && self.is_whole && self.decoder.is_checksum_wrong() {
            let reason = "its checksum is not that of its audio".to_owned();
            return Err(AudioErrorKind::Damaged { at_secs: 0.0, reason });
        }
        self.remarks.extend(length);
        if is_final {
            let found_secs = self.now_secs();
            self.remarks.extend(self.file_end.goes_on.then_some(AudioRemark::GoesOnDifferently { found_secs }));
            self.remarks.extend(self.not_numbers.map(|(count, first_secs)| AudioRemark::NotNumbers { count, first_secs }));
        }
        if let Some(reshaper) = &mut self.reshaper {
            let (_, tail) = self.tail.get_or_insert_with(|| (reshaper.position(), Vec::new()));
            reshaper.finish(tail)?;
            self.tail.take_if(|(_, tail)| tail.is_empty());
        }
        Ok(())
    }

    /// What is to be said of a link's length, of which `found` frames were heard.
    fn length_remark(&self, found: i64, is_final: bool) -> Option<AudioRemark> {
        let found_secs = self.now_secs();
        let cut_off = |promised_secs: Option<f64>| Some(AudioRemark::CutOff { found_secs, promised_secs });
        let runs_on = |promised_secs: f64| Some(AudioRemark::RunsOn { found_secs, promised_secs });
        let rate = f64::from(self.decoder.rate_hz);
        match &self.container {
            Container::Mpeg(_) if !is_final => return None,
            Container::Mpeg(layout) => {
                return match layout.promise() {
                    Promise::Short(frames) => cut_off(Some(layout.secs(frames))),
                    Promise::Exceeded(frames) => runs_on(layout.secs(frames)),
                    Promise::Kept | Promise::OfNothing => layout.is_cut_off.then(|| cut_off(None)).flatten(),
                };
            }
            Container::Ogg(layout) if is_final && !layout.has_end_mark(self.track_id) => {
                return Some(AudioRemark::NoEndMark { found_secs });
            }
            _ => {}
        }
        if let Some(ratio) = self.file_end.promised_ratio {
            let promised = found as f64 * ratio;
            return if ratio > 1.0 { cut_off(Some(promised / rate)) } else { runs_on(promised / rate) };
        }
        let all = self.next_frame - self.link_start + self.extent.delay;
        let of_all = self.extent.all_frames.map(|(promised, slack)| (all, promised, slack));
        let slack = if self.container.is_ogg() { OGG_SLACK } else { self.extent.slack };
        let of_heard = self.promised_frames.map(|promised| (found, promised, slack));
        for (there, promised, slack) in of_all.into_iter().chain(of_heard) {
            if there < promised.saturating_sub(slack) {
                return cut_off(Some((promised as f64 / rate).max(found_secs)));
            }
        }
        // Another stream of an ogg may lack its end.
        if self.is_cut && !self.container.is_ogg() || self.extent.is_cut_off || self.file_end.is_ragged && self.promised_frames.is_none() {
            return cut_off(None);
        }
        let exceeded = of_all.into_iter().chain(of_heard).find(|(there, promised, slack)| *there > promised.saturating_add(*slack));
        exceeded.and_then(|(_, promised, _)| runs_on(promised as f64 / rate))
    }

    fn cut_off(&self) -> AudioErrorKind {
        let promised = match &self.container {
            Container::Mpeg(layout) => layout.promised_frames.map(|frames| layout.secs(frames)),
            _ => self.promised_frames.or(self.extent.all_frames.map(|(frames, _)| frames)).map(|frames| self.secs(frames)),
        };
        AudioErrorKind::CutOff { found_secs: self.secs((self.next_frame - self.link_start).max(0)), promised_secs: promised }
    }
}
