//! The whole way, as a visitor goes it: a window on a virtual screen, a pointer moved onto a point, and what the sound card hears.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use glam::Vec2;
use serde_json::Value;
use tagscape::app::projection_job::ProjectionRequest;
use tagscape::app::resources::demo_collection;
use tagscape::audio::{decode_span, to_mono_at};
use tagscape::catalog::SegmentId;
use tagscape::command::MethodKind;
use tagscape::project::{Compute, NoObserver, Tuning};
use tagscape::scene::pick::{Aim, nearest_on_screen};
use tagscape::scene::{Dimensions, MapSize, Scene};
use tagscape::seed::SplitMix64;
use tagscape::store::Collection;

use crate::common::pulse::{PulseSink, SINK_RATE_HZ, share_heard};

/// How many segments are pointed at; most of them have to be heard as they are.
const ATTEMPTS: usize = 5;

/// A process that ends with the test.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A virtual screen. `None` where Xvfb or xdotool is not installed; with `CI` set that is a failure.
pub fn screen() -> Option<(Ended, String)> {
    super::assert_is_exclusive("a screen");
    let has = |program: &str| Command::new(program).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !has("Xvfb") || !has("xdotool") {
        assert!(std::env::var_os("CI").is_none(), "Xvfb and xdotool are needed (apt: xvfb xdotool)");
        println!("not run: Xvfb and xdotool are not installed");
        return None;
    }
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut number = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
    Some((Ended(server), format!(":{}", number.trim())))
}

