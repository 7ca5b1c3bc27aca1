//! What a simulated listening left behind, mark by mark, and what is wrong with it.

use crate::app::process_figures::ProcessFigures;

/// Memory may be so much larger at the end than after the warm-up.
const GROWTH: f64 = 1.05;
/// Simulated seconds below which nothing is said of it: the allocator still finds its size.
const LONG_SECS: f64 = 1_800.0;
/// The shares of the run in which it is looked at: after the warm-up, and at the end; of an hour minutes 5 to 15, and the last 10.
const AFTER_WARM_UP: [f64; 2] = [1.0 / 12.0, 1.0 / 4.0];
const AT_THE_END: [f64; 2] = [5.0 / 6.0, 1.0];

/// How it stood at a moment of the simulated time. Counts are since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListeningMark {
    /// Simulated seconds.
    pub secs: f64,
    /// Memory and threads; `None` on systems that do not say.
    pub figures: Option<ProcessFigures>,
    /// Bytes of decoded audio held.
    pub cached_bytes: usize,
    /// Segments decoded ahead.
    pub prefetched: u64,
    /// Segments that were touched, in rests and in sweeps.
    pub auditions: u64,
    /// Those that were rested on, and so had to sound.
    pub rests: u64,
    /// Rests that sounded.
    pub sounded: u64,
    /// Auditions that began to sound, rests or not.
    pub started: u64,
    /// Auditions that were silent again.
    pub finished: u64,
    /// Auditions that failed.
    pub failed: u64,
    /// Buffers in which a segment was silent because decoding was behind.
    pub starved: u64,
    /// The largest step from a sample to the next of its channel that was handed over.
    pub largest_step: f32,
    /// The largest in what was decoded.
    pub music_step: f32,
    /// The largest step as a share of what the music that was playing and its fades could make: above 1 it clicked.
    pub step_share: f32,
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListeningRecord {
    /// In their order; the last is from the end, when all is silent again.
    pub marks: Vec<ListeningMark>,
    /// Why auditions failed.
    pub failures: Vec<String>,
    /// The bound of decoded audio that was given to the player.
    pub cache_bytes: usize,
}

impl ListeningRecord {
    /// Memory at the end as a multiple of memory after the warm-up, both at their most; `None` where it is not known.
    #[must_use]
    pub fn growth(&self) -> Option<f64> {
        let end = self.marks.last()?.secs;
        let most = |span: [f64; 2]| {
            let is_in = |mark: &&ListeningMark| mark.secs >= span[0] * end && mark.secs <= span[1] * end;
            self.marks.iter().filter(is_in).filter_map(|mark| Some(mark.figures?.rss_bytes)).max()
        };
        Some(most(AT_THE_END)? as f64 / most(AFTER_WARM_UP)? as f64)
    }

    /// What must not be, a line each.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.failures.clone();
        let Some(last) = self.marks.last() else { return vec!["nothing was listened to".to_owned()] };
        if last.sounded != last.rests || last.rests == 0 {
            faults.push(format!("{} of {} auditions that were waited for never sounded", last.rests - last.sounded, last.rests));
        }
        if last.finished != last.started {
            faults.push(format!("{} auditions began to sound, {} fell silent again", last.started, last.finished));
        }
        if last.starved > 0 {
            faults.push(format!("{} buffers were silent for want of decoding, though time stood still for it", last.starved));
        }
        if last.step_share > 1.0 || last.step_share.is_nan() {
            faults.push(format!("a step was {:.2} times as large as the music that was playing allows", last.step_share));
        }
        if let Some(mark) = self.marks.iter().find(|mark| mark.cached_bytes > self.cache_bytes) {
            faults.push(format!("{} bytes were cached, {} are allowed", mark.cached_bytes, self.cache_bytes));
        }
        let threads = self.marks.iter().filter_map(|mark| Some(mark.figures?.thread_count));
        if let (Some(least), Some(most)) = (threads.clone().min(), threads.max())
            && least != most
        {
            faults.push(format!("the number of threads changed: {least} to {most}"));
        }
        if let Some(growth) = self.growth().filter(|growth| *growth > GROWTH && last.secs >= LONG_SECS) {
            faults.push(format!("memory grew by {:.1} % after the warm-up", (growth - 1.0) * 100.0));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(change: impl Fn(usize, &mut ListeningMark)) -> ListeningRecord {
        let marks = (1..=60_u32).map(|minute| {
            let count = u64::from(minute) * 100;
            let figures = ProcessFigures { rss_bytes: 200 << 20, peak_rss_bytes: 210 << 20, thread_count: 4 };
            let mut mark = ListeningMark {
                secs: f64::from(minute) * 60.0,
                figures: Some(figures),
                auditions: count * 20,
                rests: count,
                sounded: count,
                started: count * 2,
                finished: count * 2,
                step_share: 0.9,
                ..ListeningMark::default()
            };
            change(minute as usize, &mut mark);
            mark
        });
        ListeningRecord { marks: marks.collect(), failures: Vec::new(), cache_bytes: 1 << 20 }
    }

    fn rss(mark: &mut ListeningMark, bytes: u64) {
        mark.figures = mark.figures.map(|figures| ProcessFigures { rss_bytes: bytes, ..figures });
    }

    #[test]
    fn a_quiet_hour_has_no_faults_and_every_fault_is_found() {
        assert_eq!(hour(|_, _| {}).faults(), Vec::<String>::new());
        assert_eq!(ListeningRecord::default().faults(), ["nothing was listened to"]);
        let found: [(&str, ListeningRecord); 8] = [
            ("never sounded", hour(|_, mark| mark.sounded -= 1)),
            ("never sounded", hour(|_, mark| (mark.rests, mark.sounded) = (0, 0))),
            ("fell silent", hour(|_, mark| mark.finished -= 1)),
            ("want of decoding", hour(|_, mark| mark.starved = 1)),
            ("times as large", hour(|_, mark| mark.step_share = f32::NAN)),
            ("are allowed", hour(|minute, mark| mark.cached_bytes = minute << 18)),
            (
                "threads changed: 4 to 5",
                hour(|minute, mark| {
                    if minute > 30 {
                        mark.figures.as_mut().unwrap().thread_count = 5
                    }
                }),
            ),
            (
                "memory grew by 6.0 %",
                hour(|minute, mark| {
                    if minute > 55 {
                        rss(mark, (200 << 20) * 106 / 100)
                    }
                }),
            ),
        ];
        for (expected, record) in found {
            let faults = record.faults();
            assert!(faults.len() == 1 && faults[0].contains(expected), "{expected}: {faults:?}");
        }
        // A leak of a tenth of a percent a minute is one of 5 % within the hour; a cache that fills in the first minutes is none.
        assert!(hour(|minute, mark| rss(mark, (200 << 20) + minute as u64 * 300_000)).faults().len() == 1);
        assert!(hour(|minute, mark| rss(mark, (minute as u64).min(4) * (50 << 20))).faults().is_empty());
    }
}
