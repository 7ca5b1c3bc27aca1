//! What the program does when nobody reads what it prints, when it cannot be printed, and when strangers chose the words.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tagscape::catalog::is_steering;
use tagscape::store::Collection;

use crate::common::program::{program, wav};
use crate::common::streams::{Ended, STREAMS, Stream, run_with};
use crate::common::values::ValueSet;

const LIMIT: Duration = Duration::from_secs(300);

fn tone(secs: usize) -> Vec<u8> {
    wav(&(0..secs * 16_000).map(|at| (at as f32 * 0.13).sin() * 0.4).collect::<Vec<f32>>())
}

/// A folder with a matrix, and with music: a good file and one that fails.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tagscape::store::write_npy_f32(&folder.path().join("m.npy"), &ValueSet::Random.matrix(30, 5)).unwrap();
    std::fs::create_dir(folder.path().join("music")).unwrap();
    std::fs::write(folder.path().join("music/a.wav"), tone(7)).unwrap();
    std::fs::write(folder.path().join("music/b.wav"), "no sound").unwrap();
    folder
}

fn line(folder: &Path, words: &str) -> Command {
    let mut command = program();
    // The Vulkan loader's Wayland layer complains without one.
    command.current_dir(folder).env("XDG_RUNTIME_DIR", folder).args(words.split_whitespace());
    command
}

fn run(folder: &Path, words: &str, out: Stream, err: Stream) -> Ended {
    let ended = run_with(&line(folder, words), out, err, LIMIT);
    assert!(!ended.is_late, "{words}: no end");
    ended
}

#[test]
fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_told_in_one_line() {
    let folder = place();
    let at = folder.path();
    // What only prints, and what leaves a file: its exit code where nothing can be printed.
    for (words, full) in [
        ("models list", 2),
        ("models list --json", 2),
        ("--help", 2),
        ("--version", 2),
        ("project m.npy --method pca --device cpu --out l.npy", 1),
        ("project m.npy --method original --axes 1,2 --json --out l.npy", 1),
    ] {
        for err in STREAMS {
            for out in [Stream::Read, Stream::Gone, Stream::Closed] {
                let ended = run(at, words, out, err);
                assert_eq!((ended.code, ended.err_text().as_str()), (Some(0), ""), "{words}, {out:?}, {err:?}");
                assert_eq!(out == Stream::Read, !ended.out.is_empty(), "{words}, {out:?}");
            }
            std::fs::remove_file(at.join("l.npy")).ok();
            let ended = run(at, words, Stream::Full, err);
            assert_eq!(ended.code, Some(full), "{words}, {err:?}: {}", ended.err_text());
            if err == Stream::Read {
                let said = ended.err_text();
                assert!(said.lines().count() == 1 && said.starts_with("tagscape: cannot write to standard output: "), "{words}: {said}");
            }
            assert_eq!(at.join("l.npy").exists(), full == 1, "{words}");
        }
    }
}

#[test]
fn an_extraction_does_its_work_whatever_becomes_of_its_words() {
    let folder = place();
    for (number, err) in STREAMS.into_iter().enumerate() {
        for out in STREAMS {
            let name = format!("{number}-{out:?}.tagscape");
            let ended = run(folder.path(), &format!("extract music --models mtt-vgg --out {name}"), out, err);
            // One file failed, so that it is 1 whether that could be told or not.
            assert_eq!(ended.code, Some(1), "{out:?}, {err:?}: {}", ended.err_text());
            assert_eq!(Collection::open(&folder.path().join(&name)).unwrap().tracks().len(), 1);
            if err == Stream::Read {
                assert!(ended.err_text().contains("tagscape: b.wav: "), "{}", ended.err_text());
            }
        }
    }
    std::fs::remove_file(folder.path().join("music/b.wav")).unwrap();
    for (out, code) in [(Stream::Read, 0), (Stream::Gone, 0), (Stream::Closed, 0), (Stream::Full, 1)] {
        let ended = run(folder.path(), "extract music --models mtt-vgg --out 0-Read.tagscape --json", out, Stream::Full);
        assert_eq!(ended.code, Some(code), "{out:?}");
    }
}

/// Whether nobody writes to a collection.
fn is_free(collection: &Path) -> bool {
    std::fs::File::options().write(true).open(collection.join("collection.lock")).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(target_os = "linux")]
#[test]
fn an_extraction_whose_terminal_goes_away_without_a_word_comes_to_its_end() {
    const TRACKS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let (music, out) = (folder.path().join("music"), folder.path().join("c.tagscape"));
    std::fs::create_dir(&music).unwrap();
    (0..TRACKS).for_each(|number| std::fs::write(music.join(format!("{number:02}.wav")), tone(60)).unwrap());
    // `script` holds the terminal. In a session of its own the program is not told that it goes.
    let words = "extract music --out c.tagscape --models mtt-vgg,mtt-musicnn --jobs 2";
    let command = format!("setsid {} {words} & wait", env!("CARGO_BIN_EXE_tagscape"));
    let terminal = Command::new("script").args(["-qfc", &command, "/dev/null"]).current_dir(folder.path()).spawn();
    let Ok(mut terminal) = terminal else {
        println!("not run: there is no `script` here (util-linux)");
        return;
    };
    let tracks = || Collection::open(&out).map_or(0, |collection| collection.tracks().len());
    let wait_until = |what: &str, is_so: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < LIMIT, "{what}: {} tracks", tracks());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    wait_until("the first track", &|| tracks() > 0);
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    assert!(tracks() < TRACKS, "it was too fast for this test");
    wait_until("the end", &|| tracks() == TRACKS && is_free(&out));
}

