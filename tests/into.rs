//! New rows into a layout that is there already.

use std::path::PathBuf;
use std::process::Command;

use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::neighbors::{self, NeighborTable};
use tagscape::project::tsne::still::Still;
use tagscape::project::tsne::{TsneOptions, exact};
use tagscape::project::{Compute, Embedding, Insertion, NewcomerOptions, NoObserver, ProjectError};
use tagscape::seed::SplitMix64;
use tagscape::store::{MatrixFile, write_npy_f32};

use crate::common::layouts::{Patient, embed, force_errors};

const CLUSTERS: usize = 12;

/// Tracks as clusters within clusters: rows of one kind lie together, and within it those of one track. Row r is of kind r % 12.
fn music(rows: usize, dims: usize) -> FeatureMatrix {
    let mut seed = SplitMix64::new(11);
    let kinds: Vec<f32> = (0..CLUSTERS * dims).map(|_| 3.0 * seed.next_normal()).collect();
    let tracks: Vec<f32> = (0..CLUSTERS * 2 * dims).map(|_| seed.next_normal()).collect();
    let values = (0..rows * dims).map(|at| {
        let (row, dim) = (at / dims, at % dims);
        let (kind, track) = (row % CLUSTERS, row % (2 * CLUSTERS));
        kinds[kind * dims + dim] + tracks[track * dims + dim] + 0.4 * seed.next_normal()
    });
    FeatureMatrix::new(rows, dims, values.collect())
}

fn first_rows(matrix: &FeatureMatrix, rows: usize) -> FeatureMatrix {
    FeatureMatrix::new(rows, matrix.dims(), matrix.values()[..rows * matrix.dims()].to_vec())
}

fn last_rows(matrix: &FeatureMatrix, first: usize) -> FeatureMatrix {
    FeatureMatrix::new(matrix.rows() - first, matrix.dims(), matrix.values()[first * matrix.dims()..].to_vec())
}

/// The share of the true 10 neighbours among the old rows that the new rows' places have among their 10 nearest old ones.
fn kept(space: &FeatureMatrix, layout: &FeatureMatrix, old: usize) -> f64 {
    let table = |matrix: &FeatureMatrix, k: usize| -> NeighborTable {
        neighbors::among(&first_rows(matrix, old), &last_rows(matrix, old), k, &Patient).unwrap().table
    };
    let (should, is) = (table(space, 10), table(layout, 10));
    let found: usize = (0..should.rows()).map(|row| should.of(row).iter().filter(|other| is.of(row).contains(other)).count()).sum();
    found as f64 / should.indices.len() as f64
}

fn tsne(dims: usize) -> Embedding {
    Embedding::Tsne(TsneOptions { dims, iterations: 500, ..TsneOptions::default() })
}

fn insert(space: &FeatureMatrix, old: &FeatureMatrix) -> Result<FeatureMatrix, ProjectError> {
    let insertion = Insertion { space, shown: None, old, old_rows: None, options: NewcomerOptions::default() };
    insertion.run(&NoObserver).map(|layout| layout.coordinates)
}

#[test]
fn a_held_out_tenth_lands_among_its_neighbours_nearly_as_well_as_in_a_whole_run() {
    // Rows on both sides of where the old ones' potential is on a grid; dims on both sides of where components are sought.
    for (rows, dims, out) in [(1500, 12, 2), (2600, 60, 2), (1500, 12, 3)] {
        let space = music(rows, dims);
        let old_rows = rows * 9 / 10;
        let (whole, _) = embed(&space, tsne(out), &Compute::Cpu).unwrap();
        let (old, _) = embed(&first_rows(&space, old_rows), tsne(out), &Compute::Cpu).unwrap();
        let grown = insert(&space, &old).unwrap();
        assert_eq!((grown.rows(), grown.dims()), (rows, out));
        assert_eq!(grown.values()[..old_rows * out], old.values()[..], "old rows stay where they are, to the bit");
        assert_eq!(insert(&space, &old).unwrap(), grown, "the same again");
        let (is, should) = (kept(&space, &grown, old_rows), kept(&space, &whole, old_rows));
        // Rows of a track differ by noise in all dims alone, so that a plane keeps few neighbours, and a whole run can move the old rows for them.
        // The measure can tell: each new row in the next one's place.
        let mut moved = grown.clone();
        moved.values_mut()[old_rows * out..].rotate_left(out);
        let wrong = kept(&space, &moved, old_rows);
        println!("{rows} rows to {out}-D: {is:.3} kept, {should:.3} in a whole run, {wrong:.3} where rows are mixed up");
        assert!(is > 0.75 * should && wrong < 0.5 * should, "{rows}: {is}, {should}, {wrong}");

        let nearest = neighbors::among(&first_rows(&grown, old_rows), &last_rows(&grown, old_rows), 1, &Patient).unwrap().table;
        let home = (0..nearest.rows()).filter(|&row| nearest.of(row)[0] as usize % CLUSTERS == (old_rows + row) % CLUSTERS).count();
        assert!(home as f64 > 0.98 * nearest.rows() as f64, "{home} of {} lie in their own cluster", nearest.rows());
    }
}

