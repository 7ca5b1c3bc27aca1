//! Numbers that the real-time side publishes by atomics.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

/// `playing_serial` when nothing plays.
pub(super) const NOTHING_PLAYS: u64 = u64::MAX;

/// Shared between the mixer, its output and the player.
#[derive(Debug)]
pub struct MixerStatus {
    pub(super) volume_bits: AtomicU32,
    /// Whether what sounds begins again at its end.
    pub(super) is_looping: AtomicBool,
    pub(super) playing_serial: AtomicU64,
    pub(super) position_frames: AtomicU64,
    pub(super) underruns: AtomicU64,
    pub(super) starved: AtomicU64,
    /// Bits of a float that is never negative: such bits are ordered as the floats are.
    pub(super) largest_step_bits: AtomicU32,
}

impl Default for MixerStatus {
    fn default() -> Self {
        Self {
            volume_bits: AtomicU32::new(1.0_f32.to_bits()),
            is_looping: AtomicBool::new(false),
            playing_serial: AtomicU64::new(NOTHING_PLAYS),
            position_frames: AtomicU64::new(0),
            underruns: AtomicU64::new(0),
            starved: AtomicU64::new(0),
            largest_step_bits: AtomicU32::new(0),
        }
    }
}

impl MixerStatus {
    /// The volume that is aimed at, an amplitude in 0..1.
    #[must_use]
    pub fn volume(&self) -> f32 {
        f32::from_bits(self.volume_bits.load(Relaxed))
    }

    /// Sets the volume, an amplitude; held to 0..1, and not a number is silence.
    pub fn set_volume(&self, volume: f32) {
        let volume = if volume.is_nan() { 0.0 } else { volume.clamp(0.0, 1.0) };
        self.volume_bits.store(volume.to_bits(), Relaxed);
    }

    /// Whether what sounds begins again at its end.
    #[must_use]
    pub fn is_looping(&self) -> bool {
        self.is_looping.load(Relaxed)
    }

    /// Lets what sounds begin again at its end, from now on, or end there.
    pub fn set_looping(&self, is_looping: bool) {
        self.is_looping.store(is_looping, Relaxed);
    }

    /// Buffers so far in which a voice was silent because decoding was behind.
    #[must_use]
    pub fn starved(&self) -> u64 {
        self.starved.load(Relaxed)
    }

    /// Drop-outs so far.
    pub(super) fn underruns(&self) -> u64 {
        self.underruns.load(Relaxed)
    }

    /// The largest step from a sample to the next of its channel that was handed to the output so far: a click would be one.
    #[must_use]
    pub fn largest_step(&self) -> f32 {
        f32::from_bits(self.largest_step_bits.load(Relaxed))
    }

    /// Keeps the larger of what was known and `step`, which is not negative. Real time.
    pub(super) fn see_step(&self, step: f32) {
        self.largest_step_bits.fetch_max(step.to_bits(), Relaxed);
    }

    /// Counts one buffer in which a voice was silent because decoding was behind.
    pub(super) fn count_starved(&self) {
        self.starved.fetch_add(1, Relaxed);
    }

    /// Counts one drop-out of the device.
    pub(super) fn count_underrun(&self) {
        self.underruns.fetch_add(1, Relaxed);
    }
}

/// Where the player stands: a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerStatus {
    /// The output's name, for people.
    pub output: String,
    /// Whether anything can be heard: false with the null output.
    pub is_audible: bool,
    /// The output's rate.
    pub sample_rate_hz: u32,
    /// Frames that the output asks for at a time.
    pub buffer_frames: u32,
    /// Frames that were asked of it: grows while it drops out, and is worth remembering, by the output's name, for the next start.
    pub asked_frames: u32,
    /// Whether it takes the place of an output that is wanted and not there.
    pub is_substitute: bool,
    /// Whether the output runs; it is paused after some seconds of silence.
    pub is_running: bool,
    /// The audition that sounds.
    pub playing: Option<u64>,
    /// How far into its segment it is.
    pub position_secs: f64,
    /// Drop-outs that the device reported.
    pub underruns: u64,
    /// Buffers in which a segment was silent because decoding was behind.
    pub starved: u64,
    /// The largest step from a sample to the next that was handed to the output: no larger than the music's own, or it clicked.
    pub largest_step: f32,
    /// Auditions that found their segment decoded.
    pub cache_hits: u64,
    /// Auditions that had to decode.
    pub cache_misses: u64,
    /// Segments that were decoded before anybody asked for them.
    pub prefetched: u64,
    /// Bytes of decoded audio held.
    pub cached_bytes: usize,
    /// The volume, an amplitude in 0..1.
    pub volume: f32,
}
