//! Matrices as users have them: far from zero, in any type and order, with values that float32 cannot have. What numpy and scikit-learn would give, or an error.

use std::path::{Path, PathBuf};
use std::process::Command;

use tagscape::matrix::RowSource as _;
use tagscape::seed::SplitMix64;
use tagscape::store::MatrixFile;

use crate::common::collection::wandering;

const ROWS: usize = 200;
const DIMS: usize = 6;

/// Two clusters, 6 apart along a diagonal, in float64.
fn clusters() -> Vec<f64> {
    let mut seed = SplitMix64::new(5);
    (0..ROWS)
        .flat_map(|row| (0..DIMS).map(|_| f64::from(seed.next_normal()) + if row % 2 == 0 { 2.45 } else { 0.0 }).collect::<Vec<_>>())
        .collect()
}

fn npy(descr: &str, is_fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn doubles(values: &[f64]) -> Vec<u8> {
    npy(
        "<f8",
        false,
        &format!("({}, {DIMS})", values.len() / DIMS),
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
    )
}

fn singles(values: &[f32]) -> Vec<u8> {
    npy(
        "<f4",
        false,
        &format!("({}, {DIMS})", values.len() / DIMS),
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
    )
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Exit code, and what was printed to standard output and error.
    fn run(&self, line: &str) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_tagscape"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env("XDG_RUNTIME_DIR", self.0.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// The shares of the variance, and the layout.
    fn project(&self, line: &str) -> (Vec<f64>, Vec<Vec<f32>>) {
        let (code, out, err) = self.run(&format!("project {line} --device cpu --out out.npy --json"));
        assert_eq!(code, 0, "{line}: {err}");
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        let ratios =
            told["explained_variance_ratio"].as_array().map_or_else(Vec::new, |all| all.iter().map(|x| x.as_f64().unwrap()).collect());
        let layout = MatrixFile::open(&self.path("out.npy")).unwrap().to_matrix().unwrap();
        (ratios, layout.values().chunks_exact(layout.dims()).map(<[f32]>::to_vec).collect())
    }

    fn refusal(&self, line: &str) -> String {
        let _ = std::fs::remove_file(self.path("out.npy"));
        let (code, _, err) = self.run(&format!("project {line} --out out.npy"));
        assert_eq!(code, 2, "{line}: {err}");
        assert!(!self.path("out.npy").exists(), "{line}");
        err
    }
}

/// Whether the two clusters lie apart along the first axis.
fn is_apart(layout: &[Vec<f32>]) -> bool {
    let mean = |odd: usize| layout.iter().skip(odd).step_by(2).map(|row| f64::from(row[0])).sum::<f64>() / (ROWS / 2) as f64;
    let cut = f64::midpoint(mean(0), mean(1));
    let right = layout.iter().enumerate().filter(|(row, place)| (f64::from(place[0]) > cut) == ((mean(0) > cut) == (row % 2 == 0))).count();
    right > ROWS * 95 / 100
}

#[test]
fn clusters_far_from_zero_are_found_by_every_method_as_if_they_were_near() {
    let place = Place::new();
    let near = clusters();
    place.write("near.npy", &doubles(&near));
    let (expected, expected_layout) = place.project("near.npy --method pca");
    assert!(expected[0] > 0.5, "{expected:?}");
    for (name, offsets) in [("all", [1.7e9; DIMS]), ("some", [0.0, -3.1e11, 7.0e8, 0.0, 5.0e9, 1e7])] {
        let far: Vec<f64> = near.iter().enumerate().map(|(at, value)| value + offsets[at % DIMS]).collect();
        place.write("far.npy", &doubles(&far));
        for method in ["pca", "std-pca"] {
            let (wanted, _) = place.project(&format!("near.npy --method {method}"));
            let (ratios, _) = place.project(&format!("far.npy --method {method}"));
            assert!(wanted.iter().zip(&ratios).all(|(a, b)| (a - b).abs() < 1e-4), "{name} {method}: {wanted:?} {ratios:?}");
        }
        let (_, layout) = place.project("far.npy --method pca");
        let same = layout.iter().zip(&expected_layout).all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3));
        assert!(same, "{name}");
        for method in ["tsne --perplexity 20 --iterations 300", "umap --iterations 200"] {
            assert!(is_apart(&expected_layout));
            let (_, layout) = place.project(&format!("far.npy --method {method}"));
            assert!(layout.iter().flatten().all(|value| value.is_finite()), "{name} {method}");
            let nearest_is_alike = (0..ROWS).filter(|&row| {
                let distance = |other: usize| layout[row].iter().zip(&layout[other]).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
                let nearest = (0..ROWS).filter(|&other| other != row).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap();
                nearest % 2 == row % 2
            });
            assert!(nearest_is_alike.count() > ROWS * 9 / 10, "{name} {method}");
        }
    }
}

