//! `tagscape bench pick`: pointers over made-up points, measured one by one and checked.

use clap::Args;
use serde_json::{Value, json};

use super::percentile;
use crate::app::picking_trial::{PickEngine, PickingTimes, PickingTrial};
use crate::catalog::counted;
use crate::cli::exit_code::Exit;
use crate::cli::printer;
use crate::gpu::{AdapterChoice, GpuContext};
use crate::project::DeviceChoice;

/// Finds what is under random pointers, and prints how long it takes and whether it is right
///
/// Points of a unit normal distribution on a map of 1920 x 1080, seen as a whole, from afar and from near; half of the pointers are on points. Every
/// answer is compared with all points, one by one. Where a GPU and the CPU round differently, a point within a thousandth of a pixel of the nearest counts
/// as right.
#[derive(Debug, Args)]
pub struct BenchPickArgs {
    /// How many points
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    points: u32,
    /// How many pointers over the plane, and again over the space
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pointers: u32,
    /// The adapter, by a part of its name (default: the fastest kind)
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// What picks in the space: auto, cpu or gpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Print one JSON object to standard output and nothing else
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BenchPickArgs) -> anyhow::Result<Exit> {
    let choice = args.adapter.clone().map_or(AdapterChoice::Best, AdapterChoice::Named);
    let context = GpuContext::headless(choice)?;
    let engine = match args.device {
        DeviceChoice::Auto if context.caps.is_cpu() => PickEngine::Cpu,
        DeviceChoice::Auto | DeviceChoice::Gpu => PickEngine::Gpu,
        DeviceChoice::Cpu => PickEngine::Cpu,
    };
    let trial = PickingTrial { points: args.points as usize, pointers: args.pointers as usize, engine };
    let times = trial.run(&context)?;
    let errors = context.errors.take();
    anyhow::ensure!(errors.is_empty(), "picking: {}", errors.join("; "));
    let device = if engine == PickEngine::Gpu { context.caps.name.as_str() } else { "cpu" };
    if args.json {
        printer::json(&to_json(&trial, &times, device));
    } else {
        printer::lines(&table(&trial, &times, device));
    }
    Ok(Exit::Done)
}

/// To a thousandth: what is behind is noise.
fn shares(values: &[f64]) -> Value {
    let share = |share: f64| (percentile(values, share) * 1e3).round() / 1e3;
    json!({"p50": share(0.5), "p95": share(0.95)})
}

fn to_json(trial: &PickingTrial, times: &PickingTimes, device: &str) -> Value {
    json!({
        "points": trial.points,
        "pointers": trial.pointers,
        "device": device,
        "sort_ms": (times.sort_ms * 1e3).round() / 1e3,
        "settled_2d_us": shares(&times.settled_2d_us),
        "moving_3d_ms": shares(&times.moving_3d_ms),
        "checked": times.checked,
        "found": times.found,
        "wrong": times.wrong,
    })
}

fn table(trial: &PickingTrial, times: &PickingTimes, device: &str) -> String {
    let line = |name: &str, values: &[f64], unit: &str| {
        format!(
            "{name}  p50 {:.3}  p95 {:.3}  max {:.3} {unit}\n",
            percentile(values, 0.5),
            percentile(values, 0.95),
            percentile(values, 1.0)
        )
    };
    let mut text =
        format!("{}, {} each, sorted in {:.0} ms\n", counted(trial.points, "point"), counted(trial.pointers, "pointer"), times.sort_ms);
    text += &line("settled, 2-D", &times.settled_2d_us, "µs");
    text += &line("moving, 3-D ", &times.moving_3d_ms, &format!("ms on {device}"));
    text += &format!("{} of {} answers wrong, something found by {}\n", times.wrong, times.checked, times.found);
    text
}
