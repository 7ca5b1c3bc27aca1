//! The player: exact spans, fades without clicks, the newest hover, and a real-time side that never touches the heap.

use std::collections::HashMap;
use std::f32::consts::{FRAC_PI_2, TAU};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tagscape::catalog::SegmentSpan;
use tagscape::player::{
    AuditionRequest, Cue, FileSource, Mixer, MixerCommand, MixerLink, MixerReport, MixerStatus, NullOutput, OutputChoice, Player,
    PlayerConfig, PlayerError, PlayerEvent, SegmentAudio, SegmentSource, mixer_link,
};

use crate::common::counting_alloc::{AllocCount, count_allocations};

const RATE_HZ: u32 = 48_000;
pub const FADE_FRAMES: usize = 480;
const SEGMENT: SegmentSpan = SegmentSpan { start_secs: 0.0, duration_secs: 2.992 };
pub const SEGMENT_FRAMES: usize = 143_616;
/// The steepest part of a fade of something as loud as can be.
const FADE_STEP: f32 = FRAC_PI_2 / FADE_FRAMES as f32;

fn constant(left: f32, right: f32, frames: usize) -> Arc<SegmentAudio> {
    Arc::new(SegmentAudio::from_interleaved(&[left, right].repeat(frames), frames, FADE_FRAMES))
}

fn sine(hz: f32, frames: usize) -> Arc<SegmentAudio> {
    let wave = (0..frames).map(|n| 0.5 * (TAU * hz * n as f32 / RATE_HZ as f32).sin());
    let stereo: Vec<f32> = wave.flat_map(|sample| [sample, sample]).collect();
    Arc::new(SegmentAudio::from_interleaved(&stereo, frames, FADE_FRAMES))
}

fn mixer() -> (Mixer, MixerLink, Arc<MixerStatus>) {
    let status = Arc::new(MixerStatus::default());
    let (mixer, link) = mixer_link(RATE_HZ, Arc::clone(&status));
    (mixer, link, status)
}

fn play(link: &mut MixerLink, serial: u64, audio: Arc<SegmentAudio>) {
    link.commands.push(MixerCommand::Play(Cue { serial, audio, requested_at: Instant::now(), from_frame: 0 })).expect("room for a command");
}

/// The next frames of the mixer's left and right.
fn run(mixer: &mut Mixer, frames: usize, block: usize) -> Vec<[f32; 2]> {
    let mut heard = vec![0.0; frames * 2];
    heard.chunks_mut(block * 2).for_each(|part| mixer.process(part));
    heard.as_chunks::<2>().0.to_vec()
}

fn largest_step(heard: &[[f32; 2]]) -> f32 {
    heard.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max)
}

#[test]
fn a_segment_sounds_for_exactly_its_span_and_fades_at_both_ends() {
    for block in [1, 64, 256, 1000] {
        let (mut mixer, mut link, _) = mixer();
        play(&mut link, 1, constant(1.0, -1.0, SEGMENT_FRAMES));
        let heard = run(&mut mixer, SEGMENT_FRAMES + 2000, block);
        let sounding = heard.iter().filter(|frame| frame[0] != 0.0).count();
        assert_eq!(sounding, SEGMENT_FRAMES, "block {block}");
        assert!(heard[0][0] > 0.0, "it sounds from the first frame");
        assert!(heard[FADE_FRAMES..SEGMENT_FRAMES - FADE_FRAMES].iter().all(|frame| *frame == [1.0, -1.0]), "unchanged between the fades");
        assert!(largest_step(&heard) <= FADE_STEP * 1.001, "block {block}: {}", largest_step(&heard));
    }
}

#[test]
fn a_segment_shorter_than_its_fades_does_not_click() {
    let (mut mixer, mut link, _) = mixer();
    play(&mut link, 1, constant(1.0, 1.0, 100));
    let heard = run(&mut mixer, 300, 64);
    assert_eq!(heard.iter().filter(|frame| frame[0] != 0.0).count(), 100);
    assert!(largest_step(&heard) <= FADE_STEP * 1.001);
}

