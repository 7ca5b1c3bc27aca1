//! The player while segments are still being decoded, before they are asked for, and with what it knows of their tracks.

use std::collections::HashMap;
use std::f32::consts::{FRAC_PI_2, TAU};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tagscape::catalog::SegmentSpan;
use tagscape::player::{
    AuditionRequest, Cue, FileSource, GoOn, KnownNote, MixerCommand, MixerReport, MixerStatus, Player, PlayerConfig, PlayerError,
    PlayerEvent, SegmentAudio, SegmentSource, SegmentWriter, TellBegun, TrackNotes, mixer_link,
};

use crate::common::counting_alloc::{AllocCount, count_allocations};
use crate::player::FADE_FRAMES;

const RATE_HZ: u32 = 48_000;
const SPAN: SegmentSpan = SegmentSpan { start_secs: 0.0, duration_secs: 0.5 };

#[test]
fn a_voice_that_decoding_cannot_follow_fades_out_waits_and_fades_in_and_the_real_time_side_does_not_allocate() {
    let status = Arc::new(MixerStatus::default());
    let (mut mixer, mut link) = mixer_link(RATE_HZ, status);
    let mut writer = SegmentWriter::new(20_000, 0);
    let music_step = 0.5 * TAU * 300.0 / RATE_HZ as f32;
    let wave: Vec<[f32; 2]> = (0..20_000).map(|n| [0.5 * (TAU * 300.0 * n as f32 / RATE_HZ as f32).sin(); 2]).collect();
    writer.push(&wave[..2048]);
    let cue = Cue { serial: 1, audio: Arc::clone(writer.audio()), requested_at: Instant::now(), from_frame: 0 };
    link.commands.push(MixerCommand::Play(cue)).expect("room");
    let (mut heard, mut block, mut total, mut given) = (Vec::new(), [0.0; 2 * 64], AllocCount::default(), 2048);
    let mut writer = Some(writer);
    for round in 0..1500 {
        let ((), count) = count_allocations(|| mixer.process(&mut block));
        total.allocations += count.allocations;
        total.frees += count.frees;
        heard.extend_from_slice(block.as_chunks::<2>().0);
        // A quarter of real time.
        if round % 64 == 63
            && let Some(held) = &mut writer
        {
            let end = (given + 1024).min(wave.len());
            held.push(&wave[given..end]);
            given = end;
            if given == wave.len() {
                drop(writer.take().map(SegmentWriter::finish));
            }
        }
    }
    assert_eq!(total, AllocCount::default());
    let step = heard.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max);
    assert!(step <= music_step + 0.5 * FRAC_PI_2 / FADE_FRAMES as f32 * 1.001, "{step}");
    let reports: Vec<MixerReport> = std::iter::from_fn(|| link.reports.pop().ok()).collect();
    assert!(
        matches!(reports[..], [MixerReport::Started { serial: 1, .. }, MixerReport::Ended { started: true, .. }]),
        "once, and to its end: {reports:?}"
    );
}

#[test]
fn a_segment_that_was_given_up_ends_without_a_click() {
    let (mut mixer, mut link) = mixer_link(RATE_HZ, Arc::default());
    let mut writer = SegmentWriter::new(20_000, 0);
    writer.push(&[[1.0; 2]; 3000]);
    let cue = Cue { serial: 1, audio: Arc::clone(writer.audio()), requested_at: Instant::now(), from_frame: 0 };
    link.commands.push(MixerCommand::Play(cue)).expect("room");
    let mut heard = vec![0.0; 2 * 1000];
    mixer.process(&mut heard);
    drop(writer);
    let mut rest = vec![0.0; 2 * 4000];
    rest.chunks_mut(2 * 128).for_each(|part| mixer.process(part));
    heard.extend(rest);
    let step = heard.as_chunks::<2>().0.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max);
    assert!(step <= FRAC_PI_2 / FADE_FRAMES as f32 * 1.001, "{step}");
    assert_eq!(heard.as_chunks::<2>().0.iter().filter(|frame| frame[0] != 0.0).count(), 3000);
}

/// Constants by name; `slow/…` takes its time, and asks whether it should go on.
#[derive(Default)]
struct Constants {
    order: Mutex<Vec<PathBuf>>,
    given_up: AtomicUsize,
}

