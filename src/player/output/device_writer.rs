//! What a sound device's callback does, whole: the mixer's frames, brought to the device's channels and sample format.
//!
//! RULE, as in `mixer.rs`: nothing here allocates, frees, locks, waits, logs or does I/O. All that a call reaches:
//!
//! | operation | what it is |
//! |---|---|
//! | arithmetic on the voices, on the scratch space, on the device's buffer | memory that was there before the stream began |
//! | commands popped, reports pushed | `rtrb`: a copy into a slot and an atomic store; a full or an empty ring is an answer, nothing is waited for |
//! | a segment's frames | `OnceLock::get` of a chunk, which is an atomic load, and two more for how far it is decoded |
//! | volume, loop, playhead, counts | atomic loads and stores |
//! | the latency of a first frame | `Instant::now`, the system's clock, which Linux reads without a system call (vDSO) |
//!
//! A cue is moved in by one ring and moved out by the other, never dropped: the last reference to its audio cannot die in a call. What is in
//! the rings and in the voices when a stream ends dies with the stream, after its last call.
//!
//! `tests/player_callback.rs` holds this with a counting allocator, for every format; `tests/player_syscalls.rs` with a kernel that kills the
//! thread at its first system call.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use cpal::{FromSample, SizedSample};

use crate::player::mixer::Mixer;

/// Frames that are mixed at a time before they are written in the device's format: the scratch space.
const SCRATCH_FRAMES: usize = 512;
/// The loudest that a whole number can say: f32's last value below 1. At 1 itself, 24 bits wrap over to the loudest negative one.
const LOUDEST_OF_INTEGERS: f32 = 1.0 - f32::EPSILON / 2.0;

/// A mixer, and the way from it into a device's buffers. Lives in the audio callback.
pub struct DeviceWriter {
    mixer: Mixer,
    channels: usize,
    scratch: Box<[f32]>,
    calls: Arc<AtomicU64>,
}

impl DeviceWriter {
    /// Of a device that takes so many channels.
    #[must_use]
    pub fn new(mixer: Mixer, channels: u16) -> Self {
        let scratch = vec![0.0; SCRATCH_FRAMES * 2].into();
        Self { mixer, channels: usize::from(channels.max(1)), scratch, calls: Arc::default() }
    }

    /// How often [`DeviceWriter::write`] was called: whether the device still asks.
    #[must_use]
    pub fn calls(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.calls)
    }

    /// Fills `data`, interleaved `[frames, channels]`, with the next frames. Real time: see the rule above.
    pub fn write<T: SizedSample + FromSample<f32>>(&mut self, data: &mut [T]) {
        self.calls.fetch_add(1, Relaxed);
        for part in data.chunks_mut(SCRATCH_FRAMES * self.channels) {
            let mix = &mut self.scratch[..part.len() / self.channels * 2];
            self.mixer.process(mix);
            write_frames(mix, part, self.channels);
        }
    }
}

/// Stereo to the device's channels and format: one channel gets the mean, more than two are silent. Real time.
fn write_frames<T: SizedSample + FromSample<f32>>(mix: &[f32], out: &mut [T], channels: usize) {
    let loudest = if T::FORMAT.is_float() { 1.0 } else { LOUDEST_OF_INTEGERS };
    // What is not a number is silence, not whatever the device makes of it.
    let convert = |sample: f32| T::from_sample(if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, loudest) });
    for (&[left, right], frame) in mix.as_chunks::<2>().0.iter().zip(out.chunks_exact_mut(channels)) {
        match frame {
            [mono] => *mono = convert(0.5 * (left + right)),
            [first, second, rest @ ..] => {
                *first = convert(left);
                *second = convert(right);
                rest.fill(T::EQUILIBRIUM);
            }
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cpal::{I24, U24};

    use super::*;

    #[test]
    fn stereo_goes_to_any_number_of_channels_and_to_integers_without_wrapping() {
        let mix = [1.5_f32, -1.5, 0.5, 0.25];
        let mut mono = [0.0_f32; 2];
        write_frames(&mix, &mut mono, 1);
        assert_eq!(mono, [0.0, 0.375]);
        let mut four = [9.0_f32; 8];
        write_frames(&mix, &mut four, 4);
        assert_eq!(four, [1.0, -1.0, 0.0, 0.0, 0.5, 0.25, 0.0, 0.0]);
        let mut signed = [0_i16; 4];
        write_frames(&mix, &mut signed, 2);
        assert_eq!(signed, [i16::MAX, i16::MIN, 16384, 8192]);
        let mut unsigned = [0_u16; 6];
        write_frames(&mix, &mut unsigned, 3);
        assert_eq!(unsigned, [u16::MAX, 0, 32768, 49152, 40960, 32768]);
    }

    /// What a format makes of too loud, of as loud as can be, of silence and of no number.
    fn written<T: SizedSample + FromSample<f32>>() -> [T; 6] {
        let mut out = [T::EQUILIBRIUM; 6];
        write_frames(&[7.0, -7.0, 1.0, -1.0, 0.0, f32::NAN], &mut out, 2);
        out
    }

    #[test]
    fn the_loudest_samples_wrap_in_no_format_and_no_number_is_silence() {
        assert_eq!(written::<f32>(), [1.0, -1.0, 1.0, -1.0, 0.0, 0.0]);
        assert_eq!(written::<f64>(), [1.0, -1.0, 1.0, -1.0, 0.0, 0.0]);
        assert_eq!(written::<i8>(), [127, -128, 127, -128, 0, 0]);
        assert_eq!(written::<i16>(), [i16::MAX, i16::MIN, i16::MAX, i16::MIN, 0, 0]);
        assert_eq!(written::<I24>().map(I24::inner), [0x7f_ffff, -0x80_0000, 0x7f_ffff, -0x80_0000, 0, 0]);
        let [loud, quiet, ..] = written::<i32>();
        assert!(loud >= 0x7fff_ff00 && quiet == i32::MIN, "{loud} {quiet}");
        assert_eq!(written::<u8>(), [255, 0, 255, 0, 128, 128]);
        assert_eq!(written::<u16>(), [u16::MAX, 0, u16::MAX, 0, 0x8000, 0x8000]);
        assert_eq!(written::<U24>().map(U24::inner), [0xff_ffff, 0, 0xff_ffff, 0, 0x80_0000, 0x80_0000]);
        let [loud, quiet, ..] = written::<u32>();
        assert!(loud >= 0xffff_ff00 && quiet == 0, "{loud} {quiet}");
    }
}