#[test]
fn a_cross_fade_keeps_the_power() {
    let (mut mixer, mut link, _) = mixer();
    play(&mut link, 1, constant(1.0, 0.0, SEGMENT_FRAMES));
    run(&mut mixer, 1000, 250);
    play(&mut link, 2, constant(0.0, 1.0, SEGMENT_FRAMES));
    let heard = run(&mut mixer, 1000, 250);
    for (n, [left, right]) in heard.iter().enumerate() {
        let power = left * left + right * right;
        assert!((power - 1.0).abs() < 1e-5, "frame {n}: power {power}");
    }
    assert!(heard[FADE_FRAMES / 2][0] > 0.7 && heard[FADE_FRAMES / 2][1] > 0.7, "half-way both sound: {:?}", heard[FADE_FRAMES / 2]);
    assert_eq!(heard[FADE_FRAMES - 1], [0.0, 1.0], "after 10 ms only the new one");
}

#[test]
fn a_loop_goes_over_into_its_start_without_a_click_or_a_gap() {
    // A whole number of periods between the wrap's two ends: a perfect loop goes on as the sine itself.
    let frames = 48_000 + FADE_FRAMES;
    for block in [64, 1000] {
        let (mut mixer, mut link, status) = mixer();
        status.set_looping(true);
        play(&mut link, 1, sine(400.0, frames));
        let heard = run(&mut mixer, 3 * 48_000, block);
        let sine_step = 0.5 * TAU * 400.0 / RATE_HZ as f32;
        // Two equal waves at equal power are up to 1.42 times as loud where they meet.
        assert!(largest_step(&heard) <= 1.45 * sine_step, "block {block}: {}", largest_step(&heard));
        let loudest = |from: usize| heard[from..from + 240].iter().map(|frame| frame[0].abs()).fold(0.0, f32::max);
        assert!((FADE_FRAMES..heard.len() - 240).step_by(240).all(|from| loudest(from) > 0.49), "block {block}: no gap");
        // Told to end, it ends where the segment does; a stop fades it out wherever it is.
        status.set_looping(false);
        let rest = run(&mut mixer, 2 * 48_000, block);
        assert_eq!(rest.last(), Some(&[0.0, 0.0]));
        status.set_looping(true);
        play(&mut link, 2, sine(400.0, frames));
        run(&mut mixer, (frames - 200).next_multiple_of(block), block);
        link.commands.push(MixerCommand::Stop).expect("room");
        let rest = run(&mut mixer, 4 * block.max(FADE_FRAMES), block);
        assert!(largest_step(&rest) <= 1.5 * sine_step && rest.last() == Some(&[0.0, 0.0]), "block {block}");
    }
}

#[test]
fn a_stop_fades_out_within_ten_milliseconds() {
    let (mut mixer, mut link, status) = mixer();
    play(&mut link, 1, constant(1.0, 1.0, SEGMENT_FRAMES));
    run(&mut mixer, 1024, 256);
    link.commands.push(MixerCommand::Stop).expect("room");
    let heard = run(&mut mixer, 1024, 256);
    assert!(largest_step(&heard) <= FADE_STEP * 1.001);
    assert!(heard[FADE_FRAMES - 2][0] > 0.0);
    assert!(heard[FADE_FRAMES..].iter().all(|frame| *frame == [0.0, 0.0]));
    assert_eq!(status.volume(), 1.0);
}

#[test]
fn the_volume_glides() {
    let (mut mixer, mut link, status) = mixer();
    play(&mut link, 1, constant(1.0, 1.0, SEGMENT_FRAMES));
    run(&mut mixer, 1024, 256);
    status.set_volume(0.25);
    let heard = run(&mut mixer, 1024, 256);
    assert!(largest_step(&heard) <= 1.001 / (0.020 * RATE_HZ as f32));
    assert!((heard[1023][0] - 0.25).abs() < 1e-6);
    status.set_volume(f32::NAN);
    run(&mut mixer, 2048, 256);
    assert_eq!(run(&mut mixer, 1, 1), [[0.0, 0.0]], "not a number is silence, not noise");
}

