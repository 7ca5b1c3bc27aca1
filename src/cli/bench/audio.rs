//! `tagscape bench audio`: how long it takes from touching a segment to its sound.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::percentile;
use crate::app::extract_job::audio_files;
use crate::app::listening_trial::{ListeningTimes, ListeningTrial, TrialTrack};
use crate::app::playback_notes::PlaybackNotes;
use crate::app::resources::demo_collection;
use crate::audio::{SeekIndex, decode_file};
use crate::catalog::path_from_text;
use crate::cli::exit_code::Exit;
use crate::player::OutputChoice;
use crate::store::Collection;

/// Sweeps over segments of music as a listener's pointer does, and prints how long it takes until they sound
///
/// A latency is from the hover event to the first sounding frame that is handed to the output; what the device's own buffer adds stands beside it.
/// Half of the measured segments were decoded before (cached), half never (cold: the file is opened, sought and decoded). What a collection notes of its
/// tracks is used as the window uses it; nothing is noted.
#[derive(Debug, Args)]
pub struct BenchAudioArgs {
    /// Audio files, folders of them, or collections (default: the demo collection)
    #[arg(value_name = "PATH")]
    inputs: Vec<PathBuf>,
    /// Where the sound goes: to nowhere in real time, or to the system's default device
    #[arg(long, value_enum, default_value = "default")]
    output: OutputArg,
    /// How long to sweep
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Print one JSON object to standard output and nothing else
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OutputArg {
    Null,
    Default,
}

pub(super) fn run(args: &BenchAudioArgs) -> anyhow::Result<Exit> {
    let inputs = if args.inputs.is_empty() { vec![demo_collection()?] } else { args.inputs.clone() };
    let (tracks, notes) = tracks_of(&inputs)?;
    let output = match args.output {
        OutputArg::Null => OutputChoice::Null,
        OutputArg::Default => OutputChoice::Default,
    };
    let trial = ListeningTrial { tracks, notes: Arc::new(notes), output, duration: Duration::from_secs(u64::from(args.seconds)) };
    let times = trial.run(|| false);
    times.notices.iter().chain(&times.failures).for_each(|line| eprintln!("{line}"));
    anyhow::ensure!(!times.cold_ms.is_empty(), "nothing sounded");
    if args.json {
        println!("{}", to_json(&times));
    } else {
        print!("{}", table(&times));
    }
    // A measurement of nowhere must not pass for one of a device.
    let is_elsewhere = output == OutputChoice::Default && !times.notices.is_empty();
    Ok(if times.failures.is_empty() && !is_elsewhere { Exit::Done } else { Exit::SomeFailed })
}

/// Whether a folder is a collection.
fn is_collection(path: &Path) -> bool {
    path.join("collection.sqlite").is_file()
}

/// Tracks with their lengths, and what their collections know of them. Loose files are read once for the length.
fn tracks_of(inputs: &[PathBuf]) -> anyhow::Result<(Vec<TrialTrack>, PlaybackNotes)> {
    let (mut tracks, mut notes) = (Vec::new(), PlaybackNotes::default());
    let (collections, loose): (Vec<_>, Vec<_>) = inputs.iter().cloned().partition(|path| is_collection(path));
    for path in collections {
        let collection = Collection::open(&path)?;
        let root = collection.audio_root();
        notes.add(&path, &root);
        for track in collection.tracks() {
            tracks.push(TrialTrack { path: root.join(path_from_text(&track.path)), duration_secs: track.duration_secs });
        }
    }
    if !loose.is_empty() {
        let length = |path: &Path| match SeekIndex::scan(path)? {
            Some(index) => Ok(index.duration_secs()),
            None => decode_file(path).map(|track| track.pcm.duration_secs()),
        };
        let measured = |path: PathBuf| match length(&path) {
            Ok(duration_secs) => Some(TrialTrack { path, duration_secs }),
            Err(error) => {
                eprintln!("{error}");
                None
            }
        };
        tracks.extend(audio_files(&loose)?.into_par_iter().filter_map(measured).collect::<Vec<_>>());
    }
    (!tracks.is_empty()).then_some((tracks, notes)).context("no music to listen to")
}

/// To a thousandth: what is behind is noise.
fn rounded(ms: f64) -> Value {
    json!((ms * 1e3).round() / 1e3)
}

fn to_json(times: &ListeningTimes) -> Value {
    let shares = |values: &[f64]| json!({"p50": rounded(percentile(values, 0.5)), "p95": rounded(percentile(values, 0.95)), "max": rounded(percentile(values, 1.0)), "count": values.len()});
    json!({
        "output": times.output,
        "sample_rate_hz": times.sample_rate_hz,
        "buffer_frames": times.buffer_frames,
        "cached_ms": shares(&times.cached_ms),
        "cold_ms": shares(&times.cold_ms),
        "swept": times.swept,
        "underruns": times.underruns,
        "starved": times.starved,
        "largest_step": times.largest_step,
        "music_step": times.music_step,
    })
}

fn table(times: &ListeningTimes) -> String {
    let buffer_ms = f64::from(times.buffer_frames) * 1e3 / f64::from(times.sample_rate_hz.max(1));
    let mut text =
        format!("{}: {} Hz, a buffer of {} frames, {buffer_ms:.1} ms\n", times.output, times.sample_rate_hz, times.buffer_frames);
    for (name, values) in [("cached", &times.cached_ms), ("cold", &times.cold_ms)] {
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|share| percentile(values, share));
        text += &format!("{name:>6}  p50 {p50:.2}  p95 {p95:.2}  max {max:.2} ms, {} auditions\n", values.len());
    }
    text += &format!("underruns {}, decoding behind {}, points swept over {}\n", times.underruns, times.starved, times.swept);
    text += &format!("largest step {:.3}, the music's own {:.3}\n", times.largest_step, times.music_step);
    text
}
