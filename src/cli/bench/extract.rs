//! `tagscape bench extract`: the whole way from files to a collection, several times, by stage.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::temporary_folder;
use crate::app::extract_job::{ExtractSummary, StageSeconds};
use crate::app::resources::demo_collection;
use crate::cli::exit_code::Exit;
use crate::cli::extract::{extract_with_progress, realtime, to_json};
use crate::cli::extract_options::ExtractOptions;
use crate::cli::printer;
use crate::store::Collection;

/// Extracts the same files several times, into collections that are thrown away, and prints seconds by stage
///
/// Each run reads, decodes, infers and writes everything anew. Decode, features and inference are summed over the threads, so that
/// they add up to more than the total, which is wall time with the loading of the networks.
#[derive(Debug, Args)]
pub struct BenchExtractArgs {
    /// Audio files or folders (default: the demo collection's audio)
    #[arg(value_name = "PATH")]
    inputs: Vec<PathBuf>,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    #[command(flatten)]
    options: ExtractOptions,
    /// Print a JSON list with what `extract --json` prints for each run, and nothing else, to standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: BenchExtractArgs) -> anyhow::Result<Exit> {
    let inputs = if args.inputs.is_empty() { vec![demo_audio()?] } else { args.inputs };
    let scratch = temporary_folder()?;
    let mut runs = Vec::new();
    for number in 1..=args.runs {
        let params = args.options.params(inputs.clone(), scratch.path().join(format!("{number}.tagscape")));
        let summary = extract_with_progress(&params)?;
        let is_stopped = summary.stop.is_some();
        let json = to_json(&params, &summary);
        runs.push((summary, json));
        remove(&params.out);
        if is_stopped {
            break;
        }
    }
    if args.json {
        printer::json(&serde_json::Value::Array(runs.iter().map(|(_, json)| json.clone()).collect()));
    } else {
        printer::lines(&table(&runs.iter().map(|(summary, _)| summary).collect::<Vec<_>>()));
    }
    let is_whole = runs.iter().all(|(summary, _)| summary.failed.is_empty() && summary.stop.is_none());
    Ok(if is_whole { Exit::Done } else { Exit::SomeFailed })
}

/// A run's collection is of no use to the next one, and a thousand of them might not fit.
fn remove(collection: &Path) {
    let _ = std::fs::remove_dir_all(collection);
}

fn demo_audio() -> anyhow::Result<PathBuf> {
    let demo = demo_collection().context("there is no demo collection; name files or folders of music")?;
    Ok(Collection::open(&demo)?.audio_root().to_owned())
}

/// A line a run, and the median of each column.
fn table(runs: &[&ExtractSummary]) -> String {
    let mut text =
        format!("{:>8}{:>9}{:>10}{:>11}{:>8}{:>8}{:>13}\n", "run", "decode", "features", "inference", "write", "total", "x real time");
    let row = |name: &str, seconds: StageSeconds, realtime: f64| {
        let StageSeconds { decode, features, inference, write, total } = seconds;
        format!("{name:>8}{decode:9.2}{features:10.2}{inference:11.2}{write:8.2}{total:8.2}{realtime:13.1}\n")
    };
    for (number, summary) in runs.iter().enumerate() {
        text.push_str(&row(&(number + 1).to_string(), summary.seconds, realtime(summary)));
    }
    let middle = |of: &dyn Fn(&ExtractSummary) -> f64| median(runs.iter().map(|summary| of(summary)).collect());
    let seconds = StageSeconds {
        decode: middle(&|run| run.seconds.decode),
        features: middle(&|run| run.seconds.features),
        inference: middle(&|run| run.seconds.inference),
        write: middle(&|run| run.seconds.write),
        total: middle(&|run| run.seconds.total),
    };
    text.push_str(&row("median", seconds, middle(&realtime)));
    text
}

/// The middle value; the mean of the two middle ones of an even number.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn the_table_has_a_line_a_run_and_the_median_of_each_column() {
        let run = |total: f64| ExtractSummary {
            audio_secs: 100.0,
            seconds: StageSeconds { inference: 2.0 * total, total, ..StageSeconds::default() },
            ..ExtractSummary::default()
        };
        let runs = [run(5.0), run(4.0), run(2.0)];
        let text = table(&runs.iter().collect::<Vec<_>>());
        assert_eq!(text.lines().count(), 5);
        let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["median", "0.00", "0.00", "8.00", "0.00", "4.00", "25.0"]);
    }
}
