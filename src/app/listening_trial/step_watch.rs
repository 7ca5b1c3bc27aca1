//! Listens for clicks: holds every step from a sample to the next that is handed to the output to the steps of the music that can be in it.

use std::collections::VecDeque;
use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

use crate::player::SegmentAudio;

/// How long a segment that was replaced can still be heard, in buffers of 256 frames: its fade of 10 ms, after a wait as long for a place to begin.
const LINGERS: u32 = 5;
/// Buffers of its audio that a segment may be in: it may have begun that much later than it was asked for.
const WINDOW: usize = 16;
/// The mixer's voices.
const VOICES: usize = 4;
/// What a fade of the mixer takes.
const FADE_SECS: f32 = 0.010;
/// For the rounding of sums of f32.
const ROUNDING: f32 = 1e-5;

/// A segment that may be in what is handed over.
struct Heard {
    serial: u64,
    audio: Arc<SegmentAudio>,
    /// Frames that were looked at.
    scanned: usize,
    /// The largest step and the largest amplitude of the last buffers' worth of them.
    blocks: VecDeque<(f32, f32)>,
    /// Buffers since it was the newest or the one that plays.
    left: u32,
}

/// Watches a hand-driven output, buffer by buffer.
///
/// Of n voices at equal power the gains sum to at most √n; each gain moves by at most that of the fade. So no step is larger than √n times the largest of
/// the music that is playing, and n times the fade's own; a click is. In a rest n is 1, and the bound is the segment's own step at that moment.
pub(super) struct StepWatch {
    fade_step: f32,
    heard: Vec<Heard>,
    last: [f32; 2],
    /// The largest share of its bound that a step was.
    share: f32,
}

impl StepWatch {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        Self { fade_step: FRAC_PI_2 / (sample_rate_hz as f32 * FADE_SECS), heard: Vec::new(), last: [0.0; 2], share: 0.0 }
    }

    /// The largest step that was handed over, as a share of what the music and the fades could make there: above 1 it clicked.
    pub(super) fn share(&self) -> f32 {
        self.share
    }

    /// Whether an audition is watched already.
    pub(super) fn knows(&self, serial: u64) -> bool {
        self.heard.iter().any(|heard| heard.serial == serial)
    }

    /// An audition was sent to sound.
    pub(super) fn expect(&mut self, serial: u64, audio: Arc<SegmentAudio>) {
        self.heard.push(Heard { serial, audio, scanned: 0, blocks: VecDeque::new(), left: 0 });
    }

    /// Takes a buffer, interleaved stereo, in which the newest audition, or the one that plays, may sound.
    pub(super) fn see(&mut self, buffer: &[f32], newest: u64, playing: Option<u64>) {
        let frames = buffer.len() / 2;
        for heard in &mut self.heard {
            heard.left = if heard.serial == newest || Some(heard.serial) == playing { 0 } else { heard.left + 1 };
            heard.scan(frames);
        }
        self.heard.retain(|heard| heard.left <= LINGERS);
        let voices = self.heard.len().min(VOICES) as f32;
        let largest = |of: fn(&(f32, f32)) -> f32| self.heard.iter().flat_map(|heard| heard.blocks.iter().map(of)).fold(0.0, f32::max);
        let bound = voices.sqrt() * largest(|block| block.0) + voices * self.fade_step * largest(|block| block.1) + ROUNDING;
        let mut step = 0.0_f32;
        for &frame in buffer.as_chunks::<2>().0 {
            step = step.max((frame[0] - self.last[0]).abs()).max((frame[1] - self.last[1]).abs());
            self.last = frame;
        }
        self.share = self.share.max(step / bound);
    }
}

impl Heard {
    /// Looks at the next frames of the audio, as far as they are decoded.
    fn scan(&mut self, frames: usize) {
        let end = (self.scanned + frames).min(self.audio.progress().0);
        let (mut step, mut peak) = (0.0_f32, 0.0_f32);
        let mut before = self.audio.frame(self.scanned.saturating_sub(1));
        for number in self.scanned..end {
            let [left, right] = self.audio.frame(number);
            step = step.max((left - before[0]).abs()).max((right - before[1]).abs());
            peak = peak.max(left.abs()).max(right.abs());
            before = [left, right];
        }
        self.scanned = end;
        self.blocks.push_back((step, peak));
        if self.blocks.len() > WINDOW {
            self.blocks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;
    use std::time::Instant;

    use crate::player::{Cue, MixerCommand, mixer_link};

    const RATE_HZ: u32 = 48_000;

    fn tone(hz: f32) -> Arc<SegmentAudio> {
        let wave: Vec<f32> = (0..96_000_u32).map(|at| 0.4 * (TAU * hz * (at / 2) as f32 / RATE_HZ as f32).sin()).collect();
        Arc::new(SegmentAudio::from_interleaved(&wave, 48_000, 480))
    }

    /// Plays tones one after the other through the mixer; `spoil` may do something to each buffer before it is seen.
    fn share_of(every: usize, mut spoil: impl FnMut(usize, &mut [f32])) -> f32 {
        let (mut mixer, mut link) = mixer_link(RATE_HZ, Arc::default());
        let mut watch = StepWatch::new(RATE_HZ);
        let mut serial = 0;
        for number in 0..180 {
            if number % every == 0 {
                serial += 1;
                let audio = tone(100.0 + 37.0 * (serial % 9) as f32);
                watch.expect(serial, Arc::clone(&audio));
                link.commands.push(MixerCommand::Play(Cue { serial, audio, requested_at: Instant::now(), from_frame: 0 })).unwrap();
            }
            let mut buffer = [0.0; 512];
            mixer.process(&mut buffer);
            while link.reports.pop().is_ok() {}
            spoil(number, &mut buffer);
            watch.see(&buffer, serial, Some(serial));
        }
        watch.share()
    }

    #[test]
    fn the_mixers_own_fades_are_no_click_and_a_small_step_is_one() {
        for every in [1, 2, 60, 1000] {
            let share = share_of(every, |_, _| {});
            assert!(share > 0.05 && share <= 1.0, "a new one every {every} buffers: {share}");
        }
        // A tenth of the amplitude, in the middle of a quiet tone: no step for a loud piece, but one for this.
        let share = share_of(1000, |number, buffer| {
            if number == 90 {
                buffer[256..].iter_mut().for_each(|sample| *sample += 0.1)
            }
        });
        assert!(share > 1.0, "{share}");
        let share = share_of(1000, |number, buffer| {
            if number == 90 {
                buffer.fill(0.0)
            }
        });
        assert!(share > 1.0, "a buffer that was left out: {share}");
    }
}
