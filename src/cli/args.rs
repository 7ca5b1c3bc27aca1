//! The command line: one variant a command; each command's own options are in its file.

use clap::{Parser, Subcommand};

use super::exit_code::Exit;
use super::{bench, explore, extract, merge, models, project, render};

/// Explores the latent and tag spaces of music auto-tagging models.
#[derive(Debug, Parser)]
#[command(name = "tagscape", version, about)]
pub struct Arguments {
    /// What to do; nothing means: open the demo collection's window
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Explore(explore::ExploreArgs),
    Extract(extract::ExtractArgs),
    Merge(merge::MergeArgs),
    Models(models::ModelsArgs),
    Render(render::RenderArgs),
    Bench(bench::BenchArgs),
    Project(project::ProjectArgs),
}

impl Arguments {
    /// Whether the command leaves more behind than what it prints.
    pub(super) fn leaves_work(&self) -> bool {
        match &self.command {
            None => true,
            Some(Command::Models(args)) => args.leaves_work(),
            Some(Command::Bench(_)) => false,
            Some(Command::Explore(_) | Command::Extract(_) | Command::Merge(_) | Command::Render(_) | Command::Project(_)) => true,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Where nothing could be done; the chain says what to do about it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            None => Self::try_parse_from(["tagscape", "explore"])?.run(),
            Some(Command::Explore(args)) => explore::run(args),
            Some(Command::Extract(args)) => extract::run(args),
            Some(Command::Merge(args)) => merge::run(&args),
            Some(Command::Models(args)) => models::run(&args),
            Some(Command::Render(args)) => render::run(&args),
            Some(Command::Bench(args)) => bench::run(args),
            Some(Command::Project(args)) => project::run(&args),
        }
    }
}