#[test]
fn a_sweep_over_a_thousand_points_neither_clicks_nor_piles_up() {
    // 48 frames apart: a thousand new points a second. Of a constant, every step is the fades' own.
    for (wave, music_step) in [(constant(0.5, 0.5, SEGMENT_FRAMES), 0.0), (sine(440.0, SEGMENT_FRAMES), 0.5 * TAU * 440.0 / RATE_HZ as f32)]
    {
        let (mut mixer, mut link, _) = mixer();
        let mut heard = Vec::new();
        let (mut started, mut ended) = (Vec::new(), 0);
        for serial in 0..1000 {
            play(&mut link, serial, Arc::clone(&wave));
            heard.extend(run(&mut mixer, 48, 48));
            while let Ok(report) = link.reports.pop() {
                match report {
                    MixerReport::Started { serial, .. } => started.push(serial),
                    MixerReport::Ended { .. } => ended += 1,
                }
            }
        }
        assert!(ended >= 1000 - 5, "four voices and one that waits, the others have been given back: {ended}");
        heard.extend(run(&mut mixer, 2 * FADE_FRAMES, 48));
        while let Ok(report) = link.reports.pop() {
            if let MixerReport::Started { serial, .. } = report {
                started.push(serial);
            }
        }
        assert_eq!(started.last(), Some(&999), "the newest wins");
        assert!(started.is_sorted(), "and never an older one after it");
        assert!(started.len() > 100, "the sweep is heard: {}", started.len());
        // Powers add up to at most 1, so four gains add up to at most 2; each fade moves by at most its own step.
        let bound = 2.0 * music_step + 4.0 * 0.5 * FADE_STEP;
        assert!(largest_step(&heard) <= bound, "{} > {bound}", largest_step(&heard));
        assert!(heard.iter().all(|frame| frame[0].abs() <= 1.0), "nothing adds up beyond two voices in step");
    }
}

#[test]
fn the_real_time_side_neither_allocates_nor_frees() {
    let (mut mixer, mut link, status) = mixer();
    let mut block = vec![0.0; 2 * 256];
    let (mut ended, mut total) = (0, AllocCount::default());
    for round in 0..4000_u64 {
        match round % 7 {
            // Short ones that end by themselves, long ones that are faded out, several between two calls, stops, silence.
            0 => play(&mut link, round, constant(0.1, 0.1, 600)),
            1 | 2 => (0..3).for_each(|_| play(&mut link, round, constant(0.1, 0.1, 50_000))),
            3 if round % 2 == 0 => link.commands.push(MixerCommand::Stop).expect("room"),
            4 => status.set_volume((round % 5) as f32 / 4.0),
            _ => {}
        }
        let ((), count) = count_allocations(|| mixer.process(&mut block));
        total.allocations += count.allocations;
        total.frees += count.frees;
        while let Ok(report) = link.reports.pop() {
            ended += usize::from(matches!(report, MixerReport::Ended { .. }));
        }
    }
    assert_eq!(total, AllocCount::default());
    assert!(ended > 3900, "the mixer held the last reference to each buffer and handed it back: {ended}");
}

#[test]
fn a_supervisor_that_does_not_look_loses_nothing_and_costs_nothing() {
    let (mut mixer, mut link, _) = mixer();
    let mut block = vec![0.0; 2 * 64];
    let (mut pushed, mut total) = (0, AllocCount::default());
    for serial in 0..5000 {
        let cue = Cue { serial, audio: constant(0.1, 0.1, 32), requested_at: Instant::now(), from_frame: 0 };
        pushed += usize::from(link.commands.push(MixerCommand::Play(cue)).is_ok());
        let ((), count) = count_allocations(|| mixer.process(&mut block));
        total.allocations += count.allocations;
        total.frees += count.frees;
    }
    assert_eq!(total, AllocCount::default());
    assert!(pushed < 5000, "with nobody to take the reports the mixer takes no more cues");
    let mut ended = 0;
    for _ in 0..100 {
        while let Ok(report) = link.reports.pop() {
            ended += usize::from(matches!(report, MixerReport::Ended { .. }));
        }
        mixer.process(&mut block);
    }
    assert_eq!(ended, pushed);
}

