//! How a window ends: by a signal, by another program that destroys it, and by what was there before it could open.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::window::{Ended, events, move_pointer, screen, wait_for};
use tagscape::app::resources::demo_collection;

const PATIENCE: Duration = Duration::from_secs(120);

/// Opens the demo with these options, does something to it once it is ready, and gives what came of it and its last event.
fn ended(options: &[&str], end: impl Fn(u32, &str)) -> Option<(Output, String)> {
    let (_server, display) = screen()?;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("events.jsonl");
    move_pointer(&display, 1439, 899);
    let mut window = Ended(
        Command::new(env!("CARGO_BIN_EXE_tagscape"))
            .args(["explore", demo_collection().unwrap().to_str().unwrap(), "--event-log", log.to_str().unwrap()])
            .args(options)
            .env("DISPLAY", &display)
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    wait_for(&log, 0, PATIENCE, |event| event["event"] == "ready").expect("the window gets ready");
    end(window.0.id(), &display);
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = window.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "the window does not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    let read = |stream: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let stdout = read(window.0.stdout.as_mut().unwrap());
    let stderr = read(window.0.stderr.as_mut().unwrap());
    let last = events(&log).last().map_or(String::new(), |event| event["event"].as_str().unwrap_or_default().to_owned());
    Some((Output { status, stdout, stderr }, last))
}

fn ends_well(what: &str, (output, last): &(Output, String)) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), last.as_str(), said.as_ref()), (Some(0), "quit", ""), "{what}");
}

#[test]
fn a_signal_ends_the_window_as_a_click_does() {
    for signal in ["TERM", "INT", "HUP"] {
        let end = |process: u32, _: &str| {
            let sent = Command::new("kill").args(["-s", signal, &process.to_string()]).status().unwrap();
            assert!(sent.success());
        };
        let Some(ended) = ended(&[], end) else { return };
        ends_well(signal, &ended);
    }
}

#[test]
fn a_window_that_another_program_destroys_ends_as_by_a_click_also_in_the_middle_of_a_frame() {
    // At rest, and while an embedding draws frame after frame.
    for options in [&[][..], &["--method", "tsne"], &["--method", "umap", "--3d"]] {
        let destroy = |_: u32, display: &str| {
            std::thread::sleep(Duration::from_millis(700));
            let xdotool = |arguments: &[&str]| Command::new("xdotool").env("DISPLAY", display).args(arguments).output().unwrap();
            let found = String::from_utf8(xdotool(&["search", "--name", "tagscape"]).stdout).unwrap();
            assert!(xdotool(&["windowclose", found.lines().next().unwrap()]).status.success());
        };
        let Some(ended) = ended(options, destroy) else { return };
        ends_well(&format!("{options:?}"), &ended);
    }
}

#[test]
fn a_folder_of_music_is_not_extracted_for_a_window_that_cannot_open() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("music")).unwrap();
    std::fs::write(folder.path().join("music/a.wav"), crate::common::program::wav(&[0.1; 80_000])).unwrap();
    let refused = |name: &str, display: Option<&str>, word: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
        command.args(["explore", "music", "--out", "c.tagscape"]).current_dir(folder.path());
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
        command.envs(display.map(|display| ("DISPLAY", display)));
        if name == "no driver" {
            command.envs([("VK_DRIVER_FILES", "/no/such/file"), ("VK_ICD_FILENAMES", "/no/such/file")]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{name}: {said}");
        assert!(said.starts_with("tagscape: ") && said.contains(word) && !said.contains("registry"), "{name}: {said}");
        assert!(!folder.path().join("c.tagscape").exists(), "{name}");
    };
    refused("no display", None, "cannot open a window");
    refused("no server", Some(":4711"), "cannot open a window");
    let Some((_server, display)) = screen() else { return };
    refused("no driver", Some(&display), "mesa-vulkan-drivers");
}
