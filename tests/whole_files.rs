//! Files that the program writes: whole or not at all, and never in the place of what is not theirs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tagscape::matrix::FeatureMatrix;
use tagscape::store::write_npy_f32;

use crate::common::collection::wandering;
use crate::common::program::{growing, program, refused};

const SPACE: &str = "msd-musicnn-taggrams";

/// A scratch folder with a collection `wander.tagscape` of 40 rows and a matrix `m.npy` of 100.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        wandering(folder.path(), 4, 10);
        let values = (0..500).map(|at| ((at * 37) % 101) as f32).collect();
        write_npy_f32(&folder.path().join("m.npy"), &FeatureMatrix::new(100, 5, values)).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = program();
        // The Vulkan loader's Wayland layer complains without one.
        command.args(line.split_whitespace()).current_dir(self.0.path()).env("XDG_RUNTIME_DIR", self.0.path());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    fn done(&self, line: &str) {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Every name below the folder, with the bytes of the plain files.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.0.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else {
                    found.insert(entry.path(), if kind.is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() });
                }
            }
        }
        found
    }

    /// The names in the folder itself that begin so or are hidden.
    fn names(&self, start: &str) -> Vec<String> {
        let names = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(start) || name.starts_with('.')).collect();
        names.sort();
        names
    }
}

#[test]
fn no_output_goes_into_a_collection_whatever_its_name() {
    let place = Place::new();
    std::fs::create_dir(place.at("wander.tagscape/mine")).unwrap();
    std::os::unix::fs::symlink(place.at("wander.tagscape/spaces"), place.at("deep")).unwrap();
    let before = place.files();
    let spaces = [
        "wander.tagscape/spaces/msd-musicnn-embeddings.npy",
        "wander.tagscape/spaces/new.npy",
        "wander.tagscape/collection.sqlite",
        "wander.tagscape/collection.lock",
        "wander.tagscape/new.npy",
        "wander.tagscape/mine/new.npy",
        "deep/msd-musicnn-embeddings.npy",
        "./wander.tagscape/../wander.tagscape/new.npy",
    ];
    for out in spaces {
        refused(place.run(&format!("project wander.tagscape --space {SPACE} --method pca --device cpu --out {out}")), "collection");
        refused(place.run(&format!("project m.npy --method original --out {out}")), "collection");
        refused(place.run(&format!("explore wander.tagscape --event-log {out}")), "collection");
    }
    refused(place.run("render wander.tagscape --out wander.tagscape/map.png"), "collection");
    refused(place.run("explore wander.tagscape --screenshot wander.tagscape/mine/map.png"), "collection");
    assert_eq!(place.files(), before);
}

