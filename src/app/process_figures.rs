//! What this process takes of the machine, as Linux tells it: memory and threads.

use std::path::Path;

use crate::plain_file;

/// A look at `/proc/self/status` (proc(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessFigures {
    /// Bytes of memory that are in use now (`VmRSS`).
    pub rss_bytes: u64,
    /// The most that were since the program began (`VmHWM`).
    pub peak_rss_bytes: u64,
    /// Its threads.
    pub thread_count: u64,
}

impl ProcessFigures {
    /// As they are now; `None` on systems that do not say.
    #[must_use]
    pub fn now() -> Option<Self> {
        Self::parse(&plain_file::read_text(Path::new("/proc/self/status"), 1 << 16).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let number = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            value.split_whitespace().next()?.parse::<u64>().ok()
        };
        // What it calls kB are KiB.
        Some(Self { rss_bytes: number("VmRSS")? << 10, peak_rss_bytes: number("VmHWM")? << 10, thread_count: number("Threads")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_threads_are_read_and_nothing_is_made_up() {
        let text = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t     700 kB\nVmRSS:\t     600 kB\nThreads:\t5\n";
        let expected = ProcessFigures { rss_bytes: 600 << 10, peak_rss_bytes: 700 << 10, thread_count: 5 };
        assert_eq!(ProcessFigures::parse(text), Some(expected));
        assert_eq!(ProcessFigures::parse("Threads:\t5\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_taken_shows() {
        let before = ProcessFigures::now().unwrap();
        let taken = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = ProcessFigures::now().unwrap();
        assert!(after.peak_rss_bytes >= before.rss_bytes && after.peak_rss_bytes >= 64 << 20, "{before:?} {after:?}");
        assert!(after.thread_count >= 1);
        drop(taken);
    }
}
