//! `tagscape bench`: measures, on the demo or on a user's own files.

mod audio;
mod extract;
mod project;
mod render;
mod scratch;

use clap::{Args, Subcommand};

use super::exit_code::Exit;

/// Measures how fast this machine is at what tagscape does
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Audio(audio::BenchAudioArgs),
    Extract(extract::BenchExtractArgs),
    Project(project::BenchProjectArgs),
    Render(render::BenchRenderArgs),
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be measured.
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    match args.what {
        What::Audio(args) => audio::run(&args),
        What::Extract(args) => extract::run(args),
        What::Project(args) => project::run(&args),
        What::Render(args) => render::run(&args),
    }
}

/// Percentile `share` (0 to 1) of values: the smallest that at least this share does not exceed.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!([0.5, 0.95, 0.99, 1.0].map(|share| percentile(&values, share)), [50.0, 95.0, 99.0, 100.0]);
        assert_eq!(percentile(&[7.0], 0.5), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
