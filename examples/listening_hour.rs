//! An hour of random sweeping in some minutes: whether memory stays flat, whether a thread, a cue or a report is lost, whether anything clicks.
//!
//! ```text
//! cargo run --release --example listening_hour                              an hour over the demo collection
//! cargo run --release --example listening_hour -- --seconds 600 ~/Music     ten minutes over a folder, a file or a collection
//! ```
//! A line for each simulated minute; exit code 1 with the reasons where memory grew by more than 5 % after the warm-up, where the number of threads changed, where
//! a segment that was rested on never sounded, or where a step from a sample to the next was larger than the music that was playing allows.
//!
//! Time is simulated: the clock stands still while decoding has not come far enough, so nothing that comes from being late can be seen here: no
//! drop-outs of a device, no latencies. `tagscape::app::listening_trial::simulated` says more; `tagscape bench audio --seconds 3600` is the same in real time.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tagscape::app::listening_trial::TrialMusic;
use tagscape::app::listening_trial::record::ListeningMark;
use tagscape::app::listening_trial::simulated::SimulatedListening;
use tagscape::app::resources::demo_collection;
use tagscape::player::PlayerConfig;

#[derive(Parser)]
struct Args {
    /// Audio files, folders of them, or collections (default: the demo collection).
    inputs: Vec<PathBuf>,
    /// Simulated seconds.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Simulated seconds from a line to the next.
    #[arg(long, default_value_t = 60)]
    every: u64,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let inputs = if args.inputs.is_empty() { vec![demo_collection()?] } else { args.inputs };
    let music = TrialMusic::of(&inputs, &mut |line| eprintln!("{line}"))?;
    let (duration, mark_every) = (Duration::from_secs(args.seconds), Duration::from_secs(args.every.max(1)));
    let began = Instant::now();
    println!("minute    rss MB  threads  cached MB  auditions   rests  sounded  failed  starved  step  music  share");
    let record = SimulatedListening { music, duration, mark_every, config: PlayerConfig::default() }.run(|mark| println!("{}", line(mark)));
    if let Some(last) = record.marks.last() {
        println!("{}", line(last));
        println!("{:.0} simulated seconds in {:.0} s; {} segments sounded", last.secs, began.elapsed().as_secs_f64(), last.started);
    }
    if let Some(growth) = record.growth() {
        println!("memory at the end: {:+.1} % of what it was after the warm-up", (growth - 1.0) * 100.0);
    }
    let faults = record.faults();
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(mark: &ListeningMark) -> String {
    let mega = |bytes: u64| bytes as f64 / 1e6;
    let (rss, threads) = mark.figures.map_or((f64::NAN, 0), |figures| (mega(figures.rss_bytes), figures.thread_count));
    format!(
        "{:6.1}  {rss:8.1}  {threads:7}  {:9.1}  {:9}  {:6}  {:7}  {:6}  {:7}  {:.2}  {:5.2}  {:5.2}",
        mark.secs / 60.0,
        mega(mark.cached_bytes as u64),
        mark.auditions,
        mark.rests,
        mark.sounded,
        mark.failed,
        mark.starved,
        mark.largest_step,
        mark.music_step,
        mark.step_share,
    )
}