pub fn events(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The first event from number `first` on that `wanted` accepts.
pub fn wait_for(log: &Path, first: usize, limit: Duration, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let until = Instant::now() + limit;
    loop {
        if let Some(event) = events(log).into_iter().skip(first).find(&wanted) {
            return Some(event);
        }
        if Instant::now() > until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// CPU time that a process has taken, in hundredths of a second.
pub fn cpu_ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

pub fn move_pointer(display: &str, x: i64, y: i64) {
    let moved = Command::new("xdotool").env("DISPLAY", display).args(["mousemove", &x.to_string(), &y.to_string()]).status().unwrap();
    assert!(moved.success());
}

/// The demo's first picture, as the window computes it for a map of this size.
pub fn demo_scene(collection: &Arc<Collection>, map: MapSize) -> Scene {
    let request = ProjectionRequest {
        serial: 1,
        collection: collection.clone(),
        space: "msd-musicnn-embeddings".parse().unwrap(),
        method: MethodKind::Pca,
        axes: None,
        dimensions: Dimensions::Two,
        compute: Compute::Cpu,
        tuning: Tuning::default(),
        layout_file: None,
        log: false,
    };
    let ready = request.run(&NoObserver).unwrap();
    Scene::new(ready.positions, ready.track_rows, ready.axis_names, ready.scale, ready.dimensions, map.aspect())
}

/// Segments that stand alone enough to be pointed at with whole pixels, in random order, with those pixels.
fn lonely_segments(scene: &Scene, map: MapSize) -> Vec<(SegmentId, Vec2)> {
    let mut seed = SplitMix64::new(5);
    let mut lonely = Vec::new();
    for _ in 0..4000 {
        let segment = SegmentId(seed.next_below(scene.positions.len() as u64) as u32);
        let pixel = scene.screen_of(segment, map).unwrap().round();
        let is_inside = (20.0..map.width - 20.0).contains(&pixel.x) && (20.0..map.height - 20.0).contains(&pixel.y);
        let others = scene.positions.iter().enumerate().filter(|(row, _)| *row != segment.0 as usize);
        let is_alone = || others.clone().all(|(row, _)| scene.screen_of(SegmentId(row as u32), map).unwrap().distance(pixel) > 4.0);
        if is_inside && nearest_on_screen(&Aim::new(scene, map, pixel, 5.0), &scene.positions) == Some(segment) && is_alone() {
            lonely.push((segment, pixel));
            if lonely.len() == ATTEMPTS {
                break;
            }
        }
    }
    assert_eq!(lonely.len(), ATTEMPTS);
    lonely
}

#[test]
fn the_segment_under_the_pointer_sounds_exactly_and_the_log_says_so() {
    let Some((_server, display)) = screen() else { return };
    let Some(sink) = PulseSink::start() else { return };
    let listening = sink.listen();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("events.jsonl");
    let demo = demo_collection().unwrap();
    move_pointer(&display, 1439, 899);
    let window = Command::new(env!("CARGO_BIN_EXE_tagscape"))
        .args(["explore", demo.to_str().unwrap(), "--event-log", log.to_str().unwrap()])
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .envs(sink.environment())
        .spawn()
        .unwrap();
    let window = Ended(window);
    let ready = wait_for(&log, 0, Duration::from_secs(120), |event| event["event"] == "ready").expect("the window gets ready");
    let rectangle: Vec<i64> = ready["map"].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect();
    let map = MapSize { width: rectangle[2] as f32, height: rectangle[3] as f32 };
    assert!(map.width > 600.0 && map.height > 500.0, "{ready}");
    // The sound output opens beside the map; a null sink takes its time with a new stream.
    std::thread::sleep(Duration::from_secs(3));

    // Nobody touches it: it draws nothing. A window that draws without end takes a whole core here, 100 ticks a second.
    let before = cpu_ticks(window.0.id());
    std::thread::sleep(Duration::from_secs(1));
    let idle = cpu_ticks(window.0.id()) - before;
    assert!(idle <= 25, "an idle window took {idle} ticks of CPU time in a second");

    let collection = Arc::new(Collection::open(&demo).unwrap());
    let scene = demo_scene(&collection, map);
    assert_eq!(ready["segments"].as_u64(), Some(scene.positions.len() as u64));
    let mut played = Vec::new();
    for (segment, pixel) in lonely_segments(&scene, map) {
        let (x, y) = (rectangle[0] + pixel.x as i64, rectangle[1] + pixel.y as i64);
        let before = events(&log).len();
        move_pointer(&display, x, y);
        let hover = wait_for(&log, before, Duration::from_secs(20), |event| event["event"] == "hover").expect("a hover");
        let (track, span) = collection.span("msd-musicnn-embeddings".parse().unwrap(), segment.0 as usize).unwrap();
        assert_eq!(hover["segment"].as_u64(), Some(u64::from(segment.0)), "{hover}");
        assert_eq!((hover["x"].as_f64(), hover["y"].as_f64()), (Some(x as f64), Some(y as f64)), "{hover}");
        assert_eq!((hover["track"].as_str(), hover["start_s"].as_f64()), (Some(track.path.as_str()), Some(span.start_secs)));
        let audition = wait_for(&log, before, Duration::from_secs(20), |event| event["event"] == "audition").expect("an audition");
        assert_eq!(audition["segment"], hover["segment"], "{audition}");
        assert_eq!((audition["track"].clone(), audition["start_s"].clone()), (hover["track"].clone(), hover["start_s"].clone()));
        let latency = audition["latency_ms"].as_f64().unwrap();
        assert!(latency >= 0.0);
        wait_for(&log, before, Duration::from_secs(20), |event| event["event"] == "stop").expect("it ends by itself");
        let wanted = decode_span(&collection.audio_root().join(&track.path), span).unwrap();
        played.push((hover.clone(), latency, to_mono_at(&wanted, SINK_RATE_HZ).unwrap()));
        move_pointer(&display, 1439, 899);
        std::thread::sleep(Duration::from_millis(300));
    }
    let heard: Vec<f32> = listening.finish().chunks_exact(2).map(|frame| (frame[0] + frame[1]) * 0.5).collect();
    let shares: Vec<(f64, f64)> = played.iter().map(|(_, latency, wanted)| (share_heard(&heard, wanted), *latency)).collect();
    println!("share heard and latency in ms of each: {shares:?}");
    // A null sink that drops out spoils one now and then; a program that plays something else spoils more than that.
    let alike = shares.iter().filter(|&&(share, _)| share > 0.5).count();
    assert!(alike * 2 > ATTEMPTS, "what was heard is not what was pointed at: {shares:?}");
    // Silence between, and another segment, are not alike: the measure can tell.
    let (first, second) = (&played[0].2, &played[1].2);
    assert!(share_heard(first, second) < 0.5);
}
