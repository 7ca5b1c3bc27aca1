//! One segment that sounds: its cursor and its envelope. Real-time side: see the rule at the top of `mixer.rs`.

use std::f64::consts::FRAC_PI_2;

use super::mixer::Cue;

/// How long a fade takes, in and out: within the 8 to 12 ms that neither click nor drag.
pub(super) const FADE_SECS: f64 = 0.010;

/// The gains of an equal-power fade: `gain[level] = sin(pi/2 * level / steps)`.
///
/// A voice that fades out walks down while the one after it walks up, so that `gain[l]^2 + gain[steps - l]^2 = 1` at every frame.
pub(super) struct FadeCurve {
    gains: Box<[f32]>,
}

impl FadeCurve {
    /// The curve for a device rate.
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let steps = (f64::from(sample_rate_hz) * FADE_SECS).round().max(1.0) as usize;
        Self { gains: (0..=steps).map(|level| (FRAC_PI_2 * level as f64 / steps as f64).sin() as f32).collect() }
    }

    /// Frames from silence to full.
    pub(super) fn steps(&self) -> usize {
        self.gains.len() - 1
    }
}

/// A sounding segment.
pub(super) struct Voice {
    pub(super) cue: Cue,
    /// The next frame.
    cursor: usize,
    /// Height on the fade curve: up by one a frame until it is full, down by one a frame when released.
    level: usize,
    released: bool,
    /// At its end it goes over into its start.
    wraps: bool,
    has_begun: bool,
}

impl Voice {
    pub(super) fn new(cue: Cue) -> Self {
        Self { cursor: cue.from_frame, cue, level: 0, released: false, wraps: false, has_begun: false }
    }

    /// Starts the fade-out, from whatever height the fade-in had reached.
    pub(super) fn release(&mut self) {
        self.released = true;
    }

    pub(super) fn is_released(&self) -> bool {
        self.released
    }

    /// True the first time.
    pub(super) fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.has_begun, true)
    }

    /// The next frame.
    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Adds the next frames to `mix` (interleaved stereo). What is not decoded yet is faded into, waited for in silence, and faded out of.
    /// Where it `loops`, its last frames are cross-faded into its first ones, at equal power.
    pub(super) fn add_to(&mut self, mix: &mut [f32], curve: &FadeCurve, loops: bool) -> Sounding {
        let (ready, more_comes) = self.cue.audio.progress();
        let steps = curve.steps();
        for out in mix.as_chunks_mut::<2>().0 {
            if self.released {
                self.level = self.level.saturating_sub(1);
            } else if self.level < steps {
                self.level += 1;
            }
            // The last frames fade by themselves: `remaining` is 1 at the last one.
            let remaining = ready.saturating_sub(self.cursor);
            if remaining >= steps {
                // Decided where the cross-fade begins, so that it is whole.
                self.wraps = loops && !more_comes && ready > 3 * steps;
            }
            if self.wraps && remaining <= steps && self.level > 0 {
                self.cross_over(out, curve, remaining);
                continue;
            }
            let height = self.level.min(remaining);
            if more_comes {
                self.level = height;
            }
            if height == 0 {
                return if more_comes && !self.released { Sounding::Starved } else { Sounding::Ended };
            }
            let gain = curve.gains[height.min(steps)];
            let [left, right] = self.cue.audio.frame(self.cursor);
            out[0] += gain * left;
            out[1] += gain * right;
            self.cursor += 1;
        }
        let is_done = (self.cursor >= ready && !more_comes) || (self.released && self.level == 0);
        if is_done { Sounding::Ended } else { Sounding::On }
    }
}

impl Voice {
    /// Adds a frame of the last ones, `remaining` of which are left, and of the first ones.
    fn cross_over(&mut self, out: &mut [f32; 2], curve: &FadeCurve, remaining: usize) {
        let steps = curve.steps();
        let height = curve.gains[self.level.min(steps)];
        let (last, first) = (self.cue.audio.frame(self.cursor), self.cue.audio.frame(steps - remaining));
        let gains = [curve.gains[remaining], curve.gains[steps - remaining]];
        for side in 0..2 {
            out[side] += height * (gains[0] * last[side] + gains[1] * first[side]);
        }
        self.cursor = if remaining > 1 { self.cursor + 1 } else { steps };
    }
}

/// How a voice stands behind a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sounding {
    /// It goes on.
    On,
    /// It goes on, and was silent because decoding is behind.
    Starved,
    /// It is silent for good.
    Ended,
}
