//! Standard streams in every state that a shell can give them.
#![cfg(unix)]

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a standard stream leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Somebody reads it.
    Read,
    /// A pipe whose reader has gone.
    Gone,
    /// A full disk.
    Full,
    /// Nowhere: the descriptor is closed.
    Closed,
}

pub const STREAMS: [Stream; 4] = [Stream::Read, Stream::Gone, Stream::Full, Stream::Closed];

/// What became of a program.
#[derive(Debug)]
pub struct Ended {
    /// `None`: a signal ended it, or it did not end in time.
    pub code: Option<i32>,
    pub is_late: bool,
    /// What was read of standard output and standard error.
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Ended {
    pub fn err_text(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Runs a program with its streams in these states and gives it so long.
pub fn run_with(command: &Command, out: Stream, err: Stream, limit: Duration) -> Ended {
    // A shell can close a descriptor before the program begins; what is not closed goes through.
    let script = match (out == Stream::Closed, err == Stream::Closed) {
        (false, false) => "exec \"$@\"",
        (true, false) => "exec \"$@\" >&-",
        (false, true) => "exec \"$@\" 2>&-",
        (true, true) => "exec \"$@\" >&- 2>&-",
    };
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    command.get_envs().for_each(|(name, value)| {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    });
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    // Files, so that nobody has to read while the program runs.
    let [out_file, err_file] = [(); 2].map(|()| tempfile::tempfile().unwrap());
    let lead = |stream: Stream, file: &File| match stream {
        Stream::Read => Stdio::from(file.try_clone().unwrap()),
        Stream::Gone => Stdio::from(std::io::pipe().unwrap().1),
        Stream::Full => Stdio::from(File::options().write(true).open("/dev/full").unwrap()),
        Stream::Closed => Stdio::null(),
    };
    let mut child = shell.stdin(Stdio::null()).stdout(lead(out, &out_file)).stderr(lead(err, &err_file)).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if start.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let read = |mut file: File| {
        let mut bytes = Vec::new();
        std::io::Seek::rewind(&mut file).unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        bytes
    };
    Ended { code: status.and_then(|status| status.code()), is_late: status.is_none(), out: read(out_file), err: read(err_file) }
}