/// Constants by name: `0.25` is a file that sounds like 0.25. `slow/0.25` takes its time.
#[derive(Default)]
struct ConstantSource {
    loads: AtomicUsize,
    by_path: Mutex<HashMap<PathBuf, usize>>,
}

impl SegmentSource for ConstantSource {
    fn load(&self, path: &Path, span: SegmentSpan, sample_rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
        self.loads.fetch_add(1, SeqCst);
        *self.by_path.lock().unwrap().entry(path.to_owned()).or_default() += 1;
        assert!(!path.starts_with("broken"), "a decoder that panics");
        if path.starts_with("slow") {
            std::thread::sleep(Duration::from_millis(150));
        }
        let level: f32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let frames = (span.duration_secs * f64::from(sample_rate_hz)).round() as usize;
        Ok(Arc::new(SegmentAudio::from_interleaved(&vec![level; frames * 2], frames, FADE_FRAMES)))
    }
}

fn request(serial: u64, path: &str) -> AuditionRequest {
    AuditionRequest { serial, path: path.into(), span: SEGMENT }
}

fn by_hand(source: &Arc<ConstantSource>) -> (Player, NullOutput) {
    Player::start_by_hand(RATE_HZ, PlayerConfig::default(), Arc::clone(source) as Arc<dyn SegmentSource>, None)
}

/// Runs the output until `is_enough`, and returns the events up to then.
fn events_until(player: &mut Player, output: &mut NullOutput, is_enough: impl Fn(&[PlayerEvent]) -> bool) -> Vec<PlayerEvent> {
    let until = Instant::now() + Duration::from_secs(20);
    let mut events = Vec::new();
    while !is_enough(&events) {
        assert!(Instant::now() < until, "no end in 20 s: {events:?}");
        output.process(256);
        std::thread::sleep(Duration::from_millis(1));
        events.extend(player.poll());
    }
    events
}

fn has_started(serial: u64) -> impl Fn(&[PlayerEvent]) -> bool {
    move |events| events.iter().any(|event| matches!(event, PlayerEvent::Started { serial: started, .. } if *started == serial))
}

pub fn has_finished(serial: u64) -> impl Fn(&[PlayerEvent]) -> bool {
    move |events| events.contains(&PlayerEvent::Finished { serial })
}

#[test]
fn the_newest_of_a_thousand_rapid_auditions_wins() {
    let source = Arc::new(ConstantSource::default());
    let (mut player, mut output) = by_hand(&source);
    for serial in 0..1000 {
        player.audition(request(serial, &format!("{}", (serial + 1) as f32 / 1000.0)));
    }
    let mut events = events_until(&mut player, &mut output, has_started(999));
    let heard = output.process(2 * FADE_FRAMES).to_vec();
    assert_eq!(heard[4 * FADE_FRAMES - 1], 1.0, "it alone sounds");
    assert_eq!(player.status().playing, Some(999));
    assert!(source.loads.load(SeqCst) < 1000, "what was stale before it was its turn is never decoded");
    player.stop();
    events.extend(events_until(&mut player, &mut output, has_finished(999)));
    let started: Vec<u64> =
        events.iter().filter_map(|event| if let PlayerEvent::Started { serial, .. } = event { Some(*serial) } else { None }).collect();
    let mut finished: Vec<u64> =
        events.iter().filter_map(|event| if let PlayerEvent::Finished { serial } = event { Some(*serial) } else { None }).collect();
    assert!(started.is_sorted());
    finished.sort_unstable();
    assert_eq!(started, finished, "each that started finishes once");
}