#[test]
fn only_plain_files_are_replaced() {
    let place = Place::new();
    std::fs::write(place.at("precious.npy"), "years of work").unwrap();
    std::os::unix::fs::symlink(place.at("precious.npy"), place.at("link.npy")).unwrap();
    std::os::unix::fs::symlink(place.at("nowhere.npy"), place.at("dangling.npy")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.at("socket.npy")).unwrap();
    std::fs::create_dir(place.at("folder.npy")).unwrap();
    assert!(Command::new("mkfifo").arg(place.at("fifo.npy")).status().unwrap().success());
    let mut kinds = vec![("link", "a link"), ("dangling", "a link"), ("socket", "a socket"), ("folder", "a folder"), ("fifo", "a FIFO")];
    // Only root makes nodes, and only outside of containers that forbid it.
    if Command::new("mknod").arg(place.at("node.npy")).args(["c", "1", "3"]).stderr(Stdio::null()).status().unwrap().success() {
        kinds.push(("node", "a device"));
    }
    for (name, _) in &kinds {
        std::fs::rename(place.at(&format!("{name}.npy")), place.at(&format!("{name}.png"))).unwrap();
        let [npy, rows] = ["npy", "rows.npy"].map(|ending| place.at(&format!("{name}.{ending}")));
        for copy in [npy, rows] {
            assert!(Command::new("cp").arg("-a").arg(place.at(&format!("{name}.png"))).arg(copy).status().unwrap().success());
        }
    }
    let kind_of = |path: &Path| path.symlink_metadata().unwrap().file_type();
    let all: Vec<PathBuf> =
        kinds.iter().flat_map(|(name, _)| ["npy", "rows.npy", "png"].map(|end| place.at(&format!("{name}.{end}")))).collect();
    let before: Vec<_> = all.iter().map(|path| kind_of(path)).collect();
    for (name, word) in &kinds {
        refused(place.run(&format!("project m.npy --method original --out {name}.npy")), word);
        refused(place.run(&format!("render wander.tagscape --out {name}.png")), word);
        refused(place.run(&format!("explore wander.tagscape --screenshot {name}.png")), word);
        refused(place.run(&format!("explore wander.tagscape --event-log {name}.npy")), word);
        // Row numbers go to what is no plain file either.
        std::fs::remove_file(place.at(&format!("{name}.npy"))).or_else(|_| std::fs::remove_dir(place.at(&format!("{name}.npy")))).unwrap();
        refused(place.run(&format!("project m.npy --method original --every 2 --out {name}.npy")), word);
        std::fs::rename(place.at(&format!("{name}.rows.npy")), place.at(&format!("{name}.npy"))).unwrap();
        assert!(
            Command::new("cp")
                .arg("-a")
                .arg(place.at(&format!("{name}.png")))
                .arg(place.at(&format!("{name}.rows.npy")))
                .status()
                .unwrap()
                .success()
        );
    }
    assert_eq!(all.iter().map(|path| kind_of(path)).collect::<Vec<_>>(), before);
    assert_eq!(std::fs::read_to_string(place.at("precious.npy")).unwrap(), "years of work");
    assert!(!place.at("nowhere.npy").exists());
}

#[test]
fn no_input_is_written_over_by_whatever_name() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.0.path(), place.at("here")).unwrap();
    std::os::unix::fs::symlink(place.at("m.npy"), place.at("link.npy")).unwrap();
    place.done("project m.npy --method tsne --every 2 --iterations 10 --device cpu --out old.npy");
    std::fs::copy(place.at("old.rows.npy"), place.at("numbers.rows.npy")).unwrap();
    std::fs::copy(place.at("m.npy"), place.at("m2.rows.npy")).unwrap();
    place.done(&format!("project wander.tagscape --space {SPACE} --method pca --device cpu --out layout.png"));
    let before = place.files();
    for line in [
        "project m.npy --method original --out m.npy",
        "project m.npy --method original --out here/m.npy",
        "project link.npy --method original --out m.npy",
        "project m.npy --method tsne --into old.npy --out old.npy",
        // The layout's row numbers are read as well, and would be written to from another name.
        "project m.npy --method tsne --into old.npy --out old.f32",
        "project m.npy --method tsne --into old.npy --out old.rows.npy",
        "project m2.rows.npy --method original --out m2.npy",
        "project m2.rows.npy --method original --every 2 --out m2.npy",
        &format!("render wander.tagscape --space {SPACE} --layout layout.png --out layout.png"),
        &format!("explore wander.tagscape --space {SPACE} --layout layout.png --screenshot here/layout.png"),
        &format!("explore wander.tagscape --space {SPACE} --layout layout.png --event-log layout.png"),
        &format!("explore wander.tagscape --space {SPACE} --color-by file:layout.png --event-log layout.png"),
    ] {
        refused(place.run(line), "is an input");
    }
    assert_eq!(place.files(), before);
}

