//! Every command with good, missing, bad and hostile arguments, its standard streams read, gone, full or closed: it ends in time, by itself,
//! with an exit code of the contract, and says in one line what is wrong.
#![cfg(unix)]

mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tagscape::catalog::{ModelKey, TrackMetadata, is_steering};
use tagscape::seed::SplitMix64;
use tagscape::store::{CollectionPlan, CollectionWriter, NewTrack, SpacePlan, write_npy_f32};

use crate::common::program::{program, wav};
use crate::common::streams::{Ended, STREAMS, Stream, run_with};
use crate::common::values::ValueSet;
use table::{KNOWN, OPEN, OPEN_OUTS};

const LIMIT: Duration = Duration::from_secs(300);

fn bytes(word: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(word.to_vec())
}

/// What a stranger writes where a file to read, a name or a number is expected.
fn strangers_words() -> Vec<OsString> {
    let texts = [
        "",
        "-",
        "--",
        "-1",
        "0",
        "nan",
        "1e309",
        "99999999999999999999",
        "../../../../etc/passwd",
        "/proc/self/environ",
        "%s%n",
        "\u{1b}]52;c;aGk=\u{7}",
        "two\nlines",
        "\u{202e}gpj",
        "junk.pb",
        "good",
        "nan.npy",
        "pipe",
        "/dev/zero",
        "*",
    ];
    let mut words: Vec<OsString> = texts.into_iter().map(OsString::from).collect();
    words.push("long".repeat(1500).into());
    words.push(bytes(b"Caf\xe9\xff"));
    words
}

fn strangers_outs() -> Vec<OsString> {
    let mut words: Vec<OsString> = ["", "absent{}/a.npy", "m.npy/x.png", "\u{1b}[31m{}.png", "two\nlines{}.npy", "\u{202e}{}.png"]
        .into_iter()
        .map(OsString::from)
        .collect();
    words.push("long".repeat(1500).into());
    words.push(bytes(b"Caf\xe9{}.png"));
    words
}

/// A command line, and what is known of its end.
#[derive(Clone, Debug)]
struct Line {
    words: Vec<OsString>,
    code: Option<i32>,
    only_prints: bool,
}

fn split(text: &str) -> impl Iterator<Item = OsString> {
    text.split_whitespace().map(OsString::from)
}

/// All lines, in an order that is always the same.
fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for known in KNOWN.lines().filter(|line| !line.is_empty()) {
        let (head, words) = known.split_once(' ').unwrap_or((known, ""));
        let code = head.trim_end_matches('p').parse().unwrap();
        lines.push(Line { words: split(words).collect(), code: Some(code), only_prints: head.ends_with('p') });
    }
    for (templates, strange) in [(OPEN, strangers_words()), (OPEN_OUTS, strangers_outs())] {
        for template in templates.lines().filter(|line| !line.is_empty()) {
            for word in &strange {
                let put = |place: OsString| match place.to_str() {
                    Some("@") => word.clone(),
                    Some(text) if text.ends_with('@') => {
                        let mut put = OsString::from(text.trim_end_matches('@'));
                        put.push(word);
                        put
                    }
                    _ => place,
                };
                let only_prints = template.starts_with(" bench") || template.starts_with(" models") && !template.starts_with(" models add");
                lines.push(Line { words: split(template).map(put).collect(), code: None, only_prints });
            }
        }
    }
    let mut seed = SplitMix64::new(13);
    for last in (1..lines.len()).rev() {
        lines.swap(last, seed.next_below(last as u64 + 1) as usize);
    }
    lines
}

/// `{}` to a number of the line's own, so that no line finds what another one made.
fn numbered(word: &OsString, number: usize) -> OsString {
    let text = std::os::unix::ffi::OsStrExt::as_bytes(word.as_os_str());
    let Some(at) = text.windows(2).position(|pair| pair == b"{}") else { return word.clone() };
    bytes(&[&text[..at], number.to_string().as_bytes(), &text[at + 2..]].concat())
}

fn noise(seed: u64, secs: usize) -> Vec<u8> {
    let mut seed = SplitMix64::new(seed);
    wav(&(0..secs * 16_000).map(|_| seed.next_f32() - 0.5).collect::<Vec<f32>>())
}

