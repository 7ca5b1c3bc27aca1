//! `tagscape bench`: measures, on the demo or on a user's own files.

mod audio;
mod extract;
mod pick;
mod project;
mod render;

use clap::{Args, Subcommand};

use anyhow::Context as _;

use super::exit_code::Exit;
use crate::app::percentile;

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
    Pick(pick::BenchPickArgs),
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
        What::Pick(args) => pick::run(&args),
        What::Project(args) => project::run(&args),
        What::Render(args) => render::run(&args),
    }
}

/// Makes a folder for files that a measurement writes; it goes at its end.
fn temporary_folder() -> anyhow::Result<tempfile::TempDir> {
    let made = tempfile::Builder::new().prefix("tagscape-bench-").tempdir();
    made.with_context(|| format!("cannot write to {}", std::env::temp_dir().display()))
}
