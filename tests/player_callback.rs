//! What a sound device's callback does, call by call, under a counting allocator: every format, channel count and size of buffer, and all that
//! can happen to a voice meanwhile.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cpal::{FromSample, I24, SizedSample, U24};
use tagscape::player::output::device_writer::DeviceWriter;
use tagscape::player::{Cue, MixerCommand, MixerLink, MixerReport, MixerStatus, SegmentAudio, SegmentWriter, mixer_link};

use crate::common::counting_alloc::{AllocCount, count_allocations};
use crate::player::FADE_FRAMES;

const RATE_HZ: u32 = 48_000;
/// Frames from one cue to the next in a sweep: a thousand a second.
const SWEEP_STEP: usize = 48;
/// How long each chapter lasts, in frames; a device with large buffers gets as many of them as make a story.
const CHAPTER_FRAMES: usize = 9_600;
const CHAPTER_CALLS: usize = 8;

/// What is done in the watched section beside what belongs there.
#[derive(Clone, Copy, PartialEq)]
enum Misdeed {
    None,
    Allocates,
    Frees,
}

/// A device with its mixer, and the control side's ends.
struct Device<T> {
    writer: DeviceWriter,
    link: MixerLink,
    status: Arc<MixerStatus>,
    buffer: Vec<T>,
    channels: usize,
    misdeed: Misdeed,
    count: AllocCount,
    serial: u64,
    /// The newest cue that found the ring full, as the dispatcher keeps it.
    pending: Option<MixerCommand>,
    /// Audio of which the mixer was given the only reference.
    given: Vec<Weak<SegmentAudio>>,
    started: usize,
    ended: usize,
    /// How many of them came back from the mixer with its only reference.
    came_back_alone: usize,
}

impl<T: SizedSample + FromSample<f32>> Device<T> {
    fn new(channels: u16, frames: usize, misdeed: Misdeed) -> Self {
        let status = Arc::new(MixerStatus::default());
        let (mixer, link) = mixer_link(RATE_HZ, Arc::clone(&status));
        let buffer = vec![T::EQUILIBRIUM; frames * usize::from(channels)];
        let (writer, count) = (DeviceWriter::new(mixer, channels), AllocCount::default());
        let (given, pending) = (Vec::new(), None);
        let channels = usize::from(channels);
        Self { writer, link, status, buffer, channels, misdeed, count, serial: 0, pending, given, started: 0, ended: 0, came_back_alone: 0 }
    }

    fn frames(&self) -> usize {
        self.buffer.len() / self.channels
    }

    fn send(&mut self, command: MixerCommand) {
        self.pending = Some(command);
        self.flush();
    }

    fn flush(&mut self) {
        if let Some(command) = self.pending.take()
            && let Err(rtrb::PushError::Full(command)) = self.link.commands.push(command)
        {
            self.pending = Some(command);
        }
    }

    fn play(&mut self, audio: Arc<SegmentAudio>) {
        self.serial += 1;
        self.send(MixerCommand::Play(Cue { serial: self.serial, audio, requested_at: Instant::now(), from_frame: 0 }));
    }

    /// Gives the mixer the only reference to a segment.
    fn give(&mut self, frames: usize) {
        let audio = Arc::new(SegmentAudio::from_interleaved(&vec![0.3; frames * 2], frames, FADE_FRAMES));
        self.given.push(Arc::downgrade(&audio));
        self.play(audio);
    }

    /// One call of the device's.
    fn call(&mut self) {
        self.flush();
        let spoilt = if self.misdeed == Misdeed::Frees { Some(Box::new(self.serial)) } else { None };
        let ((), count) = count_allocations(|| {
            self.writer.write(&mut self.buffer);
            if self.misdeed == Misdeed::Allocates {
                std::mem::forget(std::hint::black_box(Box::new(self.serial)));
            }
            drop(std::hint::black_box(spoilt));
        });
        self.count.allocations += count.allocations;
        self.count.frees += count.frees;
        // The supervisor's part.
        while let Ok(report) = self.link.reports.pop() {
            match report {
                MixerReport::Started { .. } => self.started += 1,
                MixerReport::Ended { cue, .. } => {
                    self.ended += 1;
                    self.came_back_alone += usize::from(Arc::strong_count(&cue.audio) == 1);
                }
            }
        }
    }

    /// Calls for a chapter's length; `due` is told the frames that passed before each call.
    fn chapter(&mut self, mut due: impl FnMut(&mut Self, std::ops::Range<usize>)) {
        let (mut at, step) = (0, self.frames());
        while at < CHAPTER_FRAMES.max(CHAPTER_CALLS * step) {
            due(self, at..at + step);
            self.call();
            at += step;
        }
    }

    fn silence(&mut self) {
        self.send(MixerCommand::Stop);
        self.chapter(|_, _| {});
        assert!(self.buffer.iter().all(|sample| *sample == T::EQUILIBRIUM), "silent in the end, in all channels");
    }

    /// Everything that can happen to a voice.
    fn live(&mut self) {
        // A thousand a second; of large buffers' worth more than the ring takes.
        self.chapter(|device, frames| frames.filter(|frame| frame % SWEEP_STEP == 0).for_each(|_| device.give(5_000)));
        let (started, ended) = (self.started, self.ended);
        assert!(started > 5 && ended + 4 >= started, "swept: {started} of {} sounded", self.serial);
        self.silence();
        // Short ones that end by themselves, while the volume moves.
        self.chapter(|device, frames| {
            device.status.set_volume((frames.start % 5) as f32 / 4.0);
            if frames.clone().any(|frame| frame % 1_200 == 0) {
                device.give(600);
            }
        });
        assert!(self.started > started + 3, "each was heard");
        self.status.set_volume(1.0);
        self.silence();
        // One that goes over into its start, again and again, until it is told not to.
        self.status.set_looping(true);
        self.give(2_000);
        let before = self.ended;
        self.chapter(|_, _| {});
        assert_eq!(self.ended, before, "a loop of 2000 frames goes on after {CHAPTER_FRAMES}");
        self.status.set_looping(false);
        self.chapter(|_, _| {});
        assert_eq!(self.ended, before + 1);
        self.starve();
        self.silence();
    }

