//! `tagscape merge`: joins shards.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::exit_code::Exit;
use super::interrupt::Interrupt;
use super::printer;
use crate::catalog::counted;
use crate::store::{MergeProgress, merge};

/// Joins collections, as `tagscape extract --shard` makes them, into one
///
/// The result is the collection that one run over all the music makes: every matrix byte for byte, and the public tables row for row, in
/// whichever order the parts are named. All parts must have the same networks, hop and audio root. A track that is in several of them counts once.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The collections to join
    #[arg(required = true, value_name = "C.tagscape")]
    inputs: Vec<PathBuf>,
    /// The collection to make; it must not be there yet
    #[arg(long, value_name = "C.tagscape")]
    out: PathBuf,
    /// Print one JSON object, and nothing else, to standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be done.
pub fn run(args: &MergeArgs) -> anyhow::Result<Exit> {
    let start = Instant::now();
    let mut show = |progress: &MergeProgress| {
        let (done, total) = (progress.bytes_done as f64 / 1e6, progress.bytes_total as f64 / 1e6);
        let secs = start.elapsed().as_secs_f64();
        let left = if done > 0.0 { format!(", {:.0} s left", secs / done * (total - done)) } else { String::new() };
        printer::progress(&format!("{done:.0} of {total:.0} MB, {:.0} MB/s{left}", done / secs.max(1e-3)));
    };
    let interrupt = Interrupt::listen();
    let merged = merge(&args.inputs, &args.out, interrupt.flag(), &mut show);
    printer::clear_progress();
    let merged = merged?;
    let total = start.elapsed().as_secs_f64();
    if args.json {
        let object = json!({
            "collection": args.out.to_string_lossy(),
            "merged": args.inputs.len(),
            "tracks": merged.tracks,
            "segments": merged.segments,
            "seconds": { "total": total },
        });
        printer::json(&object);
    } else {
        let [tracks, segments, parts] = [(merged.tracks, "track"), (merged.segments, "segment"), (args.inputs.len(), "collection")]
            .map(|(count, noun)| counted(count, noun));
        printer::line(&format!("{}: {tracks}, {segments} of {parts} in {total:.1} s", args.out.display()));
    }
    Ok(Exit::Done)
}
