//! A segment's audio at the output's rate: what a voice plays, and what the cache holds. It can be played while it is still being decoded.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, OnceLock};

/// Frames of a chunk: 21 ms at 48 kHz.
const CHUNK_FRAMES: usize = 1024;

/// Frames that are there for good.
type Chunk = Box<[[f32; 2]]>;

/// Stereo frames at the output's rate. One thread writes them, chunk by chunk ([`SegmentWriter`]); all others read those that are there, without a lock.
#[derive(Debug)]
pub struct SegmentAudio {
    chunks: Box<[OnceLock<Chunk>]>,
    frame_count: usize,
    ready: AtomicUsize,
    is_ended: AtomicBool,
}

impl SegmentAudio {
    fn new(frame_count: usize) -> Self {
        let chunks = (0..frame_count.div_ceil(CHUNK_FRAMES)).map(|_| OnceLock::new()).collect();
        Self { chunks, frame_count, ready: AtomicUsize::new(0), is_ended: AtomicBool::new(false) }
    }

    /// From interleaved stereo, `[frames, 2]`, brought to exactly `frame_count` frames: cut off, or faded out over `fade_frames` and filled up with silence
    /// (the last segment of a track may reach a few milliseconds past its end, because the network's frames are centred).
    #[must_use]
    pub fn from_interleaved(stereo: &[f32], frame_count: usize, fade_frames: usize) -> Self {
        let mut writer = SegmentWriter::new(frame_count, fade_frames);
        writer.push(stereo.as_chunks::<2>().0);
        let audio = writer.finish();
        // Nobody else has it yet.
        Arc::into_inner(audio).unwrap_or_else(|| Self::new(0))
    }

    /// Frames that it has once it is whole.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.frame_count
    }

    /// Frames that can be played by now, and whether more will come. Real time.
    #[must_use]
    pub fn progress(&self) -> (usize, bool) {
        // In this order: what is ready when nothing more comes is all.
        let is_ended = self.is_ended.load(Acquire);
        (self.ready.load(Acquire), !is_ended)
    }

    /// Frame `number`, left and right; silence where it is not there yet. Real time.
    #[must_use]
    pub fn frame(&self, number: usize) -> [f32; 2] {
        let chunk = self.chunks.get(number / CHUNK_FRAMES).and_then(OnceLock::get);
        chunk.and_then(|chunk| chunk.get(number % CHUNK_FRAMES)).copied().unwrap_or_default()
    }

    /// A copy of the frames that are there.
    #[must_use]
    pub fn frames(&self) -> Vec<[f32; 2]> {
        self.chunks.iter().map_while(OnceLock::get).flat_map(|chunk| chunk.iter().copied()).collect()
    }

    /// Bytes that it holds once it is whole.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.frame_count * size_of::<[f32; 2]>()
    }
}

/// Writes a segment. Dropped before [`SegmentWriter::finish`], it leaves a segment that ends where it had come to.
#[derive(Debug)]
pub struct SegmentWriter {
    audio: Arc<SegmentAudio>,
    /// Frames behind the chunks that were given out. The last `fade_frames` are held back: should the track end here, they fade.
    held: Vec<[f32; 2]>,
    fade_frames: usize,
    chunks: usize,
}

impl SegmentWriter {
    /// Of a segment of `frame_count` frames that, where the track ends before it, fades over its last `fade_frames`.
    #[must_use]
    pub fn new(frame_count: usize, fade_frames: usize) -> Self {
        Self { audio: Arc::new(SegmentAudio::new(frame_count)), held: Vec::new(), fade_frames, chunks: 0 }
    }

    /// What is written.
    #[must_use]
    pub fn audio(&self) -> &Arc<SegmentAudio> {
        &self.audio
    }

    /// Frames that were written.
    fn written(&self) -> usize {
        self.chunks * CHUNK_FRAMES + self.held.len()
    }

