//! Patches: the stretches of a spectrogram that a network takes, one a segment.

use super::spectrogram::MelSpectrogram;

/// How many whole patches there are in `frames` frames.
///
/// # Panics
/// If `hop_frames` is 0.
#[must_use]
pub fn patch_count(frames: usize, patch_frames: usize, hop_frames: usize) -> usize {
    if frames < patch_frames { 0 } else { (frames - patch_frames) / hop_frames + 1 }
}

/// The patches of a spectrogram in their order, each `[patch_frames * bands]`, borrowed: overlapping ones are not copied.
#[derive(Clone, Debug)]
pub struct Patches<'a> {
    mel: &'a MelSpectrogram,
    patch_frames: usize,
    hop_frames: usize,
    next: usize,
    count: usize,
}

impl<'a> Patches<'a> {
    pub(super) fn new(mel: &'a MelSpectrogram, patch_frames: usize, hop_frames: usize) -> Self {
        assert!(patch_frames > 0 && hop_frames > 0, "a patch has frames, and so has the step to the next");
        Self { mel, patch_frames, hop_frames, next: 0, count: patch_count(mel.frames, patch_frames, hop_frames) }
    }
}

impl<'a> Iterator for Patches<'a> {
    type Item = &'a [f32];

    fn next(&mut self) -> Option<&'a [f32]> {
        if self.next == self.count {
            return None;
        }
        let start = self.next * self.hop_frames * self.mel.bands;
        self.next += 1;
        Some(&self.mel.values[start..start + self.patch_frames * self.mel.bands])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count - self.next, Some(self.count - self.next))
    }
}

impl ExactSizeIterator for Patches<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_patches_count() {
        for (frames, hop, count) in [(0, 187, 0), (186, 187, 0), (187, 187, 1), (373, 187, 1), (374, 187, 2), (200, 31, 1), (218, 31, 2)] {
            assert_eq!(patch_count(frames, 187, hop), count, "{frames} frames, step {hop}");
        }
    }

    #[test]
    fn overlapping_patches_start_a_hop_apart() {
        let mel = MelSpectrogram { frames: 7, bands: 2, values: (0..14).map(|value| value as f32).collect() };
        let patches: Vec<_> = mel.patches(3, 2).collect();
        assert_eq!(patches, [&mel.values[0..6], &mel.values[4..10], &mel.values[8..14]]);
        assert_eq!(mel.patches(3, 3).len(), 2);
        assert_eq!(mel.patches(8, 1).next(), None);
    }
}
