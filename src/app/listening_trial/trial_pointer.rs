//! The pointer of a trial: where a listener's would go next, and how long it stays there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::TrialTrack;
use crate::catalog::SegmentSpan;
use crate::seed::SplitMix64;

/// Length of a segment in seconds: MusiCNN's and VGG's.
const SEGMENT_SECS: f64 = 2.992;
/// How long the pointer rests on a segment, in microseconds: so uneven that auditions do not fall into step with the device's buffers.
const REST_US: std::ops::Range<u64> = 20_000..150_000;
/// Rests between two sweeps.
const RESTS: u64 = 8;
/// Points of a sweep, and from one to the next: over a thousand a second.
const SWEEP: (u64, Duration) = (200, Duration::from_micros(800));
/// Segments that were heard last and are taken for the cached auditions; fewer than the cache holds.
const HEARD: usize = 40;

/// One segment that the pointer comes onto.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Touch {
    pub(super) path: PathBuf,
    pub(super) span: SegmentSpan,
    /// Whether the pointer rests on it and listens; else it passes over, faster than a segment can sound.
    pub(super) is_rest: bool,
    /// Whether it was decoded when it was touched.
    pub(super) is_cached: bool,
    /// How long the pointer stays, once the segment sounds if it rests.
    pub(super) stay: Duration,
}

/// Rests on some segments, every other of them one that was heard before, then sweeps over many, and so on. The same tracks give the same way.
pub(super) struct TrialPointer {
    tracks: Vec<TrialTrack>,
    random: SplitMix64,
    heard: Vec<(PathBuf, SegmentSpan)>,
    touches: u64,
}

impl TrialPointer {
    pub(super) fn new(tracks: Vec<TrialTrack>) -> Self {
        Self { tracks, random: SplitMix64::new(0), heard: Vec::new(), touches: 0 }
    }

    /// Whether the next touch is the first of a round of rests and a sweep.
    pub(super) fn begins_round(&self) -> bool {
        self.touches.is_multiple_of(RESTS + SWEEP.0)
    }

    /// The next segment; `None` where there are no tracks.
    pub(super) fn next(&mut self, is_cached: impl Fn(&Path, SegmentSpan) -> bool) -> Option<Touch> {
        let number = self.touches % (RESTS + SWEEP.0);
        self.touches += 1;
        let is_rest = number < RESTS;
        let is_known = if is_rest { number % 2 == 1 } else { !(number - RESTS).is_multiple_of(3) };
        let known = if is_known { self.heard(is_cached) } else { None };
        let is_cached = known.is_some();
        let (path, span) = known.or_else(|| self.unheard())?;
        let stay =
            if is_rest { Duration::from_micros(REST_US.start + self.random.next_below(REST_US.end - REST_US.start)) } else { SWEEP.1 };
        Some(Touch { path, span, is_rest, is_cached, stay })
    }

    /// A touch sounded: the pointer may come back to it.
    pub(super) fn keep(&mut self, touch: &Touch) {
        if !touch.is_cached {
            self.heard.push((touch.path.clone(), touch.span));
            if self.heard.len() > HEARD {
                self.heard.remove(0);
            }
        }
    }

    /// The stretches of a touched track that come after it, as the window would have them decoded ahead.
    pub(super) fn after(&self, touch: &Touch, count: u32) -> Vec<(PathBuf, SegmentSpan)> {
        let end = self.tracks.iter().find(|track| track.path == touch.path).map_or(0.0, |track| track.duration_secs);
        let next =
            |number| SegmentSpan { start_secs: touch.span.start_secs + f64::from(number) * SEGMENT_SECS, duration_secs: SEGMENT_SECS };
        (1..=count).map(next).take_while(|span| span.start_secs + SEGMENT_SECS <= end).map(|span| (touch.path.clone(), span)).collect()
    }

    /// A stretch that was, with all likelihood, never asked for before.
    fn unheard(&mut self) -> Option<(PathBuf, SegmentSpan)> {
        let track = self.tracks.get(self.random.next_below(self.tracks.len() as u64) as usize)?;
        let start_secs = f64::from(self.random.next_f32()) * (track.duration_secs - SEGMENT_SECS).max(0.0);
        Some((track.path.clone(), SegmentSpan { start_secs, duration_secs: SEGMENT_SECS }))
    }

    fn heard(&mut self, is_cached: impl Fn(&Path, SegmentSpan) -> bool) -> Option<(PathBuf, SegmentSpan)> {
        let place = self.random.next_below(self.heard.len().max(1) as u64) as usize;
        self.heard.get(place).filter(|(path, span)| is_cached(path, *span)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_on_known_and_unknown_segments_in_turn_and_sweeps_faster_than_a_thousand_a_second() {
        let tracks = vec![TrialTrack { path: "a".into(), duration_secs: 30.0 }, TrialTrack { path: "b".into(), duration_secs: 9.0 }];
        let mut pointer = TrialPointer::new(tracks);
        assert!(pointer.begins_round());
        let mut touches = Vec::new();
        while touches.is_empty() || !pointer.begins_round() {
            let touch = pointer.next(|_, _| true).unwrap();
            pointer.keep(&touch);
            touches.push(touch);
        }
        let rests: Vec<_> = touches.iter().filter(|touch| touch.is_rest).collect();
        assert_eq!(rests.iter().map(|touch| touch.is_cached).collect::<Vec<_>>(), [false, true].repeat(4));
        assert!(rests.iter().all(|touch| (20_000..150_000).contains(&touch.stay.as_micros())));
        let swept: Vec<_> = touches.iter().filter(|touch| !touch.is_rest).collect();
        assert!(swept.len() == 200 && swept.iter().map(|touch| touch.stay).sum::<Duration>() < Duration::from_millis(200));
        assert!((100..150).contains(&swept.iter().filter(|touch| touch.is_cached).count()));
        assert!(touches.iter().all(|touch| touch.span.start_secs + SEGMENT_SECS <= if touch.path.as_os_str() == "a" { 30.0 } else { 9.0 }));
        assert!(TrialPointer::new(Vec::new()).next(|_, _| true).is_none());
    }

    #[test]
    fn what_comes_after_a_touch_ends_with_its_track() {
        let pointer = TrialPointer::new(vec![TrialTrack { path: "a".into(), duration_secs: 10.0 }]);
        let span = SegmentSpan { start_secs: 1.0, duration_secs: SEGMENT_SECS };
        let touch = Touch { path: "a".into(), span, is_rest: true, is_cached: false, stay: Duration::ZERO };
        let after: Vec<f64> = pointer.after(&touch, 5).into_iter().map(|(_, span)| span.start_secs).collect();
        assert_eq!(after, [1.0 + SEGMENT_SECS, 1.0 + 2.0 * SEGMENT_SECS]);
    }
}
