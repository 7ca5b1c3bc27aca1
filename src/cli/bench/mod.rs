//! `tagscape bench`: measures, on the demo or on a user's own files.

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
        What::Extract(args) => extract::run(args),
        What::Project(args) => project::run(&args),
        What::Render(args) => render::run(&args),
    }
}
