//! The fuzz crate is a workspace of its own: what it compiles must be what the program has.

use std::collections::BTreeMap;
use std::path::Path;

/// The lines of a manifest's dependencies: name to version and features.
fn dependencies(manifest: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
    let sections = text.split("\n[").filter_map(|section| section.split_once("]\n"));
    let lines = sections.filter(|(title, _)| title.ends_with("dependencies")).flat_map(|(_, lines)| lines.lines());
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, what)| (name.to_owned(), what.to_owned())).collect()
}

#[test]
fn the_fuzz_targets_are_built_with_the_programs_own_crates_and_features() {
    let (ours, theirs) = (dependencies("Cargo.toml"), dependencies("fuzz/Cargo.toml"));
    assert!(theirs.len() > 10, "{theirs:?}");
    for (name, what) in theirs.into_iter().filter(|(name, _)| name != "libfuzzer-sys") {
        assert_eq!(ours.get(&name), Some(&what), "{name}: Cargo.toml and fuzz/Cargo.toml");
    }
}

#[test]
fn every_target_has_its_file_and_every_file_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.join("fuzz_targets")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    let mut listed: Vec<_> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix('"')).collect();
    listed.sort_unstable();
    assert_eq!(files, listed);
}
