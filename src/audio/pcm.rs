//! Samples in memory.

/// Decoded audio: interleaved `[frames, channels]`, nominally within -1..1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pcm {
    /// The samples, interleaved: `frames() * channels` values.
    pub samples: Vec<f32>,
    /// Channels of a frame, at least 1 where there are samples.
    pub channels: usize,
    /// Frames in a second.
    pub sample_rate_hz: u32,
}

impl Pcm {
    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels.max(1)
    }

    /// Length in seconds.
    #[must_use]
    pub fn duration_secs(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate_hz.max(1))
    }
}

/// Appends the mean over the channels of each frame of `interleaved` to `mono`.
pub(super) fn append_mono(interleaved: &[f32], channels: usize, mono: &mut Vec<f32>) {
    match channels {
        0 => {}
        1 => mono.extend_from_slice(interleaved),
        2 => mono.extend(interleaved.chunks_exact(2).map(|frame| 0.5 * (frame[0] + frame[1]))),
        _ => mono.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_is_the_mean_of_the_channels() {
        let mut mono = Vec::new();
        append_mono(&[1.0, 0.0, -1.0, 0.5], 2, &mut mono);
        append_mono(&[0.25], 1, &mut mono);
        append_mono(&[3.0, 0.0, 0.0, 0.0, 0.0, 6.0], 3, &mut mono);
        assert_eq!(mono, [0.5, -0.25, 0.25, 1.0, 2.0]);
    }

    #[test]
    fn an_empty_pcm_has_no_length() {
        assert_eq!((Pcm::default().frames(), Pcm::default().duration_secs()), (0, 0.0));
        let pcm = Pcm { samples: vec![0.0; 32], channels: 2, sample_rate_hz: 16 };
        assert_eq!((pcm.frames(), pcm.duration_secs()), (16, 1.0));
    }
}
