//! Another output is chosen while it plays, is unplugged, and comes back: two null sinks, and what each of them hears.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tagscape::catalog::SegmentSpan;
use tagscape::player::output::cpal::output_devices;
use tagscape::player::{AuditionRequest, FileSource, OutputChoice, Player, PlayerEvent, SegmentSource as _};

use super::{ATTEMPTS, mono, write_wav};
use crate::common::pulse::{PulseSink, SINK_RATE_HZ, share_heard};

/// Names the file that a child process of this binary plays, on one output and then on another.
const CHILD_CHANGES: &str = "TAGSCAPE_TEST_CHILD_CHANGES";
/// The other sink.
const OTHER: &str = "headphones";
const SPAN: SegmentSpan = SegmentSpan { start_secs: 0.0, duration_secs: 5.9 };

/// Polls until an event is there, printing all.
fn wait_for(player: &mut Player, is_it: impl Fn(&PlayerEvent) -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let events = player.poll();
        events.iter().for_each(|event| println!("EVENT {event:?}"));
        if events.iter().any(&is_it) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it does not happen");
}

#[test]
fn child_process_that_changes_outputs() {
    let Some(path) = std::env::var_os(CHILD_CHANGES) else { return };
    let devices = output_devices().unwrap();
    println!("\nDEVICES {:?}", devices.iter().map(|device| device.name.as_str()).collect::<Vec<_>>());
    let other = devices.into_iter().find(|device| device.name == OTHER).expect("the other sink is listed");
    let (mut player, notice) = Player::start(OutputChoice::Default, None);
    assert_eq!(notice, None);
    player.audition(AuditionRequest { serial: 1, path: path.into(), span: SPAN });
    wait_for(&mut player, |event| matches!(event, PlayerEvent::Started { .. }));
    std::thread::sleep(Duration::from_millis(1300));
    player.set_output(OutputChoice::Device(other));
    let is_of =
        |wanted: &'static str| move |event: &PlayerEvent| matches!(event, PlayerEvent::OutputChanged { name, .. } if name == wanted);
    wait_for(&mut player, is_of(OTHER));
    println!("CHANGED {:.2} s {:?}", player.status().position_secs, player.status());
    // The other side unplugs it.
    wait_for(&mut player, |event| matches!(event, PlayerEvent::OutputChanged { name, .. } if name != OTHER));
    println!("LOST {:.2} s {:?}", player.status().position_secs, player.status());
    wait_for(&mut player, |event| matches!(event, PlayerEvent::Finished { .. }));
    println!("FINISHED");
    wait_for(&mut player, is_of(OTHER));
    println!("BACK {:?}", player.status());
}

/// Lets a child play, unplugs the other sink when it plays there, and plugs it in again: what the child told, and what each sink heard.
fn change_in_child(path: &Path) -> (String, [Vec<f32>; 2]) {
    let [sink, mut other] = [(); 2].map(|()| PulseSink::start_in(tempfile::tempdir().unwrap()));
    sink.add_device(OTHER, &other);
    let recordings = [sink.listen(), other.listen()];
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exclusive::player_device::switching::child_process_that_changes_outputs", "--nocapture"])
        .env(CHILD_CHANGES, path)
        .envs(sink.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        told += &format!("{line}\n");
        if line.starts_with("CHANGED") {
            std::thread::sleep(Duration::from_millis(1500));
            other.unplug();
        } else if line.starts_with("FINISHED") {
            other.plug();
        }
    }
    let ended = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}{complaints}");
    assert!(!complaints.contains("ALSA"), "nothing that frightens: {complaints}");
    (told, recordings.map(|recording| mono(recording.finish().as_chunks::<2>().0)))
}

#[test]
fn sound_moves_to_the_output_that_is_chosen_goes_on_when_it_is_unplugged_and_returns_with_it() {
    let Some(sink) = PulseSink::start() else { return };
    drop(sink);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music.wav");
    write_wav(&path);
    let audio = FileSource::default().load(&path, SPAN, SINK_RATE_HZ).unwrap();
    let wanted = mono(&audio.frames());
    let part = |from_secs: f64, to_secs: f64| {
        let [from, to] = [from_secs, to_secs].map(|secs| (secs * f64::from(SINK_RATE_HZ)) as usize);
        &wanted[from..to]
    };
    let mut shares = Vec::new();
    for _ in 0..ATTEMPTS {
        let (told, [first, other]) = change_in_child(&path);
        let count = |text: &str| told.matches(text).count();
        assert_eq!((count("Started {"), count("Finished {")), (1, 1), "one audition, whatever it sounds on: {told}");
        assert!(told.contains(&format!("{OTHER} is gone")) && told.contains(&format!("sound goes to {OTHER}")), "{told}");
        assert_eq!(count("is_substitute: true"), 1, "{told}");
        // Where it changes is up to the machine: what is asked for lies well within.
        let heard =
            [(&first, part(0.2, 1.2)), (&other, part(1.9, 2.6)), (&first, part(4.2, 5.6))].map(|(heard, part)| share_heard(heard, part));
        let strays =
            [(&other, part(0.2, 1.2)), (&first, part(1.9, 2.6)), (&other, part(4.2, 5.6))].map(|(heard, part)| share_heard(heard, part));
        println!("heard {heard:?}, where it should not be {strays:?}\n{told}");
        assert!(strays.iter().all(|&share| share < 0.2), "it sounds in two places: {strays:?}, {told}");
        if heard.iter().all(|&share| share > 0.5) {
            return;
        }
        shares.push(heard);
    }
    panic!("it is not heard where it should be: {shares:?}");
}
