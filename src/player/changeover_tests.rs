//! Tests of how one output takes another's place, on made-up outputs that are driven by hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::output::opening::{Opener, Wanted};
use super::output::{IdleOutput, OnTrouble, OpenOutput, OutputInfo};
use super::*;
use crate::catalog::SegmentSpan;

const SPAN: SegmentSpan = SegmentSpan { start_secs: 0.0, duration_secs: 2.0 };

/// Music whose every sample tells its time: from 0 to 1 in two seconds.
struct Ramp;

impl SegmentSource for Ramp {
    fn load(&self, _: &Path, span: SegmentSpan, rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        let frames = (span.duration_secs * f64::from(rate_hz)) as usize;
        let stereo: Vec<f32> = (0..frames * 2).map(|sample| (sample / 2) as f32 / frames as f32).collect();
        Ok(Arc::new(SegmentAudio::from_interleaved(&stereo, frames, 0)))
    }
}

/// An output that was opened.
struct Plugged {
    output: NullOutput,
    on_trouble: OnTrouble,
    asked_frames: u32,
    heard: Vec<f32>,
}

/// A machine with made-up outputs.
struct Machine {
    player: Player,
    status: Arc<MixerStatus>,
    /// Rates of those that are there, by name.
    there: Arc<Mutex<BTreeMap<&'static str, u32>>>,
    opened: Receiver<Plugged>,
    outputs: Vec<Plugged>,
    events: Vec<PlayerEvent>,
}

fn device(name: &str) -> OutputChoice {
    OutputChoice::Device(OutputDevice { id: name.to_owned(), name: name.to_owned() })
}

impl Machine {
    fn start(outputs: &[(&'static str, u32)], wanted: OutputChoice) -> (Self, Option<String>) {
        let there = Arc::new(Mutex::new(outputs.iter().copied().collect::<BTreeMap<_, _>>()));
        let (sender, opened) = channel();
        let listed = Arc::clone(&there);
        let opener: Opener = Box::new(move |wanted: &Wanted<'_>| {
            let name = if let OutputChoice::Device(device) = wanted.choice { device.name.as_str() } else { "default" };
            let rate = *listed.lock().unwrap().get(name).ok_or("it is not there")?;
            let (output, link) = NullOutput::new(rate, Arc::clone(wanted.status));
            let asked_frames = wanted.buffers.of(name);
            let info = OutputInfo { name: name.into(), is_audible: true, sample_rate_hz: rate, buffer_frames: asked_frames, asked_frames };
            sender.send(Plugged { output, on_trouble: Arc::clone(wanted.on_trouble), asked_frames, heard: Vec::new() }).unwrap();
            Ok(OpenOutput { output: Box::new(IdleOutput(info)), link })
        });
        let status = Arc::new(MixerStatus::default());
        let config = PlayerConfig { buffers: BufferSizes::starting_at(256), ..PlayerConfig::default() };
        let source: Arc<dyn SegmentSource> = Arc::new(Ramp);
        let (player, notice) = Player::launch(opener, wanted, &config, &source, None, &status).unwrap();
        (Self { player, status, there, opened, outputs: Vec::new(), events: Vec::new() }, notice)
    }

    fn audition(&self, serial: u64) {
        self.player.audition(AuditionRequest { serial, path: "a".into(), span: SPAN });
    }

    /// Runs the newest outputs, 256 frames at a time, until something is so.
    fn run_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so(self) {
            assert!(Instant::now() < until, "no end in 20 s: {:?}", self.events);
            self.outputs.extend(self.opened.try_iter());
            for plugged in &mut self.outputs {
                let frames = plugged.output.process(256).iter().step_by(2);
                plugged.heard.extend(frames);
            }
            std::thread::sleep(Duration::from_millis(1));
            self.events.extend(self.player.poll());
        }
        self.outputs.extend(self.opened.try_iter());
    }

    fn run_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.run_until(|_| Instant::now() >= until);
    }

    fn count(&self, is_one: impl Fn(&PlayerEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is_one(event)).count()
    }

    fn started(&self, wanted: u64) -> usize {
        self.count(|event| matches!(event, PlayerEvent::Started { serial, .. } if *serial == wanted))
    }

    fn finished(&self, wanted: u64) -> usize {
        self.count(|event| *event == PlayerEvent::Finished { serial: wanted })
    }

    fn changes(&self) -> Vec<String> {
        let name = |event: &PlayerEvent| if let PlayerEvent::OutputChanged { name, .. } = event { Some(name.clone()) } else { None };
        self.events.iter().filter_map(name).collect()
    }

    fn notices(&self) -> Vec<String> {
        let text = |event: &PlayerEvent| if let PlayerEvent::Notice { text } = event { Some(text.clone()) } else { None };
        self.events.iter().filter_map(text).collect()
    }
}