/// A folder with everything that the lines name.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    for name in ["good", "music", "empty", "broken.tagscape"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    for (name, bytes) in [
        ("good/a.wav", noise(1, 4)),
        ("music/a.wav", noise(2, 4)),
        ("music/bad.wav", b"RIFF no sound".to_vec()),
        ("broken.tagscape/collection.sqlite", b"SQLite format 3\0 but not really".to_vec()),
        ("junk.pb", vec![0x0a; 300]),
        ("junk.pth", b"PK\x03\x04 no zip".to_vec()),
    ] {
        std::fs::write(path(name), bytes).unwrap();
    }
    // Nobody ever writes into it: whoever opens it and waits, waits for ever.
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    write_npy_f32(&path("m.npy"), &ValueSet::Random.matrix(40, 6)).unwrap();
    let mut broken = ValueSet::Random.matrix(40, 2);
    broken.values_mut()[7] = f32::NAN;
    write_npy_f32(&path("nan.npy"), &broken).unwrap();
    let model = ModelKey::ALL[0];
    let space = |&layer: &_| SpacePlan { key: model.space(layer), segment_secs: 2.992, hop_secs: 2.992 };
    let spaces: Vec<SpacePlan> = model.layers().iter().map(space).collect();
    let collection = |name: &str, tracks: std::ops::Range<usize>, root: &str| {
        let plan = CollectionPlan { audio_root: root.into(), musicnn_layer: "penultimate".into(), spaces: spaces.clone() };
        let mut writer = CollectionWriter::create_or_resume(&path(name), &plan).unwrap();
        for at in tracks {
            let track = NewTrack { path: format!("{at}.ogg"), duration_secs: 30.0, metadata: TrackMetadata::default() };
            let rows = [50, 200].map(|dims| {
                let mut rows = ValueSet::Random.matrix(4 + at, dims);
                rows.values_mut().iter_mut().for_each(|value| *value = value.abs().min(1.0));
                rows
            });
            writer.append_track(&track, &rows).unwrap();
        }
    };
    collection("c.tagscape", 0..4, "/music");
    collection("one.tagscape", 0..2, "/shards");
    collection("two.tagscape", 2..5, "/shards");
    folder
}

/// The program on one line, where there is no display and no home.
fn command(folder: &Path, line: &Line, number: usize) -> Command {
    let mut command = program();
    command.args(line.words.iter().map(|word| numbered(word, number))).current_dir(folder);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    // The Vulkan loader's Wayland layer complains without the one, and asks a display without the other.
    command.env("XDG_RUNTIME_DIR", folder).env("NODEVICE_SELECT", "1");
    command
}

/// The exit code that a line with a known one has with such a standard output. Where nothing is printed, there is nothing that fails.
fn code_with(code: i32, line: &Line, out: Stream) -> i32 {
    match (out, code, line.only_prints) {
        (Stream::Full, 0 | 1, true) => 2,
        (Stream::Full, 0, false) => 1,
        (_, code, _) => code,
    }
}

/// What is wrong with how a line ended.
fn faults(line: &Line, [out, err]: [Stream; 2], ended: &Ended) -> Vec<String> {
    let mut found = Vec::new();
    let Some(code) = ended.code else {
        return vec![if ended.is_late { "no end".to_owned() } else { "ended by a signal".to_owned() }];
    };
    if !(0..=2).contains(&code) {
        found.push(format!("exit code {code}"));
    }
    if let Some(known) = line.code
        && code_with(known, line, out) != code
    {
        found.push(format!("exit code {code} and not {}", code_with(known, line, out)));
    }
    let said = ended.err_text();
    if err == Stream::Read {
        if let Some(other) = said.lines().find(|line| !line.starts_with("tagscape: ")) {
            found.push(format!("a line that is not ours: {other:?}"));
        }
        // A run with an input that fails names it first, and then what became of its output.
        let most = if line.code == Some(1) { 2 } else { 1 };
        if code == 2 && !(1..=most).contains(&said.lines().count()) || code == 1 && said.is_empty() {
            found.push(format!("{} lines of complaint", said.lines().count()));
        }
        if said.contains("a mistake in tagscape") || said.contains("panicked") {
            found.push(format!("a panic: {said}"));
        }
        if said.contains(".cargo") || said.contains("/rustc/") {
            found.push("a path of the machine that built it".to_owned());
        }
    }
    let printed = String::from_utf8_lossy(&ended.out);
    if let Some(steering) = said.chars().chain(printed.chars()).find(|&character| character != '\n' && is_steering(character)) {
        found.push(format!("{steering:?} reaches the terminal"));
    }
    if out == Stream::Read && code < 2 {
        let is_json = line.words.iter().any(|word| word == "--json");
        if printed.is_empty() {
            found.push("nothing was printed".to_owned());
        } else if is_json && serde_json::from_str::<serde_json::Value>(&printed).is_err() {
            found.push(format!("no JSON: {printed}"));
        }
    }
    if out == Stream::Read && code == 2 && !printed.is_empty() && !line.only_prints {
        found.push(format!("printed all the same: {printed}"));
    }
    found
}

