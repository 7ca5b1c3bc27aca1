//! What happens to a long extraction: it is stopped, the disk fills up, files change, someone else works on the same collection.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tagscape::audio::decode_span;
use tagscape::catalog::{SegmentSpan, path_from_text};
use tagscape::seed::SplitMix64;
use tagscape::store::Collection;

use crate::common::program::{extract, json, matrices, program, public_rows, refused, wav};

/// So much noise that a run over it is under way for as long as a test needs.
const LONG_SECS: usize = 1800;

fn noise(seed: u64, secs: usize) -> Vec<u8> {
    let mut seed = SplitMix64::new(seed);
    wav(&(0..secs * 16_000).map(|_| seed.next_f32() - 0.5).collect::<Vec<f32>>())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until something is so.
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(300), "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_asked_to_stop_stops_inside_of_a_file_and_the_same_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join("a.wav"), noise(1, 7)).unwrap();
    std::fs::write(music.join("b.wav"), noise(2, LONG_SECS)).unwrap();
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let mut command = program();
        command.arg("extract").arg(&music).arg("--out").arg(&out).args(["--models", "mtt-vgg,mtt-musicnn", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let number_of_child = child.id();
        let listens = || {
            let status = std::fs::read_to_string(format!("/proc/{number_of_child}/status")).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            u64::from_str_radix(caught.trim(), 16).unwrap() >> (number - 1) & 1 == 1
        };
        let start = Instant::now();
        while !(listens() && Collection::open(&out).is_ok_and(|collection| collection.tracks().len() == 1)) {
            if start.elapsed() > Duration::from_secs(120) || child.try_wait().unwrap().is_some() {
                let threads = std::fs::read_dir(format!("/proc/{number_of_child}/task")).map_or(0, Iterator::count);
                let opened = Collection::open(&out).map(|collection| collection.tracks().len()).map_err(|error| error.to_string());
                let _ = child.kill();
                let output = child.wait_with_output().unwrap();
                panic!("SIG{signal}: the first track did not come: {threads} threads, {opened:?}, {output:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        // Half an hour of noise was not waited for.
        let summary = json(&output);
        assert_eq!((output.status.code(), summary["tracks"].as_u64()), (Some(1), Some(1)), "SIG{signal}: {}", text(&output));
        assert_eq!(summary["failed"].as_array().map(Vec::len), Some(0), "{summary}");
        assert!(summary["stopped"].as_str().unwrap().contains("run the same command again"), "{summary}");
        let said = text(&output);
        assert!(said.contains("c.tagscape: 1, still to be done: 1; run the same command again to go on"), "{said}");
    }
    // A shorter file in its place: going on is what counts here.
    std::fs::write(music.join("b.wav"), noise(2, 7)).unwrap();
    let whole = folder.path().join("whole.tagscape");
    for collection in [&out, &whole] {
        assert_eq!(extract(&["--models", "mtt-vgg,mtt-musicnn"], &music, collection).status.code(), Some(0));
    }
    assert_eq!(public_rows(&out), public_rows(&whole));
    assert!(matrices(&out) == matrices(&whole));
}

#[test]
fn files_that_change_or_vanish_while_a_run_goes_on_are_named_and_have_their_chance_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    std::fs::create_dir(&music).unwrap();
    let file = |name: &str| music.join(name);
    for (name, secs) in [("a.wav", LONG_SECS / 3), ("b.wav", 7), ("c.wav", 7), ("d.wav", 7)] {
        std::fs::write(file(name), noise(3, secs)).unwrap();
    }
    let mut command = program();
    command.arg("extract").arg(&music).arg("--out").arg(&out).args(["--models", "mtt-vgg", "--jobs", "1", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The files were looked at before the collection was made, and the second is not begun before the first is read.
    wait_for("the collection", || out.join("spaces/mtt-vgg-embeddings.npy").exists());
    // What stands behind a wav's sound does not make it sound otherwise: only its size and time tell.
    for name in ["a.wav", "b.wav"] {
        let mut longer = std::fs::read(file(name)).unwrap();
        longer.extend(b"junk\0\0\0\0");
        std::fs::write(file(name), longer).unwrap();
    }
    std::fs::remove_file(file("c.wav")).unwrap();
    let output = child.wait_with_output().unwrap();
    let summary = json(&output);
    assert_eq!((output.status.code(), summary["tracks"].as_u64()), (Some(1), Some(1)), "{summary}");
    let failed: Vec<_> =
        summary["failed"].as_array().unwrap().iter().map(|f| (f["path"].as_str().unwrap(), f["reason"].as_str().unwrap())).collect();
    assert_eq!(failed.iter().map(|failed| failed.0).collect::<Vec<_>>(), ["a.wav", "b.wav", "c.wav"]);
    for (failed, word) in failed.iter().zip(["changed during the run", "changed during the run", "no longer there"]) {
        assert!(failed.1.contains(word), "{failed:?}");
    }
    std::fs::write(file("a.wav"), noise(4, 7)).unwrap();
    let again = extract(&["--models", "mtt-vgg", "--json"], &music, &out);
    assert_eq!((again.status.code(), json(&again)["tracks"].as_u64()), (Some(0), Some(3)), "{}", text(&again));
}

/// Two tracks, of which the second's rows do not fit into 100 kB; all that is to be true of the disk's end.
fn fills_up(folder: &Path, out: &Path, run: impl Fn(&Path, &Path) -> Output, make_room: impl Fn()) {
    // Beside the other one: both are as far from their music.
    let (music, whole) = (folder.join("music"), out.with_file_name("whole.tagscape"));
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join("b.wav"), noise(6, 70)).unwrap();
    refused(run(&music, out), "no space is left");
    std::fs::write(music.join("a.wav"), noise(5, 7)).unwrap();
    let output = run(&music, out);
    let summary = json(&output);
    assert_eq!((output.status.code(), summary["tracks"].as_u64()), (Some(1), Some(1)), "{summary}");
    let said = text(&output);
    assert!(said.contains("no space is left on the disk of") && said.contains("c.tagscape"), "{said}");
    assert!(said.contains("run the same command again") && said.contains("c.tagscape: 1, still to be done: 1"), "{said}");
    assert_eq!(Collection::open(out).unwrap().tracks()[0].path, "a.wav");
    make_room();
    for collection in [out, &whole] {
        let output = extract(&["--models", "mtt-vgg", "--hop", "0.25"], &music, collection);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    assert_eq!(public_rows(out), public_rows(&whole));
    assert!(matrices(out) == matrices(&whole));
}

#[test]
fn a_file_that_may_not_grow_ends_the_run_with_what_was_stored_before() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c.tagscape");
    // A signal that is ignored stays ignored in the program, which then hears of the limit as of a full disk. Blocks of 512 bytes.
    let run = |music: &Path, out: &Path| {
        let script = "trap '' XFSZ; ulimit -f 200; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tagscape"), "extract"]).arg(music).arg("--out").arg(out);
        command.args(["--models", "mtt-vgg", "--hop", "0.25", "--json"]).output().unwrap()
    };
    fills_up(folder.path(), &out, run, || ());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_with_what_was_stored_before() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !mount("size=180k") {
        println!("no disk may be mounted here: the test of a file that may not grow stands for this one");
        return;
    }
    struct Mounted<'p>(&'p Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
        }
    }
    let _mounted = Mounted(&disk);
    let run = |music: &Path, out: &Path| extract(&["--models", "mtt-vgg", "--hop", "0.25", "--json"], music, out);
    fills_up(folder.path(), &disk.join("c.tagscape"), run, || assert!(mount("remount,size=4m")));
}