#[test]
fn what_sounds_fades_out_on_one_output_and_goes_on_where_it_was_on_the_other_whatever_their_rates() {
    for rate in [48_000, 44_100] {
        let (mut machine, notice) = Machine::start(&[("default", 48_000), ("headphones", rate)], OutputChoice::Default);
        assert_eq!(notice, None);
        machine.audition(1);
        machine.run_until(|machine| machine.started(1) == 1);
        machine.run_for(Duration::from_millis(40));
        machine.player.set_output(device("headphones"));
        machine.run_until(|machine| machine.changes() == ["headphones"]);
        let former = machine.outputs[0].heard.len();
        machine.run_until(|machine| machine.outputs.len() == 2 && machine.outputs[1].heard.iter().any(|&sample| sample > 0.0));
        machine.run_for(Duration::from_millis(30));
        let [old, new] = [0, 1].map(|place| machine.outputs[place].heard.clone());
        assert!(old[former..].iter().all(|&sample| sample == 0.0), "two sound at once");
        let left_at = old.iter().copied().fold(0.0, f32::max);
        let goes_on_at = *new.iter().skip_while(|&&sample| sample == 0.0).nth(500).unwrap();
        // The fades, a block on either side, and the frames that are skipped here: 60 ms of 2 s.
        assert!(left_at > 0.01 && (goes_on_at - left_at).abs() < 0.03, "left at {left_at}, goes on at {goes_on_at}, {rate} Hz");
        machine.run_until(|machine| machine.finished(1) == 1);
        machine.run_for(Duration::from_millis(30));
        assert_eq!((machine.started(1), machine.finished(1)), (1, 1), "to the outside it is one audition");
        let status = machine.player.status();
        assert_eq!((status.output.as_str(), status.sample_rate_hz, status.is_substitute), ("headphones", rate, false));
        // A cut would be a step of as much as `left_at`.
        assert!(status.largest_step < 0.25 * left_at.min(0.04), "it clicked: {}", status.largest_step);
        assert_eq!(machine.notices(), Vec::<String>::new());
    }
}

#[test]
fn a_newer_audition_or_a_stop_during_the_change_wins_and_each_that_started_finishes_once() {
    for rate in [48_000, 44_100] {
        let (mut machine, _) = Machine::start(&[("default", 48_000), ("other", rate)], OutputChoice::Default);
        machine.audition(1);
        machine.run_until(|machine| machine.started(1) == 1);
        machine.player.set_output(device("other"));
        machine.audition(2);
        machine.run_until(|machine| machine.started(2) == 1 && machine.changes().len() == 1);
        machine.player.set_output(OutputChoice::Default);
        machine.player.stop();
        machine.run_until(|machine| machine.finished(2) == 1 && machine.changes().len() == 2);
        machine.run_for(Duration::from_millis(60));
        let counts = [1, 2].map(|serial| (machine.started(serial), machine.finished(serial)));
        assert_eq!(counts, [(1, 1), (1, 1)], "{:?}", machine.events);
        assert_eq!(machine.player.status().playing, None);
    }
}

#[test]
fn a_device_that_goes_leaves_its_sound_to_the_default_and_gets_it_back() {
    let (mut machine, _) = Machine::start(&[("default", 48_000), ("usb", 48_000)], device("usb"));
    machine.audition(1);
    machine.run_until(|machine| machine.started(1) == 1);
    machine.there.lock().unwrap().remove("usb");
    let broken = machine.outputs[0].on_trouble.clone();
    broken("unplugged".to_owned());
    machine.run_until(|machine| machine.changes() == ["default"]);
    assert_eq!(machine.notices(), ["usb is gone (unplugged); until it can be used, sound goes to default"]);
    assert!(machine.player.status().is_substitute && machine.finished(1) == 0, "it goes on");
    // Late news of what was given up.
    broken("unplugged".to_owned());
    machine.player.stop();
    machine.run_until(|machine| machine.finished(1) == 1);
    machine.run_for(Duration::from_millis(200));
    assert_eq!((machine.changes().len(), machine.outputs.len()), (1, 2), "nothing is opened for nothing");
    machine.there.lock().unwrap().insert("usb", 48_000);
    machine.run_until(|machine| machine.changes().len() == 2);
    assert_eq!((machine.changes()[1].as_str(), machine.notices()[1].as_str()), ("usb", "sound goes to usb"));
    assert!(!machine.player.status().is_substitute);

    // With no default either it is silent, and the default will do when it comes first.
    machine.there.lock().unwrap().clear();
    let place = machine.outputs.len() - 1;
    (machine.outputs[place].on_trouble)("unplugged".to_owned());
    machine.run_until(|machine| machine.changes().len() == 3);
    assert_eq!(machine.notices()[2], "no sound: usb is gone (unplugged)");
    assert!(!machine.player.status().is_audible);
    machine.there.lock().unwrap().insert("default", 48_000);
    machine.run_until(|machine| machine.changes().len() == 4);
    let status = machine.player.status();
    assert_eq!((status.output.as_str(), status.is_audible, status.is_substitute), ("default", true, true));
}

#[test]
fn a_wanted_device_that_is_not_there_at_the_start_is_named() {
    let (_, notice) = Machine::start(&[("default", 48_000)], device("usb"));
    assert_eq!(notice.as_deref(), Some("usb: it is not there; until it can be used, sound goes to default"));
    let (machine, notice) = Machine::start(&[], OutputChoice::Default);
    assert_eq!(notice.as_deref(), Some("no sound: it is not there"));
    assert!(!machine.player.status().is_audible);
}

#[test]
fn each_output_is_asked_for_the_buffer_that_it_needs() {
    let (mut machine, _) = Machine::start(&[("default", 48_000), ("usb", 48_000)], OutputChoice::Default);
    machine.audition(1);
    machine.run_until(|machine| machine.started(1) == 1);
    machine.status.count_underrun();
    machine.run_for(Duration::from_millis(60));
    assert_eq!((machine.changes().len(), machine.player.status().asked_frames), (0, 256), "once may be the system's");
    machine.status.count_underrun();
    machine.run_until(|machine| machine.changes().len() == 1);
    assert_eq!(machine.player.status().asked_frames, 512);
    for (choice, frames) in [(device("usb"), 256), (OutputChoice::Default, 512)] {
        machine.player.set_output(choice);
        let before = machine.changes().len();
        machine.run_until(|machine| machine.changes().len() > before);
        assert_eq!(
            (machine.player.status().asked_frames, machine.outputs.last().map(|plugged| plugged.asked_frames)),
            (frames, Some(frames))
        );
    }
    assert_eq!((machine.started(1), machine.finished(1)), (1, 0), "it sounds on through all of it");
}