#[test]
fn what_the_user_has_beside_an_output_stays() {
    let place = Place::new();
    let mine = ["lay.rows.npy", "map.png.partial", "lay.npy.part", ".lay.npy.mine.part", "map.partial", "lay.npy.1.part"];
    for name in mine {
        std::fs::write(place.at(name), "years of work").unwrap();
    }
    place.done("project m.npy --method original --out lay.npy");
    place.done("render wander.tagscape --size 40x30 --out map.png");
    assert!(mine.iter().all(|name| std::fs::read_to_string(place.at(name)).unwrap() == "years of work"));
    // With rows left out their numbers would go there.
    let before = place.files();
    refused(place.run("project m.npy --method original --every 3 --out lay.npy"), "no file of row numbers");
    assert_eq!(place.files(), before);
    // Music is no place for a log.
    std::fs::write(place.at("song.mp3"), "ID3").unwrap();
    refused(place.run("explore wander.tagscape --event-log song.mp3"), "no event log");
    assert_eq!(std::fs::read_to_string(place.at("song.mp3")).unwrap(), "ID3");
}

#[test]
fn what_a_killed_writer_left_the_next_one_clears() {
    let place = Place::new();
    let mut child = place.command("render wander.tagscape --size 16384x16384 --out map.png").stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let grown = || growing(&place.at("map.png")).is_some_and(|path| std::fs::metadata(path).is_ok_and(|about| about.len() > 0));
    while !grown() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "it has not begun to write");
        std::thread::sleep(Duration::from_millis(2));
    }
    // While it writes, another one leaves its file alone.
    place.done("render wander.tagscape --size 40x30 --out map.png");
    assert_eq!((place.names("map").len(), growing(&place.at("map.png")).is_some()), (2, true));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(growing(&place.at("map.png")).is_some(), "a kill leaves it");
    place.done("render wander.tagscape --size 40x30 --out map.png");
    assert_eq!(place.names("map"), ["map.png"]);
    // Those of earlier versions had the number of the process in their names.
    for (name, line) in [("lay.npy", "project m.npy --method original --out lay.npy"), ("map.png", "render wander.tagscape --out map.png")]
    {
        std::fs::write(place.at(&format!(".{name}.4711.part")), "half").unwrap();
        place.done(line);
        assert_eq!(growing(&place.at(name)), None);
    }
}

#[test]
fn a_layout_and_its_row_numbers_go_together_after_whatever_was_there() {
    let place = Place::new();
    let (some, all) = ("project m.npy --method original --every 3 --out lay.npy", "project m.npy --method original --out lay.npy");
    let bytes = |name: &str| std::fs::read(place.at(name)).ok();
    place.done(some);
    let (layout, rows) = (bytes("lay.npy").unwrap(), bytes("lay.rows.npy").unwrap());
    place.done(all);
    let whole = bytes("lay.npy").unwrap();
    assert_eq!(place.names("lay"), ["lay.npy"]);
    // What a kill leaves: the former pair, numbers alone, or the new pair; the next run makes it right.
    for (left_layout, left_rows) in [(Some(&layout), Some(&rows)), (None, Some(&rows)), (Some(&whole), None), (None, None)] {
        for (line, expected_layout, expected_rows) in [(some, &layout, Some(&rows)), (all, &whole, None)] {
            for (name, left) in [("lay.npy", left_layout), ("lay.rows.npy", left_rows)] {
                let _ = std::fs::remove_file(place.at(name));
                if let Some(left) = left {
                    std::fs::write(place.at(name), left).unwrap();
                }
            }
            place.done(line);
            assert!(bytes("lay.npy").as_ref() == Some(expected_layout) && bytes("lay.rows.npy").as_ref() == expected_rows, "{line}");
            assert!(place.names("lay").iter().all(|name| !name.starts_with('.')));
        }
    }
}

#[test]
fn a_pair_that_cannot_be_written_leaves_the_former_one_as_it_was() {
    let place = Place::new();
    place.done("project m.npy --method original --every 3 --out lay.npy");
    let before = place.files();
    // A limit on the size of files stands for a full disk: 50 rows of 2 and their numbers do not fit.
    for line in ["--every 2", ""] {
        let line = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" project m.npy --method original {line} --out lay.npy");
        let output = Command::new("sh").args(["-c", &line, env!("CARGO_BIN_EXE_tagscape")]).current_dir(place.0.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("lay"), "{:?} {said}", output.status);
        assert_eq!(place.files(), before);
    }
}