#[test]
fn a_segment_that_was_heard_sounds_again_without_decoding_until_memory_runs_out() {
    let source = Arc::new(ConstantSource::default());
    let config = PlayerConfig { cache_bytes: SEGMENT_FRAMES * 8 * 2, ..PlayerConfig::default() };
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, config.clone(), Arc::clone(&source) as Arc<dyn SegmentSource>, None);
    for (serial, path) in [(1, "0.1"), (2, "0.2"), (3, "0.1"), (4, "0.3"), (5, "0.1"), (6, "0.2")] {
        player.audition(request(serial, path));
        events_until(&mut player, &mut output, has_started(serial));
        // The worker plays first and keeps afterwards.
        while !player.is_cached(Path::new(path), SEGMENT) {
            std::thread::yield_now();
        }
    }
    let loads = source.by_path.lock().unwrap().clone();
    assert_eq!([loads[Path::new("0.1")], loads[Path::new("0.2")], loads[Path::new("0.3")]], [1, 2, 1]);
    let status = player.status();
    assert_eq!((status.cache_hits, status.cache_misses), (2, 4));
    assert!(status.cached_bytes <= config.cache_bytes);
}

#[test]
fn a_stale_decode_is_kept_but_not_heard() {
    let source = Arc::new(ConstantSource::default());
    let (mut player, mut output) = by_hand(&source);
    player.audition(request(1, "slow/0.5"));
    while source.loads.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    player.audition(request(2, "0.25"));
    let mut events = events_until(&mut player, &mut output, has_started(2));
    while !player.is_cached(Path::new("slow/0.5"), SEGMENT) {
        assert!(output.process(256).iter().all(|sample| *sample <= 0.25), "only the newer one sounds");
        std::thread::sleep(Duration::from_millis(5));
    }
    events.extend(player.poll());
    assert!(!has_started(1)(&events));
    assert_eq!(player.status().playing, Some(2));
}

