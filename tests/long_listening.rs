//! Listening for long: the same as `examples/listening_hour.rs`, for a simulated minute, in a process of its own, whose threads and memory are nobody else's.

use std::process::Command;
use std::time::Duration;

use tagscape::app::listening_trial::TrialMusic;
use tagscape::app::listening_trial::record::ListeningMark;
use tagscape::app::listening_trial::simulated::SimulatedListening;
use tagscape::player::PlayerConfig;

use crate::common::program::demo_audio;

/// Says in a child process that it is to listen.
const CHILD: &str = "TAGSCAPE_TEST_CHILD_LISTENS";
/// Of the child's player; full after a few simulated seconds.
const CACHE_BYTES: usize = 48 << 20;
/// Beside the cache: the program, its tests, what is being decoded, and what the allocator keeps.
const OTHER_BYTES: u64 = 160 << 20;

#[test]
fn child_process_that_listens() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let music = TrialMusic::of(&demo_audio()[..24], &mut |line| panic!("{line}")).unwrap();
    let config = PlayerConfig { cache_bytes: CACHE_BYTES, ..PlayerConfig::default() };
    let listening = SimulatedListening { music, duration: Duration::from_secs(60), mark_every: Duration::from_secs(2), config };
    let record = listening.run(|mark| println!("{mark:?}"));
    assert_eq!(record.faults(), Vec::<String>::new());
    let last: &ListeningMark = record.marks.last().unwrap();
    assert!(last.secs >= 60.0 && record.marks.len() >= 30, "{last:?}");
    assert!(last.auditions > 10_000 && last.rests > 400 && last.started > last.rests && last.prefetched > 0, "{last:?}");
    assert!(last.cached_bytes > CACHE_BYTES / 2, "the cache was filled, and segments went out of it: {last:?}");
    assert!(last.largest_step > 0.01 && last.step_share > 0.1, "it was heard: {last:?}");
    // 500 segments were rested on; of each a megabyte would show.
    assert!(record.growth().is_none_or(|growth| growth < 1.25), "{:?}", record.growth());
    if let Some(figures) = last.figures {
        let limit = CACHE_BYTES as u64 + OTHER_BYTES;
        assert!(figures.peak_rss_bytes < limit, "{} MB", figures.peak_rss_bytes >> 20);
    }
}

#[test]
fn a_minute_of_sweeping_loses_no_thread_no_cue_and_no_memory() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "long_listening::child_process_that_listens", "--nocapture"])
        .env(CHILD, "")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&child.stderr));
}
