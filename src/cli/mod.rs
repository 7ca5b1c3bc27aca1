//! Arguments to work: parses the command line, runs one command, says what went wrong in one line.

pub mod args;
pub mod bench;
pub mod exit_code;
pub mod explore;
pub mod extract;
mod extract_options;
mod interrupt;
pub mod merge;
mod mistake;
pub mod models;
mod printer;
pub mod project;
pub mod render;
pub mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::Arguments;
use exit_code::Exit;

/// Runs the program with these arguments (the first is the program's name) and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    mistake::listen();
    // Help names the program, whatever it was started as.
    let arguments = std::iter::once("tagscape".into()).chain(arguments.into_iter().skip(1));
    let (exit, leaves_work) = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => {
            let leaves_work = arguments.leaves_work();
            let exit = mistake::guarded(|| arguments.run()).unwrap_or_else(|error| {
                printer::remark(&chain(&error));
                Exit::NothingDone
            });
            (exit, leaves_work)
        }
        Err(error) => (usage(&error), false),
    };
    printed(exit, leaves_work).into()
}

/// The exit code, once it is known whether the results could be printed. Where they could not: 2 for a command that does nothing else
/// (help, lists, measurements), and 1 for one that has left its work, such as a collection, and failed to report it.
fn printed(exit: Exit, leaves_work: bool) -> Exit {
    let Some(error) = printer::failure() else { return exit };
    printer::remark(&format!("cannot write to standard output: {error}"));
    if leaves_work && exit != Exit::NothingDone { Exit::SomeFailed } else { Exit::NothingDone }
}

/// Help and version go to standard output; what is wrong with a command line is said in one line.
fn usage(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        printer::note(error.print());
        return Exit::Done;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let text = error.to_string();
        let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: ")).unwrap_or("tagscape <COMMAND>");
        printer::remark(&format!("the command is not whole: {usage} (see `tagscape --help`)"));
        return Exit::NothingDone;
    }
    let text = error.to_string();
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more"))
        .collect();
    let said = said.join("; ").replace(":; ", ": ");
    printer::remark(&format!("{} (see `tagscape --help`)", said.trim_start_matches("error: ")));
    Exit::NothingDone
}

/// An error and its causes on one line. A message that tells its cause already is not followed by it again.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_errors_is_one_line() {
        let error = anyhow::anyhow!("no such\n  file").context("cannot read x: no such\n  file").context("opening");
        assert_eq!(chain(&error), "opening: cannot read x: no such file");
    }
}