#[test]
fn what_shows_values_or_angles_that_float32_cannot_hold_is_an_error() {
    let place = Place::new();
    let far: Vec<f64> = clusters().iter().enumerate().map(|(at, value)| if at % DIMS == 1 { value + 1.7e9 } else { *value }).collect();
    place.write("far.npy", &doubles(&far));
    assert!(place.refusal("far.npy --method original").contains("column 1 (from 0)"));
    assert!(place.refusal("far.npy --method tsne --metric cosine").contains("subtract the column's mean"));
    let (_, layout) = place.project("far.npy --method original --axes 1,3");
    assert_eq!(layout[7], [far[7 * DIMS] as f32, far[7 * DIMS + 2] as f32], "true values where they are asked for");
    let plain: Vec<f64> = clusters().iter().map(|value| value + 1000.0).collect();
    place.write("plain.npy", &doubles(&plain));
    assert_eq!(place.project("plain.npy --method original").1[0], [plain[0] as f32, plain[1] as f32]);
}

#[test]
fn a_value_beyond_float32_is_named_with_its_row_by_every_method() {
    let place = Place::new();
    for value in [-f64::from(f32::MAX), 1e300, -1e39] {
        let mut values = clusters();
        values[50 * DIMS..51 * DIMS].fill(value);
        if value.abs() > 3.5e38 {
            place.write("m.npy", &doubles(&values))
        } else {
            place.write("m.npy", &singles(&values.iter().map(|&x| x as f32).collect::<Vec<_>>()))
        }
        for method in ["pca", "tsne", "umap"] {
            let said = place.refusal(&format!("m.npy --method {method}"));
            assert!(said.contains("row 50 has") && said.lines().count() == 1, "{value} {method}: {said}");
        }
    }
    // Beside such a row all others would be one point.
    let mut values = clusters();
    values[3 * DIMS + 2] = 1e25;
    place.write("m.npy", &singles(&values.iter().map(|&value| value as f32).collect::<Vec<_>>()));
    for method in ["tsne", "umap"] {
        assert!(place.refusal(&format!("m.npy --method {method}")).contains("row 3 has 1e25 in column 2"), "{method}");
    }
    let (ratios, layout) = place.project("m.npy --method pca");
    assert!(ratios[0] > 0.999 && layout.iter().flatten().all(|value| value.is_finite()));
    values[3 * DIMS + 2] = f64::NAN;
    place.write("m.npy", &doubles(&values));
    for method in ["pca", "std-pca", "tsne", "umap", "original --axes 1,3"] {
        assert!(place.refusal(&format!("m.npy --method {method}")).contains("row 3 has NaN in column 2"), "{method}");
    }
}

#[test]
fn tiny_values_and_large_constants_do_not_hide_what_varies() {
    let place = Place::new();
    let near = clusters();
    place.write("near.npy", &doubles(&near));
    let (expected, _) = place.project("near.npy --method pca");
    for factor in [1e-30, 1e-20, 1e15] {
        place.write("scaled.npy", &doubles(&near.iter().map(|value| value * factor).collect::<Vec<_>>()));
        let (ratios, layout) = place.project("scaled.npy --method pca");
        assert!(expected.iter().zip(&ratios).all(|(a, b)| (a - b).abs() < 1e-3), "{factor}: {ratios:?}");
        assert!(is_apart(&layout), "{factor}");
    }
    place.write("vanishing.npy", &doubles(&near.iter().map(|value| value * 1e-60).collect::<Vec<_>>()));
    assert!(place.refusal("vanishing.npy --method pca").contains("float32 cannot hold"));
    let constant: Vec<f32> = near.iter().enumerate().map(|(at, &value)| if at % DIMS == 4 { 1e30 } else { value as f32 }).collect();
    place.write("constant.npy", &singles(&constant));
    let (ratios, layout) = place.project("constant.npy --method pca --dims 6");
    assert!(ratios[0] > 0.5 && ratios[5] < 1e-6 && is_apart(&layout), "{ratios:?}");
}

