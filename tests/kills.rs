//! Everything that writes, killed at random moments, and on disks of many sizes: the same command again comes to its end, and nothing that
//! was stored is lost.
//!
//! A few dozen kills are tried. `TAGSCAPE_KILLS=400` tries so many, the writer of the largest file among the writers; `TAGSCAPE_DISKS=30`
//! tries so many sizes of a disk.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tagscape::seed::SplitMix64;
use tagscape::store::{Collection, write_npy_f32};

use crate::common::made_up;
use crate::common::program::{matrices, program, public_rows, wav};
use crate::common::values::ValueSet;

const TRACKS: usize = 6;
/// Kills and disks of a run that was not asked for more.
const FEW_KILLS: usize = 48;
const FEW_DISKS: usize = 6;

fn asked(name: &str, few: usize) -> usize {
    std::env::var(name).ok().map_or(few, |number| number.parse().unwrap())
}

/// A command that writes into the folder `work`, beside the folder of its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Writer {
    Extract,
    Merge,
    Project,
    Subset,
    Render,
    Add,
}

use Writer::{Add, Extract, Merge, Project, Render, Subset};

/// Inputs, made once, and what each writer makes of them undisturbed.
struct Inputs {
    folder: tempfile::TempDir,
}

impl Inputs {
    fn new(has_weights: bool) -> Self {
        let inputs = Self { folder: tempfile::tempdir().unwrap() };
        let mut seed = SplitMix64::new(29);
        std::fs::create_dir(inputs.path("music")).unwrap();
        for number in 0..TRACKS {
            let noise: Vec<f32> = (0..(4 + number) * 16_000).map(|_| seed.next_f32() - 0.5).collect();
            std::fs::write(inputs.path(&format!("music/{number}.wav")), wav(&noise)).unwrap();
        }
        write_npy_f32(&inputs.path("m.npy"), &ValueSet::Random.matrix(20_000, 24)).unwrap();
        if has_weights {
            std::fs::write(inputs.path("weights.safetensors"), made_up::vggish_safetensors()).unwrap();
        }
        for shard in ["1/2", "2/2"] {
            let out = inputs.path(&format!("shard{}.tagscape", &shard[..1]));
            let words = ["extract", "music", "--models", "mtt-vgg", "--shard", shard, "--out"];
            let done = program().args(words).arg(out).current_dir(inputs.folder.path()).output().unwrap();
            assert_eq!(done.status.code(), Some(0), "{done:?}");
        }
        inputs
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, writer: Writer, work: &Path) -> Command {
        let out = |name: &str| work.join(name).into_os_string().into_string().unwrap();
        let words = match writer {
            Extract => "extract music --models mtt-vgg --jobs 2 --out",
            Merge => "merge shard1.tagscape shard2.tagscape --out",
            Project => "project m.npy --method pca --dims 20 --device cpu --out",
            Subset => "project m.npy --method original --dims 20 --every 2 --device cpu --out",
            Render => "render shard1.tagscape --size 700x500 --out",
            Add => "models add vggish weights.safetensors",
        };
        let mut command = program();
        command.args(words.split_whitespace()).current_dir(self.folder.path()).env("NODEVICE_SELECT", "1").env("XDG_RUNTIME_DIR", work);
        match writer {
            Extract | Merge => command.arg(out("c.tagscape")),
            Project | Subset => command.arg(out("l.npy")),
            Render => command.arg(out("p.png")),
            Add => command.env("TAGSCAPE_USER_DATA", work),
        };
        command
    }

    fn run(&self, writer: Writer, work: &Path) -> Output {
        self.command(writer, work).output().unwrap()
    }
}

/// What a writer has made, whole; `None` where it is not there. A thing that is there and is not whole fails the test.
fn made(writer: Writer, work: &Path) -> Option<Vec<Vec<u8>>> {
    let read = |name: &str| std::fs::read(work.join(name)).ok();
    match writer {
        Extract | Merge => {
            let collection = work.join("c.tagscape");
            collection.join("collection.sqlite").exists().then(|| {
                let rows = public_rows(&collection).into_iter().map(String::into_bytes);
                rows.chain(matrices(&collection).into_values()).collect()
            })
        }
        Project => read("l.npy").map(|layout| vec![layout]),
        Subset => read("l.npy").map(|layout| vec![layout, read("l.rows.npy").expect("a layout of some rows has their numbers beside it")]),
        Render => read("p.png").map(|picture| vec![picture]),
        Add => read("models/audioset-vggish.safetensors").map(|weights| vec![weights]),
    }
}

