//! The event log: what happened in the window, a JSON object a line, each written at once. Researchers read it.
//!
//! A new session's log takes the place of an earlier one's, and of an empty file; anything else that is there stays, and the
//! window does not open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::error::AppError;
use crate::plain_file;
use crate::whole_file::{self, WholeFile, WriteError};

/// The first bytes of every log.
const FIRST: &[u8] = b"{\"t_ms\":";

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The map is on screen.
    Ready {
        /// Its rectangle in window pixels: x, y, width, height.
        map: [u32; 4],
        /// The GPU.
        adapter: String,
        /// Segments drawn.
        segments: usize,
    },
    /// The pointer came onto a segment.
    Hover {
        /// Row of the space shown.
        segment: u32,
        /// Path of its track.
        track: String,
        /// Its start in seconds.
        start_s: f64,
        /// The pointer in window pixels.
        x: f32,
        /// The pointer in window pixels.
        y: f32,
    },
    /// A segment's first frame was handed to the sound output.
    Audition {
        /// Row of the space shown when it was asked for.
        segment: u32,
        /// Path of its track.
        track: String,
        /// Its start in seconds.
        start_s: f64,
        /// From the hover to that frame.
        latency_ms: f64,
    },
    /// What sounded is silent again.
    Stop {
        /// Its row.
        segment: u32,
    },
    /// What sounds went on along its track into another segment.
    Playhead {
        /// Its row in the space shown.
        segment: u32,
        /// Where in the track it is, in seconds.
        position_s: f64,
    },
    /// Another layout is shown, or the embedding that is shown has come to its end.
    Projection {
        /// The space.
        space: String,
        /// The method's name, or `file`.
        method: String,
        /// 2 or 3.
        dims: usize,
        /// Rows.
        rows: usize,
        /// The axes' names.
        axes: Vec<String>,
        /// How long it took so far.
        seconds: f64,
        /// An embedding's steps.
        #[serde(skip_serializing_if = "Option::is_none")]
        iterations: Option<usize>,
        /// An embedding's divergence in nats, where it was measured.
        #[serde(skip_serializing_if = "Option::is_none")]
        kl: Option<f64>,
    },
    /// Other segments are chosen.
    Select {
        /// How many are, 0 for none.
        count: usize,
        /// `lasso`, `rectangle`, `text`, `legend`, `invert` or `clear`.
        tool: &'static str,
    },
    /// Another view is shown.
    View {
        /// `segments`, `trajectories`, `averages` or `density`.
        view: String,
    },
    /// How fast frames came; once a second at most, while some did.
    FrameStats {
        /// Frames since the event before.
        frames: usize,
        /// Frames per second while they followed one another, of the last 120.
        frames_per_second: Option<f64>,
        /// The CPU's time of a frame, of the last 120.
        frame_ms: Shares,
        /// Each pass's time in a frame, where it is measured.
        passes_ms: BTreeMap<&'static str, f64>,
        /// Segments in the newest frame.
        drawn: usize,
        /// All segments of the layout.
        segments: usize,
        /// How long it took to find what is under the pointer, the last time.
        pick_ms: Option<f64>,
    },
    /// A line for the user.
    Notice {
        /// The line.
        text: String,
    },
    /// The picture is as it should be: the window sleeps until something happens.
    Still {
        /// Frames presented since it was opened.
        frames: u64,
    },
    /// The window closed.
    Quit,
}

/// The middle of some values, and what 19 of 20 do not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    /// The middle.
    pub p50: f64,
    /// What 95 % do not exceed.
    pub p95: f64,
}

#[derive(Serialize)]
struct Line<'a> {
    t_ms: f64,
    #[serde(flatten)]
    event: &'a Event,
}

/// An open log; without a file it does nothing.
#[derive(Debug)]
pub struct EventLog {
    file: Option<(PathBuf, BufWriter<File>)>,
    start: Instant,
}

impl EventLog {
    /// Creates the file, if one was asked for.
    ///
    /// # Errors
    /// As [`check`](Self::check), and what the disk refuses.
    pub fn create(path: Option<&Path>) -> Result<Self, AppError> {
        let open = |path: &Path| {
            Self::check(path, &[])?;
            let file = WholeFile::create(path, &[])?.finish_open()?;
            Ok::<_, AppError>((path.to_owned(), BufWriter::new(file)))
        };
        Ok(Self { file: path.map(open).transpose()?, start: Instant::now() })
    }

    /// Looks whether a log may be written to `path`. `inputs` are files that the same command reads.
    ///
    /// # Errors
    /// [`AppError::Write`]; [`AppError::NotALog`] where there is something that is no event log.
    pub fn check(path: &Path, inputs: &[&Path]) -> Result<(), AppError> {
        whole_file::check(path, inputs)?;
        let mut start = Vec::new();
        let read = plain_file::open(path).and_then(|file| file.take(FIRST.len() as u64).read_to_end(&mut start));
        match read {
            Ok(_) if start.is_empty() || start == FIRST => Ok(()),
            Ok(_) => Err(AppError::NotALog { path: path.to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(WriteError::Io { path: path.to_owned(), source }.into()),
        }
    }

    /// Writes one line and hands it to the system at once. A log that can no longer be written is given up, with a line about it.
    pub fn write(&mut self, event: &Event) -> Option<String> {
        let (path, file) = self.file.as_mut()?;
        let t_ms = (self.start.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let written = serde_json::to_writer(&mut *file, &Line { t_ms, event }).map_err(std::io::Error::from);
        let written = written.and_then(|()| file.write_all(b"\n")).and_then(|()| file.flush());
        let error = written.err()?;
        let text = format!("cannot write {}: {error}; events are no longer logged", path.display());
        self.file = None;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_a_line_as_scripts_expect_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::create(Some(&path)).unwrap();
        log.write(&Event::Hover { segment: 7, track: "a/b.ogg".into(), start_s: 1.5, x: 3.0, y: 4.0 });
        log.write(&Event::Quit);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (lines[0]["event"].as_str(), lines[0]["segment"].as_u64(), lines[0]["track"].as_str()),
            (Some("hover"), Some(7), Some("a/b.ogg"))
        );
        assert!(lines[0]["t_ms"].is_number() && lines[0]["start_s"] == 1.5);
        assert_eq!(lines[1]["event"], "quit");
        assert!(EventLog::create(Some(&folder.path().join("no/such/folder"))).is_err());
    }

    #[test]
    fn a_log_takes_the_place_of_a_log_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        for _ in 0..2 {
            let mut log = EventLog::create(Some(&path)).unwrap();
            assert_eq!(log.write(&Event::Quit), None);
            assert_eq!(lines(), 1);
        }
        std::fs::write(&path, "").unwrap();
        EventLog::create(Some(&path)).unwrap();
        for other in ["ID3 music", "{", "{\"t\": 1}\n"] {
            std::fs::write(&path, other).unwrap();
            let said = EventLog::create(Some(&path)).unwrap_err().to_string();
            assert!(said.contains("events.jsonl") && said.contains("another name"), "{said}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        }
    }
}
