//! What happens to a window besides its user: it is resized, hidden, moved and left alone. Numbers of frames and processor time, not pictures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tagscape::app::resources::demo_collection;

use super::window::{Ended, cpu_ticks, events, move_pointer, screen, wait_for};

const PATIENCE: Duration = Duration::from_secs(120);

/// A window on a virtual screen of its own.
pub struct Shown {
    _server: Ended,
    process: Ended,
    pub display: String,
    pub log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Shown {
    /// The demo collection in a window with these options, once it is ready.
    pub fn open(options: &[&str]) -> Option<Self> {
        Self::open_on(&demo_collection().unwrap(), options)
    }

    /// The same of any collection.
    pub fn open_on(collection: &Path, options: &[&str]) -> Option<Self> {
        let (server, display) = screen()?;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("events.jsonl");
        move_pointer(&display, 1439, 899);
        let process = Command::new(env!("CARGO_BIN_EXE_tagscape"))
            .args(["explore", collection.to_str().unwrap(), "--event-log", log.to_str().unwrap()])
            .args(options)
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY")
            .spawn()
            .unwrap();
        let shown = Self { _server: server, process: Ended(process), display, log, _folder: folder };
        wait_for(&shown.log, 0, PATIENCE, |event| event["event"] == "ready").expect("the window gets ready");
        Some(shown)
    }

    pub fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").env("DISPLAY", &self.display).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn window(&self) -> String {
        let found = self.xdotool(&["search", "--name", "tagscape"]);
        found.lines().next().unwrap().to_owned()
    }

    pub fn events(&self) -> Vec<Value> {
        events(&self.log)
    }

    /// Frames presented, once the window has said that it is still and nothing was logged for a second.
    pub fn rest(&self) -> u64 {
        let mut before = usize::MAX;
        for _ in 0..60 {
            let events = self.events();
            if events.len() == before && events.iter().any(|event| event["event"] == "still") {
                break;
            }
            before = events.len();
            std::thread::sleep(Duration::from_secs(1));
        }
        let still = self.events().into_iter().rev().find(|event| event["event"] == "still").expect("it comes to rest");
        still["frames"].as_u64().unwrap()
    }

    fn is_alive(&self) -> bool {
        Path::new(&format!("/proc/{}/fd", self.process.0.id())).read_dir().is_ok_and(|mut files| files.next().is_some())
    }
}

#[test]
fn a_window_that_is_left_alone_presents_nothing_and_takes_no_time() {
    for options in [&["--view", "density"][..], &["--3d"], &["--method", "tsne", "--space", "mtt-musicnn-taggrams"]] {
        let Some(shown) = Shown::open(options) else { return };
        if options.contains(&"tsne") {
            wait_for(&shown.log, 0, PATIENCE, |event| event["event"] == "projection" && event["iterations"].as_u64() > Some(100)).unwrap();
        }
        // The sound output opens beside the map, and tells when it is there.
        let frames = shown.rest();
        let (before, ticks) = (shown.events().len(), cpu_ticks(shown.process.0.id()));
        std::thread::sleep(Duration::from_secs(2));
        let ticks = cpu_ticks(shown.process.0.id()) - ticks;
        assert_eq!(shown.events().len(), before, "{options:?}: {:?}", shown.events().last());
        assert!(frames > 0 && ticks <= 10, "{options:?}: {ticks} hundredths of a second of 200");
    }
}

#[test]
fn a_window_goes_on_after_it_was_tiny_hidden_and_moved_even_with_a_button_down() {
    let Some(shown) = Shown::open(&[]) else { return };
    let window = shown.window();
    let mut frames = shown.rest();
    let mut more = |what: &str| {
        let now = shown.rest();
        assert!(shown.is_alive() && now > frames, "{what}: {now} frames after {frames}");
        frames = now;
    };
    for (width, height) in [("1", "1"), ("3", "900"), ("40", "20"), ("1440", "900")] {
        shown.xdotool(&["windowsize", &window, width, height]);
        more("resized");
    }
    shown.xdotool(&["windowunmap", &window]);
    std::thread::sleep(Duration::from_millis(300));
    shown.xdotool(&["windowmap", &window]);
    more("hidden and shown");
    shown.xdotool(&["windowmove", &window, "30", "20"]);
    shown.xdotool(&["windowmove", &window, "0", "0"]);
    // In the middle of a drag.
    move_pointer(&shown.display, 700, 400);
    shown.xdotool(&["mousedown", "1"]);
    move_pointer(&shown.display, 720, 420);
    shown.xdotool(&["windowsize", &window, "900", "600"]);
    move_pointer(&shown.display, 600, 300);
    shown.xdotool(&["windowsize", &window, "1440", "900"]);
    shown.xdotool(&["windowunmap", &window]);
    shown.xdotool(&["mouseup", "1"]);
    shown.xdotool(&["windowmap", &window]);
    more("dragged");
    // The button went up where the window could not see it; pointing works all the same.
    let before = shown.events().len();
    for y in (150..750).step_by(8) {
        move_pointer(&shown.display, 500 + y % 97, y);
    }
    wait_for(&shown.log, before, Duration::from_secs(20), |event| event["event"] == "hover").expect("a segment is pointed at");
    let notices: Vec<_> = shown.events().into_iter().filter(|event| event["event"] == "notice").collect();
    assert!(notices.iter().all(|notice| !notice["text"].as_str().unwrap_or_default().contains("GPU")), "{notices:?}");
}

#[test]
fn a_window_that_is_resized_while_tsne_moves_on_its_gpu_is_drawn_at_every_size() {
    const RESIZES: usize = 40;
    let options = ["--method", "tsne", "--device", "gpu", "--space", "mtt-musicnn-taggrams"];
    let Some(shown) = Shown::open(&options) else { return };
    // Its first layout, and some steps: the next event is that it is done, after minutes.
    wait_for(&shown.log, 0, PATIENCE, |event| event["event"] == "projection").expect("t-SNE begins");
    std::thread::sleep(Duration::from_secs(2));
    let window = shown.window();
    for turn in 0..RESIZES {
        let (width, height) = (800 + 640 * (turn * 7 % RESIZES) / RESIZES, 500 + 400 * (turn * 11 % RESIZES) / RESIZES);
        shown.xdotool(&["windowsize", &window, &width.to_string(), &height.to_string()]);
        std::thread::sleep(Duration::from_millis(250));
    }
    let events = shown.events();
    let is_over = |event: &Value| event["event"] == "projection" && event["iterations"].as_u64() > Some(0);
    assert!(shown.is_alive() && !events.iter().any(is_over), "t-SNE ended before the window was resized");
    let texts: Vec<_> = events.iter().filter(|event| event["event"] == "notice").filter_map(|event| event["text"].as_str()).collect();
    let troubles: Vec<_> = texts.iter().filter(|text| ["GPU", "Surface", "Scissor"].iter().any(|word| text.contains(word))).collect();
    assert!(troubles.is_empty(), "{troubles:?}");
}
