//! The house's layers, as a table, and the test that holds every source file to it (`ARCHITECTURE.md` says why it is so).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::common::rust_paths::named_paths;

/// A module of `src/`: its layer, and the modules that it may name besides the ground floor.
const MODULES: &[(&str, u8, &[&str])] = &[
    ("catalog", 0, &[]),
    ("matrix", 0, &[]),
    ("plain_file", 0, &[]),
    ("seed", 0, &[]),
    ("whole_file", 0, &[]),
    ("audio", 1, &[]),
    ("mel", 1, &[]),
    ("store", 1, &[]),
    ("tensors", 1, &[]),
    ("gpu", 1, &[]),
    ("matmul", 1, &[]),
    ("neighbors", 1, &["matmul"]),
    ("nn", 2, &["mel", "gpu"]),
    ("project", 2, &["gpu", "matmul", "neighbors"]),
    ("scene", 2, &[]),
    ("player", 2, &["audio"]),
    ("command", 3, &["project", "scene"]),
    ("render", 3, &["gpu", "scene"]),
    ("ui", 3, &["scene", "command"]),
    ("app", 4, &["audio", "mel", "store", "tensors", "gpu", "nn", "project", "scene", "player", "command", "render", "ui"]),
    ("cli", 4, &["audio", "mel", "store", "tensors", "gpu", "nn", "project", "scene", "player", "command", "render", "ui", "app"]),
    ("main", 4, &["cli"]),
    ("lib", 4, &[]),
];

/// A macro that Rust puts at the crate's root, and the module that it belongs to.
const ROOT_MACROS: &[(&str, &str)] = &[("shader_part", "gpu")];

/// An outside crate, and the only places that may name it: a module, a file, or any file of that name in a module (`project/**/gpu.rs`).
const CRATES: &[(&str, &[&str])] = &[
    ("alsa", &["player/output/cpal"]),
    ("anyhow", &["cli"]),
    ("burn", &["nn"]),
    ("burn_flex", &["nn"]),
    ("bytemuck", &["store/matrix_file.rs", "gpu", "nn/gpu", "project/**/gpu.rs", "project/tsne/gpu", "project/umap/gpu", "render"]),
    ("clap", &["cli"]),
    ("cpal", &["player/output/cpal", "player/output/device_writer.rs"]),
    ("ctrlc", &["cli/interrupt.rs"]),
    ("directories", &["app/resources.rs"]),
    ("ebur128", &["audio/loudness.rs"]),
    ("egui", &["ui", "app/frame.rs", "app/headless.rs", "app/raster.rs", "app/system_fonts.rs", "app/tiles.rs", "app/windowed"]),
    ("egui_wgpu", &["app/frame.rs"]),
    ("egui_winit", &["app/windowed"]),
    ("fontdb", &["app/system_fonts.rs"]),
    ("gemm", &["matmul"]),
    ("glam", &["scene", "command", "render", "ui", "app"]),
    ("half", &["store"]),
    ("libc", &["plain_file.rs"]),
    ("log", EVERYWHERE),
    ("nalgebra", &["project/pca/eigen.rs"]),
    ("png", &["app/png_file.rs", "app/error.rs"]),
    ("pollster", &["gpu"]),
    ("pulp", &["nn"]),
    ("rayon", EVERYWHERE),
    ("pytorch_reader", &["tensors/checkpoint.rs"]),
    ("realfft", &["mel/stft.rs", "project/tsne/spectrum.rs"]),
    ("regex_syntax", &["nn"]),
    ("rtrb", &["player"]),
    ("rubato", &["audio/resample.rs"]),
    ("rusqlite", &["store"]),
    ("rustfft", &["project/tsne/spectrum.rs"]),
    ("safetensors", &["tensors/safetensors_file.rs", "nn"]),
    ("serde", EVERYWHERE),
    ("serde_json", &["app/event_log.rs", "app/models/added.rs", "cli"]),
    ("sha2", &["store/noted_file.rs", "tensors/sha256.rs", "nn"]),
    ("skrifa", &["app/system_fonts.rs"]),
    ("symphonia", &["audio"]),
    ("symphonia_adapter_libopus", &["audio/opus.rs"]),
    ("tempfile", &["whole_file", "store", "cli/bench/mod.rs"]),
    ("thiserror", EVERYWHERE),
    (
        "wgpu",
        &[
            "gpu",
            "nn/gpu",
            "project/**/gpu.rs",
            "project/tsne/gpu",
            "project/umap/gpu",
            "render",
            "app/drawing_trial.rs",
            "app/frame.rs",
            "app/headless.rs",
            "app/tiles.rs",
            "app/windowed",
        ],
    ),
    ("winit", &["app/windowed"]),
    ("zip", &["tensors/checkpoint.rs"]),
];
const EVERYWHERE: &[&str] = &["**"];

