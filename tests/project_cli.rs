//! `tagscape project` as a user or a script runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tagscape::catalog::{ModelKey, TrackMetadata};
use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::store::{CollectionPlan, CollectionWriter, MatrixFile, NewTrack, SpacePlan, write_npy_f32};

use crate::common::values::ValueSet;

const TAGGRAMS: &str = "mtt-musicnn-taggrams";

/// A scratch folder in which the program runs.
struct Place {
    folder: tempfile::TempDir,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `tagscape project` with the words of `line`.
    fn run(&self, line: &str) -> Ran {
        let done = Command::new(env!("CARGO_BIN_EXE_tagscape"))
            .arg("project")
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            // The Vulkan loader's Wayland layer complains without one.
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// Runs and reads the one JSON object.
    fn json(&self, line: &str) -> Value {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// What the program says in the one line before it leaves with 2; nothing is written.
    fn refusal(&self, line: &str) -> String {
        let before = self.files();
        let ran = self.run(line);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (2, "", 1), "{line}: {}", ran.err);
        assert_eq!(self.files(), before, "{line} left something behind");
        ran.err
    }

    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    fn matrix(&self, name: &str) -> FeatureMatrix {
        MatrixFile::open(&self.path(name)).unwrap().to_matrix().unwrap()
    }

    /// `m.npy` with 300 rows of 6 dimensions.
    fn with_matrix() -> (Self, FeatureMatrix) {
        let place = Self::new();
        let matrix = ValueSet::Random.matrix(300, 6);
        write_npy_f32(&place.path("m.npy"), &matrix).unwrap();
        (place, matrix)
    }

    /// `c.tagscape` of four tracks with 5, 1, 7 and 4 segments.
    fn with_collection() -> Self {
        let place = Self::new();
        let spaces = ModelKey::ALL[0].layers().iter();
        let spaces = spaces.map(|&layer| SpacePlan { key: ModelKey::ALL[0].space(layer), segment_secs: 2.992, hop_secs: 2.992 }).collect();
        let plan = CollectionPlan { audio_root: PathBuf::from("/music"), musicnn_layer: "penultimate".into(), spaces };
        let mut writer = CollectionWriter::create_or_resume(&place.path("c.tagscape"), &plan).unwrap();
        for (at, segments) in [5, 1, 7, 4].into_iter().enumerate() {
            let name = NewTrack { path: format!("{at}.ogg"), duration_secs: 30.0, metadata: TrackMetadata::default() };
            let space = |dims: usize| {
                let mut matrix = ValueSet::Random.matrix(segments, dims);
                matrix.values_mut().iter_mut().for_each(|value| *value = value.abs().min(1.0) + at as f32);
                matrix
            };
            writer.append_track(&name, &[space(50), space(200)]).unwrap();
        }
        place
    }
}

/// Row numbers of `layout.rows.npy`: int64, one dimension.
fn row_numbers(path: &Path) -> Vec<i64> {
    let bytes = std::fs::read(path).unwrap();
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    let (words, left) = bytes[128..].as_chunks::<8>();
    assert!(left.is_empty() && header.contains("'<i8'") && header.contains(&format!("({},)", words.len())), "{header}");
    words.iter().map(|&word| i64::from_le_bytes(word)).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_matrix_is_projected_to_its_principal_components() {
    let (place, matrix) = Place::with_matrix();
    let report = place.json("m.npy --method pca --out layout.npy --device cpu");
    assert_eq!(keys(&report), ["rows", "dims_in", "dims_out", "method", "device", "seconds", "explained_variance_ratio"]);
    assert_eq!(keys(&report["seconds"]), ["load", "pca", "write", "total"]);
    assert_eq!((&report["rows"], &report["dims_in"], &report["dims_out"]), (&300.into(), &6.into(), &2.into()));
    assert_eq!((&report["method"], &report["device"]), (&"pca".into(), &"cpu".into()));
    let seconds = |name: &str| report["seconds"][name].as_f64().unwrap();
    assert!(seconds("load") + seconds("pca") + seconds("write") <= seconds("total"));

    // The ratio is what numpy would find in the file: the variance of its columns over that of the matrix's.
    let layout = place.matrix("layout.npy");
    let variance = |matrix: &FeatureMatrix, column: usize| {
        let values = || (0..matrix.rows()).map(|row| f64::from(matrix.row(row)[column]));
        let mean = values().sum::<f64>() / 300.0;
        values().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    let whole: f64 = (0..6).map(|column| variance(&matrix, column)).sum();
    for axis in 0..2 {
        let (is, should) = (report["explained_variance_ratio"][axis].as_f64().unwrap(), variance(&layout, axis) / whole);
        assert!((is - should).abs() < 1e-5, "component {axis}: {is}, not {should}");
    }
    assert_eq!(place.files(), ["layout.npy", "m.npy"]);
}

#[test]
fn the_shaders_write_the_layout_that_the_cpu_writes() {
    let (place, _) = Place::with_matrix();
    let cpu = place.json("m.npy --method pca --dims 6 --out cpu.npy --device cpu");
    let gpu = place.json("m.npy --method pca --dims 6 --out gpu.npy --device gpu");
    assert_eq!((&cpu["device"], &gpu["device"]), (&"cpu".into(), &"gpu".into()));
    assert_eq!(gpu["explained_variance_ratio"].as_array().unwrap().len(), 6);
    let (cpu, gpu) = (place.matrix("cpu.npy"), place.matrix("gpu.npy"));
    let off = cpu.values().iter().zip(gpu.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-4, "off by {off}");
}

#[test]
fn std_pca_is_a_method_of_its_own_and_reports_like_pca() {
    let (place, matrix) = Place::with_matrix();
    let plain = place.json("m.npy --method pca --dims 6 --out plain.npy --device cpu");
    for device in ["cpu", "gpu"] {
        let report = place.json(&format!("m.npy --method std-pca --dims 6 --out {device}.npy --device {device}"));
        assert_eq!((&report["method"], &report["device"]), (&"std-pca".into(), &device.into()));
        assert_eq!(keys(&report), keys(&plain));
        let ratio = |report: &Value| {
            report["explained_variance_ratio"].as_array().unwrap().iter().map(|ratio| ratio.as_f64().unwrap()).collect::<Vec<_>>()
        };
        assert!((ratio(&report).iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert_ne!(ratio(&report), ratio(&plain));
        let layout = place.matrix(&format!("{device}.npy"));
        assert_eq!((layout.rows(), layout.dims()), (matrix.rows(), 6));
    }
    let largest =
        place.matrix("cpu.npy").values().iter().zip(place.matrix("gpu.npy").values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 1e-3, "{largest}");
}

#[test]
fn tsne_reports_its_parts_and_refuses_what_is_not_its_own() {
    let (place, matrix) = Place::with_matrix();
    for dims in [2, 3] {
        let report = place.json(&format!("m.npy --method tsne --dims {dims} --perplexity 12 --iterations 300 --out layout.npy"));
        let expected = ["rows", "dims_in", "dims_out", "method", "device", "seconds", "iterations", "kl", "knn_recall_measured"];
        assert_eq!(keys(&report), expected);
        assert_eq!(keys(&report["seconds"]), ["load", "pca", "knn", "affinities", "optimize", "write", "total"]);
        assert_eq!((&report["method"], &report["device"], report["iterations"].as_u64()), (&"tsne".into(), &"cpu".into(), Some(300)));
        assert!(report["kl"].as_f64().unwrap() > 0.0 && report["knn_recall_measured"] == 1.0);
        let layout = place.matrix("layout.npy");
        assert_eq!((layout.rows(), layout.dims()), (matrix.rows(), dims));
    }
    for (line, word) in [
        ("m.npy --method tsne --out l.npy --dims 4", "2 or 3"),
        ("m.npy --method tsne --out l.npy --axes 1,2", "--axes"),
        ("m.npy --method tsne --out l.npy --perplexity 0.2", "from 1 on"),
        ("m.npy --method tsne --out l.npy --exaggeration nan", "1 to 100"),
        ("m.npy --method tsne --out l.npy --metric manhattan", "euclidean, cosine"),
        ("m.npy --method pca --out l.npy --metric cosine", "--metric goes with --method tsne"),
        ("m.npy --method pca --out l.npy --seed 3", "--seed goes with --method tsne"),
    ] {
        assert!(place.refusal(line).contains(word), "{line}: {}", place.refusal(line));
    }
}

#[test]
fn by_cosine_the_lengths_of_rows_do_not_matter() {
    let (place, matrix) = Place::with_matrix();
    // Powers of two, so that the rows of length 1 are the same to the last bit.
    let lengthened: Vec<f32> =
        (0..matrix.rows()).flat_map(|row| matrix.row(row).iter().map(move |value| value * [1.0, 8.0, 0.25][row % 3])).collect();
    write_npy_f32(&place.path("long.npy"), &FeatureMatrix::new(matrix.rows(), matrix.dims(), lengthened)).unwrap();
    for reduced in ["", "--pca-dims 3"] {
        let layout = |input: &str, metric: &str| {
            let line =
                format!("{input} --method tsne --perplexity 12 --iterations 60 {reduced} --metric {metric} --out l.npy --device cpu");
            let report = place.json(&line);
            assert_eq!(report["knn_recall_measured"], 1.0);
            place.matrix("l.npy")
        };
        assert_eq!(layout("m.npy", "cosine"), layout("long.npy", "cosine"));
        assert_ne!(layout("m.npy", "euclidean"), layout("m.npy", "cosine"));
        assert_ne!(layout("m.npy", "euclidean"), layout("long.npy", "euclidean"));
    }
}

#[test]
fn umap_reports_its_parts_and_refuses_what_is_not_its_own() {
    let (place, matrix) = Place::with_matrix();
    for dims in [2, 3] {
        for device in ["cpu", "gpu"] {
            let line = format!("m.npy --method umap --dims {dims} --neighbors 10 --min-dist 0.3 --out layout.npy --device {device}");
            let report = place.json(&line);
            let expected = ["rows", "dims_in", "dims_out", "method", "device", "seconds", "iterations", "knn_recall_measured"];
            assert_eq!(keys(&report), expected);
            assert_eq!(keys(&report["seconds"]), ["load", "pca", "knn", "affinities", "optimize", "write", "total"]);
            assert_eq!((&report["method"], &report["device"], &report["iterations"]), (&"umap".into(), &device.into(), &500.into()));
            let layout = place.matrix("layout.npy");
            assert_eq!((layout.rows(), layout.dims()), (matrix.rows(), dims));
        }
    }
    assert_eq!(place.json("m.npy --method umap --iterations 20 --seed 3 --pca-dims 4 --out layout.npy")["iterations"], 20);
    let said = place.run("m.npy --method umap --iterations 20 --out layout.npy").out;
    assert!(said.contains("20 iterations; 100.0 % of the true neighbours found") && !said.contains("KL"), "{said}");
    for (line, word) in [
        ("m.npy --method umap --out l.npy --dims 4", "2 or 3"),
        ("m.npy --method umap --out l.npy --axes 1,2", "--axes"),
        ("m.npy --method umap --out l.npy --neighbors 1", "from 2 on"),
        ("m.npy --method umap --out l.npy --min-dist 1.5", "0 to 1"),
        ("m.npy --method umap --out l.npy --min-dist nan", "0 to 1"),
        ("m.npy --method umap --out l.npy --perplexity 5", "--perplexity goes with --method tsne"),
        ("m.npy --method tsne --out l.npy --neighbors 5", "--neighbors goes with --method umap"),
        ("m.npy --method pca --out l.npy --min-dist 0.5", "--min-dist goes with --method umap"),
    ] {
        assert!(place.refusal(line).contains(word), "{line}: {}", place.refusal(line));
    }
}

#[test]
fn axes_of_a_tag_space_are_tags_or_numbers() {
    let place = Place::with_collection();
    let report = place.json(&format!("c.tagscape --space {TAGGRAMS} --method original --axes Choral,1 --out layout.npy"));
    assert_eq!(keys(&report), ["rows", "dims_in", "dims_out", "method", "device", "seconds"]);
    assert_eq!(keys(&report["seconds"]), ["load", "write", "total"]);
    let space = place.matrix(&format!("c.tagscape/spaces/{TAGGRAMS}.npy"));
    let layout = place.matrix("layout.npy");
    assert_eq!((layout.rows(), layout.dims()), (17, 2));
    assert!((0..17).all(|row| layout.row(row) == [space.row(row)[49], space.row(row)[0]]));
}

#[test]
fn components_can_be_chosen_by_number() {
    let (place, _) = Place::with_matrix();
    place.json("m.npy --method pca --dims 3 --out first.npy");
    place.json("m.npy --method pca --axes 3,1 --out chosen.npy");
    let (first, chosen) = (place.matrix("first.npy"), place.matrix("chosen.npy"));
    assert!(
        (0..300).all(|row| (chosen.row(row)[0] - first.row(row)[2]).abs() < 1e-6 && (chosen.row(row)[1] - first.row(row)[0]).abs() < 1e-6)
    );
}

#[test]
fn rows_left_out_are_told_and_a_pca_is_fitted_on_all_of_them() {
    let place = Place::with_collection();
    let all = format!("c.tagscape --space {TAGGRAMS} --method pca --device cpu --out all.npy");
    let some = format!("c.tagscape --space {TAGGRAMS} --method pca --device cpu --tracks 3 --every 3 --out some.npy");
    let (all, some) = (place.json(&all), place.json(&some));
    assert_eq!(row_numbers(&place.path("some.rows.npy")), [0, 3, 5, 6, 9, 12]);
    assert_eq!((&some["rows"], &some["explained_variance_ratio"]), (&6.into(), &all["explained_variance_ratio"]));
    let (all, some) = (place.matrix("all.npy"), place.matrix("some.npy"));
    for (at, row) in [0, 3, 5, 6, 9, 12].into_iter().enumerate() {
        assert!(some.row(at).iter().zip(all.row(row)).all(|(a, b)| (a - b).abs() < 1e-5), "row {row}");
    }
    assert_eq!(place.files(), ["all.npy", "c.tagscape", "some.npy", "some.rows.npy"]);
}

#[test]
fn row_numbers_of_an_earlier_layout_do_not_stay_beside_a_whole_one() {
    let (place, _) = Place::with_matrix();
    place.json("m.npy --method original --every 100 --out layout.npy");
    assert_eq!(row_numbers(&place.path("layout.rows.npy")), [0, 100, 200]);
    place.json("m.npy --method original --out layout.npy");
    assert_eq!((place.matrix("layout.npy").rows(), place.files()), (300, vec!["layout.npy".to_owned(), "m.npy".to_owned()]));
}

#[test]
fn people_are_told_the_explained_variance() {
    let (place, _) = Place::with_matrix();
    let ran = place.run("m.npy --method pca --out layout.npy");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("component 1") && ran.out.contains("% of the variance") && ran.out.contains("together"), "{}", ran.out);
}

#[test]
fn bad_command_lines_are_refused_in_one_line_that_says_what_to_do() {
    let (place, _) = Place::with_matrix();
    let out = "--out layout.npy";
    for (line, said) in [
        (format!("m.npy --method pca {out} --dims 7"), "1 to 6"),
        (format!("m.npy --method pca {out} --dims 0"), "1 to 6"),
        (format!("m.npy --method pca {out} --axes 1,7"), "'7'"),
        (format!("m.npy --method original {out} --axes rock"), "'rock'"),
        (format!("m.npy --method pca {out} --axes 1,2 --dims 3"), "contradict"),
        (format!("m.npy --method pca {out} --space {TAGGRAMS}"), "--space goes with a collection"),
        (format!("m.npy --method pca {out} --tracks 2"), "--tracks goes with a collection"),
        (format!("m.npy --method pca {out} --every 0"), "--every"),
        (format!("m.npy --method pca {out} --device tpu"), "auto, cpu, gpu"),
        (format!("m.npy --method magic {out}"), "magic"),
        ("m.npy --method pca".to_owned(), "--out"),
        ("m.npy --method pca --out m.npy".to_owned(), "is an input"),
        ("m.npy --method pca --out .".to_owned(), "is a folder"),
        ("m.npy --method pca --out nowhere/layout.npy".to_owned(), "nowhere"),
        (format!("missing.npy --method pca {out}"), "missing.npy"),
    ] {
        let refusal = place.refusal(&line);
        assert!(refusal.contains(said), "{line}: {refusal}");
    }
}

#[test]
fn a_collection_is_projected_from_a_space_that_it_has_or_from_the_one_that_the_window_begins_with() {
    let place = Place::with_collection();
    let named = place.json(&format!("c.tagscape --space {TAGGRAMS} --method pca --device cpu --out named.npy"));
    let unnamed = place.json("c.tagscape --method pca --device cpu --out unnamed.npy");
    assert_eq!((&unnamed["dims_in"], &unnamed["explained_variance_ratio"]), (&50.into(), &named["explained_variance_ratio"]));
    assert_eq!(place.matrix("unnamed.npy").values(), place.matrix("named.npy").values());
    let refusal = place.refusal("c.tagscape --method pca --out l.npy --space msd-vgg-taggrams");
    assert!(refusal.contains("msd-vgg-taggrams"), "{refusal}");
    let refusal = place.refusal("c.tagscape --method pca --out l.npy --space tags");
    assert!(refusal.contains("no space named 'tags'"), "{refusal}");
}

#[test]
fn matrices_that_cannot_be_projected_are_refused_by_name_and_row() {
    let place = Place::new();
    let mut matrix = ValueSet::Random.matrix(20, 3);
    matrix.values_mut()[13 * 3 + 1] = f32::NAN;
    write_npy_f32(&place.path("nan.npy"), &matrix).unwrap();
    write_npy_f32(&place.path("empty.npy"), &FeatureMatrix::new(0, 3, Vec::new())).unwrap();
    std::fs::write(place.path("text.npy"), "no matrix").unwrap();
    std::fs::write(place.path("nothing.npy"), "").unwrap();
    for method in ["pca", "original"] {
        let refusal = place.refusal(&format!("nan.npy --method {method} --out l.npy"));
        assert!(refusal.contains("nan.npy") && refusal.contains("row 13") && refusal.contains("column 1"), "{refusal}");
        for name in ["empty.npy", "text.npy", "nothing.npy"] {
            let refusal = place.refusal(&format!("{name} --method {method} --out l.npy"));
            assert!(refusal.contains(name), "{refusal}");
        }
    }
}

#[test]
fn the_benchmark_prints_what_project_prints_for_each_input_method_and_run_and_leaves_nothing_behind() {
    let (place, _) = Place::with_matrix();
    let scratch = place.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let bench = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
        command.args(["bench", "project"]).args(line.split_whitespace()).current_dir(place.folder.path());
        command.env("XDG_RUNTIME_DIR", place.folder.path()).env("TMPDIR", &scratch).output().unwrap()
    };
    let done = bench("m.npy --methods pca,tsne --dims 3 --runs 2 --json -- --device cpu");
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
    let list: Value = serde_json::from_slice(&done.stdout).unwrap();
    let runs = list.as_array().unwrap();
    let methods: Vec<&str> = runs.iter().map(|run| run["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["pca", "pca", "tsne", "tsne"]);
    for run in runs {
        assert_eq!((&run["rows"], &run["dims_out"], &run["device"]), (&300.into(), &3.into(), &"cpu".into()), "{run}");
        assert!(run["seconds"]["total"].as_f64().unwrap() > 0.0 && run["kl"].is_number() == (run["method"] == "tsne"), "{run}");
    }
    let table = String::from_utf8(bench("m.npy --methods std-pca -- --device cpu").stdout).unwrap();
    assert!(table.lines().count() == 2 && table.lines().nth(1).unwrap().starts_with("std-pca"), "{table}");
    // What one method refuses is said as `project` says it.
    let refused = bench("m.npy --methods tsne,nonsense -- --device cpu");
    assert!(refused.status.code() == Some(2) && String::from_utf8_lossy(&refused.stderr).contains("nonsense"));
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}