#[test]
fn a_stop_silences_what_is_still_being_decoded() {
    let source = Arc::new(ConstantSource::default());
    let (mut player, mut output) = by_hand(&source);
    player.audition(request(1, "slow/0.5"));
    while source.loads.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert!(!player.is_cached(Path::new("slow/0.5"), SEGMENT), "it is being decoded");
    player.stop();
    let until = Instant::now() + Duration::from_secs(20);
    while !player.is_cached(Path::new("slow/0.5"), SEGMENT) {
        assert!(Instant::now() < until, "the decode does not end");
        assert!(output.process(256).iter().all(|sample| *sample == 0.0));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(output.process(4096).iter().all(|sample| *sample == 0.0), "decoded, and still silent");
    assert_eq!(player.poll(), []);
    // It would have been heard.
    player.audition(request(2, "slow/0.5"));
    events_until(&mut player, &mut output, has_started(2));
    assert_eq!(source.loads.load(SeqCst), 1, "it sounds as it was decoded the first time");
}

#[test]
fn a_missing_file_is_named_and_silences_what_sounded() {
    struct Both(ConstantSource);
    impl SegmentSource for Both {
        fn load(&self, path: &Path, span: SegmentSpan, rate_hz: u32) -> Result<Arc<SegmentAudio>, PlayerError> {
            if path.starts_with("/") { FileSource::default().load(path, span, rate_hz) } else { self.0.load(path, span, rate_hz) }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("not music.ogg");
    std::fs::write(&text, "not music").unwrap();
    let gone = folder.path().join("gone.ogg");
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, PlayerConfig::default(), Arc::new(Both(ConstantSource::default())), None);
    for (serial, path) in [(2, gone), (4, text), (6, folder.path().to_owned())] {
        player.audition(request(serial - 1, "0.5"));
        events_until(&mut player, &mut output, has_started(serial - 1));
        let name = path.display().to_string();
        player.audition(AuditionRequest { serial, path, span: SEGMENT });
        let events = events_until(&mut player, &mut output, has_finished(serial - 1));
        let failed =
            events.iter().find_map(|event| if let PlayerEvent::Failed { serial, reason } = event { Some((*serial, reason)) } else { None });
        let (failed, reason) = failed.expect("a failure");
        assert_eq!(failed, serial);
        assert!(reason.contains(&name) && !reason.contains('\n'), "{reason}");
    }
    player.audition(AuditionRequest { serial: 7, path: "/x.ogg".into(), span: SegmentSpan { start_secs: f64::NAN, duration_secs: -1.0 } });
    events_until(&mut player, &mut output, |events| events.iter().any(|event| matches!(event, PlayerEvent::Failed { serial: 7, .. })));
}

#[test]
fn a_decoder_that_panics_fails_one_audition_and_no_more() {
    let (mut player, mut output) = by_hand(&Arc::new(ConstantSource::default()));
    for serial in 1..4 {
        player.audition(request(serial, "broken/0.5"));
        let events = events_until(&mut player, &mut output, |events| !events.is_empty());
        assert!(matches!(&events[0], PlayerEvent::Failed { reason, .. } if reason.contains("broken/0.5")), "{events:?}");
    }
    player.audition(request(4, "0.5"));
    events_until(&mut player, &mut output, has_started(4));
}

#[test]
fn a_panic_in_a_thread_of_the_player_does_not_silence_it() {
    // Who is woken panics: in the worker that tells of a failure, and in the supervisor that tells of a start and of an end.
    let woken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&woken);
    let wake: tagscape::player::WakeFn = Arc::new(move || assert!(counted.fetch_add(1, SeqCst) >= 4, "planted"));
    let source = Arc::new(ConstantSource::default()) as Arc<dyn SegmentSource>;
    let config = PlayerConfig { worker_count: 1, ..PlayerConfig::default() };
    let (mut player, mut output) = Player::start_by_hand(RATE_HZ, config, source, Some(wake));
    player.audition(request(1, "broken/0.5"));
    events_until(&mut player, &mut output, |events| events.iter().any(|event| matches!(event, PlayerEvent::Failed { serial: 1, .. })));
    for serial in 2..5 {
        player.audition(request(serial, &format!("0.{serial}")));
        events_until(&mut player, &mut output, has_started(serial));
    }
    player.stop();
    events_until(&mut player, &mut output, has_finished(4));
    assert!(woken.load(SeqCst) >= 4);
}

#[test]
fn without_a_device_auditions_play_to_nowhere_in_real_time_and_wake_the_window() {
    let woken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&woken);
    let wake: tagscape::player::WakeFn = Arc::new(move || {
        counted.fetch_add(1, SeqCst);
    });
    let config = PlayerConfig { pause_after: Duration::from_millis(60), ..PlayerConfig::default() };
    let (mut player, notice) = Player::start_with(OutputChoice::Null, config, Arc::new(ConstantSource::default()), Some(wake));
    assert_eq!(notice, None, "it was asked for");
    assert!(!player.status().is_audible);
    for serial in 1..3 {
        let span = SegmentSpan { start_secs: 0.0, duration_secs: 0.3 };
        let began = Instant::now();
        player.audition(AuditionRequest { serial, path: "0.5".into(), span });
        let mut events = Vec::new();
        while !has_finished(serial)(&events) {
            assert!(began.elapsed() < Duration::from_secs(20), "{events:?}");
            std::thread::sleep(Duration::from_millis(1));
            events.extend(player.poll());
        }
        assert!(
            matches!(events[0], PlayerEvent::Started { latency_ms, .. } if latency_ms >= 0.0 && latency_ms < 1000.0 * began.elapsed().as_secs_f64())
        );
        assert!(began.elapsed() >= Duration::from_millis(285), "in real time, not faster: {:?}", began.elapsed());
        assert!(woken.load(SeqCst) >= 2, "the window was told of the start and of the end");
        while player.status().is_running {
            assert!(began.elapsed() < Duration::from_secs(20), "an idle player pauses its output");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