#[test]
fn where_a_row_lands_does_not_depend_on_who_comes_with_it() {
    let space = music(700, 12);
    let (old, _) = embed(&first_rows(&space, 600), tsne(2), &Compute::Cpu).unwrap();
    let (all, few) = (insert(&space, &old).unwrap(), insert(&first_rows(&space, 610), &old).unwrap());
    let off = (0..610 * 2).map(|at| (all.values()[at] - few.values()[at]).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "{off}");
}

#[test]
fn the_potential_of_still_points_is_that_of_all_pairs_in_their_midst_and_outside() {
    fn check<const D: usize>(rows: usize, width: f32) {
        let mut seed = SplitMix64::new(8);
        let centres: Vec<[f32; D]> = (0..40).map(|_| std::array::from_fn(|_| width * (seed.next_f32() - 0.5))).collect();
        let points: Vec<[f32; D]> =
            (0..rows).map(|row| std::array::from_fn(|axis| centres[row % 40][axis] + 0.05 * width * seed.next_normal())).collect();
        let still = Still::new(&points);
        // As far out as the points are wide: beyond the grid.
        let asked: Vec<[f32; D]> = (0..1000).map(|_| std::array::from_fn(|_| 3.0 * width * (seed.next_f32() - 0.5))).collect();
        let asked: Vec<[f32; D]> =
            asked.into_iter().chain(points.iter().step_by(5).map(|at| at.map(|value| value + 0.01 * width))).collect();
        let (found, should): (Vec<_>, Vec<_>) = asked.iter().map(|at| (still.upon(at), exact::upon(at, &points))).unzip();
        let forces = |of: &[([f32; D], f64)]| of.iter().map(|(force, _)| *force).collect::<Vec<_>>();
        let errors = force_errors(&forces(&found), &forces(&should));
        let count = errors.len();
        let z = found.iter().zip(&should).map(|((_, is), (_, should))| (is / should - 1.0).abs()).fold(0.0, f64::max);
        println!("{D}-D, {width} wide: median {}, p99 {}, Z {z}", errors[count / 2], errors[count * 99 / 100]);
        assert!(
            errors[count / 2] < 0.01 && errors[count * 99 / 100] < 0.05 && z < 0.02,
            "{D}-D, {width}: {} {z}",
            errors[count * 99 / 100]
        );
    }
    for width in [0.5, 20.0, 150.0] {
        check::<2>(5000, width);
        check::<3>(9000, width);
    }
}

#[test]
fn layouts_that_cannot_be_grown_are_refused() {
    let space = music(60, 4);
    let layout = |rows: usize, dims: usize| FeatureMatrix::new(rows, dims, vec![0.5; rows * dims]);
    let with = |old: &FeatureMatrix, old_rows: Option<&[usize]>| {
        let insertion = Insertion { space: &space, shown: None, old, old_rows, options: NewcomerOptions::default() };
        insertion.run(&NoObserver).map(|layout| layout.coordinates)
    };
    assert!(matches!(with(&layout(61, 2), None), Err(ProjectError::LayoutRows { layout: 61, rows: 60 })));
    assert!(matches!(with(&layout(0, 2), None), Err(ProjectError::LayoutRows { .. })));
    assert!(matches!(with(&layout(30, 4), None), Err(ProjectError::EmbeddingDims { given: 4 })));
    assert!(matches!(with(&layout(2, 2), Some(&[1, 60])), Err(ProjectError::NoSuchRow { row: 60, rows: 60 })));
    for numbers in [&[3, 3][..], &[4, 3], &[1], &[1, 2, 3]] {
        assert!(matches!(with(&layout(2, 2), Some(numbers)), Err(ProjectError::LayoutRowNumbers { .. })));
    }
    let mut broken = layout(30, 2);
    broken.values_mut()[41] = f32::NAN;
    assert!(matches!(with(&broken, None), Err(ProjectError::LayoutNotFinite { row: 20 })));
    let mut space = space.clone();
    space.values_mut()[50 * 4 + 3] = f32::INFINITY;
    assert!(matches!(insert(&space, &layout(30, 2)), Err(ProjectError::NotFinite { row: 50, column: 3, .. })));
}

#[test]
fn a_layout_of_one_row_or_of_all_rows_is_grown_as_well() {
    let space = music(20, 4);
    let alone = insert(&space, &FeatureMatrix::new(1, 2, vec![3.0, -4.0])).unwrap();
    assert!(alone.rows() == 20 && alone.row(0) == [3.0, -4.0] && alone.values().iter().all(|value| value.is_finite()));
    let all = FeatureMatrix::new(20, 2, (0..40_u8).map(f32::from).collect());
    assert_eq!(insert(&space, &all).unwrap(), all);
}