impl SegmentSource for Constants {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        self.order.lock().unwrap().push(path.to_owned());
        let level: f32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let frames = (span.duration_secs * f64::from(sample_rate_hz)).round() as usize;
        Ok(Arc::new(SegmentAudio::from_interleaved(&vec![level; frames * 2], frames, FADE_FRAMES)))
    }

    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        if path.starts_with("slow") {
            self.order.lock().unwrap().push(path.to_owned());
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until {
                if !goes_on() {
                    self.given_up.fetch_add(1, SeqCst);
                    return Ok(None);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let audio = self.load(path, span, sample_rate_hz)?;
        begun(&audio);
        Ok(Some(audio))
    }
}

fn request(serial: u64, path: &str) -> AuditionRequest {
    AuditionRequest { serial, path: path.into(), span: SPAN }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within 20 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_is_near_is_decoded_in_its_order_and_then_sounds_at_once() {
    let source = Arc::new(Constants::default());
    let (player, _output) = Player::start_by_hand(RATE_HZ, PlayerConfig::default(), Arc::clone(&source) as Arc<dyn SegmentSource>, None);
    let near: Vec<AuditionRequest> = ["0.1", "0.2", "0.3"].map(|path| request(0, path)).into();
    player.prefetch(&near);
    wait_until("all are decoded", || near.iter().all(|near| player.is_cached(&near.path, near.span)));
    assert_eq!(*source.order.lock().unwrap(), ["0.1", "0.2", "0.3"].map(PathBuf::from));
    assert_eq!(player.status().prefetched, 3);
    player.audition(request(1, "0.2"));
    player.prefetch(&near);
    std::thread::sleep(Duration::from_millis(20));
    let status = player.status();
    assert_eq!((status.cache_hits, status.cache_misses, status.prefetched), (1, 0, 3));
}

#[test]
fn prefetching_makes_way_for_what_is_touched() {
    let source = Arc::new(Constants::default());
    let config = PlayerConfig { worker_count: 1, ..PlayerConfig::default() };
    let (player, _output) = Player::start_by_hand(RATE_HZ, config, Arc::clone(&source) as Arc<dyn SegmentSource>, None);
    player.prefetch(&[request(0, "slow/0.1"), request(0, "0.2")]);
    wait_until("the only worker is busy", || !source.order.lock().unwrap().is_empty());
    player.audition(request(1, "0.3"));
    wait_until("what is touched is decoded", || player.is_cached(Path::new("0.3"), SPAN));
    assert_eq!(source.given_up.load(SeqCst), 1);
    wait_until("and then what is near", || player.is_cached(Path::new("0.2"), SPAN));
    assert_eq!(*source.order.lock().unwrap(), ["slow/0.1", "0.3", "0.2"].map(PathBuf::from));
}

/// A disk that does not answer below `dead`, packets that never become sound below `endless`, and a constant elsewhere.
#[derive(Default)]
struct Disks {
    hanging: AtomicUsize,
    answers: std::sync::atomic::AtomicBool,
}

impl SegmentSource for Disks {
    fn load(&self, _: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        let frames = (span.duration_secs * f64::from(sample_rate_hz)).round() as usize;
        Ok(Arc::new(SegmentAudio::from_interleaved(&vec![0.5; frames * 2], frames, FADE_FRAMES)))
    }

    fn stream(
        &self,
        path: &Path,
        span: SegmentSpan,
        sample_rate_hz: u32,
        begun: TellBegun<'_>,
        goes_on: GoOn<'_>,
    ) -> Result<Option<Arc<SegmentAudio>>, PlayerError> {
        if path.starts_with("dead") {
            self.hanging.fetch_add(1, SeqCst);
            while !self.answers.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        while path.starts_with("endless") {
            if !goes_on() {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let audio = self.load(path, span, sample_rate_hz)?;
        begun(&audio);
        Ok(Some(audio))
    }
}

/// Runs the output until an event is `wanted`, and returns all up to then.
fn events_until(player: &mut Player, output: &mut tagscape::player::NullOutput, wanted: impl Fn(&PlayerEvent) -> bool) -> Vec<PlayerEvent> {
    let (until, mut events) = (Instant::now() + Duration::from_secs(20), Vec::new());
    while !events.iter().any(&wanted) {
        assert!(Instant::now() < until, "no end in 20 s: {events:?}");
        output.process(256);
        std::thread::sleep(Duration::from_millis(1));
        events.extend(player.poll());
    }
    events
}

#[test]
fn files_that_hang_are_named_and_do_not_leave_the_player_dumb() {
    let source = Arc::new(Disks::default());
    let config = PlayerConfig { worker_count: 2, patience: Duration::from_millis(200), ..PlayerConfig::default() };
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, config, Arc::clone(&source) as Arc<dyn SegmentSource>, None);
    for serial in 1..=2 {
        player.audition(request(serial, &format!("dead/{serial}")));
        wait_until("it hangs", || source.hanging.load(SeqCst) == serial as usize);
    }
    player.audition(request(3, "0.5"));
    let is_started = |wanted: u64| move |event: &PlayerEvent| matches!(event, PlayerEvent::Started { serial, .. } if *serial == wanted);
    let mut events = events_until(&mut player, &mut output, is_started(3));
    let is_named = |events: &[PlayerEvent], name: &str| {
        events.iter().any(|event| matches!(event, PlayerEvent::Notice { text } if text.contains(name) && text.contains("disk")))
    };
    if !is_named(&events, "dead/2") {
        events.extend(events_until(
            &mut player,
            &mut output,
            |event| matches!(event, PlayerEvent::Notice { text } if text.contains("dead/2")),
        ));
    }
    assert!(is_named(&events, "dead/1") && is_named(&events, "dead/2"), "{events:?}");
    // Each is told once, and a disk that answers at last lets its thread go.
    source.answers.store(true, SeqCst);
    wait_until("what hung is kept", || player.is_cached(Path::new("dead/1"), SPAN));
    player.audition(request(4, "dead/9"));
    events.extend(events_until(&mut player, &mut output, is_started(4)));
    let notices = events.iter().filter(|event| matches!(event, PlayerEvent::Notice { .. })).count();
    assert_eq!(notices, 2, "{events:?}");
}

#[test]
fn a_file_that_hangs_while_it_is_prefetched_does_not_end_prefetching() {
    let source = Arc::new(Disks::default());
    let config = PlayerConfig { worker_count: 2, patience: Duration::from_millis(200), ..PlayerConfig::default() };
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, config, Arc::clone(&source) as Arc<dyn SegmentSource>, None);
    player.prefetch(&[request(0, "dead/1"), request(0, "0.25")]);
    wait_until("it hangs", || source.hanging.load(SeqCst) == 1);
    player.audition(request(1, "0.5"));
    events_until(&mut player, &mut output, |event| matches!(event, PlayerEvent::Started { .. }));
    wait_until("the next is fetched", || player.is_cached(Path::new("0.25"), SPAN));
    source.answers.store(true, SeqCst);
}

#[test]
fn packets_that_never_become_sound_end_as_a_failure_with_the_files_name() {
    let source = Arc::new(Disks::default());
    let config = PlayerConfig { patience: Duration::from_millis(50), ..PlayerConfig::default() };
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, config, source as Arc<dyn SegmentSource>, None);
    player.audition(request(1, "endless/1"));
    let events = events_until(&mut player, &mut output, |event| matches!(event, PlayerEvent::Failed { .. }));
    assert!(matches!(&events[..], [PlayerEvent::Failed { serial: 1, reason }] if reason.contains("endless/1")), "{events:?}");
    player.audition(request(2, "0.5"));
    events_until(&mut player, &mut output, |event| matches!(event, PlayerEvent::Started { serial: 2, .. }));
}

/// Notes in memory.
#[derive(Default)]
struct Notes(Mutex<HashMap<PathBuf, KnownNote>>);

impl TrackNotes for Notes {
    fn note(&self, path: &Path) -> KnownNote {
        self.0.lock().unwrap().get(path).cloned().unwrap_or_default()
    }

    fn keep(&self, path: &Path, note: KnownNote) {
        let mut notes = self.0.lock().unwrap();
        let known = notes.entry(path.to_owned()).or_default();
        known.seek_index = note.seek_index.or(known.seek_index.take());
        known.loudness = note.loudness.or(known.loudness);
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)
}

#[test]
fn a_tracks_index_and_loudness_are_noted_once_and_its_next_segment_has_the_common_level() {
    let path = fixture("vbr.mp3");
    let notes = Arc::new(Notes::default());
    let source = FileSource::with_notes(Arc::clone(&notes) as Arc<dyn TrackNotes>);
    let before = source.load(&path, SPAN, RATE_HZ).unwrap().frames();
    source.learn(&path, &|| false);
    assert_eq!(notes.note(&path).loudness, None, "given up");
    source.learn(&path, &|| true);
    let noted = notes.note(&path);
    let (bytes, loudness) = (noted.seek_index.clone().unwrap(), noted.loudness.unwrap());
    assert!(loudness.lufs < 0.0 && loudness.lufs > -60.0, "{loudness:?}");
    let gain = loudness.gain();
    for source in [source, FileSource::with_notes(Arc::clone(&notes) as Arc<dyn TrackNotes>)] {
        let after = source.load(&path, SPAN, RATE_HZ).unwrap().frames();
        assert!(before.as_flattened().iter().zip(after.as_flattened()).all(|(before, after)| before * gain == *after));
        assert!(after.as_flattened().iter().all(|sample| sample.abs() <= 1.0_f32.max(before[0][0])));
        source.learn(&path, &|| true);
    }
    assert_eq!(notes.note(&path), noted);
    assert!(bytes.len() < 100_000);
}