#[test]
fn every_command_line_ends_by_itself_with_a_code_of_the_contract_and_a_clear_word() {
    let all = lines();
    assert!(all.len() >= 600, "{} lines", all.len());
    let folder = place();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(line) = all.get(number) else { return };
                    // Every second line is read; the others have any pair of streams, in turn.
                    let pair = number / 2 % 16;
                    let streams = if number % 2 == 0 { [Stream::Read; 2] } else { [STREAMS[pair % 4], STREAMS[pair / 4]] };
                    let ended = run_with(&command(folder.path(), line, number), streams[0], streams[1], LIMIT);
                    let faults = faults(line, streams, &ended);
                    outcomes.lock().unwrap().push((number, ended.code, streams, faults));
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    outcomes.iter().for_each(|(_, code, ..)| *codes.entry(code.map_or("none".into(), |code| code.to_string())).or_default() += 1);
    println!("{} command lines, by exit code: {codes:?}", outcomes.len());
    assert_eq!(outcomes.len(), all.len());
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|(.., faults)| !faults.is_empty())
        .map(|(number, _, streams, faults)| format!("{:?} {streams:?}: {}", all[*number].words, faults.join("; ")))
        .map(|text| text.chars().take(600).collect())
        .collect();
    assert!(wrong.is_empty(), "{} of {} lines:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
}

#[test]
fn a_line_that_ends_otherwise_is_a_fault() {
    let line = |code: i32, words: &str| Line { words: split(words).collect(), code: Some(code), only_prints: false };
    let ended = |code: i32, out: &str, err: &str| Ended { code: Some(code), is_late: false, out: out.into(), err: err.into() };
    let read = [Stream::Read; 2];
    assert_eq!(faults(&line(0, "x"), read, &ended(0, "done\n", "")), Vec::<String>::new());
    assert_eq!(faults(&line(2, "x"), read, &ended(2, "", "tagscape: no\n")), Vec::<String>::new());
    assert_eq!(faults(&line(0, "x"), [Stream::Full, Stream::Read], &ended(1, "", "tagscape: full\n")), Vec::<String>::new());
    for (code, out, err) in [
        (1, "done\n", "tagscape: a\n"),
        (0, "", ""),
        (0, "a\u{1b}[31m\n", ""),
        (0, "done\n", "thread 'main' panicked\n"),
        (0, "done\n", "tagscape: a mistake in tagscape\n"),
    ] {
        assert_ne!(faults(&line(0, "x"), read, &ended(code, out, err)), Vec::<String>::new(), "{code} {out:?} {err:?}");
    }
    for (code, err) in [(101, "tagscape: x\n"), (2, ""), (2, "tagscape: a\ntagscape: b\n")] {
        assert_ne!(faults(&line(2, "x"), read, &ended(code, "", err)), Vec::<String>::new(), "{code} {err:?}");
    }
    assert_ne!(faults(&line(0, "x --json"), read, &ended(0, "no\n", "")), Vec::<String>::new());
    let killed = Ended { code: None, is_late: false, out: Vec::new(), err: Vec::new() };
    assert_eq!(faults(&line(0, "x"), read, &killed), ["ended by a signal"]);
}
