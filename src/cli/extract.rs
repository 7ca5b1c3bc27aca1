//! `tagscape extract`: audio to a collection.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit_code::Exit;
use super::extract_options::ExtractOptions;
use super::interrupt::Interrupt;
use super::printer;
use crate::app::extract_job::{ExtractParams, ExtractProgress, ExtractSummary, Shard, Stop, run as extract};
use crate::catalog::counted;

/// Decodes music, runs the networks over it, and stores tags and embeddings of every segment
///
/// Resumes where it stopped: tracks that the collection holds are skipped, new ones are added behind them. Ctrl-C stops after the write that is
/// under way; the same command goes on. A file that is cut off, or declares another length than it has, is extracted as far as it is sound, with a
/// remark. Exit code 0: all done; 1: some files failed or were remarked on, each named with its reason, or the run was stopped before its end;
/// 2: nothing done.
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
    /// Refuse files that are cut off, or declare another length than they have, instead of extracting what is there
    #[arg(long)]
    strict: bool,
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
    let params =
        ExtractParams { retry: args.retry, is_strict: args.strict, shard: args.shard, ..args.options.params(args.inputs, args.out) };
    let summary = extract_with_progress(&params)?;
    if args.json {
        printer::json(&to_json(&params, &summary));
    } else {
        printer::line(&summary_line(&params, &summary));
    }
    let is_whole = summary.failed.is_empty() && summary.remarks.is_empty() && summary.stop.is_none();
    Ok(if is_whole { Exit::Done } else { Exit::SomeFailed })
}

/// Extracts, with a line of progress where there is a terminal, and names what failed and what stopped it.
///
/// # Errors
/// Where nothing could be done.
pub(super) fn extract_with_progress(params: &ExtractParams) -> anyhow::Result<ExtractSummary> {
    let mut show = |progress: &ExtractProgress| printer::progress(&progress_line(progress));
    let interrupt = Interrupt::listen();
    let done = extract(params, interrupt.flag(), &mut show);
    printer::clear_progress();
    let summary = done?;
    for failed in &summary.failed {
        printer::remark(&format!("{}: {}", failed.path, failed.reason));
    }
    for remarked in &summary.remarks {
        printer::remark(&format!("{}: {}", remarked.path, remarked.reason));
    }
    if let Some(stop) = &summary.stop {
        printer::remark(&stop_line(params, &summary, stop));
    }
    Ok(summary)
}

/// Seconds of audio for each second of the run.
pub(super) fn realtime(summary: &ExtractSummary) -> f64 {
    if summary.seconds.total > 0.0 { summary.audio_secs / summary.seconds.total } else { 0.0 }
}

/// What `--json` prints.
pub(super) fn to_json(params: &ExtractParams, summary: &ExtractSummary) -> serde_json::Value {
    let failed: Vec<_> = summary.failed.iter().map(|failed| json!({ "path": failed.path, "reason": failed.reason })).collect();
    let remarks: Vec<_> = summary.remarks.iter().map(|track| json!({ "path": track.path, "reason": track.reason })).collect();
    let seconds = summary.seconds;
    let mut object = json!({
        "collection": params.out.to_string_lossy(),
        "tracks": summary.tracks,
        "segments": summary.segments,
        "failed": failed,
        "remarks": remarks,
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
    let count = |count: usize, what: &str| if count == 0 { String::new() } else { format!(", {count} {what}") };
    let (failed, remarked) = (count(summary.failed.len(), "failed"), count(summary.remarks.len(), "with a remark"));
    let new = if summary.audio_secs > 0.0 {
        let (audio, total, realtime) = (clock(summary.audio_secs), clock(summary.seconds.total), realtime(summary));
        format!("{audio} of audio in {total} ({realtime:.0} times real time)")
    } else {
        "nothing new".to_owned()
    };
    let (tracks, segments) = (counted(summary.tracks, "track"), counted(summary.segments, "segment"));
    format!("{}: {tracks}, {segments}{failed}{remarked}; {new}", params.out.display())
}

fn stop_line(params: &ExtractParams, summary: &ExtractSummary, stop: &Stop) -> String {
    let counts = format!("tracks in {}: {}, still to be done: {}", params.out.display(), summary.tracks, summary.left);
    match stop {
        Stop::Cancelled => format!("stopped; {counts}; run the same command again to go on"),
        Stop::Mistake => format!("a mistake in tagscape ended the run, please report it; {counts}; run the same command again to go on"),
        Stop::Unwritable(error) => format!("{}; {counts}", super::chain(&anyhow::anyhow!("{error}"))),
    }
}

fn progress_line(progress: &ExtractProgress) -> String {
    let rate = if progress.elapsed_secs > 0.0 { progress.audio_secs / progress.elapsed_secs } else { 0.0 };
    let failed = if progress.failed == 0 { String::new() } else { format!(", {} failed", progress.failed) };
    let left = progress.left_secs.map_or_else(String::new, |secs| format!(", {} left", clock(secs)));
    let total = counted(progress.tracks_total, "track");
    format!("{} of {total}{failed}, {rate:.0} times real time{left}", progress.tracks_done)
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
        let one = ExtractProgress { tracks_done: 1, tracks_total: 1, left_secs: None, failed: 0, ..progress };
        assert_eq!(progress_line(&one), "1 of 1 track, 60 times real time");
    }

    #[test]
    fn the_summary_counts_in_english_and_says_where_nothing_was_new() {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: ExtractArgs,
        }
        let ExtractArgs { inputs, out, options, .. } = Line::parse_from(["x", "m", "--out", "c"]).args;
        let params = options.params(inputs, out);
        let one = ExtractSummary { tracks: 1, segments: 1, ..ExtractSummary::default() };
        assert_eq!(summary_line(&params, &one), "c: 1 track, 1 segment; nothing new");
        let mut two = ExtractSummary { tracks: 2, segments: 0, audio_secs: 61.0, ..ExtractSummary::default() };
        two.seconds.total = 2.0;
        assert_eq!(summary_line(&params, &two), "c: 2 tracks, 0 segments; 1:01 of audio in 0:02 (30 times real time)");
    }
}
