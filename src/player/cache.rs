//! The decoded segments that were heard last, within a limit of memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::SegmentSpan;

use super::segment_audio::SegmentAudio;

/// A segment's identity: file, span by the bits of its numbers, and the rate that it was brought to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SegmentKey {
    path: PathBuf,
    start_bits: u64,
    duration_bits: u64,
    sample_rate_hz: u32,
}

impl SegmentKey {
    pub(super) fn new(path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Self {
        Self { path: path.to_owned(), start_bits: span.start_secs.to_bits(), duration_bits: span.duration_secs.to_bits(), sample_rate_hz }
    }
}

struct Entry {
    audio: Arc<SegmentAudio>,
    used_at: u64,
}

/// Least recently used goes first. A few hundred entries at most: the oldest is found by looking at all.
pub(super) struct SegmentCache {
    entries: HashMap<SegmentKey, Entry>,
    byte_limit: usize,
    byte_count: usize,
    clock: u64,
}

impl SegmentCache {
    pub(super) fn new(byte_limit: usize) -> Self {
        Self { entries: HashMap::new(), byte_limit, byte_count: 0, clock: 0 }
    }

    /// Bytes held.
    pub(super) fn byte_count(&self) -> usize {
        self.byte_count
    }

    pub(super) fn find(&mut self, key: &SegmentKey) -> Option<Arc<SegmentAudio>> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used_at = self.clock;
        Some(Arc::clone(&entry.audio))
    }

    /// Keeps `audio`, and returns what had to go: the caller frees it after it has let go of the lock.
    #[must_use = "what is returned is freed here, under the caller's lock"]
    pub(super) fn insert(&mut self, key: SegmentKey, audio: Arc<SegmentAudio>) -> Vec<Arc<SegmentAudio>> {
        if audio.byte_count() > self.byte_limit {
            return vec![audio];
        }
        self.clock += 1;
        self.byte_count += audio.byte_count();
        let replaced = self.entries.insert(key, Entry { audio, used_at: self.clock });
        let mut gone: Vec<_> = replaced.into_iter().map(|entry| entry.audio).collect();
        self.byte_count -= gone.iter().map(|audio| audio.byte_count()).sum::<usize>();
        while self.byte_count > self.byte_limit {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.used_at).map(|(key, _)| key.clone()) else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.byte_count -= entry.audio.byte_count();
                gone.push(entry.audio);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> SegmentKey {
        SegmentKey::new(Path::new("a.ogg"), SegmentSpan { start_secs: f64::from(number), duration_secs: 1.0 }, 48_000)
    }

    fn audio(frames: usize) -> Arc<SegmentAudio> {
        Arc::new(SegmentAudio::from_interleaved(&vec![0.5; frames * 2], frames, 0))
    }

    #[test]
    fn the_least_recently_used_goes_and_memory_stays_within_the_limit() {
        let mut cache = SegmentCache::new(3 * 800);
        for number in 0..3 {
            assert!(cache.insert(key(number), audio(100)).is_empty());
        }
        assert!(cache.find(&key(0)).is_some(), "used again: now 1 is the oldest");
        assert_eq!(cache.insert(key(3), audio(100)).len(), 1);
        assert!(cache.find(&key(1)).is_none());
        assert!(cache.find(&key(0)).is_some() && cache.find(&key(2)).is_some() && cache.find(&key(3)).is_some());
        assert_eq!(cache.insert(key(4), audio(300)).len(), 3, "a big one drives out all others");
        assert_eq!(cache.byte_count(), 2400);
        assert_eq!(cache.insert(key(5), audio(301)).len(), 1, "what is bigger than the limit is not kept");
        assert_eq!(cache.byte_count(), 2400);
    }

    #[test]
    fn the_same_segment_twice_counts_once() {
        let mut cache = SegmentCache::new(10_000);
        assert!(cache.insert(key(0), audio(100)).is_empty());
        assert_eq!(cache.insert(key(0), audio(100)).len(), 1);
        assert_eq!(cache.byte_count(), 800);
    }
}