    /// A segment of which only the beginning is decoded; then another thread goes on with it, while it is read.
    fn starve(&mut self) {
        let total = CHAPTER_FRAMES.max(CHAPTER_CALLS * self.frames()) * 2;
        let mut writer = SegmentWriter::new(total, 0);
        writer.push(&[[0.3; 2]; 2_048]);
        self.play(Arc::clone(writer.audio()));
        let starved = self.status.starved();
        self.chapter(|_, _| {});
        assert!(self.status.starved() > starved, "decoding stood still");
        let rest = std::thread::spawn(move || {
            for _ in 0..total / 3_000 {
                writer.push(&[[0.3; 2]; 1_500]);
                std::thread::sleep(Duration::from_micros(20));
            }
            // Half-way it is given up.
        });
        self.chapter(|_, _| {});
        rest.join().unwrap();
    }

    /// Asserts that nothing was kept and nothing died in the callback.
    fn check(mut self) {
        let name = format!("{:?}, {} channels, {} frames", T::FORMAT, self.channels, self.frames());
        assert_eq!(self.count, AllocCount::default(), "{name}");
        assert!(self.came_back_alone > 10, "{name}: the mixer held the last reference, and gave it back");
        self.pending = None;
        while let Ok(report) = self.link.reports.pop() {
            drop(report);
        }
        let alive = self.given.iter().filter(|audio| audio.upgrade().is_some()).count();
        assert_eq!(alive, 0, "{name}: all are freed, though the mixer is still there");
        assert!(self.writer.calls().load(std::sync::atomic::Ordering::Relaxed) > 0);
    }
}

fn every_channel_count_and_size<T: SizedSample + FromSample<f32>>() {
    for channels in [1, 2, 6] {
        for frames in [1, 37, 256, 512, 513, 4096] {
            let mut device = Device::<T>::new(channels, frames, Misdeed::None);
            device.live();
            device.check();
        }
    }
}

#[test]
fn the_callback_neither_allocates_nor_frees_in_any_format() {
    every_channel_count_and_size::<f32>();
    every_channel_count_and_size::<f64>();
    every_channel_count_and_size::<i8>();
    every_channel_count_and_size::<i16>();
    every_channel_count_and_size::<I24>();
    every_channel_count_and_size::<i32>();
    every_channel_count_and_size::<u8>();
    every_channel_count_and_size::<u16>();
    every_channel_count_and_size::<U24>();
    every_channel_count_and_size::<u32>();
}

#[test]
fn the_formats_above_are_those_that_a_device_is_opened_with() {
    let opened = include_str!("../src/player/output/cpal/stream.rs").matches("self.of::<").count();
    let proved = include_str!("player_callback.rs").lines().filter(|line| line.starts_with("    every_channel_count_and_size::<")).count();
    assert_eq!(opened, proved);
}

#[test]
fn a_callback_that_allocates_or_frees_is_caught() {
    for (misdeed, is_caught) in [
        (Misdeed::None, (|count| count == AllocCount::default()) as fn(AllocCount) -> bool),
        (Misdeed::Allocates, |count| count.allocations > 100 && count.frees == 0),
        (Misdeed::Frees, |count| count.frees > 100 && count.allocations == 0),
    ] {
        let mut device = Device::<i16>::new(2, 256, misdeed);
        device.live();
        assert!(is_caught(device.count), "{:?}", device.count);
    }
}

#[test]
fn the_last_reference_to_a_segment_dropped_in_the_callback_is_caught() {
    let mut device = Device::<f32>::new(2, 256, Misdeed::None);
    device.give(600);
    (0..8).for_each(|_| device.writer.write(&mut device.buffer));
    // What the supervisor does, done where it must not be.
    let ((), count) = count_allocations(|| while device.link.reports.pop().is_ok() {});
    assert!(count.frees >= 2, "the frames and what holds them: {count:?}");
}

#[test]
fn the_files_that_the_callback_runs_through_name_nothing_that_waits() {
    let files = [
        ("mixer.rs", include_str!("../src/player/mixer.rs")),
        ("voice.rs", include_str!("../src/player/voice.rs")),
        ("segment_audio.rs", include_str!("../src/player/segment_audio.rs")),
        ("status.rs", include_str!("../src/player/status.rs")),
        ("device_writer.rs", include_str!("../src/player/output/device_writer.rs")),
    ];
    let waits = |code: &str| {
        let words = ["Mutex", "RwLock", "Condvar", "Barrier", "mpsc", "thread", "fs", "io", "net", "log", "println", "eprintln"];
        let mut named = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        named.find(|word| words.contains(word)).map(str::to_owned)
    };
    for (name, source) in files {
        let code = source.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert_eq!(waits(line), None, "{name}: {line}");
        }
    }
    assert_eq!(waits("use std::sync::{Arc, Mutex};").as_deref(), Some("Mutex"));
    assert_eq!(waits("    log::warn!(\"late\");").as_deref(), Some("log"));
}