/// Ways to open a file that is there, which wait where it is no plain file: only `plain_file` has them.
const OPENING: [[&str; 2]; 4] = [["File", "open"], ["fs", "read"], ["fs", "read_to_string"], ["OpenOptions", "new"]];

/// Files that may hold unsafe code: the call of the matrix product.
const UNSAFE: [&str; 1] = ["matmul.rs"];

/// What a file does against the table, one line each: `src/FILE:LINE: rule`.
fn breaches(file: &str, source: &str) -> Vec<String> {
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    let home = parts[0];
    let Some((_, _, uses)) = MODULES.iter().find(|(name, ..)| *name == home) else {
        return vec![format!("src/{file}:1: `{home}` has no place in the table of tests/architecture.rs")];
    };
    // `super` from `a/b/mod.rs` is `a`, from `a/b.rs` as well.
    let depth = parts.len() - usize::from(parts.last() == Some(&"mod"));
    let mut found = Vec::new();
    for path in named_paths(source) {
        let mut tell = |rule: String| found.push(format!("src/{file}:{}: {rule}", path.line));
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        if home != "plain_file" && OPENING.iter().any(|opening| segments.ends_with(opening)) {
            tell(format!("`{}` waits for ever on a FIFO; use `crate::plain_file`", segments.join("::")));
        }
        let climbs = segments.iter().take_while(|segment| **segment == "super").count();
        let inside = match segments[0] {
            "crate" | "tagscape" => segments.get(1),
            "super" if climbs >= depth => segments.get(climbs),
            _ => None,
        };
        if let Some(name) = inside {
            let name = ROOT_MACROS.iter().find(|(item, _)| item == name).map_or(*name, |(_, module)| module);
            match MODULES.iter().find(|(module, ..)| *module == name) {
                None => tell(format!("`{name}` is no module; name modules one by one")),
                Some((_, layer, _)) if *layer > 0 && name != home && !uses.contains(&name) => {
                    tell(format!("`{home}` may not name `{name}` (it may: {})", allowed(uses)));
                }
                Some(_) => {}
            }
        } else if let Some((name, places)) = CRATES.iter().find(|(name, _)| *name == segments[0])
            && !places.iter().any(|place| is_place(file, place))
        {
            tell(format!("the crate `{name}` is only for {}", places.join(", ")));
        }
    }
    found
}

fn allowed(uses: &[&str]) -> String {
    ["catalog", "matrix", "plain_file", "seed", "whole_file"].iter().chain(uses).copied().collect::<Vec<_>>().join(", ")
}

fn is_place(file: &str, place: &str) -> bool {
    match place.split_once("**/") {
        Some((folder, name)) => file.starts_with(folder) && file.rsplit('/').next() == Some(name),
        None => place == "**" || file == place || file.trim_end_matches(".rs") == place || file.starts_with(&format!("{place}/")),
    }
}

