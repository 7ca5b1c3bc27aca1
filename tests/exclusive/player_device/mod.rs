//! The player on a sound device: a PulseAudio null sink that is listened to, and no device at all.

use std::f32::consts::TAU;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tagscape::catalog::SegmentSpan;
use tagscape::player::{AuditionRequest, FileSource, OutputChoice, Player, SegmentSource as _};

mod switching;

use crate::common::pulse::{PulseSink, SINK_RATE_HZ, best_match, share_heard};
use crate::player::{FADE_FRAMES, SEGMENT_FRAMES, has_finished};

/// Names the file that a child process of this binary plays on the default device.
const CHILD_PLAYS: &str = "TAGSCAPE_TEST_CHILD_PLAYS";
/// How often the segment is played until it is heard without a dropout.
const ATTEMPTS: usize = 5;
const SPAN: SegmentSpan = SegmentSpan { start_secs: 1.5, duration_secs: 2.992 };

#[test]
fn child_process_that_plays() {
    let Some(path) = std::env::var_os(CHILD_PLAYS) else { return };
    let (mut player, notice) = Player::start(OutputChoice::Default, None);
    if let Some(notice) = notice {
        println!("NOTICE {notice}");
    }
    player.audition(AuditionRequest { serial: 1, path: path.into(), span: SPAN });
    let until = Instant::now() + Duration::from_secs(20);
    let mut events = Vec::new();
    while !has_finished(1)(&events) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
        events.extend(player.poll());
    }
    println!("EVENTS {events:?}");
    println!("STATUS {:?}", player.status());
    std::thread::sleep(Duration::from_millis(300));
}

/// Says in a child process that it is to wait until there is a device.
const CHILD_WAITS: &str = "TAGSCAPE_TEST_CHILD_WAITS";

#[test]
fn child_process_that_waits_for_a_device() {
    let Some(started) = std::env::var_os(CHILD_WAITS) else { return };
    let (mut player, notice) = Player::start(OutputChoice::Default, None);
    assert!(notice.is_some() && !player.status().is_audible, "there is no device yet");
    std::fs::write(started, "").unwrap();
    let until = Instant::now() + Duration::from_secs(40);
    while !player.status().is_audible && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("EVENTS {:?} STATUS {:?}", player.poll(), player.status());
}

#[test]
fn a_device_that_appears_later_is_taken() {
    let Some(other) = PulseSink::start() else { return };
    drop(other);
    let (folder, mark) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let started = mark.path().join("started");
    let config = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n";
    std::fs::write(folder.path().join("asound.conf"), config).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exclusive::player_device::child_process_that_waits_for_a_device", "--nocapture"])
        .env(CHILD_WAITS, &started)
        .envs(PulseSink::environment_in(folder.path()))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !started.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _sink = PulseSink::start_in(folder);
    let told = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
    assert!(told.contains("is_audible: true") && told.contains("sound goes to"), "{told}");
}

