//! `tagscape bench project`: every method on the same rows, by stage.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Parser as _};
use serde_json::Value;

use super::temporary_folder;
use crate::app::resources::demo_collection;
use crate::app::state::AppState;
use crate::cli::exit_code::Exit;
use crate::cli::printer;
use crate::cli::project::{ProjectArgs, project};
use crate::store::Collection;

/// Projects the same rows by several methods, into layouts that are thrown away, and prints seconds by stage
#[derive(Debug, Args)]
pub struct BenchProjectArgs {
    /// Collections, or .npy matrices [rows, dims] (default: the demo collection)
    #[arg(value_name = "PATH")]
    inputs: Vec<PathBuf>,
    /// The collections' space (default: the one that the window begins with)
    #[arg(long, value_name = "SPACE")]
    space: Option<crate::catalog::SpaceKey>,
    /// Which methods
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "pca,std-pca,tsne,umap")]
    methods: Vec<String>,
    /// Dimensions of the layouts
    #[arg(long, value_name = "N", default_value_t = 2)]
    dims: usize,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    /// Options of `tagscape project` for all of them, after `--`, such as `-- --device gpu`
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
    /// Print a JSON list with what `project --json` prints for each run, and nothing else, to standard output
    #[arg(long)]
    json: bool,
}

/// A command line of `tagscape project`.
#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct OneRun {
    #[command(flatten)]
    args: ProjectArgs,
}

/// What is printed of a run's seconds, in this order.
const STAGES: [&str; 7] = ["load", "pca", "knn", "affinities", "optimize", "write", "total"];

pub(super) fn run(args: &BenchProjectArgs) -> anyhow::Result<Exit> {
    let inputs = if args.inputs.is_empty() {
        vec![demo_collection().context("there is no demo collection; name a collection or a matrix")?]
    } else {
        args.inputs.clone()
    };
    let scratch = temporary_folder()?;
    let out = scratch.path().join("layout.npy");
    let mut runs = Vec::new();
    for input in &inputs {
        for method in &args.methods {
            for _ in 0..args.runs {
                let json = project(&one_run(args, input, method, &out)?)?.json;
                if !args.json {
                    if runs.is_empty() {
                        printer::line(&heading());
                    }
                    printer::line(&line(&json));
                }
                runs.push(json);
            }
        }
    }
    if args.json {
        printer::json(&Value::Array(runs));
    }
    Ok(Exit::Done)
}

fn one_run(args: &BenchProjectArgs, input: &Path, method: &str, out: &Path) -> anyhow::Result<ProjectArgs> {
    let mut line: Vec<std::ffi::OsString> = vec![input.into(), "--method".into(), method.into(), "--out".into(), out.into()];
    line.extend(["--dims".into(), args.dims.to_string().into()]);
    if input.is_dir() {
        let space = AppState::first_space(&Collection::open(input)?, args.space)?;
        line.extend(["--space".into(), space.to_string().into()]);
    }
    if args.json {
        // It keeps progress off the terminal as well.
        line.push("--json".into());
    }
    line.extend(args.options.iter().map(Into::into));
    let parsed = OneRun::try_parse_from(line).map_err(|error| anyhow::anyhow!("{}", first_line(&error.to_string())))?;
    Ok(parsed.args)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ")
}

fn heading() -> String {
    let mut text = format!("{:<9}{:>9}{:>6}{:>6}{:>7}", "method", "rows", "in", "out", "device");
    for stage in STAGES {
        text += &format!("{stage:>11}");
    }
    text + &format!("{:>8}{:>8}", "KL", "recall")
}

/// A run in a line: seconds of each stage, and what the method says of its quality.
fn line(json: &Value) -> String {
    let number = |name: &str| json[name].as_u64().unwrap_or(0);
    let word = |name: &str| json[name].as_str().unwrap_or("").to_owned();
    let mut text =
        format!("{:<9}{:>9}{:>6}{:>6}{:>7}", word("method"), number("rows"), number("dims_in"), number("dims_out"), word("device"));
    for stage in STAGES {
        text += &json["seconds"][stage].as_f64().map_or_else(|| format!("{:>11}", "-"), |seconds| format!("{seconds:>11.2}"));
    }
    for name in ["kl", "knn_recall_measured"] {
        text += &json[name].as_f64().map_or_else(|| format!("{:>8}", "-"), |value| format!("{value:>8.3}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_line_as_long_as_the_heading() {
        let json = serde_json::json!({"rows": 10, "dims_in": 5, "dims_out": 2, "method": "tsne", "device": "cpu", "kl": 1.25,
            "knn_recall_measured": 1.0, "seconds": {"load": 0.1, "knn": 2.0, "total": 3.0}});
        let text = line(&json);
        assert_eq!(text.len(), heading().len());
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words, ["tsne", "10", "5", "2", "cpu", "0.10", "-", "2.00", "-", "-", "-", "3.00", "1.250", "1.000"]);
    }
}