/// Every file below `folder` with one of the endings: path from there with `/`, and text.
fn sources(folder: &str, endings: &[&str]) -> BTreeMap<String, String> {
    fn walk(folder: &Path, prefix: &str, endings: &[&str], found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                walk(&path, &format!("{name}/"), endings, found);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", endings, &mut found);
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

#[test]
fn every_file_names_only_what_its_layer_allows() {
    let found: Vec<_> = sources("src", &[".rs"]).iter().flat_map(|(file, source)| breaches(file, source)).collect();
    assert!(found.is_empty(), "{} breaches of the table in tests/architecture.rs:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_table_points_downwards() {
    let position = |name: &str| MODULES.iter().position(|(module, ..)| *module == name).unwrap();
    for (name, layer, uses) in MODULES {
        for used in *uses {
            assert!(MODULES[position(used)].1 <= *layer, "{name} is below {used}");
            // Within a layer, the order of the table keeps circles out.
            assert!(position(used) < position(name), "{name} stands before {used}");
        }
    }
}

#[test]
fn every_module_and_every_dependency_has_a_place_and_every_place_is_there() {
    let files = sources("src", &[".rs"]);
    let homes: BTreeSet<_> = files.keys().map(|file| file.trim_end_matches(".rs").split('/').next().unwrap()).collect();
    assert_eq!(homes, MODULES.iter().map(|(name, ..)| *name).collect());
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut listed = BTreeSet::new();
    for section in manifest.split("\n[") {
        let (title, lines) = section.split_once("]\n").unwrap_or((section, ""));
        // For every system, or for some; what only tests use is no matter of layers.
        if title == "dependencies" || title.starts_with("target.") && title.ends_with(".dependencies") {
            listed.extend(lines.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")));
        }
    }
    assert_eq!(listed, CRATES.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (name, places) in CRATES {
        for place in *places {
            assert!(files.keys().any(|file| is_place(file, place)), "{name}: no file is {place}");
        }
    }
}

#[test]
fn a_breach_is_told_with_file_line_and_rule() {
    let cases = [
        ("scene/scene.rs", "\nuse wgpu::Buffer;", "src/scene/scene.rs:2: the crate `wgpu` is only for gpu, "),
        (
            "scene/scene.rs",
            "use crate::project::Layout;",
            "src/scene/scene.rs:1: `scene` may not name `project` (it may: catalog, matrix, plain_file, seed, whole_file)",
        ),
        ("project/pca/cpu.rs", "fn f(_: &wgpu::Device) {}", "src/project/pca/cpu.rs:1: the crate `wgpu`"),
        ("project/run.rs", "use crate::{matrix, render::Renderer};", "src/project/run.rs:1: `project` may not name `render`"),
        ("render/passes.rs", "use super::super::project::Layout;", "src/render/passes.rs:1: `render` may not name `project`"),
        ("player/output/mod.rs", "use super::super::store::Collection;", "src/player/output/mod.rs:1: `player` may not name `store`"),
        ("player/mixer.rs", "::cpal::default_host();", "src/player/mixer.rs:1: the crate `cpal` is only for player/output/cpal, "),
        ("scene/pick.rs", "const A: ShaderPart = crate::shader_part!(\"a\");", "src/scene/pick.rs:1: `scene` may not name `gpu`"),
        ("ui/shell.rs", "use crate::*;", "src/ui/shell.rs:1: `*` is no module"),
        ("store/reader.rs", "fn f() -> anyhow::Result<()> {}", "src/store/reader.rs:1: the crate `anyhow`"),
        ("cli/render.rs", "use winit::window::Window;", "src/cli/render.rs:1: the crate `winit`"),
        ("attic/mod.rs", "", "src/attic/mod.rs:1: `attic` has no place"),
        ("store/merge.rs", "fn f() { std::fs::File::open(path); }", "src/store/merge.rs:1: `std::fs::File::open` waits for ever on a FIFO"),
        ("app/audio_root.rs", "use std::fs::read_to_string;", "src/app/audio_root.rs:1: `std::fs::read_to_string` waits"),
    ];
    for (file, source, expected) in cases {
        let found = breaches(file, source);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{file}, `{source}`: {found:?}");
    }
    let fine = "//! [`crate::app`], wgpu::Device\nuse super::output::cpal::open;\nuse super::super::catalog::Track;\nuse crate::audio;\n\
                #[cfg(test)]\nmod tests { use crate::store::Collection; }";
    assert_eq!(breaches("player/output/null.rs", fine), Vec::<String>::new());
}

/// What a file writes to a standard stream, one line each. `println!` and its like panic where the stream takes no more, and let through
/// whatever strangers wrote.
fn writes_to_streams(file: &str, source: &str) -> Vec<String> {
    let words = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr", "stdout()", "stderr()"];
    let lines = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let found = lines.filter_map(|(number, line)| words.iter().find(|word| line.contains(*word)).map(|word| (number, word)));
    found.map(|(number, word)| format!("src/{file}:{}: `{word}` is only for src/cli/printer.rs", number + 1)).collect()
}

#[test]
fn only_the_printer_writes_to_the_terminal() {
    let files = sources("src", &[".rs"]);
    let others = files.iter().filter(|(file, _)| *file != "cli/printer.rs");
    let found: Vec<_> = others.flat_map(|(file, source)| writes_to_streams(file, source)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(writes_to_streams("cli/printer.rs", &files["cli/printer.rs"]).len(), 4, "it does");
    assert_eq!(writes_to_streams("a.rs", "fn f() {\n    eprintln!(\"{}\", 1);\n}").len(), 1);
    assert!(writes_to_streams("a.rs", "// println! panics\n/// stdout()").is_empty());
}

#[test]
fn every_file_says_what_it_is_and_is_short_enough_to_read() {
    let mut found = Vec::new();
    for (folder, mark) in [("src", "//! "), ("tests", "//! "), ("examples", "//! "), ("shaders", "// ")] {
        for (file, text) in sources(folder, &[".rs", ".wgsl"]) {
            if !text.starts_with(mark) {
                found.push(format!("{folder}/{file}:1: no header that says what the file is (`{mark}...`)"));
            }
            let lines = text.lines().count();
            if lines > 500 {
                found.push(format!("{folder}/{file}:500: {lines} lines; past 500, split it"));
            }
            let is_unsafe = text.contains("allow(unsafe_code");
            if folder == "src" && is_unsafe && !UNSAFE.contains(&file.as_str()) {
                found.push(format!("{folder}/{file}:1: unsafe code is only for {}", UNSAFE.join(", ")));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
