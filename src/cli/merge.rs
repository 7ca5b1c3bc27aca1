//! `tagscape merge`: joins shards.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::exit_code::Exit;
use super::interrupt::Interrupt;
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
    let is_terminal = std::io::stderr().is_terminal();
    let mut show = |progress: &MergeProgress| {
        if is_terminal {
            let (done, total) = (progress.bytes_done as f64 / 1e6, progress.bytes_total as f64 / 1e6);
            let secs = start.elapsed().as_secs_f64();
            let left = if done > 0.0 { format!(", {:.0} s left", secs / done * (total - done)) } else { String::new() };
            eprint!("\r\x1b[2K{done:.0} of {total:.0} MB, {:.0} MB/s{left}", done / secs.max(1e-3));
            // Progress that cannot be shown is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    };
    let interrupt = Interrupt::listen();
    let merged = merge(&args.inputs, &args.out, interrupt.flag(), &mut show);
    if is_terminal {
        eprint!("\r\x1b[2K");
    }
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
        println!("{object}");
    } else {
        let (tracks, segments, parts) = (merged.tracks, merged.segments, args.inputs.len());
        println!("{}: {tracks} tracks, {segments} segments of {parts} collections in {total:.1} s", args.out.display());
    }
    Ok(Exit::Done)
}