    /// Frames that are missing.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.audio.frame_count.saturating_sub(self.written())
    }

    /// Appends frames; those beyond the segment's end are left out.
    pub fn push(&mut self, frames: &[[f32; 2]]) {
        self.held.extend(frames.iter().take(self.wanted()));
        let hold_back = if self.wanted() == 0 { 0 } else { self.fade_frames };
        let whole = self.held.len().saturating_sub(hold_back) / CHUNK_FRAMES * CHUNK_FRAMES;
        for chunk in self.held[..whole].chunks_exact(CHUNK_FRAMES) {
            self.audio.give(self.chunks, chunk);
            self.chunks += 1;
        }
        self.held.drain(..whole);
    }

    /// The whole segment: what is missing is silence, faded into.
    #[must_use]
    pub fn finish(mut self) -> Arc<SegmentAudio> {
        let missing = self.wanted();
        if missing > 0 {
            for (index, frame) in self.held.iter_mut().rev().take(self.fade_frames).enumerate() {
                let gain = (index + 1) as f32 / (self.fade_frames + 1) as f32;
                frame[0] *= gain;
                frame[1] *= gain;
            }
            self.push(&vec![[0.0; 2]; missing]);
        }
        self.end();
        Arc::clone(&self.audio)
    }

    fn end(&mut self) {
        if !self.held.is_empty() {
            self.audio.give(self.chunks, &self.held);
            self.chunks += 1;
            self.held.clear();
        }
        self.audio.is_ended.store(true, Release);
    }
}

impl SegmentAudio {
    /// Gives out chunk `number`, the next one.
    fn give(&self, number: usize, frames: &[[f32; 2]]) {
        if let Some(chunk) = self.chunks.get(number)
            && chunk.set(frames.into()).is_ok()
        {
            self.ready.store(self.ready.load(Relaxed) + frames.len(), Release);
        }
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        if !self.audio.is_ended.load(Relaxed) {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_fades_out_and_is_filled_with_silence() {
        let audio = SegmentAudio::from_interleaved(&[1.0; 2000], 1200, 10);
        assert_eq!(audio.frames().len(), 1200);
        assert_eq!(audio.frames()[989], [1.0; 2]);
        assert!(audio.frames()[999][0] < 0.1 && audio.frames()[999][0] > 0.0);
        assert_eq!(audio.frames()[1000], [0.0; 2]);
        assert_eq!(SegmentAudio::from_interleaved(&[1.0; 2000], 10, 1000).frames().len(), 10);
        assert_eq!(audio.progress(), (1200, false));
    }

    #[test]
    fn frames_can_be_read_as_soon_as_their_chunk_is_there_and_are_the_same_in_pieces() {
        let wave: Vec<[f32; 2]> = (0..5000_u16).map(|n| [f32::from(n), -f32::from(n)]).collect();
        let mut writer = SegmentWriter::new(5000, 100);
        let audio = Arc::clone(writer.audio());
        assert_eq!(audio.progress(), (0, true));
        writer.push(&wave[..1100]);
        assert_eq!(audio.progress(), (0, true), "the last 100 are held back");
        writer.push(&wave[1100..1130]);
        assert_eq!(audio.progress(), (1024, true));
        assert_eq!((audio.frame(1023), audio.frame(1024)), (wave[1023], [0.0; 2]));
        wave[1130..].chunks(77).for_each(|part| writer.push(part));
        assert_eq!(writer.wanted(), 0);
        assert_eq!(writer.finish().frames(), wave);
        assert_eq!(audio.progress(), (5000, false));
    }

    #[test]
    fn what_is_given_up_ends_where_it_had_come_to() {
        let mut writer = SegmentWriter::new(5000, 0);
        let audio = Arc::clone(writer.audio());
        writer.push(&[[1.0; 2]; 1500]);
        drop(writer);
        assert_eq!(audio.progress(), (1500, false));
    }
}
