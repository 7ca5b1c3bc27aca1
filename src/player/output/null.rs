//! The output where there is no sound device: the mixer runs as if there were one, and nobody hears it. In tests it is driven by hand.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{IdleOutput, OpenOutput, Output, OutputInfo};
use crate::player::mixer::{Mixer, MixerLink, mixer_link};
use crate::player::status::MixerStatus;

/// Its rate where there is no reason for another.
pub const NULL_RATE_HZ: u32 = 48_000;
/// Frames that it takes at a time: 5.3 ms.
const BUFFER_FRAMES: u32 = 256;
/// Later than this, a buffer counts as an underrun: a device with two buffers would have run dry.
const LATE_BUFFERS: u32 = 2;

/// A mixer with nowhere to go.
pub struct NullOutput {
    mixer: Mixer,
    status: Arc<MixerStatus>,
    buffer: Vec<f32>,
    sample_rate_hz: u32,
}

impl NullOutput {
    /// A null output of this rate, and the ends of its mixer's rings.
    #[must_use]
    pub fn new(sample_rate_hz: u32, status: Arc<MixerStatus>) -> (Self, MixerLink) {
        let (mixer, link) = mixer_link(sample_rate_hz, Arc::clone(&status));
        (Self { mixer, status, buffer: Vec::new(), sample_rate_hz }, link)
    }

    /// The next `frame_count` frames, interleaved stereo. Allocates when it is asked for more than ever before.
    pub fn process(&mut self, frame_count: usize) -> &[f32] {
        self.buffer.resize(frame_count * 2, 0.0);
        self.mixer.process(&mut self.buffer);
        &self.buffer
    }

    /// The supervisor's side of one that is driven by hand.
    pub(in crate::player) fn by_hand(link: MixerLink, sample_rate_hz: u32) -> OpenOutput {
        let name = "none (driven by hand)".to_owned();
        let info = OutputInfo { name, is_audible: false, sample_rate_hz, buffer_frames: BUFFER_FRAMES, asked_frames: 0 };
        OpenOutput { output: Box::new(IdleOutput(info)), link }
    }

    /// Opens a null output that runs in real time, on a thread of its own.
    pub(in crate::player) fn open(sample_rate_hz: u32, status: &Arc<MixerStatus>) -> OpenOutput {
        let (output, link) = Self::new(sample_rate_hz, Arc::clone(status));
        OpenOutput { output: Box::new(RunningNullOutput::start(output)), link }
    }
}

#[derive(Default)]
struct Switch {
    is_paused: bool,
    is_closed: bool,
}

/// A null output that takes 256 frames at a time, when a device would.
struct RunningNullOutput {
    info: OutputInfo,
    switch: Arc<(Mutex<Switch>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl RunningNullOutput {
    fn start(mut output: NullOutput) -> Self {
        let info = OutputInfo {
            name: "none (silent)".to_owned(),
            is_audible: false,
            sample_rate_hz: output.sample_rate_hz,
            buffer_frames: BUFFER_FRAMES,
            asked_frames: 0,
        };
        let switch = Arc::new((Mutex::new(Switch::default()), Condvar::new()));
        let period = Duration::from_secs_f64(f64::from(BUFFER_FRAMES) / f64::from(output.sample_rate_hz.max(1)));
        let watched = Arc::clone(&switch);
        // Without a thread the mixer is dropped, and auditions stay silent and unanswered: nothing else can be done about it.
        let thread = std::thread::Builder::new().name("player-null".to_owned()).spawn(move || {
            let mut due = Instant::now();
            while wait_until_running(&watched, &mut due) {
                let now = Instant::now();
                if now > due + period * LATE_BUFFERS {
                    output.status.count_underrun();
                    due = now;
                }
                output.process(BUFFER_FRAMES as usize);
                due += period;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        });
        Self { info, switch, thread: thread.ok() }
    }

    fn set(&self, change: impl FnOnce(&mut Switch)) {
        change(&mut self.switch.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.switch.1.notify_all();
    }
}

/// False when closed. A pause moves the due time along.
fn wait_until_running(switch: &(Mutex<Switch>, Condvar), due: &mut Instant) -> bool {
    let mut state = switch.0.lock().unwrap_or_else(PoisonError::into_inner);
    if state.is_paused && !state.is_closed {
        state = switch.1.wait_while(state, |state| state.is_paused && !state.is_closed).unwrap_or_else(PoisonError::into_inner);
        *due = Instant::now();
    }
    !state.is_closed
}

impl Output for RunningNullOutput {
    fn info(&self) -> &OutputInfo {
        &self.info
    }

    fn pause(&mut self) -> bool {
        self.set(|switch| switch.is_paused = true);
        true
    }

    fn resume(&mut self) -> Result<(), String> {
        self.set(|switch| switch.is_paused = false);
        Ok(())
    }
}

impl Drop for RunningNullOutput {
    fn drop(&mut self) {
        self.set(|switch| switch.is_closed = true);
        if let Some(thread) = self.thread.take() {
            // It ends within a buffer; that it panicked is of no use to know here.
            let _ = thread.join();
        }
    }
}