#[test]
fn a_second_run_on_a_collection_is_told_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("a.wav"), folder.path().join("c.tagscape"));
    std::fs::write(&music, noise(7, 7)).unwrap();
    assert_eq!(extract(&["--models", "mtt-vgg"], &music, &out).status.code(), Some(0));
    let lock = std::fs::File::options().write(true).open(out.join("collection.lock")).unwrap();
    lock.try_lock().unwrap();
    refused(extract(&["--models", "mtt-vgg"], &music, &out), "another tagscape is writing to this collection");
    let elsewhere = folder.path().join("merged.tagscape");
    refused(program().arg("merge").arg(&out).arg("--out").arg(&elsewhere).output().unwrap(), "another tagscape is writing");
    drop(lock);
    assert_eq!(extract(&["--models", "mtt-vgg"], &music, &out).status.code(), Some(0));
}

#[test]
fn what_failed_is_told_from_memory_until_the_file_changes_or_a_retry_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join("good.wav"), noise(8, 7)).unwrap();
    std::fs::write(music.join("bad.wav"), noise(8, 2)).unwrap();
    let run = |more: &[&str]| {
        let output = extract(&[&["--models", "mtt-vgg", "--json"], more].concat(), &music, &out);
        let failed = json(&output)["failed"].as_array().unwrap().clone();
        assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())));
        failed.first().map_or(String::new(), |failed| failed["reason"].as_str().unwrap().to_owned())
    };
    assert!(run(&[]).contains("shorter than a segment"));
    let remember = |reason: &str| {
        let database = rusqlite::Connection::open(out.join("collection.sqlite")).unwrap();
        assert_eq!(database.execute("UPDATE private_failures SET reason = ?", [reason]).unwrap(), 1);
    };
    remember("made up");
    assert_eq!(run(&[]), "made up");
    assert!(run(&["--retry"]).contains("shorter than a segment"));
    assert!(run(&[]).contains("shorter than a segment"), "the retry's reason is remembered");
    remember("made up");
    std::fs::write(music.join("bad.wav"), "no audio at all, and another length").unwrap();
    assert!(run(&[]).contains("not audio"));
    remember("made up");
    std::fs::write(music.join("bad.wav"), noise(8, 8)).unwrap();
    assert_eq!(run(&["--retry"]), "");
    assert_eq!(Collection::open(&out).unwrap().tracks().len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_are_extracted_and_found_again() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(std::ffi::OsStr::from_bytes(b"m\xfcsic"));
    let (music, out) = (root.join("one"), folder.path().join("c.tagscape"));
    std::fs::create_dir_all(&music).unwrap();
    let names: [&[u8]; 3] = [b"Caf\xe9.wav", b"Caf\\xE9.wav", "Caf\u{e9}.wav".as_bytes()];
    for (number, name) in names.into_iter().enumerate() {
        std::fs::write(music.join(std::ffi::OsStr::from_bytes(name)), noise(number as u64, 7)).unwrap();
    }
    let output = extract(&["--models", "mtt-vgg", "--json"], &music, &out);
    assert_eq!((output.status.code(), json(&output)["tracks"].as_u64()), (Some(0), Some(3)), "{}", text(&output));
    let collection = Collection::open(&out).unwrap();
    let paths: Vec<_> = collection.tracks().iter().map(|track| track.path.as_str()).collect();
    assert_eq!(paths, ["Caf\\\\xE9.wav", "Caf\\xE9.wav", "Caf\u{e9}.wav"]);
    for track in collection.tracks() {
        let file = collection.audio_root().join(path_from_text(&track.path));
        let pcm = decode_span(&file, SegmentSpan { start_secs: 0.0, duration_secs: 2.992 }).unwrap();
        assert_eq!(pcm.samples.len(), 47_872, "{}", track.path);
    }
    let again = extract(&["--models", "mtt-vgg", "--json"], &music, &out);
    assert_eq!((again.status.code(), json(&again)["audio_seconds"].as_f64()), (Some(0), Some(0.0)));
}
