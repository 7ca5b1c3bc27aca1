//! What frames are asked for. A percentage that goes up has a frame of its own now and then, and does not disturb a window that is still.

use std::time::{Duration, Instant};

use super::Session;

/// Between two frames that only a percentage asks for.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// The frames that were asked for since the last one.
#[derive(Debug, Default)]
pub(super) struct Redraws {
    /// Whether the coming frame is for a percentage.
    is_for_progress: bool,
    /// Whether it is for anything else.
    is_for_more: bool,
    /// Whether the window was told to be still, and only percentages have changed since.
    is_still: bool,
    /// The percentages on screen, and since when.
    shown: (String, Option<Instant>),
    /// When those that are newer are due.
    due_at: Option<Instant>,
}

impl Redraws {
    /// Something other than a percentage changes in the coming frame.
    pub(super) fn ask(&mut self) {
        self.is_for_more = true;
    }

    /// Takes the percentages as they are now; whether a frame is to be asked for, for their sake, at once.
    pub(super) fn follow(&mut self, percentages: &str, now: Instant) -> bool {
        self.due_at = None;
        let (shown, since) = &self.shown;
        if shown == percentages {
            return false;
        }
        let earliest = since.map_or(now, |since| since + PROGRESS_EVERY);
        if earliest > now {
            self.due_at = Some(earliest);
            return false;
        }
        self.is_for_progress = true;
        true
    }

    /// When to look at the percentages again.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.due_at
    }

    /// A frame with these percentages is drawn now.
    pub(super) fn begin_frame(&mut self, percentages: String, now: Instant) {
        // A frame that nobody here asked for is the system's, which has lost the picture.
        let is_progress_alone = std::mem::take(&mut self.is_for_progress) && !self.is_for_more;
        self.is_for_more = false;
        self.is_still &= is_progress_alone;
        if self.shown.0 != percentages {
            self.shown = (percentages, Some(now));
        }
        self.due_at = None;
    }

    /// No other frame follows from this one; whether that is news.
    pub(super) fn come_to_rest(&mut self) -> bool {
        !std::mem::replace(&mut self.is_still, true)
    }
}

impl Session {
    /// Asks for a frame because something on screen has changed.
    pub(super) fn ask_redraw(&mut self) {
        self.redraws.ask();
        self.window.request_redraw();
    }

    /// Asks for a frame if a percentage has gone up and stood for long enough.
    pub(super) fn follow_progress(&mut self, now: Instant) {
        if self.redraws.follow(&self.state.percentages(), now) {
            self.window.request_redraw();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight seconds of a percentage that goes up ten times a second: frames drawn, and how often the window came to rest.
    fn eight_seconds(also: impl Fn(u64) -> bool) -> (u32, u32) {
        let start = Instant::now();
        let (mut redraws, mut frames, mut rests) = (Redraws::default(), 0, 0);
        redraws.ask();
        let mut is_asked = true;
        for tick in 0..800_u64 {
            let now = start + Duration::from_millis(10 * tick);
            let percentages = format!("{} %", tick / 10);
            if also(tick) {
                redraws.ask();
                is_asked = true;
            }
            if tick % 10 == 0 || redraws.due_at().is_some_and(|due| due <= now) {
                is_asked |= redraws.follow(&percentages, now);
            }
            if std::mem::take(&mut is_asked) {
                redraws.begin_frame(percentages, now);
                frames += 1;
                rests += u32::from(redraws.come_to_rest());
            }
        }
        (frames, rests)
    }

    #[test]
    fn a_percentage_has_two_frames_a_second_and_the_window_is_still_once() {
        let (frames, rests) = eight_seconds(|_| false);
        assert!((12..=17).contains(&frames), "{frames} frames in 8 s");
        assert_eq!(rests, 1);
    }

    #[test]
    fn whatever_else_happens_is_drawn_at_once_and_the_window_is_still_again_after_it() {
        let (frames, rests) = eight_seconds(|tick| tick == 300 || tick == 305);
        assert!((14..=19).contains(&frames), "{frames} frames in 8 s");
        assert_eq!(rests, 3);
        // Nothing is due for ever: a window that is hidden draws none of it.
        let (mut redraws, now) = (Redraws::default(), Instant::now());
        redraws.begin_frame("1 %".into(), now);
        assert!(!redraws.follow("2 %", now) && redraws.due_at().is_some());
        assert!(redraws.follow("2 %", now + PROGRESS_EVERY) && redraws.due_at().is_none());
        // So is what the system asks for by itself.
        let mut redraws = Redraws::default();
        redraws.begin_frame(String::new(), Instant::now());
        assert!(redraws.come_to_rest());
        redraws.begin_frame(String::new(), Instant::now());
        assert!(redraws.come_to_rest());
    }
}