struct Place(tempfile::TempDir);

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, standard output, standard error.
    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagscape"));
        let done = command.arg("project").args(line.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    }

    fn json(&self, line: &str) -> serde_json::Value {
        let (code, out, err) = self.run(&format!("{line} --json"));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{line}");
        serde_json::from_str(&out).unwrap()
    }

    fn matrix(&self, name: &str) -> FeatureMatrix {
        MatrixFile::open(&self.path(name)).unwrap().to_matrix().unwrap()
    }
}

#[test]
fn the_program_grows_a_layout_and_one_of_some_rows() {
    let place = Place(tempfile::tempdir().unwrap());
    let space = music(400, 8);
    write_npy_f32(&place.path("old.npy"), &first_rows(&space, 300)).unwrap();
    write_npy_f32(&place.path("all.npy"), &space).unwrap();
    place.json("old.npy --method tsne --iterations 300 --device cpu --out l.npy");
    let report = place.json("all.npy --method tsne --into l.npy --out grown.npy");
    let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["rows", "dims_in", "dims_out", "method", "device", "seconds", "iterations", "knn_recall_measured"]);
    assert_eq!((&report["rows"], &report["device"], &report["iterations"]), (&400.into(), &"cpu".into(), &250.into()));
    assert_eq!(report["knn_recall_measured"], 1.0);
    assert_eq!(place.matrix("grown.npy").values()[..600], *place.matrix("l.npy").values());
    place.json("all.npy --method tsne --into l.npy --out again.npy");
    assert_eq!(std::fs::read(place.path("again.npy")).unwrap(), std::fs::read(place.path("grown.npy")).unwrap());

    // Every third row of the old ones, then every third and every row of all.
    place.json("old.npy --method tsne --iterations 300 --perplexity 10 --every 3 --out third.npy --device cpu");
    assert_eq!(place.json("all.npy --method tsne --into third.npy --every 3 --out thirds.npy")["rows"], 134);
    assert!(place.path("thirds.rows.npy").exists());
    assert_eq!(place.matrix("thirds.npy").values()[..200], *place.matrix("third.npy").values());
    place.json("all.npy --method tsne --into third.npy --out whole.npy");
    let (third, whole) = (place.matrix("third.npy"), place.matrix("whole.npy"));
    assert!(whole.rows() == 400 && (0..100).all(|row| whole.row(3 * row) == third.row(row)));

    let (code, out, _) = place.run("all.npy --method tsne --into l.npy --out words.npy");
    assert!(code == Some(0) && out.contains("400 rows") && out.contains("250 iterations at perplexity 5"), "{out}");
}

#[test]
fn the_program_says_what_into_does_not_take() {
    let place = Place(tempfile::tempdir().unwrap());
    let space = music(50, 5);
    write_npy_f32(&place.path("m.npy"), &space).unwrap();
    write_npy_f32(&place.path("few.npy"), &first_rows(&space, 20)).unwrap();
    let layout = FeatureMatrix::new(40, 2, vec![1.0; 80]);
    write_npy_f32(&place.path("l.npy"), &layout).unwrap();
    let mut broken = layout.clone();
    broken.values_mut()[7] = f32::NAN;
    write_npy_f32(&place.path("nan.npy"), &broken).unwrap();
    write_npy_f32(&place.path("odd.npy"), &layout).unwrap();
    std::fs::write(place.path("odd.rows.npy"), "no numbers").unwrap();
    std::fs::write(place.path("text.npy"), "no layout").unwrap();
    let doubles = std::fs::read(place.path("l.npy")).unwrap();
    let doubles =
        [String::from_utf8_lossy(&doubles[10..128]).replace("<f4", "<f8").replace("(40, 2)", "(20, 2)").as_bytes(), &doubles[128..]]
            .concat();
    std::fs::write(place.path("f8.npy"), [b"\x93NUMPY\x01\x00\x76\x00", &doubles[..]].concat()).unwrap();
    for (line, word) in [
        ("m.npy --method pca --into l.npy --out o.npy", "--method tsne"),
        ("m.npy --method original --into l.npy --out o.npy", "--method tsne"),
        ("few.npy --method tsne --into l.npy --out o.npy", "40 rows"),
        ("m.npy --method tsne --into m.npy --out o.npy", "5 columns"),
        ("m.npy --method tsne --into nan.npy --out o.npy", "row 3"),
        ("m.npy --method tsne --into text.npy --out o.npy", "text.npy"),
        ("m.npy --method tsne --into f8.npy --out o.npy", "float32"),
        ("m.npy --method tsne --into odd.npy --out o.npy", "odd.rows.npy"),
        ("m.npy --method tsne --into none.npy --out o.npy", "none.npy"),
        ("m.npy --method tsne --into l.npy --out l.npy", "another name"),
        ("m.npy --method tsne --into l.npy --out o.npy --dims 3", "--dims"),
        ("m.npy --method tsne --into l.npy --out o.npy --seed 3", "--seed"),
        ("m.npy --method tsne --into l.npy --out o.npy --device gpu", "on the CPU"),
    ] {
        let (code, out, err) = place.run(line);
        assert!(code == Some(2) && out.is_empty() && err.lines().count() == 1 && err.contains(word), "{line}: {err}");
        assert!(!place.path("o.npy").exists());
    }
}
