//! What the exit code tells a script.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all done.
    Done,
    /// 1: done, but some inputs failed, each named with its reason, or the report of what was done could not be printed.
    SomeFailed,
    /// 2: nothing done: bad usage, no such file, an unreadable collection, a list that could not be printed.
    NothingDone,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::SomeFailed => 1,
            Exit::NothingDone => 2,
        })
    }
}