fn play_in_child(path: &Path, environment: Vec<(&'static str, String)>) -> Output {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exclusive::player_device::child_process_that_plays", "--nocapture"])
        .env(CHILD_PLAYS, path)
        .envs(environment)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    child
}

/// A 16-bit stereo wav at 44.1 kHz, 6 s: a chord that changes, with some noise, so that it is like nothing but itself.
fn write_wav(path: &Path) {
    let rate = 44_100_u32;
    let mut noise = 1_u32;
    let samples = (0..6 * rate).flat_map(|n| {
        let t = n as f32 / rate as f32;
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = (noise >> 16) as f32 / 65_536.0 - 0.5;
        let tone = (TAU * (220.0 + 60.0 * t) * t).sin() + (TAU * 331.0 * t).sin() * (TAU * 1.7 * t).cos();
        [0.2 * tone + 0.1 * hiss, 0.2 * tone - 0.1 * hiss].map(|sample| ((sample * 32_767.0) as i16).to_le_bytes())
    });
    let data: Vec<u8> = samples.flatten().collect();
    let mut wav = Vec::new();
    for part in [&b"RIFF"[..], &(36 + data.len() as u32).to_le_bytes(), b"WAVEfmt ", &16_u32.to_le_bytes(), &[1, 0, 2, 0]] {
        wav.extend_from_slice(part);
    }
    for part in [&rate.to_le_bytes()[..], &(rate * 4).to_le_bytes(), &[4, 0, 16, 0], b"data", &(data.len() as u32).to_le_bytes(), &data] {
        wav.extend_from_slice(part);
    }
    std::fs::write(path, wav).unwrap();
}

fn mono(frames: &[[f32; 2]]) -> Vec<f32> {
    frames.iter().map(|[left, right]| 0.5 * (left + right)).collect()
}

#[test]
fn the_device_plays_the_segment_and_nothing_else() {
    let Some(sink) = PulseSink::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music.wav");
    write_wav(&path);
    let audio = FileSource::default().load(&path, SPAN, SINK_RATE_HZ).unwrap();
    assert_eq!(audio.frames().len(), SEGMENT_FRAMES);
    let wanted = mono(&audio.frames());
    // A machine that is busy with other things makes the null sink drop out, which no player sees: then the segment is played again.
    let mut shares = Vec::new();
    for _ in 0..ATTEMPTS {
        let recording = sink.listen();
        let child = play_in_child(&path, sink.environment());
        let heard = mono(recording.finish().as_chunks::<2>().0);
        let told = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(!told.contains("NOTICE") && told.contains("is_audible: true"), "{told}");
        assert!(!String::from_utf8_lossy(&child.stderr).contains("ALSA"), "nothing that frightens: {child:?}");
        if is_exactly(&heard, &wanted) {
            return;
        }
        shares.push(share_heard(&heard, &wanted));
        println!("a dropout: {:.2} of the segment was heard; {told}", shares[shares.len() - 1]);
    }
    // Never without a gap: then pieces must do. A player that plays something else, or it at another speed, has none of them.
    let mostly = shares.iter().filter(|&&share| share > 0.5).count();
    assert!(mostly * 2 > ATTEMPTS, "what was heard is not the segment: {shares:?}");
}

/// Whether `heard` is `wanted` with silence around it. The fades are ours; between them the two are the same.
fn is_exactly(heard: &[f32], wanted: &[f32]) -> bool {
    if heard.len() < wanted.len() {
        return false;
    }
    let (start, alike) = best_match(heard, wanted);
    let inside = FADE_FRAMES..wanted.len() - FADE_FRAMES;
    let (_, inside_alike) = best_match(&heard[start + inside.start..start + inside.end], &wanted[inside]);
    let beside = heard[..start].iter().chain(&heard[start + wanted.len()..]).fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    println!("correlation {alike:.6}, {inside_alike:.6} between the fades, at most {beside} beside it");
    alike > 0.99 && inside_alike > 0.9999 && beside < 1e-3
}

#[test]
fn a_segment_with_a_gap_or_with_sound_beside_it_is_not_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music.wav");
    write_wav(&path);
    let wanted = mono(&FileSource::default().load(&path, SPAN, SINK_RATE_HZ).unwrap().frames());
    let silence = vec![0.0; 5000];
    assert!(is_exactly(&[&silence[..], &wanted, &silence].concat(), &wanted));
    let (first, rest) = wanted.split_at(wanted.len() / 2);
    assert!(!is_exactly(&[&silence[..], first, &silence, rest, &silence].concat(), &wanted));
    assert!(!is_exactly(&[&silence[..], &wanted, &wanted[5000..6000], &silence].concat(), &wanted));
    assert!(!is_exactly(&silence, &wanted));
}

#[test]
fn without_a_device_one_line_says_so_and_auditions_are_still_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music.wav");
    write_wav(&path);
    let config = folder.path().join("asound.conf");
    std::fs::write(&config, "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n").unwrap();
    let environment = vec![("ALSA_CONFIG_PATH", config.display().to_string()), ("PULSE_SERVER", "unix:/nowhere".to_owned())];
    let child = play_in_child(&path, environment);
    let told = String::from_utf8_lossy(&child.stdout).into_owned();
    let notices: Vec<&str> = told.lines().filter(|line| line.contains("NOTICE")).collect();
    assert_eq!(notices.len(), 1, "{told}");
    assert!(notices[0].contains("no sound:"), "{told}");
    assert!(told.contains("Started") && told.contains("Finished") && told.contains("is_audible: false"), "{told}");
    assert!(!String::from_utf8_lossy(&child.stderr).contains("ALSA"), "nothing that frightens: {child:?}");
}
