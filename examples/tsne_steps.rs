//! Where the time of t-SNE's steps on the CPU goes: the whole descent of a matrix, by what was done.
//!
//! ```text
//! cargo run --release --example tsne_steps -- MATRIX.npy [--dims 2|3] [--perplexity P] [--steps N] [--rows N]
//! ```
//!
//! Prints one line of JSON: rows, seconds of the neighbours and the affinities, milliseconds of a step in all and by part (the mean), and the
//! largest memory of the process in MB (Linux).

use std::path::Path;
use std::time::Instant;

use tagscape::matrix::{FeatureMatrix, RowSource as _};
use tagscape::project::tsne::{StepSeconds, TsneEmbedding, TsneOptions, prepare};
use tagscape::project::{Compute, Descent as _, NoObserver};
use tagscape::store::MatrixFile;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        anyhow::bail!("usage: tsne_steps MATRIX.npy [--dims N] [--perplexity P] [--steps N] [--rows N]")
    };
    let number = |name: &str, default: f64| -> anyhow::Result<f64> {
        let place = arguments.iter().position(|argument| argument == name);
        Ok(place.and_then(|place| arguments.get(place + 1)).map_or(Ok(default), |text| text.parse())?)
    };
    let file = MatrixFile::open(Path::new(path))?;
    let rows = (number("--rows", file.rows() as f64)? as usize).min(file.rows());
    let mut values = vec![0.0; rows * file.dims()];
    file.read_rows(0..rows, &mut values)?;
    let matrix = FeatureMatrix::new(rows, file.dims(), values);
    let options = TsneOptions {
        dims: number("--dims", 2.0)? as usize,
        perplexity: number("--perplexity", 30.0)?,
        iterations: number("--steps", 750.0)? as usize,
        ..TsneOptions::default()
    };

    let start = Instant::now();
    let mut embedding: TsneEmbedding = prepare(&matrix, &options, false, &Compute::Cpu, &NoObserver)?;
    drop(matrix);
    let prepared = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for _ in 0..options.iterations {
        embedding.step()?;
    }
    let per_step = 1e3 / options.iterations as f64;
    let (steps, seconds) = (start.elapsed().as_secs_f64(), embedding.step_seconds().unwrap_or_default());
    let report = embedding.report()?;
    let parts: serde_json::Map<_, _> = StepSeconds::parts(&seconds)
        .into_iter()
        .map(|(name, seconds)| (name.to_owned(), serde_json::json!(rounded(seconds * per_step))))
        .collect();
    println!(
        "{}",
        serde_json::json!({
            "rows": rows, "dims": options.dims, "prepare_s": rounded(prepared), "knn_s": rounded(report.seconds.knn),
            "knn_recall_measured": report.knn_recall_measured, "affinities_s": rounded(report.seconds.affinities),
            "steps": options.iterations, "steps_s": rounded(steps), "step_ms": rounded(steps * per_step), "parts_ms": parts,
            "kl": report.kl, "peak_mb": peak_mb(),
        })
    );
    Ok(())
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The most memory that this process has held, in MB.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}