#[test]
fn every_type_and_order_that_numpy_saves_is_read_as_numpy_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npy");
    let numbers = [3_i64, -7, 100, 0, 1, 42];
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        MatrixFile::open(&path).map(|matrix| matrix.to_matrix().unwrap()).map_err(|error| error.to_string())
    };
    let fortran = |values: &[i64]| [0, 3, 1, 4, 2, 5].map(|at: usize| values[at]);
    for (name, width, is_float) in
        [("i1", 1, false), ("i2", 2, false), ("i4", 4, false), ("i8", 8, false), ("f2", 2, true), ("f4", 4, true), ("f8", 8, true)]
    {
        for is_big in [false, true] {
            for is_fortran in [false, true] {
                let ordered = if is_fortran { fortran(&numbers) } else { numbers };
                let data: Vec<u8> = ordered
                    .iter()
                    .flat_map(|&number| {
                        let mut bytes = match (width, is_float) {
                            (2, true) => half::f16::from_f64(number as f64).to_le_bytes().to_vec(),
                            (4, true) => (number as f32).to_le_bytes().to_vec(),
                            (8, true) => (number as f64).to_le_bytes().to_vec(),
                            _ => number.to_le_bytes()[..width].to_vec(),
                        };
                        if is_big {
                            bytes.reverse();
                        }
                        bytes
                    })
                    .collect();
                let descr = format!("{}{name}", if is_big { '>' } else { '<' });
                let matrix = read(&npy(&descr, is_fortran, "(2, 3)", &data)).unwrap();
                assert_eq!(matrix.values(), numbers.map(|number| number as f32), "{descr} {is_fortran}");
            }
        }
    }
    assert_eq!(read(&npy("|b1", false, "(2, 3)", &[0, 1, 1, 0, 5, 0])).unwrap().values(), [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    for (shape, data, word) in [
        ("(6,)", 48, "1 dimensions"),
        ("(1, 2, 3)", 48, "3 dimensions"),
        ("(3, 0)", 0, "without a single number"),
        ("(1000000000, 1000000000)", 48, "cut off"),
        ("(18446744073709551615, 2)", 48, "cut off"),
        ("(2, 18446744073709551615)", 48, "cut off"),
    ] {
        let said = read(&npy("<f8", false, shape, &vec![0; data])).unwrap_err();
        assert!(said.contains(word), "{shape}: {said}");
    }
    let place = Place::new();
    place.write("none.npy", &npy("<f8", false, "(0, 1000000000000)", &[]));
    assert!(place.refusal("none.npy --method pca").contains("nothing to project"));
}

#[test]
fn whole_numbers_beyond_float32_keep_what_tells_them_apart() {
    let place = Place::new();
    let near = clusters();
    let hundredths = |value: f64| (value * 100.0).round();
    let data: Vec<u8> = near.iter().flat_map(|&value| ((1_i64 << 40) + hundredths(value) as i64).to_be_bytes()).collect();
    place.write("far.npy", &npy(">i8", false, &format!("({ROWS}, {DIMS})"), &data));
    place.write("near.npy", &doubles(&near.iter().map(|&value| hundredths(value)).collect::<Vec<_>>()));
    let ((expected, _), (ratios, layout)) = (place.project("near.npy --method pca"), place.project("far.npy --method pca"));
    assert!(expected.iter().zip(&ratios).all(|(a, b)| (a - b).abs() < 1e-5) && is_apart(&layout), "{ratios:?}");
}

fn render(place: &Place, collection: &Path, options: &str) -> (i32, String) {
    let _ = std::fs::remove_file(place.path("map.png"));
    let (code, _, err) = place.run(&format!("render {} --size 320x200 --out map.png {options}", collection.display()));
    assert_eq!(place.path("map.png").exists(), code != 2, "{options}: {err}");
    (code, err)
}

#[test]
fn a_layout_far_from_zero_is_drawn_like_one_near_and_its_lost_rows_are_told() {
    let place = Place::new();
    let collection = wandering(place.0.path(), 10, 6);
    let mut seed = SplitMix64::new(3);
    let near: Vec<f64> = (0..120).map(|_| f64::from(seed.next_normal())).collect();
    let bytes = |values: &[f64]| npy("<f8", false, "(60, 2)", &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    place.write("far.npy", &bytes(&near.iter().map(|value| value + 1.7e9).collect::<Vec<_>>()));
    assert_eq!(render(&place, &collection, "--layout far.npy"), (0, String::new()));
    let picture = std::fs::read(place.path("map.png")).unwrap();
    assert!(picture.len() > 3000, "{} bytes: not one dot", picture.len());
    for (value, row) in [(f64::NAN, 17), (f64::INFINITY, 3), (-f64::from(f32::MAX), 0)] {
        let mut lost = near.clone();
        lost[row * 2 + 1] = value;
        lost[59 * 2] = f64::NAN;
        place.write("lost.npy", &bytes(&lost));
        for view in ["segments", "trajectories", "averages", "density"] {
            let (code, said) = render(&place, &collection, &format!("--layout lost.npy --view {view}"));
            assert!(code == 1 && said.contains("2 of 60 rows") && said.contains(&format!("row {row},")), "{value} {view}: {code} {said}");
        }
    }
    place.write("none.npy", &bytes(&[f64::NAN; 120]));
    let (code, said) = render(&place, &collection, "--layout none.npy");
    assert!(code == 2 && said.contains("not one of its rows"), "{said}");
    let numbers: Vec<u8> = (0..60).flat_map(|row| (1.7e9 + f64::from(row)).to_le_bytes()).collect();
    place.write("numbers.npy", &npy("<f8", false, "(60,)", &numbers));
    assert_eq!(render(&place, &collection, "--color-by file:numbers.npy").0, 0);
    let far = std::fs::read(place.path("map.png")).unwrap();
    let numbers: Vec<u8> = (0..60).flat_map(|row| f64::from(row - 30).to_le_bytes()).collect();
    place.write("numbers.npy", &npy("<f8", false, "(60,)", &numbers));
    assert_eq!(render(&place, &collection, "--color-by file:numbers.npy").0, 0);
    assert_eq!(std::fs::read(place.path("map.png")).unwrap(), far, "the same differences have the same colours");
}