/// The tracks that a collection holds; none where there is none yet.
fn tracks(work: &Path) -> Vec<String> {
    let opened = Collection::open(&work.join("c.tagscape"));
    opened.map_or_else(|_| Vec::new(), |collection| collection.tracks().iter().map(|track| track.path.clone()).collect())
}

/// Whatever else lies where a writer wrote.
fn leftovers(work: &Path) -> Vec<String> {
    let known = ["c.tagscape", "l.npy", "l.rows.npy", "p.png", "models", "told-of-audioset-vggish"];
    let names = std::fs::read_dir(work).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !known.contains(&name.as_str())).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Kills a writer `count` times, each time at another moment of the time that it takes; gives how many came before its end.
fn kill(inputs: &Inputs, writer: Writer, count: usize, seed: &mut SplitMix64) -> usize {
    let whole = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let done = inputs.run(writer, whole.path());
    let takes = start.elapsed();
    assert_eq!(done.status.code(), Some(0), "{writer:?}: {}", said(&done));
    let expected = made(writer, whole.path()).unwrap();
    let mut hits = 0;
    let mut work = tempfile::tempdir().unwrap();
    for number in 0..count {
        // In every third trial something older is in the place of the new file, and stays until that is whole.
        let has_older = number % 3 == 0 && matches!(writer, Project | Render);
        let older = || vec![b"older".to_vec()];
        if has_older {
            std::fs::write(work.path().join(if writer == Render { "p.png" } else { "l.npy" }), "older").unwrap();
        }
        let mut child = inputs.command(writer, work.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(takes.mul_f32(seed.next_f32() * 1.05));
        child.kill().unwrap();
        let is_hit = child.wait().unwrap().code().is_none();
        hits += usize::from(is_hit);
        let context = format!("{writer:?}, kill {number}");
        let before = tracks(work.path());
        if !matches!(writer, Extract)
            && let Some(found) = made(writer, work.path())
        {
            assert!(found == expected || has_older && found == older(), "{context}: neither the old nor the new");
        }
        // An extraction is killed again and again on its way, the others begin anew.
        if is_hit && writer == Extract && number % 4 != 3 && number + 1 < count {
            continue;
        }
        if writer == Merge && !is_hit {
            std::fs::remove_dir_all(work.path().join("c.tagscape")).unwrap();
        }
        let again = inputs.run(writer, work.path());
        // A merge that was whole when it was killed is in its own way, and says so.
        if writer == Merge && again.status.code() == Some(2) {
            assert!(said(&again).contains("in the place of the merged collection"), "{context}: {}", said(&again));
        } else {
            assert_eq!(again.status.code(), Some(0), "{context}: {}", said(&again));
        }
        assert!(tracks(work.path()).starts_with(&before), "{context}: a track is lost");
        assert!(made(writer, work.path()).unwrap() == expected, "{context}: another result");
        assert_eq!(leftovers(work.path()), Vec::<String>::new(), "{context}");
        work = tempfile::tempdir().unwrap();
    }
    hits
}

#[test]
fn whatever_is_killed_is_done_by_the_same_command_again_and_nothing_is_lost() {
    let kills = asked("TAGSCAPE_KILLS", FEW_KILLS);
    // Weights are 288 MB: only where many kills are asked for.
    let has_many = kills >= 200;
    let inputs = Inputs::new(has_many);
    let mut seed = SplitMix64::new(31);
    let shares = if has_many { vec![(Add, kills / 20)] } else { Vec::new() };
    let left = kills - shares.iter().map(|share| share.1).sum::<usize>();
    let mut told = Vec::new();
    for (writer, count) in shares.into_iter().chain([Extract, Merge, Project, Subset, Render].map(|writer| (writer, left.div_ceil(5)))) {
        let hits = kill(&inputs, writer, count, &mut seed);
        assert!(hits * 3 > count, "{writer:?}: {hits} of {count} kills came in time");
        told.push(format!("{writer:?}: {hits} of {count}"));
    }
    println!("kills that came before the end: {}", told.join(", "));
}

/// A disk of some bytes; `None` where this user may mount none.
struct Disk(PathBuf);

impl Disk {
    fn of(folder: &Path, bytes: usize) -> Option<Self> {
        let disk = Self(folder.to_owned());
        disk.mount(&format!("size={bytes}")).then_some(disk)
    }

    fn mount(&self, options: &str) -> bool {
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_of_any_size_is_told_in_one_line_when_it_is_full_and_the_same_command_goes_on_where_there_is_room() {
    let inputs = Inputs::new(false);
    let disks = asked("TAGSCAPE_DISKS", FEW_DISKS);
    let mut codes = std::collections::BTreeMap::new();
    for writer in [Extract, Merge, Project, Subset, Render] {
        let whole = tempfile::tempdir().unwrap();
        assert_eq!(inputs.run(writer, whole.path()).status.code(), Some(0));
        let expected = made(writer, whole.path()).unwrap();
        let bytes: usize = expected.iter().map(Vec::len).sum();
        for number in 0..disks {
            // From a page to a little more than what it takes.
            let size = 4096 + number * (bytes + bytes / 4 + 200_000) / disks.max(2);
            let work = tempfile::tempdir().unwrap();
            let Some(disk) = Disk::of(work.path(), size) else {
                println!("not run: no disk may be mounted here");
                return;
            };
            let context = format!("{writer:?} on {size} bytes");
            let start = Instant::now();
            let done = inputs.run(writer, work.path());
            assert!(start.elapsed() < Duration::from_secs(120), "{context}: {:?}", start.elapsed());
            let (code, text) = (done.status.code(), said(&done));
            *codes.entry(code).or_insert(0_usize) += 1;
            match code {
                Some(0) => assert_eq!(text, "", "{context}"),
                Some(1 | 2) => {
                    assert_eq!(text.lines().count(), 1, "{context}: {text}");
                    assert!(text.starts_with("tagscape: ") && text.to_lowercase().contains("space"), "{context}: {text}");
                }
                _ => panic!("{context}: {code:?} {text}"),
            }
            if code != Some(0) && writer != Extract {
                assert!(made(writer, work.path()).is_none(), "{context}: something that is not whole");
            }
            let before = tracks(work.path());
            assert!(disk.mount("remount,size=64m"), "{context}");
            if !(writer == Merge && code == Some(0)) {
                let again = inputs.run(writer, work.path());
                assert_eq!(again.status.code(), Some(0), "{context}: {}", said(&again));
            }
            assert!(tracks(work.path()).starts_with(&before), "{context}: a track is lost");
            assert!(made(writer, work.path()).unwrap() == expected, "{context}: another result");
            assert_eq!(leftovers(work.path()), Vec::<String>::new(), "{context}");
        }
    }
    println!("{disks} disks for each writer, exit codes: {codes:?}");
    assert!(codes.keys().any(|code| *code != Some(0)) && codes.contains_key(&Some(0)), "{codes:?}");
}

/// A collection whose writer was killed in the middle of a transaction: reading it rolls a copy back, in the folder for temporary files.
fn interrupted(inputs: &Inputs, to: &Path) {
    let from = inputs.path("shard1.tagscape");
    let database = rusqlite::Connection::open(from.join("collection.sqlite")).unwrap();
    database.execute_batch("PRAGMA cache_size = 1; BEGIN; CREATE TABLE spill(x);").unwrap();
    for number in 0..2000 {
        database.execute("INSERT INTO spill VALUES(?)", [format!("{number:0500}")]).unwrap();
    }
    database.execute_batch("UPDATE tracks SET path = 'never committed' || id").unwrap();
    std::fs::create_dir_all(to.join("spaces")).unwrap();
    for name in ["collection.sqlite", "collection.sqlite-journal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    matrices(&from).iter().for_each(|(name, bytes)| std::fs::write(to.join("spaces").join(name), bytes).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_temporary_files_is_not_taken_for_the_collections() {
    let inputs = Inputs::new(false);
    let (work, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let Some(_disk) = Disk::of(temporary.path(), 4096) else {
        println!("not run: no disk may be mounted here");
        return;
    };
    std::fs::write(temporary.path().join("full"), [0; 4096]).unwrap();
    let run = |command: &mut Command| command.env("TMPDIR", temporary.path()).env("SQLITE_TMPDIR", temporary.path()).output().unwrap();
    // Neither needs it.
    for writer in [Extract, Merge] {
        let folder = tempfile::tempdir().unwrap();
        let done = run(&mut inputs.command(writer, folder.path()));
        assert_eq!((done.status.code(), said(&done).as_str()), (Some(0), ""), "{writer:?}");
    }
    // This does, and names it.
    let collection = work.path().join("c.tagscape");
    interrupted(&inputs, &collection);
    let project = ["project", "c.tagscape", "--method", "pca", "--device", "cpu", "--out", "l.npy"];
    let mut command = program();
    command.args(project).current_dir(work.path());
    let refused = run(&mut command);
    let text = said(&refused);
    assert_eq!((refused.status.code(), text.lines().count()), (Some(2), 1), "{text}");
    let names = |path: &Path| text.contains(path.to_str().unwrap());
    assert!(text.contains("no space is left on the disk of") && names(temporary.path()) && !text.contains("c.tagscape"), "{text}");
    assert_eq!(command.env("TMPDIR", work.path()).output().unwrap().status.code(), Some(0));
}