#[test]
fn a_second_signal_ends_a_run_whose_words_nobody_takes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("music")).unwrap();
    std::fs::write(folder.path().join("music/a.wav"), tone(7)).unwrap();
    std::fs::write(folder.path().join("music/b.wav"), tone(1800)).unwrap();
    // A pipe that is full.
    let (_reader, mut err) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut err, &[b' '; 1 << 16]).unwrap();
    let mut command = line(folder.path(), "extract music --models mtt-vgg,mtt-musicnn --jobs 1 --out c.tagscape");
    let mut child = command.stderr(err).stdout(std::process::Stdio::null()).spawn().unwrap();
    let out = folder.path().join("c.tagscape");
    let start = Instant::now();
    while Collection::open(&out).map_or(0, |collection| collection.tracks().len()) == 0 {
        assert!(start.elapsed() < LIMIT && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let signal = || assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    signal();
    std::thread::sleep(Duration::from_millis(1500));
    signal();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("the second signal was not heard");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(130));
    assert!(is_free(&out) && Collection::open(&out).unwrap().tracks().len() == 1);
}

#[test]
fn a_network_that_can_be_added_is_told_of_once() {
    let folder = place();
    let user = folder.path().join("user");
    let said = |name: &str, models: &str| {
        let mut command = line(folder.path(), &format!("extract music/a.wav --out {name}.tagscape --models {models}"));
        command.env("TAGSCAPE_USER_DATA", &user);
        let ended = run_with(&command, Stream::Read, Stream::Read, LIMIT);
        (ended.code, ended.err_text())
    };
    // Who asks for others has no need to hear of it.
    assert_eq!(said("a", "mtt-vgg"), (Some(0), String::new()));
    let (code, text) = said("b", "all");
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    assert!(text.starts_with("tagscape: without audioset-vggish: ") && text.contains("tagscape models add audioset-vggish "), "{text}");
    assert_eq!(said("c", "all"), (Some(0), String::new()));
    // Who asks for it hears how to get it, each time.
    for name in ["vggish", "audioset-vggish"] {
        let (code, text) = said("d", name);
        assert_eq!((code, text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.contains("tagscape models add audioset-vggish "), "{text}");
    }
}

#[test]
fn what_strangers_wrote_does_not_steer_the_terminal() {
    const NAME: &str = "x\ntagscape: forged\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{202e}.wav";
    let folder = tempfile::tempdir().unwrap();
    let music = folder.path().join("music");
    std::fs::create_dir(&music).unwrap();
    std::fs::write(music.join(NAME), "no sound").unwrap();
    std::fs::write(music.join("a.wav"), tone(7)).unwrap();
    let run = |words: &[&str]| {
        let mut command = line(folder.path(), "");
        command.args(words);
        let ended = run_with(&command, Stream::Read, Stream::Read, LIMIT);
        let texts = [&ended.out, &ended.err].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
        for text in &texts {
            let steering = text.chars().find(|&character| character != '\n' && is_steering(character));
            assert_eq!(steering, None, "{words:?}: {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("tagscape: forged")), "{words:?}: {text:?}");
        }
        (ended.code.unwrap(), texts[0].clone(), texts[1].clone())
    };
    // Names of files, in words and in JSON.
    let out = "c\u{1b}[2J\n.tagscape";
    let (code, said, told) = run(&["extract", "music", "--models", "mtt-vgg", "--out", out]);
    assert_eq!((code, said.lines().count(), told.lines().count()), (1, 1, 1), "{said}{told}");
    let (_, json, _) = run(&["extract", "music", "--models", "mtt-vgg", "--out", out, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["failed"][0]["path"].as_str(), json["collection"].as_str()), (Some(NAME), Some(out)));
    // What a user typed, or a script that knows no better.
    for words in
        [&["extract", NAME, "--out", "o"][..], &["models", "add", NAME, "x"], &[NAME], &["render", "--space", NAME, "--out", "m.png"]]
    {
        let (code, _, told) = run(words);
        assert_eq!((code, told.lines().count()), (2, 1), "{words:?}: {told}");
    }
    // A stranger's database: its space is none of ours, and its tags are on the axes.
    let database = rusqlite::Connection::open(folder.path().join(out).join("collection.sqlite")).unwrap();
    database.execute("UPDATE tags SET name = 'pop\u{1b}[31m\n\u{202e}' WHERE position = 1", []).unwrap();
    let (code, said, _) = run(&["project", out, "--space", "mtt-vgg-taggrams", "--method", "original", "--out", "l.npy"]);
    assert_eq!(code, 0);
    assert!(said.contains("pop\\u{1b}[31m\\n\\u{202e}"), "{said}");
    for table in ["spaces SET name", "track_rows SET space", "tags SET space"] {
        database
            .execute_batch(&format!("PRAGMA foreign_keys = OFF; UPDATE {table} = 'x\u{1b}[31m\n' || {}", table.rsplit(' ').next().unwrap()))
            .unwrap();
    }
    let (code, _, told) = run(&["project", out, "--method", "pca", "--out", "l.npy"]);
    assert_eq!((code, told.lines().count()), (2, 1), "{told}");
}
