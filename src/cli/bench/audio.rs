//! `tagscape bench audio`: how long it takes from touching a segment to its sound.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::percentile;
use crate::app::listening_trial::{ListeningTimes, ListeningTrial, TrialMusic};
use crate::app::resources::demo_collection;
use crate::catalog::counted;
use crate::cli::exit_code::Exit;
use crate::cli::printer;
use crate::player::OutputChoice;

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
    let music = music_of(&inputs)?;
    let output = match args.output {
        OutputArg::Null => OutputChoice::Null,
        OutputArg::Default => OutputChoice::Default,
    };
    let trial = ListeningTrial { music, output, duration: Duration::from_secs(u64::from(args.seconds)) };
    let times = trial.run(|| false);
    times.notices.iter().chain(&times.failures).for_each(|line| printer::remark(line));
    anyhow::ensure!(!times.cold_ms.is_empty(), "nothing sounded");
    if args.json {
        printer::json(&to_json(&times));
    } else {
        printer::lines(&table(&times));
    }
    // A measurement of nowhere must not pass for one of a device.
    let is_elsewhere = trial.output == OutputChoice::Default && !times.notices.is_empty();
    Ok(if times.failures.is_empty() && !is_elsewhere { Exit::Done } else { Exit::SomeFailed })
}

/// What to listen to; what cannot be heard is named.
fn music_of(inputs: &[PathBuf]) -> anyhow::Result<TrialMusic> {
    let mut told = Vec::new();
    let music = TrialMusic::of(inputs, &mut |line| told.push(line))?;
    if music.tracks.is_empty() {
        told.insert(0, "no music to listen to".to_owned());
        anyhow::bail!(told.join("; "));
    }
    told.iter().for_each(|line| printer::remark(line));
    Ok(music)
}

/// To a thousandth: what is behind is noise.
fn rounded(ms: f64) -> Value {
    json!((ms * 1e3).round() / 1e3)
}

fn to_json(times: &ListeningTimes) -> Value {
    let shares = |values: &[f64]| json!({"p50": rounded(percentile(values, 0.5)), "p95": rounded(percentile(values, 0.95)), "max": rounded(percentile(values, 1.0)), "count": values.len()});
    let mut found = json!({
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
    });
    // Absent where the system does not say.
    if let Some(figures) = times.figures {
        found["peak_rss_bytes"] = json!(figures.peak_rss_bytes);
        found["threads"] = json!(figures.thread_count);
    }
    found
}

fn table(times: &ListeningTimes) -> String {
    let buffer_ms = f64::from(times.buffer_frames) * 1e3 / f64::from(times.sample_rate_hz.max(1));
    let mut text = format!(
        "{}: {} Hz, a buffer of {}, {buffer_ms:.1} ms\n",
        times.output,
        times.sample_rate_hz,
        counted(times.buffer_frames as usize, "frame")
    );
    for (name, values) in [("cached", &times.cached_ms), ("cold", &times.cold_ms)] {
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|share| percentile(values, share));
        text += &format!("{name:>6}  p50 {p50:.2}  p95 {p95:.2}  max {max:.2} ms, {}\n", counted(values.len(), "audition"));
    }
    text += &format!("underruns {}, decoding behind {}, points swept over {}\n", times.underruns, times.starved, times.swept);
    text += &format!("largest step {:.3}, the music's own {:.3}\n", times.largest_step, times.music_step);
    text
}
