//! `tagscape extract`: audio to a collection.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit_code::Exit;
use super::extract_options::ExtractOptions;
use super::interrupt::Interrupt;
use crate::app::extract_job::{ExtractParams, ExtractProgress, ExtractSummary, Shard, Stop, run as extract};

/// Decodes music, runs the networks over it, and stores tags and embeddings of every segment
///
/// Resumes where it stopped: tracks that the collection holds are skipped, new ones are added behind them. Ctrl-C stops after the write that is
/// under way; the same command goes on. Exit code 0: all done; 1: some files failed, each named with its reason, or the run was stopped before its
/// end; 2: nothing done.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// Audio files, or folders to be walked for them (wav, aiff, flac, alac, mp3, aac, vorbis, opus)
    #[arg(required = true, value_name = "PATH")]
    inputs: Vec<PathBuf>,
    /// The collection to make or to go on with
    #[arg(long, value_name = "C.tagscape")]
    out: PathBuf,
    #[command(flatten)]
    options: ExtractOptions,
    /// Extract one of N shares of the files, to be joined by `tagscape merge`; every shard must see the same files
    #[arg(long, value_name = "I/N", value_parser = clap::value_parser!(Shard))]
    shard: Option<Shard>,
    /// Try files again that failed before, although they have not changed
    #[arg(long)]
    retry: bool,
    /// Print one JSON object, and nothing else, to standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be done.
pub fn run(args: ExtractArgs) -> anyhow::Result<Exit> {
    let params = ExtractParams { retry: args.retry, shard: args.shard, ..args.options.params(args.inputs, args.out) };
    let summary = extract_with_progress(&params)?;
    if args.json {
        println!("{}", to_json(&params, &summary));
    } else {
        println!("{}", summary_line(&params, &summary));
    }
    Ok(if summary.failed.is_empty() && summary.stop.is_none() { Exit::Done } else { Exit::SomeFailed })
}

/// Extracts, with a line of progress where there is a terminal, and names what failed and what stopped it.
///
/// # Errors
/// Where nothing could be done.
pub(super) fn extract_with_progress(params: &ExtractParams) -> anyhow::Result<ExtractSummary> {
    let is_terminal = std::io::stderr().is_terminal();
    let mut show = |progress: &ExtractProgress| {
        if is_terminal {
            eprint!("\r\x1b[2K{}", progress_line(progress));
            // Progress that cannot be shown is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    };
    let interrupt = Interrupt::listen();
    let done = extract(params, interrupt.flag(), &mut show);
    if is_terminal {
        eprint!("\r\x1b[2K");
    }
    let summary = done?;
    for failed in &summary.failed {
        eprintln!("tagscape: {}: {}", failed.path, failed.reason);
    }
    if let Some(stop) = &summary.stop {
        eprintln!("tagscape: {}", stop_line(params, &summary, stop));
    }
    Ok(summary)
}

/// A line for the user, over the line of progress where there is one.
pub(super) fn tell_user(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K");
    }
    eprintln!("tagscape: {line}");
}

/// Seconds of audio for each second of the run.
pub(super) fn realtime(summary: &ExtractSummary) -> f64 {
    if summary.seconds.total > 0.0 { summary.audio_secs / summary.seconds.total } else { 0.0 }
}

/// What `--json` prints.
pub(super) fn to_json(params: &ExtractParams, summary: &ExtractSummary) -> serde_json::Value {
    let failed: Vec<_> = summary.failed.iter().map(|failed| json!({ "path": failed.path, "reason": failed.reason })).collect();
    let seconds = summary.seconds;
    let mut object = json!({
        "collection": params.out.to_string_lossy(),
        "tracks": summary.tracks,
        "segments": summary.segments,
        "failed": failed,
        "audio_seconds": summary.audio_secs,
        "seconds": {
            "decode": seconds.decode,
            "features": seconds.features,
            "inference": seconds.inference,
            "write": seconds.write,
            "total": seconds.total,
        },
        "realtime": realtime(summary),
    });
    // Only there where the run came to no end, so that a script can tell that from files that failed.
    if let (Some(stop), Some(fields)) = (&summary.stop, object.as_object_mut()) {
        fields.insert("stopped".to_owned(), json!(stop_line(params, summary, stop)));
    }
    object
}

fn summary_line(params: &ExtractParams, summary: &ExtractSummary) -> String {
    let failed = if summary.failed.is_empty() { String::new() } else { format!(", {} failed", summary.failed.len()) };
    format!(
        "{}: {} tracks, {} segments{failed}; {} of audio in {} ({:.0} times real time)",
        params.out.display(),
        summary.tracks,
        summary.segments,
        clock(summary.audio_secs),
        clock(summary.seconds.total),
        realtime(summary),
    )
}

fn stop_line(params: &ExtractParams, summary: &ExtractSummary, stop: &Stop) -> String {
    let counts = format!("tracks in {}: {}, still to be done: {}", params.out.display(), summary.tracks, summary.left);
    match stop {
        Stop::Cancelled => format!("stopped; {counts}; run the same command again to go on"),
        Stop::Unwritable(error) => format!("{}; {counts}", super::chain(&anyhow::anyhow!("{error}"))),
    }
}

fn progress_line(progress: &ExtractProgress) -> String {
    let rate = if progress.elapsed_secs > 0.0 { progress.audio_secs / progress.elapsed_secs } else { 0.0 };
    let failed = if progress.failed == 0 { String::new() } else { format!(", {} failed", progress.failed) };
    let left = progress.left_secs.map_or_else(String::new, |secs| format!(", {} left", clock(secs)));
    format!("{} of {} tracks{failed}, {rate:.0} times real time{left}", progress.tracks_done, progress.tracks_total)
}

/// Seconds as `1:02:03` or `2:03`.
fn clock(secs: f64) -> String {
    let secs = secs.round().max(0.0) as u64;
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{secs:02}") } else { format!("{minutes}:{secs:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_names_rate_and_time_left() {
        let progress =
            ExtractProgress { tracks_done: 3, tracks_total: 9, failed: 1, audio_secs: 600.0, elapsed_secs: 10.0, left_secs: Some(3723.4) };
        assert_eq!(progress_line(&progress), "3 of 9 tracks, 1 failed, 60 times real time, 1:02:03 left");
    }
}
