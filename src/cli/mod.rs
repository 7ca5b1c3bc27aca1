//! Arguments to work: parses the command line, runs one command, says what went wrong in one line.

pub mod args;
pub mod bench;
pub mod exit_code;
pub mod explore;
pub mod extract;
mod extract_options;
mod interrupt;
pub mod merge;
pub mod models;
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
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match arguments.run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("tagscape: {}", chain(&error));
            Exit::NothingDone.into()
        }
    }
}

/// Help and version go to standard output; what is wrong with a command line is said in one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe (`tagscape --help | head -1`) is no failure.
        let _ = error.print();
        return Exit::Done.into();
    }
    let text = error.to_string();
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more"))
        .collect();
    let said = said.join("; ").replace(":; ", ": ");
    eprintln!("tagscape: {} (see `tagscape --help`)", said.trim_start_matches("error: "));
    Exit::NothingDone.into()
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
