//! Plays segments of an audio file by the player, and measures it.
//!
//! ```text
//! cargo run --release --example audition -- FILE 3                plays the segment number 3 (from 0)
//! cargo run --release --example audition -- FILE --measure 20     20 segments not decoded before, then the same from the cache
//! ```
//! `--null` plays to nowhere. A latency is from the call of `audition` to the first frame handed to the output.
#![allow(clippy::print_stdout, reason = "it is a command")]

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Parser;
use tagscape::catalog::SegmentSpan;
use tagscape::player::{AuditionRequest, OutputChoice, Player, PlayerEvent};

#[derive(Parser)]
struct Args {
    /// The audio file.
    file: PathBuf,
    /// Which segment, from 0.
    #[arg(default_value_t = 0)]
    segment: u32,
    /// Seconds from one segment to the next.
    #[arg(long, default_value_t = 2.992)]
    hop: f64,
    /// Measure this many segments: cold, then cached, each after the pause below.
    #[arg(long)]
    measure: Option<u32>,
    /// Milliseconds between two auditions when measuring.
    #[arg(long, default_value_t = 120)]
    pause: u64,
    /// Play to nowhere.
    #[arg(long)]
    null: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let choice = if args.null { OutputChoice::Null } else { OutputChoice::Default };
    let began = Instant::now();
    let (mut player, notice) = Player::start(choice, None);
    println!("opened in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    if let Some(notice) = notice {
        println!("{notice}");
    }
    match args.measure {
        Some(count) => {
            for round in ["cold", "cached"] {
                measure(&mut player, &args, round, count)?;
            }
        }
        None => {
            play(&mut player, request(&args, 0, args.segment), |event| matches!(event, PlayerEvent::Finished { .. }))?;
        }
    }
    println!("{:#?}", player.status());
    sleep(Duration::from_millis(200)); // What the device still holds.
    Ok(())
}

fn request(args: &Args, serial: u64, segment: u32) -> AuditionRequest {
    let span = SegmentSpan { start_secs: f64::from(segment) * args.hop, duration_secs: 2.992 };
    AuditionRequest { serial, path: args.file.clone(), span }
}

/// Plays, and prints what happens until `is_enough`.
fn play(player: &mut Player, request: AuditionRequest, is_enough: impl Fn(&PlayerEvent) -> bool) -> anyhow::Result<f64> {
    let until = Instant::now() + Duration::from_secs(30);
    let mut latency = f64::NAN;
    player.audition(request);
    while Instant::now() < until {
        for event in player.poll() {
            match &event {
                PlayerEvent::Started { latency_ms, .. } => latency = *latency_ms,
                PlayerEvent::Failed { reason, .. } => anyhow::bail!("{reason}"),
                PlayerEvent::Notice { text } => println!("{text}"),
                _ => {}
            }
            if is_enough(&event) {
                println!("{event:?}; latency {latency:.2} ms");
                return Ok(latency);
            }
        }
        sleep(Duration::from_millis(1));
    }
    anyhow::bail!("no answer within 30 s")
}

fn measure(player: &mut Player, args: &Args, name: &str, count: u32) -> anyhow::Result<()> {
    let mut latencies = Vec::new();
    for number in 0..count {
        let serial = u64::from(number);
        let started = |event: &PlayerEvent| matches!(event, PlayerEvent::Started { .. });
        latencies.push(play(player, request(args, serial, args.segment + number), started)?);
        // A little uneven, so that the auditions do not fall into step with the device's buffers.
        sleep(Duration::from_micros(args.pause * 1000 + u64::from(number * 7919 % 6000)));
    }
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies.get(((latencies.len() - 1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN);
    println!("{name}: {count} auditions, p50 {:.2} ms, p95 {:.2} ms, max {:.2} ms", at(0.5), at(0.95), at(1.0));
    Ok(())
}
