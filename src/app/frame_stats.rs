//! How fast frames come: figures of the last ones, for the overlay and the event log. Times are handed in; there is no clock in here.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::event_log::{Event, Shares};
use super::percentile::percentile;

/// Frames that figures are of.
const FRAMES: usize = 120;
/// Frames further apart than this do not follow one another: the window was idle between them.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);
/// Between two events.
const EVENT_EVERY: Duration = Duration::from_secs(1);

/// Figures of the last frames.
#[derive(Clone, Debug, Default)]
pub struct FrameStats {
    frames_ms: VecDeque<f64>,
    intervals_ms: VecDeque<f64>,
    newest: Option<Instant>,
    /// When the last event was, and how many frames there were since.
    told: Option<Instant>,
    untold: usize,
    /// How long it took to find what is under the pointer, the last time, in milliseconds.
    pub pick_ms: Option<f64>,
    /// Each pass's time in a frame some frames ago, in milliseconds.
    pub passes_ms: Vec<(&'static str, f64)>,
    /// Segments in the newest frame, and all.
    pub drawn: [usize; 2],
}

impl FrameStats {
    /// A frame that was begun at `began` took the CPU so long.
    pub fn add(&mut self, began: Instant, took: Duration) {
        let interval = self.newest.map(|before| began.saturating_duration_since(before));
        self.newest = Some(began);
        push(&mut self.frames_ms, ms(took));
        if let Some(interval) = interval.filter(|&interval| interval <= LONGEST_INTERVAL) {
            push(&mut self.intervals_ms, ms(interval));
        }
        self.told.get_or_insert(began);
        self.untold += 1;
    }

    /// The CPU's time of a frame, in milliseconds: half of the last frames, and 19 of 20, took no longer.
    #[must_use]
    pub fn frame_ms(&self) -> Shares {
        let values: Vec<f64> = self.frames_ms.iter().copied().collect();
        Shares { p50: rounded(percentile(&values, 0.5)), p95: rounded(percentile(&values, 0.95)) }
    }

    /// Frames per second while they followed one another; `None` before there were two that did.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        let values: Vec<f64> = self.intervals_ms.iter().copied().collect();
        let middle = percentile(&values, 0.5);
        (middle > 0.0).then(|| (1e4 / middle).round() / 10.0)
    }

    /// The figures for the event log, if a second has passed since the last.
    pub fn event(&mut self, now: Instant) -> Option<Event> {
        let told = self.told?;
        if now.saturating_duration_since(told) < EVENT_EVERY {
            return None;
        }
        self.told = Some(now);
        let frames = std::mem::take(&mut self.untold);
        Some(Event::FrameStats {
            frames,
            frames_per_second: self.per_second(),
            frame_ms: self.frame_ms(),
            passes_ms: self.passes_ms.iter().map(|&(name, ms)| (name, rounded(ms))).collect::<BTreeMap<_, _>>(),
            drawn: self.drawn[0],
            segments: self.drawn[1],
            pick_ms: self.pick_ms.map(rounded),
        })
    }
}

fn push(values: &mut VecDeque<f64>, value: f64) {
    values.truncate(FRAMES - 1);
    values.push_front(value);
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// To a thousandth: what is behind is noise.
fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_times_are_no_frames_and_events_come_once_a_second() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut stats = FrameStats::default();
        assert_eq!((stats.per_second(), stats.event(start)), (None, None));
        let mut events = 0;
        // Two bursts of sixty frames, and ten idle seconds between them.
        for burst in [0, 11_000] {
            for frame in 0..60 {
                stats.add(at(burst + 20 * frame), Duration::from_millis(if frame % 10 == 9 { 8 } else { 2 }));
                events += usize::from(stats.event(at(burst + 20 * frame)).is_some());
            }
        }
        assert_eq!(stats.per_second(), Some(50.0));
        assert_eq!(stats.frame_ms(), Shares { p50: 2.0, p95: 8.0 });
        assert_eq!(events, 3, "one in each burst's second, and one for the pause");
        for frame in 0..1000 {
            stats.add(at(20_000 + 10 * frame), Duration::from_millis(3));
        }
        assert_eq!((stats.per_second(), stats.frame_ms()), (Some(100.0), Shares { p50: 3.0, p95: 3.0 }));
    }
}
